"""A GitHub workflow or composite action as its fix rules see it: jobs, steps, shells."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from secai_lib.core.finding import Finding, SourceLocation
from secai_lib.core.fix import SourceFiles
from secai_lib.fixes.compare import line_of, path_of
from secai_lib.fixes.rule import Abstain, Weaken, Weakening
from secai_lib.fixes.yaml_tree import YamlNode, YamlPath, YamlTree

WORKFLOW_FILE = re.compile(r"\.github/workflows/[^/]+\.ya?ml\Z")
BASH_LIKE = ("bash", "sh")
POWERSHELL = ("pwsh", "powershell")


@dataclass(frozen=True)
class Step:
    """One step of a job or of a composite action."""

    path: YamlPath
    node: YamlNode

    def text(self, key: str) -> str:
        """The step's text under `key`; empty when there is none."""
        return text_of(self.node.get(key))

    @property
    def action(self) -> str:
        """The action without its version, lower case; empty for a script."""
        return self.text("uses").partition("@")[0].lower()

    def option(self, key: str) -> str:
        """The text of an input under `with`."""
        options = self.node.get("with")
        return text_of(options.get(key)) if options else ""


@dataclass(frozen=True)
class Workflow:
    """A workflow file."""

    tree: YamlTree

    @property
    def root(self) -> YamlNode:
        """The document's mapping; raises `Abstain` when there is none."""
        node = self.tree.at(())
        if node is None or node.kind != "mapping":
            raise Abstain("not_parsable", f"{self.tree.path} holds no workflow.")
        return node

    def jobs(self) -> tuple[tuple[str, YamlNode], ...]:
        """Name and mapping of every job."""
        jobs = self.root.get("jobs")
        return tuple((key.text, job) for key, job in jobs.entries) if jobs else ()

    def steps(self, job: str) -> tuple[Step, ...]:
        """The steps of a job; of a composite action for the job `runs`."""
        path: YamlPath = ("runs", "steps") if job == "runs" else ("jobs", job, "steps")
        node = self.tree.at(path)
        return tuple(Step((*path, i), item) for i, item in enumerate(node.items)) if node else ()

    def step_at(self, line: int) -> tuple[str, Step]:
        """Job name and step that cover `line`; raises `Abstain` when there is none."""
        found = self.tree.path_at(line)
        path = found[1] if found else ()
        job = "runs" if path[:1] == ("runs",) else str(path[1]) if len(path) > 1 else ""
        for step in self.steps(job):
            if path[: len(step.path)] == step.path:
                return job, step
        raise Abstain("not_found", f"There is no step at line {line} of {self.tree.path}.")

    def shell(self, job: str, step: Step) -> str:
        """The shell that runs the step's script; empty when that cannot be told."""
        shell = step.text("shell")
        for path in (("jobs", job), ()):
            node = self.tree.at((*path, "defaults", "run", "shell"))
            shell = shell or text_of(node)
        if shell:
            return shell.split()[0].lower()
        runner = self.tree.at(("jobs", job, "runs-on"))
        words = " ".join(scalars(runner)).lower() if runner else ""
        if "${{" in words:
            matrix = self.tree.at(("jobs", job, "strategy"))
            words = " ".join(scalars(matrix)).lower() if matrix else "windows?"
            return "" if "windows" in words or "${{" in words else "bash"
        return "pwsh" if "windows" in words else "bash"


def workflow_of(finding: Finding, files: SourceFiles) -> Workflow:
    """The workflow that the finding is in; raises `Abstain` or `YamlRefused`."""
    path = path_of(finding.result)
    text = files.read(path) if path else None
    if text is None:
        raise Abstain("no_source", "The workflow cannot be read at the scanned commit.")
    return Workflow(YamlTree.parse(path, text))


def in_workflows(places: Callable[[Workflow], Iterator[Weakening]]) -> Weaken:
    """The inverse of a rule for workflows: `places` in every one of them, nothing elsewhere."""

    def weaken(path: str, text: str) -> Iterator[Weakening]:
        if WORKFLOW_FILE.fullmatch(path):
            yield from places(Workflow(YamlTree.parse(path, text)))

    return weaken


def line_in(finding: Finding) -> int:
    """The finding's line; raises `Abstain` when it names none."""
    line = line_of(finding.result)
    if not line:
        raise Abstain("not_found", "The scanner names no line.")
    return line


def column_in(finding: Finding) -> int:
    """The finding's first column from 0; -1 when the scanner names none."""
    place = finding.result.locations[0]
    column = place.start_column if isinstance(place, SourceLocation) else None
    return column - 1 if column else -1


def text_of(node: YamlNode | None) -> str:
    """The text of a scalar; empty for anything else and for null."""
    return node.text if node is not None and node.kind == "scalar" and not node.is_null else ""


def scalars(node: YamlNode) -> Iterator[str]:
    """Every scalar text below `node`, keys left out."""
    if node.kind == "scalar":
        yield node.text
    for _, value in node.entries:
        yield from scalars(value)
    for item in node.items:
        yield from scalars(item)


def runs_command(script: str, command: str) -> bool:
    """True when `script` has the words of `command` (a regular expression) as a command."""
    return bool(re.search(rf"(?:^|[\s;&|(`]){command}(?![\w-])", script))
