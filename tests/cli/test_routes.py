"""`secai routes` and `secai map-url` on the bundled sample, as a person types them."""

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import secai
from tests.demo.sample_facts import REPOSITORY


@pytest.fixture(autouse=True)
def _home(home: Path) -> None:
    """Every command has a data home of its own."""


def test_routes_are_printed_with_the_lines_of_their_calls() -> None:
    done = secai("routes", "demo", "--format", "jsonl")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert len(rows) == 33
    for row in rows:
        lines = (REPOSITORY / row["path"]).read_text("utf-8").splitlines()
        assert row["method"].lower() in lines[row["line"] - 1].lower()
        assert row["framework"] == "flask" or lines[row["end_line"] - 1].rstrip().endswith(
            (")", ");", "}")
        )


def test_each_line_has_one_answer_in_order(tmp_path: Path) -> None:
    asked = [
        "GET http://localhost:8080/healthz",
        "POST http://localhost:8080/healthz",
        "",
        "GET http://localhost:9/",
        "http://localhost:8080/robots.txt",
    ]
    urls = tmp_path / "urls"
    urls.write_text("\n".join(asked) + "\n", "utf-8")
    done = secai("map-url", "demo", "--urls", urls, "--format", "jsonl")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert [f"{row['method']} {row['url']}".strip() for row in rows] == [
        *asked[:2], "GET", asked[3], f"GET {asked[4]}"
    ]  # fmt: skip
    assert rows[0]["handler"]["route"] == "/healthz"
    assert rows[0]["handler"]["line"] <= rows[0]["handler"]["end_line"]
    assert (rows[0]["service"], rows[0]["reason"]) == ("locker-server", None)
    assert [row["handler"] for row in rows[1:]] == [None] * 4
    assert rows[1]["reason"] == "This path answers GET, not POST."
    assert rows[3]["service"] is None
    assert rows[4]["service"] == "locker-server"


def test_wrong_usage_is_exit_2(tmp_path: Path) -> None:
    assert secai("routes", "demo", "--format", "xml").returncode == 2
    assert secai("map-url", "demo", "--urls", tmp_path / "none").returncode == 2
