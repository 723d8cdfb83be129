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
            yield from _walk(json.loads(text), "", own=True)
        elif kind == ".jsonl":
            for number, line in enumerate(text.split("\n"), 1):
                if line:
                    yield from _row(json.loads(line), f"row {number}")
        else:
            yield Passage(place="", text=text, own=True)
    except UnicodeDecodeError:
        raise Unfit("it is no text in UTF-8") from None
    except (json.JSONDecodeError, RecursionError):
        raise Unfit("it is no JSON") from None


def row_licences(name: str, data: bytes) -> dict[str, str]:
    """`row N` -> its licence, of every row with metadata in a file that `passages` can read."""
    if kind_of(name) != ".jsonl":
        return {}
    rows = enumerate((json.loads(line) for line in data.decode().split("\n") if line), 1)
    return {
        f"row {number}": str(row["metadata"].get("licence", ""))
        for number, row in rows
        if isinstance(row.get("metadata"), dict)
    }


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
        header = json.loads(data[8 : 8 + length].decode())
        ends = [item["data_offsets"][1] for name, item in header.items() if name != "__metadata__"]
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise Unfit("it is no safetensors file") from None
    if 8 + length + max(ends, default=0) != len(data):
        raise Unfit("it is cut off, or something is hidden behind its numbers")
    return header
