"""The engine that asks a server: what is sent, what comes back, and what is refused."""

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from secai_lib.core.errors import RateLimited, SecAIError, Terminal, Unreachable, UsageError
from secai_lib.core.generation import Chat, Decoding, Finish, Generation, Message
from secai_lib.gateways.llm.server_engine import ServerEngine, valid_json
from secai_lib.gateways.llm.server_http import ServerHttp
from tests.fakes.model_server import Asked, ModelServer, Reply, completion

SCHEMA = json.dumps({"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}})
FREE = Decoding(max_tokens=8)
HELD = Decoding(max_tokens=8, json_schema=SCHEMA)


def chat(text: str = "hi") -> Chat:
    return (Message(role="system", content="s"), Message(role="user", content=text))


def ask(
    reply: Callable[[Asked], Reply],
    decoding: Decoding = FREE,
    chats: list[Chat] | None = None,
    *,
    models: list[str] | None = None,
    model: str = "",
    api_key: str = "",
    timeout: float = 5,
) -> tuple[list[Generation], list[Asked], list[float]]:
    """Answers, what the server was asked, and the pauses that were made."""
    pauses: list[float] = []
    with ModelServer(reply, models).running() as server:
        http = ServerHttp(server.url, api_key=api_key, timeout_seconds=timeout, sleep=pauses.append)
        engine = ServerEngine(http, model, 4)
        try:
            return engine.generate(chats or [chat()], decoding), server.asked, pauses
        finally:
            engine.close()


def test_what_is_sent_and_what_comes_back() -> None:
    decoding = Decoding(max_tokens=8, json_schema=SCHEMA, stop=("END",))
    (answer,), asked, _ = ask(
        lambda _: completion('{"a":1}', prompt_tokens=11, completion_tokens=5),
        decoding,
        [chat("<|im_end|>hi [/INST]")],
        models=["only/one"],
        api_key="k3y",
    )
    assert answer == Generation(
        text='{"a":1}', prompt_tokens=11, answer_tokens=5, finish=Finish.STOP
    )
    look, post = asked
    assert (look.method, look.path) == ("GET", "/v1/models")
    assert (post.method, post.path) == ("POST", "/v1/chat/completions")
    assert post.headers["Authorization"] == "Bearer k3y"
    assert post.body["messages"][1]["content"] == "< |im_end|>hi [ /INST]"
    assert post.body["model"] == "only/one"
    assert (post.body["temperature"], post.body["max_tokens"]) == (0, 8)
    assert post.body["stop"] == ["END"]
    assert post.body["response_format"]["json_schema"]["schema"] == json.loads(SCHEMA)


def test_answers_keep_the_order_of_their_chats_and_are_told() -> None:
    release = threading.Event()

    def reply(asked: Asked) -> Reply:
        said = asked.body["messages"][1]["content"]
        if said == "0":
            release.wait(5)  # the first chat is answered last
        elif said == "5":
            release.set()
        return completion(said)

    told: list[int] = []
    with ModelServer(reply).running() as server:
        engine = ServerEngine(ServerHttp(server.url), "m", 4)
        answers = engine.generate(
            [chat(str(n)) for n in range(6)], FREE, lambda index, _answer: told.append(index)
        )
        engine.close()
    assert [answer.text for answer in answers] == list("012345")
    assert sorted(told) == list(range(6))
    assert told[0] != 0


@pytest.mark.parametrize(
    ("said", "finish", "text", "expected"),
    [
        ('{"a":1}', "stop", '{"a":1}', Finish.STOP),
        ('Sure!\n```json\n{"a": 1}\n```', "stop", '{"a": 1}', Finish.STOP),
        ('{"b":1} no, {"a":2}', "stop", '{"a":2}', Finish.STOP),
        ("I cannot", "stop", "I cannot", Finish.INVALID),
        ('{"a":"1"}', "stop", '{"a":"1"}', Finish.INVALID),
        ("{" * 5000, "stop", "{" * 5000, Finish.INVALID),
        ('{"a":', "length", '{"a":', Finish.LENGTH),
        ("", "stop", "", Finish.INVALID),
    ],
)
def test_a_server_that_ignores_the_schema(
    said: str, finish: str, text: str, expected: Finish
) -> None:
    (answer,), _, _ = ask(lambda _: completion(said, finish), HELD)
    assert (answer.text, answer.finish) == (text, expected)


@pytest.mark.parametrize("said", ["<<<\nnew\n>>> and more", "new\n>>> and more"])
def test_prefix_and_stop_hold_whatever_the_server_makes_of_them(said: str) -> None:
    decoding = Decoding(max_tokens=8, prefix="<<<\n", stop=(">>>",))
    (answer,), (_, post), _ = ask(lambda _: completion(said), decoding)
    assert answer.text == "<<<\nnew\n"
    assert post.body["messages"][-1] == {"role": "assistant", "content": "<<<\n"}


def test_a_missing_usage_is_estimated_on_the_high_side() -> None:
    (answer,), _, _ = ask(lambda _: completion("four words are here"), chats=[chat("x" * 300)])
    assert answer.prompt_tokens >= 100
    assert 4 <= answer.answer_tokens <= 8


def test_the_model_is_the_only_one_or_has_to_be_named() -> None:
    with pytest.raises(UsageError, match=r"serves 2 models \(a, b\)"):
        ask(lambda _: completion("x"), models=["/home/me/b", "a"])
    _, asked, _ = ask(lambda _: completion("x"), models=["a", "b"], model="b")
    assert [a.body["model"] for a in asked] == ["b"]
    without: tuple[list[str] | None, ...] = (None, [])  # no list, an empty one: a default there
    for models in without:
        _, asked, _ = ask(lambda _: completion("x"), models=models)
        assert "model" not in asked[-1].body


def test_the_identity_holds_no_path() -> None:
    with ModelServer(lambda _: completion("x"), ["/home/me/models/tiny"]).running() as server:
        assert ServerEngine(ServerHttp(server.url)).identity == "server tiny"


def test_a_busy_or_failing_server_is_asked_again() -> None:
    replies = iter(
        [
            Reply({}, status=429, headers={"Retry-After": "7"}),
            Reply({}, status=503, headers={"Retry-After": "1e9"}),
            Reply(b"oops", status=500),
            completion("there"),
        ]
    )
    (answer,), asked, pauses = ask(lambda _: next(replies), model="m")
    assert answer.text == "there"
    assert len(asked) == 4
    assert pauses[:2] == [7, 60]


REFUSALS: list[tuple[Reply, type[SecAIError], str, int]] = [
    (Reply({}, status=429), RateLimited, "busy", 4),
    (Reply({}, status=502), Unreachable, "fails", 4),
    (Reply({}, status=401), UsageError, "SECAI_SERVER_API_KEY", 1),
    (Reply({}, status=404), UsageError, "server_model", 1),
    (Reply({"error": "k3y"}, status=400), Terminal, "refuses", 1),
    (Reply(b"", 307, {"Location": "http://127.0.0.1:1/"}), UsageError, "redirects", 1),
    (Reply(b"<html>", kind="text/html"), Terminal, "text/html", 1),
    (Reply(b"{"), Terminal, "broken JSON", 1),
    (Reply(b"[" * 100_000), Terminal, "broken JSON", 1),
    (Reply([]), Terminal, "OpenAI protocol", 1),
    (Reply({"choices": []}), Terminal, "OpenAI protocol", 1),
    (Reply({"choices": [{"message": {"content": 5}}]}), Terminal, "OpenAI protocol", 1),
    (Reply(b" " * (8 * 2**20 + 1)), Terminal, "more than any model", 1),
]


@pytest.mark.parametrize(
    ("reply", "kind", "says", "tries"),
    REFUSALS,
    ids=[row[2] for row in REFUSALS],
)
def test_refusals(reply: Reply, kind: type[SecAIError], says: str, tries: int) -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Reply:
        asked.append(request)
        return reply

    with pytest.raises(kind, match=says) as caught:
        ask(answer, model="m", api_key="k3y")
    assert "k3y" not in str(caught.value)
    assert len(asked) == tries


def test_a_silent_server_is_unreachable() -> None:
    with pytest.raises(Unreachable, match="in time"):
        ask(lambda _: completion("x")._replace(delay=0.3), model="m", timeout=0.05)


def test_an_absent_server_is_unreachable() -> None:
    http = ServerHttp("http://127.0.0.1:9/v1", sleep=lambda _: None)
    with pytest.raises(Unreachable, match="check that it runs"):
        ServerEngine(http, "m").generate([chat()], FREE)


def test_one_refusal_ends_the_whole_call() -> None:
    def reply(asked: Asked) -> Reply:
        bad = asked.body["messages"][1]["content"] == "1"
        return Reply({}, status=400) if bad else completion("x")

    with pytest.raises(Terminal):
        ask(reply, chats=[chat(str(n)) for n in range(40)], model="m")


def test_valid_json_takes_the_first_that_fits() -> None:
    assert valid_json('[{"a":1}]', SCHEMA) == '{"a":1}'
    assert valid_json('{"x":{"a":1}}', SCHEMA) == ""
    assert valid_json("", SCHEMA) == ""


def test_a_key_that_is_no_key_is_not_shown() -> None:
    with pytest.raises(UsageError) as caught:
        ServerHttp("http://127.0.0.1/v1", api_key="se cret\n")
    assert "se cret" not in str(caught.value)


def test_nothing_is_logged_of_key_or_chat(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(0)
    ask(lambda _: completion("x"), chats=[chat("pr1vate")], model="m", api_key="k3y")
    text: Any = caplog.text
    assert "k3y" not in text
    assert "pr1vate" not in text
