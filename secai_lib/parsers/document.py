"""Bytes of a report file to a JSON or XML value, or a typed complaint that names the place."""

import codecs
import json
import math
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NoReturn
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree as SafeTree
from defusedxml import DefusedXmlException

from secai_lib.core.errors import MalformedScan, UnknownFormat
from secai_lib.parsers.node import Json, Node, kind_of
from secai_lib.parsers.paths import Paths

MAX_DEPTH = 200
"""Containers inside containers; real reports stay under 30."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BLANK = re.compile(r"[ \t\r\n]*")
_XML_ENCODING = re.compile(
    rb"""\s{0,99}<\?xml\s[^>]{0,200}?encoding\s{0,9}=\s{0,9}["']([A-Za-z0-9._-]{1,40})["']"""
)
_ONE_BYTE = {"ascii", "iso8859-1", "iso8859-15", "cp1252"}
"""Encodings an XML declaration may name; the others are told by their first bytes."""
_JSON_ENDINGS = {".json", ".sarif", ".jsonl", ".ndjson"}
_OTHER_ENDINGS = {
    ".html": "HTML", ".htm": "HTML", ".md": "Markdown", ".markdown": "Markdown", ".csv": "CSV",
    ".log": "log", ".yml": "YAML", ".yaml": "YAML", ".toml": "TOML", ".ini": "INI", ".cfg": "INI",
    ".pdf": "PDF", ".png": "image", ".zip": "archive", ".gz": "archive",
}  # fmt: skip


@dataclass(frozen=True)
class Document:
    """A decoded report."""

    name: str
    """The report's path inside the scan run."""
    value: Json = None
    """The JSON value; a list of the objects for a stream of them; None for XML."""
    lines: bool = False
    """True when the file is a stream of JSON objects (JSON Lines, or printed over many lines)."""
    xml: Element | None = None
    """The XML root; None for JSON."""
    paths: Paths = field(default_factory=Paths)
    """How paths of this report become paths of the repository."""
    worked_out: dict[str, str] = field(default_factory=dict, compare=False, repr=False)
    """Answers that need all of a long list and that every result of it asks for, by question."""

    @property
    def root(self) -> Node:
        """The whole value as a node."""
        return Node(self.value)

    @property
    def rows(self) -> list[Node]:
        """The elements of a list or stream; a lone value counts as a list of one."""
        return self.root.items() if isinstance(self.value, list) else [self.root]


def decode(name: str, data: bytes, *, roots: tuple[str, ...] = ()) -> Document:
    """The document in `data`.

    Raises MalformedScan when the file claims (by ending or first character) to be JSON or XML and
    is not, UnknownFormat when it claims neither.
    """
    ending = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    if not data.strip(b" \t\r\n\x00"):
        raise MalformedScan(name, "the file is empty; run the scanner again")
    text = _text(name, data, ending)
    start = text.lstrip()[:200].lower()
    if not start:
        raise MalformedScan(name, "the file is empty; run the scanner again")
    if start.startswith(("<!doctype html", "<html")) or ending in {".html", ".htm"}:
        raise _other(name, "HTML")
    if ending in _OTHER_ENDINGS:
        raise _other(name, _OTHER_ENDINGS[ending])
    if start[0] == "<" or ending == ".xml":
        return Document(name, xml=_xml(name, text), paths=Paths(roots))
    if start[0] in "{[" or ending in _JSON_ENDINGS:
        value, lines = _json(name, text)
        return Document(name, value=value, lines=lines, paths=Paths(roots))
    raise _other(name, "neither JSON, SARIF nor XML")


def _other(name: str, what: str) -> UnknownFormat:
    reason = f"not a scan report ({what}); the JSON report beside it carries the results"
    return UnknownFormat(name, reason)


def encoding_of(data: bytes) -> str:
    """The encoding of a report: by its mark, its XML declaration or its zero bytes; else UTF-8."""
    marked = next((codec for bom, codec in _BOMS if data.startswith(bom)), None)
    if marked:
        return marked
    if declared := _XML_ENCODING.match(data):
        try:
            codec = codecs.lookup(declared[1].decode()).name
        except LookupError:
            codec = ""
        if codec in _ONE_BYTE:
            return codec
    return json.detect_encoding(data)


def _text(name: str, data: bytes, ending: str) -> str:
    encoding = encoding_of(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if ending in _JSON_ENDINGS | {".xml"} or data.lstrip()[:1] in {b"{", b"[", b"<"}:
            reason = f"the file is not valid {encoding} text"
            raise MalformedScan(name, reason, place=f"byte {error.start}") from error
        raise _other(name, _OTHER_ENDINGS.get(ending, "binary")) from error


def _json(name: str, text: str) -> tuple[Json, bool]:
    try:
        value, lines = _load(text), False
    except json.JSONDecodeError as error:
        value, lines = _stream(name, text, error), True
    except RecursionError as error:
        raise MalformedScan(name, "nested too deeply") from error
    except ValueError as error:
        raise MalformedScan(name, f"not valid JSON ({str(error).split(';')[0]})") from error
    if not isinstance(value, dict | list):
        raise MalformedScan(name, f"holds {kind_of(value)} where a report is expected")
    _refuse_depth(name, value)
    return value, lines


def _load(text: str) -> Json:
    value: Json = json.loads(text, parse_constant=_refuse, parse_float=_finite)
    return value


def _stream(name: str, text: str, error: json.JSONDecodeError) -> list[Json]:
    """The objects that stand one after the other in `text`: JSON Lines, or printed over many lines.

    `error` is why the text is no single value. Raises MalformedScan at the first object that is
    broken or at what is no object.
    """
    decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
    values: list[Json] = []
    at = 0
    try:
        while text.startswith("{", start := _skip_blank(text, at)):
            value, at = decoder.raw_decode(text, start)
            values.append(value)
    except json.JSONDecodeError as broken:
        error = broken if values else error
    except RecursionError as deep:
        raise MalformedScan(name, "nested too deeply") from deep
    except ValueError as wrong:
        raise MalformedScan(name, f"not valid JSON ({str(wrong).split(';')[0]})") from wrong
    else:
        if start == len(text) and len(values) > 1:
            return values
        error = json.JSONDecodeError("Extra data", text, start) if values else error
    place = f"line {error.lineno} column {error.colno}"
    raise MalformedScan(name, f"not valid JSON ({error.msg})", place=place) from error


def _skip_blank(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"the number {digits[:20]} is out of range")
    return number


def _refuse_depth(name: str, value: Json) -> None:
    """Iterative, because a recursive check would itself run out of stack."""
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH):
        below: list[Json] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        level = [item for item in below if isinstance(item, dict | list)]
        if not level:
            return
    raise MalformedScan(name, f"nested too deeply (more than {MAX_DEPTH} levels)")


def _xml(name: str, text: str) -> Element:
    try:
        root: Element = SafeTree.fromstring(text, forbid_dtd=True)
    except DefusedXmlException as error:
        raise MalformedScan(name, "declares a DTD or entities, which no report needs") from error
    except ParseError as error:
        line, column = error.position
        place = f"line {line} column {column + 1}"
        raise MalformedScan(name, "not well-formed XML", place=place) from error
    except (ValueError, LookupError) as error:
        raise MalformedScan(name, "not readable as XML") from error
    level = [root]
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in item]
        if not level:
            return root
    raise MalformedScan(name, f"nested too deeply (more than {MAX_DEPTH} levels)")
