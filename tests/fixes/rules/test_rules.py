# ruff: noqa: E501 - whole files on one line read better as a table
"""Every rule without a scanner: the edit, its honesty, its witness, and when it says no."""

import pytest

from secai_lib.core.finding import Finding, SourceLocation
from secai_lib.core.fix import ProofMethod, Proposal
from secai_lib.fixes.attempt import propose
from secai_lib.fixes.edits import fixed_texts
from secai_lib.fixes.honesty import honest
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.rule import Abstain, FixRule, rule_for
from secai_lib.fixes.rules import RULES
from tests.fakes.records import make_finding, make_result
from tests.fakes.rescanner import FakeFiles
from tests.fixes.rules.cases import GOOD, REFUSED, SHELL, Case, Refused

SECRET = "hunter2hunter2"


def finding_of(case: Case | Refused) -> Finding:
    """The finding that the scanner would report: at the named lines."""
    lines = case.text.split("\n")
    first = next(n for n, line in enumerate(lines, 1) if case.at in line)
    last = next((n for n, line in enumerate(lines, 1) if case.to and case.to in line), first)
    if case.tool == "checkov" and case.path == "Dockerfile":
        while lines[last - 1].rstrip("\r").endswith("\\"):
            last += 1
    place = SourceLocation(path=case.path, start_line=first, end_line=last)
    return make_finding(result=make_result(tool=case.tool, rule_id=case.rule, locations=(place,)))


def answer(case: Case | Refused) -> tuple[FixRule, tuple[Proposal, ...], FakeFiles]:
    finding, files = finding_of(case), FakeFiles({case.path: case.text})
    rule = rule_for(finding, RULES)
    assert rule is not None
    return rule, propose(rule, finding, Peers([finding]), files), files


@pytest.mark.parametrize("case", [*GOOD, SHELL], ids=lambda case: f"{case.kind}-{case.rule}")
def test_the_edit_is_right_honest_and_witnessed(case: Case) -> None:
    rule, proposals, files = answer(case)
    assert rule.kind == case.kind
    for proposal in proposals:
        fixed = fixed_texts(files, proposal.edits)
        bad = [c for c in honest({case.path: case.text}, fixed, proposal.edits) if not c.passed]
        assert not bad, fixed[case.path]
        assert proposal.title and proposal.explanation and proposal.kind == rule.kind
        if rule.method == ProofMethod.OWN_RULE:
            assert rule.witness is not None
            said = rule.witness(proposal, files)
            assert said.passed, said.detail
    fixed_text = fixed_texts(files, proposals[0].edits)[case.path]
    for wanted in case.has:
        assert wanted in fixed_text
    for unwanted in case.gone:
        assert unwanted not in fixed_text


@pytest.mark.parametrize("case", [*GOOD, SHELL], ids=lambda case: f"{case.kind}-{case.rule}")
def test_a_fixed_file_needs_no_second_fix(case: Case) -> None:
    """The rule finds nothing more to do, so the edit removed what the rule looks for."""
    rule, proposals, files = answer(case)
    fixed = FakeFiles(fixed_texts(files, proposals[0].edits))
    if case.rule in ("CKV_DOCKER_2", "CKV_DOCKER_3", "CKV_DOCKER_8", "secai.compose.privileged"):
        return  # these look for something absent, or a line that moved: the scanner test shows it
    try:
        again = propose(rule, finding_of(case), Peers(), fixed)
    except (Abstain, StopIteration):
        return
    assert fixed_texts(fixed, again[0].edits) == fixed.texts


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_unsure_cases_are_refused_with_a_reason(case: Refused) -> None:
    with pytest.raises(Abstain) as refusal:
        answer(case)
    assert refusal.value.code == case.code
    assert len(refusal.value.reason) > 20


LOOK_ALIKES = [
    ("checkov", "CKV2_DOCKER_2", "Dockerfile", "FROM debian:12\nRUN curl -o back -sk https://x\n",
     "RUN curl -o back -s https://x"),
    ("checkov", "CKV_DOCKER_9", "Dockerfile", "FROM debian:12\nRUN echo apt && apt update\n",
     "RUN echo apt && apt-get update"),
    ("checkov", "CKV_DOCKER_4", "Dockerfile", "FROM debian:12\nRUN apk ADD x\nADD x.py /ADD\n",
     "RUN apk ADD x\nCOPY x.py /ADD"),
    ("checkov", "CKV_DOCKER_1", "Dockerfile", "FROM debian:12\nENV P=22\nEXPOSE 2222 22\n",
     "ENV P=22\nEXPOSE 2222\n"),
    ("bandit", "B506", "a.py", "import yaml\nyaml.load(a, yaml.Loader); other.load(a, yaml.Loader)\n",
     "yaml.safe_load(a); other.load(a, yaml.Loader)"),
    ("bandit", "B311", "a.py", "import random\nx = random.random(); y = mine.random.random()\n",
     "x = random.SystemRandom().random(); y = mine.random.random()"),
    ("semgrep", "secai.typescript.tls-not-verified", "a.ts",
     "// rejectUnauthorized: false\nf({ rejectUnauthorized: false, s: 'rejectUnauthorized: false' });\n",
     "rejectUnauthorized: true, s: 'rejectUnauthorized: false'"),
    ("semgrep", "secai.kotlin.cookie-not-secure", "a.kt",
     "fun f() { cookie.secure = false; other.secure = false }\n",
     "cookie.secure = true; other.secure = false"),
    ("semgrep", "secai.android.debuggable", "AndroidManifest.xml",
     '<m><!-- android:debuggable="true" --><a android:debuggable="true" x="true"/></m>\n',
     '<!-- android:debuggable="true" --><a android:debuggable="false" x="true"/>'),
]  # fmt: skip


@pytest.mark.parametrize(("tool", "rule", "path", "text", "wanted"), LOOK_ALIKES)
def test_look_alikes_stay_as_they_are(
    tool: str, rule: str, path: str, text: str, wanted: str
) -> None:
    place = SourceLocation(path=path, start_line=1, end_line=text.count("\n"))
    finding = make_finding(result=make_result(tool=tool, rule_id=rule, locations=(place,)))
    found, files = rule_for(finding, RULES), FakeFiles({path: text})
    assert found is not None
    proposal = propose(found, finding, Peers([finding]), files)[0]
    assert wanted in fixed_texts(files, proposal.edits)[path]


def test_the_witness_refuses_a_second_change() -> None:
    """An edit that also changes something else, or to another value, has no witness."""
    for case in [c for c in GOOD if c.tool == "semgrep"]:
        rule, proposals, files = answer(case)
        assert rule.witness is not None
        edit = proposals[0].edits[0]
        worse = edit.model_copy(update={"replacement": edit.replacement + " evil"})
        changed = proposals[0].model_copy(update={"edits": (worse, *proposals[0].edits[1:])})
        assert not rule.witness(changed, files).passed, case.name


def test_a_secret_is_never_repeated() -> None:
    text = f"password = '{SECRET}'\n"
    for tool, rule_id in (("bandit", "B105"), ("gitleaks", "generic"), ("detect-secrets", "x")):
        place = SourceLocation(path="a.py", start_line=1, end_line=1)
        finding = make_finding(result=make_result(tool=tool, rule_id=rule_id, locations=(place,)))
        rule = rule_for(finding, RULES)
        assert rule is not None
        with pytest.raises(Abstain) as refusal:
            rule.propose(finding, Peers([finding]), FakeFiles({"a.py": text}))
        assert SECRET not in refusal.value.reason
        assert "Rotate" in refusal.value.reason and "line 1" in refusal.value.reason


def test_hostile_files_are_refused_not_stumbled_over() -> None:
    hostile = ["\x00", "(" * 5000, "FROM a\n" + "RUN " + "(" * 3000 + "\n", "<" * 5000, "é" * 999,
               "a: &a [*a]\n", "{" * 3000, "FROM debian:12\nRUN x \\"]  # fmt: skip
    every: list[Case | Refused] = [*GOOD, *REFUSED]
    for case in {(c.tool, c.rule): c for c in every}.values():
        for text in hostile:
            place = SourceLocation(path=case.path, start_line=1, end_line=2)
            result = make_result(tool=case.tool, rule_id=case.rule, locations=(place,))
            finding = make_finding(result=result)
            rule = rule_for(finding, RULES)
            assert rule is not None
            try:
                propose(rule, finding, Peers([finding]), FakeFiles({case.path: text}))
            except Abstain as refusal:
                assert refusal.code != "rule_failed", (case.name, text[:20])
