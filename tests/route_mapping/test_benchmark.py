"""The mapping benchmark: source trees and questions, with the answers of the frameworks' manuals.

One case a line of `benchmark.jsonl`; a case whose `files` is an id asks about that case's tree.
`python -m tests.route_mapping.test_benchmark` prints the scores by framework.
"""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from secai_lib.core.syntax import language_of, parse_bytes
from secai_lib.route_mapping import RouteTable, match_url, route_table

CASES: list[dict[str, Any]] = [
    json.loads(line)
    for line in Path(__file__).with_name("benchmark.jsonl").read_text("utf-8").splitlines()
]
TREES: dict[str, dict[str, str]] = {
    case["id"]: case["files"] for case in CASES if isinstance(case["files"], dict)
}


class Files:
    """The files of one case."""

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self._texts))

    def read(self, path: str) -> str | None:
        return self._texts.get(path)


def table(case: dict[str, Any]) -> RouteTable:
    tree = case["files"]
    return route_table(Files(tree if isinstance(tree, dict) else TREES[tree]))


def answer(case: dict[str, Any]) -> dict[str, object] | None:
    method, url = case["ask"].split(" ")
    match = match_url(table(case), url, method)
    if match.reason:
        return None
    assert match.line <= match.end_line
    return {"file": match.path, "line": match.line, "route": match.pattern}


def scores() -> dict[str, Counter[str]]:
    """Right, missed and wrong answers by framework."""
    found: dict[str, Counter[str]] = {}
    for case in CASES:
        got = answer(case)
        kind = "right" if got == case["handler"] else "missed" if got is None else "wrong"
        found.setdefault(case["framework"], Counter())[kind] += 1
    return found


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    assert answer(case) == case["handler"]


@pytest.mark.parametrize("name", TREES)
def test_no_syntax_error(name: str) -> None:
    for path, text in TREES[name].items():
        assert not parse_bytes(text.encode(), language_of(path)).root_node.has_error
        if path.endswith(".py"):
            compile(text, path, "exec")


if __name__ == "__main__":
    for framework, counts in sorted(scores().items()):
        shown = ", ".join(f"{counts[kind]} {kind}" for kind in ("right", "missed", "wrong"))
        sys.stdout.write(f"{framework}: {shown}\n")
