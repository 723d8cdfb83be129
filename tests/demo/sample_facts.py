"""What the sample says about itself, read from its files: shared by the tests of this folder."""

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEMO = Path(__file__).resolve().parents[2] / "secai_lib" / "demo"
REPOSITORY = DEMO / "repository"
REPORTS = DEMO / "reports"
RUNNER = "/home/runner/work/nestbox/nestbox/"


@dataclass(frozen=True)
class Route:
    service: str
    port: int
    framework: str
    method: str
    pattern: str
    file: str

    def answers(self, port: int, method: str, path: str) -> bool:
        return (self.port, self.method) == (port, method) and bool(self._regex.fullmatch(path))

    @property
    def _regex(self) -> re.Pattern[str]:
        text = ""
        for part in self.pattern.strip("/").split("/"):
            if part.endswith("...}"):
                text += "(/[^/]+)*"
            elif part.endswith("?}"):
                text += "(/[^/]+)?"
            elif part[:1] in ("{", ":", "<"):
                text += "/[^/]+"
            elif part:
                text += "/" + re.escape(part)
        return re.compile(text or "/?")


def expected_routes() -> list[Route]:
    """The table of the sample's README."""
    rows = []
    for line in (DEMO / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]
        if len(cells) == 6 and cells[1].isdigit():
            rows.append(Route(cells[0], int(cells[1]), *cells[2:]))
    return rows


def report(*parts: str) -> Any:
    return json.loads(REPORTS.joinpath(*parts).read_text(encoding="utf-8"))


def installed_packages(path: str) -> set[tuple[str, str]]:
    """(name, version) of every package that a lockfile or manifest of the sample names."""
    text = (REPOSITORY / path).read_text(encoding="utf-8")
    if path.endswith("gradle.lockfile"):
        rows = re.findall(r"^([^#\s:]+:[^:]+):([^=]+)=", text, re.MULTILINE)
        return set(rows)
    if path.endswith("requirements.txt"):
        rows = re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, re.MULTILINE)
        return {(name.lower(), version) for name, version in rows}
    if path.endswith("package-lock.json"):
        packages = json.loads(text)["packages"]
        return {(k.rpartition("node_modules/")[2], p["version"]) for k, p in packages.items() if k}
    raise ValueError(path)


def catalogue_versions() -> dict[str, str]:
    """`group:artifact` -> version of the Gradle version catalogue."""
    text = (REPOSITORY / "gradle/libs.versions.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)
    return {
        library["module"]: table["versions"][library["version"]["ref"]]
        for library in table["libraries"].values()
    }
