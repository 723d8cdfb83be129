"""Strings that want to be more than text."""

from secai_lib.core.context import CodeContext
from secai_lib.core.finding import Finding, Severity, UrlLocation
from secai_lib.core.fix import Edit, ProofCheck, Proposal
from secai_lib.core.scan import ToolStatus
from secai_lib.report.build import build_report
from secai_lib.report.model import RepositoryReport
from tests.fakes.records import (
    make_abstention,
    make_certificate,
    make_context,
    make_finding,
    make_fix,
    make_local_scan,
    make_location,
    make_package,
    make_problem,
    make_result,
    make_scan_run,
    make_skipped,
    make_tool_run,
)

PAYLOADS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</code></pre></details><h1>x",
    "{{ 7*7 }}{% raw %}",
    "@octocat #1 GH-1 acme/shop#2",
    "[click](https://evil.example) ![p](https://evil.example/p.png) <https://evil.example>",
    "https://evil.example www.evil.example a@evil.example",
    "a | b | c\n| --- |",
    "```\n</details>\n# heading\n````",
    "\u202egnp.exe\u2066 \u200b\ufeff \x00\x1b[31m \u2028 \x7f",
    "javascript:alert(1)",
    "- [ ] todo\n1. one\n> quote\n---\n===",
    "'; style-src *; \" </style></script>-->",
    "`code` *b* _i_ ~~s~~ \\ & &lt; {0} ](1)",
    "<!-- secai -->",
)
EVERYTHING = " ".join(PAYLOADS)


def hostile_finding(payload: str) -> Finding:
    result = make_result(
        tool=payload,
        tool_version=payload,
        rule_id=payload,
        title=payload,
        message=payload,
        severity=Severity.CRITICAL,
        severity_origin=payload,
        cwes=(payload,),
        advisories=(payload,),
        help=payload,
        references=("javascript:alert(1)", payload, "https://ok.example/x"),
        confidence=payload,
        package=make_package(ecosystem=payload, name=payload, version=payload),
        locations=(
            make_location(path=payload, snippet=payload),
            UrlLocation(url=payload, param=payload),
        ),
    )
    return make_finding(result=result, repository=EVERYTHING)


def hostile_context(finding: Finding, payload: str) -> CodeContext:
    return make_context(
        fingerprint=finding.fingerprint,
        path=payload,
        reason=payload,
        snippet=payload,
        before=payload,
        after=payload,
    )


def hostile_report() -> tuple[RepositoryReport, dict[str, str]]:
    """A report in which every string is hostile, and the base files of its fixes."""
    findings = [hostile_finding(payload) for payload in (*PAYLOADS, EVERYTHING)]
    problems = [make_problem([finding]) for finding in findings]
    files, fixes = {}, []
    payloads = (*PAYLOADS, EVERYTHING)
    for problem, payload in list(zip(problems, payloads, strict=True))[::2]:
        files[payload] = f"{payload}\nline\n"
        proposal = Proposal(
            kind=payload,
            title=payload,
            explanation=payload,
            edits=(Edit(path=payload, start=0, end=1, replacement=payload),),
        )
        certificate = make_certificate(
            proposal=proposal,
            base={payload: files[payload]},
            scanners=(make_tool_run(payload, version=payload, detail=payload),),
            checks=(ProofCheck(name=payload, passed=True, detail=payload),),
        )
        fixes.append(
            make_fix(
                problem,
                proposal=proposal,
                certificate=certificate,
                diff=f"--- a/{payload}\n+++ b/{payload}\n@@ -1 +1 @@\n-{payload}\n+{payload}\n",
                lane=payload,
            )
        )
    report = build_report(
        repository=EVERYTHING,
        commit=EVERYTHING,
        branch="",
        scans=[
            make_scan_run(
                key=EVERYTHING,
                request=make_local_scan(repository=EVERYTHING),
                tools=tuple(
                    make_tool_run(payload, status=status, version=payload, detail=payload)
                    for payload, status in zip(payloads, [*ToolStatus] * 9, strict=False)
                ),
            )
        ],
        raw_results=len(findings),
        findings=findings,
        skipped=[make_skipped(file=p, reason=p) for p in payloads],
        contexts=[hostile_context(f, p) for f, p in zip(findings, payloads, strict=True)],
        problems=problems,
        fixes=fixes,
        abstentions=[
            make_abstention(problem, reason_code=payload, reason=payload)
            for problem, payload in zip(problems, payloads, strict=True)
        ],
        patch="".join(fix.diff for fix in fixes),
        certificates=EVERYTHING,
    )
    return report, files
