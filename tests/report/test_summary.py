"""The terminal's numbers are those of the report."""

from secai_lib.report.build import build_report
from secai_lib.report.render import render
from secai_lib.report.summary import FILES, summary_rows
from tests.report.hostile import hostile_report
from tests.report.scenario import Scenario, build, shop


def test_the_rows_follow_the_flow() -> None:
    summary = summary_rows(shop().report())
    rows = {row.label: row for row in summary.rows}

    assert summary.title == "acme/shop (main) at 0123456789ab"
    assert {label: row.value for label, row in rows.items()} == {
        "Scans": 1,
        "Report files": 5,
        "Raw results": 209,
        "Findings": 100,
        "Problems": 86,
        "Code contexts": 75,
        "Proven fixes": 45,
        "Problems without a fix": 41,
    }
    assert rows["Raw results"].detail == "200 are evidence of a finding, 9 skipped"
    assert rows["Proven fixes"].detail == "40 in one patch: 16 files, +50 -27 lines"
    assert [(row.label, row.value) for row in summary.fixes][:2] == [
        ("Pin action", 20),
        ("Dependency bump", 10),
    ]
    assert sum(row.value for row in summary.abstentions) == 41
    assert all(row.detail for row in summary.abstentions)
    assert summary.not_run == ("bandit: stopped after 120 s", "gitleaks: not installed here")


def test_the_files_are_those_that_are_written() -> None:
    assert sorted(FILES) == sorted(render(Scenario().report(), {}))


def test_wrong_accounting_is_said() -> None:
    arguments = shop().arguments()
    arguments["raw_results"] += 1
    more = summary_rows(build_report(**arguments))
    arguments["raw_results"] -= 3
    less = summary_rows(build_report(**arguments))

    assert more.rows[2].detail.endswith("1 unexplained")
    assert less.rows[2].detail.endswith("2 counted twice")


def test_an_empty_report_and_hostile_text_are_lines() -> None:
    empty = summary_rows(build(scans=[]))
    hostile = summary_rows(hostile_report()[0])

    assert empty.rows[0].detail == "no scanner ran"
    texts = [hostile.title, *hostile.not_run]
    for row in (*hostile.rows, *hostile.fixes, *hostile.abstentions):
        texts += [row.label, row.detail]
    assert all(text.isprintable() for text in texts)
