"""The README cannot rot: what it shows of the program is made by the program.

`make readme` writes the blocks between `<!-- NAME -->` and `<!-- /NAME -->` anew, all but the one
of the longer training, for which `make train` has to have run: `make readme ARGS=longer`.
"""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
WIDTH = "100"


def command(*arguments: str, **environment: str) -> str:
    program = Path(sys.executable).parent / "secai"
    done = subprocess.run(
        [program, *arguments],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": WIDTH, "NO_COLOR": "1", "TERM": "dumb"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return "\n".join(line.rstrip() for line in done.stdout.strip().splitlines())


def tree() -> str:
    """The house: every package with the first sentence of its docstring."""
    lines = []
    for top in ("secai_assets", "secai_lib"):
        folder = ROOT / top
        lines.append(f"{top + '/':<22} {purpose(folder)}")
        for package in sorted(p.parent for p in folder.rglob("__init__.py")):
            if package != folder and "repository" not in package.parts:
                name = "  " * (len(package.relative_to(ROOT).parts) - 1) + package.name + "/"
                lines.append(f"{name:<22} {purpose(package)}")
    return "\n".join(lines)


def purpose(package: Path) -> str:
    doc = ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8"))) or ""
    return doc.splitlines()[0]


def kinds() -> str:
    """Every kind of fix and the scanner rules it answers."""
    from secai_lib.fixes.rules import rules
    from secai_lib.gateways.action_pins import read_action_pins

    pins = read_action_pins(ROOT / "config" / "action_pins.yaml")
    rows = ["| fix | what it does | proof |", "|---|---|---|"]
    for rule in sorted(rules(pins), key=lambda rule: rule.kind):
        rows.append(f"| `{rule.kind}` | {rule.title} | {rule.method.value} |")
    return "\n".join(rows)


def scanners() -> str:
    from secai_lib.parsers import PARSERS

    return ", ".join(f"`{parser.name}`" for parser in PARSERS)


def tables(**environment: str) -> str:
    """What `secai eval` measured, a level deeper than a page of its own."""
    said = command("eval", "--markdown", **environment)
    return said.partition("\n\n")[2].replace("\n#", "\n##")


def ratings() -> str:
    """How bad and which weakness, per scanner."""
    from secai_lib.parsers import PARSERS
    from secai_lib.parsers.ratings import markdown

    return markdown(frozenset(parser.name for parser in PARSERS))


QUICK: dict[str, Callable[[], str]] = {
    "tree": lambda: f"```\n{tree()}\n```",
    "help": lambda: f"```\n{command('--help')}\n```",
    "kinds": kinds,
    "formats": scanners,
    "ratings": ratings,
}
SLOW: dict[str, Callable[[], str]] = {
    "demo": lambda: f"```\n{command('demo')}\n```",
    "results": tables,
}
LONGER = {
    "SECAI_PROFILE": "train",
    "SECAI_HOME": ".secai/train",
    # without its scanners everything would be made anew
    "SECAI_TOOLS_DIR": str(ROOT / ".secai" / "tools"),
}
"""As `make train` runs."""
LONG: dict[str, Callable[[], str]] = {
    "longer": lambda: f"{tables(**LONGER)}\n\n{command('train', '--markdown', **LONGER)}",
}


def block(name: str) -> str:
    found = re.search(rf"<!-- {name} -->\n(.*?)\n<!-- /{name} -->", README.read_text("utf-8"), re.S)
    assert found, f"README.md has no block {name}"
    return found[1]


@pytest.mark.parametrize("name", QUICK)
def test_the_readme_shows_what_is_there(name: str) -> None:
    assert block(name) == QUICK[name](), "run `make readme`"


OF_THE_MODEL = re.compile(
    r"^(?:Problems read|Without a reading|Knowledge base|Retained|Fused model|Data set to publish"
    r"|Stage [12] (?:training|model|export|to publish)) .*\n(?: {20,}.*\n)*"
    r"|^.*\.secai/publications/.*\n",
    re.MULTILINE,
)
"""What depends on the numbers of a model: another processor may round its way to another word.

`tests/house/test_learning.py` compares the rest of the block with what the demo prints.
"""


def test_every_link_of_the_readme_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README.read_text("utf-8")):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target


if __name__ == "__main__":
    text = README.read_text("utf-8")
    for name in sys.argv[1:] or [*QUICK, *SLOW]:
        fresh = f"<!-- {name} -->\n{(QUICK | SLOW | LONG)[name]()}\n<!-- /{name} -->"
        before, _, rest = text.partition(f"<!-- {name} -->\n")
        text = before + fresh + rest.partition(f"<!-- /{name} -->")[2]
    README.write_text(text, "utf-8")
