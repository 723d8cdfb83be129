"""What the polling of GitHub remembers from tick to tick.

The memory only saves requests. That nothing is ingested twice rests on the keys already known, and
that nothing is missed on looking back behind the newest run, so a lost cursor costs a full poll.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints, ValidationError

from secai_lib.core.record import Record, canonical_json

MAX_PAGES = 10
"""Pages of 100 runs: one search of GitHub lists 1,000 at most."""
MAX_CURSOR_BYTES = 64 * 1024
"""Above this the ETags are dropped (about 80 repositories with ten pages each)."""

ETAG = r'^((W/)?"[!#-~]{1,200}")?$'
"""An ETag fit to be kept and sent again (RFC 9110, 8.8.3), or none."""


class RepositoryState(Record):
    """How far one repository has been polled."""

    query: str
    """Hash of the repository's settings; when they change, the ETags mean nothing."""
    since: date
    """First day asked for. It moves by whole days, so the URL and its ETag stay the same."""
    until: AwareDatetime | None = None
    """Last moment asked for, when there are more runs than one search lists; else None."""
    swept: date | None = None
    """Day of the last look at the runs of a month, some of which may have been started again."""
    sweeping: date | None = None
    """During such a look, the first day from which on every run is taken; else None."""
    newest: AwareDatetime | None = None
    """Creation time of the newest run seen."""
    page: int = Field(default=1, ge=1, le=MAX_PAGES)
    """Page to go on with; 1 unless the last tick stopped half-way."""
    etags: tuple[Annotated[str, StringConstraints(pattern=ETAG)], ...] = Field(
        default=(), max_length=MAX_PAGES
    )
    """ETag of each page whose runs are all taken; empty for a page with runs left."""


class PollState(Record):
    """The sensor's whole memory."""

    version: Literal[1] = 1
    """Raised when the fields change their meaning."""
    paused_until: AwareDatetime | None = None
    """GitHub asked for silence until then."""
    first: str = ""
    """Repository the next tick starts with, so that a busy one does not starve the others."""
    repositories: Mapping[str, RepositoryState] = Field(default_factory=dict)
    """Name -> how far it has been polled."""

    def to_json(self) -> str:
        """The text for the cursor, at most about 64 KiB."""
        text = canonical_json(self)
        if len(text.encode()) <= MAX_CURSOR_BYTES:
            return text
        bare = {name: r.model_copy(update={"etags": ()}) for name, r in self.repositories.items()}
        return canonical_json(self.model_copy(update={"repositories": bare}))

    @classmethod
    def from_json(cls, text: str | None) -> "PollState":
        """The state in `text`, or a fresh one when it is missing, damaged or of another version."""
        try:
            return cls.model_validate_json(text or "")
        except ValidationError:
            return cls()
