"""The code a finding is about."""

from enum import StrEnum

from secai_lib.core.record import Record


class ContextStatus(StrEnum):
    """How well the finding's place was found again in the scanned commit."""

    EXACT = "exact"
    """The scanner's lines hold the scanner's text (or it gave no text and the lines exist)."""
    RELOCATED = "relocated"
    """The text stands elsewhere in the same file."""
    NOT_FOUND = "not_found"
    """The file exists but neither the lines nor the text do."""
    NO_SOURCE = "no_source"
    """The commit or the file is not available here."""
    NOT_CODE = "not_code"
    """The finding is not about a file of the repository (an image, a header)."""


class CodeScope(Record):
    """A named stretch of code around a finding."""

    kind: str
    """`function`, `method`, `class`, `object`, `job`, `stage`, ..."""
    name: str
    """Its name; empty for an anonymous one."""
    start_line: int
    """First line, from 1."""
    end_line: int
    """Last line, inclusive."""


class RouteMatch(Record):
    """The handler behind a URL, or why there is none."""

    endpoint_type: str = ""
    """The framework: `ktor`, `express`; empty when nothing matched."""
    method: str = ""
    """The HTTP method of the route."""
    pattern: str = ""
    """The whole route pattern, e.g. `/users/{id}`."""
    mapped_from: str
    """The URL that was looked up."""
    path: str = ""
    """File that declares the route."""
    line: int = 0
    """Line of the declaration."""
    end_line: int = 0
    """Its last line."""
    service: str = ""
    """The service the URL's host and port belong to."""
    reason: str = ""
    """Why there is no match; empty when there is one."""


class CodeContext(Record):
    """What the code around one finding looks like at the scanned commit."""

    fingerprint: str
    """The finding."""
    status: ContextStatus
    """How well the place was found."""
    reason: str = ""
    """A sentence where the status is not `exact`."""
    path: str = ""
    """The file, relative to the repository; empty when there is none."""
    language: str = ""
    """`kotlin`, `typescript`, `python`, `yaml`, `dockerfile`, ...; empty when unknown."""
    start_line: int = 0
    """First line of the finding's full range (a whole statement or block)."""
    end_line: int = 0
    """Last line of it, inclusive."""
    snippet: str = ""
    """The text of that range, secrets redacted."""
    before: str = ""
    """Up to `context_lines` lines before it."""
    after: str = ""
    """Up to `context_lines` lines after it."""
    function: CodeScope | None = None
    """The innermost function, method, job or build stage around it."""
    enclosing: CodeScope | None = None
    """The innermost class or object around that."""
    imports: tuple[str, ...] = ()
    """The file's import lines."""
    syntax_errors: int = 0
    """Error nodes in the file's syntax tree (0 for a clean parse)."""
    route: RouteMatch | None = None
    """For URL findings: the handler, or why there is none."""
