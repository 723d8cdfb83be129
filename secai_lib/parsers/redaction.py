"""Takes secrets out of a report before it is stored."""

import json
import re
from collections.abc import Mapping

from secai_lib.core.errors import MalformedScan, UnknownFormat
from secai_lib.parsers.document import Document, decode, encoding_of
from secai_lib.parsers.node import Broken
from secai_lib.parsers.reading import recognise
from secai_lib.parsers.secrets import REDACTED, Sweeper, apply, sweep

_KEYS = b"Secret|Match|Raw|RawV2|Redacted|hashed_secret|offender|line|diff|printDiff"
_RAW = re.compile(rb'("(?:' + _KEYS + rb')"\s*:\s*")((?:[^"\\]|\\.)*+)("?)', re.DOTALL)


def redact_report(
    name: str, data: bytes, known: Mapping[str, str] | None = None
) -> tuple[bytes, int]:
    """The bytes to store for the report file `name`, and how many results had a secret masked.

    `known` are secrets that the source itself tells (text -> what to show instead): another
    scanner may show the line without knowing that it holds one. A report without a secret comes
    back byte for byte. A broken report is still searched for the names under which scanners
    write secrets. Never raises.
    """
    stored, count = _own_secrets(name, data)
    if not known:
        return stored, count
    try:
        document = decode(name, stored)
    except (MalformedScan, UnknownFormat):
        document = None
    if document is None or document.xml is not None:
        text = _as_text(stored)
        clean = Sweeper(known).out_of(text)
        changed = int(clean != text)
        return (clean.encode("utf-8", "surrogateescape") if changed else stored), count + changed
    changed = sweep(document.value, Sweeper(known))
    return (_encode(document) if changed else stored), count + changed


def _own_secrets(name: str, data: bytes) -> tuple[bytes, int]:
    """The report without the secrets that its scanner knows of."""
    try:
        document = decode(name, data)
        parser = recognise(document)
    except MalformedScan:
        return _redact_raw(data)
    except UnknownFormat:
        return data, 0
    try:
        count = apply(document.value, list(parser.secrets(document)))
    except Broken:
        return _redact_raw(data)
    return (_encode(document), count) if count else (data, 0)


def _encode(document: Document) -> bytes:
    if document.lines and isinstance(document.value, list):
        return b"".join(_dump(row, indent=None) + b"\n" for row in document.value)
    return _dump(document.value, indent=2) + b"\n"


def _dump(value: object, *, indent: int | None) -> bytes:
    """ASCII, so that a lone surrogate of the input survives as an escape."""
    return json.dumps(value, indent=indent).encode("ascii")


def _as_text(data: bytes) -> str:
    """Every byte survives in UTF-8; a broken UTF-16 or UTF-32 file keeps what can be read."""
    encoding = encoding_of(data)
    wide = not encoding.startswith("utf-8")
    return data.decode(encoding if wide else "utf-8", "replace" if wide else "surrogateescape")


def _redact_raw(data: bytes) -> tuple[bytes, int]:
    count = 0

    def mask(found: re.Match[bytes]) -> bytes:
        nonlocal count
        if found[2] in (b"", REDACTED.encode()):
            return found[0]
        count += 1
        return found[1] + REDACTED.encode() + found[3]

    plain = _as_text(data).encode("utf-8", "surrogateescape")
    masked = _RAW.sub(mask, plain)
    return (masked, count) if count else (data, 0)
