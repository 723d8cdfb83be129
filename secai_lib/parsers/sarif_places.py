"""Locations of a SARIF result."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from secai_lib.core.finding import NoLocation, SourceLocation, UrlLocation
from secai_lib.parsers.node import Broken, Node
from secai_lib.parsers.paths import Paths, Region, Unplaceable, clean_url

_MAX_BASES = 10


def places_of(
    run: Node, result: Node, paths: Paths
) -> Iterator[SourceLocation | UrlLocation | NoLocation]:
    """Every place of `result`, the main one first. Raises Broken."""
    locations = result.items("locations")
    request = result.get("webRequest")
    if request:
        request = _listed(run, "webRequests", request)
    for location in locations:
        physical = location.get("physicalLocation")
        if physical:
            yield from _place_of(run, physical, request, paths)
    target = request.text("target") if not locations else ""
    if urlsplit_scheme(target) in {"http", "https"}:
        yield UrlLocation(url=_url(result, target), method=request.text("method", default="GET"))


def _place_of(
    run: Node, physical: Node, request: Node, paths: Paths
) -> Iterator[SourceLocation | UrlLocation | NoLocation]:
    artifact = artifact_of(run, physical.get("artifactLocation"))
    uri = artifact.text("uri")
    if urlsplit_scheme(uri) in {"http", "https"}:
        method = request.text("method", default="GET")
        yield UrlLocation(url=_url(artifact, uri), method=method)
    elif uri:
        yield source_of(run, physical, artifact, uri, paths)


def source_of(
    run: Node, physical: Node, artifact: Node, uri: str, paths: Paths
) -> SourceLocation | NoLocation:
    """The place of a `physicalLocation` (3.29) in the file `uri` of `artifact`."""
    region = physical.get("region")
    raw = _resolve(run, artifact, uri, paths)
    return paths.source(raw, region_of(region), uri=True, snippet=region.text("snippet", "text"))


def _listed(run: Node, name: str, item: Node) -> Node:
    """`item`, looked up in the run's list `name` when it is only an index (3.4.5 and alike)."""
    index = item.integer("index")
    if index is None or len(item.members()) > 1:
        return item
    return run.item(index, name) or item


def resource_of(run: Node, result: Node) -> str:
    """The name of the thing at fault: the first logical location's full name (3.33)."""
    for location in result.items("locations"):
        for logical in location.items("logicalLocations"):
            logical = _listed(run, "logicalLocations", logical)
            name = logical.text("fullyQualifiedName") or logical.text("name")
            if name:
                return name
    return ""


def region_of(region: Node) -> Region:
    """Lines and columns of a SARIF region (3.30)."""
    return Region.of(
        region.integer("startLine"),
        region.integer("endLine"),
        region.integer("startColumn"),
        region.integer("endColumn"),
    )


def artifact_of(run: Node, artifact: Node) -> Node:
    """The artifact location itself, looked up in `run.artifacts` when only an index (3.4.5)."""
    if artifact.text("uri"):
        return artifact
    listed = run.item(artifact.integer("index"), "artifacts")
    return listed.get("location") if listed else artifact


def urlsplit_scheme(uri: str) -> str:
    """The scheme of `uri`, lower case; empty when there is none or it is no URI."""
    if ":" not in uri:
        return ""
    try:
        return urlsplit(uri).scheme.lower()
    except ValueError:
        return ""


def _resolve(run: Node, artifact: Node, uri: str, paths: Paths) -> str:
    """`uri` joined with its bases (3.14.14).

    Below an absolute base that is no known checkout, and below a web address (the repository's
    pages), it is taken to be relative to that base.
    """
    base_id, below = artifact.text("uriBaseId"), uri
    for _ in range(_MAX_BASES):
        if not base_id or urlsplit_scheme(below) == "file" or below.startswith("/"):
            return below
        base = run.get("originalUriBaseIds", base_id)
        prefix = base.text("uri")
        if urlsplit_scheme(prefix) in {"http", "https"}:
            return below
        if urlsplit_scheme(prefix) == "file" or prefix.startswith("/"):
            absolute = prefix.rstrip("/") + "/" + below
            return absolute if _known(absolute, paths) else below
        if prefix:
            below = prefix.rstrip("/") + "/" + below
        base_id = base.text("uriBaseId")
    raise Broken(artifact.pointer, "uriBaseId goes round in a circle")


def _known(absolute: str, paths: Paths) -> bool:
    try:
        paths.relative(absolute, uri=True)
    except Unplaceable:
        return False
    return True


def _url(node: Node, uri: str) -> str:
    try:
        return clean_url(uri)
    except ValueError as error:
        raise Broken(node.pointer, f"not a URL ({error})") from None
