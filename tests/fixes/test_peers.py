"""Findings beside a finding, by file and by package."""

from secai_lib.core.finding import Finding, Package, SourceLocation
from secai_lib.fixes.peers import Peers
from tests.fakes.records import make_finding, make_result


def at(path: str, line: int = 1, package: Package | None = None, rule: str = "R1") -> Finding:
    place = SourceLocation(path=path, start_line=line, end_line=line)
    result = make_result(rule_id=rule, package=package, locations=(place,))
    return make_finding(fingerprint=f"{path}:{line}:{rule}", result=result)


def package(version: str, *fixed: str, name: str = "acme:Lib") -> Package:
    return Package(ecosystem="Maven", name=name, version=version, fixed_versions=fixed)


def test_findings_are_found_by_fingerprint_file_and_name() -> None:
    one, two, lib = at("a.py"), at("b.py"), at("b.py", 2, package("1", "2"))
    peers = Peers([two, one, lib])
    assert peers.get(one.fingerprint) == one
    assert peers.get("nothing") is None
    assert peers.at("b.py") == [two, lib]
    assert peers.named("acme:Lib") == [lib]
    assert peers.at("c.py") == peers.named("acme:lib") == []


def test_an_advisory_that_many_modules_repeat_is_said_once() -> None:
    mine = [at(f"m{n}", 1, package(f"1.{n}", "2"), rule="CVE-1") for n in range(50)]
    other = at("m0", 2, package("1.0", "3", name="ACME:lib"), rule="CVE-1")
    peers = Peers([*mine, other, at("m0", 3, package("1.0", "2", name="other"))])
    assert peers.advisories(package("9")) == (mine[0].result, other.result)
    assert peers.advisories(package("9", name="unknown")) == ()


def test_moving_a_copy_leaves_the_first_where_it_was() -> None:
    finding, beside = at("a.py", 1), at("b.py", 1)
    peers = Peers([finding, beside])
    twin = peers.copy()
    twin.moved("a.py", lambda found: found.model_copy(update={"run": "later"}))
    assert [found.run for found in twin.at("a.py")] == ["later"]
    assert peers.at("a.py") == [finding]
    assert twin.at("b.py") == [beside]
