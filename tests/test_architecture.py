"""Who may know whom: walked through the imports of every file."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "secai_lib"
ROOMS = {
    path.name
    for path in LIBRARY.iterdir()
    if path.is_dir() and (path / "__init__.py").is_file() and path.name not in {"core", "gateways"}
}
WORLD = {
    "subprocess",
    "socket",
    "httpx",
    "requests",
    "urllib.request",
    "pygit2",
    "duckdb",
    "shutil",
}
HEAVY = {"torch", "transformers", "sentence_transformers", "faiss", "mlx", "mlx_lm", "peft"}
SOURCES = sorted(
    path
    for folder in ("secai_lib", "secai_assets")
    for path in (ROOT / folder).rglob("*.py")
    if "demo/repository" not in path.as_posix()
)


def imports(path: Path, *, top_level: bool = False) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    nodes = tree.body if top_level else ast.walk(tree)
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def room_of(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0]


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_respect_the_plan(path: Path) -> None:
    used = imports(path)
    tops = {name.split(".")[0] for name in used}
    assert not {n.split(".")[0] for n in imports(path, top_level=True)} & HEAVY, "import lazily"
    if path.is_relative_to(ROOT / "secai_assets"):
        return
    assert not tops & {"dagster", "secai_assets"}, "the library does not know Dagster"
    ours = {name.split(".")[1] for name in used if name.startswith("secai_lib.")}
    room = room_of(path)
    if room == "core":
        assert ours <= {"core"}, "the ground floor imports nothing of ours"
    elif room == "gateways":
        assert ours <= {"core", "gateways"}, "a door knows no room"
    elif room in ROOMS:
        assert ours <= {"core", room}, f"the room {room} knows another room or a door"
        assert not (used | tops) & WORLD, "only a door touches the world"


def test_the_rooms_are_those_of_the_plan() -> None:
    assert {"parsers", "findings", "problems", "code_context", "route_mapping", "fixes"} <= ROOMS
    assert {"report", "quality", "demo"} <= ROOMS


def test_every_step_has_the_same_name_in_assets_and_checks() -> None:
    folder = ROOT / "secai_assets"
    assets = {p.stem for p in (folder / "assets").glob("*.py")} - {"__init__"}
    checks = {p.stem for p in (folder / "checks").glob("*.py")} - {"__init__", "wear"}
    assert assets == checks


def test_only_the_agreed_files_are_at_the_top() -> None:
    agreed = {
        *("pyproject.toml", "secai_assets", "secai_lib", "workspace.yaml", "config", "tests"),
        *("README.md", "Makefile", "LICENSE"),
    }
    here = {p.name for p in ROOT.iterdir() if not p.name.startswith(".")}
    assert here - agreed - {"secai.egg-info", "build"} == set()
