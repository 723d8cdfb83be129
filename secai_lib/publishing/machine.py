"""What is known of this machine and of private networks, and where a text gives it away."""

import re
from collections.abc import Iterator

from secai_lib.core.record import Record


class Machine(Record):
    """What must never be read in what leaves."""

    paths: tuple[str, ...]
    """Home folder, project, data home, models, scanners: absolute paths."""
    user: str
    """Who we run as."""
    host: str
    """The machine's name."""
    private_hosts: tuple[str, ...] = ()
    """Names of hosts or domains of the settings."""


class Trace(Record):
    """One place of a text that gives something away; what stands there is not repeated."""

    start: int
    """Where in the text."""
    what: str
    """What it is, in words."""


_FOLDERS = (
    "Users|Volumes|app|build|data|etc|home|mnt|opt|private|root|srv|tmp|usr|var|work|workspace"
)
_ABSOLUTE = re.compile(
    rf"(?<![\w/.:<>~-])/(?:{_FOLDERS})/[\w.~-]+|(?<![\w/.:<>~-])/root\b|\b[A-Za-z]:\\\w|file:///"
)
"""An absolute path of any machine. Not behind a letter, so that no part of a URL is one."""
_ADDRESS = r"(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2,3}"
_NAME = r"(?:[\w-]+\.)+(?:local|internal|lan|intranet|corp|home\.arpa)"
_HOST = re.compile(rf"(?<![\w.@-])(?:{_ADDRESS}|{_NAME})(?![\w.-]*[\w-])", re.IGNORECASE)
"""An RFC 1918 address, or a name that only a private network resolves."""
_EVERYBODYS = re.compile(
    r"10\.0\.2\.2|(?:host|gateway|kubernetes)\.docker\.internal|metadata\.google\.internal"
    r"|(?:[\w-]+\.)*cluster\.local",
    re.IGNORECASE,
)
"""Alike on every machine: the host behind an Android emulator, Docker's and Kubernetes' names."""
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b", re.IGNORECASE)
_NOBODY = frozenset({"root", "user", "runner", "app", "nobody", "node", "ubuntu", "vagrant"})
"""User names that every image has."""


def traces(text: str, machine: Machine, *, own: bool) -> Iterator[Trace]:
    """Where `text` gives this machine or a private network away.

    Training texts are code, full of containers' paths (`/app`, `/usr/bin`, `/home/gradle`): there
    only this machine's own paths and names count, and private hosts in URLs. In what we wrote
    about them (`own`) no absolute path, private host or e-mail address has any business.
    """
    for start in _own_paths(text, machine, own=own):
        yield Trace(start=start, what="a path of this machine")
    for name in (*machine.private_hosts, *([machine.host] if _telling(machine.host) else [])):
        for found in re.finditer(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text, re.IGNORECASE):
            yield Trace(start=found.start(), what="a private host")
    for found in _HOST.finditer(text):
        if _EVERYBODYS.fullmatch(found[0]):
            continue
        if own or text[: found.start()].endswith(("://", "://www.")):
            yield Trace(start=found.start(), what="a private host")
    if own:
        for found in _ABSOLUTE.finditer(text):
            yield Trace(start=found.start(), what="an absolute path")
        for found in _EMAIL.finditer(text):
            yield Trace(start=found.start(), what="an e-mail address")


def _own_paths(text: str, machine: Machine, *, own: bool) -> Iterator[int]:
    places = {path.rstrip("/\\") for path in machine.paths}
    # one part (`/root`, `/app`) is the home of every container, and no secret of this machine
    telling = {place for place in places if len(re.findall(r"[^/\\]+", place)) > 1}
    for place in sorted(places if own else telling):
        if place:
            for found in re.finditer(rf"(?<![\w.-]){re.escape(place)}(?![\w-])", text):
                yield found.start()
    if machine.user and machine.user not in _NOBODY:
        home = rf"[/\\](?:home|Users)[/\\]+{re.escape(machine.user)}(?![\w-])"
        for found in re.finditer(home, text):
            yield found.start()


def _telling(host: str) -> bool:
    """False for names such as `vm` or `localhost`, which are words of every text."""
    return len(host) >= 6 and host != "localhost" and bool(re.search(r"[\d.-]", host))
