"""Large reports in the shapes that scanners write, the same ones every time.

Rules, messages and advisories are those of the samples; places and snippets vary, as they do in a
repository of a thousand files. A report grows result by result, so that a huge one takes no memory.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[1] / "samples"
RULES, FILES = 300, 1_000
"""Distinct rules and files of a large report."""
SENTENCE = "A value that a user may choose reaches this call without being checked first. "


def sarif(results: int) -> Iterator[str]:
    """The text of a SARIF report with so many results, piece by piece."""
    rules = [
        {
            "id": f"py/rule-{n}",
            "name": f"Rule{n}",
            "shortDescription": {"text": f"Rule {n} about what reaches a call"},
            "fullDescription": {"text": SENTENCE * 3},
            "help": {"text": SENTENCE * 8, "markdown": f"## Rule {n}\n\n{SENTENCE * 10}"},
            "defaultConfiguration": {"level": "warning"},
            "properties": {
                "tags": ["security", f"external/cwe/cwe-{20 + n % 700:03d}"],
                "precision": "high",
                "security-severity": f"{n % 10}.{n % 7}",
            },
        }
        for n in range(RULES)
    ]
    driver = {"name": "CodeQL", "semanticVersion": "2.18.1", "rules": rules}
    head = json.dumps({"$schema": "https://json.schemastore.org/sarif-2.1.0.json",
                       "version": "2.1.0"})[:-1]  # fmt: skip
    yield f'{head}, "runs": [{{"tool": {{"driver": {json.dumps(driver)}}}, "results": ['
    for number in range(results):
        yield ("," if number else "") + json.dumps(_sarif_result(number))
    yield "]}]}"


def _sarif_result(number: int) -> dict[str, Any]:
    rule, line = number * 7 % RULES, 1 + number // FILES * 3
    return {
        "ruleId": f"py/rule-{rule}",
        "ruleIndex": rule,
        "rule": {"id": f"py/rule-{rule}", "index": rule},
        "message": {"text": f"This depends on a [user-provided value](1). {SENTENCE}{number}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {
                        "uri": f"src/package{number % FILES // 20}/module{number % FILES}.py",
                        "uriBaseId": "%SRCROOT%",
                        "index": number % FILES,
                    },
                    "region": {
                        "startLine": line, "endLine": line, "startColumn": 5, "endColumn": 40,
                        "snippet": {"text": f"    call(value_{number}, request.args['name'])"},
                    },
                }
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": f"{number:016x}:1",
                                "primaryLocationStartColumnFingerprint": str(number % 90)},
        "codeFlows": [{"threadFlows": [{"locations": [
            {"location": _step(number, line + step)} for step in range(4)
        ]}]}] if number % 3 == 0 else [],
        "relatedLocations": [{"id": 1} | _step(number, line + 2)],
    }  # fmt: skip


def _step(number: int, line: int) -> dict[str, Any]:
    """A place on the way of the data."""
    uri = f"src/package{number % FILES // 20}/module{number % FILES}.py"
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%", "index": number % FILES},
            "region": {"startLine": line, "startColumn": 9, "endColumn": 30},
        },
        "message": {"text": f"ControlFlowNode for value_{number}"},
    }


def trivy(results: int) -> Iterator[str]:
    """The text of a Trivy report about an image with so many vulnerabilities."""
    yield ('{"SchemaVersion": 2, "ArtifactName": "acme/shop:1.4", "ArtifactType": '
           '"container_image", "Results": [{"Target": "acme/shop:1.4 (debian 12.6)", "Class": '
           '"os-pkgs", "Type": "debian", "Vulnerabilities": [')  # fmt: skip
    for number in range(results):
        cve = f"CVE-20{10 + number % 15}-{10_000 + number // 15}"
        entry = {
            "VulnerabilityID": cve,
            "PkgID": f"lib{number % 900}@1.{number % 40}-1",
            "PkgName": f"lib{number % 900}",
            "InstalledVersion": f"1.{number % 40}-1",
            "FixedVersion": f"1.{number % 40}-3",
            "Status": "fixed",
            "PkgIdentifier": {"PURL": f"pkg:deb/debian/lib{number % 900}@1.{number % 40}-1?arch="
                              "amd64&distro=debian-12.6", "UID": f"{number:016x}"},
            "Layer": {"Digest": f"sha256:{number % 12:064x}", "DiffID": f"sha256:{number:064x}"},
            "SeveritySource": "nvd",
            "PrimaryURL": f"https://avd.aquasec.com/nvd/{cve.lower()}",
            "DataSource": {"ID": "debian", "Name": "Debian Security Tracker"},
            "Title": f"lib{number % 900}: out-of-bounds write {number}",
            "Description": SENTENCE * 4,
            "Severity": ("LOW", "MEDIUM", "HIGH", "CRITICAL")[number % 4],
            "CweIDs": [f"CWE-{20 + number % 700}"],
            "VendorSeverity": {"debian": 1, "nvd": 3, "redhat": 2, "ubuntu": 1},
            "CVSS": {
                "nvd": {"V2Vector": "AV:N/AC:M/Au:N/C:P/I:P/A:P", "V2Score": 6.8,
                        "V3Vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                        "V3Score": 5.5 + number % 4},
                "redhat": {"V3Vector": "CVSS:3.1/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H",
                           "V3Score": 5.5},
            },
            "References": [f"https://example.org/{cve}/{n}" for n in range(6)],
            "PublishedDate": "2024-02-04T20:15:45Z",
            "LastModifiedDate": "2024-11-21T08:37:00Z",
        }  # fmt: skip
        yield ("," if number else "") + json.dumps(entry, indent=2)
    yield "]}]}"


def semgrep(results: int) -> Iterator[str]:
    """The text of a Semgrep report with so many results."""
    yield '{"version": "1.84.0", "results": ['
    for number in range(results):
        rule, line = number * 7 % RULES, 1 + number // FILES * 3
        entry = {
            "check_id": f"python.lang.security.audit.rule-{rule}",
            "path": f"src/package{number % FILES // 20}/module{number % FILES}.py",
            "start": {"line": line, "col": 5, "offset": line * 40},
            "end": {"line": line, "col": 44, "offset": line * 40 + 39},
            "extra": {
                "metavars": {"$X": {"start": {"line": line, "col": 10, "offset": 1},
                                    "end": {"line": line, "col": 15, "offset": 6},
                                    "abstract_content": f"value_{number}"}},
                "message": f"Rule {rule}. {SENTENCE * 3}",
                "metadata": {
                    "cwe": [f"CWE-{20 + rule}: Improper Something of a Kind"],
                    "owasp": ["A03:2021 - Injection"],
                    "category": "security", "technology": ["python"], "confidence": "MEDIUM",
                    "references": [f"https://owasp.org/rule/{rule}"],
                },
                "severity": ("INFO", "WARNING", "ERROR")[rule % 3],
                "fingerprint": f"{number:064x}_0",
                "lines": f"    call(value_{number}, request.args['name'])",
                "validation_state": "NO_VALIDATOR",
                "engine_kind": "OSS",
            },
        }  # fmt: skip
        yield ("," if number else "") + json.dumps(entry)
    yield '], "errors": [], "paths": {"scanned": []}}'


SHAPES = {"sarif": sarif, "trivy": trivy, "semgrep": semgrep}
EACH = {name: len(json.dumps("".join(make(2_000)))) // 2_000 for name, make in SHAPES.items()}
"""Bytes of a result, about."""


def write(path: Path, name: str, megabytes: int) -> None:
    """Write a report of the shape `name` of about so many megabytes."""
    with path.open("w") as file:
        for piece in SHAPES[name](megabytes * 10**6 // EACH[name]):
            file.write(piece)
