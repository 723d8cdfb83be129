"""What may not be installed: the client of a service that takes scan data out of the house."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROPRIETARY = {
    *("openai", "anthropic", "cohere", "mistralai", "google-generativeai", "google-genai", "groq"),
    *("langchain-openai", "langchain-anthropic", "litellm", "azure-ai-inference"),
}


def normal(requirement: str) -> str:
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert name, requirement
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def test_no_lock_file_holds_a_client_of_a_proprietary_service() -> None:
    locks = sorted((ROOT / "config" / "lock").glob("*.txt"))
    assert locks
    for lock in locks:
        lines = (line.strip() for line in lock.read_text("utf-8").splitlines())
        names = {normal(line) for line in lines if line and line[0] not in "#-"}
        assert len(names) > 5, lock.name
        assert not names & PROPRIETARY, lock.name


def test_nothing_asks_for_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    asked = project["dependencies"] + [requirement for extra in extras for requirement in extra]
    assert not {normal(requirement) for requirement in asked} & PROPRIETARY
