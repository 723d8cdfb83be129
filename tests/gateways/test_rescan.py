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


class Touchy(GrepScanners):
    """Breaks down when it sees a file that holds `poison`."""

    def run(
        self,
        tree: Path,
        tools: Iterable[str],
        on_done: Callable[[str, ToolRun], None] = lambda tool, run: None,
        *,
        separate: bool = False,
    ) -> list[ScannerOutput]:
        ran = super().run(tree, tools, separate=separate)
        if not any(b"poison" in data for data in self.seen.values()):
            return ran
        broke = {"status": ToolStatus.FAILED, "detail": "TypeError"}
        return [
            ScannerOutput(run=one.run.model_copy(update=broke), file_name=one.file_name)
            if one.run.tool == "touchy"
            else one
            for one in ran
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


@pytest.mark.parametrize("poisoned", [(0,), (6,), (2, 3), (0, 3, 6)])
def test_a_variant_that_breaks_a_scanner_takes_no_other_with_it(
    tmp_path: Path, poisoned: tuple[int, ...]
) -> None:
    texts = {n: {"a.yml": "poison bad" if n in poisoned else "bad", "b.yml": ""} for n in range(7)}
    variants = {f"v{n}": files for n, files in texts.items()}
    scanners = Touchy()
    rescan = VariantRescanner(scanners, parse, tmp_path)(variants, frozenset({"steady", "touchy"}))
    assert [(run.tool, run.status) for run in rescan.runs] == [
        ("steady", ToolStatus.RAN), ("touchy", ToolStatus.RAN)]  # fmt: skip
    assert f"broke down over {len(poisoned)} of 7" in rescan.runs[1].detail
    for number in texts:
        steady, *others = rescan.results[f"v{number}"]
        assert steady == result("a.yml", "steady")
        if number in poisoned:
            unread = [(one.tool, one.rule_id, one.path) for one in others]
            assert unread == [("touchy", UNREAD_RULE, path) for path in ("a.yml", "b.yml")]
        else:
            assert others == [result("a.yml", "touchy")]
    assert list(tmp_path.iterdir()) == []


def test_a_scanner_that_always_breaks_down_has_failed_after_a_bounded_number_of_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variants = {f"v{n}": {"a.yml": "poison"} for n in range(7)}
    scanners = Touchy()
    rescan = VariantRescanner(scanners, parse, tmp_path)(variants, frozenset({"touchy"}))
    assert [run.status for run in rescan.runs] == [ToolStatus.FAILED]
    assert len(scanners.separate) == 13
    monkeypatch.setattr("secai_lib.gateways.rescan.RETRY_SECONDS", 0.0)
    scanners = Touchy()
    VariantRescanner(scanners, parse, tmp_path)(variants, frozenset({"touchy"}))
    assert len(scanners.separate) == 1


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
