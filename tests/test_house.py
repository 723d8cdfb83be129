"""The house as Dagster sees it: it loads light; every asset is described, checked, expected."""

import json
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

ROOT = Path(__file__).resolve().parents[1]
SNAPSHOT = Path(__file__).parent / "assets" / "graph.json"
HEAVY = ("torch", "transformers", "peft", "mlx", "faiss", "sentence_transformers", "datasets")


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    from secai_assets.definitions import defs

    return defs


def test_the_code_location_loads_without_anything_heavy() -> None:
    code = (
        "import sys, secai_assets.definitions as d; "
        "import dagster; dagster.Definitions.validate_loadable(d.defs); "
        f"print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_help_needs_neither_dagster_nor_anything_heavy() -> None:
    code = (
        "import sys\n"
        "sys.argv = ['secai', '--help']\n"
        "from secai_assets.cli import main\n"
        "try: main()\n"
        "except SystemExit as done: assert not done.code\n"
        "print([m for m in ('dagster', 'duckdb', 'pyarrow', 'torch') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().endswith("[]")


def graph(definitions: dg.Definitions) -> dict[str, object]:
    resolved = definitions.resolve_asset_graph()
    return {
        key.to_user_string(): {
            "group": resolved.get(key).group_name,
            "kinds": sorted(resolved.get(key).kinds),
            "partitioned": resolved.get(key).partitions_def is not None,
            "parents": sorted(p.to_user_string() for p in resolved.get(key).parent_keys),
            "checks": {
                check.name: "blocking" if resolved.get(check).blocking else "warning"
                for check in sorted(resolved.get_check_keys_for_assets({key}), key=str)
            },
        }
        for key in sorted(resolved.get_all_asset_keys())
    }


def test_the_graph_is_the_reviewed_one(definitions: dg.Definitions) -> None:
    """When it changes on purpose: `python -m tests.test_house` writes the snapshot anew."""
    assert graph(definitions) == json.loads(SNAPSHOT.read_text())


def test_every_asset_is_described_owned_and_checked(definitions: dg.Definitions) -> None:
    resolved = definitions.resolve_asset_graph()
    for key in resolved.get_all_asset_keys():
        node = resolved.get(key)
        checks = resolved.get_check_keys_for_assets({key})
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key
        assert node.group_name not in ("", "default"), key
        assert any(resolved.get(check).blocking for check in checks), f"{key} has no blocking check"
        for check in checks:
            assert resolved.get(check).description, check


def test_nothing_starts_by_itself(definitions: dg.Definitions) -> None:
    sensors = list(definitions.sensors or [])
    assert {s.name for s in sensors} == {"automation", "github_actions", "local_repositories"}
    assert all(s.default_status is dg.DefaultSensorStatus.STOPPED for s in sensors)


if __name__ == "__main__":
    from secai_assets.definitions import defs

    SNAPSHOT.write_text(json.dumps(graph(defs), indent=2, sort_keys=True) + "\n")
