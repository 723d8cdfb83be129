"""The part that the engines on this machine share: batches, greedy choice, schema, stop texts."""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from secai_lib.core.adapter import Adapter, Weights
from secai_lib.core.errors import ModelError, Terminal, UsageError
from secai_lib.core.generation import Chat, Decoding, Finish, Generation
from secai_lib.gateways.llm.constraint import Constraint, Constraints
from secai_lib.gateways.llm.prompt import Prompter

Logits = NDArray[np.float32]
"""Shape (rows of the batch, vocabulary of the model)."""
AS_IT_LIES: Any = {"local_files_only": True, "trust_remote_code": False}
"""For `transformers`: no network, and no question whether code of the model's may run."""
OnAnswer = Callable[[int, Generation], None]


class Network(Protocol):
    """A loaded model that reads one batch at a time and keeps what it has read of it."""

    tokenizer: Any
    """Of `transformers`."""
    vocabulary: int
    """Width of the logits."""
    context: int
    """Most tokens of prompt and answer together; 0 where the configuration does not say."""
    end_ids: list[int]
    """Ids that end an answer, as the model's configuration says."""

    def start(self, prompts: Sequence[Sequence[int]]) -> Logits:
        """Logits behind each of `prompts`, which become the batch."""
        ...

    def step(self, tokens: Sequence[int]) -> Logits:
        """Logits behind one more token of each row."""
        ...

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows of the batch only."""
        ...


@contextmanager
def loading_errors() -> Iterator[None]:
    """Turn what libraries raise over a damaged model into a `ModelError`, which names no path."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        raise ModelError(
            f"the model cannot be loaded ({type(error).__name__}): remove it from the models "
            "folder and run the asset base_model again"
        ) from error


def who_answers(model: str, version: str, adapter: tuple[Adapter, Weights] | None) -> str:
    """Identity of an engine: the model, its adapter if any, and what computes."""
    added = f"+adapter {adapter[0].digest}" if adapter else ""
    return f"{model}{added} {version}"


@dataclass
class _Row:
    """One answer that is being made."""

    index: int
    prompt: list[int]
    answer: list[int] = field(default_factory=list)
    constraint: Constraint | None = None
    finish: Finish | None = None
    cut: int | None = None
    """Where a stop text begins in the text of the answer."""


class LocalEngine:
    """A `TextEngine` round a network; greedy, so that the same chat gives the same answer."""

    def __init__(self, name: str, identity: str, network: Network, batch_size: int) -> None:
        """Answer `batch_size` chats together with `network`."""
        self.name, self.identity = name, identity
        self._network: Network | None = network
        self._batch_size = batch_size
        self._context = network.context
        self._prompter = Prompter(network.tokenizer, network.vocabulary)
        self._ends = self._prompter.ends(network.end_ids)
        self._constraints = Constraints(self._prompter, self._ends)

    def close(self) -> None:
        """Give the memory back; the engine answers no more."""
        self._network = None
        gc.collect()

    def count_tokens(self, chat: Chat) -> int:
        """Tokens of the rendered chat, the opening of the answer included."""
        return len(self._prompter.encode_chat(chat))

    def generate(
        self,
        chats: Sequence[Chat],
        decoding: Decoding,
        on_answer: OnAnswer = lambda _index, _answer: None,
    ) -> list[Generation]:
        """An answer for each of `chats`, in their order, batched by length.

        Raises:
            UsageError: the schema cannot be held, `max_tokens` has no room for the prefix, or a
                chat is longer than the model can read.
        """
        rows = [self._read(index, chat, decoding) for index, chat in enumerate(chats)]
        # The longest first: if memory does not suffice, it shows at once.
        order = sorted(rows, key=lambda row: (-len(row.prompt), row.index))
        answers: dict[int, Generation] = {}

        def done(row: _Row) -> None:
            answers[row.index] = self._answer(row, decoding)
            on_answer(row.index, answers[row.index])

        for first in range(0, len(order), self._batch_size):
            self._run(order[first : first + self._batch_size], decoding, done)
        return [answers[index] for index in range(len(chats))]

    def _read(self, index: int, chat: Chat, decoding: Decoding) -> _Row:
        prompt = self._prompter.encode_chat(chat)
        if 0 < self._context < len(prompt) + decoding.max_tokens:
            raise UsageError(
                f"a chat of {len(prompt)} tokens and an answer of {decoding.max_tokens} are more "
                f"than the {self._context} tokens this model can read; ask for less"
            )
        return _Row(index, prompt)

    def _begin(self, row: _Row, decoding: Decoding) -> None:
        """Put down what the answer has to begin with: it is read with the prompt, at no step."""
        row.answer = self._prompter.encode(decoding.prefix)
        if decoding.json_schema:
            row.constraint = self._constraints.begin(decoding.json_schema, row.answer)
            forced = row.constraint.forced()
            row.constraint.take(forced)
            row.answer = row.answer + forced
        if len(row.answer) >= decoding.max_tokens:
            raise UsageError(
                f"max_tokens {decoding.max_tokens} leaves no room behind the {len(row.answer)} "
                "tokens an answer has to begin with"
            )

    def _run(self, batch: list[_Row], decoding: Decoding, done: Callable[[_Row], None]) -> None:
        if self._network is None:
            raise UsageError("the engine is closed; open it again")
        for row in batch:
            self._begin(row, decoding)
        logits = self._network.start([row.prompt + row.answer for row in batch])
        while True:
            for row, scores in zip(batch, logits, strict=True):
                self._advance(row, scores, decoding)
            going = [place for place, row in enumerate(batch) if row.finish is None]
            for row in batch:
                if row.finish is not None:
                    done(row)
            if not going:
                return
            if len(going) < len(batch):
                self._network.keep(going)
                batch = [batch[place] for place in going]
            logits = self._network.step([row.answer[-1] for row in batch])

    def _advance(self, row: _Row, scores: Logits, decoding: Decoding) -> None:
        """Take the best allowed token, and see whether the answer is at its end."""
        scores = scores[: self._prompter.vocabulary]
        if row.constraint is None:
            token = int(scores.argmax())
        else:
            allowed = row.constraint.allowed()
            allowed = allowed[allowed < len(scores)]
            if not len(allowed):
                raise Terminal("no word of the model continues the answer within its schema")
            token = int(allowed[scores[allowed].argmax()])
        if not np.isfinite(scores[token]):
            raise Terminal("the model computes no numbers; its weights are damaged")
        if token in self._ends:
            row.finish = Finish.STOP
            return
        row.answer.append(token)
        if row.constraint is not None:
            row.constraint.take([token])
            if row.constraint.finished:
                row.finish = Finish.STOP
                return
        row.cut = self._stop_at(row, decoding)
        if row.cut is not None:
            row.finish = Finish.STOP
        elif len(row.answer) >= decoding.max_tokens:
            row.finish = Finish.LENGTH

    def _stop_at(self, row: _Row, decoding: Decoding) -> int | None:
        if not decoding.stop:
            return None
        text = self._prompter.decode(row.answer)
        places = (text.find(stop, len(decoding.prefix)) for stop in decoding.stop)
        return min((place for place in places if place >= 0), default=None)

    def _answer(self, row: _Row, decoding: Decoding) -> Generation:
        text = self._prompter.decode(row.answer)[: row.cut]
        if row.finish is Finish.LENGTH:
            text = text.rstrip("\ufffd")  # half a character
        return Generation(
            text=text,
            prompt_tokens=len(row.prompt),
            answer_tokens=len(row.answer),
            finish=row.finish or Finish.LENGTH,
        )
