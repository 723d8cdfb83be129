"""npm's ranges as intervals."""

import pytest

from secai_lib.core.finding import VersionRange
from secai_lib.parsers.npm_ranges import ranges_of


@pytest.mark.parametrize(
    ("text", "intervals"),
    [
        ("<1.2.6", [VersionRange(fixed="1.2.6")]),
        ("< 1.2.6", [VersionRange(fixed="1.2.6")]),
        (">= 1.0.0, < 1.2.6", [VersionRange(introduced="1.0.0", fixed="1.2.6")]),
        (">1.0.0 <=1.2.5", [VersionRange(introduced="1.0.0", last_affected="1.2.5")]),
        ("1.0.0 - 1.2.5", [VersionRange(introduced="1.0.0", last_affected="1.2.5")]),
        ("=2.0.0-next.1", [VersionRange(introduced="2.0.0-next.1", last_affected="2.0.0-next.1")]),
        (
            "<0.2.1||>=1.0.0 <1.2.3 ",
            [VersionRange(fixed="0.2.1"), VersionRange(introduced="1.0.0", fixed="1.2.3")],
        ),
        (">=3.0.0", [VersionRange(introduced="3.0.0")]),
        ("*", [VersionRange()]),
    ],
)
def test_what_advisories_write(text: str, intervals: list[VersionRange]) -> None:
    assert ranges_of(text) == tuple(intervals)


@pytest.mark.parametrize(
    "text",
    ["", "<0.0.0", "^1.2.0", "~1.2", "1.x", "<1 <2", "latest", "<1.0.0 || ^2", "<1." * 5000],
)
def test_what_is_not_understood_gives_no_interval(text: str) -> None:
    assert ranges_of(text) == ()
