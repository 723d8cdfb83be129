"""Looks at every byte of what would leave; what it finds is named, never repeated."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache, partial
from itertools import pairwise

from secai_lib.core.disclosure import WEAKNESS_ID
from secai_lib.core.record import Record
from secai_lib.core.secret_shapes import secret_in
from secai_lib.publishing.formats import (
    MAX_FILE_BYTES,
    Passage,
    Unfit,
    check_name,
    passages,
    row_licences,
)
from secai_lib.publishing.licences import known, may_leave
from secai_lib.publishing.machine import Machine, traces

SHOWN = 3
"""Places named of each kind of finding in a file; the others are counted."""


class Leak(Record):
    """One reason why a release may not leave."""

    file: str
    """The file in the release."""
    place: str
    """Row and field, or line; empty for the whole file."""
    what: str
    """What stands there, in words; never the text itself."""

    @property
    def sentence(self) -> str:
        """The leak as a person reads it."""
        return f"{ascii(self.file)[1:-1]}{f' ({self.place})' if self.place else ''}: {self.what}"


def inspect(
    files: Mapping[str, bytes], machine: Machine, licences: Collection[str] = ()
) -> list[Leak]:
    """Every reason why `files` (name -> bytes) may not leave, sorted by file; empty for none.

    Secrets, traces of this machine and of private networks, e-mail addresses in what we wrote,
    files of a kind that can run code, files that are not what their name says, rows whose licence
    is not permissive nor one of `licences`.
    """
    leaks: list[Leak] = []
    judge = cache(partial(_judge, machine=machine))  # a row says most of its text twice
    for name, data in sorted(files.items()):
        try:
            check_name(name)
            if len(data) > MAX_FILE_BYTES:
                raise Unfit(f"it has more than {MAX_FILE_BYTES / 1e9:.0f} GB")
            leaks += _in_order(name, passages(name, data), judge)
            leaks += unlicensed(name, row_licences(name, data), licences)
        except Unfit as error:
            leaks.append(Leak(file=name, place="", what=str(error)))
    return leaks


def unlicensed(file: str, licences: Mapping[str, str], more: Collection[str] = ()) -> list[Leak]:
    """A leak for every licence that may not leave.

    `licences` are by place (`row 3`, `base model`); `more` are those of the settings.
    """
    bad = {place: name for place, name in licences.items() if not may_leave(name, more)}
    leaks = []
    for licence, count in sorted(Counter(bad.values()).items()):
        first = next(place for place, name in bad.items() if name == licence)
        others = f" and {count - 1} more" if count > 1 else ""
        remedy = "name it in publication.licences" if known(licence) else "say a licence there"
        what = f"the licence {ascii(licence)[:40]} does not let it leave; {remedy}, or leave it out"
        leaks.append(Leak(file=file, place=f"{first}{others}", what=what))
    return leaks


def _in_order(
    name: str, texts: Iterable[Passage], judge: Callable[[str, bool], list[tuple[int, str]]]
) -> list[Leak]:
    found: dict[str, list[str]] = {}
    for passage in texts:
        for offset, what in judge(passage.text, passage.own):
            line = passage.text.count("\n", 0, offset) + 1
            found.setdefault(what, []).append(passage.place or f"line {line}")
    leaks = []
    for what, places in sorted(found.items()):
        shown = list(dict.fromkeys(places))
        more = f" and {len(shown) - SHOWN} more places" if len(shown) > SHOWN else ""
        leaks.append(Leak(file=name, place="; ".join(shown[:SHOWN]) + more, what=what))
    return leaks


def _judge(text: str, own: bool, machine: Machine) -> list[tuple[int, str]]:
    """Offset and name of everything in `text` that must not leave."""
    found = [(trace.start, trace.what) for trace in traces(text, machine, own=own)]
    secret = next((s for reading in _readings(text) if (s := secret_in(reading))), "")
    if secret:
        found.append((max(text.find(secret[:12]), 0), "text of the shape of a secret"))
    return found


_UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
_WRAP = re.compile(r"[ \t]*(?:\\|[\"'][ \t]*\+?)?\r?\n[ \t>#|]*(?:\+[ \t]*)?[\"']?")
"""A line's end inside a longer text, with quotes, sums and continuations round it."""
_PIECE = re.compile(r"[A-Za-z0-9+/_.=-]{6,}")
_LAST_PIECE = re.compile(r"[A-Za-z0-9+/_.=-]{6,}$")
_QUOTES = "\"'`,;)"


def _readings(text: str) -> Iterator[str]:
    """`text` as it stands, without one level of escapes, and with wrapped tokens put together."""
    yield text
    if "\\" in text:
        plain = _UNICODE.sub(lambda m: chr(int(m[1] or m[2], 16)), text)
        yield plain.replace("\\n", "\n").replace('\\"', '"').replace("\\/", "/")
    if "\n" in text:
        yield from _joined(text)


def _joined(text: str) -> Iterator[str]:
    """Every two lines that end and begin in the middle of a long token, as one."""
    lines = [line for line in _WRAP.sub("\n", text).split("\n") if line]
    for first, second in pairwise(lines):
        head, tail = _LAST_PIECE.search(first), second.split(" ")[0].strip(_QUOTES)
        if head and _PIECE.fullmatch(tail) and not WEAKNESS_ID.search(head[0]):
            yield head[0] + tail
