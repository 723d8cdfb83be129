"""What each generation of govulncheck's JSON says of one vulnerability, in one shape."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from secai_lib.core.finding import SourceLocation
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node
from secai_lib.parsers.paths import Paths, Region

LEVELS = ("required", "imported", "called")
"""How near a vulnerability comes to the scanned code, from far to near."""


@dataclass(frozen=True)
class Sighting:
    """A vulnerability in a module, as near as one raw finding saw it."""

    osv: str
    """The id in Go's vulnerability database."""
    entry: Node
    """The OSV entry; holds None when the report lacks it."""
    module: str
    """The module's path; `stdlib` for the standard library."""
    version: str
    """The module's version as reported."""
    fixed: str
    """The version that ends it, as reported; empty when there is none."""
    level: str
    """One of LEVELS."""
    subject: str
    """The symbol, package or module at fault."""
    call: SourceLocation | None = None
    """Where the scanned code itself starts the call, where known."""

    @property
    def key(self) -> tuple[str, str]:
        """What makes two sightings ones of the same vulnerability."""
        return self.osv, self.module

    @property
    def depth(self) -> int:
        """Position of the level in LEVELS."""
        return LEVELS.index(self.level)


def sightings(document: Document) -> Iterator[tuple[Node, Callable[[Node], Sighting]]]:
    """Each raw finding of any generation, with what reads it."""
    root = document.root
    if isinstance(root.value, dict) and "Vulns" in root.value:
        versions = {each.text("Path"): each.text("Version") for each in root.items("Modules")}
        for vulnerability in root.items("Vulns"):
            modules = vulnerability.get("Modules")
            if isinstance(modules.value, list):
                for module in modules.items():
                    yield module, partial(_of_module, vulnerability)
            else:
                yield vulnerability, partial(_of_symbol, versions)
        return
    messages = [row for row in document.rows if isinstance(row.value, dict)]
    entries = {_id(row.get("osv")): row.get("osv") for row in messages if row.get("osv")}
    for row in messages:
        if "finding" in row.members():
            yield row.get("finding"), partial(_of_finding, document.paths, entries)


def go_version(version: str) -> str:
    """`version` without Go's `v` in front, as OSV writes it."""
    return re.sub(r"^v(?=\d)", "", version)


def _id(entry: Node) -> str:
    value = entry.value.get("id") if isinstance(entry.value, dict) else None
    return value if isinstance(value, str) else ""


def _of_finding(paths: Paths, entries: dict[str, Node], finding: Node) -> Sighting:
    """Version 1: the trace leads from the vulnerable symbol to the scanned code."""
    osv = finding.need("osv")
    trace = finding.items("trace")
    if not trace:
        raise finding.get("trace").broken("a list with at least one frame")
    first = trace[0]
    package, function = first.text("package"), first.text("function")
    receiver = first.text("receiver").lstrip("*")
    symbol = ".".join(part for part in (package, receiver, function) if part)
    return Sighting(
        osv=osv,
        entry=entries.get(osv, Node(None, finding.pointer)),
        module=first.need("module"),
        version=first.text("version"),
        fixed=finding.text("fixed_version"),
        level="called" if function else "imported" if package else "required",
        subject=symbol or first.need("module"),
        call=_own_call(paths, trace),
    )


def _own_call(paths: Paths, trace: list[Node]) -> SourceLocation | None:
    """Where the scanned code calls into what leads to the symbol; its module ends the trace."""
    own = trace[-1].text("module")
    for frame in trace[1:]:
        position = frame.get("position")
        if frame.text("module") == own and position.text("filename"):
            line, column = position.integer("line"), position.integer("column")
            place = paths.source(position.text("filename"), Region.of(line, None, column))
            return place if isinstance(place, SourceLocation) else None
    return None


def _of_module(vulnerability: Node, module: Node) -> Sighting:
    """The end of 2022: a vulnerability lists its modules, these their packages with calls."""
    packages = module.items("Packages")
    called = [package for package in packages if package.items("CallStacks")]
    level = "called" if called else "imported" if packages else "required"
    nearest = (called or packages or [module])[0]
    stacks = nearest.items("CallStacks") if called else []
    symbol = stacks[0].text("Symbol") if stacks else ""
    return Sighting(
        osv=vulnerability.need("OSV", "id"),
        entry=vulnerability.get("OSV"),
        module=module.need("Path"),
        version=module.text("FoundVersion"),
        fixed=module.text("FixedVersion"),
        level=level,
        subject=".".join(part for part in (nearest.need("Path"), symbol) if part),
    )


def _of_symbol(versions: dict[str, str], vulnerability: Node) -> Sighting:
    """The first version: one entry a symbol; a sink of 0 means that nothing leads there."""
    module = vulnerability.need("ModPath")
    package, symbol = vulnerability.text("PkgPath"), vulnerability.text("Symbol")
    called, imported = vulnerability.integer("CallSink"), vulnerability.integer("ImportSink")
    level = "called" if called else "imported" if imported else "required"
    subjects = {"called": f"{package}.{symbol}", "imported": package, "required": module}
    return Sighting(
        osv=vulnerability.need("OSV", "id"),
        entry=vulnerability.get("OSV"),
        module=module,
        version=versions.get(module, ""),
        fixed="",
        level=level,
        subject=subjects[level] or module,
    )
