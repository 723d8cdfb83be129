"""The partition key of a scan run: a safe folder name that says where the run came from."""

import re

from secai_lib.core.record import content_hash
from secai_lib.core.scan import FilesScan, GithubScan, LocalScan

MAX_NAME_LENGTH = 140
"""Characters of the repository's part; with run id, attempt and hashes a key stays below 180."""

_CLEAN_PART = re.compile(r"(?!.*\.\.)(?!\.$)[A-Za-z0-9._-]+")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+|\.{2,}")


def scan_key(request: GithubScan | LocalScan | FilesScan) -> str:
    """The one key of `request`, at most 180 characters of `[A-Za-z0-9._~-]`.

    GitHub runs are `owner~repo~runid~attempt`, so that a re-run is a scan of its own. Local scans
    are `local~name~hash` over commit, scanners and reports, files are `files~name~hash`: the same
    request gives the same key, and different requests give different ones.
    """
    name = _safe_name(request.repository)
    if isinstance(request, GithubScan):
        return f"{name}~{request.run_id}~{request.attempt}"
    if isinstance(request, LocalScan):
        scanners = sorted(set(request.scanners))
        return f"local~{name}~{content_hash(request.commit, scanners, request.reports)[:12]}"
    return f"files~{name}~{content_hash(request.commit, request.branch, request.inbox)[:12]}"


def _safe_name(repository: str) -> str:
    """The repository's name with `~` for `/`; `~~` and a hash where more had to be changed.

    A clean part holds no `~` and is never empty, so no clean name contains `~~` and a changed name
    cannot be mistaken for one. A key names a folder, so it does not start with a dot.
    """
    parts = repository.split("/")
    name = "~".join(parts)
    clean = all(_CLEAN_PART.fullmatch(part) for part in parts)
    if clean and len(name) <= MAX_NAME_LENGTH and not name.startswith("."):
        return name
    mark = f"~~{content_hash(repository)[:12]}"
    readable = _UNSAFE.sub("-", repository).strip(".")[: MAX_NAME_LENGTH - len(mark)]
    return f"{readable}{mark}"


def place_key(repository: str, branch: str) -> str:
    """The folder name for one branch of a repository: `owner~name@branch`.

    Branch names may hold anything git allows, so they are made safe like a repository's name.
    """
    return f"{_safe_name(repository)}@{_safe_name(branch)}" if branch else _safe_name(repository)
