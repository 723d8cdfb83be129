"""Finds the scanner's place again: by its lines, else by its text."""

from collections.abc import Sequence
from typing import NamedTuple

from secai_lib.core.context import ContextStatus

REDACTED = "[redacted]"
"""What stands where a secret was; in a scanner's text it matches anything."""
MIN_TEXT = 8
"""Letters and digits a text needs before it says where it belongs (`}` says nothing)."""
MAX_SNIPPET_LINES = 60
"""Lines of the scanner's text that are compared."""


class Place(NamedTuple):
    """Where the finding is."""

    status: ContextStatus
    """How well it was found."""
    start: int = 0
    """First line, from 1; 0 when it has none."""
    end: int = 0
    """Last line, inclusive."""
    reason: str = ""
    """A sentence where the status is not `exact`."""


def locate(lines: Sequence[str], start: int | None, end: int | None, snippet: str) -> Place:
    """The place in `lines` (from 1) of a scanner's lines and text, either of which may be empty.

    Text is compared without regard to white space and blank lines. It is looked for elsewhere
    when the scanner's lines do not hold it; the nearest match counts, two equally near ones do
    not.
    """
    wanted = [text for line in snippet.split("\n") if (text := normal(line))][:MAX_SNIPPET_LINES]
    if not _said(wanted):
        wanted = []
    if start is not None and start < 1:
        start = None
    if start is None:
        return _by_text(lines, wanted)
    last = max(end or start, start)
    exists = start <= len(lines) and last <= len(lines) + 1
    shown = lines[start - 1 : last]
    if exists and (not wanted or _holds(shown, wanted)):
        return Place(ContextStatus.EXACT, start, min(last, len(lines)))
    if not wanted:
        reason = f"The file has {len(lines)} lines, the scanner names line {last}."
        return Place(ContextStatus.NOT_FOUND, reason=reason)
    found = _elsewhere(lines, start, wanted)
    if found.start and found.start == start:
        return found._replace(status=ContextStatus.EXACT, reason="")
    return found


def _by_text(lines: Sequence[str], wanted: Sequence[str]) -> Place:
    """The place of a finding for which the scanner names the file and no line."""
    if not wanted:
        return Place(ContextStatus.EXACT, reason="The scanner names the file only.")
    found = _elsewhere(lines, 1, wanted)
    if not found.start:
        return found
    reason = f"The scanner names no line; its text stands at line {found.start}."
    return found._replace(status=ContextStatus.EXACT, reason=reason)


def normal(line: str) -> str:
    """`line` without white space, which formatters and scanners change."""
    return "".join(line.split())


def _holds(lines: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether the lines hold the text, or the text (which may show more) holds the lines."""
    here = [text for line in lines if (text := normal(line))]
    if any(_matches(here, at, wanted) for at in range(len(here) - len(wanted) + 1)):
        return True
    shorter = bool(here) and _said(here) >= min(MIN_TEXT, _said(wanted))
    return shorter and any(_matches(wanted, at, here) for at in range(len(wanted) - len(here) + 1))


def _elsewhere(lines: Sequence[str], first: int, wanted: Sequence[str]) -> Place:
    if _said(wanted) < MIN_TEXT:
        return Place(
            ContextStatus.NOT_FOUND,
            reason=f"Line {first} does not hold what the scanner saw, which is too short to look "
            "for elsewhere.",
        )
    numbered = [(at + 1, text) for at, line in enumerate(lines) if (text := normal(line))]
    texts = [text for _, text in numbered]
    found = [
        (abs(numbered[at][0] - first), numbered[at][0], numbered[at + len(wanted) - 1][0])
        for at in range(len(texts) - len(wanted) + 1)
        if _matches(texts, at, wanted)
    ]
    found.sort()
    if not found:
        return Place(
            ContextStatus.NOT_FOUND, reason="The text that the scanner saw is not in the file."
        )
    if len(found) > 1 and found[0][0] == found[1][0]:
        return Place(
            ContextStatus.NOT_FOUND,
            reason=f"The text that the scanner saw is equally near at lines {found[0][1]} and "
            f"{found[1][1]}.",
        )
    _, start, end = found[0]
    return Place(
        ContextStatus.RELOCATED, start, end, f"The text stands at line {start}, not {first}."
    )


def _matches(texts: Sequence[str], at: int, wanted: Sequence[str]) -> bool:
    """Whether `wanted` stands at `texts[at]`: its ends may be parts of lines (columns)."""
    final = len(wanted) - 1
    for offset, want in enumerate(wanted):
        text = texts[at + offset]
        if REDACTED in want or REDACTED in text:
            fits = _in_order(text, want) or _in_order(want, text)
        elif final == 0:
            fits = want in text
        elif offset == 0:
            fits = text.endswith(want)
        elif offset == final:
            fits = text.startswith(want)
        else:
            fits = text == want
        if not fits:
            return False
    return True


def _in_order(text: str, pattern: str) -> bool:
    """Whether the parts of `pattern` between the redactions stand in `text` in this order."""
    at = 0
    for part in pattern.split(REDACTED):
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return True


def _said(wanted: Sequence[str]) -> int:
    """Letters and digits of the scanner's text that are not redacted."""
    return sum(c.isalnum() for c in "".join(wanted).replace(REDACTED, ""))
