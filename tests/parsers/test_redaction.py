"""Secrets go before anything is stored or read."""

import json
from pathlib import Path

import pytest

from secai_lib.parsers import parse_report, redact_report

SAMPLES = Path(__file__).parents[1] / "samples"
SECRETS = [
    b"s3cr3t-Hunter2",
    b"hunter2-example-token-0042",
    b"invented-body-77",
    b"invented-pass-91",
    b"invented-aws-id-4711",
    b"invented-access-id-31",
    b"a7a825a32da22d1ec86f9688658a72f2423aa4e4",
    b"invented-kics-token-9",
    b"invented-token-4567",
    b"invented-bearer-1",
    b"invented-cookie-2",
]
REPORTS = sorted(
    path.relative_to(SAMPLES).as_posix()
    for path in SAMPLES.rglob("*")
    if path.suffix in {".json", ".sarif", ".xml", ".jsonl"}
)
HOLDERS = {
    "bandit/bandit-1.6.json": 1,
    "bandit/bandit.json": 1,
    "detect-secrets/baseline-0.json": 2,
    "detect-secrets/baseline.json": 1,
    "gitleaks/gitleaks-7.json": 2,
    "gitleaks/gitleaks.json": 2,
    "gitleaks/gitleaks.sarif": 2,
    "gosec/gosec-2.json": 1,
    "gosec/gosec.sarif": 1,
    "semgrep/semgrep-0.json": 1,
    "kics/results.json": 1,
    "kics/results.sarif": 1,
    "nuclei/v3.jsonl": 2,
    "semgrep/semgrep.json": 1,
    "semgrep/semgrep.sarif": 1,
    "trivy/repository-ignored.json": 1,
    "trivy/repository.json": 1,
    "trufflehog/results-2.jsonl": 2,
    "trufflehog/results.jsonl": 2,
}


@pytest.mark.parametrize("name", REPORTS)
def test_redacted_bytes_hold_no_secret_and_mean_the_same(name: str) -> None:
    data = (SAMPLES / name).read_bytes()
    stored, count = redact_report(name, data)
    assert count == HOLDERS.get(name, 0)
    assert not any(secret in stored for secret in SECRETS)
    if not count:
        assert stored == data
    assert parse_report(name, stored) == parse_report(name, data)
    assert redact_report(name, stored) == (stored, 0)


def test_the_samples_do_hold_the_secrets() -> None:
    everything = b"".join((SAMPLES / name).read_bytes() for name in REPORTS)
    assert all(secret in everything for secret in SECRETS)


def test_a_secret_goes_wherever_else_it_stands() -> None:
    data = (SAMPLES / "gitleaks/gitleaks.json").read_bytes()
    stored, _ = redact_report("g.json", data)
    leak = json.loads(stored)[0]
    assert leak["Message"] == "Add settings with [redacted]"
    assert leak["Match"] == 'api_key = "[redacted]"'
    assert leak["Fingerprint"].endswith(":config/settings.py:generic-api-key:3")


def test_an_ordinary_word_does_not_maul_the_report() -> None:
    issues = [
        {
            "test_id": "B105",
            "test_name": "hardcoded_password_string",
            "issue_text": "Possible hardcoded password: 'password'",
            "filename": "password/tool.py",
            "line_number": 1,
            "code": "1 PASSWORD = 'password'\n",
        },
        {
            "test_id": "B608",
            "issue_text": "Injection",
            "filename": "a.py",
            "line_number": 2,
            "code": "1 PASSWORD = 'password'\n2 run(x)\n",
        },
    ]
    stored, count = redact_report("b.json", json.dumps({"results": issues}).encode())
    first, second = json.loads(stored)["results"]
    assert count == 1
    assert first["filename"] == "password/tool.py"
    assert first["issue_text"] == "Possible hardcoded password: '[redacted]'"
    assert second["code"] == "1 PASSWORD = '[redacted]'\n2 run(x)\n"


def test_semgrep_metavariables_and_lines_go() -> None:
    result = {
        "check_id": "x.secrets.y",
        "path": "a.py",
        "start": {"line": 1, "col": 1},
        "end": {"line": 1, "col": 9},
        "extra": {
            "message": "key abcd-efgh-0815 found",
            "lines": "k = 'abcd-efgh-0815'",
            "metavars": {"$K": {"abstract_content": "abcd-efgh-0815"}},
            "severity": "ERROR",
        },
    }
    data = json.dumps({"results": [result], "errors": [], "paths": {}}).encode()
    stored, count = redact_report("s.json", data)
    assert (b"0815" in stored, count) == (False, 1)
    assert "0815" not in parse_report("s.json", data).model_dump_json()


def test_a_truncated_report_is_searched_by_name() -> None:
    data = (SAMPLES / "gitleaks/gitleaks.json").read_bytes()[:420]
    assert b"hunter2-example-token" in data
    stored, count = redact_report("g.json", data)
    assert b"hunter2-example-token" not in stored
    assert count >= 1


@pytest.mark.parametrize("data", [b"", b"\x00\xff", b"# text", b"{}", b"[]", b'{"Secret": 1'])
def test_other_bytes_come_back_as_they_are(data: bytes) -> None:
    assert redact_report("x.json", data) == (data, 0)
