"""Every sample is recognised by exactly one parser, by its content alone."""

from pathlib import Path

import pytest

from secai_lib.parsers import PARSERS
from secai_lib.parsers.document import decode

SAMPLES = Path(__file__).parents[1] / "samples"
REPORTS = sorted(
    path.relative_to(SAMPLES).as_posix()
    for path in SAMPLES.rglob("*")
    if path.suffix in {".json", ".sarif", ".xml", ".jsonl"}
)
SURE_ENOUGH = 0.5


@pytest.mark.parametrize("name", REPORTS)
def test_one_parser_knows_the_sample_and_no_other_thinks_so(name: str) -> None:
    ending = ".xml" if name.endswith(".xml") else ".json"
    document = decode(f"report{ending}", (SAMPLES / name).read_bytes())
    sure = {p.name for p in PARSERS if p.recognise(document) >= SURE_ENOUGH}
    assert sure == {"sarif" if name.endswith(".sarif") else name.split("/")[0]}


def test_every_parser_has_a_sample() -> None:
    folders = {name.split("/")[0] for name in REPORTS}
    assert {parser.name for parser in PARSERS} <= folders
