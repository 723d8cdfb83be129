"""Triage against 189 problems of a real repository, each labelled by hand.

`labels.csv` has the decision to which reading the code, the workflows, the lockfiles and the
reports leads, and why; `lockfiles.csv` what the repository's lockfiles say of the packages.
"""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from secai_assets.assets.findings import parse_run
from secai_assets.assets.problems import join_runs, read_problems, read_triage
from secai_assets.assets.raw_scans import take_in
from secai_assets.resources.house import House
from secai_assets.resources.intake import files_scan
from secai_lib.core.problem import Problem
from tests.gateways.test_source import commit

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "triage"
REPOSITORY = "hitoshura25/mpo-api-authn-server"

Key = tuple[str, str, str, str]


def labels() -> dict[Key, str]:
    with (SAMPLES / "labels.csv").open(encoding="utf-8", newline="") as file:
        return {
            (row["rules"], row["place"], row["line"], row["package"]): row["expected"]
            for row in csv.DictReader(file)
        }


def key_of(problem: Problem) -> Key:
    place, package = problem.location, problem.package
    named = [getattr(place, name, "") for name in ("path", "image", "url")]
    return (
        " ".join(problem.rules),
        next((name for name in named if name), ""),
        str(getattr(place, "start_line", None) or ""),
        f"{package.name} {package.version}" if package else "",
    )


def lockfiles() -> dict[str, bytes]:
    texts: dict[str, str] = defaultdict(str)
    with (SAMPLES / "lockfiles.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            texts[row["path"]] += f"{row['package']}:{row['version']}={row['configurations']}\n"
    return {path: text.encode() for path, text in texts.items()}


@pytest.fixture
def pairs(real_scans: Path, home: Path, tmp_path: Path) -> Counter[tuple[str, str, str]]:
    """How often which label met which decision of which rule."""
    house, folder = House(), tmp_path / "server"
    folder.mkdir()
    commit(folder, lockfiles(), remote=f"https://github.com/{REPOSITORY}")
    sha = house.source.snapshot(folder).commit
    request = files_scan(house, real_scans, repository=REPOSITORY, commit=sha, branch="main")
    key = house.add_request(request)
    take_in(house, key, print)
    parse_run(house, key)
    join_runs(house)
    told, expected = read_triage(house), labels()
    return Counter(
        (expected[key_of(p)], told[p.id].decision.value, told[p.id].rule)
        for p in read_problems(house)
    )


def test_nothing_actionable_is_silenced_and_most_of_the_noise_is(
    pairs: Counter[tuple[str, str, str]],
) -> None:
    met: Counter[tuple[str, str]] = Counter()
    for (label, decision, _), count in pairs.items():
        met[label, decision] += count
    print(sorted(pairs.items()))  # noqa: T201 - the README's table, with `pytest -s`
    assert sum(pairs.values()) == 189
    wrong = {pair: n for pair, n in met.items() if pair[0] == "actionable" != pair[1]}
    assert wrong == {}, "an actionable problem is silenced"
    noise = sum(n for (label, _), n in met.items() if label == "false_positive")
    assert met["false_positive", "false_positive"] / noise >= 0.8
    assert met["not_fixable_here", "not_fixable_here"] == 31
