"""Hadolint's JSON and SARIF."""

from pathlib import Path

import pytest

from secai_lib.core.errors import UnknownFormat
from secai_lib.core.finding import NoLocation, ParsedReport, Severity, SourceLocation
from secai_lib.parsers import parse_report

SAMPLES = Path(__file__).parents[1] / "samples" / "hadolint"


def load(name: str) -> ParsedReport:
    return parse_report(name, (SAMPLES / name).read_bytes())


@pytest.mark.parametrize("name", ["hadolint.json", "hadolint.sarif"])
def test_both_formats_say_the_same(name: str) -> None:
    report = load(name)
    assert report.tools == ("hadolint",)
    said = {r.rule_id: (r.path, r.line, r.severity) for r in report.results}
    assert len(said) == len(report.results) == 12
    assert said["DL3007"] == ("Dockerfile", 1, Severity.MEDIUM)
    assert said["DL3004"] == ("Dockerfile", 3, Severity.HIGH)
    assert said["SC2086"] == ("Dockerfile", 5, Severity.LOW)
    assert said["DL4006"] == ("web/Containerfile", 3, Severity.MEDIUM)
    assert {r.technologies for r in report.results} == {("dockerfile",)}
    links = {r.rule_id: r.references for r in report.results}
    assert links["DL3007"] == ("https://github.com/hadolint/hadolint/wiki/DL3007",)
    assert links["SC2046"] == ("https://www.shellcheck.net/wiki/SC2046",)


@pytest.mark.parametrize("name", ["hadolint.json", "hadolint.sarif"])
def test_a_dockerfile_that_could_not_be_read_is_no_finding(name: str) -> None:
    report = load(name)
    assert report.raw_results == len(report.results) + 1
    assert [s.reason for s in report.skipped] == ["hadolint could not read the Dockerfile"]


def test_a_place_is_a_line_of_the_dockerfile() -> None:
    place = load("hadolint.json").results[1].location
    assert place == SourceLocation(path="Dockerfile", start_line=2, end_line=2, start_column=1)


def test_standard_input_is_no_file() -> None:
    data = (SAMPLES / "hadolint.json").read_bytes().replace(b'"Dockerfile"', b'"-"')
    places = [result.location for result in parse_report("h.json", data).results]
    assert sum(isinstance(place, NoLocation) for place in places) == 10


def test_shellchecks_own_list_is_not_taken_for_hadolints() -> None:
    row = (
        b'[{"file": "a.sh", "line": 1, "column": 1, "level": "info", "code": 2086, "message": ""}]'
    )
    with pytest.raises(UnknownFormat):
        parse_report("s.json", row)
