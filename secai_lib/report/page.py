"""The HTML pages: one self-contained page a repository, and the index of them."""

import base64
import hashlib
from collections.abc import Mapping
from functools import cache
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from secai_lib.core.finding import Category, Severity
from secai_lib.core.text import one_line, plural
from secai_lib.report.advice import abstention_groups
from secai_lib.report.decisions import apart
from secai_lib.report.fix_view import fixes_by_method, kinds
from secai_lib.report.model import RepositoryReport
from secai_lib.report.page_view import rows, steps, tools
from secai_lib.report.patch import patch_size
from secai_lib.report.summary import title_of
from secai_lib.report.text import CATEGORY_WORDS

_ROWS = 2000
"""Problems in the table; the rest stands in problems.json."""


def render_page(report: RepositoryReport) -> str:
    """The whole page as HTML: no outside resource, readable without its script."""
    table = rows(report)
    counts = report.counts
    return _render(
        "report.html.j2",
        report=report,
        counts=counts,
        title=title_of(report),
        steps=steps(report, table),
        kinds=kinds(report),
        methods=fixes_by_method(report),
        groups=abstention_groups(report),
        apart=apart(report),
        quiet={p.id for group in apart(report) for p, _ in group.problems},
        rows=list(table.values())[:_ROWS],
        table=table,
        rows_left=max(0, len(table) - _ROWS),
        tools=tools(report),
        size=patch_size(report.patch),
        severities=[s for s in Severity if counts.by_severity.get(s.value)],
        categories=[c for c in Category if counts.by_category.get(c.value)],
        category_words=CATEGORY_WORDS,
        unexplained=counts.raw_results - counts.explained,
    )


def render_index(reports: Mapping[str, RepositoryReport]) -> str:
    """A small page that links each report's folder; `reports` maps folder -> report."""
    entries = [
        (f"{quote(folder)}/report.html", title_of(report), report.counts, len(report.fixes))
        for folder, report in sorted(reports.items())
    ]
    return _render("index.html.j2", entries=entries)


def _render(name: str, **values: object) -> str:
    """The template filled in, with a policy that allows its own style and script and no other."""
    style, script = _static("style.css.j2"), _static("filter.js.j2")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    page = _environment().get_template(name)
    return page.render(style=style, script=script, policy=policy, **values) + "\n"


def _static(name: str) -> Markup:
    return Markup(_environment().get_template(name).render())  # noqa: S704 - our own constant text


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("secai_lib.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"plural": plural, "line": one_line}
    return environment
