"""Trivy: its JSON report (schema versions 1 and 2, also of a cluster) and its SARIF.

Format: https://trivy.dev/latest/docs/configuration/reporting/ and Trivy's `types.Report`.
"""

from collections.abc import Iterator

from secai_lib.core.finding import ParsedReport, Result
from secai_lib.parsers.base import Parser, SarifItem, any_has
from secai_lib.parsers.document import Document
from secai_lib.parsers.secrets import Spot, context, spot
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.trivy_results import TargetReader
from secai_lib.parsers.trivy_sarif import adapt_trivy
from secai_lib.parsers.trivy_targets import CLUSTER_LISTS, targets_of

_MODIFIED = "ExperimentalModifiedFindings"


class TrivyParser(Parser):
    """Reads Trivy's vulnerabilities, misconfigurations and secrets; licences are left out."""

    name = "trivy"
    sarif_names = ("trivy",)

    def recognise(self, document: Document) -> float:
        """Certain by Trivy's own top-level names; version 1 by a target with vulnerabilities."""
        value = document.value
        if isinstance(value, list):
            sure = any_has(value, {"Target", "Vulnerabilities"})
            return 0.9 if sure else 0.6 if any_has(value, {"Target", "Type"}) else 0.0
        if isinstance(value, dict) and "ClusterName" in value:
            return 0.9 if CLUSTER_LISTS & value.keys() else 0.0
        if not isinstance(value, dict) or "SchemaVersion" not in value:
            return 0.0
        return 1.0 if "ArtifactName" in value or "Results" in value else 0.6

    def parse(self, document: Document) -> ParsedReport:
        """Every result of every target."""
        tally = Tally(document.name)
        for place in targets_of(document, tally):
            target, read = place.node, TargetReader(document, place, tally)
            for vulnerability in target.items("Vulnerabilities"):
                tally.add(self.name, vulnerability, read.vulnerability)
            for misconfiguration in target.items("Misconfigurations"):
                tally.add(self.name, misconfiguration, read.misconfiguration)
            for secret in target.items("Secrets"):
                tally.add(self.name, secret, read.secret)
            for modified in target.items(_MODIFIED):
                tally.add(self.name, modified, read.modified)
            licences = target.items("Licenses")
            reason = "licences are no security findings"
            tally.leave_out(self.name, target.get("Licenses"), reason, results=len(licences))
        return tally.report(self.name)

    def secrets(self, document: Document) -> Iterator[Spot]:
        """Match and code lines of secrets (Trivy itself masks most of them with stars)."""
        for place in targets_of(document, Tally(document.name)):
            modified = place.node.items(_MODIFIED)
            inner = [item.get("Finding") for item in modified if isinstance(item.value, dict)]
            for found in [*place.node.items("Secrets"), *inner]:
                if not isinstance(found.value, dict):
                    continue
                yield from spot(found, "Match", owner=found)
                yield from context(found, "Code", owner=found)

    def adapt(self, draft: Result, item: SarifItem) -> Result:
        """Package, versions, image or archive out of Trivy's message lines."""
        return adapt_trivy(draft, item)
