"""What changed between the results on the unfixed and on the fixed files."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from secai_lib.core.finding import LockfileLocation, Result, SourceLocation
from secai_lib.fixes.rule import plain_rule_id

Rule = tuple[str, str]
"""Tool and rule id."""

LineTarget = Callable[[int], tuple[int, int]]
"""A line of the unfixed file -> the first and last line it can be in the fixed file."""


def rule_of(result: Result) -> Rule:
    """The tool and the rule id, without the folder Semgrep puts before ours."""
    return result.tool, plain_rule_id(result.rule_id)


def path_of(result: Result) -> str:
    """The file of the main place; empty when it is none of the repository's."""
    main = result.locations[0]
    return main.path if isinstance(main, SourceLocation | LockfileLocation) else ""


def line_of(result: Result) -> int:
    """The first line of the main place; 0 when the scanner names only the file."""
    main = result.locations[0]
    if isinstance(main, SourceLocation | LockfileLocation):
        return main.start_line or 0
    return 0


def find_target(target: Result, results: Sequence[Result]) -> int | None:
    """The index in `results` of the finding `target`; None when it is not among them.

    Same rule, file and first line; among several the one in the same columns, then with the
    same message.
    """
    where = rule_of(target), path_of(target), line_of(target)
    same = [i for i, r in enumerate(results) if (rule_of(r), path_of(r), line_of(r)) == where]
    if not same:
        return None
    closeness = [(_columns(results[i]) == _columns(target), results[i].message == target.message)
                 for i in same]  # fmt: skip
    return same[closeness.index(max(closeness))]


def leftovers(
    rule: Rule,
    path: str,
    survivors: Sequence[Result],
    fixed: Sequence[Result],
    targets: Mapping[str, LineTarget],
) -> tuple[int, ...]:
    """Lines of the fixed file where `rule` finds something that none of `survivors` explains.

    `survivors` are the unfixed file's results without the ones that must go; each may be
    anywhere in the lines its own line became.
    """
    spans = []
    for result in survivors:
        if (rule_of(result), path_of(result)) == (rule, path):
            line = line_of(result)
            spans.append(targets[path](line) if path in targets and line else (line, line))
    spans.sort(key=lambda span: (span[1] - span[0], span))
    unexplained = []
    for line in sorted(line_of(r) for r in fixed if (rule_of(r), path_of(r)) == (rule, path)):
        match = next((span for span in spans if span[0] <= line <= span[1]), None)
        if match is None:
            unexplained.append(line)
        else:
            spans.remove(match)
    return tuple(unexplained)


def new_results(base: Iterable[Result], fixed: Iterable[Result]) -> tuple[str, ...]:
    """`tool:rule (+n)` for every rule with more results in a fixed file, sorted.

    Each file counts for itself: what leaves one must not turn up in another.
    """
    before = Counter((rule_of(result), path_of(result)) for result in base)
    after = Counter((rule_of(result), path_of(result)) for result in fixed)
    more: Counter[Rule] = Counter()
    for (rule, _), count in (after - before).items():
        more[rule] += count
    return tuple(f"{tool}:{rule} (+{count})" for (tool, rule), count in sorted(more.items()))


def _columns(result: Result) -> tuple[int | None, int | None, int | None]:
    main = result.locations[0]
    if isinstance(main, SourceLocation):
        return main.start_column, main.end_line, main.end_column
    return None, None, None
