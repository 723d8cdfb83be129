"""Grype: its JSON, from the bare list of 2020 to today's document, and its SARIF.

Format: Grype's `presenter/models.Document`. Over the years `cvssV2`/`cvssV3`, `links` and
`fixedInVersion` of a vulnerability became `cvss`, `urls` and `fix.versions`.
"""

from functools import partial

from secai_lib.core.finding import Package, ParsedReport, Result, Severity
from secai_lib.parsers import ecosystems, severity
from secai_lib.parsers.base import Parser, SarifItem, any_has, revised
from secai_lib.parsers.document import Document
from secai_lib.parsers.grype_places import Scanned
from secai_lib.parsers.grype_sarif import adapt_grype
from secai_lib.parsers.node import Node
from secai_lib.parsers.scores import valid_score
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import cwes_in

_NAMES = {"vulnerability", "artifact"}


class GrypeParser(Parser):
    """Reads one result per match; matches that an ignore rule took away become suppressed ones."""

    name = "grype"
    sarif_names = (
        "grype",
        "anchore grype scan",
        "anchore container vulnerability report (grype)",
        "anchore container vulnerability report (t0)",
    )

    def recognise(self, document: Document) -> float:
        """By the descriptor's name, or a match that pairs a vulnerability with an artifact."""
        value = document.value
        if isinstance(value, list):
            return 0.95 if not document.lines and any_has(value, _NAMES) else 0.0
        if not isinstance(value, dict) or not isinstance(value.get("matches"), list):
            return 0.0
        descriptor = value.get("descriptor")
        named = isinstance(descriptor, dict) and descriptor.get("name") == self.name
        return 1.0 if named else 0.95 if any_has(value["matches"], _NAMES) else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every match; packages of a distribution that Grype knows too little of are noted."""
        tally = Tally(document.name)
        bare = isinstance(document.value, list)
        root = Node(None) if bare else document.root
        matches = document.root.items() if bare else root.items("matches")
        scanned = Scanned(root, document.paths)
        for match in matches:
            tally.add(self.name, match, partial(_result, tally, scanned))
        for match in root.items("ignoredMatches"):
            tally.add(self.name, match, partial(_ignored, tally, scanned))
        alerts = root.items("alertsByPackage")
        if alerts:
            reason = f"grype warns that it may miss weaknesses of {len(alerts)} packages"
            tally.note(self.name, root.get("alertsByPackage"), reason)
        return tally.report(self.name)

    def adapt(self, draft: Result, item: SarifItem) -> Result:
        """Package, versions, image or lockfile out of the lines of the rule's help."""
        return adapt_grype(draft, item)


def _ignored(tally: Tally, scanned: Scanned, match: Node) -> Result:
    return revised(_result(tally, scanned, match), suppressed=True)


def _result(tally: Tally, scanned: Scanned, match: Node) -> Result:
    vulnerability, artifact = match.get("vulnerability"), match.get("artifact")
    identifier = vulnerability.need("id")
    records = [vulnerability, *match.items("relatedVulnerabilities")]
    word, origin, score = _severity(records)
    package = _package(vulnerability, artifact, scanned)
    title = f"{identifier} in {package.name}"
    links = [link for record in records for link in _links(record)]
    return Result(
        tool="grype",
        tool_version=scanned.grype_version,
        rule_id=identifier,
        title=title,
        message=next((text for r in records if (text := r.text("description"))), title),
        severity=word,
        severity_score=score,
        severity_origin=origin,
        cwes=cwes_in(*(text for record in records for text in _cwes(record))),
        # A vendor's bulletin (`advisories`) covers several weaknesses, so it is no alias of one.
        advisories=tuple(sorted({name for r in records if (name := r.text("id"))})),
        locations=(scanned.place(artifact),),
        package=package,
        references=tuple(dict.fromkeys(link for link in links if link)),
        evidence=tally.evidence(match),
    )


def _package(vulnerability: Node, artifact: Node, scanned: Scanned) -> Package:
    ecosystem, name = ecosystems.of_purl(artifact.text("purl"))
    kind = artifact.text("type")
    fixed = vulnerability.texts("fix", "versions") or vulnerability.texts("fixedInVersion")
    return Package(
        ecosystem=ecosystem or ecosystems.of_type(kind) or scanned.ecosystem_of(kind),
        name=name or artifact.need("name"),
        version=artifact.text("version"),
        fixed_versions=tuple(version for version in fixed if version),
    )


def _links(record: Node) -> tuple[str, ...]:
    return (record.text("dataSource"), *record.texts("urls"), *record.texts("links"))


def _cwes(record: Node) -> list[str]:
    """Weaknesses as names or as objects that hold one."""
    return [
        item.text("cwe") if isinstance(item.value, dict) else item.text()
        for item in record.items("cwes")
    ]


def _severity(records: list[Node]) -> tuple[Severity, str, float | None]:
    """The first record's word that there is, and the score; without a word the score decides.

    As in Grype's own SARIF, the score is the vendors' highest, else NVD's.
    """
    scores = [(not r.text("namespace").startswith("nvd"), s) for r in records for s in _scores(r)]
    score = max(scores)[1] if scores else None
    for record in records:
        word, origin = severity.by_word(record.text("severity"))
        if origin == "tool":
            return word, origin, score
    if score is None:
        return Severity.UNKNOWN, "none", None
    return *severity.by_score(score, "cvss"), score


def _scores(record: Node) -> list[float]:
    """Every base score of a record, in today's and in the first versions' spelling."""
    ratings = [rating.get("metrics") for rating in record.items("cvss")]
    ratings += [record.get(key) for key in ("cvssV3", "cvssV2")]
    scores = [valid_score(rating.number("baseScore")) for rating in ratings]
    return [score for score in scores if score is not None]
