"""Asks the scanners again about many variants of a repository's files, in one go."""

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
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

        Raises UsageError for a path that would leave its folder, StorageError when the variants
        cannot be written.
        """
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
        found: list[Result] = [_unread(output, path) for path in output.unread]
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


def _unread(output: ScannerOutput, path: str) -> Result:
    tool = output.run.tool
    return Result(
        tool=tool,
        tool_version=output.run.version,
        rule_id=UNREAD_RULE,
        title=f"{tool} cannot read this file",
        message=f"{tool} could not read the file, so nothing is known about it.",
        severity=Severity.UNKNOWN,
        severity_origin="none",
        locations=(SourceLocation(path=path),),
        evidence=Evidence(file=output.file_name, pointer=""),
    )


def _failed(run: ToolRun, reason: str) -> ToolRun:
    return run.model_copy(update={"status": ToolStatus.FAILED, "detail": reason})
