from datetime import date

import pytest

from secai_lib.core.triage import Policy
from secai_lib.problems import read_policy, with_acceptance

GOOD = """# what we live with
accept:
  - fingerprint: 0123456789abcdef
    reason: The shell gets constants only.
    until: 2026-12-31
    by: ada
  - {rule: "bandit:B602", path: "scripts/*", reason: ours, until: 2026-06-01, by: bob}
"""


def read(text: str) -> Policy:
    return read_policy(
        text, repository="a/b", branch="main", commit="", judged=date(2026, 1, 1), max_days=366
    )


def test_what_people_accept_is_read_with_its_lines() -> None:
    policy = read(GOOD)
    assert policy.faults == ()
    one, other = policy.acceptances
    assert (one.line, one.fingerprint, one.until) == (3, "0123456789abcdef", date(2026, 12, 31))
    assert (other.line, other.rule, other.path, other.by) == (7, "bandit:B602", "scripts/*", "bob")


@pytest.mark.parametrize("text", ["", "# nothing\n", "accept: []\n"])
def test_nothing_is_accepted(text: str) -> None:
    assert (read(text).acceptances, read(text).faults) == ((), ())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("by: ada", "who: ada", "line 6: unknown key 'who'"),
        ("    by: ada\n", "", "line 3: `by` is missing"),
        ("reason: The shell gets constants only.", "reason: ''", "line 3: `reason` is missing"),
        ("until: 2026-12-31", "until: soon", "line 5: `until` is a day"),
        ("until: 2026-12-31", "until: 2026-02-30", "line 5: `until` is a day"),
        ("until: 2026-12-31", "until: 2027-01-03", "line 5: `until` is at most 366 days"),
        ("0123456789abcdef", "abc", "line 3: `fingerprint` has 16"),
        ("by: ada", "rule: 'x:y'\n    by: ada", "line 3: name either"),
        ("by: ada", "by: [ada]", "line 6: `by` is a text"),
        ("by: ada", f"by: {'a' * 501}", "line 6: `by` is a text of at most 500"),
        ("by: ada", "reason: b\n    by: ada", "line 6: the key 'reason' is there twice"),
    ],
)
def test_a_wrong_entry_is_told_with_its_line_and_does_not_count(
    old: str, new: str, said: str
) -> None:
    assert old in GOOD
    policy = read(GOOD.replace(old, new))
    assert len(policy.faults) == 1
    assert f".secai.yaml {said}" in policy.faults[0]
    assert [a.rule for a in policy.acceptances] == ["bandit:B602"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accept: &a [*a]", "anchors and aliases are refused"),
        ("a: &a [x]\nb: [*a, *a]", "anchors and aliases are refused"),
        ("[" * 50_000, "nested deeper than 4"),
        ("accept: [" * 5, "line 1"),
        ("x" * 100_001, "more than 100,000 characters"),
        ("accept: yes\n", "line 1: `accept` is a list"),
        ("just words", "line 1: the file holds"),
        ("ignore: []", "unknown key 'ignore'"),
        ("? [a]\n: b", "no text"),
        ("accept:\n  - plain\n", "line 2: an entry has"),
        ("--- a\n--- b\n", "line 2"),
        ("a: \x07", "line 1"),
        ("accept: !!python/object/apply:os.system [id]", "line 1"),
    ],
)
def test_hostile_files_are_refused_with_a_sentence(text: str, said: str) -> None:
    policy = read(text)
    assert policy.acceptances == ()
    assert policy.faults[0].startswith(".secai.yaml line ")
    assert said in policy.faults[0]


@pytest.mark.parametrize("text", ["", "# only words\n", "accept: []\n", GOOD, "accept:\n"])
def test_an_acceptance_is_added_and_everything_else_stays(text: str) -> None:
    made = with_acceptance(
        text, fingerprint="1" * 16, reason="It's: ours # now", until=date(2026, 5, 1), by="cleo"
    )
    before, after = read(text), read(made)
    assert after.faults == ()
    assert len(after.acceptances) == len(before.acceptances) + 1
    last = after.acceptances[-1]
    assert (last.fingerprint, last.reason) == ("1" * 16, "It's: ours # now")
    assert (last.until, last.by) == (date(2026, 5, 1), "cleo")
    assert all(line in made for line in text.splitlines() if line.startswith("#"))
    again = [a.model_copy(update={"line": 0}) for a in after.acceptances[:-1]]
    assert again == [a.model_copy(update={"line": 0}) for a in before.acceptances]
