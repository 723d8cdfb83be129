from secai_lib.core.analysis import Analysis, AnalysisStatus, Facts, Reading
from secai_lib.core.finding import Category, Severity
from secai_lib.core.fix import ProofVerdict
from secai_lib.core.knowledge import Document, DocumentKind
from secai_lib.core.problem import Problem
from secai_lib.core.weakness import VulnerabilityType
from secai_lib.rag import Remembered, documents_of, query_of
from secai_lib.rag.documents import TEXT
from tests.fakes.records import (
    make_certificate,
    make_context,
    make_finding,
    make_fix,
    make_package,
    make_problem,
    make_result,
)

FINDING = make_finding(
    result=make_result(cwes=("CWE-732",), advisories=("CVE-2021-44228",), package=make_package())
)
PROBLEM = make_problem([FINDING])
CONTEXT = make_context(fingerprint=FINDING.fingerprint)
FIX = make_fix(PROBLEM)


def analysis(problem: Problem, *, abstained: bool = False) -> Analysis:
    facts = Facts(
        problem=problem.id,
        title=problem.title,
        message="m",
        category=Category.INFRASTRUCTURE,
        severity=Severity.MEDIUM,
        tools=problem.tools,
        rules=problem.rules,
        cwes=(),
        advisories=(),
        package="",
        version="",
        fixed_versions=(),
        place="",
        language="",
        function="",
        code="",
        endpoint="",
        help="",
    )
    reading = Reading(
        classification=VulnerabilityType.EXCESSIVE_PRIVILEGES,
        severity=Severity.MEDIUM,
        impact="a stolen token may write",
        root_cause="no permissions block",
        attack_vectors=("a hostile action",),
        business_impact="releases are forged",
        remediation="give read rights only",
        prevention="a default for the organisation",
    )
    return Analysis(
        problem=problem.id,
        repository=problem.repository,
        branch=problem.branch,
        key="k",
        status=AnalysisStatus.ABSTAINED if abstained else AnalysisStatus.READ,
        facts=facts,
        reading=None if abstained else reading,
        model="m",
        engine="e",
        prompt_tokens=1,
        answer_tokens=1,
        tries=1,
    )


def remembered(*, fixes: tuple[object, ...] = (FIX,), abstained: bool = False) -> Remembered:
    return Remembered.model_validate(
        {
            "problems": (PROBLEM,),
            "findings": (FINDING,),
            "contexts": (CONTEXT,),
            "analyses": (analysis(PROBLEM, abstained=abstained),),
            "fixes": fixes,
        }
    )


def by_kind(documents: list[Document]) -> dict[DocumentKind, Document]:
    return {document.kind: document for document in documents}


def test_a_problem_is_remembered_four_ways_in_one_group() -> None:
    documents = documents_of([remembered()])
    kinds = by_kind(documents)
    assert set(kinds) == set(DocumentKind) and len(documents) == 4
    assert {document.group for document in documents} == {PROBLEM.id}
    assert [d.id for d in documents] == sorted(d.id for d in documents)
    assert "CVE-2021-44228" in kinds[DocumentKind.FINDING].text
    assert CONTEXT.snippet.strip() in kinds[DocumentKind.CODE].text
    assert "no permissions block" in kinds[DocumentKind.ANALYSIS].text
    assert "+permissions:" in kinds[DocumentKind.FIX].text
    assert kinds[DocumentKind.FIX].metadata["fix_kind"] == "workflow-permissions"


def test_keys_are_exact_lower_case_and_sorted() -> None:
    fix = by_kind(documents_of([remembered()]))[DocumentKind.FIX]
    assert fix.keys == (
        ".github/workflows/ci.yml",
        "cve-2021-44228",
        "cwe-732",
        "excessive-permissions",
        "lodash",
        "workflow-permissions",
        "zizmor:excessive-permissions",
    )


def test_what_is_not_proven_and_what_abstained_is_no_knowledge() -> None:
    unproven = make_fix(PROBLEM, certificate=make_certificate(verdict=ProofVerdict.REFUTED))
    documents = documents_of([remembered(fixes=(unproven,), abstained=True)])
    assert set(by_kind(documents)) == {DocumentKind.FINDING, DocumentKind.CODE}


def test_the_same_twice_is_remembered_once_and_order_does_not_matter() -> None:
    other = make_problem([make_finding(result=make_result(message="other"))])
    two = Remembered(problems=(other,), findings=(), contexts=(), analyses=(), fixes=())
    once = documents_of([remembered(), two])
    assert documents_of([two, remembered(), remembered()]) == once


def test_hostile_text_is_bounded_and_can_be_stored() -> None:
    evil = make_finding(
        result=make_result(title="t\x1b]0;x\x07", message="\ud800\x00" + "A" * 40_000, help="h")
    )
    place = Remembered(
        problems=(make_problem([evil]),), findings=(evil,), contexts=(), analyses=(), fixes=()
    )
    (document,) = documents_of([place])
    assert len(document.text) <= TEXT and "h" in document.text
    assert "\x1b" not in document.title + document.text
    document.model_dump_json().encode("utf-8")


def test_a_query_for_a_problem_leaves_itself_its_code_and_its_path_out() -> None:
    query = query_of(PROBLEM, [FINDING])
    assert query.exclude == PROBLEM.id
    assert PROBLEM.title in query.text and FINDING.result.message in query.text
    assert "zizmor:excessive-permissions" in query.keys
    assert ".github/workflows/ci.yml" not in query.keys
