"""From bytes to a parsed report: decode, recognise, redact, parse."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from secai_lib.core.errors import MalformedScan, UnknownFormat
from secai_lib.core.finding import ParsedReport
from secai_lib.parsers.base import Parser
from secai_lib.parsers.document import Document, decode
from secai_lib.parsers.node import Broken
from secai_lib.parsers.registry import PARSERS
from secai_lib.parsers.secrets import apply

_SURE_ENOUGH = 0.5


def parse_report(name: str, data: bytes, *, roots: tuple[str, ...] = ()) -> ParsedReport:
    """All that the report file `name` says; every raw result is in `results` or in `skipped`.

    `roots` are absolute path prefixes, e.g. the checkout folder, to be stripped from paths; the
    usual checkouts of CI services are known. Secrets are masked before anything is read.
    An empty list is a report without results whose writer cannot be told (`tools` is empty).
    Raises MalformedScan when the file is broken, UnknownFormat when it is no report we know.
    """
    with _collector_at_rest():
        return _parsed(name, data, roots)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """No garbage is collected meanwhile.

    A report is millions of objects that all stay; looking through them again and again for
    circles takes as long as reading them.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _parsed(name: str, data: bytes, roots: tuple[str, ...]) -> ParsedReport:
    document = decode(name, data, roots=roots)
    if document.value == []:
        return ParsedReport(file=name, tools=(), results=(), raw_results=0)
    parser = recognise(document)
    try:
        apply(document.value, list(parser.secrets(document)))
        return parser.parse(document)
    except Broken as error:
        place = error.pointer or "the top"
        reason = f"not a sound {parser.name} report: {error.reason}"
        raise MalformedScan(name, reason, place=place) from error


def recognise(document: Document) -> Parser:
    """The parser that is surest of `document`. Raises UnknownFormat when none is sure enough."""
    sureness, best = max(
        ((parser.recognise(document), parser) for parser in PARSERS), key=lambda pair: pair[0]
    )
    if sureness < _SURE_ENOUGH:
        raise UnknownFormat(
            document.name, "no scanner we know writes this; add a parser or leave the file out"
        )
    return best
