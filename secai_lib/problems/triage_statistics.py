"""Rules of scanners that fire on everything, by what they fired on."""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from secai_lib.core.finding import Finding, SourceLocation
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.settings import TriageSettings

_WORD = re.compile(r"[A-Za-z_]\w{2,}")
_GRAMMAR = frozenset({
    "and", "any", "class", "const", "def", "else", "false", "for", "from", "fun", "func",
    "function", "import", "let", "new", "nil", "none", "not", "null", "object", "private",
    "public", "return", "self", "static", "string", "this", "throw", "true", "try", "val", "var",
    "void", "when", "while", "with",
})  # fmt: skip
"""Words of the languages themselves, which say nothing about what a rule looks for."""


def over_broad(
    problems: Sequence[Problem], findings: Mapping[str, Finding], settings: TriageSettings
) -> dict[str, tuple[str, ...]]:
    """Problem id -> the figures that show its rule to be over-broad, for such problems.

    A rule is judged within one branch by its open problems that name code: it fires often, in many
    files, many times in each, and the texts it fires on have no word in common. A problem with
    evidence of its own (a second scanner, a way of the data, the scanner's high confidence, text
    that was not shown) neither counts nor is named.
    """
    groups: dict[tuple[str, ...], list[tuple[Problem, SourceLocation]]] = defaultdict(list)
    for problem in problems:
        place = problem.location
        plain = problem.state is ProblemState.OPEN and len(problem.rules) == 1
        if plain and isinstance(place, SourceLocation) and place.snippet.strip():
            shown = [findings[f].result for f in problem.fingerprints if f in findings]
            if shown and not any(r.flow or r.confidence == "high" or r.package for r in shown):
                groups[(problem.repository, problem.branch, *problem.rules)].append(
                    (problem, place)
                )
    found: dict[str, tuple[str, ...]] = {}
    for (*_, rule), members in groups.items():
        files = len({place.path for _, place in members})
        word, share = _common_word([place.snippet for _, place in members])
        if (
            len(members) >= settings.over_broad_problems
            and files >= settings.over_broad_files
            and len(members) / files >= settings.over_broad_per_file
            and share <= settings.over_broad_common_word
        ):
            figures = (
                f"{rule} fires {len(members)} times in {files} files",
                f"{len(members) / files:.1f} times a file",
                f"its most common word, {word!r}, is in {share:.0%} of the matched texts",
            )
            found |= {problem.id: figures for problem, _ in members}
    return found


def _common_word(texts: Sequence[str]) -> tuple[str, float]:
    """The word that is in most of `texts`, and the share of those."""
    counts = Counter(
        word for text in texts for word in {w.lower() for w in _WORD.findall(text)} - _GRAMMAR
    )
    word, count = min(counts.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
    return word, count / len(texts)
