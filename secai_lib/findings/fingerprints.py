"""A name for each finding that survives re-runs, line shifts and a change of report format.

A fingerprint hashes the tool, the rule, the place without its lines, and an anchor: what the
finding is about. The anchor is the package, the requests, or the named resource and the short
snippet. Results that share all of that stand in one file one after the other; they are told
apart by their order there, so that a line shift changes nothing. Lines themselves are never
hashed: even without any anchor the order in the file is steadier than a number.
"""

import posixpath
import re
from collections import defaultdict
from collections.abc import Sequence
from urllib.parse import urlsplit

from secai_lib.core.finding import (
    ArchiveLocation,
    ImageLocation,
    LockfileLocation,
    NoLocation,
    Result,
    SourceLocation,
    UrlLocation,
)
from secai_lib.core.record import content_hash

Key = tuple[str, ...]
Position = tuple[int, int, int, int]

_SHORT_SNIPPET = 3
"""Lines up to which a snippet anchors a finding that also names its resource. The text of a whole
job or block changes with every edit inside it, its name does not."""
_NOWHERE: Position = (0, 0, 0, 0)


def fingerprints(results: Sequence[Result]) -> list[str]:
    """16 hex digits for each of one run's `results`, in their order; equal for the same thing.

    All results of the run belong in one call: a report without snippets takes them from another
    report of the same results, and equals are numbered by their position.
    """
    shared = _shared_anchors(results)
    keys = [(*_place(result), *_anchor(result, shared)) for result in results]
    ranks = _ranks(results, keys)
    return [
        content_hash(*key, ranks[key][_position(result)])
        for result, key in zip(results, keys, strict=True)
    ]


def _ranks(results: Sequence[Result], keys: Sequence[Key]) -> dict[Key, dict[Position, int]]:
    """For each key its positions, numbered in order; the same position is the same finding."""
    positions: dict[Key, set[Position]] = defaultdict(set)
    for result, key in zip(results, keys, strict=True):
        positions[key].add(_position(result))
    return {
        key: {position: rank for rank, position in enumerate(sorted(found))}
        for key, found in positions.items()
    }


def _place(result: Result) -> Key:
    """Tool, rule and place, without lines, image tags and query strings."""
    place = result.location
    head = (result.tool, result.rule_id, place.kind)
    match place:
        case SourceLocation() | LockfileLocation():
            return (*head, place.path)
        case ImageLocation():
            return (*head, _untagged(place.image), "" if result.package else place.target)
        case ArchiveLocation():
            return (*head, _untagged(place.image), place.archive, place.member)
        case UrlLocation():
            return (*head, *min(map(_request, _urls(result))))
        case NoLocation():
            return (*head, re.sub(r", line \d+$", "", place.reason), result.message)


def _anchor(result: Result, shared: dict[Key, tuple[str, str]]) -> Key:
    """What the finding is about."""
    if result.package is not None:
        return ("package", result.package.name, result.package.version)
    if isinstance(result.location, UrlLocation):
        return ("alert",)
    resource, snippet = shared[_spot(result)]
    resource = result.resource or resource
    if resource and snippet.count("\n") >= _SHORT_SNIPPET:
        snippet = ""
    return ("code", resource, " ".join(snippet.split()))


def _shared_anchors(results: Sequence[Result]) -> dict[Key, tuple[str, str]]:
    """Resource and snippet for each exact place, from whichever report gives them.

    Of several snippets the longest wins, the alphabet decides between equals.
    """
    shared: dict[Key, tuple[str, str]] = {}
    for result in results:
        place = result.location
        snippet = place.snippet.strip("\n") if isinstance(place, SourceLocation) else ""
        snippet = "" if snippet.strip() == "[redacted]" else snippet
        resource, known = shared.get(_spot(result), ("", ""))
        shared[_spot(result)] = (
            max(resource, result.resource, key=_weight),
            max(known, snippet, key=_weight),
        )
    return shared


def _weight(text: str) -> tuple[int, str]:
    return (len(text), text)


def _spot(result: Result) -> Key:
    """The exact place, lines and columns included."""
    return (*_place(result), *(str(number) for number in _position(result)))


def _position(result: Result) -> Position:
    place = result.location
    if result.package is not None or not isinstance(place, SourceLocation):
        return _NOWHERE
    return (
        place.start_line or 0,
        place.start_column or 0,
        place.end_line or 0,
        place.end_column or 0,
    )


def _urls(result: Result) -> list[UrlLocation]:
    return [place for place in result.locations if isinstance(place, UrlLocation)]


def _request(place: UrlLocation) -> Key:
    """Origin, path, method and parameter.

    The least of an alert's requests names it: scanners visit more or fewer pages from run to run.
    """
    try:
        parts = urlsplit(place.url)
    except ValueError:
        return (place.url, "", place.method, place.param)
    path = posixpath.normpath(parts.path or "/")
    origin = f"{parts.scheme}://{parts.netloc}".lower()
    return (origin, path, place.method.upper(), place.param.lower())


def _untagged(image: str) -> str:
    """The image's name without digest and tag (a colon in the last path segment)."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
