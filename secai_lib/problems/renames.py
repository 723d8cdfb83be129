"""Findings that keep their history when git sees their file renamed.

A fingerprint holds the path, so a renamed file gives its findings new names. Between the commits of
two runs git says which files were renamed; the findings of the older run are named again as if they
stood in the new files, and a finding of a later run with that name is the same one.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from secai_lib.core.finding import Finding, LockfileLocation, Result, SourceLocation
from secai_lib.core.problem import Rename
from secai_lib.core.scan import ScanRun, ToolStatus

Renamed = Callable[[str, str, str], Mapping[str, str]]
"""Repository and two commits -> old path -> new path; empty where a commit is not here."""
Fingerprints = Callable[[Sequence[Result]], Sequence[str]]
"""The names of one run's results, in their order."""


@dataclass(frozen=True)
class _Followed:
    """A finding on its way through the commits."""

    finding: Finding
    """As it was last seen."""
    result: Result
    """What it would be now: with the names its files have now."""


def follow(
    runs: Sequence[ScanRun],
    findings: Mapping[str, Sequence[Finding]],
    renamed: Renamed,
    fingerprints: Fingerprints,
) -> list[Rename]:
    """The findings of one branch that went on in a renamed file, in the order of the runs.

    Args:
        runs: The runs of the branch, oldest first.
        findings: Key of a run -> its findings.
        renamed: Git's word.
        fingerprints: How findings are named.
    """
    here: dict[str, list[_Followed]] = {}
    known = {finding.fingerprint for found in findings.values() for finding in found}
    moves: list[Rename] = []
    commit = ""
    for run in runs:
        request = run.request
        if commit and request.commit and request.commit != commit:
            paths = renamed(request.repository, commit, request.commit)
            for tool in sorted(here) if paths else ():
                here[tool], moved = _move(here[tool], paths, fingerprints, run)
                moves += [move for move in moved if move.new_fingerprint in known]
        commit = request.commit or commit
        found = findings.get(run.key, ())
        for tool in (tool.tool for tool in run.tools if tool.status is ToolStatus.RAN):
            here[tool] = [_Followed(f, f.result) for f in found if f.result.tool == tool]
    return moves


def _move(
    followed: Sequence[_Followed],
    paths: Mapping[str, str],
    fingerprints: Fingerprints,
    run: ScanRun,
) -> tuple[list[_Followed], list[Rename]]:
    """One tool's findings with the files' new names, and those that are called otherwise now."""
    after = [_Followed(one.finding, _in(one.result, paths)) for one in followed]
    if all(old.result is new.result for old, new in zip(followed, after, strict=True)):
        return after, []
    names = fingerprints([one.result for one in after])
    moves = [
        Rename(
            repository=run.request.repository,
            branch=run.request.branch,
            from_commit=one.finding.commit,
            to_commit=run.request.commit,
            old_path=one.finding.result.path or "",
            new_path=one.result.path or "",
            old_fingerprint=one.finding.fingerprint,
            new_fingerprint=name,
        )
        for one, name in zip(after, names, strict=True)
        if one.result.path != one.finding.result.path and name != one.finding.fingerprint
    ]
    return after, moves


def _in(result: Result, paths: Mapping[str, str]) -> Result:
    """`result` with the new names of its files; itself when it has none of them."""
    places = tuple(
        place.model_copy(update={"path": paths[place.path]})
        if isinstance(place, SourceLocation | LockfileLocation) and place.path in paths
        else place
        for place in result.locations
    )
    return result if places == result.locations else result.model_copy(update={"locations": places})
