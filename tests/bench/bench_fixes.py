"""What a proposal of the rule lane costs, in a small and in a large repository.

The repository is made of folders that each hold every weak file of the rules' tests and one module
that installs a package with six advisories. Scanners are not part of it: they cost what they cost.
"""

import time
from collections.abc import Iterator
from contextlib import suppress

from secai_lib.core.finding import Finding, LockfileLocation, Package, SourceLocation, VersionRange
from secai_lib.core.fix import Rescan
from secai_lib.core.record import content_hash
from secai_lib.fixes.prove import make_fixes
from secai_lib.fixes.rules import RULES
from tests.bench.table import Row
from tests.fakes.records import REPOSITORY, make_finding, make_problem, make_result
from tests.fakes.rescanner import FakeFiles
from tests.fixes.rules.cases import GOOD
from tests.fixes.rules.test_rules import finding_of

ADVISORIES = 6
PROBLEMS = (1_000, 10_000)
GRADLE = 'dependencies { implementation("io.netty:netty-codec:4.1.100.Final") }\n'


def run() -> Iterator[Row]:
    """Milliseconds of one problem in the larger repository against the smaller one."""
    small, large = map(_milliseconds, PROBLEMS)
    detail = f"{large:.2f} ms a problem, {small:.2f} ms there"
    yield Row(f"proposing, {PROBLEMS[1]:,} problems", small / large,
              f"a problem among {PROBLEMS[0]:,}", detail)  # fmt: skip


def _milliseconds(problems: int) -> float:
    texts: dict[str, str] = {}
    findings: list[Finding] = []
    while len(findings) < problems:
        _folder(len(texts), texts, findings)
    known = [make_problem((finding,)) for finding in findings]
    start = time.perf_counter()
    with suppress(_ProposedError):
        make_fixes(known, findings, FakeFiles(texts), _stop, repository=REPOSITORY,
                   commit=findings[0].commit, rules=RULES)  # fmt: skip
    return 1000 * (time.perf_counter() - start) / len(known)


class _ProposedError(Exception):
    """Every proposal is made: what follows is the scanners' time."""


def _stop(variants: object, tools: object) -> Rescan:
    raise _ProposedError


def _folder(number: int, texts: dict[str, str], findings: list[Finding]) -> None:
    for case in GOOD:
        finding = finding_of(case)
        place = finding.result.location
        assert isinstance(place, SourceLocation)
        path = f"module{number}/{case.name}/{case.path}"
        texts[path] = case.text
        _add(findings, finding, place.model_copy(update={"path": path}))
    texts[f"module{number}/build.gradle.kts"] = GRADLE
    texts[f"module{number}/gradle.lockfile"] = "io.netty:netty-codec:4.1.100.Final=runtime\n"
    for advisory in range(ADVISORIES):
        fixed = f"4.1.{101 + advisory}.Final"
        package = Package(
            ecosystem="Maven",
            name="io.netty:netty-codec",
            version="4.1.100.Final",
            fixed_versions=(fixed,),
            ranges=(VersionRange(introduced="0", fixed=fixed),),
        )
        result = make_result(tool="osv-scanner", rule_id=f"GHSA-{advisory}", package=package)
        place = LockfileLocation(path=f"module{number}/gradle.lockfile", start_line=1)
        _add(findings, make_finding(result=result), place)


def _add(
    findings: list[Finding], finding: Finding, place: SourceLocation | LockfileLocation
) -> None:
    result = finding.result.model_copy(update={"locations": (place,)})
    name = content_hash(result.rule_id, place)
    findings.append(finding.model_copy(update={"result": result, "fingerprint": name}))
