"""Facts come from the finding that says most, and from nothing else."""

from secai_lib.analysis.facts import facts_of, place_of
from secai_lib.core.context import CodeScope, ContextStatus, RouteMatch
from secai_lib.core.finding import (
    ArchiveLocation,
    ImageLocation,
    LockfileLocation,
    NoLocation,
    Severity,
    SourceLocation,
    UrlLocation,
)
from tests.fakes.records import make_context, make_finding, make_package, make_problem, make_result


def test_the_main_finding_is_the_one_with_the_title_and_the_code() -> None:
    other = make_finding(result=make_result(tool="trivy", title="T", message="table of fields"))
    main = make_finding(result=make_result(tool="osv-scanner", title="T", message="says it well"))
    problem = make_problem([other, main], title="T")
    contexts = {
        other.fingerprint: make_context(status=ContextStatus.NOT_CODE, snippet=""),
        main.fingerprint: make_context(
            snippet="lodash 4.17.19",
            function=CodeScope(kind="job", name="build", start_line=1, end_line=2),
        ),
    }

    for order in ([other, main], [main, other]):
        facts = facts_of(problem, order, contexts)
        assert (facts.message, facts.code, facts.function) == (
            *("says it well", "lodash 4.17.19", "build"),
        )
        assert facts.tools == ("osv-scanner", "trivy")


def test_what_the_problem_knows_is_taken_whole() -> None:
    package = make_package(fixed_versions=("2.0", "1.9"))
    finding = make_finding(
        result=make_result(
            package=package, cwes=("CWE-79",), advisories=("CVE-2020-1",), help="why"
        )
    )
    facts = facts_of(make_problem([finding], severity=Severity.CRITICAL), [finding], {})

    assert (facts.package, facts.version) == ("lodash", "4.17.19")
    assert facts.fixed_versions == ("1.9", "2.0")
    assert (facts.cwes, facts.advisories, facts.help) == (("CWE-79",), ("CVE-2020-1",), "why")
    assert facts.severity is Severity.CRITICAL
    assert (facts.code, facts.language, facts.endpoint) == ("", "", "")


def test_a_handler_is_named_only_where_one_was_found() -> None:
    finding = make_finding()
    found = RouteMatch(method="GET", pattern="/users/{id}", mapped_from="http://a/users/1")
    lost = RouteMatch(mapped_from="http://a/x", reason="no route")

    for route, endpoint in ((found, "GET /users/{id}"), (lost, "")):
        contexts = {finding.fingerprint: make_context(route=route)}
        assert facts_of(make_problem([finding]), [finding], contexts).endpoint == endpoint


def test_every_kind_of_place_in_one_line() -> None:
    assert place_of(SourceLocation(path="a.py", start_line=3)) == "a.py:3"
    assert place_of(SourceLocation(path="a.py")) == "a.py"
    assert place_of(LockfileLocation(path="package-lock.json")) == "package-lock.json"
    assert place_of(ImageLocation(image="app:1")) == "app:1"
    assert place_of(ArchiveLocation(archive="app.jar", member="lib/b.jar")) == "app.jar!lib/b.jar"
    assert place_of(UrlLocation(url="http://a/b", method="POST")) == "POST http://a/b"
    assert place_of(NoLocation(reason="none given")) == ""
