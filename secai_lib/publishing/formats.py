"""Whether a file is what its name says, and the texts in it."""

import json
import struct
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from secai_lib.core.record import Record

TEXTS = frozenset({".md", ".txt", ".jinja", "LICENSE"})
KINDS = TEXTS | {".json", ".jsonl", ".safetensors"}
"""All that may leave. What can run code when it is loaded (pickles, scripts) is not among them."""
MAX_FILE_BYTES = 5_000_000_000
"""The Hub asks to split larger files."""
CONTENT = frozenset({"endpoint", "mapped_from", "file"})
"""Fields of a row's metadata that quote the scanned project."""


class Unfit(ValueError):
    """A file is not what its name says; the message is a sentence without its content."""


class Passage(Record):
    """One text of a file."""

    place: str
    """Where: `row 3, instruction`, `config.path`; empty for a whole text file."""
    text: str
    own: bool
    """True for what we wrote, false for the training texts themselves."""


def kind_of(name: str) -> str:
    """The ending of the file `name`, or its whole name where it has none."""
    path = PurePosixPath(name)
    return path.suffix or path.name


def check_name(name: str) -> None:
    """Raise Unfit unless `name` is a plain relative path of a kind that may leave."""
    parts = name.split("/")
    if any(part.startswith(".") or not part for part in parts) or not name.isprintable():
        raise Unfit("its name leads elsewhere or hides it")
    if "\\" in name or ":" in name:
        raise Unfit("its name leads elsewhere or hides it")
    if kind_of(name) not in KINDS:
        raise Unfit(f"files of this kind do not leave, only {', '.join(sorted(KINDS))}")


def passages(name: str, data: bytes) -> Iterator[Passage]:
    """Every text in the file `name`.

    Raises:
        Unfit: `data` is no such file.
    """
    kind = kind_of(name)
    if kind == ".safetensors":
        yield from _walk(_safetensors_header(data), "header", own=True)
        return
    try:
        text = data.decode()
        if kind == ".json":
            yield from _walk(_parsed(text), "", own=True)
        elif kind == ".jsonl":
            for number, line in enumerate(text.split("\n"), 1):
                if line:
                    yield from _row(_parsed(line), f"row {number}")
        else:
            yield Passage(place="", text=text, own=True)
    except UnicodeDecodeError:
        raise Unfit("it is no text in UTF-8") from None
    except RecursionError:
        raise Unfit("it is no JSON") from None


def row_licences(name: str, data: bytes) -> dict[str, str]:
    """`row N` -> its licence, of every row of a file that `passages` can read and that says one.

    A row says it in its metadata, a problem with several ways itself.
    """
    if kind_of(name) != ".jsonl":
        return {}
    found: dict[str, str] = {}
    for number, line in enumerate(filter(None, data.decode().split("\n")), 1):
        row = json.loads(line)
        facts = row.get("metadata", row)
        if isinstance(facts, dict) and (facts is not row or "licence" in row):
            found[f"row {number}"] = str(facts.get("licence", ""))
    return found


def _parsed(text: str) -> Any:
    """The JSON value `text`, in which no name hides another one of the same object."""
    try:
        return json.loads(text, object_pairs_hook=_object)
    except Unfit:
        raise
    except (ValueError, RecursionError):  # a number may be too long to be read
        raise Unfit("it is no JSON") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise Unfit("a name stands twice in an object, where one of them is hidden")
    return made


def _row(row: Any, place: str) -> Iterator[Passage]:
    if not isinstance(row, dict):
        raise Unfit(f"{place} is no object")
    for name, value in row.items():
        fields = value if name == "metadata" and isinstance(value, dict) else None
        if fields is None:
            yield from _walk(value, f"{place}, {name}", own=False)
            continue
        for field, item in fields.items():
            yield from _walk(item, f"{place}, metadata.{field}", own=field not in CONTENT)


def _walk(value: Any, place: str, *, own: bool) -> Iterator[Passage]:
    if isinstance(value, str):
        yield Passage(place=place or "the text", text=value, own=own)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield Passage(place=f"a key in {place or 'the file'}", text=name, own=own)
            # a key may itself be what must not leave, so places are numbered where it is long
            step = name if name.isidentifier() and len(name) <= 40 else "*"
            yield from _walk(item, f"{place}.{step}".lstrip("."), own=own)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from _walk(item, f"{place}.{at}".lstrip("."), own=own)


def _safetensors_header(data: bytes) -> Any:
    """The JSON before the numbers; every byte behind it belongs to a tensor."""
    if len(data) < 8:
        raise Unfit("it is no safetensors file")
    (length,) = struct.unpack("<Q", data[:8])
    try:
        header = _parsed(data[8 : 8 + length].decode())
        spans = [item["data_offsets"] for name, item in header.items() if name != "__metadata__"]
        spans = sorted((first, last) for first, last in spans)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Unfit("it is no safetensors file") from None
    starts, ends = [first for first, _ in spans], [last for _, last in spans]
    if [*starts, len(data) - 8 - length] != [0, *ends]:
        raise Unfit("it is cut off, or something is hidden between or behind its numbers")
    return header
