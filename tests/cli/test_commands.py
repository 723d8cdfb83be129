"""The commands that need no scanner, as a person types them."""

import json
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "tests" / "samples"


def secai(*arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).parent / "secai"), *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(autouse=True)
def _home(home: Path) -> None:
    """Every command has a data home of its own."""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    file = tmp_path / "gitleaks.json"
    entry = {
        "RuleID": "generic-api-key",
        "Description": "Generic API Key",
        "StartLine": 3,
        "EndLine": 3,
        "StartColumn": 1,
        "EndColumn": 20,
        "Match": "key = hunter2-hunter2",
        "Secret": "hunter2-hunter2",
        "File": "src/app.py",
        "Commit": "",
        "Entropy": 3.5,
        "Author": "",
        "Email": "",
        "Date": "",
        "Message": "",
        "Tags": [],
        "Fingerprint": "src/app.py:generic-api-key:3",
    }
    file.write_text(json.dumps([entry, entry]))
    return file


def test_parse_prints_a_line_per_raw_result_and_no_secret(report: Path) -> None:
    done = secai("parse", report, "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 2
    assert {"tool", "rule", "severity", "message", "location", "fingerprint"} <= rows[0].keys()
    assert rows[0]["tool"] == "gitleaks"
    assert rows[0]["location"]["path"] == "src/app.py"
    assert "hunter2" not in done.stdout + done.stderr


def test_distinct_folds_what_is_the_same(report: Path) -> None:
    done = secai("parse", report, "--format", "jsonl", "--distinct")
    assert len(done.stdout.splitlines()) == 1


def test_a_broken_file_is_named_and_the_rest_is_printed(report: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.sarif").write_text('{"version": "2.1.0", "runs": [')
    (tmp_path / "empty.json").write_text("")
    (tmp_path / "notes.txt").write_text("hello")
    done = secai("parse", tmp_path, "--format", "jsonl")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2
    assert "malformed: broken.sarif" in done.stderr
    assert "malformed: empty.json" in done.stderr
    assert "skipped: notes.txt" in done.stderr


def test_an_unknown_file_alone_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# hello")
    done = secai("parse", tmp_path, "--format", "jsonl")
    assert (done.returncode, done.stdout) == (0, "")
    assert "skipped: notes.md" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("parse", "/nowhere/at/all"),
        ("parse", ".", "--format", "xml"),
        ("parse",),
        ("nonsense",),
        ("run", "demo", "--until", "nonsense"),
        ("fix", "demo", "--format", "nonsense"),
        ("fix", "demo", "--fail-on", "nonsense"),
        ("ingest", "/nowhere/at/all"),
        ("similar", "a text before there is a knowledge base"),
        ("similar", " "),
        ("similar", "x", "--kind", "nonsense"),
        ("similar", "x", "--limit", "-1"),
        ("verify", "no-such-fix"),
        ("verify",),
        ("up", "--port", "99999"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_2(arguments: tuple[str, ...]) -> None:
    done = secai(*arguments)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_hostile_zip_is_refused_and_the_rest_is_read(report: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(bad, "w") as archive:
        archive.writestr("../../escape.json", "[]")
    done = secai("parse", bad, report, "--format", "jsonl")
    assert done.returncode == 1
    assert "bad.zip" in done.stderr
    assert len(done.stdout.splitlines()) == 2


def test_what_a_folder_holds_besides_files_is_said(report: Path) -> None:
    (report.parent / "link.json").symlink_to("/etc/passwd")
    done = secai("parse", report.parent, "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert "skipped: link.json: a link is not followed" in done.stderr


def test_repositories_that_cannot_be_scanned_say_why(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    fresh = tmp_path / "fresh"
    subprocess.run(["git", "init", "-q", str(fresh)], check=True)
    for place in (empty, fresh, tmp_path / "missing"):
        done = secai("scan", place)
        assert done.returncode == 3, done.stderr
        assert done.stderr.startswith("secai: ")
        assert "Traceback" not in done.stderr
        assert done.stderr.count("\n") <= 2


def test_wrong_settings_are_listed_and_exit_2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECAI_SCANNERS__WORKERS", "many")
    monkeypatch.setenv("SECAI_QUALITY__REPORT_MAX_BYTES", "large")
    done = secai("parse", ".")
    assert done.returncode == 2
    assert "scanners.workers" in done.stderr
    assert "quality.report_max_bytes" in done.stderr


def test_a_data_home_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SECAI_HOME", str(tmp_path / "file" / "home"))
    done = secai("ingest", report)
    assert done.returncode == 5, done.stderr
    assert "Traceback" not in done.stderr


def test_the_gate_fails_closed_where_nothing_ran() -> None:
    done = secai("gate", "--json")
    assert done.returncode == 7, done.stderr
    assert {line["passed"] for line in json.loads(done.stdout)} == {False}


def test_doctor_speaks_json_and_names_every_scanner() -> None:
    done = secai("doctor", "--json")
    names = {line["what"] for line in json.loads(done.stdout)}
    assert {"bandit", "checkov", "detect-secrets", "semgrep", "zizmor", "disk"} <= names


def test_schema_says_what_every_table_is_and_what_its_columns_mean() -> None:
    listed = secai("schema")
    assert listed.returncode == 0, listed.stderr
    tables = json.loads(secai("schema", "--json").stdout)
    assert {"problems", "findings", "history", "trend"} <= tables.keys()
    for name, table in tables.items():
        assert name in listed.stdout
        assert table["about"] and all(column["about"] for column in table["columns"])
    one = secai("schema", "history")
    assert "reopened" in one.stdout and "timestamp" in one.stdout
    assert secai("schema", "nothing").returncode == 2


def test_sql_asks_what_was_ingested_and_changes_nothing(report: Path, tmp_path: Path) -> None:
    assert secai("sql", "from problems").returncode == 2
    assert secai("ingest", report, "--until", "problems").returncode == 0
    shown = secai("sql", "select severity, problems from open_by_severity")
    assert shown.stdout.split() == ["severity", "problems", "high", "1", "1", "rows"]
    lines = secai("sql", "select path, tool from findings", "--format", "jsonl").stdout
    assert [json.loads(line) for line in lines.splitlines()] == [
        {"path": "src/app.py", "tool": "gitleaks"}
    ]
    written = tmp_path / "open.parquet"
    done = secai("sql", "from problems", "--format", "parquet", "-o", written)
    assert (done.returncode, done.stdout) == (0, "")
    assert pq.read_table(written).num_rows == 1
    refused = secai("sql", "drop table problems")
    assert refused.returncode == 2 and "read-only" in refused.stderr
    assert secai("sql", "from problems", "--format", "parquet").returncode == 2


def test_a_finding_is_accepted_in_the_checkout(tmp_path: Path) -> None:
    day = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    options = ("--reason", "constants only", "--by", "ada", "--repo", tmp_path)
    name = "0123456789012345"  # digits alone stay a text
    file = tmp_path / ".secai.yaml"
    file.write_text("# ours\naccept: []\n")
    done = secai("accept", name, "--until", day, *options)
    assert done.returncode == 0, done.stderr
    text = file.read_text()
    assert text.startswith("# ours\n")
    assert f'fingerprint: "{name}"' in text
    assert f"until: {day}" in text
    for wrong, said in (
        ((name, "--until", day), "already"),
        (("short", "--until", day), "16 hexadecimal"),
        (("f" * 16, "--until", "2999-01-01"), "at most 366 days"),
        (("f" * 16, "--until", "soon"), "a day such as"),
    ):
        refused = secai("accept", *wrong, *options)
        assert refused.returncode == 2
        assert said in refused.stderr
    assert file.read_text() == text
