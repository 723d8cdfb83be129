"""Nothing that a scanner or a repository wrote steers the terminal."""

import json
from pathlib import Path

import pytest

from secai_assets.cli.parse import parse_paths
from secai_assets.cli.terminal import shown

EVIL = "\x1b]0;x\x07\x1b[31m\x9b2J\u202e[red]"
STEERING = ("\x1b", "\x07", "\x9b", "\u202e")


def test_markup_and_control_sequences_are_only_text() -> None:
    text = shown(f"{EVIL}\nnext")
    assert not any(sign in text for sign in (*STEERING, "\n"))
    assert "\\[red]" in text


@pytest.mark.parametrize("output_format", ["table", "jsonl"])
def test_reports_cannot_steer_the_terminal(
    output_format: str, tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = {"physicalLocation": {"artifactLocation": {"uri": f"a{EVIL}.py"}}}
    result = {"ruleId": f"r{EVIL}", "message": {"text": EVIL}, "locations": [place]}
    run = {"tool": {"driver": {"name": "Semgrep OSS"}}, "results": [result]}
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "s.sarif").write_text(json.dumps({"version": "2.1.0", "runs": [run]}))
    (tmp_path / "a" / "odd\x1b[31m.json").write_text("{}")
    parse_paths([tmp_path / "a"], output_format, distinct=False)
    output = capsys.readouterr()
    for text in (output.out, output.err):
        assert text and not any(sign in text for sign in STEERING)
