"""What was appended survives a kill; a torn line spoils no other."""

from pathlib import Path

import pytest

from secai_lib.core.record import Record
from secai_lib.gateways.journal import Journal


class Done(Record):
    """A finished thing."""

    number: int
    text: str = "größer\n\u2028"


def test_what_is_appended_is_read_in_order(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "deep" / "journal.jsonl")
    assert journal.read(Done) == []
    for number in range(3):
        journal.append(Done(number=number))

    assert [done.number for done in Journal(tmp_path / "deep" / "journal.jsonl").read(Done)] == [
        *(0, 1, 2),
    ]


@pytest.mark.parametrize("lost", range(1, 30))
def test_a_torn_line_costs_one_record(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.append(Done(number=0))
    journal.append(Done(number=1))
    path.write_bytes(path.read_bytes()[:-lost])
    journal.append(Done(number=2))

    assert [done.number for done in journal.read(Done)] == [0, 2]


def test_lines_of_another_form_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'\xff\xfe\n{"number":"x"}\nnull\n{"number":7}')

    assert [done.number for done in Journal(path).read(Done)] == [7]


def test_a_removed_journal_is_empty(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.append(Done(number=1))
    journal.remove()
    journal.remove()

    assert journal.read(Done) == []
