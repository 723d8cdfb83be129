"""Versions in requirements.txt, constraints and pyproject.toml."""

import re
import tomllib
from collections.abc import Iterator

from secai_lib.core.fix import SourceFiles
from secai_lib.fixes.declarations import Declaration, folder_of
from secai_lib.fixes.rule import Abstain

LOCKS = ("poetry.lock", "uv.lock", "pdm.lock", "pipfile.lock", "pylock.toml")
_REQUIREMENT = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,100})(?:\[[^\]\n]{0,200}\])?[ \t]*"
    r"(?:(?P<operator>===?|~=|>=)[ \t]*(?P<version>[A-Za-z0-9.!+_-]{1,80}))?"
)
_TOML_TEXT = re.compile(r"\"([^\"\\\n]*)\"|'([^'\n]*)'")
_POETRY = re.compile(
    r"[ \t]*[\"']?(?P<name>[A-Za-z0-9._-]{1,100})[\"']?[ \t]*=[ \t]*"
    r"(?:\{[^}\n]*?version[ \t]*=[ \t]*)?"
    r"[\"'](?P<operator>\^|~|==|>=|~=|)(?P<version>\d[\w.+!-]*)[\"']"
)


def python_declarations(path: str, name: str, files: SourceFiles) -> list[Declaration]:
    """The places that declare `name` for the manifest or lockfile at `path`.

    Raises `Abstain` for hashes and for ranges that a new number would not end.
    """
    file_name = path.rsplit("/", 1)[-1].lower()
    if file_name in LOCKS:
        path = folder_of(path) + "pyproject.toml"
    text = files.read(path)
    if text is None:
        return []
    if path.lower().endswith(".toml"):
        return list(_pyproject(path, text, name))
    return list(_requirements(path, text, name))


def _requirements(path: str, text: str, name: str) -> Iterator[Declaration]:
    position = 0
    for line in text.split("\n"):
        start, position = position, position + len(line) + 1
        indent = len(line) - len(line.lstrip())
        match = _REQUIREMENT.match(line, indent)
        if not match or normal(match["name"]) != normal(name):
            continue
        rest = line[match.end() :].split("#")[0].split(";")[0].strip()
        if "--hash" in rest or rest.endswith("\\"):
            raise Abstain("hashes", f"{path} pins hashes; run pip-compile --upgrade-package {name} "
                          "--generate-hashes.")  # fmt: skip
        if match["version"] is None or rest:
            raise Abstain("range", f"{path} gives {name} a range; write one version or a lower "
                          "limit.")  # fmt: skip
        yield Declaration(
            path, start + match.start("version"), start + match.end("version"), match["version"]
        )


def _pyproject(path: str, text: str, name: str) -> Iterator[Declaration]:
    try:
        tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Abstain("syntax", f"{path} is no valid TOML.") from error
    section, position = "", 0
    for line in text.split("\n"):
        start, position = position, position + len(line) + 1
        if line.lstrip().startswith("["):
            section = line.strip().strip("[]").strip()
        if line.lstrip().startswith("#"):
            continue
        if section.startswith("tool.poetry") and "dependencies" in section:
            match = _POETRY.match(line)
            if match and normal(match["name"]) == normal(name):
                yield Declaration(path, start + match.start("version"),
                                  start + match.end("version"), match["version"])  # fmt: skip
            continue
        for quoted in _TOML_TEXT.finditer(line):
            group = 1 if quoted[1] is not None else 2
            found = _REQUIREMENT.match(line, quoted.start(group))
            if not found or normal(found["name"]) != normal(name) or found["version"] is None:
                continue
            if line[found.end() : quoted.end(group)].split(";")[0].strip():
                raise Abstain("range", f"{path} gives {name} a range with two ends.")
            yield Declaration(path, start + found.start("version"), start + found.end("version"),
                              found["version"])  # fmt: skip


def normal(name: str) -> str:
    """The name as PyPI compares it: lower case, one dash for `-`, `_` and `.`."""
    return re.sub(r"[-_.]+", "-", name).lower()
