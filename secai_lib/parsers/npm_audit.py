"""npm audit: its JSON, the advisories of npm 6 (and pnpm) and the vulnerabilities since npm 7.

Formats: npm 6's registry answer, and `AuditReport` of https://github.com/npm/cli, `arborist`.
npm audits the lockfile of the folder it runs in and does not name it: the root's is meant.
"""

import re
from functools import partial

from secai_lib.core.finding import LockfileLocation, Package, ParsedReport, Result
from secai_lib.parsers import severity
from secai_lib.parsers.base import Parser
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Broken, Node, headline
from secai_lib.parsers.npm_ranges import ranges_of
from secai_lib.parsers.npm_tree import Vulnerabilities
from secai_lib.parsers.scores import score_of_vector, valid_score
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import advisories_in, cwes_in

_LOCKFILE = LockfileLocation(path="package-lock.json")
_LINK = re.compile(r"https?://[^\s)\]>\"']{1,500}")
_LONGEST = 20_000
"""Characters of an advisory's text that are searched for links."""


class NpmAuditParser(Parser):
    """Reads one result per package and advisory; packages that only depend on one are counted."""

    name = "npm-audit"

    def recognise(self, document: Document) -> float:
        """By the report's version, advisories beside npm's actions, or npm's own error."""
        value = document.value
        if not isinstance(value, dict):
            return 0.0
        if "auditReportVersion" in value and isinstance(value.get("vulnerabilities"), dict):
            return 1.0
        if isinstance(value.get("advisories"), dict):
            return 0.95 if {"actions", "muted", "metadata"} & value.keys() else 0.0
        error = value.get("error")
        if not isinstance(error, dict) or "summary" not in error:
            return 0.0
        return 0.7 if "code" in error or "statusCode" in value else 0.0

    def parse(self, document: Document) -> ParsedReport:
        """Every advisory of every package. Raises Broken when npm reports that it did not audit."""
        root = document.root
        if root.get("error"):
            code = root.text("error", "code") or root.scalar("statusCode")
            raise Broken("/error", f"npm did not audit anything ({code}); run it again")
        tally = Tally(document.name)
        for _, advisory in root.get("advisories").entries():
            for finding in _findings(advisory):
                tally.add(self.name, finding, partial(_old_result, tally, advisory))
        tree = Vulnerabilities(root.get("vulnerabilities"))
        for name, entry in root.get("vulnerabilities").entries():
            self._vulnerability(tally, tree, name, entry)
        return tally.report(self.name)

    def _vulnerability(self, tally: Tally, tree: Vulnerabilities, name: str, entry: Node) -> None:
        via = entry.value.get("via") if isinstance(entry.value, dict) else None
        if not isinstance(via, list):
            tally.add(self.name, entry, _broken)
            return
        own = [cause for cause in entry.items("via") if not isinstance(cause.value, str)]
        for cause in own:
            tally.add(self.name, cause, partial(_result, tally, tree, name))
        if not own:
            others = ", ".join(text for text in entry.texts("via") if text) or "nothing it names"
            reason = f"{name} is affected only through {others}, which counts for itself"
            tally.leave_out(self.name, entry, reason, results=1)


def _findings(advisory: Node) -> list[Node]:
    """Each installed version of the package; the advisory itself when there is none."""
    found = advisory.value.get("findings") if isinstance(advisory.value, dict) else None
    return advisory.items("findings") if isinstance(found, list) and found else [advisory]


def _broken(entry: Node) -> Result:
    raise entry.get("via").broken("a list")


def _old_result(tally: Tally, advisory: Node, finding: Node) -> Result:
    """An advisory of npm 6 and one installed version."""
    name = advisory.need("module_name")
    links = _LINK.findall(advisory.text("references")[:_LONGEST])
    paths = finding.texts("paths") if finding is not advisory else ()
    patched = [span.introduced for span in ranges_of(advisory.text("patched_versions"))]
    package = Package(
        ecosystem="npm",
        name=name,
        version=finding.text("version"),
        fixed_versions=tuple(version for version in patched if version != "0"),
        ranges=ranges_of(advisory.text("vulnerable_versions")),
    )
    names = (advisory.text("github_advisory_id"), *advisory.texts("cves"))
    return _draft(
        tally, finding, advisory, package, names, links=tuple(links),
        message=advisory.text("overview"), top=sorted({path.split(">")[0] for path in paths}),
        help_text=advisory.text("recommendation"),
    )  # fmt: skip


def _result(tally: Tally, tree: Vulnerabilities, name: str, cause: Node) -> Result:
    """An advisory in the `via` of its package, as npm 7 and later write it."""
    ranges = ranges_of(cause.text("range"))
    fix = tree.fix_of(name)
    named = (fix.version,) if fix.name == name else ()
    package = Package(
        ecosystem="npm",
        name=name,
        version="",
        fixed_versions=named or tuple(dict.fromkeys(span.fixed for span in ranges if span.fixed)),
        ranges=ranges,
    )
    return _draft(
        tally, cause, cause, package, (), links=(), message="", top=tree.direct(name),
        help_text=fix.sentence,
    )  # fmt: skip


def _draft(
    tally: Tally, raw: Node, advisory: Node, package: Package, names: tuple[str, ...], *,
    links: tuple[str, ...], message: str, top: list[str], help_text: str,
) -> Result:  # fmt: skip
    """What both generations say alike; `top` are the direct dependencies that bring it in."""
    url = advisory.text("url")
    known = advisories_in(url, *names)
    number = advisory.scalar("id") or advisory.scalar("source")
    rule_id = next((item for item in known if item.startswith("GHSA-")), "") or number
    if not rule_id:
        raise advisory.get("url").broken("the address of an advisory")
    title = headline(advisory.text("title"), f"{rule_id} in {package.name}")
    word, origin = severity.by_word(advisory.text("severity"))
    through = [name for name in top if name != package.name]
    brought = f" It comes with {', '.join(through)}." if through else ""
    return Result(
        tool="npm-audit",
        rule_id=rule_id,
        title=title,
        message=f"{message or f'{package.name} is affected by {rule_id}: {title}.'}{brought}",
        severity=word,
        severity_score=_score(advisory.get("cvss")),
        severity_origin=origin,
        cwes=cwes_in(*advisory.texts("cwe")),
        advisories=known,
        locations=(_LOCKFILE,),
        package=package,
        help=help_text,
        references=tuple(dict.fromkeys(filter(None, (url, *links)))),
        evidence=tally.evidence(raw),
    )


def _score(cvss: Node) -> float | None:
    """The score; npm writes 0 without a vector where the advisory has none."""
    vector = cvss.text("vectorString")
    score = valid_score(cvss.number("score"))
    return (score or score_of_vector(vector)) if vector else score or None
