"""Paths of a report to paths of the repository: relative, with `/`, and unable to escape."""

import posixpath
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote, urlsplit, urlunsplit

from secai_lib.core.finding import LockfileLocation, NoLocation, SourceLocation, UrlLocation
from secai_lib.parsers.node import Broken, Node, clean_text

_CHECKOUTS = re.compile(
    r"^(?:/home/runner/work/[^/]+/[^/]+|/Users/runner/work/[^/]+/[^/]+|[A-Za-z]:/a/[^/]+/[^/]+"
    r"|/github/workspace|/__w/[^/]+/[^/]+|/builds/[^/]+/[^/]+|/src|/workspace)(?=/)"
)
"""Where GitHub (hosted, container, Docker action), GitLab and scanner images check out to."""
_LONGEST_PATH = 4096
"""Characters; no system we know opens a longer one."""
_DRIVE = re.compile(r"^[A-Za-z]:/")


class Unplaceable(Exception):
    """A path lies outside the repository; the text is the reason, without the path's folders."""


@dataclass(frozen=True)
class Paths:
    """Makes paths relative to the checkout."""

    roots: tuple[str, ...] = ()
    """Absolute path prefixes to strip, e.g. the checkout folder."""

    def relative(self, raw: str, *, uri: bool = False) -> str:
        """The repository path of `raw` (percent-decoded when it is a `uri`).

        Raises Unplaceable when it is absolute and outside the checkout, or climbs out of it.
        """
        return _relative(self, raw, uri=uri)

    def _below(self, path: str) -> str:
        """A plain path of a report as one of the repository."""
        if not path:
            raise Unplaceable("the path is empty")
        if len(path) > _LONGEST_PATH:
            raise Unplaceable(f"the path has more than {_LONGEST_PATH} characters")
        absolute = path.startswith("/") or bool(_DRIVE.match(path))
        path = posixpath.normpath(path)
        if absolute:
            path = self._below_checkout(path)
        if path == ".":
            raise Unplaceable("the path names the checkout itself")
        if path.startswith("../") or path == "..":
            raise Unplaceable(f"the path leaves the repository ({posixpath.basename(path)})")
        return path

    def _below_checkout(self, path: str) -> str:
        for root in sorted(self.roots, key=len, reverse=True):
            prefix = posixpath.normpath(_plain(root)).rstrip("/") + "/"
            if prefix != "/" and path.startswith(prefix):
                return path[len(prefix) :]
        found = _CHECKOUTS.match(path)
        if found:
            return path[found.end() + 1 :]
        raise Unplaceable(f"absolute path outside the checkout ({posixpath.basename(path)})")

    def source(
        self, raw: str, region: "Region | None" = None, *, uri: bool = False, snippet: str = ""
    ) -> SourceLocation | NoLocation:
        """The place `raw` with its `region`, or why it has none."""
        region = region or Region()
        try:
            path = self.relative(raw, uri=uri)
        except Unplaceable as error:
            line = f", line {region.start_line}" if region.start_line else ""
            return NoLocation(reason=f"{error}{line}")
        return SourceLocation(
            path=path,
            start_line=region.start_line,
            end_line=region.end_line,
            start_column=region.start_column,
            end_column=region.end_column,
            snippet=snippet,
        )

    def lockfile(
        self, raw: str, line: int | None = None, *, uri: bool = False
    ) -> LockfileLocation | NoLocation:
        """The lockfile `raw`, or why it has no place."""
        try:
            path = self.relative(raw, uri=uri)
        except Unplaceable as error:
            return NoLocation(reason=str(error))
        return LockfileLocation(path=path, start_line=line if line and line > 0 else None)


@lru_cache(maxsize=16_384)
def _relative(paths: Paths, raw: str, *, uri: bool) -> str:
    """Remembered, because a report names the same files over and over."""
    return paths._below(_plain(raw, uri=uri))


@dataclass(frozen=True)
class Region:
    """Lines and columns, both from 1."""

    start_line: int | None = None
    end_line: int | None = None
    start_column: int | None = None
    end_column: int | None = None

    @classmethod
    def of(
        cls,
        start_line: int | None,
        end_line: int | None = None,
        start_column: int | None = None,
        end_column: int | None = None,
    ) -> "Region":
        """The region in order; impossible numbers are dropped.

        An end before the first column of a line is the end of the line before it, so that tools
        that count the line break and tools that do not name the same lines.
        """
        if start_line is None or start_line < 1:
            return cls()
        end = end_line if end_line is not None and end_line >= start_line else start_line
        column = end_column if end_column is not None and end_column >= 1 else None
        if column == 1 and end > start_line:
            end, column = end - 1, None
        start = start_column if start_column is not None and start_column >= 1 else None
        return cls(start_line, end, start, column)


def clean_url(raw: str) -> str:
    """`raw` without user name and password. Raises ValueError when it is no URL."""
    parts = urlsplit(clean_text(raw).strip())
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host))


def url_location(node: Node, uri: str, *, evidence: str = "") -> UrlLocation:
    """The request at `uri`, with `method` and `param` read from `node`. Raises Broken."""
    try:
        url = clean_url(uri)
    except ValueError as error:
        raise Broken(node.pointer, f"not a URL ({error})") from None
    method = node.text("method", default="GET")
    return UrlLocation(url=url, method=method, param=node.text("param"), evidence=evidence)


def _plain(raw: str, *, uri: bool = False) -> str:
    path = clean_text(raw).strip().replace("\\", "/")
    if path.lower().startswith("file:"):
        path, uri = path[5:], True
        path = path[2:] if path.startswith("//") else path
        path = path if path.startswith("/") or _DRIVE.match(path) else f"/{path}"
    if uri:
        path = clean_text(unquote(path)).replace("\\", "/")
    if re.match(r"^/[A-Za-z]:/", path):
        path = path[1:]
    return re.sub(r"^/{2,}", "/", path)
