"""Fingerprints: the same thing keeps its name, different things get different ones."""

from pathlib import Path

import pytest

from secai_lib.core.finding import (
    ArchiveLocation,
    Evidence,
    ImageLocation,
    Location,
    NoLocation,
    Package,
    Result,
    Severity,
    SourceLocation,
    UrlLocation,
)
from secai_lib.findings import fingerprints
from secai_lib.parsers import parse_report

SAMPLES = Path(__file__).parents[1] / "samples"


def result(*places: Location, rule: str = "r", **more: object) -> Result:
    fields: dict[str, object] = {
        "tool": "t",
        "rule_id": rule,
        "title": "T",
        "message": "M",
        "severity": Severity.LOW,
        "severity_origin": "tool",
        "locations": places,
        "evidence": Evidence(file="f", pointer="/0"),
    }
    return Result.model_validate({**fields, **more})


def at(line: int | None, snippet: str = "", path: str = "a.py", column: int = 1) -> SourceLocation:
    end = None if line is None else line
    return SourceLocation(
        path=path, start_line=line, end_line=end, start_column=column, snippet=snippet
    )


def one(item: Result) -> str:
    return fingerprints([item])[0]


def test_sixteen_hex_digits() -> None:
    assert len(one(result(at(1)))) == 16
    assert int(one(result(at(1))), 16) >= 0


def test_line_shifts_and_indentation_change_nothing() -> None:
    assert one(result(at(3, "x = eval(y)"))) == one(result(at(90, "   x  =\teval(y)\n")))


def test_without_any_anchor_line_shifts_change_nothing_either() -> None:
    before = fingerprints([result(at(3)), result(at(9))])
    after = fingerprints([result(at(13)), result(at(19))])
    assert before == after
    assert len(set(before)) == 2


def test_text_rule_file_tool_and_resource_tell_apart() -> None:
    items = [
        result(at(1, "a()")),
        result(at(1, "b()")),
        result(at(1, "a()"), rule="other"),
        result(at(1, "a()", path="b.py")),
        result(at(1, "a()"), tool="u"),
        result(at(1, "a()"), resource="job"),
    ]
    assert len({one(item) for item in items}) == len(items)


def test_equals_in_one_file_are_numbered_by_position_whatever_the_order() -> None:
    first, second = result(at(3, "eval(x)")), result(at(8, "eval(x)"))
    names = fingerprints([first, second])
    assert names[0] != names[1]
    assert fingerprints([second, first]) == names[::-1]
    assert names[0] == one(result(at(5, "eval(x)")))


def test_two_on_one_line_differ() -> None:
    names = fingerprints([result(at(3, "f(f(x))", column=1)), result(at(3, "f(f(x))", column=3))])
    assert len(set(names)) == 2


def test_a_report_without_snippets_borrows_them() -> None:
    shown = [result(at(3, "eval(x)")), result(at(8, "run(x)"))]
    bare = [result(at(3)), result(at(8))]
    names = fingerprints([*bare, *shown])
    assert names[:2] == names[2:] == fingerprints(shown)


def test_a_named_resource_survives_edits_inside_a_long_block() -> None:
    long = "job:\n  a\n  b\n  c\n  d"
    before = result(at(1, long), resource="jobs.build")
    after = result(at(1, long + "\n  e"), resource="jobs.build")
    assert one(before) == one(after)
    assert one(before) != one(result(at(1, long), resource="jobs.test"))


def test_two_resources_at_one_place_stay_two() -> None:
    names = fingerprints([result(at(1), resource="a"), result(at(1), resource="b")])
    assert len(set(names)) == 2


def test_packages_are_named_by_version_and_place_without_the_image_tag() -> None:
    def package(image: str, version: str = "1") -> Result:
        held = Package(ecosystem="Maven", name="g:a", version=version)
        return result(ArchiveLocation(archive="app/app.jar", image=image), package=held)

    assert one(package("host:5000/x/y:1")) == one(package("host:5000/x/y:2"))
    assert one(package("host:5000/x/y:1")) == one(package("host:5000/x/y@sha256:00"))
    assert one(package("x/y:1")) != one(package("x/z:1"))
    assert one(package("x/y:1")) != one(package("x/y:1", version="2"))


def test_os_packages_ignore_how_the_target_is_written() -> None:
    held = Package(ecosystem="Ubuntu", name="curl", version="8")
    ours = result(ImageLocation(image="x/y:1", target="y"), package=held)
    theirs = result(ImageLocation(image="x/y:1", target="x/y:1 (ubuntu 24.04)"), package=held)
    assert one(ours) == one(theirs)


def test_requests_are_named_by_origin_path_method_and_parameter() -> None:
    def seen(*urls: str, **more: str) -> str:
        return one(result(*(UrlLocation(url=url, **more) for url in urls)))

    assert seen("http://h:1/a?b=1") == seen("http://h:1/a?b=2")
    assert seen("http://h:1") == seen("http://h:1/z", "http://h:1/")
    assert seen("http://h:1/") != seen("http://h:2/")
    assert seen("http://h:1/a") != seen("http://h:1/b")
    assert seen("http://h:1/a") != seen("http://h:1/a", param="x")
    assert seen("http://h:1/a") != seen("http://h:1/a", method="POST")


def test_without_a_place_the_message_tells_apart_and_lines_do_not() -> None:
    def lost(line: int, message: str = "m") -> str:
        return one(result(NoLocation(reason=f"outside (a.py), line {line}"), message=message))

    assert lost(3) == lost(4)
    assert lost(3) != lost(3, "n")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("semgrep/semgrep.json", "semgrep/semgrep.sarif"),
        ("checkov/checkov.json", "checkov/checkov.sarif"),
        ("zizmor/zizmor.json", "zizmor/zizmor.sarif"),
        ("gitleaks/gitleaks.json", "gitleaks/gitleaks.sarif"),
        ("trivy/image.json", "trivy/image.sarif"),
        ("zap/report.json", "zap/report.xml"),
    ],
)
def test_two_formats_of_one_run_are_the_same_findings(left: str, right: str) -> None:
    reports = [parse_report(name, (SAMPLES / name).read_bytes()) for name in (left, right)]
    names = fingerprints([item for report in reports for item in report.results])
    count = len(reports[0].results)
    assert set(names[:count]) == set(names[count:])
    assert len(set(names)) == count


def test_no_results_no_names() -> None:
    assert fingerprints([]) == []
