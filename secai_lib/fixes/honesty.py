"""Whether a fix removes the weakness or only hides it: nothing muted, deleted or rewritten."""

from collections.abc import Callable, Mapping, Sequence

from secai_lib.core.fix import Edit, ProofCheck
from secai_lib.fixes.behaviour import foreign_changes
from secai_lib.fixes.deletions import deleted, kept_lines
from secai_lib.fixes.edits import by_path
from secai_lib.fixes.suppressions import muted
from secai_lib.fixes.syntax import check_syntax

SLACK_LINES = 2
"""Lines an edit may rewrite without changing them (a closing bracket, a continued line)."""

Ask = Callable[[str, str, str], str]
"""Path, text before, text after -> what is wrong, empty for nothing."""


def honest(
    base: Mapping[str, str], fixed: Mapping[str, str], edits: Sequence[Edit]
) -> tuple[ProofCheck, ...]:
    """Every check that needs no scanner: path -> text before and after, and the edits."""
    groups = by_path(edits)
    checks = [
        _verdict(
            "not_suppressed",
            "No comment or setting mutes a scanner.",
            {path: muted(path, base[path], fixed[path], group) for path, group in groups.items()},
        ),
        _each("not_deleted", "The code that was at fault is still there.", base, deleted, fixed),
        _syntax(base, fixed),
    ]
    minimal = {path: _rewritten(base[path], fixed[path], group) for path, group in groups.items()}
    checks.append(_verdict("minimal", "Only lines that change are edited.", minimal))
    foreign = {
        path: "; ".join(foreign_changes(path, base[path], fixed[path], group)[:3])
        for path, group in groups.items()
    }
    checks.append(_verdict("behaviour", "Outside the edits everything means the same.", foreign))
    return tuple(checks)


def _each(name: str, good: str, base: Mapping[str, str], ask: Ask, fixed: Mapping[str, str]
          ) -> ProofCheck:  # fmt: skip
    return _verdict(name, good, {path: ask(path, base[path], fixed[path]) for path in fixed})


def _verdict(name: str, good: str, problems: Mapping[str, str]) -> ProofCheck:
    said = [f"{path}: {problem}" for path, problem in sorted(problems.items()) if problem]
    return ProofCheck(name=name, passed=not said, detail="; ".join(said) + "." if said else good)


def _syntax(base: Mapping[str, str], fixed: Mapping[str, str]) -> ProofCheck:
    checks = [check_syntax(path, text, base[path]) for path, text in sorted(fixed.items())]
    return ProofCheck(
        name="syntax",
        passed=all(check.passed for check in checks),
        detail=" ".join(check.detail for check in checks),
    )


def _rewritten(base: str, fixed: str, edits: Sequence[Edit]) -> str:
    touched = sum(base[e.start : e.end].count("\n") + 1 for e in edits if e.end > e.start)
    before = base.split("\n")
    changed = len(before) - kept_lines(before, fixed.split("\n"))
    if touched - changed > SLACK_LINES * len(edits):
        return f"{touched} lines are rewritten where {changed} change"
    return ""
