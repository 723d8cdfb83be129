# ruff: noqa: E501 - whole files on one line read better as a table
"""The version that ends all advisories, and where it is written."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from secai_lib.core.errors import MalformedScan, UnknownFormat
from secai_lib.core.finding import (
    ADVISORY_TOOLS,
    ArchiveLocation,
    Finding,
    ImageLocation,
    Location,
    LockfileLocation,
    NoLocation,
    Package,
    VersionRange,
)
from secai_lib.core.fix import Proposal
from secai_lib.fixes.advisory import advisories_beside, advisory_checks
from secai_lib.fixes.edits import fixed_texts
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.rule import Abstain, rule_for
from secai_lib.fixes.rules import RULES
from secai_lib.fixes.rules.dependency_bump import RULE, propose
from secai_lib.fixes.versions import choose_version
from secai_lib.parsers import parse_report
from tests.fakes.records import make_finding, make_result
from tests.fakes.rescanner import FakeFiles

SAMPLES = Path(__file__).parents[2] / "samples"


def found(
    ecosystem: str,
    name: str,
    version: str,
    *fixed: str,
    path: str = "requirements.txt",
    place: Location | None = None,
    introduced: str = "0",
    rule: str = "GHSA-1",
    tool: str = "osv-scanner",
) -> Finding:
    ranges = tuple(VersionRange(introduced=introduced, fixed=f) for f in fixed)
    package = Package(ecosystem=ecosystem, name=name, version=version,
                      fixed_versions=fixed, ranges=ranges)  # fmt: skip
    result = make_result(tool=tool, rule_id=rule, package=package,
                         locations=(place or LockfileLocation(path=path),))  # fmt: skip
    return make_finding(fingerprint=f"{rule}{name}{version}".lower(), result=result)


def fix(finding: Finding, files: dict[str, str], *peers: Finding) -> tuple[Proposal, ...]:
    return propose(finding, Peers([finding, *peers]), FakeFiles(files))


def after(proposal: Proposal, files: dict[str, str]) -> dict[str, str]:
    """The fixed files, when the advisory proof accepts the edits."""
    return files | fixed_texts(FakeFiles(files), proposal.edits)


def refused(finding: Finding, files: dict[str, str], *peers: Finding) -> Abstain:
    with pytest.raises(Abstain) as refusal:
        fix(finding, files, *peers)
    return refusal.value


# ---------------------------------------------------------------- which version


def test_versions_are_ordered_by_the_ecosystem_and_not_as_text() -> None:
    netty = found("Maven", "io.netty:netty-codec", "4.1.101.Final", "4.1.125.Final", "4.1.94.Final",
                  "4.1.108.Final")  # fmt: skip
    assert choose_version(netty, Peers()).in_branch == "4.1.125.Final"
    pypi = found("PyPI", "a", "1.9", "1.10")
    assert choose_version(pypi, Peers()).in_branch == "1.10"


def test_the_own_branch_is_preferred_and_never_a_downgrade() -> None:
    ranges = (VersionRange(introduced="1.4.0", fixed="1.5.13"), VersionRange(fixed="1.3.15"))
    for version, wanted in (("1.3.5", "1.3.15"), ("1.4.14", "1.5.13")):
        package = Package(ecosystem="Maven", name="ch.qos.logback:logback-core", version=version,
                          fixed_versions=("1.5.13", "1.3.15"), ranges=ranges)  # fmt: skip
        choice = choose_version(make_finding(result=make_result(package=package)), Peers())
        assert (choice.in_branch, choice.latest_fixed) == (wanted, "1.5.13")


def test_a_version_must_end_every_advisory_of_the_package_and_no_other_package() -> None:
    first = found("npm", "axios", "1.6.1", "1.8.2")
    second = found("npm", "axios", "1.6.1", "1.12.0", rule="GHSA-2")
    other = found("npm", "axios-mock", "1.6.1", "99.0.0", rule="GHSA-3")
    elsewhere = found("PyPI", "axios", "1.6.1", "50.0.0", rule="GHSA-4")
    choice = choose_version(first, Peers([second, other, elsewhere]))
    assert choice.in_branch == choice.latest_fixed == "1.12.0"
    assert choice.advisories == ("GHSA-1", "GHSA-2")


def test_the_platform_flavour_is_kept_and_prereleases_are_passed_over() -> None:
    guava = found("Maven", "com.google.guava:guava", "31.1-jre", "32.0.0-android")
    assert choose_version(guava, Peers()).in_branch == "32.0.0-jre"
    assert choose_version(found("PyPI", "a", "1.0", "1.1rc1", "1.2"), Peers()).in_branch == "1.2"


@pytest.mark.parametrize(
    ("finding", "code"),
    [
        (found("PyPI", "a", "1.0"), "no_upstream_fix"),
        (found("PyPI", "a", "3.0", "2.0"), "no_upstream_fix"),
        (found("Haskell", "a", "3.0", "4.0"), "unknown_ecosystem"),
    ],
)
def test_without_a_better_version_there_is_none(finding: Finding, code: str) -> None:
    assert refused(finding, {"requirements.txt": "a==1.0\n"}).code == code


# ---------------------------------------------------------------- where it is written

REQUIREMENTS = "# requests==2.19.0\nrequests-toolbelt==2.19.0\nRequests[socks] == 2.19.0 ; os_name == 'x'\nflask==1.0\n"


def test_requirements_change_in_their_own_line_only() -> None:
    finding = found("PyPI", "requests", "2.19.0", "2.20.0")
    (proposal,) = fix(finding, {"requirements.txt": REQUIREMENTS})
    text = after(proposal, {"requirements.txt": REQUIREMENTS})["requirements.txt"]
    assert text == REQUIREMENTS.replace("[socks] == 2.19.0", "[socks] == 2.20.0")
    assert proposal.approach == "in_branch" and "GHSA-1" in proposal.explanation


def test_two_approaches_where_they_differ() -> None:
    finding = found("PyPI", "a_b", "1.0.0", "1.0.9", path="c.txt")
    peer = found("PyPI", "a_b", "1.0.0", "3.0.0", path="c.txt", introduced="2.0", rule="GHSA-2")
    proposals = fix(finding, {"c.txt": "A-B==1.0.0"}, peer)
    assert [(p.approach, p.edits[0].replacement) for p in proposals] == [
        ("in_branch", "1.0.9"), ("latest_fixed", "3.0.0")]  # fmt: skip
    assert "another major version" in proposals[1].explanation


PYPROJECT = """[project]
dependencies = ["requests>=2.19.0", "flask"]  # requests
[tool.poetry.dependencies]
requests = "^2.19.0"
[tool.other]
note = "requests is nice"
"""


def test_pyproject_and_its_locks() -> None:
    for path in ("pyproject.toml", "uv.lock"):
        finding = found("PyPI", "requests", "2.19.0", "2.20.0", path=path)
        files = {"pyproject.toml": PYPROJECT, "uv.lock": "x"}
        text = after(fix(finding, files)[0], files)["pyproject.toml"]
        assert text == PYPROJECT.replace("2.19.0", "2.20.0")


PACKAGE = """{
  "name": "x", "version": "1.6.1",
  "axios": "1.6.1",
  "dependencies": {"axios": "^1.6.1", "cors": "~2.8.5"},
  "devDependencies": {"axios": "1.6.1"}
}
"""


def test_package_json_keeps_the_style_of_its_range_and_leaves_the_lock_alone() -> None:
    finding = found("npm", "axios", "1.6.1", "1.12.0", path="web/package-lock.json")
    files = {"web/package.json": PACKAGE, "web/package-lock.json": '{"axios": "1.6.1"}'}
    (proposal,) = fix(finding, files)
    fixed = after(proposal, files)
    assert fixed["web/package-lock.json"] == files["web/package-lock.json"]
    assert json.loads(fixed["web/package.json"])["dependencies"]["axios"] == "^1.12.0"
    assert json.loads(fixed["web/package.json"])["devDependencies"]["axios"] == "1.12.0"
    assert json.loads(fixed["web/package.json"])["axios"] == "1.6.1"
    assert "npm install" in proposal.explanation


def test_a_transitive_package_gives_the_exact_constraint() -> None:
    finding = found("npm", "qs", "6.5.0", "6.5.3", path="package-lock.json")
    refusal = refused(finding, {"package.json": PACKAGE, "package-lock.json": "{}"})
    assert refusal.code == "transitive" and '"overrides": {"qs": "6.5.3"}' in refusal.reason
    jar = found("Maven", "a:b", "1.0", "1.1", path="s/gradle.lockfile")
    refusal = refused(jar, {"s/gradle.lockfile": "a:b:1.0=x\n", "s/build.gradle": "'a:c:1.0'"})
    assert refusal.code == "transitive" and 'implementation("a:b:1.1")' in refusal.reason


KTS = """val bcVersion = "1.78"
val other = "1.78"
dependencies {
    // implementation("org.bc:pkix:1.78")
    implementation("org.bc:prov:$bcVersion")
    implementation("org.bc:pkix:$bcVersion")
    implementation("org.bc:mail:1.78")
}
"""
LOCK = "org.bc:mail:1.78=a\norg.bc:pkix:1.77=ktlint\norg.bc:pkix:1.78=a,b\norg.bc:prov:1.78=a\nempty=c\n"


def test_gradle_variables_move_with_the_lockfile() -> None:
    finding = found("Maven", "org.bc:pkix", "1.78", "1.79", path="s/gradle.lockfile")
    files = {"s/build.gradle.kts": KTS, "s/gradle.lockfile": LOCK}
    (proposal,) = fix(finding, files)
    fixed = after(proposal, files)
    assert fixed["s/build.gradle.kts"] == KTS.replace('bcVersion = "1.78"', 'bcVersion = "1.79"')
    assert fixed["s/gradle.lockfile"] == LOCK.replace("pkix:1.78", "pkix:1.79").replace(
        "prov:1.78", "prov:1.79")  # fmt: skip
    assert "org.bc:prov" in proposal.explanation
    tool = found("Maven", "org.bc:pkix", "1.77", "1.79", path="s/gradle.lockfile")
    assert refused(tool, files).code == "transitive"


def test_artifacts_of_one_setting_agree_on_the_version_that_helps_them_all() -> None:
    pkix = found("Maven", "org.bc:pkix", "1.78", "1.79", path="build.gradle.kts")
    prov = found("Maven", "org.bc:prov", "1.78", "1.80", path="build.gradle.kts", rule="GHSA-2")
    mail = found("Maven", "org.bc:mail", "1.78", "1.81", path="build.gradle.kts", rule="GHSA-3")
    files = {"build.gradle.kts": KTS}
    everyone = (pkix, prov, mail)
    edits = [fix(finding, files, *everyone)[0].edits for finding in (pkix, prov)]
    assert edits[0] == edits[1]
    assert edits[0][0].replacement == "1.80"
    assert fix(mail, files, *everyone)[0].edits[0].replacement == "1.81"


CATALOGUE = """[versions]
bc = "1.78"
[libraries]
pkix = { module = "org.bc:pkix", version.ref = "bc" }
prov = { group = "org.bc", name = "prov", version.ref = "bc" }
mail = "org.bc:mail:1.78"
full = { module = "org.bc:full", version = "1.78" }
"""


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("org.bc:pkix", 'bc = "1.78"', 'bc = "1.79"'),
        ("org.bc:mail", "mail:1.78", "mail:1.79"),
        ("org.bc:full", 'version = "1.78"', 'version = "1.79"'),
    ],
)
def test_version_catalogues(module: str, old: str, new: str) -> None:
    finding = found("Maven", module, "1.78", "1.79", path="app/gradle.lockfile")
    files = {"gradle/libs.versions.toml": CATALOGUE, "app/gradle.lockfile": f"{module}:1.78=a\n"}
    fixed = after(fix(finding, files)[0], files)
    assert fixed["gradle/libs.versions.toml"] == CATALOGUE.replace(old, new)
    assert fixed["app/gradle.lockfile"] == f"{module}:1.79=a\n"


def test_groovy_builds_and_properties() -> None:
    build = "// 'a:b:1.0'\ndependencies {\n  implementation 'a:b:1.0'\n  api \"a:c:${cv}\"\n}\n"
    files = {"build.gradle": build, "gradle.properties": "cv=2.0\n"}
    fixed = after(fix(found("Maven", "a:b", "1.0", "1.1", path="build.gradle"), files)[0], files)
    assert fixed["build.gradle"] == build.replace(
        "implementation 'a:b:1.0'", "implementation 'a:b:1.1'"
    )
    fixed = after(fix(found("Maven", "a:c", "2.0", "2.1", path="build.gradle"), files)[0], files)
    assert fixed["gradle.properties"] == "cv=2.1\n"


@pytest.mark.parametrize(
    ("finding", "files", "code"),
    [
        (found("PyPI", "a", "1.0", "1.1"), {"requirements.txt": "a==1.0 --hash=sha256:00\n"}, "hashes"),
        (found("PyPI", "a", "1.0", "1.1"), {"requirements.txt": "a>=1.0,<2\n"}, "range"),
        (found("PyPI", "a", "1.0", "1.1"), {}, "no_source"),
        (found("PyPI", "a", "1.0", "1.1", path="uv.lock"), {"pyproject.toml": "[", "uv.lock": ""},
         "syntax"),
        (found("npm", "a", "1.0.0", "1.1.0", path="package.json"),
         {"package.json": '{"dependencies": {"a": "latest"}}'}, "range"),
        (found("npm", "a", "1.0.0", "1.1.0", path="package.json"), {"package.json": "{"}, "syntax"),
        (found("Maven", "a:b", "1.0", "1.1", path="pom.xml"), {"pom.xml": "<a/>"},
         "unsupported_manifest"),
        (found("Maven", "a:b", "1.0", "1.1", path="build.gradle"),
         {"build.gradle": 'x "a:b:${v}"'}, "involved"),
        (found("Maven", "a:b", "1.0", "1.1", place=ArchiveLocation(archive="app/app.jar")), {},
         "built_artifact"),
        (found("Debian:12", "zlib", "1.2", place=ImageLocation(image="x"), tool="trivy"), {},
         "no_upstream_fix"),
        (found("Debian:12", "zlib", "1.2", "1.3", place=ImageLocation(image="x"), tool="trivy"), {},
         "base_image"),
    ],
)  # fmt: skip
def test_what_is_not_edited(finding: Finding, files: dict[str, str], code: str) -> None:
    refusal = refused(finding, files)
    assert refusal.code == code
    assert len(refusal.reason) > 20


# ---------------------------------------------------------------- the real scan


@pytest.fixture(scope="module")
def real(real_scans: Path) -> list[Finding]:
    file = real_scans / "osv-scanner-results-workflow_dispatch-392" / "osv-results.json"
    results = parse_report("osv-results.json", file.read_bytes()).results
    return [make_finding(fingerprint=f"{n:016x}", result=r) for n, r in enumerate(results)]


def test_each_of_the_46_real_findings_has_one_fix_in_its_branch(real: list[Finding]) -> None:
    assert len(real) == 46
    peers = Peers(real)
    chosen = Counter()  # type: Counter[tuple[str, str, str]]
    for finding in real:
        package = finding.result.package
        assert package is not None
        assert rule_for(finding, RULES) is not None
        choice = choose_version(finding, peers)
        chosen[package.name, package.version, choice.in_branch] += 1
        bare = re.sub(r"-jre$", "-android", choice.in_branch)
        assert choice.in_branch in package.fixed_versions or any(
            bare in (p.result.package.fixed_versions if p.result.package else ()) for p in real
        )
    assert set(chosen) == {
        ("ch.qos.logback:logback-classic", "1.3.5", "1.3.12"),
        ("ch.qos.logback:logback-core", "1.3.5", "1.3.15"),
        ("ch.qos.logback:logback-core", "1.4.14", "1.5.13"),
        ("com.fasterxml.jackson.core:jackson-core", "2.14.0-rc2", "2.15.0"),
        ("com.google.android.gms:play-services-basement", "18.0.0", "18.0.2"),
        ("com.google.guava:guava", "31.1-jre", "32.0.0-jre"),
        ("commons-io:commons-io", "2.11.0", "2.14.0"),
        ("io.ktor:ktor-client-core-jvm", "2.3.7", "2.3.13"),
        ("io.ktor:ktor-client-core-jvm", "2.3.8", "2.3.13"),
        ("io.netty:netty-codec", "4.1.101.Final", "4.1.125.Final"),
        ("io.netty:netty-codec", "4.1.106.Final", "4.1.125.Final"),
        ("io.netty:netty-codec-http", "4.1.101.Final", "4.1.125.Final"),
        ("io.netty:netty-codec-http", "4.1.106.Final", "4.1.125.Final"),
        ("io.netty:netty-codec-http2", "4.1.101.Final", "4.1.124.Final"),
        ("io.netty:netty-codec-http2", "4.1.106.Final", "4.1.124.Final"),
        ("io.netty:netty-common", "4.1.101.Final", "4.1.118.Final"),
        ("io.netty:netty-common", "4.1.106.Final", "4.1.118.Final"),
        ("io.netty:netty-handler", "4.1.101.Final", "4.1.118.Final"),
        ("io.netty:netty-handler", "4.1.106.Final", "4.1.118.Final"),
        ("org.apache.commons:commons-compress", "1.24.0", "1.26.0"),
        ("org.apache.commons:commons-lang3", "3.13.0", "3.18.0"),
        ("org.apache.commons:commons-lang3", "3.17.0", "3.18.0"),
        ("org.bouncycastle:bcpkix-jdk18on", "1.78", "1.79"),
    }


def test_a_real_advisory_accepts_the_written_fix(real: list[Finding]) -> None:
    """The engine's own advisory checks pass for what this rule writes."""
    checked, peers = 0, Peers(real)
    for finding in real:
        package, path = finding.result.package, finding.result.path
        assert package is not None and path is not None
        folder = path.rpartition("/")[0]
        files = {
            path: f"{package.name}:{package.version}=runtimeClasspath\n",
            f"{folder}/build.gradle.kts": f'val v = implementation("{package.name}:{package.version}")\n',
        }
        for proposal in propose(finding, peers, FakeFiles(files)):
            fixed = fixed_texts(FakeFiles(files), proposal.edits)
            base = {name: files[name] for name in fixed}
            beside = advisories_beside(finding.result, peers)
            checks = advisory_checks(
                finding.result, beside, base, fixed, proposal.edits, FakeFiles(base)
            )
            assert all(check.passed for check in checks), checks
            assert len(fixed) == 2
            checked += 1
    assert checked >= 46


def test_every_advisory_about_a_package_in_a_sample_is_taken() -> None:
    reports = []
    for path in sorted(SAMPLES.rglob("*.json*")):
        try:
            reports.append(parse_report(path.name, path.read_bytes()))
        except (MalformedScan, UnknownFormat):
            continue
    about = [
        result
        for report in reports
        for result in report.results
        if result.package and result.advisories
    ]
    assert {result.tool for result in about} >= ADVISORY_TOOLS
    assert [result.rule_id for result in about if not RULE.takes_result(result)] == []


def test_a_scanner_that_names_no_file_is_told_the_version_to_declare() -> None:
    finding = found("PyPI", "jinja2", "3.1.3", "3.1.4", place=NoLocation(reason="none"),
                    tool="pip-audit")  # fmt: skip
    told = refused(finding, {"requirements.txt": "jinja2==3.1.3\n"})
    assert told.code == "no_place"
    assert "3.1.4" in str(told)
