"""SARIF regions name exactly the characters that the offsets do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secai_lib.report.regions import Regions, disjoint, utf16_length
from tests.report.sarif_reader import offset

TEXTS = st.text(alphabet="ab🚀é\r\n\ufeff", max_size=40)


@given(TEXTS, st.integers(0, 40), st.integers(0, 40))
def test_there_and_back(text: str, first: int, second: int) -> None:
    start, end = sorted((min(first, len(text)), min(second, len(text))))
    if start == 0 and text.startswith("\ufeff"):
        with pytest.raises(ValueError, match="byte order mark"):
            Regions(text).region(start, end)
        return
    region = Regions(text).region(start, end)

    assert offset(text, region["startLine"], region["startColumn"]) == start
    assert offset(text, region["endLine"], region["endColumn"]) == end


def test_columns_are_utf16_units() -> None:
    region = Regions("x\n🚀é b\n").region(4, 5)

    assert region == {"startLine": 2, "startColumn": 4, "endLine": 2, "endColumn": 5}
    assert utf16_length("🚀é") == 3


def test_a_whole_line_ends_at_the_start_of_the_next() -> None:
    region = Regions("a\r\nb\r\n").region(0, 3)

    assert region == {"startLine": 1, "startColumn": 1, "endLine": 2, "endColumn": 1}


@pytest.mark.parametrize(("start", "end"), [(-1, 0), (2, 1), (0, 99)])
def test_offsets_outside_are_refused(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        Regions("abc").region(start, end)


def test_overlaps_are_seen() -> None:
    assert disjoint([(0, 2), (2, 2), (2, 5)])
    assert not disjoint([(0, 3), (2, 5)])
