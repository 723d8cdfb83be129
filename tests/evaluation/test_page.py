"""The before/after page: hostile answers stay text, rows are chosen by rule."""

from html import unescape
from html.parser import HTMLParser

from secai_lib.core.training import TrainingExample
from secai_lib.core.verdict import Verdict
from secai_lib.evaluation.exam import Answer, Marked
from secai_lib.evaluation.page import examples, render_markdown, render_page
from secai_lib.evaluation.scores import count, retained
from tests.fakes.training_rows import make_training_row
from tests.quality.test_evaluation import make_evaluation

HOSTILE = '</pre><script>alert(1)</script><img src="http://x/y" onerror=a> \u202e\x1b[31m'
GATE = Verdict(name="stage1", passed=False, value=0.1, threshold=0.75, sentence="Too few <b> | x.")


class Reader(HTMLParser):
    """Collects tags and whatever would load or run something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [n for n, _ in attrs if n in ("src", "href") or n.startswith("on")]


def rows_and_marks() -> tuple[dict[str, TrainingExample], list[Marked]]:
    rows = [make_training_row(body=f"Rule: {n} {HOSTILE}") for n in range(8)]
    marks = [
        Marked(
            answer=Answer(contender=name, stage=1, row=row.id, text=HOSTILE),
            marks={"valid": right, "all_fields": right},
            why="" if right else "valid",
        )
        for number, row in enumerate(rows)
        for name, right in (
            *(("base", False), ("stage1", number % 2 == 0)),
            *(("stage2", number == 4), ("truth", True)),
        )
    ]
    return {row.id: row for row in rows}, marks


def test_nothing_hostile_is_markup_and_nothing_is_loaded() -> None:
    rows, marks = rows_and_marks()
    page = render_page(make_evaluation(), [GATE], examples(rows, marks, 1))
    read = Reader(page)
    assert not {"script", "img", "link", "iframe"} & set(read.tags)
    assert read.loads == []
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page
    assert "\x1b" not in page
    assert "default-src 'none'" in unescape(page)
    assert page == render_page(make_evaluation(), [GATE], examples(rows, marks, 1))


def test_examples_are_taken_from_every_pattern_of_right_and_wrong() -> None:
    rows, marks = rows_and_marks()
    shown = examples(rows, marks, 1, limit=3)
    patterns = [
        tuple(e.answers[name].marks["all_fields"] for name in ("base", "stage1", "stage2"))
        for e in shown
    ]
    assert patterns == [(False, True, True), (False, True, False), (False, False, False)]
    assert len(examples(rows, marks, 1)) == 6
    assert examples(rows, marks, 2) == []


def test_the_tables_show_what_was_counted() -> None:
    rows, marks = rows_and_marks()
    made = make_evaluation().model_copy(
        update={
            "scores": count(marks, dict.fromkeys(rows, ("all", "facet:known")), 0.95),
            "retention": retained(marks, 0.95),
        }
    )
    page, text = render_page(made, [GATE], []), render_markdown(made, [GATE])
    for shown in (page, text):
        assert "4/8 (0.22-0.78)" in shown
        assert "1/8" in shown
        assert "3 forgotten" in shown or "3 of 8 rows forgotten" in shown
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert "| stage1 | failed | Too few <b> / x. |" in table
    blocks = [block for block in text.split("\n\n") if block.startswith("|")]
    assert len(blocks) == 3
    for block in blocks:
        assert len({line.count("|") for line in block.splitlines()}) == 1
