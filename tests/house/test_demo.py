"""`secai demo` from nothing, again, and after a commit that fixes something."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from secai_assets.assets.findings import read_findings, read_skipped
from secai_assets.assets.fixes import Place, read_fixes
from secai_lib.core.problem import Problem, ProblemState
from tests.house.conftest import Finished
from tests.house.kit import (
    DEMO,
    FLOW,
    PLACE,
    ROOT,
    git,
    house,
    leftovers,
    problems,
    report_files,
    reused,
    secai,
    sentence,
    sql,
)

pytestmark = pytest.mark.slow
NESTBOX = Place("secai-demo/nestbox", "main")
SCHEMA = ROOT / "secai_lib" / "report" / "schema" / "sarif-2.1.0-rtm.5.json"


def summary(text: str) -> dict[str, int]:
    """Label -> number of the first block of the summary."""
    rows = re.findall(r"^([A-Z][A-Za-z ]+?) {2,}([\d,]+)  ", text, re.MULTILINE)
    return {label: int(number.replace(",", "")) for label, number in rows}


def test_the_summary_the_manifests_and_the_warehouse_say_the_same(finished: Finished) -> None:
    doors = house(finished.home)
    (key,) = doors.store.keys("findings")
    found = doors.store.require("findings", key).counts
    joined = doors.store.require("problems").counts
    offered = doors.store.require("fixes", PLACE).counts
    said = summary(finished.done.stdout)

    assert said["Raw results"] == found["raw_results"] > 100
    assert (
        said["Findings"]
        == found["findings"]
        == sql(finished.home, "select count(*) from findings")[0][0]
    )
    assert (
        said["Problems"]
        == joined["open"]
        == sql(finished.home, "select count(*) from problems where state = 'open'")[0][0]
    )
    assert said["Code contexts"] == sql(finished.home, "select count(*) from contexts")[0][0]
    assert said["Proven fixes"] == offered["offered"] > 50
    assert said["Problems without a fix"] == offered["abstained"]
    assert offered["fixed"] + offered["abstained"] == joined["open"]
    assert said["Scans"] == 1
    statuses = dict(sql(finished.home, "select tool, status from tool_runs"))
    assert {"bandit", "checkov", "detect-secrets", "semgrep", "zizmor"} <= {
        tool for tool, status in statuses.items() if status == "ran"
    }
    by_kind = re.findall(
        r"^ +(\d+) {2}\S.*$",
        finished.done.stdout.split("Proven fixes by kind")[1].split("Without a fix")[0],
        re.MULTILINE,
    )
    assert sum(map(int, by_kind)) == offered["offered"]


def test_every_raw_result_is_accounted_for(finished: Finished) -> None:
    """Counted once more in the stored files themselves, by nobody's parser."""
    doors = house(finished.home)
    (key,) = doors.store.keys("findings")
    counts = doors.store.require("findings", key).counts
    found, skipped = read_findings(doors, key), read_skipped(doors, key)
    evidence = [piece.file for finding in found for piece in finding.evidence]
    assert len(evidence) + sum(s.results for s in skipped) == counts["raw_results"]

    folder = doors.store.path("raw_scans", key) / "files"
    counted = 0
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.suffix not in (".sarif", ".json") or not path.is_file():
            continue
        document = json.loads(path.read_text())
        if path.suffix == ".sarif":
            raw = sum(len(run.get("results", [])) for run in document["runs"])
        elif name in ("bandit.json", "semgrep.json"):
            raw = len(document["results"])
        else:
            continue
        lost = sum(s.results for s in skipped if s.file == name)
        assert evidence.count(name) + lost == raw, name
        counted += raw
    assert counted > 50


def test_the_files_are_there_and_can_be_used(finished: Finished) -> None:
    files = report_files(finished.home)
    assert {"report.html", "fixes.patch", "fixes.sarif", "comment.md", "problems.json"} <= set(
        files
    )
    named = re.findall(r"^  (\S*/current/(\S+))$", finished.done.stdout, re.MULTILINE)
    assert {name for _, name in named} >= {"report.html", "fixes.patch"}
    assert all(Path(path).is_file() for path, _ in named)

    patch = finished.home / "data" / "report" / PLACE / "current" / "fixes.patch"
    git(finished.home / "demo", "apply", "--check", str(patch))
    assert not git(finished.home / "demo", "status", "--porcelain")

    jsonschema.validate(json.loads(files["fixes.sarif"]), json.loads(SCHEMA.read_text()))
    offered = read_fixes(house(finished.home), NESTBOX)
    certificates = {name for name in files if name.startswith("certificates/")}
    assert len(certificates) == len(offered)
    for fix in offered:
        stored = house(finished.home).store.path("fixes", PLACE) / f"certificates/{fix.id}.json"
        assert json.loads(stored.read_text())["verdict"] == "proven"
    home = str(finished.home).encode()
    assert not [name for name, data in files.items() if home in data or b"/root/" in data]
    assert not leftovers(finished.home)


def test_a_second_run_recomputes_nothing(finished: Finished, mine: Callable[[], Path]) -> None:
    home = mine()
    assert not any(reused(home, FLOW).values())
    before = report_files(home)
    start = time.monotonic()
    done = secai(home, *DEMO)
    seconds = time.monotonic() - start
    assert done.returncode == 0, done.stderr
    assert all(reused(home, FLOW).values()), reused(home, FLOW)
    assert report_files(home) == before
    assert done.stdout.replace(str(home), "") == finished.done.stdout.replace(
        str(finished.home), ""
    )
    assert seconds < finished.seconds / 2, f"{seconds:.0f} s after {finished.seconds:.0f} s"
    assert secai(home, "gate").returncode == 0


def test_a_commit_that_fixes_one_thing_closes_that_problem_alone(
    finished: Finished, mine: Callable[[], Path], tmp_path: Path
) -> None:
    home = mine()
    checkout = tmp_path / "nestbox"
    shutil.copytree(home / "demo", checkout, symlinks=True)
    fix = next(f for f in read_fixes(house(home), NESTBOX) if f.proposal.kind == "python-yaml-load")
    (tmp_path / "one.patch").write_text(fix.diff)
    git(checkout, "apply", str(tmp_path / "one.patch"))
    git(checkout, "commit", "-qam", "Load YAML safely")
    before = problems(home)

    done = secai(home, "run", checkout)
    assert done.returncode == 0, sentence(done)
    after = problems(home)
    assert set(after) == set(before), "no problem is renamed, lost or new"

    def state(these: dict[str, Problem], which: ProblemState) -> set[str]:
        return {i for i, p in these.items() if p.state is which}

    closed = state(after, ProblemState.FIXED) - state(before, ProblemState.FIXED)
    assert closed == {fix.problem}
    assert {i: p.first_seen for i, p in after.items()} == {
        i: p.first_seen for i, p in before.items()
    }
    live = {"bandit", "checkov", "detect-secrets", "semgrep", "zizmor"}
    for identity, problem in after.items():
        seen_again = problem.last_seen > before[identity].last_seen
        by_live = bool(live & set(before[identity].tools))
        assert seen_again == (by_live and identity != fix.problem), problem.title
    # scanners that did not run this time say nothing: their problems stay open
    absent = [p for p in after.values() if not live & set(p.tools)]
    assert absent and all(p.state is ProblemState.OPEN for p in absent)
    offered = read_fixes(house(home), NESTBOX)
    assert fix.id not in {f.id for f in offered}
    assert len(offered) > 20
    patch = home / "data" / "report" / PLACE / "current" / "fixes.patch"
    git(checkout, "apply", "--check", str(patch))


def test_nothing_is_changed_in_the_users_checkout(finished: Finished, tmp_path: Path) -> None:
    """The sample lies in the home, so a checkout of somebody's own is looked at byte for byte."""
    sample = finished.home / "demo"
    assert git(sample, "rev-list", "--count", "--all").strip() == "1"
    done = subprocess.run(
        ["git", "fsck", "--strict"], cwd=sample, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
