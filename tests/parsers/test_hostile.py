"""Any bytes in: a report whose account is complete, or a typed complaint; nothing else."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secai_lib.core.errors import MalformedScan
from secai_lib.core.finding import ParsedReport
from secai_lib.parsers import parse_report, redact_report
from secai_lib.parsers.node import LONGEST_SHARED_TEXT
from tests.fuzz.oracles import examine_report
from tests.fuzz.targets import Target, targets

ROOT = Path(__file__).parents[2]
SAMPLES = Path(__file__).parents[1] / "samples"
REPORTS = {
    path.relative_to(SAMPLES).as_posix(): json.loads(path.read_bytes())
    for path in sorted(SAMPLES.rglob("*"))
    if path.suffix in {".json", ".sarif"}
}
TARGETS = {name: target for name, target in targets().items() if name != "archive"}
NAMES = st.sampled_from(["r.json", "r.sarif", "r.xml", "r.txt", "r", "../../r.json"])
TEXTS = st.text(st.characters(exclude_categories=()), max_size=12)
"""Lone surrogates and control characters too."""
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
    | st.sampled_from(["../../x", "/etc/passwd", "http://[", "CWE-99999999999", "9" * 400, -1]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
QUIET = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)


def examine(name: str, data: bytes) -> ParsedReport | None:
    return examine_report(name, data)


@QUIET
@given(NAMES, st.binary(max_size=300))
def test_any_bytes(name: str, data: bytes) -> None:
    examine(name, data)


@QUIET
@given(NAMES, JUNK)
def test_any_json(name: str, value: Any) -> None:
    examine(name, json.dumps(value).encode())


def spots_of(value: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        found.append((value, key))
        if isinstance(item, dict | list):
            found += spots_of(item)
    return found


@pytest.mark.parametrize("name", sorted(REPORTS))
@QUIET
@given(st.data())
def test_changed_samples(name: str, data: st.DataObject) -> None:
    document = json.loads(json.dumps(REPORTS[name]))
    for _ in range(data.draw(st.integers(1, 3))):
        spots = spots_of(document)
        if not spots:
            return
        holder, key = data.draw(st.sampled_from(spots))
        if data.draw(st.booleans()):
            del holder[key]
        else:
            holder[key] = data.draw(JUNK)
        if isinstance(holder, dict) and data.draw(st.booleans()):
            holder[data.draw(TEXTS)] = holder.pop(key, None)
    examine(name, json.dumps(document).encode())


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS.keys())
@settings(parent=QUIET, max_examples=40)
@given(st.data())
def test_what_the_fuzzer_makes_of_the_samples(target: Target, data: st.DataObject) -> None:
    """Without its feedback, but always: structure, encodings, truncation, XML, JSON Lines."""
    seed = data.draw(st.sampled_from(target.seeds))
    rng = Random(data.draw(st.integers(0, 2**32)))
    target.check(target.mutate(target.mutate(seed, rng), rng))


def test_every_parser_of_the_registry_is_fuzzed_from_a_sound_report() -> None:
    for target in TARGETS.values():
        reports = [examine_report("r.json", seed) for seed in target.seeds if seed[:1] != b"<"]
        assert any(report and report.results for report in reports), target.name


def test_one_broken_result_does_not_hide_the_others() -> None:
    document = json.loads(json.dumps(REPORTS["bandit/bandit.json"]))
    document["results"][0] = {"filename": 7}
    document["results"][1] = None
    report = examine("b.json", json.dumps(document).encode())
    assert report is not None
    assert len(report.results) == 3
    assert [s.malformed for s in report.skipped] == [True, True]
    assert report.skipped[0].pointer == "/results/0"


def at(document: Any, pointer: str) -> tuple[Any, Any]:
    *path, last = [
        int(step) if step.isdigit() else step.replace("~1", "/") for step in pointer[1:].split("/")
    ]
    for step in path:
        document = document[step]
    return document, last


@pytest.mark.parametrize(
    ("name", "pointer"),
    [
        ("bandit/bandit.json", "/results/1"),
        ("checkov/checkov.json", "/0/results/failed_checks/0"),
        ("checkov/checkov.sarif", "/runs/0/results/0"),
        ("dependency-check/report.json", "/dependencies/0/vulnerabilities/1"),
        ("detect-secrets/baseline.json", "/results/app~1tool.py/0"),
        ("gitleaks/gitleaks.json", "/0"),
        ("gitleaks/gitleaks.sarif", "/runs/0/results/0"),
        ("gosec/gosec-2.json", "/Issues/1"),
        ("grype/image.sarif", "/runs/0/results/0"),
        ("hadolint/hadolint.json", "/1"),
        ("npm-audit/npm7.json", "/vulnerabilities/argwise/via/0"),
        ("pip-audit/object.json", "/dependencies/0/vulns/0"),
        ("govulncheck/v0.json", "/Vulns/2"),
        ("kics/results.json", "/queries/0/files/0"),
        ("nuclei/export.json", "/1"),
        ("sarif/corners.sarif", "/runs/0/results/1"),
        ("semgrep/semgrep.json", "/results/0"),
        ("semgrep/semgrep.sarif", "/runs/0/results/0"),
        ("snyk/container.json", "/vulnerabilities/0"),
        ("snyk/iac.json", "/0/infrastructureAsCodeIssues/1"),
        ("snyk/projects.json", "/1/vulnerabilities/0"),
        ("trivy/image.json", "/Results/0/Vulnerabilities/0"),
        ("trivy/repository.json", "/Results/2/Secrets/0"),
        ("trivy/image.sarif", "/runs/0/results/0"),
        ("zap/report.json", "/site/0/alerts/0"),
        ("zizmor/zizmor.json", "/0"),
        ("zizmor/zizmor.sarif", "/runs/0/results/0"),
    ],
)
def test_any_one_result_may_be_broken(name: str, pointer: str) -> None:
    document = json.loads(json.dumps(REPORTS[name]))
    whole = parse_report(name, json.dumps(document).encode())
    holder, key = at(document, pointer)
    result = holder[key]
    holder[key] = {
        name: [[1]] if isinstance(value, str | int) else value for name, value in result.items()
    }
    report = examine(name, json.dumps(document).encode())
    assert report is not None
    assert report.raw_results == whole.raw_results
    assert len(report.results) == len(whole.results) - 1
    (broken,) = [skipped for skipped in report.skipped if skipped.malformed]
    assert (broken.pointer, broken.results) == (pointer, 1)


def test_a_broken_osv_group_leaves_its_vulnerability_to_stand_alone() -> None:
    document = json.loads(json.dumps(REPORTS["osv-scanner/v1.json"]))
    document["results"][0]["packages"][0]["groups"][0]["ids"] = [[1]]
    report = examine("o.json", json.dumps(document).encode())
    assert report is not None
    assert [s.malformed for s in report.skipped] == [True]
    assert {r.rule_id for r in report.results} == {"GHSA-2222-3333-4444", "GHSA-5555-6666-7777"}


@pytest.mark.parametrize("unit", ["<p", "<", "&", "<a '", "</p", "<!--"])
def test_descriptions_take_linear_time(unit: str) -> None:
    document = json.loads(json.dumps(REPORTS["zap/report.json"]))
    document["site"][0]["alerts"][0]["desc"] = unit * 200_000
    assert examine("z.json", json.dumps(document).encode()) is not None


@pytest.mark.parametrize("unit", ["(", "\\'", "'\"", "a1("])
def test_messages_about_secrets_take_linear_time(unit: str) -> None:
    document = json.loads(json.dumps(REPORTS["semgrep/semgrep.json"]))
    document["results"][0]["extra"]["message"] = unit * 200_000
    report = examine("s.json", json.dumps(document).encode())
    assert report is not None
    assert report.results[0].message == "[redacted]"


def test_many_leaks_are_swept_in_one_pass() -> None:
    leaks = [
        {"RuleID": "k", "File": "a", "StartLine": n, "Secret": f"secret-{n:06}", "Match": "m"}
        for n in range(1, 3000)
    ]
    report = examine("g.json", json.dumps(leaks).encode())
    assert report is not None
    assert "secret-0" not in report.model_dump_json()


# -- what grows -----------------------------------------------------------------------------


def sarif(rule: dict[str, Any], results: list[dict[str, Any]]) -> bytes:
    driver = {"name": "Any", "rules": [{"id": "R", **rule}]}
    return json.dumps(
        {"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}
    ).encode()


def test_a_message_does_not_grow_by_its_arguments() -> None:
    """Thirty thousand placeholders and one long argument would be three gigabytes."""
    message = {"text": "{0}" * 30_000, "arguments": ["x" * 100_000]}
    report = examine("s.sarif", sarif({}, [{"ruleId": "R", "message": message}]))
    assert report is not None
    (result,) = report.results
    assert result.message.startswith("{0}{0}") and len(result.message) < 2 * LONGEST_SHARED_TEXT
    short = {"text": "{0}, {1}", "arguments": ["a", "b"]}
    report = examine("s.sarif", sarif({}, [{"ruleId": "R", "message": short}]))
    assert report is not None and report.results[0].message == "a, b"


def test_a_rule_s_text_is_not_copied_whole_into_every_result() -> None:
    rule = {"help": {"text": "h" * 10**6}, "fullDescription": {"text": "d" * 10**6}}
    report = examine("s.sarif", sarif(rule, [{"ruleId": "R"}] * 50))
    assert report is not None and len(report.results) == 50
    for result in report.results:
        for text in (result.help, result.message):
            assert text.endswith("[cut off here]") and len(text) < 2 * LONGEST_SHARED_TEXT


def test_a_long_name_of_an_image_is_not_written_into_every_result() -> None:
    """The fuzzer's find: a hundred kilobytes became sixty megabytes."""
    found = {"VulnerabilityID": "CVE-2025-1", "PkgName": "p"}
    targets = [
        {"Target": "t" * 30_000, "Class": kind, "Vulnerabilities": [found] * 500}
        for kind in ("os-pkgs", "lang-pkgs")
    ]
    for kind in ("container_image", "filesystem"):
        image = {"ArtifactType": kind, "ArtifactName": "a" * 30_000, "Results": targets}
        document = {"SchemaVersion": 2, "Trivy": {"Version": "1" * 30_000}, **image}
        report = examine("t.json", json.dumps(document).encode())
        assert report is not None and len(report.results) == 1000
        assert len(report.model_dump_json()) < 10_000_000


def test_a_rule_id_of_a_hundred_thousand_levels_takes_no_quadratic_time() -> None:
    data = sarif({}, [{"ruleId": "R/" + "a/" * 200_000, "message": {"text": "m"}}] * 3)
    report = examine("s.sarif", data)
    assert report is not None and len(report.results) == 3


@pytest.mark.parametrize("head", ["AAAAAAAA", "-----BEGIN"])
def test_secrets_that_begin_alike_are_swept_in_linear_time(head: str) -> None:
    leaks = [
        {"RuleID": "k", "File": "a", "StartLine": 1, "Secret": f"{head}{n:06}", "Match": head * 9}
        for n in range(20_000)
    ]
    report = parse_report("g.json", json.dumps(leaks).encode())
    assert len(report.results) == 20_000


def test_no_result_looks_through_all_the_files() -> None:
    """Each of twenty thousand results names one of twenty thousand files by its number."""
    place = {"physicalLocation": {"artifactLocation": {"index": 19_999}}}
    run = {
        "tool": {"driver": {"name": "Any"}},
        "artifacts": [{"location": {"uri": f"src/{n}.py"}} for n in range(20_000)],
        "results": [{"ruleId": "R", "locations": [place]}] * 20_000,
    }
    report = parse_report("s.sarif", json.dumps({"version": "2.1.0", "runs": [run]}).encode())
    assert {r.path for r in report.results} == {"src/19999.py"}


def test_no_package_looks_through_all_the_others() -> None:
    document = json.loads(json.dumps(REPORTS["trivy/image.sarif"]))
    (run,) = document["runs"]
    names = {rule["id"]: rule["name"] for rule in run["tool"]["driver"]["rules"]}
    package = next(r for r in run["results"] if names[r["ruleId"]] == "OsPackageVulnerability")
    run["results"] = [package] * 5_000
    report = parse_report("t.sarif", json.dumps(document).encode())
    assert len({r.package.ecosystem for r in report.results if r.package}) == 1


def test_no_group_looks_through_all_the_vulnerabilities() -> None:
    ids = [f"CVE-2025-{n:05}" for n in range(10_000)]
    entry = {
        "package": {"name": "linux", "version": "6.1", "ecosystem": "Debian:12"},
        "groups": [{"ids": [name]} for name in ids],
        "vulnerabilities": [{"id": name, "summary": f"about {name}"} for name in ids],
    }
    source = {"source": {"path": "a.lock", "type": "lockfile"}, "packages": [entry]}
    report = parse_report("o.json", json.dumps({"results": [source]}).encode())
    assert [r.title for r in report.results] == [f"about {name}" for name in ids]


# -- names that nobody expects --------------------------------------------------------------


@pytest.mark.parametrize("key", ["\ud800", "a\x1b[31m", "\u202egnp.exe", "a/b~c", ""])
def test_a_hostile_file_name_as_a_key_keeps_its_results(key: str) -> None:
    document = json.loads(json.dumps(REPORTS["detect-secrets/baseline.json"]))
    for entries in document["results"].values():
        for entry in entries:
            entry.pop("filename", None)
    document["results"] = {key: next(iter(document["results"].values())), "b": [None]}
    report = examine("d.json", json.dumps(document).encode())
    assert report is not None and report.results
    assert all(r.evidence.pointer.isprintable() for r in report.results)
    assert [s.pointer for s in report.skipped] == ["/results/b/0"]


def test_pointers_of_names_that_look_alike_stay_apart() -> None:
    document = json.loads(json.dumps(REPORTS["detect-secrets/baseline.json"]))
    entry = next(iter(document["results"].values()))[0]
    document["results"] = {chr(code): [entry] for code in (0xD800, 0xD801)}
    report = examine("d.json", json.dumps(document).encode())
    assert report is not None
    assert len({r.evidence.pointer for r in report.results}) == 2


def test_numbers_that_are_no_weakness_are_none() -> None:
    document = json.loads(json.dumps(REPORTS["zap/report.json"]))
    document["site"][0]["alerts"][0]["cweid"] = "1e300"
    report = examine("z.json", json.dumps(document).encode())
    assert report is not None and report.results[0].cwes == ()


# -- encodings and XML ----------------------------------------------------------------------

ZAP_XML = (SAMPLES / "zap/report.xml").read_text("utf-8")
XML_BODY = ZAP_XML[ZAP_XML.index("?>") + 2 :] if ZAP_XML.startswith("<?xml") else ZAP_XML


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"]
)
@pytest.mark.parametrize("name", ["bandit/bandit.json", "semgrep/semgrep.sarif", "zap/report.xml"])
def test_every_encoding_says_the_same(name: str, encoding: str) -> None:
    text = (SAMPLES / name).read_text("utf-8")
    expected = parse_report(name, text.encode())
    for ends in (text, text.replace("\n", "\r\n")):
        report = examine(name, ends.encode(encoding))
        assert report is not None and report.raw_results == expected.raw_results
        assert [r.rule_id for r in report.results] == [r.rule_id for r in expected.results]


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252", "iso-8859-15"])
def test_an_xml_declaration_names_the_encoding(encoding: str) -> None:
    body = XML_BODY.replace("<name>", "<name>Pr\u00fcfung ", 1)
    data = f'<?xml version="1.0" encoding="{encoding}"?>{body}'.encode(encoding)
    report = examine("z.xml", data)
    assert report is not None
    assert any("Pr\u00fcfung" in r.title for r in report.results)


@pytest.mark.parametrize("encoding", ["utf-7", "zlib_codec", "idna", "no-such", "unicode_escape"])
def test_an_xml_declaration_cannot_name_any_codec(encoding: str) -> None:
    report = examine("z.xml", f'<?xml version="1.0" encoding="{encoding}"?>{XML_BODY}'.encode())
    assert report is not None and report.results


ATTRIBUTES = " ".join(f"b{n}=''" for n in range(100_000))
NAMESPACES = " ".join(f"xmlns:n{n}='u{n}'" for n in range(20_000))
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "prologue",
    [
        f'<!DOCTYPE z [<!ENTITY l0 "lol">{LAUGHS}]>',
        '<!DOCTYPE z [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE z [<!ENTITY % p SYSTEM "http://localhost:1/x"> %p;]>',
        '<!DOCTYPE z SYSTEM "http://localhost:1/x.dtd">',
        '<!DOCTYPE z [<!ATTLIST OWASPZAPReport a CDATA "x">]>',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_no_entity_is_ever_expanded_or_fetched(prologue: str, encoding: str) -> None:
    data = (prologue + XML_BODY.replace("<name>", "<name>&l9;&x;", 1)).encode(encoding)
    with pytest.raises(MalformedScan, match="DTD or entities"):
        parse_report("z.xml", data)


@pytest.mark.parametrize(
    "element",
    [
        f'<a b="{"x" * 3_000_000}"/>',
        f"<a {ATTRIBUTES}/>",
        f"<a {NAMESPACES}/>",
        f"<!--{'-x' * 1_000_000}-->",
        f"<![CDATA[{']]' * 1_000_000}]]>",
        f"<{'n' * 1_000_000}/>",
        "<a>" * 100_000 + "</a>" * 100_000,
        "<a/>" * 100_000,
        "<a " * 100_000,
        "&#0;",
    ],
    ids=range(10),
)
def test_huge_and_odd_xml_is_read_or_refused(element: str) -> None:
    data = XML_BODY.replace("<site", f"{element}<site", 1).encode()
    try:
        report = parse_report("z.xml", data)
    except MalformedScan:
        return
    assert report.results


# -- secrets of reports that cannot be read -------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_a_broken_report_gives_away_no_secret_in_any_encoding(encoding: str, cut: int) -> None:
    secret = "hunter2-0123456789"
    text = json.dumps(
        [{"RuleID": "k", "File": "a", "StartLine": 1, "Secret": secret, "Match": f"p={secret}"}]
    )
    data = text.encode(encoding)
    stored, count = redact_report("g.json", data[: len(data) - cut])
    assert count >= 1
    for codec in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le"):
        assert secret.encode(codec) not in stored


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1"])
def test_a_secret_of_the_source_is_taken_out_of_xml(encoding: str) -> None:
    secret = "hunter2-0123456789"
    body = XML_BODY.replace("<name>", f"<name>{secret} ", 1)
    data = f'<?xml version="1.0" encoding="{encoding}"?>{body}'.encode(encoding)
    stored, count = redact_report("z.xml", data, {secret: "[gone]"})
    assert count and secret.encode() not in stored and secret.encode("utf-16-le") not in stored
    assert any("[gone]" in r.title for r in parse_report("z.xml", stored).results)


# -- memory ---------------------------------------------------------------------------------

MEMORY = """
    import resource, sys
    from secai_lib.core.errors import SecAIError
    from secai_lib.parsers import parse_report, redact_report
    data = eval(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    try:
        print(len(parse_report("r.json", data).results))
    except SecAIError as error:
        print(type(error).__name__)
    redact_report("r.json", data)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit holds on Linux only")
@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("b'[' * 20_000_000", "MalformedScan"),
        ("b'[' + b'[],' * 2_000_000 + b'1]'", "UnknownFormat"),
        ("b'{\"a\":' * 1_000_000", "MalformedScan"),
        ("b'\"' + b'\\\\u0041' * 5_000_000 + b'\"'", "MalformedScan"),
        ("b'<a>' * 1_000_000", "MalformedScan"),
        ("b'\\x00' * 50_000_000", "MalformedScan"),
    ],
)
def test_memory_stays_bounded(data: str, said: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(MEMORY), data],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
    )
    assert (done.returncode, done.stdout.strip()) == (0, said), done.stderr[-500:]
