"""Which open problems come first, and why."""

from collections import Counter
from collections.abc import Mapping, Sequence

from secai_lib.core.finding import ImageLocation, LockfileLocation, SourceLocation
from secai_lib.core.fix import Fix
from secai_lib.core.problem import Problem
from secai_lib.core.text import listed, one_line, plural
from secai_lib.core.triage import Decision, Triage
from secai_lib.report.model import FirstStep
from secai_lib.report.places import words
from secai_lib.report.text import severity_word

NOTHING: Mapping[str, Triage] = {}
NONE: Mapping[str, int] = {}


def ranked(
    problems: Sequence[Problem],
    fixed: frozenset[str],
    triage: Mapping[str, Triage] = NOTHING,
    solved: Mapping[str, int] = NONE,
) -> tuple[Problem, ...]:
    """`problems` with the most urgent first; those that are not actionable come last.

    Severity decides; then evidence that it is exploited, then a proven fix (`fixed` holds the ids
    of problems that have one), then how many problems one change solves (`solved`), then how many
    scanners agree, then the score. The id breaks ties, so the order is the same always.
    """
    return tuple(
        sorted(
            problems,
            key=lambda p: (
                not _actionable(p, triage),
                p.severity.rank,
                not _exploited(p, triage),
                p.id not in fixed,
                -solved.get(p.id, 0),
                -len(p.tools),
                -(p.severity_score or 0.0),
                p.category.value,
                p.title,
                *_place(p),
                p.id,
            ),
        )
    )


def first_steps(
    problems: Sequence[Problem],
    fixes: Mapping[str, Fix],
    triage: Mapping[str, Triage] = NOTHING,
    solved: Mapping[str, int] = NONE,
    limit: int = 10,
) -> tuple[FirstStep, ...]:
    """Up to `limit` actionable problems to begin with, from `problems` in ranked order.

    Of several problems with the same rules, of the same package or (without a fix) of the same
    image only the first is taken: ten times the same advice would hide the other nine. `fixes`
    maps problem id -> proven fix.
    """
    problems = [p for p in problems if _actionable(p, triage)]
    families = {p.id: _family(p, fixed=p.id in fixes) for p in problems}
    sizes = Counter(families.values())
    exploited = {families[p.id] for p in problems if _exploited(p, triage)}
    seen: set[tuple[str, ...]] = set()
    steps: list[FirstStep] = []
    for problem in problems:
        family = families[problem.id]
        if family in seen:
            continue
        seen.add(family)
        alike = sizes[family] - 1
        reason = _reason(
            problem,
            fixes.get(problem.id),
            _alike(family[0], alike),
            exploited=family in exploited,
            solved=solved.get(problem.id, 0),
        )
        steps.append(FirstStep(problem=problem.id, reason=reason, alike=alike))
        if len(steps) == limit:
            break
    return tuple(steps)


def _place(problem: Problem) -> tuple[str, int]:
    place = problem.location
    if isinstance(place, SourceLocation | LockfileLocation):
        return place.path, place.start_line or 0
    return words(place), 0


def _family(problem: Problem, *, fixed: bool) -> tuple[str, ...]:
    """What one piece of advice covers: an image to build anew, a package to raise, a rule."""
    if isinstance(problem.location, ImageLocation) and not fixed:
        return ("image", problem.location.image)
    if problem.package is not None:
        return ("package", problem.package.ecosystem, problem.package.name)
    return ("rules", *problem.rules)


def _alike(family: str, number: int) -> str:
    places = {"image": "in the same image", "package": "in the same package"}
    where = places.get(family, "of the same kind")
    return f"{plural(number, 'more problem')} {where}" if number else ""


def _actionable(problem: Problem, triage: Mapping[str, Triage]) -> bool:
    told = triage.get(problem.id)
    return told is None or told.decision is Decision.ACTIONABLE


def _exploited(problem: Problem, triage: Mapping[str, Triage]) -> bool:
    told = triage.get(problem.id)
    return told is not None and told.exploited


def _reason(problem: Problem, fix: Fix | None, alike: str, *, exploited: bool, solved: int) -> str:
    score = f" ({problem.severity_score:.1f} of 10)" if problem.severity_score is not None else ""
    parts = [f"{severity_word(problem.severity)} severity{score}"]
    if exploited:
        parts.append("a report links to evidence that it is exploited")
    if fix is not None:
        where = ", already in the patch" if fix.in_patch else ""
        parts.append(f"a proven fix is ready{where}")
    if solved > 1:
        parts.append(f"one change removes {solved} problems")
    if len(problem.tools) > 1:
        parts.append(f"{listed(one_line(tool, 40) for tool in problem.tools)} agree")
    if alike:
        parts.append(alike)
    return "; ".join(parts) + "."
