"""The language model behind an OpenAI-compatible server: mlx_lm.server, vLLM, llama.cpp, Ollama."""

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cached_property
from pathlib import PurePath
from typing import Any

import jsonschema

from secai_lib.core.errors import Terminal, UsageError
from secai_lib.core.generation import Chat, Decoding, Finish, Generation
from secai_lib.gateways.llm.control_text import neutralise
from secai_lib.gateways.llm.server_http import ServerHttp

BYTES_A_TOKEN = 3
"""Of UTF-8: fewer than English (about 4) or code (about 3.3) has, so that estimates are high."""
TOKENS_A_TURN = 8
"""Role markers and line breaks round one message."""


class ServerEngine:
    """Answers by asking a server, several chats at the same time.

    Greedy as far as the server is: `temperature` 0 and a seed are asked for.
    """

    name = "server"

    def __init__(self, http: ServerHttp, model: str = "", batch_size: int = 8) -> None:
        """Ask `http` for `model` (empty: the only one it serves), `batch_size` chats at a time."""
        self._http, self._wanted, self._batch_size = http, model, batch_size

    @property
    def identity(self) -> str:
        """The model's name there; the server does not say more."""
        # Some servers name a model by its folder, and a path of a machine belongs in no artifact.
        return f"server {PurePath(self._model).name or 'default'}"

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def count_tokens(self, chat: Chat) -> int:
        """An estimate on the high side: the tokenizer is on the other machine."""
        return sum(_estimate(message.content) + TOKENS_A_TURN for message in chat) + TOKENS_A_TURN

    def generate(
        self,
        chats: Sequence[Chat],
        decoding: Decoding,
        on_answer: Callable[[int, Generation], None] = lambda _index, _answer: None,
    ) -> list[Generation]:
        """An answer for each of `chats`, in their order.

        Raises:
            SecAIError: the server refused one of them for good; the others are not waited for.
        """
        answers: dict[int, Generation] = {}
        pool = ThreadPoolExecutor(self._batch_size)
        try:
            asked = {pool.submit(self._ask, c, decoding): i for i, c in enumerate(chats)}
            for done in as_completed(asked):
                answers[asked[done]] = done.result()
                on_answer(asked[done], answers[asked[done]])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        return [answers[index] for index in range(len(chats))]

    @cached_property
    def _model(self) -> str:
        """The model to ask for; empty when the server has one and names none."""
        if self._wanted:
            return self._wanted
        # No list is no error: mlx_lm.server 0.32 fails here when the Hub's cache does not exist.
        listed = self._http.look("/models").get("data")
        entries = listed if isinstance(listed, list) else []
        names = [str(entry["id"]) for entry in entries if isinstance(entry, dict) and "id" in entry]
        if len(names) > 1:
            shown = ", ".join(sorted(PurePath(name).name for name in names)[:10])
            raise UsageError(
                f"the server serves {len(names)} models ({shown}); name one in "
                "inference.server_model"
            )
        return names[0] if names else ""

    def _ask(self, chat: Chat, decoding: Decoding) -> Generation:
        body = request_body(self._model, chat, decoding)
        answer = self._http.ask("/chat/completions", body)
        try:
            choice = answer["choices"][0]
            said = choice["message"]["content"] or ""
            usage = answer.get("usage") or {}
            return _generation(
                chat_tokens=int(usage.get("prompt_tokens") or self.count_tokens(chat)),
                answer_tokens=int(usage.get("completion_tokens") or _estimate(said)),
                said=said,
                cut=choice.get("finish_reason") == "length",
                decoding=decoding,
            )
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise Terminal(
                "the model's server does not speak the OpenAI protocol; check inference.server_url"
            ) from error


def request_body(model: str, chat: Chat, decoding: Decoding) -> dict[str, Any]:
    """The body of `POST /chat/completions`; contents hold no known control text.

    A prefix becomes the beginning of the assistant's turn: vLLM goes on with it when told, others
    by themselves.
    """
    messages = [{"role": m.role, "content": neutralise(m.content)} for m in chat]
    body: dict[str, Any] = {
        "messages": messages,
        "max_tokens": decoding.max_tokens,
        "temperature": 0,
        "seed": 0,
        "stream": False,
    }
    if model:
        body["model"] = model
    if decoding.stop:
        body["stop"] = list(decoding.stop)
    if decoding.prefix:
        messages.append({"role": "assistant", "content": decoding.prefix})
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    if decoding.json_schema:
        schema = {"name": "answer", "strict": True, "schema": json.loads(decoding.json_schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def _generation(
    *, chat_tokens: int, answer_tokens: int, said: str, cut: bool, decoding: Decoding
) -> Generation:
    """The answer as we promise it: with its prefix, before its stop text, of its schema."""
    text = said if said.startswith(decoding.prefix) else decoding.prefix + said
    places = (text.find(stop, len(decoding.prefix)) for stop in decoding.stop)
    text = text[: min((place for place in places if place >= 0), default=None)]
    finish = Finish.LENGTH if cut else Finish.STOP
    if decoding.json_schema and not cut:
        valid = valid_json(text, decoding.json_schema)
        finish, text = (finish, valid) if valid else (Finish.INVALID, text)
    return Generation(
        text=text, prompt_tokens=chat_tokens, answer_tokens=answer_tokens, finish=finish
    )


def valid_json(text: str, schema: str) -> str:
    """The first JSON object in `text` that keeps to `schema`, as written; empty if there is none.

    A server that ignores `response_format` often puts the object into a fence or a sentence.
    """
    validator = jsonschema.Draft202012Validator(json.loads(schema))
    start = text.find("{")
    while start >= 0:
        try:
            value, end = json.JSONDecoder().raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            if validator.is_valid(value):
                return text[start:end]
        start = text.find("{", end)
    return ""


def _estimate(text: str) -> int:
    return -(-len(text.encode("utf-8", "replace")) // BYTES_A_TOKEN)
