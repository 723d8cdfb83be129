"""Stage 2: what an edit did to the file, and what a proof says of it."""

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from secai_lib.core.fix import Certificate, Edit, ProofVerdict
from secai_lib.core.record import Record

_WORD = re.compile(r"\w+|\s+|[^\w\s]")

PREDICATES = ("valid", "applies", "changed", "syntax", "specific", "proven", "exact")
"""Every predicate of Stage 2, from the weakest to the strongest."""


class Applied(Record):
    """What became of the weak file when an answer was applied."""

    parsed: bool
    """Whether the answer is one block of old and new lines."""
    text: str | None
    """The file afterwards; None where the answer cannot be applied."""
    refused: str = ""
    """Why not: the applier's code."""


def edits_between(path: str, before: str, after: str, *, words: bool = False) -> tuple[Edit, ...]:
    """The edits that turn `before` into `after`: of whole lines, or of single `words` in them.

    The two say the same; a second witness that knows what its rule may change looks at words.
    """
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    found = []
    for start, end, text in _changes(old, new):
        if words:
            inner = _changes(_WORD.findall(before[start:end]), _WORD.findall(text))
            found += [(start + first, start + last, part) for first, last, part in inner]
        else:
            found.append((start, end, text))
    return tuple(Edit(path=path, start=s, end=e, replacement=text) for s, e, text in found)


def touched(before: str, after: str) -> set[int]:
    """The lines of `before`, from 1, that `after` changes; an insertion touches both neighbours."""
    lines: set[int] = set()
    for step, first, last, _begin, _end in _steps(
        before.splitlines(keepends=True), after.splitlines(keepends=True)
    ):
        if step == "insert":
            lines |= {first, first + 1}
        elif step != "equal":
            lines |= set(range(first + 1, last + 1))
    return lines


def mark_edit(
    before: str,
    true: str,
    lines: tuple[int, int] | None,
    applied: Applied,
    certificate: Certificate | None,
) -> dict[str, bool]:
    """Predicate -> whether it holds for an answer.

    - `valid`: it is one block of old and new lines.
    - `applies`: there is one place for it in the window.
    - `changed`: the file has another text afterwards.
    - `syntax`: the file's own parser finds no more errors than before.
    - `specific`: it touches a line that the finding names, or one that the true fix touches.
    - `proven`: the certificate says so: the finding is gone, nothing new, nothing muted.
    - `exact`: the file is the one that the true fix leads to.

    Args:
        before: The weak file.
        true: The file after the true fix.
        lines: First and last line of the finding in it, from 1; None where it names no line.
        applied: What became of the file.
        certificate: The proof; None where there was nothing to prove.
    """
    after = applied.text
    changed = after is not None and after != before
    marks = dict.fromkeys(PREDICATES, False)
    marks |= {"valid": applied.parsed, "applies": after is not None, "changed": changed}
    if after is None or not changed:
        return marks
    wanted = touched(before, true)
    if lines:
        wanted |= set(range(lines[0], lines[1] + 1))
    proven = certificate is not None and certificate.verdict is ProofVerdict.PROVEN
    return marks | {
        "syntax": certificate is not None and _held(certificate, "syntax"),
        "specific": bool(touched(before, after) & wanted),
        "proven": proven,
        "exact": after == true,
    }


def why_not(applied: Applied, certificate: Certificate | None) -> str:
    """A word for why an edit is not proven; empty when it is."""
    if applied.text is None:
        return applied.refused
    if certificate is None:
        return "no_change"
    return ",".join(failed_checks(certificate))


def failed_checks(certificate: Certificate) -> list[str]:
    """Names of the checks that failed, sorted."""
    return sorted({check.name for check in certificate.checks if not check.passed})


def _held(certificate: Certificate, name: str) -> bool:
    said = [check.passed for check in certificate.checks if check.name == name]
    return bool(said) and all(said)


def _changes(old: Sequence[str], new: Sequence[str]) -> Iterable[tuple[int, int, str]]:
    """First and last character in the joined `old`, and the text that takes their place."""
    starts = [0]
    for part in old:
        starts.append(starts[-1] + len(part))
    for step, first, last, begin, end in _steps(old, new):
        if step != "equal":
            yield starts[first], starts[last], "".join(new[begin:end])


def _steps(old: Sequence[str], new: Sequence[str]) -> Iterable[tuple[str, int, int, int, int]]:
    return SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
