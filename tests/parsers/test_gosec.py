"""gosec's two generations and its SARIF."""

from pathlib import Path

import pytest

from secai_lib.core.finding import ParsedReport, Severity, SourceLocation
from secai_lib.parsers import parse_report

SAMPLES = Path(__file__).parents[1] / "samples" / "gosec"


def load(name: str) -> ParsedReport:
    return parse_report(name, (SAMPLES / name).read_bytes())


def test_version_1_shows_bare_code_over_several_lines() -> None:
    unhandled, query = load("gosec-1.json").results
    assert (unhandled.path, unhandled.line) == ("cmd/serve.go", 79)
    assert (unhandled.severity, unhandled.confidence) == (Severity.LOW, "high")
    assert (unhandled.cwes, unhandled.tool_version) == ((), "")
    assert query.location == SourceLocation(
        path="store/find.go",
        start_line=36,
        end_line=38,
        snippet="fmt.Sprintf(`SELECT name\n\tFROM users\n\tWHERE id=%s`, id)",
    )


def test_version_2_numbers_its_lines_and_names_the_weakness() -> None:
    report = load("gosec-2.json")
    secret, weak, command = report.results
    assert weak.location == SourceLocation(
        path="store/open.go", start_line=14, end_line=14, start_column=6, snippet="\th := md5.New()"
    )
    # The names in `cwe` were capitals for a while.
    assert (weak.cwes, command.cwes) == (("CWE-328",), ("CWE-78",))
    assert weak.references == ("https://cwe.mitre.org/data/definitions/328.html",)
    assert (weak.suppressed, command.suppressed) == (False, True)
    assert command.help == "Take the command from a list of known ones."
    assert secret.technologies == ("go", "secrets")
    assert weak.tool_version == "2.21.4"


def test_packages_that_gosec_could_not_read_are_noted() -> None:
    report = load("gosec-2.json")
    assert [(s.pointer, s.reason, s.results) for s in report.skipped] == [
        ("/Golang errors", "gosec could not read 1 files or packages", 0)
    ]
    assert "/home/runner" not in report.model_dump_json()


@pytest.mark.parametrize("name", ["gosec-2.json", "gosec.sarif"])
def test_a_credential_is_nowhere_in_the_report(name: str) -> None:
    report = load(name)
    assert report.results[0].cwes == ("CWE-798",)
    assert "Hunter2" not in report.results[0].model_dump_json()


def test_a_credential_goes_from_the_neighbouring_code_too() -> None:
    assert "Hunter2" not in load("gosec-2.json").model_dump_json()


def test_sarif_says_the_same_as_the_json() -> None:
    for ours, theirs in zip(load("gosec.sarif").results, load("gosec-2.json").results, strict=True):
        assert (ours.rule_id, ours.severity, ours.severity_origin) == (
            theirs.rule_id,
            theirs.severity,
            theirs.severity_origin,
        )
        assert (ours.cwes, ours.confidence, ours.suppressed, ours.technologies) == (
            theirs.cwes,
            theirs.confidence,
            theirs.suppressed,
            theirs.technologies,
        )
        assert (ours.path, ours.line) == (theirs.path, theirs.line)
    weak = load("gosec.sarif").results[1].location
    assert isinstance(weak, SourceLocation)
    assert weak.snippet == "\th := md5.New()"


@pytest.mark.parametrize("issues", [b"[]", b"null"])
def test_no_issues_are_a_run_without_results(issues: bytes) -> None:
    data = b'{"Golang errors": {}, "Issues": ' + issues + b', "Stats": {"files": 1}}'
    report = parse_report("g.json", data)
    assert (report.tools, report.raw_results) == (("gosec",), 0)
