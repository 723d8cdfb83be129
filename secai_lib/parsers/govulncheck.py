"""govulncheck: its JSON stream (version 1), the single objects before it, and its SARIF.

Format: https://pkg.go.dev/golang.org/x/vuln/internal/govulncheck. The stream reports a
vulnerability again whenever it knows more: that the module is required, that its package is
imported, that its symbols are called. Only what it knew last becomes a result. govulncheck rates
nothing; the levels of its own SARIF decide.
"""

from collections.abc import Callable
from functools import partial

from secai_lib.core.finding import Location, NoLocation, Package, ParsedReport, Result
from secai_lib.parsers import severity
from secai_lib.parsers.base import Parser, SarifItem, any_has, revised
from secai_lib.parsers.document import Document
from secai_lib.parsers.govulncheck_sightings import LEVELS, Sighting, go_version, sightings
from secai_lib.parsers.node import Broken, Node, NoResult, clipped, headline
from secai_lib.parsers.osv_ranges import affected_versions, fixed_versions, ranges_of
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import advisories_in, cwes_in

_MESSAGES = {"config", "progress", "osv", "finding", "SBOM"}
_MANIFEST = "go.mod"
"""govulncheck runs in a module's folder and names no file; its SARIF names this one."""
_OWN_BASE = "%SRCROOT%"
"""The base of the scanned module's files; others lie in Go's own folders."""
_MOST_LINKS = 100
_SAID = {
    "called": "the vulnerable {0} is called",
    "imported": "the vulnerable package {0} is imported, no call of its symbols was found",
    "required": "the module is required, no import of its vulnerable packages was found",
}
_NEAREST = {"module": LEVELS.index("required"), "package": LEVELS.index("imported")}
"""How near a scan looked that was told to stop before symbols."""
_SHALLOW = {
    "imported": "the vulnerable package {0} is imported; whether it is called was not examined",
    "required": "the module is required; whether it is imported was not examined",
}
"""What is said where such a scan looked no nearer."""


class GovulncheckParser(Parser):
    """Reads one result per vulnerability, module and trace, at the deepest level known."""

    name = "govulncheck"
    sarif_names = ("govulncheck",)

    def recognise(self, document: Document) -> float:
        """By a `config` or `finding` message, or by the `Vulns` of the first versions."""
        value = document.value
        if isinstance(value, dict) and "Vulns" in value:
            if value.keys() >= {"Calls", "Imports", "Requires"}:
                return 1.0
            return 0.9 if any_has(value["Vulns"], {"OSV"}) else 0.6
        rows = [row.value for row in document.rows]
        configs = [row.get("config") for row in rows if isinstance(row, dict)]
        if any_has(configs, {"protocol_version"}) or any_has(configs, {"scanner_name"}):
            return 1.0
        found = [row.get("finding") for row in rows if isinstance(row, dict)]
        return 0.9 if any_has(found, {"osv", "trace"}) else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every finding at the level known last; shallower ones are left out and counted."""
        tally = Tally(document.name)
        config = _note_messages(tally, self.name, document)
        raw = list(sightings(document))
        deepest: dict[tuple[str, str], int] = {}
        for node, read in raw:
            try:
                seen = read(node)
            except Broken:
                continue
            deepest[seen.key] = max(deepest.get(seen.key, 0), seen.depth)
        stream = _Stream(document, tally, config, deepest)
        for node, read in raw:
            tally.add(self.name, node, partial(stream.result, read))
        return tally.report(self.name)

    def adapt(self, draft: Result, item: SarifItem) -> Result:
        """The manifest as place, and the module out of the last step of the first flow."""
        steps = _steps(item.result)
        module, at, version = (steps[-1].text("module") if steps else "").rpartition("@")
        package = Package(ecosystem="Go", name=module, version=go_version(version))
        artifacts = [step.get("location", "physicalLocation", "artifactLocation") for step in steps]
        own = {a.text("uri") for a in artifacts if a.text("uriBaseId") == _OWN_BASE}
        line_is_made_up = draft.path == _MANIFEST
        place = item.document.paths.lockfile(_MANIFEST) if line_is_made_up else draft.location
        return revised(
            draft,
            advisories=tuple(sorted({draft.rule_id, *draft.advisories})),
            locations=(place,),
            package=package if at and module else None,
            flow=tuple(step for step in draft.flow if step.path in own),
        )


def _note_messages(tally: Tally, tool: str, document: Document) -> Node:
    """The `config` message; notes each kind of message that is unknown here, once."""
    config, known = Node(None), set(_MESSAGES)
    for row in document.rows:
        members = row.value if isinstance(row.value, dict) else {}
        if isinstance(members.get("config"), dict):
            config = row.get("config")
        if document.lines or isinstance(document.value, list):
            for kind in sorted(members.keys() - known):
                tally.note(tool, row, f"a message of a kind unknown here ({kind[:40]})")
                known.add(kind)
    return config


def _steps(result: Node) -> list[Node]:
    """The first code flow, which ends at the vulnerable symbol; each step names its module."""
    flows = [thread for flow in result.items("codeFlows") for thread in flow.items("threadFlows")]
    return flows[0].items("locations") if flows else []


class _Advisory:
    """What the entry of the database says of all its findings, read once."""

    def __init__(self, seen: Sighting) -> None:
        entry = seen.entry
        own = entry.text("database_specific", "url")
        links = (own, *(ref.text("url") for ref in entry.items("references")[:_MOST_LINKS]))
        mine = [a for a in entry.items("affected") if a.text("package", "name") == seen.module]
        fixed = go_version(seen.fixed)
        self.package = Package(
            ecosystem="Go",
            name=seen.module,
            version=go_version(seen.version),
            fixed_versions=fixed_versions(mine) or ((fixed,) if fixed else ()),
            ranges=ranges_of(mine),
            affected_versions=affected_versions(mine),
        )
        summary = entry.text("summary") or entry.text("details")
        self.title = headline(summary, seen.osv)
        self.help = clipped(entry.text("details"))
        self.cwes = cwes_in(*entry.texts("database_specific", "cwe_ids"))
        self.advisories = tuple(sorted({seen.osv, *advisories_in(*entry.texts("aliases"))}))
        self.references = tuple(dict.fromkeys(link for link in links if link.startswith("http")))


class _Stream:
    """One report; `deepest` is how near each vulnerability came."""

    def __init__(
        self, document: Document, tally: Tally, config: Node, deepest: dict[tuple[str, str], int]
    ) -> None:
        self._document, self._tally, self._config = document, tally, config
        self._deepest = deepest
        self._advisories: dict[tuple[str, str, str, str], _Advisory] = {}

    def result(self, read: Callable[[Node], Sighting], node: Node) -> Result:
        seen = read(node)
        if seen.depth < self._deepest[seen.key]:
            raise NoResult(f"{seen.level} only; govulncheck knew more of it elsewhere")
        key = (*seen.key, seen.version, seen.fixed)
        about = self._advisories.get(key) or self._advisories.setdefault(key, _Advisory(seen))
        package = about.package
        nearest = _NEAREST.get(self._config.text("scan_level"), LEVELS.index("called"))
        word, origin = severity.by_level(severity.GOVULNCHECK[max(nearest - seen.depth, 0)])
        said = _said(seen, self._config, seen.depth == nearest)
        main = _main_place(self._document, self._config)
        return Result(
            tool="govulncheck",
            tool_version=self._config.text("scanner_version").removeprefix("v"),
            rule_id=seen.osv,
            title=about.title,
            message=f"{package.name} {package.version} is affected by {seen.osv}: {said}.",
            severity=word,
            severity_origin=origin,
            cwes=about.cwes,
            advisories=about.advisories,
            locations=(main, *((seen.call,) if seen.call else ())),
            package=package,
            help=about.help,
            references=about.references,
            resource=seen.subject,
            technologies=("go",),
            evidence=self._tally.evidence(node),
        )


def _said(seen: Sighting, config: Node, no_nearer: bool) -> str:
    """How near it comes, in words; of a binary nothing else tells two symbols' results apart."""
    if config.text("scan_mode") == "binary" and seen.level == "called":
        return "its vulnerable symbols are in the binary"
    words = _SHALLOW.get(seen.level, "") if no_nearer else ""
    return (words or _SAID[seen.level]).format(seen.subject)


def _main_place(document: Document, config: Node) -> Location:
    if config.text("scan_mode") == "binary":
        return NoLocation(reason="govulncheck examined a binary and does not name it")
    return document.paths.lockfile(_MANIFEST)
