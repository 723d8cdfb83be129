"""The bundled sample, from its reports to its contexts, read through our own store."""

import re
from pathlib import Path

import pytest

from secai_lib.code_context import contexts
from secai_lib.core.context import CodeContext, ContextStatus
from secai_lib.core.errors import SecAIError
from secai_lib.core.finding import Finding, ParsedReport
from secai_lib.findings import distinct
from secai_lib.gateways.sample import create_sample, sample_reports
from secai_lib.gateways.source import SourceStore
from secai_lib.parsers import parse_report


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Finding], list[CodeContext], str]:
    folder = tmp_path_factory.mktemp("sample")
    store = SourceStore(folder / "store")
    snapshot = store.snapshot(create_sample(folder / "nestbox"))
    files = store.files(snapshot.repository, snapshot.commit)
    findings = distinct(reports(), repository=snapshot.repository, run="r", commit=snapshot.commit)
    text = "\n".join(files.read(path) or "" for path in files.paths())
    return findings, contexts(findings, files), text


def reports() -> list[ParsedReport]:
    root = sample_reports()
    found = []
    for path in sorted(Path(root).rglob("*")):
        if path.is_file():
            try:
                found.append(parse_report(path.relative_to(root).as_posix(), path.read_bytes()))
            except SecAIError:
                assert path.suffix == ".md"
    return found


def test_every_place_is_found(made: tuple[list[Finding], list[CodeContext], str]) -> None:
    findings, found, _ = made
    for finding, context in zip(findings, found, strict=True):
        code = finding.result.location.kind in ("source", "lockfile")
        assert (context.status is ContextStatus.EXACT) == code, context.reason
        assert bool(context.start_line) == code


def test_packages_stand_on_their_lines(
    made: tuple[list[Finding], list[CodeContext], str],
) -> None:
    findings, found, _ = made
    pairs = [(f, c) for f, c in zip(findings, found, strict=True) if f.result.package and c.path]
    assert len(pairs) > 20
    for finding, context in pairs:
        package = finding.result.package
        assert package and package.version in context.snippet
        assert package.name.rpartition(":")[2].lower() in context.snippet.lower()


def test_no_secret_is_in_any_context(
    made: tuple[list[Finding], list[CodeContext], str],
) -> None:
    _, found, text = made
    secrets = re.findall(r"(?:signingSecret = |sessionSecret: )\"([^\"]+)\"", text)
    assert len(secrets) == 2
    shown = "".join(context.model_dump_json() for context in found)
    assert "signingSecret" in shown and "sessionSecret" in shown
    for secret in secrets:
        assert secret not in shown
