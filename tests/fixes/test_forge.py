"""Pairs with a scanner that is a function: what is kept, what is dropped, and why."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from secai_lib.core.finding import Category, Finding, Result
from secai_lib.core.fix import Edit
from secai_lib.core.record import canonical_json
from secai_lib.core.settings import ForgeSettings
from secai_lib.core.training import ForgedPair
from secai_lib.fixes.clean import CleanFile
from secai_lib.fixes.edits import apply_edits, inverse
from secai_lib.fixes.forge import Forged, forge
from secai_lib.fixes.rule import FixRule
from secai_lib.fixes.rules import RULES
from tests.fakes.records import identifier, make_finding
from tests.fakes.rescanner import FakeRescanner, Rule, lines_with

DOCKER = "FROM debian:12.1\nCOPY a /a\nEXPOSE 80\nUSER app\nCMD /a\n"
SETTINGS = ForgeSettings(max_per_kind=10, variants_per_scan=2)
ADD, SSH = (next(r for r in RULES if r.kind == f"dockerfile-{k}")
            for k in ("add-to-copy", "expose-ssh"))  # fmt: skip
NOTHING = lines_with("never")
CHECKOV = {"CKV_DOCKER_4": lines_with("ADD "), "CKV_DOCKER_1": lines_with("22")}


def identify(origin: str, result: Result) -> Finding:
    name = identifier(origin, result)
    return make_finding(
        fingerprint=name, repository=origin, category=Category.CONTAINER, result=result
    )


def forged(
    rules: Sequence[FixRule] = (ADD,),
    *,
    checkov: dict[str, Rule] = CHECKOV,
    text: str = DOCKER,
    secrets: Rule = NOTHING,
    absent: frozenset[str] = frozenset(),
) -> Forged:
    scanners = FakeRescanner(
        {"checkov": checkov, "detect-secrets": {"secret": secrets}}, absent=absent
    )
    file = CleanFile(origin="seed", licence="Apache-2.0", path="Dockerfile", text=text)
    return forge([file], scanners, identify, SETTINGS, rules=rules)


def fixed(pair: ForgedPair) -> str:
    return apply_edits(pair.weak[pair.path], pair.fix.proposal.edits)


def test_a_pair_leads_from_the_weak_file_to_the_clean_one() -> None:
    (pair,) = forged().pairs
    assert "ADD a /a" in pair.weak["Dockerfile"]
    assert fixed(pair) == DOCKER
    assert (pair.kind, pair.origin, pair.language) == (
        "dockerfile-add-to-copy",
        "seed",
        "dockerfile",
    )
    assert (pair.finding.result.rule_id, pair.finding.result.line) == ("CKV_DOCKER_4", 2)
    assert pair.fix.certificate.verdict == "proven"
    assert pair.fix.problem == pair.id


def test_the_rule_itself_proposes_it_where_it_writes_the_same() -> None:
    (pair,) = forged().pairs
    assert pair.fix.proposal.approach == "default"
    assert pair.fix.proposal.title == "Use COPY instead of ADD for local files"


def test_the_inverse_leads_back_where_the_rule_writes_something_else() -> None:
    user = next(r for r in RULES if r.kind == "dockerfile-user")

    def no_user(text: str) -> list[int]:
        return [] if "USER app" in text else [1]

    both = {"CKV_DOCKER_3": no_user, "CKV_DOCKER_8": lines_with("USER root")}
    pairs = forged([user], checkov=both).pairs
    assert {pair.fix.proposal.approach for pair in pairs} == {"forged"}
    assert [fixed(pair) for pair in pairs] == [DOCKER, DOCKER]


def test_what_no_scanner_sees_is_dropped() -> None:
    made = forged(checkov={"CKV_DOCKER_4": lines_with("never")})
    assert made == Forged(pairs=(), dropped={"not_triggering": 1})


def test_what_the_scanner_sees_in_the_clean_file_too_is_dropped() -> None:
    made = forged(checkov={"CKV_DOCKER_4": lines_with(" a /a")})
    assert made.dropped == {"not_triggering": 1}


def test_a_way_back_that_uncovers_something_else_is_dropped() -> None:
    made = forged(checkov=CHECKOV | {"CKV_OTHER": lines_with("COPY")})
    assert made.dropped == {"not_proven:nothing_new": 1}


def test_without_the_scanner_nothing_is_claimed() -> None:
    made = forged(absent=frozenset({"checkov"}))
    assert made == Forged(pairs=(), dropped={"no_scanner:checkov": 1})


def test_a_file_with_a_secret_is_never_used() -> None:
    assert forged(secrets=lines_with("FROM")).dropped == {"secret": 1}


def test_a_finding_that_another_rule_takes_is_dropped() -> None:
    other = replace(ADD, kind="first")
    assert forged([other, ADD]).dropped == {}  # the same text is a variant once
    assert forged([replace(SSH, weaken=ADD.weaken)]).dropped == {"other_rule": 1}


def test_two_runs_give_the_same_bytes() -> None:
    rules = (ADD, SSH)
    one, two = forged(rules), forged(rules[::-1])
    assert canonical_json(one) == canonical_json(forged(rules))
    assert [pair.weak for pair in one.pairs] == [pair.weak for pair in two.pairs]


def test_files_are_scanned_together_with_their_clean_twin() -> None:
    scanners = FakeRescanner({"checkov": CHECKOV})
    file = CleanFile(origin="seed", licence="Apache-2.0", path="Dockerfile", text=DOCKER)
    made = forge([file], scanners, identify, SETTINGS, rules=(ADD, SSH))
    assert len(made.pairs) == 4
    assert [len(call) for call in scanners.calls] == [3, 3]  # two weak, one clean
    assert all({"Dockerfile": DOCKER} in call.values() for call in scanners.calls)


@pytest.mark.parametrize("text", ["", "FROM", "\x00", "FROM a\nRUN <<EOF\n", "no dockerfile"])
def test_a_hostile_file_stops_nothing(text: str) -> None:
    assert forged(RULES, text=text).pairs == ()


def test_the_inverse_of_edits_is_exact() -> None:
    text = "abcdef"
    edits = [Edit(path="p", start=1, end=2, replacement="XYZ"),
             Edit(path="p", start=4, end=4, replacement="!"),
             Edit(path="p", start=5, end=6, replacement="")]  # fmt: skip
    weak = apply_edits(text, edits)
    assert weak == "aXYZcd!e"
    assert apply_edits(weak, inverse(text, edits)) == text
