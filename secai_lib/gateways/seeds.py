"""The clean files that we bring ourselves, for the forge to put weaknesses into.

They lie in `secai_lib/fixes/seeds` and are Apache-2.0 like everything else of ours. Python
modules end in `.txt` there, so that no tool takes them for code of this project, and `workflows`
stands for the hidden folder `.github/workflows`, which packaging would pass over.
"""

from pathlib import Path

from secai_lib.core.errors import StorageError

LICENCE = "Apache-2.0"
"""Of every seed."""
SEEDS = Path(__file__).resolve().parent.parent / "fixes" / "seeds"
_HIDDEN = "workflows/"


def read_seeds() -> dict[str, str]:
    """Path as in a repository -> text, sorted; raises StorageError when none is installed."""
    found = {}
    for file in SEEDS.rglob("*"):
        if file.is_file() and not file.name.startswith("."):
            path = file.relative_to(SEEDS).as_posix().removesuffix(".txt")
            path = f".github/{path}" if path.startswith(_HIDDEN) else path
            found[path] = file.read_bytes().decode()
    if not found:
        raise StorageError("the seed files of the forge are missing; install secai again")
    return dict(sorted(found.items()))
