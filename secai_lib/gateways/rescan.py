"""Asks the scanners again about many variants of a repository's files, in one go."""

import re
import shutil
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from secai_lib.core.errors import SecAIError, StorageError, UsageError
from secai_lib.core.finding import (
    Evidence,
    LockfileLocation,
    ParsedReport,
    Result,
    Severity,
    SourceLocation,
)
from secai_lib.core.fix import Rescan
from secai_lib.core.scan import ToolRun, ToolStatus
from secai_lib.gateways.scanners import ScannerOutput, Scanners

UNREAD_RULE = "secai-unread"
"""Rule of the result that stands for a file a scanner could not read: a fix that makes the file
unreadable also makes the finding disappear, and must not count as a proof."""
RETRY_SECONDS = 120.0
"""For finding the variants over which a scanner breaks down, all tries together."""
_FOLDER = re.compile(r"secai-v\d{6}")


class VariantRescanner:
    """Runs the scanners over all variants at once; every variant lies in a folder of its own."""

    def __init__(
        self, scanners: Scanners, parse: Callable[[str, bytes], ParsedReport], work_dir: Path
    ) -> None:
        """Scan with `scanners`, read their reports (name, bytes) with `parse`.

        The variants are written below `work_dir` and removed again, whatever happens.
        """
        self._scanners = scanners
        self._parse = parse
        self._work_dir = work_dir

    def __call__(self, variants: Mapping[str, Mapping[str, str]], tools: frozenset[str]) -> Rescan:
        """What `tools` say about every variant (name -> path -> text), paths as in the repository.

        A scanner that breaks down over one variant (a model may have written it) is asked again
        about smaller parts: the others are judged, and in that one it could read no file.

        Raises UsageError for a path that would leave its folder, StorageError when the variants
        cannot be written.
        """
        rescan = self._scan(variants, tools)
        for run in rescan.runs:
            if run.status is ToolStatus.FAILED and len(variants) > 1:
                rescan = self._narrowed(rescan, run, variants)
        return rescan

    def _narrowed(
        self, rescan: Rescan, broke: ToolRun, variants: Mapping[str, Mapping[str, str]]
    ) -> Rescan:
        """`rescan` with what the scanner of `broke` says when asked about parts of `variants`.

        The same as before when no part lets it work: then it is the scanner that is broken.
        """
        deadline = time.monotonic() + RETRY_SECONDS
        waiting, culprits, ran = deque(_halves(sorted(variants))), list[str](), list[Rescan]()
        while waiting:
            part = waiting.popleft()
            if time.monotonic() < deadline:
                scan = self._scan({n: variants[n] for n in part}, frozenset({broke.tool}))
                if scan.runs[0].status is ToolStatus.RAN:
                    ran.append(scan)
                    continue
                if len(part) > 1:
                    waiting.extend(_halves(part))
                    continue
            culprits += part
        if not ran:
            return rescan
        said = f"It broke down over {len(culprits)} of {len(variants)} variants: {broke.detail}"
        run = ran[0].runs[0].model_copy(update={"detail": said})
        found = {name: results for scan in ran for name, results in scan.results.items()}
        found |= {n: tuple(_unread(run, p) for p in sorted(variants[n])) for n in culprits}
        return Rescan(
            runs=tuple(run if old is broke else old for old in rescan.runs),
            results={name: (*old, *found[name]) for name, old in rescan.results.items()},
        )

    def _scan(self, variants: Mapping[str, Mapping[str, str]], tools: frozenset[str]) -> Rescan:
        folders = {name: f"secai-v{number:06d}" for number, name in enumerate(sorted(variants))}
        root = self._fresh_folder()
        try:
            for name, folder in folders.items():
                _write(root / folder, variants[name])
            outputs = self._scanners.run(root, tools, separate=True)
        finally:
            shutil.rmtree(root, ignore_errors=True)
        results: dict[str, list[Result]] = {name: [] for name in sorted(variants)}
        runs = [self._take(output, folders, results) for output in outputs]
        return Rescan(
            runs=tuple(runs), results={name: tuple(found) for name, found in results.items()}
        )

    def _fresh_folder(self) -> Path:
        try:
            self._work_dir.mkdir(parents=True, exist_ok=True)
            return Path(tempfile.mkdtemp(prefix="rescan-", dir=self._work_dir))
        except OSError as error:
            raise StorageError(
                f"The variants to prove cannot be written ({error.strerror}); free some space or "
                "allow writing to the data folder, then run again."
            ) from error

    def _take(
        self, output: ScannerOutput, folders: Mapping[str, str], results: dict[str, list[Result]]
    ) -> ToolRun:
        """Put the results of `output` under their variants; the run, as failed if unreadable."""
        found: list[Result] = [_unread(output.run, path) for path in output.unread]
        if output.data:
            try:
                report = self._parse(output.file_name, output.data)
            except SecAIError as error:
                return _failed(output.run, f"Its report could not be understood: {error}")
            broken = [skipped for skipped in report.skipped if skipped.malformed]
            if broken:
                return _failed(output.run, f"Its report is partly broken: {broken[0].reason}")
            found += report.results
        names = {folder: name for name, folder in folders.items()}
        for result in found:
            folder = _folder_of(result)
            for name in [names[folder]] if folder in names else sorted(results):
                results[name].append(_as_in_repository(result, folders[name]))
        return output.run


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir()
    for path, text in sorted(files.items()):
        _refuse_unsafe(path)
        target = folder / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            # bytes: line ends are part of what is proven
            target.write_bytes(text.encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise StorageError(
                f"{path}: this file of a variant cannot be written ({error.strerror})."
            ) from error


def _refuse_unsafe(path: str) -> None:
    parts = PurePosixPath(path).parts
    unsafe = (
        not parts
        or path.startswith("/")
        or "\\" in path
        or "\0" in path
        or ".." in parts
        or any(part.lower() == ".git" for part in parts)
    )
    if unsafe:
        raise UsageError(f"{path!r}: not a path inside the repository, so it is not scanned.")


def _folder_of(result: Result) -> str:
    place = result.location
    if not isinstance(place, SourceLocation | LockfileLocation):
        return ""
    found = _FOLDER.search(place.path)
    return found.group() if found else ""


def _as_in_repository(result: Result, folder: str) -> Result:
    """`result` as if its variant were the repository; texts name the folder too, not only paths."""
    return Result.model_validate_json(result.model_dump_json().replace(f"{folder}/", ""))


def _halves(names: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    middle = len(names) // 2
    return names[:middle], names[middle:]


def _unread(run: ToolRun, path: str) -> Result:
    tool = run.tool
    return Result(
        tool=tool,
        tool_version=run.version,
        rule_id=UNREAD_RULE,
        title=f"{tool} cannot read this file",
        message=f"{tool} could not read the file, so nothing is known about it.",
        severity=Severity.UNKNOWN,
        severity_origin="none",
        locations=(SourceLocation(path=path),),
        evidence=Evidence(file=f"{tool}.json", pointer=""),
    )


def _failed(run: ToolRun, reason: str) -> ToolRun:
    return run.model_copy(update={"status": ToolStatus.FAILED, "detail": reason})
