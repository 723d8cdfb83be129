"""Checkov: its JSON (one report, or a list with one per framework) and its SARIF."""

from collections.abc import Iterator

from secai_lib.core.finding import Location, Package, ParsedReport, Result
from secai_lib.parsers import ecosystems, severity
from secai_lib.parsers.base import Parser, SarifItem, any_has, revised
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node
from secai_lib.parsers.paths import Region
from secai_lib.parsers.scores import valid_score
from secai_lib.parsers.secrets import Spot, context, sarif_spots
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import advisories_in, cwes_in

_FAMILIES = {
    "K8S": "kubernetes",
    "DOCKER": "dockerfile",
    "GHA": "github_actions",
    "GIT": "github_configuration",
    "GITLABCI": "gitlab_ci",
    "AZUREPIPELINES": "azure_pipelines",
    "OPENAPI": "openapi",
    "SECRET": "secrets",
    "AWS": "aws",
    "AZURE": "azure",
    "GCP": "gcp",
    "HELM": "helm",
    "ANSIBLE": "ansible",
}
"""Second part of a check id (`CKV_K8S_12`, `CKV2_GHA_1`) -> what it checks."""
_OUTER = {"check_type", "results", "summary"}


class CheckovParser(Parser):
    """Reads failed checks; skipped ones become suppressed results, passed ones are counted."""

    name = "checkov"
    sarif_names = ("checkov",)

    def recognise(self, document: Document) -> float:
        """By `check_type` with `results`, or by the bare counts of a run that found no file."""
        value = document.value if isinstance(document.value, list) else [document.value]
        if any_has(value, _OUTER):
            return 1.0
        return 0.9 if any_has(value, {"checkov_version", "passed", "failed"}) else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every check of every framework."""
        tally = Tally(document.name)
        for report in _reports(document):
            kind = report.text("check_type")
            version = report.text("summary", "checkov_version") or report.text("checkov_version")
            read = _Framework(document, tally, kind, version)
            for check in report.items("results", "failed_checks"):
                tally.add(self.name, check, read.failed)
            for check in report.items("results", "skipped_checks"):
                tally.add(self.name, check, read.skipped)
            for name, reason in (
                ("passed_checks", "the check passed"),
                ("unknown_checks", "checkov could not decide the check"),
            ):
                checks = report.items("results", name)
                place = report.get("results", name)
                tally.leave_out(self.name, place, reason, results=len(checks))
            for error in report.items("results", "parsing_errors"):
                tally.note(self.name, error, f"checkov could not read a {kind or 'scanned'} file")
        return tally.report(self.name)

    def secrets(self, document: Document) -> Iterator[Spot]:
        """Code blocks of Checkov's secret checks."""
        for report in _reports(document):
            for name in ("failed_checks", "skipped_checks", "passed_checks", "unknown_checks"):
                for check in report.items("results", name):
                    value = check.value if isinstance(check.value, dict) else {}
                    if _family(str(value.get("check_id"))) == "secrets":
                        for key in ("code_block", "check_result", "evaluations", "details"):
                            yield from _texts_of(check, key)

    def adapt(self, draft: Result, item: SarifItem) -> Result:
        """The technology out of the check's id; the URL of the guideline as reference."""
        return revised(draft, technologies=_technologies(draft.rule_id, ""), confidence="")

    def sarif_secrets(self, item: SarifItem) -> Iterator[Spot]:
        """Also the checks that only their id marks as secret."""
        if _family(item.rule_id) == "secrets":
            yield from sarif_spots(item.result, values=False)
        else:
            yield from super().sarif_secrets(item)


def _texts_of(check: Node, key: str) -> Iterator[Spot]:
    """`result` inside `check_result` is the outcome, not text: it stays."""
    node = check.get(key)
    if key == "check_result" and isinstance(node.value, dict):
        for name in node.value:
            if name != "result":
                yield from context(node, name, owner=check)
    else:
        yield from context(check, key, owner=check)


def _reports(document: Document) -> list[Node]:
    root = document.root
    if isinstance(root.value, list):
        return [Node(item, f"/{i}") for i, item in enumerate(root.value)]
    return [root]


def _family(check_id: str) -> str:
    parts = check_id.upper().split("_")
    return _FAMILIES.get(parts[1], "") if len(parts) > 2 else ""


def _technologies(check_id: str, kind: str) -> tuple[str, ...]:
    return tuple(sorted({name for name in (_family(check_id), kind.lower()) if name}))


class _Framework:
    """One framework's report."""

    def __init__(self, document: Document, tally: Tally, kind: str, version: str) -> None:
        self._document, self._tally = document, tally
        self._kind, self._version = kind, version

    def skipped(self, check: Node) -> Result:
        return revised(self.failed(check), suppressed=True)

    def failed(self, check: Node) -> Result:
        check_id = check.need("check_id")
        rating = check.text("severity")
        word, origin = severity.by_word(rating) if rating else severity.CHECKOV_UNRATED
        name = check.text("check_name", default=check_id)
        guideline = check.text("guideline")
        details = check.get("vulnerability_details")
        detail_texts = (check_id, details.text("id"))
        return Result(
            tool="checkov",
            tool_version=self._version,
            rule_id=details.text("id") or check_id,
            title=name,
            message=check.text("description") or details.text("description") or name,
            severity=word,
            severity_score=valid_score(details.number("cvss")),
            severity_origin=origin,
            cwes=cwes_in(*check.texts("cwe")),
            advisories=advisories_in(*detail_texts),
            locations=(self._place(check),),
            package=_package(details, check.text("file_path")),
            references=(guideline,) if guideline.startswith("http") else (),
            resource=check.text("resource"),
            technologies=_technologies(check_id, self._kind),
            evidence=self._tally.evidence(check),
        )

    def _place(self, check: Node) -> Location:
        """`repo_file_path` starts with `/` and means the checkout; line 0 means the whole file."""
        lines = [max(line.integer() or 1, 1) for line in check.items("file_line_range")]
        region = Region.of(lines[0], lines[-1]) if lines else Region()
        raw = check.text("repo_file_path") or check.need("file_path")
        block = [_line_of(row) for row in check.items("code_block")]
        return self._document.paths.source(raw.lstrip("/"), region, snippet="".join(block))


def _line_of(row: Node) -> str:
    """The text of a `[number, text]` pair."""
    cells = row.items()
    return cells[1].text() if len(cells) > 1 else ""


def _package(details: Node, path: str) -> Package | None:
    if not details.text("package_name"):
        return None
    fixed = details.text("lowest_fixed_version")
    return Package(
        ecosystem=ecosystems.of_file(path),
        name=details.text("package_name"),
        version=details.text("package_version"),
        fixed_versions=(fixed,) if fixed else (),
    )
