"""What one scanner calls a secret is in nothing that is stored of any other scanner's report."""

import json

from secai_assets.resources.reports import redacted, secrets_of
from secai_lib.code_context import Secrets
from secai_lib.findings import distinct, intake
from secai_lib.parsers import parse_report
from tests.fakes.rescanner import FakeFiles

VALUE = "T4x!" + "pa$$ Word-93k"
LINE = f'password = "{VALUE}"'
SOURCE = FakeFiles({"app.py": f"import a\n{LINE}\na.get(verify=False)\nb = 1\n"})


def reports() -> dict[str, bytes]:
    hashed = {
        "type": "Secret Keyword",
        "filename": "app.py",
        "hashed_secret": "0",
        "line_number": 2,
    }
    bandit = {
        "test_id": "B501", "test_name": "x", "issue_text": "no verification", "filename": "app.py",
        "line_number": 3, "line_range": [3], "issue_severity": "HIGH", "issue_confidence": "HIGH",
        "code": f"2 {LINE}\n3 a.get(verify=False)\n",
    }  # fmt: skip
    secrets = {"version": "1", "plugins_used": [], "results": {"app.py": [hashed]}}
    return {
        "bandit.json": json.dumps({"errors": [], "results": [bandit]}).encode(),
        "detect-secrets.json": json.dumps(secrets).encode(),
        "notes.md": f"the line {LINE}".encode(),
    }


def test_no_report_keeps_a_line_that_another_one_calls_secret() -> None:
    received = reports()
    assert VALUE in json.loads(received["bandit.json"])["results"][0]["code"]
    files, listed = redacted(received, secrets_of(received, SOURCE))
    for name, data in files.items():
        assert VALUE.encode() not in data and b"pa$$" not in data, name
    assert b"password = " in files["bandit.json"], "only the value goes"
    assert b"a.get(verify=False)" in files["bandit.json"]
    assert {file.path: file.redactions > 0 for file in listed} == dict.fromkeys(files, True)


def test_a_clean_report_is_kept_byte_for_byte() -> None:
    data = b'{"errors": [],   "results": []}'
    files, (file,) = redacted({"bandit.json": data}, {"some secret line": "[redacted]"})
    assert files == {"bandit.json": data} and not file.redactions


def test_the_secret_line_of_a_file_is_known_to_the_fixes() -> None:
    parsed, _ = intake(sorted(reports().items()), parse_report)
    known = Secrets(distinct(parsed, repository="", run="", commit=""), SOURCE)
    assert known.lines("app.py") == {2} and not known.lines("absent.py")
    assert VALUE not in known.masked("app.py", f"about {VALUE}")
