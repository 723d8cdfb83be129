"""The code of every finding in the real repository, where a mirror of it and its scans are here."""

import os
from collections import Counter
from pathlib import Path

import pygit2
import pytest

from secai_lib.code_context import contexts
from secai_lib.core.context import CodeContext, ContextStatus
from secai_lib.core.finding import Finding
from secai_lib.findings import distinct, intake
from secai_lib.gateways.commit_files import CommitFiles
from secai_lib.manifests import Scope, package_use
from secai_lib.parsers import parse_report

COMMIT = "87820e7"
_MIRROR = "/work/.mirror/hitoshura25+mpo-api-authn-server/repo"


@pytest.fixture(scope="module")
def files() -> CommitFiles:
    path = Path(os.environ.get("SECAI_REAL_REPOSITORY", _MIRROR))
    if not path.is_dir():
        pytest.skip("there is no mirror of hitoshura25/mpo-api-authn-server here")
    repository = pygit2.Repository(str(path))
    tree = repository.revparse_single(COMMIT).peel(pygit2.Tree)
    return CommitFiles(repository, tree, max_bytes=1 << 20)


@pytest.fixture(scope="module")
def found(files: CommitFiles, real_scans: Path) -> list[tuple[Finding, CodeContext]]:
    reports, _ = intake(
        [
            (str(path.relative_to(real_scans)), path.read_bytes())
            for path in sorted(real_scans.rglob("*"))
            if path.is_file()
        ],
        parse_report,
    )
    findings = distinct(reports, repository="a/b", run="r", commit=COMMIT)
    return list(zip(findings, contexts(findings, files), strict=True))


def _of(tool: str, found: list[tuple[Finding, CodeContext]]) -> list[tuple[Finding, CodeContext]]:
    return [(finding, context) for finding, context in found if finding.result.tool == tool]


def test_every_semgrep_finding_in_a_function_gets_it_and_its_text_is_verified(
    found: list[tuple[Finding, CodeContext]],
) -> None:
    semgrep = _of("semgrep", found)
    assert Counter(context.status for _, context in semgrep) == {ContextStatus.EXACT: 107}
    inside = [(finding, context) for finding, context in semgrep if context.function]
    assert len(inside) == 102
    for finding, context in inside:
        place, function = finding.result.location, context.function
        assert place.kind == "source" and place.start_line and function
        end = place.end_line or place.start_line
        assert context.start_line <= place.start_line <= end <= context.end_line
        assert function.start_line <= place.start_line <= end <= function.end_line
    outside = Counter(Path(context.path).name for _, context in semgrep if not context.function)
    assert outside == {
        "AndroidManifest.xml": 1,
        "index.html": 1,
        "build.gradle.kts": 1,
        "MonitoringModule.kt": 2,  # in a lambda, in no function
    }


def test_every_osv_finding_gets_the_line_of_its_lockfile(
    found: list[tuple[Finding, CodeContext]], files: CommitFiles
) -> None:
    osv = _of("osv-scanner", found)
    assert len(osv) == 46
    for finding, context in osv:
        package, text = finding.result.package, files.read(context.path)
        assert package and text and context.status is ContextStatus.EXACT
        lines = text.split("\n")[context.start_line - 1 : context.end_line]
        assert any(package.name.rpartition(":")[2] in line for line in lines)
        assert any(package.version in line for line in lines)


def test_every_osv_finding_gets_its_configurations(
    found: list[tuple[Finding, CodeContext]], files: CommitFiles
) -> None:
    scopes: Counter[Scope] = Counter()
    for finding, context in _of("osv-scanner", found):
        assert finding.result.package
        use = package_use(context.path, finding.result.package, files)
        assert use.configurations and not use.reason
        scopes[use.scope] += 1
    assert scopes == {Scope.RUNTIME: 30, Scope.TOOLING: 12, Scope.TEST: 4}
