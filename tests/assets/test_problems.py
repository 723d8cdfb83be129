"""The corpus over several runs of a real repository."""

import json
import os
from pathlib import Path

import pytest

from secai_assets.assets.findings import parse_run
from secai_assets.assets.problems import (
    GIT_RENAMES,
    join_runs,
    read_history,
    read_policies,
    read_problems,
    read_triage,
)
from secai_assets.assets.raw_scans import take_in
from secai_assets.resources.house import House
from secai_assets.resources.intake import files_scan
from secai_lib.core.problem import ProblemState
from secai_lib.gateways.source import SourceStore
from secai_lib.gateways.warehouse import ask
from secai_lib.quality.problems import (
    accepted_share,
    false_positive_share,
    policy_whole,
    triaged,
)
from tests.gateways.test_source import commit

CODE = b"import subprocess\n\n\ndef run(x):\n    return subprocess.call(x, shell=True)\n" * 3


def ingest(house: House, tmp_path: Path, number: int, sha: str, *paths: str) -> None:
    """A run of bandit at `sha` that finds the same line in each of `paths`."""
    rows = [
        {
            "test_id": "B602", "test_name": "subprocess_popen_with_shell_equals_true",
            "filename": path, "line_number": 5, "line_range": [5],
            "code": "5     return subprocess.call(x, shell=True)\n",
            "issue_severity": "HIGH", "issue_confidence": "HIGH", "issue_text": "shell",
        }
        for path in paths
    ]  # fmt: skip
    report = tmp_path / f"bandit-{number}.json"
    report.write_text(
        json.dumps({"results": rows, "errors": [], "metrics": {}, "generated_at": ""})
    )
    os.utime(report, (1_750_000_000 + number, 1_750_000_000 + number))
    request = files_scan(house, report, repository="acme/shop", commit=sha, branch="main")
    key = house.add_request(request)
    take_in(house, key, print)
    parse_run(house, key)


@pytest.fixture
def shas(home: Path, tmp_path: Path) -> list[str]:
    """Two commits, the file renamed in between, both in our store."""
    house, found = House(), []
    for number, path in enumerate(("app.py", "src/app.py")):
        folder = tmp_path / str(number) / "shop"
        folder.mkdir(parents=True)
        commit(folder, {path: CODE}, remote="https://github.com/acme/shop", seconds=number)
        found.append(house.source.snapshot(folder).commit)
    return found


def test_a_problem_goes_on_in_the_renamed_file(
    shas: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House()
    ingest(house, tmp_path, 1, shas[0], "app.py")
    ingest(house, tmp_path, 2, shas[1], "src/app.py")
    manifest, _ = join_runs(house)
    (problem,) = read_problems(house)
    assert (problem.state, problem.location.path) == (ProblemState.OPEN, "src/app.py")  # type: ignore[union-attr]
    assert manifest.counts["renamed"] == 1
    (row,) = ask(house.store, "select old_path, new_path from renames").to_pylist()
    assert row == {"old_path": "app.py", "new_path": "src/app.py"}
    assert [event.event.value for event in read_history(house)] == ["seen"]

    # what git said of two commits is remembered
    known = json.loads(house.store.read("problems", GIT_RENAMES))
    assert known == {f"acme/shop {shas[0]} {shas[1]}": {"app.py": "src/app.py"}}

    def asked(*_: object) -> dict[str, str]:
        raise AssertionError("git is asked again")

    monkeypatch.setattr(SourceStore, "renames", asked)
    ingest(house, tmp_path, 3, shas[1], "other.py")
    again, reused = join_runs(house)
    assert not reused
    states = {p.location.path: p.state for p in read_problems(house)}  # type: ignore[union-attr]
    assert states == {"src/app.py": ProblemState.FIXED, "other.py": ProblemState.OPEN}
    assert again.counts["fixed"] == again.counts["renamed"] == 1


def test_source_that_arrives_later_joins_what_was_two(home: Path, tmp_path: Path) -> None:
    house = House()
    folders, found = [], []
    for number, path in enumerate(("app.py", "src/app.py")):
        folder = tmp_path / str(number) / "shop"
        folder.mkdir(parents=True)
        made = commit(folder, {path: CODE}, remote="https://github.com/acme/shop", seconds=number)
        folders.append(folder)
        found.append(str(made.head.target))
    ingest(house, tmp_path, 1, found[0], "app.py")
    ingest(house, tmp_path, 2, found[1], "src/app.py")
    join_runs(house)
    assert len(read_problems(house)) == 2
    for folder in folders:
        house.source.snapshot(folder)
    join_runs(house)
    assert len(read_problems(house)) == 1
    assert join_runs(house)[1], "nothing changed since"


POLICY = """accept:
  - rule: bandit:B602
    path: scripts/*
    reason: The shell gets constants only.
    until: 2025-12-31
    by: ada
  - {rule: "bandit:B602", path: "gone/*", reason: was, until: 2025-12-31, by: ada}
  - {rule: "bandit:B602", path: "app.py", reason: was, until: 2025-01-31, by: ada}
  - {rule: "bandit:B602", path: "app.py", reason: nobody says it, until: 2025-12-31}
"""


def test_what_people_accept_is_read_at_the_scanned_commit(home: Path, tmp_path: Path) -> None:
    house, folder = House(), tmp_path / "shop"
    folder.mkdir()
    paths = ("app.py", "scripts/a.py", "tests/b.py")
    commit(
        folder,
        {".secai.yaml": POLICY.encode(), **dict.fromkeys(paths, CODE)},
        remote="https://github.com/acme/shop",
    )
    sha = house.source.snapshot(folder).commit
    (folder / ".secai.yaml").write_text("accept: []\n")  # not committed: it says nothing
    ingest(house, tmp_path, 1, sha, *paths)
    counts = join_runs(house)[0].counts
    told = {p.location.path: read_triage(house)[p.id] for p in read_problems(house)}  # type: ignore[union-attr]
    assert {path: (t.decision.value, t.rule) for path, t in told.items()} == {
        "app.py": ("actionable", "none"),
        "scripts/a.py": ("accepted", "accepted"),
        "tests/b.py": ("false_positive", "test_code"),
    }
    (policy,) = read_policies(house)
    assert (policy.expired, policy.unmatched) == ((8,), (7,))
    assert policy.faults == (".secai.yaml line 9: `by` is missing",)
    rows = ask(house.store, "select decision, rule from triage order by decision").to_pylist()
    assert [row["decision"] for row in rows] == ["accepted", "actionable", "false_positive"]
    quality = house.settings.quality
    assert triaged(counts, quality).passed
    verdict = policy_whole(counts, quality)
    assert not verdict.passed
    assert "1 acceptances are expired, 1 match no problem" in verdict.sentence
    assert accepted_share(counts, quality).value == 0.3333
    assert not accepted_share(counts, quality).passed
    assert false_positive_share(counts, quality).passed
    assert join_runs(house)[1], "nothing changed since"
    assert not triaged({**counts, "untriaged": 1}, quality).passed
    assert not false_positive_share({**counts, "false_positive": 2}, quality).passed


def test_a_policy_that_is_no_text_is_told(home: Path, tmp_path: Path) -> None:
    house, folder = House(), tmp_path / "shop"
    folder.mkdir()
    files = {".secai.yaml": b"accept: \0", "app.py": CODE}
    commit(folder, files, remote="https://github.com/acme/shop")
    ingest(house, tmp_path, 1, house.source.snapshot(folder).commit, "app.py")
    assert join_runs(house)[0].counts["policy_faults"] == 1
    assert read_policies(house)[0].faults[0].endswith("the file is no text or too large")
