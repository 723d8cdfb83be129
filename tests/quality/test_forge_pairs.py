"""Verdicts on forged pairs, each shown to fail."""

import pytest

from secai_lib.core.fix import ProofVerdict
from secai_lib.core.settings import Quality
from secai_lib.core.training import ForgedPair
from secai_lib.quality.forge_pairs import kinds, licence, proven
from tests.fakes.records import BASE, PATH, make_finding, make_fix, make_problem


def make_pair(*, origin: str = "seed", text: str = BASE) -> ForgedPair:
    finding = make_finding()
    fix = make_fix(make_problem([finding]))
    return ForgedPair(
        id=fix.id,
        kind=fix.proposal.kind,
        origin=origin,
        licence="Apache-2.0",
        path=PATH,
        language="yaml",
        weak={PATH: text},
        finding=finding,
        fix=fix,
    )


def test_a_proof_that_applies_again_is_one() -> None:
    assert proven([make_pair()], Quality()).passed
    assert proven([], Quality()).passed


def test_another_weak_text_is_not_the_certified_one() -> None:
    verdict = proven([make_pair(text=BASE + "\n")], Quality())
    assert not verdict.passed and verdict.value == 1


def test_edits_that_lead_elsewhere_are_seen() -> None:
    pair = make_pair()
    certificate = pair.fix.certificate.model_copy(update={"fixed_sha256": {PATH: "0" * 64}})
    fix = pair.fix.model_copy(update={"certificate": certificate})
    assert not proven([pair.model_copy(update={"fix": fix})], Quality()).passed


def test_a_fix_other_than_the_certified_one_is_seen() -> None:
    pair = make_pair()
    proposal = pair.fix.proposal.model_copy(update={"edits": ()})
    fix = pair.fix.model_copy(update={"proposal": proposal})
    assert not proven([pair.model_copy(update={"fix": fix})], Quality()).passed


@pytest.mark.parametrize("verdict", [ProofVerdict.REFUTED, ProofVerdict.UNPROVEN])
def test_a_verdict_other_than_proven_is_none(verdict: ProofVerdict) -> None:
    pair = make_pair()
    certificate = pair.fix.certificate.model_copy(update={"verdict": verdict})
    fix = pair.fix.model_copy(update={"certificate": certificate})
    assert not proven([pair.model_copy(update={"fix": fix})], Quality()).passed


def test_a_licence_is_named_even_if_nobody_knows_it() -> None:
    theirs = make_pair(origin="acme/shop").model_copy(update={"licence": "unknown"})
    assert licence([make_pair(), theirs]).passed
    assert "of 1 the" in licence([theirs]).sentence
    assert not licence([theirs.model_copy(update={"licence": ""})]).passed
    assert not licence([make_pair().model_copy(update={"licence": "unknown"})]).passed


def test_too_few_kinds_are_said() -> None:
    pairs = [make_pair().model_copy(update={"kind": f"kind-{n}"}) for n in range(8)]
    assert kinds(pairs, Quality()).passed
    assert not kinds(pairs[:7], Quality()).passed
