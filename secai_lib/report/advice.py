"""What to do where no fix is offered, by the reason's code."""

from collections.abc import Mapping
from typing import NamedTuple

from secai_lib.core.fix import Abstention
from secai_lib.report.model import RepositoryReport


class Advice(NamedTuple):
    """A reason for abstaining, for people."""

    title: str
    """The reason in a few words."""
    todo: str
    """What the reader can do."""


class AbstentionGroup(NamedTuple):
    """Abstentions that call for the same."""

    advice: Advice
    """What it means and what to do."""
    reasons: tuple[tuple[str, tuple[str, ...]], ...]
    """Each distinct sentence with the ids of the problems it was given for."""
    size: int
    """How many abstentions."""


_ELSEWHERE = Advice(
    "The change belongs somewhere else",
    "The weakness is not in the named file itself; the sentence says where to change it.",
)
_PLACE = Advice(
    "The place cannot be edited safely",
    "The file is not as its language or the fix rule expects; look at it and change it by hand.",
)
_NO_SOURCE = Advice(
    "The file or commit is not available here",
    "Run SecAI in a checkout of the scanned commit, so that the code can be read.",
)
_UNPROVEN = Advice(
    "A fix was made but could not be proven",
    "Install the scanner that found it (see the coverage) and run SecAI again.",
)
_ADVICE: Mapping[str, Advice] = {
    "no_rule": Advice(
        "No fix rule for this kind yet",
        "Follow the scanner's own advice by hand; a fix rule can be added in one file.",
    ),
    "no_upstream_fix": Advice(
        "Nobody has published a fixed version",
        "Watch the advisory; meanwhile check whether the vulnerable part is reachable, or replace "
        "the package.",
    ),
    "refuted": Advice(
        "A fix was made and failed its proof",
        "It is not offered. Change it by hand; the failed check says what to watch for.",
    ),
    "secret": Advice(
        "A secret was committed",
        "Revoke it first: an edit leaves it in the history and in every clone.",
    ),
    "secret_beside": Advice(
        "A secret stands in the way",
        "Take the secret out of the file (and revoke it), then scan again: the fix would show it.",
    ),
    "unproven": _UNPROVEN,
    "no_scanner": _UNPROVEN,
    **dict.fromkeys(("no_source", "no_finding", "no_package"), _NO_SOURCE),
    **dict.fromkeys(("base_image", "built_artifact", "local_package", "transitive"), _ELSEWHERE),
    **dict.fromkeys(
        ("not_editable", "not_found", "not_parsable", "rule_failed", "syntax"),
        _PLACE,
    ),
}
_DECISION = Advice(
    "It needs a decision of yours",
    "A rule knows this kind, but your code leaves open what is right here; the sentence says what "
    "to decide.",
)
"""For every other code: the fix rules have dozens, each with a sentence of its own."""


def advice_for(code: str) -> Advice:
    """The advice for a reason code; codes without their own ask for a decision."""
    return _ADVICE.get(code, _DECISION)


def abstention_groups(report: RepositoryReport) -> tuple[AbstentionGroup, ...]:
    """The report's abstentions by advice, the most frequent first."""
    order = {problem.id: index for index, problem in enumerate(report.problems)}
    by_advice: dict[Advice, list[Abstention]] = {}
    for abstention in report.abstentions:
        by_advice.setdefault(advice_for(abstention.reason_code), []).append(abstention)
    groups = (
        AbstentionGroup(advice, _sentences(own, order), len(own))
        for advice, own in by_advice.items()
    )
    return tuple(sorted(groups, key=lambda group: (-group.size, group.advice.title)))


def _sentences(
    abstentions: list[Abstention], order: Mapping[str, int]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    sentences: dict[str, list[str]] = {}
    for abstention in abstentions:
        sentences.setdefault(abstention.reason, []).append(abstention.problem)
    pairs = [
        (reason, tuple(sorted(set(ids), key=lambda i: (order.get(i, len(order)), i))))
        for reason, ids in sentences.items()
    ]
    return tuple(sorted(pairs, key=lambda pair: (-len(pair[1]), pair[0])))
