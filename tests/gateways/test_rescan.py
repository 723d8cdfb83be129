"""Variants in folders of their own, results back under their variant."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from secai_lib.core.errors import MalformedScan, StorageError, UsageError
from secai_lib.core.finding import (
    Evidence,
    NoLocation,
    ParsedReport,
    Result,
    Severity,
    Skipped,
    SourceLocation,
)
from secai_lib.core.scan import ToolRun, ToolStatus
from secai_lib.gateways.rescan import UNREAD_RULE, VariantRescanner
from secai_lib.gateways.scanners import ScannerOutput, Scanners


class GrepScanners(Scanners):
    """Reports every file that holds `bad`; cannot read files that hold `broken`."""

    def __init__(self, status: ToolStatus = ToolStatus.RAN) -> None:
        super().__init__(Path("nowhere"), Path("nowhere"))
        self.status = status
        self.seen: dict[str, bytes] = {}
        self.separate: list[bool] = []

    def run(
        self,
        tree: Path,
        tools: Iterable[str],
        on_done: Callable[[str, ToolRun], None] = lambda tool, run: None,
        *,
        separate: bool = False,
    ) -> list[ScannerOutput]:
        self.separate.append(separate)
        files = {p.relative_to(tree).as_posix(): p for p in tree.rglob("*") if p.is_file()}
        self.seen = {path: file.read_bytes() for path, file in files.items()}
        return [
            ScannerOutput(
                run=ToolRun(tool=tool, status=self.status),
                file_name=f"{tool}.json",
                data=json.dumps(sorted(p for p, b in self.seen.items() if b"bad" in b)).encode()
                if self.status is ToolStatus.RAN
                else b"",
                unread=tuple(sorted(p for p, b in self.seen.items() if b"broken" in b)),
            )
            for tool in sorted(tools)
        ]


def result(path: str, tool: str = "grep") -> Result:
    return Result(
        tool=tool, rule_id="bad", title="t", message=f"bad in /{path}", severity=Severity.LOW,
        severity_origin="tool", resource=f"/{path}.RUN", locations=(SourceLocation(path=path),),
        evidence=Evidence(file="grep.json", pointer="/0"),
    )  # fmt: skip


def parse(name: str, data: bytes) -> ParsedReport:
    results = tuple(result(path, name.removesuffix(".json")) for path in json.loads(data))
    return ParsedReport(file=name, tools=("grep",), results=results, raw_results=len(results))


def paths(found: Iterable[Result]) -> list[str | None]:
    return [one.path for one in found]


def test_results_come_back_under_their_variant_with_repository_paths(tmp_path: Path) -> None:
    scanners = GrepScanners()
    rescan = VariantRescanner(scanners, parse, tmp_path / "work")(
        {"base": {"a/x.yml": "bad", "b.yml": "bad"}, "fix 1/../..": {"a/x.yml": "ok\r\n"}},
        frozenset({"zizmor", "checkov"}),
    )
    assert [(run.tool, run.status) for run in rescan.runs] == [
        ("checkov", ToolStatus.RAN),
        ("zizmor", ToolStatus.RAN),
    ]
    assert paths(rescan.results["base"]) == ["a/x.yml", "b.yml", "a/x.yml", "b.yml"]
    assert rescan.results["fix 1/../.."] == ()
    assert rescan.results["base"][0] == result("a/x.yml", "checkov")
    assert b"ok\r\n" in scanners.seen.values()
    assert scanners.separate == [True]
    assert list((tmp_path / "work").iterdir()) == []


def test_a_variant_that_cannot_be_read_is_not_clean(tmp_path: Path) -> None:
    rescan = VariantRescanner(GrepScanners(), parse, tmp_path)(
        {"base": {"x.yml": "bad"}, "fix": {"x.yml": "broken"}}, frozenset({"zizmor"})
    )
    (unread,) = rescan.results["fix"]
    assert (unread.rule_id, unread.path, unread.tool) == (UNREAD_RULE, "x.yml", "zizmor")


def test_a_result_without_a_place_counts_for_every_variant(tmp_path: Path) -> None:
    nowhere = result("x").model_copy(update={"locations": (NoLocation(reason="none"),)})

    def homeless(name: str, data: bytes) -> ParsedReport:
        return ParsedReport(file=name, tools=("grep",), results=(nowhere,), raw_results=1)

    rescan = VariantRescanner(GrepScanners(), homeless, tmp_path)(
        {"a": {"x": "1"}, "b": {"x": "2"}}, frozenset({"grep"})
    )
    assert {name: len(found) for name, found in rescan.results.items()} == {"a": 1, "b": 1}


def test_a_scanner_that_did_not_run_says_nothing(tmp_path: Path) -> None:
    rescan = VariantRescanner(GrepScanners(ToolStatus.ABSENT), parse, tmp_path)(
        {"a": {"x": "bad"}}, frozenset({"grep"})
    )
    assert rescan.runs[0].status is ToolStatus.ABSENT
    assert rescan.results == {"a": ()}


def malformed(name: str, data: bytes) -> ParsedReport:
    raise MalformedScan(name, "cut off")


def partly(name: str, data: bytes) -> ParsedReport:
    broken = Skipped(file=name, reason="no rule", malformed=True, results=1)
    return parse(name, data).model_copy(update={"skipped": (broken,)})


@pytest.mark.parametrize("reader", [malformed, partly])
def test_a_report_we_cannot_read_is_a_failed_run(
    tmp_path: Path, reader: Callable[[str, bytes], ParsedReport]
) -> None:
    rescan = VariantRescanner(GrepScanners(), reader, tmp_path)(
        {"a": {"x": "bad"}}, frozenset({"grep"})
    )
    assert rescan.runs[0].status is ToolStatus.FAILED
    assert rescan.results == {"a": ()}


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../x", "a/../../x", "", ".", "a\\b", "a\0b", ".git/config", "s/.GIT/x"]
)
def test_no_path_leaves_its_folder(tmp_path: Path, path: str) -> None:
    work = tmp_path / "work"
    with pytest.raises(UsageError, match="not a path inside"):
        VariantRescanner(GrepScanners(), parse, work)({"a": {path: "x"}}, frozenset({"grep"}))
    assert list(work.iterdir()) == []


def test_the_folder_is_removed_when_the_scan_breaks(tmp_path: Path) -> None:
    class Stopped(GrepScanners):
        def run(self, *args: object, **kwargs: object) -> list[ScannerOutput]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        VariantRescanner(Stopped(), parse, tmp_path)({"a": {"x": "1"}}, frozenset({"grep"}))
    assert list(tmp_path.iterdir()) == []


def test_an_unwritable_work_folder_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        VariantRescanner(GrepScanners(), parse, tmp_path / "file" / "work")({}, frozenset())
    with pytest.raises(StorageError, match="cannot be written"):
        VariantRescanner(GrepScanners(), parse, tmp_path / "w")(
            {"a": {"x": "1", "x/y": "2"}}, frozenset()
        )
