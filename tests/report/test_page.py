"""The page is well formed, self-contained, complete, and hostile text stays text in it."""

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from secai_lib.core.fix import Edit
from secai_lib.report.build import build_report
from secai_lib.report.page import render_index, render_page
from tests.fakes.records import PATH, make_fix, make_problem, make_proposal
from tests.report.hostile import hostile_report
from tests.report.scenario import Scenario, build, shop

VOID = {"meta", "input", "br"}


class Page(HTMLParser):
    """Collects what the tests ask about and refuses badly nested tags."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.raw: dict[str, str] = {"style": "", "script": ""}
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if self.stack and self.stack[-1] in self.raw:
            self.raw[self.stack[-1]] += data
        else:
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def values(self, attribute: str) -> list[str]:
        return [a[attribute] for _, a in self.tags if attribute in a]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render_page(shop().report()))


def test_every_section_and_number_is_there(page: Page) -> None:
    headings = [a.get("id") for a in page.all("h2")]

    assert headings == ["first", "fixes", "silence", "problems", "coverage"]
    assert len(page.all("h1")) == 1
    assert "45 proven fixes 40 in one patch" in page.text
    assert "86 open problems 45 with a proven fix" in page.text
    assert "33 by re-scan, 10 by the advisory's version ranges, 2 by a rule of our own" in page.text
    assert "gitleaks (not run)" in page.text
    assert "every one is evidence of a finding or skipped with a reason" in page.text


def test_ids_are_unique_and_every_link_inside_leads_somewhere(page: Page) -> None:
    ids = page.values("id")
    links = [href for href in page.values("href") if href.startswith("#")]

    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links} <= set(ids)
    assert len([i for i in ids if i.startswith("fix-")]) == 45
    assert {a for name in ("aria-labelledby",) for a in page.values(name)} <= set(ids)


def test_the_table_has_a_row_for_every_problem(page: Page) -> None:
    rows = [a for a in page.all("tr") if "data-severity" in a]

    assert len(rows) == 86
    assert sum(row["data-fixed"] == "yes" for row in rows) == 45
    assert {row["data-category"] for row in rows} == {
        "code",
        "container",
        "dependency",
        "infrastructure",
        "web",
    }
    labelled = [a for a in page.all("th") if a.get("scope") in ("col", "row")]
    assert len(labelled) == len(page.all("th"))


def test_every_fix_has_its_certificate_and_its_command(page: Page) -> None:
    assert len(re.findall(r"secai verify certificates/[0-9a-f]{16}\.json", page.text)) == 45
    assert "Before: the unfixed file triggers the finding" in page.text
    assert sum(a.get("class") == "add" for a in page.all("span")) == 50


def test_nothing_comes_from_outside_and_only_its_own_script_runs(page: Page) -> None:
    policy = next(a["content"] for a in page.all("meta") if "http-equiv" in a)
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.raw[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert not page.values("src")
    assert not page.values("style")
    assert not [name for _, a in page.tags for name in a if name.startswith("on")]
    assert not {"link", "img", "iframe", "base", "object"} & {tag for tag, _ in page.tags}
    assert "@import" not in page.raw["style"]
    assert "url(" not in page.raw["style"]


def test_links_outside_are_https_and_tell_nothing(page: Page) -> None:
    outside = [a for a in page.all("a") if not a["href"].startswith("#")]

    assert outside
    assert all(a["href"].startswith("https://") for a in outside)
    assert all("noreferrer" in a["rel"] for a in outside)


def test_hostile_strings_are_text_everywhere() -> None:
    report, _ = hostile_report()
    html = render_page(report)
    page = Page(html)

    assert len(page.all("script")) == len(page.all("style")) == 1
    assert not {"img", "iframe"} & {tag for tag, _ in page.tags}
    assert not [name for _, a in page.tags for name in a if name.startswith("on")]
    assert all(re.match(r"#|https://", href) for href in page.values("href"))
    assert "<script>alert(1)</script>" in page.text
    assert "{{ 7*7 }}" in page.text
    assert "⟨U+202E⟩gnp.exe" in page.text
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", page.text)
    assert "\x00" not in page.text
    assert len(page.all("h2")) == 5


def test_a_fix_outside_of_the_patch_says_why() -> None:
    problem = make_problem()
    fix = make_fix(problem, in_patch=False)
    told = render_page(build(problems=[problem], fixes=[fix], left_out={fix.id: "Lines <4>."}))
    silent = render_page(build(problems=[problem], fixes=[fix]))

    assert "Not in the combined patch:</strong> Lines &lt;4&gt;." in told
    assert "Not in the combined patch:</strong> apply it alone." in silent


def test_a_long_diff_is_cut_and_says_so() -> None:
    problem = make_problem()
    edit = Edit(path=PATH, start=0, end=0, replacement="line\n" * 1000)
    fix = make_fix(problem, proposal=make_proposal(edits=(edit,)))
    html = render_page(Scenario(problems=[problem], fixes=[fix]).report())

    assert html.count('<span class="add">') < 400
    assert "more lines in fixes.patch" in html


def test_thousands_of_problems_make_a_page_that_says_what_is_missing() -> None:
    problems = [make_problem(id=f"{number:016x}") for number in range(2100)]
    html = render_page(Scenario(problems=problems).report())

    assert len(html) < 4_000_000
    assert "100 less urgent problems left out here" in html
    assert "2,100 open problems without a fix; no reason was recorded." in html


def test_an_empty_report_is_a_page_that_claims_nothing() -> None:
    page = Page(render_page(build(scans=[])))

    assert "No scanner ran. This page says nothing about the repository" in page.text
    assert "Nothing to show: no scanner ran." in page.text
    assert page.all("form") == []
    assert "Nothing was abstained from." in page.text


def test_a_clean_scan_is_told_apart_from_no_scan() -> None:
    page = Page(render_page(Scenario().report()))

    assert "No open problem was found by the scanners that ran." in page.text
    assert "No scanner ran" not in page.text


def test_unexplained_results_are_said() -> None:
    arguments = shop().arguments()
    arguments["raw_results"] += 2

    assert "2 of them unexplained." in render_page(build_report(**arguments))


def test_the_index_links_every_folder() -> None:
    report = shop().report()
    hostile, _ = hostile_report()
    page = Page(render_index({"b c#": hostile, "acme-shop": report}))

    assert [a["href"] for a in page.all("a")] == ["acme-shop/report.html", "b%20c%23/report.html"]
    assert "2 repositories" in page.text
    assert "No report yet" in Page(render_index({})).text
