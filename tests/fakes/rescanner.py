"""Scanners whose rules are functions, and files that are a dictionary."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from secai_lib.core.finding import Evidence, Result, Severity, SourceLocation
from secai_lib.core.fix import Rescan
from secai_lib.core.scan import ToolRun, ToolStatus

Rule = Callable[[str], Iterable[int]]
"""A file's text -> lines (from 1) at which the rule finds something."""


@dataclass(frozen=True)
class FakeFiles:
    """A commit's files."""

    texts: Mapping[str, str]

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self.texts))

    def read(self, path: str) -> str | None:
        return self.texts.get(path)


def lines_with(word: str) -> Rule:
    """The rule that finds every line with `word`."""
    return lambda text: [n for n, line in enumerate(text.split("\n"), 1) if word in line]


def fake_result(tool: str, rule: str, path: str, line: int) -> Result:
    return Result(
        tool=tool,
        rule_id=rule,
        title=rule,
        message=f"{rule} found",
        severity=Severity.MEDIUM,
        severity_origin="tool",
        locations=(SourceLocation(path=path, start_line=line, end_line=line),),
        evidence=Evidence(file=f"{tool}.json", pointer="/0"),
    )


@dataclass
class FakeRescanner:
    """Runs `rules` (tool -> rule id -> function); the tools in `absent` are not installed."""

    rules: Mapping[str, Mapping[str, Rule]]
    absent: frozenset[str] = frozenset()
    calls: list[dict[str, dict[str, str]]] = field(default_factory=list)
    """The variants of every call."""

    def __call__(self, variants: Mapping[str, Mapping[str, str]], tools: frozenset[str]) -> Rescan:
        self.calls.append({name: dict(texts) for name, texts in variants.items()})
        asked = sorted(tools & set(self.rules))
        runs = [
            ToolRun(tool=tool, status=ToolStatus.ABSENT, detail=f"{tool} is not installed")
            if tool in self.absent
            else ToolRun(tool=tool, status=ToolStatus.RAN, version="1.0")
            for tool in asked
        ]
        results = {
            name: tuple(
                fake_result(tool, rule, path, line)
                for tool in asked
                if tool not in self.absent
                for rule, finds in self.rules[tool].items()
                for path, text in sorted(texts.items())
                for line in finds(text)
            )
            for name, texts in variants.items()
        }
        return Rescan(runs=tuple(runs), results=results)
