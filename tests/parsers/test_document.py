"""Bytes in: encodings, truncation, hostile documents."""

import json

import pytest

from secai_lib.core.errors import MalformedScan, UnknownFormat
from secai_lib.parsers import parse_report
from secai_lib.parsers.document import decode

BANDIT = json.dumps({"errors": [], "metrics": {"_totals": {}}, "results": []})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings_and_line_ends(encoding: str) -> None:
    text = BANDIT.replace(",", ",\r\n")
    assert parse_report("r.json", text.encode(encoding)).tools == ("bandit",)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("r.json", b"", "empty"),
        ("r.sarif", b" \r\n\t", "empty"),
        ("r.json", b"\xef\xbb\xbf", "empty"),
        ("r.json", BANDIT[:-10].encode(), "not valid JSON"),
        ("r.json", b"null", "holds null"),
        ("r.json", b'"text"', "holds text"),
        ("r.json", b"hello", "not valid JSON"),
        ("r.json", b'{"a": NaN}', "NaN"),
        ("r.json", b'{"a": -Infinity}', "Infinity"),
        ("r.json", b'{"a": 1e999}', "out of range"),
        ("r.json", b'{"a": ' + b"9" * 5000 + b"}", "not valid JSON"),
        ("r.json", b"[" * 100_000, "nested too deeply"),
        ("r.json", b"[" * 500 + b"]" * 500, "nested too deeply"),
        ("r.json", b'{"a": "\xff\xfe"}', "not valid utf-8"),
        ("noending", b"{broken", "not valid JSON"),
        ("r.xml", b"<OWASPZAPReport><site>", "not well-formed"),
        ("r.xml", b"nothing", "not well-formed"),
        ("r.xml", b"<a>" * 500 + b"</a>" * 500, "nested too deeply"),
        ("r.xml", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "entities"),
        ("r.xml", b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "entities"),
    ],
)
def test_malformed(name: str, data: bytes, words: str) -> None:
    with pytest.raises(MalformedScan, match=words) as caught:
        parse_report(name, data)
    assert caught.value.file == name


def test_a_truncated_file_names_line_and_column() -> None:
    with pytest.raises(MalformedScan) as caught:
        parse_report("r.json", b'{\n "a": 1,\n "b": ')
    assert caught.value.place == "line 3 column 7"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("r.html", b"<!DOCTYPE html><html></html>"),
        ("page", b"  <HTML><body>"),
        ("r.md", b"# Report"),
        ("r.md", b"[a link](b)"),
        ("r.txt", b"hello"),
        ("r.bin", b"\x00\x01\x80\xff"),
        ("r.json", b"{}"),
        ("r.json", b'{"results": [1]}'),
        ("r.xml", b"<other/>"),
        ("trivy-gitleaks-semgrep.json", b'{"hello": "trivy"}'),
    ],
)
def test_unknown(name: str, data: bytes) -> None:
    with pytest.raises(UnknownFormat):
        parse_report(name, data)


STREAM = b'{\n "a": 1\n}\n{"b":\n 2}\r\n\r\n{"c": 3}'


def test_objects_one_after_the_other_are_a_list() -> None:
    document = decode("r.json", STREAM)
    assert (document.value, document.lines) == ([{"a": 1}, {"b": 2}, {"c": 3}], True)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (STREAM[:-1], "line 7 column 8"),
        (STREAM + b" x", "line 7 column 10"),
        (STREAM + b"[1]", "line 7 column 9"),
        (b"[1] [2]", "line 1 column 5"),
        (b'{"a": 1} {"b": NaN}', ""),
    ],
)
def test_a_stream_with_anything_else_is_malformed(data: bytes, place: str) -> None:
    with pytest.raises(MalformedScan) as caught:
        decode("r.json", data)
    assert caught.value.place == place


def test_a_deep_object_in_a_stream_is_malformed() -> None:
    with pytest.raises(MalformedScan, match="nested too deeply"):
        decode("r.json", b'{"a": 1}' + b'{"a":' * 100_000)


def test_html_says_where_the_results_are() -> None:
    with pytest.raises(UnknownFormat) as caught:
        parse_report("report_html.html", b"<html>")
    assert caught.value.reason == (
        "not a scan report (HTML); the JSON report beside it carries the results"
    )


def test_an_empty_list_is_a_run_without_results() -> None:
    report = parse_report("r.json", b"[]")
    assert (report.tools, report.raw_results) == ((), 0)


def test_control_characters_and_surrogates_reach_no_record() -> None:
    issue = {
        "test_id": "B1",
        "issue_text": "a\x1b[31mb\ud800",
        "filename": "a.py",
        "line_number": 1,
    }
    report = parse_report("r.json", json.dumps({"results": [issue]}).encode())
    assert report.results[0].message == "a\ufffd[31mb\ufffd"
    assert report.model_dump_json().encode()
