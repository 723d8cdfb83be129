"""The real engines on a tiny random OLMo-2: equal answers, whatever else is in the batch."""

import json
from pathlib import Path

import jsonschema
import pytest

from secai_lib.core.errors import UsageError
from secai_lib.core.generation import Chat, Decoding, Finish, Generation, Message
from secai_lib.gateways.llm.local import LocalEngine
from secai_lib.gateways.llm.mlx_engine import MlxEngine
from secai_lib.gateways.llm.torch_engine import TorchEngine

SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "kind": {"enum": ["injection", "secret"]},
            "impact": {"type": "string", "minLength": 1, "maxLength": 20},
            "steps": {
                "type": "array",
                "items": {"type": "string", "maxLength": 6},
                "minItems": 1,
                "maxItems": 2,
            },
        },
        "required": ["kind", "impact", "steps"],
        "additionalProperties": False,
    }
)
FREE = Decoding(max_tokens=24)
HELD = Decoding(max_tokens=96, json_schema=SCHEMA)
OPENED = Decoding(max_tokens=24, prefix="<<<\nUSER", stop=("e", "o"))


def chat(number: int) -> Chat:
    words = " ".join(f"word{n}" for n in range(number * 5 % 13 + 1))
    return (
        Message(role="system", content="You read findings."),
        Message(role="user", content=f"Finding {number}: {words}"),
    )


CHATS = [chat(number) for number in range(10)]


@pytest.mark.parametrize("decoding", [FREE, HELD, OPENED], ids=["free", "schema", "prefix"])
def test_both_engines_give_the_same_answers(
    torch_engine: LocalEngine, mlx_engine: LocalEngine, decoding: Decoding
) -> None:
    answers = torch_engine.generate(CHATS, decoding)
    assert answers == mlx_engine.generate(CHATS, decoding)
    assert len({answer.text for answer in answers}) > 3, "the model does not look at its prompt"


@pytest.mark.parametrize("decoding", [FREE, HELD, OPENED], ids=["free", "schema", "prefix"])
@pytest.mark.parametrize("which", ["torch_engine", "mlx_engine"])
def test_an_answer_depends_neither_on_its_batch_nor_on_the_order(
    which: str, decoding: Decoding, request: pytest.FixtureRequest
) -> None:
    engine: LocalEngine = request.getfixturevalue(which)
    alone = [engine.generate([chat], decoding)[0] for chat in CHATS]
    assert engine.generate(CHATS, decoding) == alone
    assert engine.generate(CHATS[::-1], decoding) == alone[::-1]


@pytest.mark.parametrize("which", ["torch_engine", "mlx_engine"])
def test_an_answer_keeps_to_the_schema_and_has_no_blanks_between(
    which: str, request: pytest.FixtureRequest
) -> None:
    engine: LocalEngine = request.getfixturevalue(which)
    for answer in engine.generate(CHATS, HELD):
        assert answer.finish is Finish.STOP
        value = json.loads(answer.text)
        jsonschema.validate(value, json.loads(SCHEMA))
        assert answer.text.startswith('{"kind":"')
        assert '","steps":["' in answer.text


def test_an_answer_that_does_not_fit_is_cut_and_says_so(torch_engine: LocalEngine) -> None:
    for answer in torch_engine.generate(CHATS, HELD.model_copy(update={"max_tokens": 16})):
        assert answer.finish is Finish.LENGTH
        assert answer.answer_tokens == 16
        with pytest.raises(ValueError):
            json.loads(answer.text)


def test_a_schema_that_is_met_by_the_last_token_allowed_is_no_cut(
    torch_engine: LocalEngine,
) -> None:
    (whole,) = torch_engine.generate(CHATS[:1], HELD)
    just = HELD.model_copy(update={"max_tokens": whole.answer_tokens})
    assert torch_engine.generate(CHATS[:1], just) == [whole]


def test_prefix_stop_and_counts(torch_engine: LocalEngine) -> None:
    free = Decoding(max_tokens=24, prefix=OPENED.prefix)
    for cut, whole in zip(
        torch_engine.generate(CHATS, OPENED), torch_engine.generate(CHATS, free), strict=True
    ):
        assert whole.text.startswith("<<<\nUSER")
        assert whole.answer_tokens == 24
        assert cut.prompt_tokens == whole.prompt_tokens
        tail = cut.text.removeprefix("<<<\nUSER")
        assert not set("eo") & set(tail)
        if cut.finish is Finish.STOP:
            assert whole.text.startswith(cut.text)
            assert cut.answer_tokens < whole.answer_tokens


def test_a_prefix_may_be_part_of_a_schema_but_has_to_fit_it(torch_engine: LocalEngine) -> None:
    opened = HELD.model_copy(update={"prefix": '{"kind":"secret","impact":"'})
    for answer in torch_engine.generate(CHATS[:3], opened):
        assert json.loads(answer.text)["kind"] == "secret"
    with pytest.raises(UsageError, match="forbids its prefix"):
        torch_engine.generate(CHATS[:1], HELD.model_copy(update={"prefix": "Sure! "}))
    with pytest.raises(UsageError, match="leaves no room"):
        torch_engine.generate(CHATS[:1], opened.model_copy(update={"max_tokens": 5}))


def test_every_answer_is_told_once_and_the_longest_batch_comes_first(
    torch_engine: LocalEngine,
) -> None:
    told: list[tuple[int, Generation]] = []
    answers = torch_engine.generate(CHATS, FREE, lambda i, answer: told.append((i, answer)))
    assert sorted(index for index, _ in told) == list(range(len(CHATS)))
    assert all(answers[index] == answer for index, answer in told)
    lengths = [answers[index].prompt_tokens for index, _ in told]
    assert min(lengths[:4]) >= max(lengths[4:])
    assert [a.prompt_tokens for a in answers] == [torch_engine.count_tokens(c) for c in CHATS]


def test_no_chats_are_no_answers(torch_engine: LocalEngine) -> None:
    assert torch_engine.generate([], FREE) == []


def test_mlx_runs_a_four_bit_folder(tiny_olmo: Path, tmp_path: Path) -> None:
    from mlx_lm import convert

    convert(str(tiny_olmo), str(tmp_path / "mlx"), quantize=True, q_bits=4, q_group_size=32)
    engine = MlxEngine(tmp_path / "mlx", "tiny-4bit", batch_size=3)
    answers = engine.generate(CHATS, HELD)
    assert answers == [engine.generate([chat], HELD)[0] for chat in CHATS]
    assert all(json.loads(answer.text) for answer in answers)
    assert answers != TorchEngine(tiny_olmo, "tiny").generate(CHATS, HELD), "4 bit change nothing"


def test_names_and_a_closed_engine(tiny_olmo: Path) -> None:
    engine = TorchEngine(tiny_olmo, "tiny@1#ab", batch_size=2)
    assert engine.name == "torch"
    assert engine.identity.startswith("tiny@1#ab torch 2.")
    engine.close()
    with pytest.raises(UsageError, match="closed"):
        engine.generate(CHATS[:1], FREE)
