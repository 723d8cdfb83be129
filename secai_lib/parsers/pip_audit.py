"""pip-audit: its JSON, the bare list of the first versions and today's object.

Format: https://github.com/pypa/pip-audit, `pip_audit._format.json`. It rates nothing and names no
file.
"""

from functools import partial

from secai_lib.core.finding import NoLocation, Package, ParsedReport, Result, Severity
from secai_lib.parsers.base import Parser, any_has
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node, headline
from secai_lib.parsers.tally import Tally

_SHAPES = ({"name", "vulns"}, {"name", "skip_reason"})
_NO_FILE = NoLocation(reason="pip-audit names no file")


class PipAuditParser(Parser):
    """Reads one result per dependency and vulnerability."""

    name = "pip-audit"

    def recognise(self, document: Document) -> float:
        """By dependencies with `vulns` or a `skip_reason`, or an object of two empty lists."""
        value = document.value
        listed = value.get("dependencies") if isinstance(value, dict) else value
        if document.lines:
            return 0.0
        if any(any_has(listed, shape) for shape in _SHAPES):
            return 0.95
        bare = isinstance(value, dict) and value.keys() <= {"dependencies", "fixes"}
        return 0.9 if bare and listed == [] else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every vulnerability; dependencies not audited, and fixes pip-audit made, are noted."""
        tally = Tally(document.name)
        root = document.root
        bare = isinstance(document.value, list)
        for dependency in root.items() if bare else root.items("dependencies"):
            self._dependency(tally, dependency)
        for fix in [] if bare else root.items("fixes"):
            tally.note(self.name, fix, _fixed(fix))
        return tally.report(self.name)

    def _dependency(self, tally: Tally, dependency: Node) -> None:
        value = dependency.value if isinstance(dependency.value, dict) else {}
        if isinstance(value.get("skip_reason"), str):
            reason = f"not audited: {dependency.text('skip_reason')}"
            tally.note(self.name, dependency, reason)
        vulns = value.get("vulns", [] if "skip_reason" in value else None)
        if not isinstance(vulns, list):
            tally.add(self.name, dependency, _broken)
            return
        for vulnerability in dependency.items("vulns"):
            tally.add(self.name, vulnerability, partial(_result, tally, dependency))


def _broken(dependency: Node) -> Result:
    raise dependency.get("vulns").broken("a list")


def _fixed(fix: Node) -> str:
    """What pip-audit itself did to a dependency after it had found the vulnerabilities."""
    name = fix.text("name", default="a dependency")
    if fix.text("skip_reason"):
        return f"pip-audit did not upgrade {name}: {fix.text('skip_reason')}"
    return f"pip-audit upgraded {name} from {fix.text('old_version')} to {fix.text('new_version')}"


def _result(tally: Tally, dependency: Node, vulnerability: Node) -> Result:
    identifier = vulnerability.need("id")
    name, version = dependency.need("name"), dependency.text("version")
    message = f"{name} {version} is affected by {identifier}"
    description = vulnerability.text("description")
    return Result(
        tool="pip-audit",
        rule_id=identifier,
        title=headline(description.split(". ")[0], f"{identifier} in {name}"),
        message=message,
        severity=Severity.UNKNOWN,
        severity_origin="none",
        advisories=tuple(sorted({identifier, *filter(None, vulnerability.texts("aliases"))})),
        locations=(_NO_FILE,),
        package=Package(
            ecosystem="PyPI",
            name=name,
            version=version,
            fixed_versions=tuple(filter(None, vulnerability.texts("fix_versions"))),
        ),
        help=description,
        evidence=tally.evidence(vulnerability),
    )
