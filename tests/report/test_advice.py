"""Dozens of reason codes, a handful of things to do."""

from secai_lib.report.advice import abstention_groups, advice_for
from tests.fakes.records import make_abstention, make_problem
from tests.report.scenario import nothing, shop


def test_codes_that_call_for_the_same_stand_together() -> None:
    problems = [make_problem(id=f"{number:016x}") for number in range(4)]
    codes = ("needs_root", "public_port", "transitive", "needs_root")
    report = nothing(
        problems=problems,
        abstentions=[
            make_abstention(p, reason_code=c, reason=f"Because {c}.")
            for p, c in zip(problems, codes, strict=True)
        ],
    )
    first, second = abstention_groups(report)

    assert first.advice.title == "It needs a decision of yours"
    assert [(reason, len(ids)) for reason, ids in first.reasons] == [
        ("Because needs_root.", 2),
        ("Because public_port.", 1),
    ]
    assert second.advice == advice_for("built_artifact")
    assert report.counts.abstentions == {"needs_root": 2, "public_port": 1, "transitive": 1}


def test_no_abstention_is_lost() -> None:
    report = shop().report()
    groups = abstention_groups(report)

    assert sum(group.size for group in groups) == len(report.abstentions) == 41
    assert [group.size for group in groups] == sorted((g.size for g in groups), reverse=True)
    named = {problem for group in groups for _, ids in group.reasons for problem in ids}
    assert named == {abstention.problem for abstention in report.abstentions}
