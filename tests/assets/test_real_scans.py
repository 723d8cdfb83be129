"""The artifacts of one real workflow run through the whole flow; their source is not here."""

from collections import Counter
from pathlib import Path

import duckdb
import pytest

from secai_assets.assets.code_contexts import read_contexts
from secai_assets.assets.findings import read_findings, read_skipped
from secai_assets.assets.fixes import Place, read_abstentions, read_fixes
from secai_assets.assets.problems import read_problems
from secai_assets.assets.raw_scans import read_run
from secai_assets.resources.house import House
from secai_assets.resources.intake import files_scan
from secai_assets.run import run_flow
from secai_lib.core.context import ContextStatus

REPOSITORY = "hitoshura25/mpo-api-authn-server"
COMMIT = "87820e7"


@pytest.fixture
def ingested(real_scans: Path, home: Path) -> tuple[House, str]:
    house = House()
    request = files_scan(house, real_scans, repository=REPOSITORY, commit=COMMIT, branch="main")
    key = house.add_request(request)
    outcome = run_flow(house, [key])
    assert outcome.ok, (outcome.failed_steps, outcome.failed_checks)
    return house, key


def test_the_real_scans_run_through_the_whole_flow(ingested: tuple[House, str]) -> None:
    house, key = ingested
    counts = house.store.require("findings", key).counts
    assert counts["raw_results"] == 447
    assert counts["findings"] == counts["distinct_fingerprints"] == 256
    assert counts["evidence"] + counts["skipped_results"] == 447
    assert counts["malformed"] == 0
    by_tool = Counter(finding.result.tool for finding in read_findings(house, key))
    assert by_tool == {"semgrep": 107, "trivy": 84, "osv-scanner": 46, "checkov": 10, "zap": 9}
    assert {s.file.rsplit(".", 1)[1] for s in read_skipped(house, key)} == {"html", "md"}

    contexts = Counter(context.status for context in read_contexts(house, key))
    assert contexts == {
        ContextStatus.NO_SOURCE: 107 + 46 + 10,
        ContextStatus.NOT_CODE: 84 + 9,
    }

    problems = read_problems(house)
    assert len(problems) < 256, "aliases of one advisory join"
    assert any(p.tools == ("osv-scanner", "trivy") for p in problems)
    assert sum(len(p.fingerprints) for p in problems) == 256
    archived = {
        f.fingerprint for f in read_findings(house, key) if f.result.location.kind == "archive"
    }
    meeting = [p for p in problems if archived & set(p.fingerprints)]
    assert len(archived) == 22
    assert all("osv-scanner" in p.tools for p in meeting), "every advisory of app.jar has its twin"

    place = Place(REPOSITORY, "main")
    assert read_fixes(house, place) == []
    assert {a.reason_code for a in read_abstentions(house, place)} == {"no_source"}
    assert len(read_abstentions(house, place)) == len(problems)

    report = house.store.path("report", place.key)
    for name in ("report.html", "comment.md", "fixes.sarif", "fixes.patch"):
        assert (report / name).is_file()
    with duckdb.connect(str(house.store.warehouse), read_only=True) as warehouse:
        assert warehouse.execute("select count(*) from findings").fetchone() == (256,)
        assert warehouse.execute("select count(distinct problem) from evidence").fetchone() == (
            len(problems),
        )


def test_nothing_absolute_and_no_runner_path_is_stored(ingested: tuple[House, str]) -> None:
    house, key = ingested
    for finding in read_findings(house, key):
        text = finding.model_dump_json()
        assert "/home/runner" not in text
        assert str(house.project.home) not in text
    for stored in read_run(house, key).files:
        assert not stored.path.startswith("/")
        assert ".." not in Path(stored.path).parts
