"""Takes secrets out of code before it is shown to anybody.

A line that a scanner calls secret keeps its shape and its key names and loses its values. Where the
shape is not understood, the whole line goes: a lost word costs less than a leaked one.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence

from secai_lib.code_context.locate import REDACTED
from secai_lib.code_context.outline import Outline

MARKUP = frozenset({"xml", "html"})
"""Languages whose values are attributes and the text between tags."""
MAX_STATEMENT = 20
"""Lines; a longer statement is more than the one literal that was reported."""
MIN_REPEATED = 8
"""Characters of a value that is also taken out of other lines of its file."""
MIN_WORD = 16
"""The same for a value of letters only, which may be an ordinary word."""
MIN_TELLING = 12
"""Characters, digits and letters among them, of a value that is taken out of every file."""

_QUOTED = re.compile(
    r'"""(?P<text3>.*?)(?:"""|$)'
    r"|'''(?P<text4>.*?)(?:'''|$)"
    r'|"(?P<text>(?:[^"\\]|\\.)*+)(?:"|\\?$)'
    r"|'(?P<text1>(?:[^'\\]|\\.)*+)(?:'|\\?$)"
    r"|`(?P<text2>(?:[^`\\]|\\.)*+)(?:`|\\?$)"
)
_KEY = r"[A-Za-z_][A-Za-z_./-]{0,60}[0-9]{0,2}"
"""A name a person gave: digits in its middle would rather be a token."""
_IS_KEY = re.compile(r"\s*(?::(?!:)|to\b|=>)")
_WORDS = (
    r"(?:(?:export|set|declare|val|var|const|let|final|private|public|protected|internal|static"
    r"|readonly|String|int|long|char|ENV|ARG|LABEL|RUN|CMD|ENTRYPOINT)\s+)*"
)
_ASSIGNED = re.compile(rf"\s*(?:-\s+)?{_WORDS}{_KEY}\s*(?::=|=>|[:=])\s*(?=\S)")
_OPENED = re.compile(rf"\s*(?:-\s+)?{_WORDS}{_KEY}\s*[:=]\s*[|>]?[-+]?\s*")
_INSTRUCTION = re.compile(rf"\s*(?:(?:ENV|ARG|LABEL)\s+{_KEY}|RUN|CMD|ENTRYPOINT|-)\s+(?=\S)")
_COMMENT = re.compile(r"//|/\*|#|<!--")
_TOKEN = re.compile(r"(?=[A-Za-z_-]*[0-9])(?=[0-9_-]*[A-Za-z])[A-Za-z0-9+/_=~-]{8,}")
_TAG = re.compile(r"<[^<>]*>")
_CREDENTIALS = re.compile(r"://[^:/@\s]*:([^@\s]+)@")
_KEY_BLOCK = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY")


def redacted_lines(
    lines: Sequence[str], secret: Iterable[int], parts: Outline, language: str, *, literals: bool
) -> tuple[list[str], set[str]]:
    """`lines` without the values on the `secret` lines (from 1), and those values.

    `literals` says that the language writes every text in quotation marks. Literals that go on
    over further lines are followed there; private keys are taken out wherever they stand.
    """
    marked = {number for number in secret if 0 < number <= len(lines)}
    marked |= {at + 1 for at in marked if lines[at - 1].endswith("\\") and at < len(lines)}
    round_them = _statements(marked, parts) - marked if literals else set()
    whole = private_keys(lines)
    for text in parts.texts:
        rest = range(text.start + 1, text.end + 1)
        begun = text.start in marked or text.start in round_them
        whole |= set(rest) if begun else marked.intersection(rest)
    values: set[str] = set()
    shown = list(lines)
    for number in sorted((marked | round_them) - whole):
        line = lines[number - 1]
        if number in round_them:
            shown[number - 1] = _literals(line, values)[0]
        elif language in MARKUP:
            shown[number - 1] = _markup(line, values)
        else:
            made, understood = _literals(line, values) if literals else ("", False)
            shown[number - 1] = made if understood else _setting(line, values)
    for number in whole:
        shown[number - 1] = _whole(lines[number - 1], values if number in marked else set())
    return shown, values


class Values:
    """Values that are shown nowhere; built once, then linear in the text."""

    def __init__(self, values: Iterable[str]) -> None:
        """Take `values`, of which short and ordinary words are left out."""
        self._by_beginning: dict[str, list[str]] = {}
        for value in sorted(set(values), key=lambda value: (-len(value), value)):
            if len(value) >= (MIN_WORD if value.isalpha() else MIN_REPEATED):
                self._by_beginning.setdefault(value[:MIN_REPEATED], []).append(value)

    def out_of(self, text: str) -> str:
        """`text` with `[redacted]` for every value, the longest first."""
        made: list[str] = []
        at = begun = 0
        while self._by_beginning and at <= len(text) - MIN_REPEATED:
            fitting = self._by_beginning.get(text[at : at + MIN_REPEATED], ())
            if value := next((v for v in fitting if text.startswith(v, at)), None):
                made += [text[begun:at], REDACTED]
                at = begun = at + len(value)
            else:
                at += 1
        return "".join([*made, text[begun:]])


def telling(values: Iterable[str]) -> set[str]:
    """Those of `values` that can only be secrets, to be taken out of every file."""
    return {
        value
        for value in values
        if len(value) >= MIN_TELLING and _TOKEN.fullmatch(value) and "://" not in value
    }


def private_keys(lines: Sequence[str]) -> set[int]:
    """The lines inside PEM private keys (from 1), which no scanner marks one by one."""
    inside: set[int] = set()
    opened = False
    for number, line in enumerate(lines, 1):
        marks = [found[1] for found in _KEY_BLOCK.finditer(line)]
        if opened or (marks and "BEGIN" in marks):
            inside.add(number)
        if marks:
            opened = marks[-1] == "BEGIN"
    return inside


def _statements(marked: Collection[int], parts: Outline) -> set[int]:
    """All lines of the plain statements that hold a marked line: a literal may be in pieces."""
    starts = sorted(span.start for span in parts.statements)
    found: set[int] = set()
    for span in parts.statements:
        lines = range(span.start, span.end + 1)
        plain = bisect_right(starts, span.start) == bisect_right(starts, span.end)
        if plain and len(lines) <= MAX_STATEMENT and any(line in marked for line in lines):
            found.update(lines)
    return found


def _literals(line: str, values: set[str]) -> tuple[str, bool]:
    """A line of code without literals, comments and tokens; and whether it had a literal."""
    made: list[str] = []
    at, replaced = 0, False
    for match in _QUOTED.finditer(line):
        if _COMMENT.search(line, at, match.start()):
            break
        text = next((group for group in match.groups() if group is not None), "")
        made.append(_code(line[at : match.start()], values))
        at = match.end()
        if not text or (re.fullmatch(_KEY, text) and _IS_KEY.match(line, at)):
            made.append(match[0])
        else:
            replaced = True
            _add(values, text)
            begin = match[0].index(text)
            made.append(f"{match[0][:begin]}{REDACTED}{match[0][begin + len(text) :]}")
    rest = line[at:]
    if comment := _COMMENT.search(rest):
        made.append(_code(rest[: comment.end()], values) + f" {REDACTED}")
    else:
        made.append(_code(rest, values))
    return "".join(made), replaced


def _code(text: str, values: set[str]) -> str:
    def token(match: re.Match[str]) -> str:
        values.add(match[0])
        return REDACTED

    return _TOKEN.sub(token, text)


def _setting(line: str, values: set[str]) -> str:
    """`key: [redacted]`, or the whole line where it has no such shape."""
    if _OPENED.fullmatch(line):
        return line
    found = _ASSIGNED.match(line) or _INSTRUCTION.match(line)
    if not found or _TOKEN.search(found[0]):
        return _whole(line, values)
    _add(values, line[found.end() :])
    return found[0] + REDACTED


def _markup(line: str, values: set[str]) -> str:
    """Tags keep their names; attribute values and the text between tags go."""
    made: list[str] = []
    at = 0
    for match in _TAG.finditer(line):
        made += [_whole(line[at : match.start()], values), _attributes(match[0], values)]
        at = match.end()
    rest = line[at:]
    opened = re.match(r"\s*(?:<?[\w:.-]+\s*)?(?:[\w:.-]+\s*=\s*)?(?=[\"'<])", rest)
    made.append(_attributes(rest, values) if opened else _whole(rest, values))
    return "".join(made)


def _attributes(text: str, values: set[str]) -> str:
    if text.startswith("<!--"):
        return _whole(text, values)

    def quoted(match: re.Match[str]) -> str:
        _add(values, match[0].strip("\"'"))
        return f"{match[0][0]}{REDACTED}{match[0][0]}"

    return re.sub(r"\"[^\"]*(?:\"|$)|'[^']*(?:'|$)", quoted, text)


def _whole(line: str, values: set[str]) -> str:
    if not any(character.isalnum() for character in line):
        return line
    _add(values, line)
    return line[: len(line) - len(line.lstrip())] + REDACTED


def _add(values: set[str], text: str) -> None:
    """Remembers a value with and without what stands round it, but no references."""
    bare = text.strip().strip("\"'`,;")
    parts = [bare, *bare.split(), *_CREDENTIALS.findall(bare)]
    values.update(part for part in parts if not part.startswith("$"))
