"""An answer is a reading, or refused with the reason."""

import json

import pytest

from secai_lib.analysis.check import Refusal, read_answer
from secai_lib.analysis.grounding import ungrounded
from secai_lib.analysis.schema import reading_of
from secai_lib.core.analysis import Reading
from secai_lib.core.generation import Finish, Generation
from tests.analysis.samples import answer, answer_text, facts

SAME = "one and the same thing"
DEFAULT = "This happens because the default is wide."


def judged(text: str, *, finish: Finish = Finish.STOP, foreign: tuple[str, ...] = ()) -> str:
    given = Generation(text=text, prompt_tokens=1, answer_tokens=1, finish=finish)
    outcome = read_answer(given, facts(), foreign, 96)
    return outcome.code if isinstance(outcome, Refusal) else "read"


def test_a_good_answer_is_read() -> None:
    assert judged(answer()) == "read"


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "[" * 100_000, '"yes."', "yes."])
def test_what_is_no_answer_is_invalid(text: str) -> None:
    assert judged(text) == "invalid"


def test_a_cut_answer_is_no_reading_even_if_it_parses() -> None:
    assert judged(answer(), finish=Finish.LENGTH) == "cut"


@pytest.mark.parametrize(
    "changed",
    [
        {"cause": "This happens because a bad code is a bad code."},
        {"cause": "This happens because a very very very very bad."},
        {
            "impact": f"An attacker could {SAME}.",
            "cause": f"This happens because {SAME}.",
            "remedy": f"To fix this, you should {SAME}.",
            "prevention": f"To prevent this, you should {SAME}.",
        },
        {"cause": "This happens because findings of scanners to developers."},
    ],
    ids=["three words come back", "a word again and again", "the same four times", "our own words"],
)
def test_loops_and_copies_are_degenerate(changed: dict[str, str]) -> None:
    assert judged(answer(**changed)) == "degenerate"


def test_what_could_be_said_of_any_problem_is_vacuous() -> None:
    fix = "To fix this, you should limit the problem now."
    assert judged(answer(remedy=fix)) == "vacuous"
    assert judged(answer(remedy=fix, cause=DEFAULT)) == "read"


def test_the_name_of_another_problem_is_ungrounded_however_plain() -> None:
    update = "To fix this, you should update the minimist package."
    named = answer(remedy=update, cause=DEFAULT)

    assert judged(named) == "read"
    assert judged(named, foreign=("minimist", "cwe-1")) == "ungrounded"
    lodash = answer(remedy=update.replace("minimist", "lodash"), cause=DEFAULT)
    assert judged(lodash, foreign=("lodash",)) == "read"


def reading(sentence: str) -> Reading:
    return reading_of(answer_text(), 96).model_copy(update={"remediation": sentence})


@pytest.mark.parametrize(
    "name",
    [
        *("CVE-2024-1234", "cve-2024-1234", "GHSA-aaaa-bbbb-cccc", "CWE-79", "4.17.22", "99"),
        *("https://evil.example/x", "evil.example", "a@evil.example", "src/evil.py", "evil:pack"),
        *("evilName", "EvilName", "evil_name", "LINQ", "СVE", "\uff43\uff56\uff45-\uff12\uff10"),
    ],
)
def test_an_invented_identifier_is_found(name: str) -> None:
    assert ungrounded(reading(f"Use {name} now."), facts())
    assert not ungrounded(reading("Use plain words now."), facts())


@pytest.mark.parametrize("name", ["CWE-250", "4.17.19", "zizmor:excessive-permissions", "lodash"])
def test_what_the_evidence_names_may_be_named(name: str) -> None:
    assert not ungrounded(reading(f"It is {name}."), facts())


def test_a_part_of_a_known_number_is_not_known() -> None:
    assert ungrounded(reading("Use 17.1 now."), facts()) == ("17.1",)


def test_a_complaint_holds_only_our_own_words() -> None:
    given = Generation(text="evil", prompt_tokens=1, answer_tokens=1, finish=Finish.STOP)
    outcome = read_answer(given, facts(), (), 96)

    assert isinstance(outcome, Refusal)
    assert "evil" not in json.dumps(outcome.model_dump())
