"""One comment: short enough, safe, and it says what it leaves out."""

import re

from markdown_it import MarkdownIt

from secai_lib.core.fix import Edit
from secai_lib.report.comment import LIMIT, MARKER, render_comment
from tests.fakes.records import PATH, make_fix, make_problem, make_proposal
from tests.report.hostile import hostile_report
from tests.report.scenario import Scenario, build, shop

PARSER = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
OWN_HTML = {"<code>", "</code>", MARKER}


def test_the_comment_says_the_numbers_first() -> None:
    text = render_comment(shop().report())
    lines = text.splitlines()

    assert lines[0] == MARKER
    assert lines[1] == "## SecAI: 45 proven fixes for 45 of 86 open problems"
    assert "209 raw results in 1 scan are 100 distinct findings" in text
    assert "Left out" not in text
    headings = re.findall(r"^### (.*)$", text, re.MULTILINE)
    assert headings == [
        "Begin here",
        "Proven fixes",
        "No fix offered",
        "Coverage",
        "Check it yourself",
    ]


def test_equal_edits_are_shown_once() -> None:
    text = render_comment(shop().report())

    assert text.count("<details>") == text.count("</details>") == 40
    assert text.count("Removes 1 further problem too") == 5
    assert "| Dependency bump | 10 | 5 | 1 | advisory |" in text


def test_not_run_is_not_zero() -> None:
    text = render_comment(shop().report())

    assert "| gitleaks |  | not run | unknown | not installed here |" in text
    assert "| bandit | 1.9.4 | failed | unknown | stopped after 120 s |" in text


def test_a_diff_with_fences_and_windows_line_ends_stays_in_its_block() -> None:
    problem = make_problem()
    edit = Edit(path=PATH, start=0, end=0, replacement="````\r\n</details>\r\n")
    fix = make_fix(problem, proposal=make_proposal(edits=(edit,)), base={PATH: "```\r\nx\r\n"})
    text = render_comment(Scenario(problems=[problem], fixes=[fix]).report())
    (fence,) = [t for t in PARSER.parse(text) if t.type == "fence"]

    assert fence.info == "diff"
    assert fence.markup == "`````"
    assert "+</details>\n" in fence.content
    assert "\r" not in text


def test_too_much_is_cut_and_counted() -> None:
    scenario = shop()
    scenario.fixes = [
        fix.model_copy(update={"diff": fix.diff + " context\n" * 2000}) for fix in scenario.fixes
    ]
    text = render_comment(scenario.report())

    assert len(text) <= LIMIT
    left = re.search(r"Left out here to stay below GitHub's limit: (\d+) diffs", text)
    assert left is not None
    assert int(left[1]) + text.count("<details>") == 40
    assert text.rstrip().endswith("<code>fixes.patch</code>.")
    assert "### Check it yourself" in text


def test_ten_thousand_problems_fit() -> None:
    scenario = Scenario()
    for number in range(10_000):
        problem = make_problem(id=f"{number:016x}", title=f"Problem {number} " + "x" * 500)
        scenario.problems.append(problem)
    text = render_comment(scenario.report())

    assert len(text) <= LIMIT
    assert "of 10,000 open problems" in text


def test_hostile_strings_are_text_everywhere() -> None:
    report, _ = hostile_report()
    text = render_comment(report)
    tokens = [t for token in PARSER.parse(text) for t in (token, *(token.children or ()))]

    assert len(text) <= LIMIT
    html = [t.content for t in tokens if t.type == "html_inline"]
    assert set(html) <= OWN_HTML
    blocks = [t.content.strip() for t in tokens if t.type == "html_block"]
    assert all(b in (MARKER, "</details>") or b.startswith("<details>\n<summary>") for b in blocks)
    assert not {"link_open", "image", "blockquote_open", "bullet_list_open"} & {
        t.type for t in tokens
    }
    shown = "".join(t.content for t in tokens if t.type in ("text", "text_special"))
    assert "@octocat" not in shown
    assert "://" not in shown
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x1b]", text)
    assert text.startswith(MARKER + "\n")


def test_nothing_scanned_is_not_called_clean() -> None:
    text = render_comment(build(scans=[]))

    assert "0 proven fixes for 0 of 0 open problems" in text
    assert "No scanner ran" in text
    assert "No scanner is known for these runs." in text
