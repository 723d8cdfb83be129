"""What is published under one name, and the receipt of it."""

from collections.abc import Mapping
from typing import Literal

from secai_lib.core.record import Record, canonical_json, content_hash, sha256_hex

Kind = Literal["dataset", "model"]
"""What the Hub calls the repository."""
State = Literal["ready", "candidate"]
"""`candidate`: a score gate failed, so it may be looked at and not pushed."""
RELEASE = "release.json"
"""File in every repository that names the release's files: equal ones need no new commit."""
VERDICT = "verdict.json"
"""File of a candidate: which score gates failed."""


class Gate(Record):
    """One score gate."""

    name: str
    """`stage1`, `stage2`, `retention`, ..."""
    passed: bool
    """Whether it holds."""
    value: float
    """What was measured."""
    threshold: float
    """What it was measured against."""
    sentence: str
    """What it means."""


class Release(Record):
    """The content of a repository: the file `release.json`."""

    kind: Kind
    """Dataset or model."""
    files: Mapping[str, str]
    """File name -> SHA-256, of all files but this one."""
    inputs: Mapping[str, str]
    """Product it is made of -> content hash."""

    @property
    def digest(self) -> str:
        """16 hex digits: equal digests are equal repositories."""
        return content_hash(self.kind, self.files)


class Receipt(Record):
    """What became of a release: the file `receipt.json` of the product."""

    repository: str
    """`OWNER/NAME`."""
    release: Release
    """What it holds."""
    files: Mapping[str, str]
    """File name -> SHA-256, of every file that was written."""
    state: State
    """Ready or candidate."""
    folder: str
    """Where it lies, below the data home, with `/`."""
    gates: tuple[Gate, ...]
    """The score gates it was judged by."""
    commit: str = ""
    """The commit on the Hub; empty for a dry run."""
    tag: str = ""
    """Its tag on the Hub; empty for a dry run."""


def make_release(kind: Kind, files: Mapping[str, bytes], inputs: Mapping[str, str]) -> Release:
    """The release of `files` (name -> bytes) made of `inputs`."""
    hashes = {name: sha256_hex(data) for name, data in sorted(files.items())}
    return Release(kind=kind, files=hashes, inputs=inputs)


def folder_of(kind: Kind, repository: str, state: State) -> str:
    """Where a dry run lies below the publications' folder: laid out like the Hub's addresses."""
    return f"{state}/{kind}s/{repository}"


def verdict_file(gates: tuple[Gate, ...]) -> bytes:
    """`verdict.json`: the failed gates, each with its number, its threshold and its sentence."""
    failed = [gate for gate in gates if not gate.passed]
    sentence = f"Not to be pushed: {len(failed)} score gate(s) failed."
    return (canonical_json({"failed": failed, "sentence": sentence}) + "\n").encode()
