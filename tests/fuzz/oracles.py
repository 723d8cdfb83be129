"""What must hold for any bytes at all; the property tests and the fuzzer ask the same."""

import re
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

from secai_lib.core.errors import MalformedScan, UnknownFormat, UnsafeArchive
from secai_lib.core.finding import LockfileLocation, ParsedReport, SourceLocation
from secai_lib.core.record import canonical_json
from secai_lib.core.text import visible
from secai_lib.findings import distinct
from secai_lib.gateways.archive import ArchiveLimits, read_reports
from secai_lib.parsers import parse_report, redact_report
from secai_lib.parsers.document import decode
from secai_lib.parsers.node import Broken
from secai_lib.parsers.reading import recognise

LIMITS = ArchiveLimits(entries=200, file_bytes=2**20, total_bytes=4 * 2**20, ratio=50, nesting=1)
"""Small, so that an input of a few kilobytes can break each of them."""
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_SECRET = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9_-]{12,}")


def examine_report(name: str, data: bytes) -> ParsedReport | None:
    """The report, or None for a typed complaint; AssertionError for anything that must not be.

    Every raw result is accounted for, the same bytes give the same report, what is stored says the
    same as what came, no path leads out, no control character comes through, no secret is left.
    """
    stored, masked = redact_report(name, data)
    assert redact_report(name, data) == (stored, masked)
    try:
        report = parse_report(name, data)
    except (MalformedScan, UnknownFormat) as error:
        assert visible(str(error)) == str(error), repr(str(error))
        assert _complaint(name, data) == str(error)
        return None
    assert canonical_json(parse_report(name, data)) == canonical_json(report)
    assert parse_report(name, stored) == report
    assert report.raw_results == len(report.results) + sum(s.results for s in report.skipped)
    for result in report.results:
        for place in result.locations:
            if isinstance(place, SourceLocation | LockfileLocation):
                assert not place.path.startswith(("/", "../")), place.path
                assert ".." not in place.path.split("/"), place.path
    findings = distinct([report], repository="a/b", run="1", commit="")
    assert sum(len(finding.evidence) for finding in findings) == len(report.results)
    assert distinct([report], repository="a/b", run="1", commit="") == findings
    secrets = list(_secrets(name, data))
    for text in _texts(report.model_dump()):
        assert not _UNSAFE.search(text), repr(text[:200])
        assert not any(secret in text for secret in secrets), "a secret came through"
    assert report.model_dump_json().encode()
    return report


def _complaint(name: str, data: bytes) -> str:
    try:
        parse_report(name, data)
    except (MalformedScan, UnknownFormat) as error:
        return str(error)
    return "none at the second time"


def _secrets(name: str, data: bytes) -> Iterator[str]:
    """The bare secrets that the report's scanner marks and that nobody could take for a word."""
    document = decode(name, data)
    if document.value == []:
        return
    try:
        spots = list(recognise(document).secrets(document))
    except Broken:
        return
    for spot in spots:
        if _SECRET.fullmatch(spot.value):
            yield spot.value


def _texts(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)


def examine_archive(path: Path, limits: ArchiveLimits = LIMITS) -> dict[str, bytes] | None:
    """The files of the zip at `path`, or None for a typed refusal; else AssertionError.

    A refusal comes before the first file, names cannot escape or collide, nothing passes the
    limits, and a plain reading of the members gives the same bytes.
    """
    taken: list[tuple[str, bytes]] = []
    try:
        for item in read_reports(path, limits):
            taken.append(item)
    except UnsafeArchive as error:
        assert not taken, "files were given out before the refusal"
        assert visible(str(error)) == str(error), repr(str(error))
        return None
    assert list(read_reports(path, limits)) == taken
    files = dict(taken)
    assert len({_folded(name) for name in files}) == len(taken) <= limits.entries
    for name, data in taken:
        assert name.isprintable() and not name.startswith("/") and "\\" not in name, name
        assert not {"", ".", ".."} & set(name.split("/")), name
        assert not any(other.startswith(f"{name}/") for other in files), name
        assert len(data) <= limits.file_bytes
    assert sum(map(len, files.values())) <= limits.total_bytes
    if path.read_bytes()[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                assert name.endswith("/") or archive.read(name) == files.get(name, _nested)
    return files


class _Anything:
    """Equal to what a nested archive's own bytes are; its members are in `files` instead."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, bytes) and other.startswith(b"PK")

    def __hash__(self) -> int:
        return 0


_nested = _Anything()


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())
