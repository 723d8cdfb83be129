"""A fix, and the proof that it is one."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from functools import cached_property
from typing import Protocol

from secai_lib.core.finding import Result
from secai_lib.core.record import Record
from secai_lib.core.scan import ToolRun


class SourceFiles(Protocol):
    """The files of one commit, read-only."""

    def paths(self) -> tuple[str, ...]:
        """Every file path, relative, sorted."""
        ...

    def read(self, path: str) -> str | None:
        """The file's text, line ends as they are; None when absent, binary or too large."""
        ...


class Edit(Record):
    """Replaces one stretch of a file of the scanned commit."""

    path: str
    """The file."""
    start: int
    """First character, counted from 0 in the decoded text."""
    end: int
    """Character after the last one; equal to `start` for an insertion."""
    replacement: str
    """The new text."""


class Proposal(Record):
    """An edit that should remove a problem; nothing is proven yet."""

    kind: str
    """The fix rule's name, e.g. `workflow-permissions`."""
    approach: str = "default"
    """Which of several ways: `minimal`, `in_branch`, ..."""
    title: str
    """One line in the imperative, e.g. `Pin actions/checkout to a commit`."""
    explanation: str
    """Why this removes the weakness and what to watch for; Markdown."""
    edits: tuple[Edit, ...]
    """The edits, sorted, not overlapping."""


class Abstention(Record):
    """Why no fix is offered."""

    problem: str
    """The problem's id."""
    reason_code: str
    """A word to count by: `no_rule`, `no_source`, `no_upstream_fix`, `unproven`, ..."""
    reason: str
    """A sentence for the user, with what to do instead where we know."""


class ProofMethod(StrEnum):
    """What a proof rests on."""

    RESCAN = "rescan"
    """The scanner that found it no longer does."""
    ADVISORY = "advisory"
    """The new version lies outside every affected range of the advisories."""
    OWN_RULE = "own-rule"
    """A rule of our own no longer finds it, and a second witness agrees."""


class ProofVerdict(StrEnum):
    """How a proof ended."""

    PROVEN = "proven"
    REFUTED = "refuted"
    UNPROVEN = "unproven"
    """The scanner could not run, or it does not find the unfixed file either."""


class ProofCheck(Record):
    """One question of a proof."""

    name: str
    """`base_triggers`, `finding_gone`, `nothing_new`, `not_suppressed`, `syntax`, ..."""
    passed: bool
    """The answer."""
    detail: str = ""
    """The facts behind it, as a sentence."""


class Certificate(Record):
    """Everything needed to judge a fix again: `secai verify` replays it."""

    fix: str
    """The fix's id."""
    repository: str
    """The repository."""
    commit: str
    """The commit the edits apply to."""
    finding: Result
    """What had to go."""
    edits: tuple[Edit, ...]
    """The fix."""
    base_sha256: Mapping[str, str]
    """Path -> SHA-256 of the file before (UTF-8 bytes)."""
    fixed_sha256: Mapping[str, str]
    """Path -> SHA-256 of the file after."""
    method: ProofMethod
    """What the proof rests on."""
    advisories: tuple[Result, ...] = ()
    """For version fixes: what else was known of the package, which the new version also meets."""
    scanners: tuple[ToolRun, ...]
    """Every scanner of the proof run, with version and whether it ran."""
    checks: tuple[ProofCheck, ...]
    """Every question asked."""
    verdict: ProofVerdict
    """`proven` only if every check passed."""


class Fix(Record):
    """A proposal with its certificate."""

    id: str
    """16 hex digits over problem, kind, approach and edits."""
    problem: str
    """The problem's id."""
    fingerprint: str
    """The finding it was made for."""
    lane: str = "rule"
    """Where it came from: `rule`, `retrieved`, `model`."""
    proposal: Proposal
    """What to change."""
    diff: str
    """Unified diff of this fix alone."""
    certificate: Certificate
    """The proof."""
    in_patch: bool = False
    """True when the repository's combined patch holds it."""


class Rescan(Record):
    """What the scanners say about several variants of some files, in one go."""

    runs: tuple[ToolRun, ...]
    """Every scanner asked, with whether it ran."""
    results: Mapping[str, tuple[Result, ...]]
    """Variant name -> results, with paths as in the repository."""

    def on(self, variant: str, paths: Collection[str]) -> tuple[Result, ...]:
        """What the scanners say about `paths` in `variant`, in the order of its results."""
        places = self._by_path.get(variant, {})
        found = sorted(number for path in set(paths) for number in places.get(path, ()))
        return tuple(self.results[variant][number] for number in found)

    @cached_property
    def _by_path(self) -> dict[str, dict[str, list[int]]]:
        """Variant -> path -> where its results stand: the unfixed files are asked very often."""
        index: dict[str, dict[str, list[int]]] = {}
        for variant, results in self.results.items():
            places = index.setdefault(variant, {})
            for number, result in enumerate(results):
                places.setdefault(result.path or "", []).append(number)
        return index


class Rescanner(Protocol):
    """Runs the scanners again; the corridor wires scanners and parsers together."""

    def __call__(self, variants: Mapping[str, Mapping[str, str]], tools: frozenset[str]) -> Rescan:
        """Scan every variant (name -> path -> text) with `tools` and return what they say."""
        ...
