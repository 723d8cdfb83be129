"""`.secai.yaml`: what counts, what does not, and that hostile files are only told of."""

from datetime import date

import pytest

from secai_lib.core.finding import SourceLocation
from secai_lib.core.triage import Acceptance, Policy
from secai_lib.core.triage_settings import PolicySettings
from secai_lib.problems.policy import HEAD, covers, read_policy, with_acceptance
from tests.fakes.records import make_finding, make_problem, make_result

SCANNED = date(2026, 3, 1)
GOOD = """\
# ours
accept:
  - fingerprint: 0123456789abcdef
    reason: the endpoint is internal
    until: 2026-12-31
    by: maria
  - rule: "semgrep:kotlin.x"
    path: "legacy/*"
    reason: "is rewritten in summer"
    until: "2026-09-30"
"""


def policy(text: str, **settings: int) -> Policy:
    return read_policy(text, PolicySettings(**settings), repository="acme/shop", branch="main",
                       commit="c" * 40, scanned=SCANNED)  # fmt: skip


def test_entries_are_read_with_their_lines() -> None:
    found = policy(GOOD)
    assert found.faults == ()
    first, second = found.acceptances
    assert (first.fingerprint, first.by, first.line) == ("0123456789abcdef", "maria", 3)
    assert (second.rule, second.until, second.line) == ("semgrep:kotlin.x", date(2026, 9, 30), 7)


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "accept:\n", "accept: []\n"])
def test_nothing_accepted_is_no_fault(text: str) -> None:
    assert policy(text) == policy("")


ENTRY = """\
accept:
  - fingerprint: 0123456789abcdef
    reason: it is internal
    until: 2026-12-31
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accept: [", "line 1"),
        ("- a\n", "mapping"),
        ("accept: 3\n", "line 1: `accept` is no list"),
        ("\nallow: []\n", "line 2: unknown key allow"),
        ("accept:\n  - words\n", "line 2: an entry is a mapping"),
        (ENTRY + "    ticket: 4\n", "line 2: unknown key ticket"),
        (ENTRY.replace("    reason: it is internal\n", ""), "reason is missing"),
        (ENTRY.replace("    until: 2026-12-31\n", ""), "until is missing"),
        (ENTRY.replace("it is internal", "no"), "reason"),
        (ENTRY.replace("2026-12-31", "soon"), "until"),
        (ENTRY.replace("2026-12-31", "2031-12-31"), "more than 366 days"),
        (ENTRY.replace("0123456789abcdef", "short"), "fingerprint"),
        (ENTRY + "    rule: a:b\n", "either a fingerprint or a rule"),
        (ENTRY.replace("fingerprint: 0123456789abcdef", "path: x"), "either"),
        ("accept: !!python/object/apply:os.system [id]\n", "line 1"),
        ("a: &a [x]\nb: [*a, *a]\n", "line 1: unknown key a"),
        ("[" * 5000, "line 1"),
        ("accept:\n" + "  - x: 1\n" * 9000, "larger than"),
    ],
)
def test_what_is_not_understood_counts_for_nothing_and_is_named(text: str, said: str) -> None:
    found = policy(text)
    assert found.acceptances == ()
    assert any(said in fault for fault in found.faults), found.faults


def test_a_faulty_entry_does_not_take_the_others_with_it() -> None:
    found = policy(
        GOOD + "  - fingerprint: nothing\n    reason: because of it\n    until: 2026-12-31\n"
    )
    assert len(found.acceptances) == 2
    assert found.faults[0].startswith("line 11: fingerprint")


def test_an_alias_bomb_is_read_in_no_time() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert len(policy("\n".join(lines)).faults) == 30


def test_covers_by_fingerprint_or_by_rule_and_path() -> None:
    place = SourceLocation(path="legacy/a/b.kt")
    result = make_result(tool="semgrep", rule_id="kotlin.x", locations=(place,))
    problem = make_problem([make_finding(fingerprint="0123456789abcdef", result=result)])
    base = {"reason": "it is internal", "until": SCANNED}

    def covered(**what: str) -> bool:
        return covers(Acceptance.model_validate(base | what), problem)

    assert covered(fingerprint="0123456789abcdef")
    assert not covered(fingerprint="f" * 16)
    assert covered(rule="semgrep:kotlin.x")
    assert covered(rule="semgrep:kotlin.x", path="legacy/*")
    assert not covered(rule="semgrep:kotlin.x", path="src/*")
    assert not covered(rule="semgrep:kotlin")


@pytest.mark.parametrize("before", ["", "# only words\n", GOOD])
def test_a_written_entry_is_read_again_and_comments_stay(before: str) -> None:
    entry = Acceptance(rule="zizmor:artipacked", path=".github/*", reason="is needed: the push",
                       until=SCANNED, by="Ö")  # fmt: skip
    after = with_acceptance(before, entry)
    assert after.startswith(before or HEAD)
    found = policy(after)
    assert found.faults == ()
    assert found.acceptances[-1].model_copy(update={"line": 0}) == entry
    assert found.acceptances[:-1] == policy(before).acceptances


@pytest.mark.parametrize("text", ["- a\n", "accept: 3\n", "accept: ["])
def test_a_file_that_is_not_understood_is_not_written_over(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.secai\.yaml"):
        with_acceptance(text, Acceptance(rule="a:b", reason="it is internal", until=SCANNED))
