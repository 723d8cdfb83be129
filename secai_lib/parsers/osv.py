"""OSV-Scanner: its JSON (version 1 and 2 layouts) and its SARIF.

Formats: https://google.github.io/osv-scanner/output/ and https://ossf.github.io/osv-schema/.
"""

import posixpath
import re
from functools import partial

from secai_lib.core.finding import (
    ArchiveLocation,
    ImageLocation,
    Location,
    Package,
    ParsedReport,
    Result,
    Severity,
)
from secai_lib.parsers import ecosystems, severity
from secai_lib.parsers.base import Parser, SarifItem, any_has, revised
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node, headline
from secai_lib.parsers.osv_ranges import affected_versions, fixed_versions, ranges_of
from secai_lib.parsers.scores import score_of_vector, valid_score
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import advisories_in, cwes_in

_MESSAGE = re.compile(r"Package '([^'\n]{1,300})@([^'@\n]{1,100})' is vulnerable to")


class OsvParser(Parser):
    """Reads one result per package and group of equal vulnerabilities."""

    name = "osv-scanner"
    sarif_names = ("osv-scanner",)

    def recognise(self, document: Document) -> float:
        """By results that pair a `source` with `packages`, or by OSV's own settings."""
        value = document.value
        if not isinstance(value, dict) or not isinstance(value.get("results"), list):
            return 0.0
        if any_has(value["results"], {"source", "packages"}):
            return 1.0
        return 0.9 if "experimental_config" in value else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every group of every package of every source."""
        tally = Tally(document.name)
        for source in document.root.items("results"):
            for entry in source.items("packages"):
                build = partial(_result, document, tally, source, entry, _by_id(entry))
                for group in _groups(entry):
                    tally.add(self.name, group, build)
                broken = entry.items("license_violations")
                place = entry.get("license_violations")
                reason = "licences are no security findings"
                tally.leave_out(self.name, place, reason, results=len(broken))
        return tally.report(self.name)

    def adapt(self, draft: Result, item: SarifItem) -> Result:
        """Package and versions out of the message, aliases out of message and rule."""
        found = _MESSAGE.search(draft.message)
        if not found:
            return draft
        known = advisories_in(draft.rule_id, draft.message, *item.rule.texts("deprecatedIds"))
        path = draft.path or ""
        package = Package(ecosystem=ecosystems.of_file(path), name=found[1], version=found[2])
        place: Location = draft.location
        if path:
            place = item.document.paths.lockfile(path)
        return revised(
            draft,
            rule_id=_main_id(known) or draft.rule_id,
            advisories=known,
            package=package,
            locations=(place,),
        )


def _groups(entry: Node) -> list[Node]:
    """The package's groups, then each vulnerability that no group names."""
    groups = entry.items("groups")
    grouped: set[str] = set()
    for group in groups:
        ids = group.value.get("ids") if isinstance(group.value, dict) else None
        grouped.update(map(str, ids) if isinstance(ids, list) else ())
    rest = []
    for vulnerability in entry.items("vulnerabilities"):
        value = vulnerability.value
        if not isinstance(value, dict) or str(value.get("id")) not in grouped:
            rest.append(vulnerability)
    return groups + rest


def _by_id(entry: Node) -> dict[str, tuple[int, Node]]:
    """The package's vulnerabilities with their positions; an image's kernel has thousands."""
    found: dict[str, tuple[int, Node]] = {}
    for position, record in enumerate(entry.items("vulnerabilities")):
        if isinstance(record.value, dict) and isinstance(record.value.get("id"), str):
            found.setdefault(record.text("id"), (position, record))
    return found


def _result(
    document: Document,
    tally: Tally,
    source: Node,
    entry: Node,
    known: dict[str, tuple[int, Node]],
    group: Node,
) -> Result:
    ids = group.texts("ids") or (group.need("id"),)
    named = dict(known[name] for name in ids if name in known)
    records = [named[position] for position in sorted(named)]
    aliases = [alias for record in records for alias in record.texts("aliases")]
    advisories = tuple(sorted({*ids, *group.texts("aliases"), *aliases}))
    rule_id = _main_id(advisories) or ids[0]
    word, origin, score = _severity(records, group)
    summary = next((r.text("summary") for r in records if r.text("summary")), "")
    details = next((r.text("details") for r in records if r.text("details")), "")
    package = _package(source, entry, records)
    title = summary or f"{rule_id} in {package.name}"
    links = [ref.text("url") for record in records for ref in record.items("references")]
    cwes = [cwe for r in records for cwe in r.texts("database_specific", "cwe_ids")]
    return Result(
        tool="osv-scanner",
        rule_id=rule_id,
        title=headline(title, rule_id),
        message=f"{package.name} {package.version} is affected by {rule_id}: {title}",
        severity=word,
        severity_score=score,
        severity_origin=origin,
        cwes=cwes_in(*cwes),
        advisories=advisories,
        locations=(_place(document, source),),
        package=package,
        help=details,
        references=tuple(dict.fromkeys(link for link in links if link)),
        evidence=tally.evidence(group),
    )


def _main_id(advisories: tuple[str, ...]) -> str:
    """The GHSA id where there is one, as JSON and SARIF reports both carry it; else empty."""
    return next((name for name in sorted(advisories) if name.startswith("GHSA-")), "")


def _package(source: Node, entry: Node, records: list[Node]) -> Package:
    commit = entry.text("package", "commit")
    if commit and not entry.text("package", "name"):
        return Package(ecosystem="", name=_folder(source), version=commit)
    name = entry.need("package", "name")
    ecosystem = entry.text("package", "ecosystem")
    mine = [a for record in records for a in record.items("affected") if _same(a, name, ecosystem)]
    return Package(
        ecosystem=ecosystem,
        name=name,
        version=entry.text("package", "version"),
        fixed_versions=fixed_versions(mine),
        ranges=ranges_of(mine),
        affected_versions=affected_versions(mine),
    )


def _folder(source: Node) -> str:
    """The name of a git checkout, which OSV-Scanner knows by its commit only."""
    path = source.need("source", "path")
    return posixpath.basename(path.rstrip("/")) or path


def _same(affected: Node, name: str, ecosystem: str) -> bool:
    """Exactly this artifact; a bare `Debian` also stands for `Debian:12`."""
    package = affected.get("package")
    theirs = package.text("ecosystem")
    if package.text("name") != name:
        return False
    one_is_bare = ":" not in theirs or ":" not in ecosystem
    same_family = theirs.partition(":")[0] == ecosystem.partition(":")[0]
    return theirs == ecosystem or (one_is_bare and same_family)


def _severity(records: list[Node], group: Node) -> tuple[Severity, str, float | None]:
    """The highest CVSS base score, else the group's `max_severity`, else the database's word."""
    scores = []
    for record in records:
        for rating in record.items("severity"):
            scores.append(score_of_vector(rating.text("score")))
    best = max((score for score in scores if score is not None), default=None)
    if best is None and group.scalar("max_severity"):
        best = valid_score(group.number("max_severity"))
    if best is not None:
        return *severity.by_score(best, "cvss"), best
    for record in records:
        word, origin = severity.by_word(record.text("database_specific", "severity"))
        if origin == "tool":
            return word, origin, None
    return Severity.UNKNOWN, "none", None


def _place(document: Document, source: Node) -> Location:
    """Version 2 describes a scanned image in `image_metadata`; its paths are the image's."""
    path, kind = source.text("source", "path"), source.text("source", "type")
    if kind == "git":
        return document.paths.source(path)
    if kind in {"docker", "image", "os"}:
        return ImageLocation(image=path)
    if document.root.get("image_metadata"):
        return ArchiveLocation(archive=path.lstrip("/"))
    return document.paths.lockfile(path)
