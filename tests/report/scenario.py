"""A believable repository after a scan: made-up, but of the size and mix of a real one."""

from dataclasses import dataclass, field
from typing import Any, TypedDict

from secai_lib.core.context import CodeContext, CodeScope, ContextStatus, RouteMatch
from secai_lib.core.finding import (
    Category,
    Finding,
    ImageLocation,
    Location,
    LockfileLocation,
    Package,
    Result,
    Severity,
    Skipped,
    SourceLocation,
    UrlLocation,
)
from secai_lib.core.fix import Abstention, Edit, Fix, ProofMethod, Proposal
from secai_lib.core.problem import Problem
from secai_lib.core.scan import ScanRun, ToolStatus
from secai_lib.report.build import build_report
from secai_lib.report.model import RepositoryReport
from tests.fakes.records import (
    BRANCH,
    COMMIT,
    REPOSITORY,
    make_abstention,
    make_context,
    make_evidence,
    make_finding,
    make_fix,
    make_location,
    make_package,
    make_problem,
    make_proposal,
    make_result,
    make_scan_run,
    make_skipped,
    make_tool_run,
)


class BuildArguments(TypedDict):
    repository: str
    commit: str
    branch: str
    scans: list[ScanRun]
    raw_results: int
    findings: list[Finding]
    skipped: list[Skipped]
    contexts: list[CodeContext]
    problems: list[Problem]
    fixes: list[Fix]
    abstentions: list[Abstention]
    patch: str


@dataclass
class Scenario:
    """Records of one repository, in no particular order, and its files."""

    findings: list[Finding] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    contexts: list[CodeContext] = field(default_factory=list)
    fixes: list[Fix] = field(default_factory=list)
    abstentions: list[Abstention] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    def add(self, category: Category, *results: Result) -> Problem:
        findings = [
            make_finding(
                result=result,
                category=category,
                evidence=tuple(
                    make_evidence(file=f"{result.tool}.json", pointer=f"/{i}") for i in range(2)
                ),
            )
            for result in results
        ]
        problem = make_problem(findings)
        self.findings += findings
        self.problems.append(problem)
        return problem

    def arguments(self) -> BuildArguments:
        skipped = [
            make_skipped(),
            make_skipped(
                file="zap/report.json", reason="Informational alert without a place.", results=9
            ),
            make_skipped(
                file="broken.sarif", reason="Not JSON: ends in the middle.", malformed=True
            ),
        ]
        explained = sum(len(finding.evidence) for finding in self.findings) + 9
        return {
            "repository": REPOSITORY,
            "commit": COMMIT,
            "branch": BRANCH,
            "scans": [_scan()],
            "raw_results": explained,
            "findings": self.findings,
            "skipped": skipped,
            "contexts": self.contexts,
            "problems": self.problems,
            "fixes": self.fixes,
            "abstentions": self.abstentions,
            "patch": "".join(fix.diff for fix in self.fixes if fix.in_patch),
        }

    def report(self) -> RepositoryReport:
        return build_report(**self.arguments())


def build(**changes: Any) -> RepositoryReport:
    """The report of a scan that found nothing, with some arguments of `build_report` changed."""
    arguments: Any = {**Scenario().arguments(), **changes}
    return build_report(**arguments)


def nothing(**changes: Any) -> RepositoryReport:
    """The same without any scan."""
    return build(**{"scans": [], "skipped": [], "raw_results": 0, **changes})


def shop() -> Scenario:
    """About 90 problems, 45 of them with a proven fix, of every category and kind of place."""
    scenario = Scenario()
    _workflows(scenario)
    _containers(scenario)
    _dependencies(scenario)
    _code(scenario)
    _outside(scenario)
    return scenario


def _scan() -> ScanRun:
    return make_scan_run(
        files=[f"{tool}.json" for tool in ("checkov", "osv-scanner", "semgrep", "trivy", "zizmor")],
        tools=(
            make_tool_run("zizmor"),
            make_tool_run("checkov", version="3.3.1"),
            make_tool_run("semgrep", version="1.180.0"),
            make_tool_run("osv-scanner", version="2.2.2"),
            make_tool_run("trivy", version="0.66.0"),
            make_tool_run("zap", version="2.16.1"),
            make_tool_run(
                "gitleaks", status=ToolStatus.ABSENT, version="", detail="not installed here"
            ),
            make_tool_run(
                "bandit", status=ToolStatus.FAILED, version="1.9.4", detail="stopped after 120 s"
            ),
        ),
    )


def _workflow_text(name: str, line_end: str) -> str:
    lines = [
        f"name: {name}",
        "on: [push, pull_request]",
        "jobs:",
        "  build:",
        "    runs-on: ubuntu-latest",
        "    steps:",
        "      - uses: actions/checkout@v4",
        "      - uses: gradle/actions/setup-gradle@v4  # größer & schneller 🚀",
        "      - run: ./gradlew build",
        "",
    ]
    return line_end.join(lines)


def _workflows(scenario: Scenario) -> None:
    for number, name in enumerate(
        ("ci", "release", "docker", "e2e", "lint", "android", "nightly", "docs", "codeql", "sbom")
    ):
        path = f".github/workflows/{name}.yml"
        text = _workflow_text(name, "\r\n" if number == 3 else "\n")
        scenario.files[path] = text
        _permissions(scenario, path, text, both=number % 3 == 0)
        for action in ("actions/checkout@v4", "gradle/actions/setup-gradle@v4"):
            _pin(scenario, path, text, action)


def _permissions(scenario: Scenario, path: str, text: str, *, both: bool) -> None:
    results = [make_result(locations=(make_location(path=path, start_line=3, end_line=4),))]
    if both:
        results.append(
            make_result(
                tool="checkov",
                tool_version="3.3.1",
                rule_id="CKV2_GHA_1",
                title="Ensure top-level permissions are not set to write-all",
                message="Ensure top-level permissions are not set to write-all",
                locations=(make_location(path=path, start_line=1, end_line=2),),
            )
        )
    problem = scenario.add(Category.INFRASTRUCTURE, *results)
    start = text.index("jobs:")
    eol = "\r\n" if "\r\n" in text else "\n"
    edit = Edit(
        path=path,
        start=start,
        end=start,
        replacement=f"permissions:{eol}  contents: read{eol}",
    )
    proposal = make_proposal(
        title=f"Give {path.rsplit('/', 1)[1]} read-only permissions",
        explanation="Without a top-level `permissions` block the job's token may write to the "
        "repository.\n\n- a job that needs more says so itself\n- nothing else changes",
        edits=(edit,),
    )
    scenario.fixes.append(make_fix(problem, proposal=proposal, base={path: text}))
    for finding in scenario.findings[-len(results) :]:
        scenario.contexts.append(
            make_context(
                fingerprint=finding.fingerprint,
                path=path,
                start_line=3,
                end_line=9,
                snippet="jobs:\n  build:\n    runs-on: ubuntu-latest",
                before="on: [push, pull_request]",
            )
        )


def _pin(scenario: Scenario, path: str, text: str, action: str) -> None:
    line = text[: text.index(action)].count("\n") + 1
    problem = scenario.add(
        Category.INFRASTRUCTURE,
        make_result(
            rule_id="unpinned-uses",
            title="Unpinned action reference",
            message=f"unpinned action reference: {action} is not pinned to a hash",
            severity=Severity.HIGH,
            help="A tag can be moved to other code at any time.",
            references=("https://docs.zizmor.sh/audits/#unpinned-uses",),
            locations=(make_location(path=path, start_line=line, end_line=line),),
        ),
    )
    start = text.index(action)
    name, tag = action.split("@")
    edit = Edit(
        path=path,
        start=start,
        end=start + len(action),
        replacement=f"{name}@{COMMIT} # {tag}",
    )
    proposal = make_proposal(
        kind="pin-action",
        title=f"Pin {name} to a commit",
        explanation="A tag can be moved; a commit cannot.",
        edits=(edit,),
    )
    scenario.fixes.append(make_fix(problem, proposal=proposal, base={path: text}))
    scenario.contexts.append(
        make_context(
            fingerprint=scenario.findings[-1].fingerprint,
            path=path,
            start_line=line,
            end_line=line,
            snippet=f"      - uses: {action}",
            function=CodeScope(kind="job", name="build", start_line=4, end_line=9),
        )
    )


def _containers(scenario: Scenario) -> None:
    for service in ("server", "client", "tool"):
        path, text = f"{service}/Dockerfile", 'FROM debian:12\nCOPY . /app\nCMD ["/app/run"]\n'
        scenario.files[path] = text
        problem = scenario.add(
            Category.CONTAINER,
            make_result(
                tool="checkov",
                tool_version="3.3.1",
                rule_id="CKV_DOCKER_3",
                title="Ensure that a user for the container has been created",
                message="Ensure that a user for the container has been created",
                severity=Severity.LOW,
                locations=(make_location(path=path, start_line=1, end_line=3),),
            ),
        )
        edit = Edit(path=path, start=27, end=27, replacement="USER 10001:10001\n")
        proposal = make_proposal(
            kind="dockerfile-user",
            title="Run the container as its own user",
            explanation="Without `USER` the process is root inside of the container.",
            edits=(edit,),
        )
        scenario.fixes.append(make_fix(problem, proposal=proposal, base={path: text}))
    for number in range(22):
        package = make_package(
            ecosystem="Debian", name=f"lib{number:02d}", version="1.2-3", fixed_versions=()
        )
        _advisory(
            scenario,
            package,
            ImageLocation(image="acme/shop:1.4", target="acme/shop:1.4 (debian 12.5)"),
            number,
            tools=("trivy",),
        )
        scenario.abstentions.append(
            make_abstention(
                scenario.problems[-1],
                reason_code="no_upstream_fix",
                reason="Debian 12 has no fixed version of this package; rebuild when it has.",
            )
        )
        scenario.contexts.append(
            make_context(
                fingerprint=scenario.findings[-1].fingerprint,
                path="server/Dockerfile",
                language="dockerfile",
                start_line=1,
                end_line=1,
                snippet="FROM debian:12",
                before="",
            )
        )


def _advisory(
    scenario: Scenario,
    package: Package,
    location: Location,
    number: int,
    tools: tuple[str, ...],
) -> Problem:
    severity, score = [
        (Severity.CRITICAL, 9.8),
        (Severity.HIGH, 7.5),
        (Severity.MEDIUM, 5.3),
        (Severity.LOW, 3.1),
        (Severity.UNKNOWN, None),
    ][number % 5]
    cve = f"CVE-2024-{20000 + number}"
    results = [
        make_result(
            tool=tool,
            rule_id=cve,
            title=f"{package.name}: out-of-bounds read in the parser",
            message=f"{package.name} {package.version} is affected by {cve}.",
            severity=severity,
            severity_score=score,
            severity_origin="cvss",
            cwes=("CWE-125",),
            advisories=(cve,),
            package=package,
            references=(f"https://nvd.nist.gov/vuln/detail/{cve}",),
            locations=(location,),
        )
        for tool in tools
    ]
    return scenario.add(Category.DEPENDENCY, *results)


def _dependencies(scenario: Scenario) -> None:
    names = ["netty-codec-http2", "jackson-databind", "logback-core", "ktor-server", "okio"]
    text = "".join(
        f'    implementation("io.acme:{name}:4.1.{i}")\n' for i, name in enumerate(names)
    )
    scenario.files["server/build.gradle.kts"] = text = "dependencies {\n" + text + "}\n"
    for number, name in enumerate(names * 2):
        package = make_package(
            ecosystem="Maven",
            name=f"io.acme:{name}",
            version=f"4.1.{number % 5}",
            fixed_versions=("4.1.124",),
        )
        place = LockfileLocation(path="server/build.gradle.kts", start_line=2 + number % 5)
        problem = _advisory(scenario, package, place, 40 + number, tools=("osv-scanner", "trivy"))
        start = text.index(f"{name}:4.1.") + len(name) + 1
        edit = Edit(
            path="server/build.gradle.kts", start=start, end=start + 5, replacement="4.1.124"
        )
        proposal = make_proposal(
            kind="dependency-bump",
            title=f"Raise {name} to 4.1.124",
            explanation="4.1.124 lies outside of every affected range of the advisory.",
            edits=(edit,),
        )
        scenario.fixes.append(
            make_fix(
                problem,
                proposal=proposal,
                base={"server/build.gradle.kts": text},
                method=ProofMethod.ADVISORY,
                in_patch=number < 5,
            )
        )


def _code(scenario: Scenario) -> None:
    kotlin = 'fun hash(text: String) =\n    MessageDigest.getInstance("MD5").digest(text)\n'
    for number in range(2):
        path = f"server/src/main/kotlin/shop/Hash{number}.kt"
        scenario.files[path] = kotlin
        problem = scenario.add(
            Category.CODE,
            make_result(
                tool="semgrep",
                rule_id="config.rules.semgrep.secai.kotlin.weak-hash",
                title="Weak hash",
                message="MD5 is broken; use SHA-256.",
                severity=Severity.HIGH,
                cwes=("CWE-327", "CWE-328"),
                locations=(make_location(path=path, start_line=2, end_line=2),),
            ),
        )
        start = kotlin.index("MD5")
        edit = Edit(path=path, start=start, end=start + 3, replacement="SHA-256")
        proposal = Proposal(
            kind="kotlin-weak-hash",
            title="Use SHA-256",
            explanation="Stored hashes have to be made again.",
            edits=(edit,),
        )
        scenario.fixes.append(
            make_fix(problem, proposal=proposal, base={path: kotlin}, method=ProofMethod.OWN_RULE)
        )
    for number in range(16):
        result = make_result(
            tool="semgrep",
            rule_id="kotlin.lang.security.unvalidated-input",
            title="Unvalidated request parameter",
            message="A request parameter reaches the database without validation.",
            severity=Severity.MEDIUM,
            cwes=("CWE-20",),
            confidence="low",
            locations=(
                SourceLocation(
                    path=f"server/src/main/kotlin/shop/routes/Routes{number}.kt",
                    start_line=10 + number,
                    end_line=12 + number,
                ),
            ),
        )
        problem = scenario.add(Category.CODE, result)
        scenario.contexts.append(
            make_context(
                fingerprint=scenario.findings[-1].fingerprint,
                status=ContextStatus.RELOCATED if number % 4 == 0 else ContextStatus.EXACT,
                path=f"server/src/main/kotlin/shop/routes/Routes{number}.kt",
                language="kotlin",
                start_line=10 + number,
                end_line=12 + number,
                snippet='val id = call.parameters["id"]\nval user = users.find(id)',
                before='get("/users/{id}") {',
                after="    call.respond(user)\n}",
                function=CodeScope(kind="function", name="routes", start_line=4, end_line=40),
            )
        )
        code = "no_rule" if number % 3 else "unproven"
        reason = (
            "No fix rule knows kotlin.lang.security.unvalidated-input yet."
            if code == "no_rule"
            else "Semgrep does not find the unfixed file either, so nothing can be shown."
        )
        scenario.abstentions.append(make_abstention(problem, reason_code=code, reason=reason))


def _outside(scenario: Scenario) -> None:
    for number, header in enumerate(("Content-Security-Policy", "X-Frame-Options", "CORS")):
        problem = scenario.add(
            Category.WEB,
            make_result(
                tool="zap",
                rule_id=f"1003{number}",
                title=f"{header} missing or too broad",
                message=f"The response does not restrict {header}.",
                severity=Severity.MEDIUM,
                locations=(UrlLocation(url="http://localhost:8080/users/7?q=1", param=header),),
            ),
        )
        scenario.contexts.append(
            make_context(
                fingerprint=scenario.findings[-1].fingerprint,
                status=ContextStatus.NOT_CODE,
                path="",
                start_line=0,
                end_line=0,
                snippet="",
                before="",
                reason="The header is set by a plugin, not by this handler.",
                route=RouteMatch(
                    endpoint_type="ktor",
                    method="GET",
                    pattern="/users/{id}",
                    mapped_from="http://localhost:8080/users/7",
                    path="server/src/main/kotlin/shop/routes/Routes0.kt",
                    line=9,
                    service="server",
                ),
            )
        )
        scenario.abstentions.append(
            make_abstention(
                problem, reason_code="no_source", reason="The plugin's file is not in this commit."
            )
        )
