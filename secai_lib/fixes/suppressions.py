"""Whether a fix mutes a scanner: comments, annotations and settings that hide a finding."""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from secai_lib.core.fix import Edit
from secai_lib.core.syntax import language_of
from secai_lib.fixes.edits import LineMap
from secai_lib.fixes.yaml_tree import YamlRefused, YamlTree

_MARKS = re.compile(
    r"zizmor:\s*ignore|\bnosec\b|\bnosem(?:grep)?\b"
    r"|(?:checkov|bridgecrew|cloudrail)[:.\w/]*\s*[:/]?\s*skip"
    r"|pragma:\s*(?:allow|white)list|\bnoqa\b|(?:tfsec|trivy|grype)[:\s]*ignore|gitleaks:\s*allow"
    r"|hadolint\s+(?:global\s+)?ignore|eslint-disable|@(?:file:)?suppress|\bsnyk:ignore|kics-scan"
    r"|\bnolint\b|#\s*nosonar|trufflehog:\s*ignore|codeql\[|\blgtm\b",
    re.IGNORECASE,
)
_SETTINGS = frozenset({
    "zizmor.yml", "zizmor.yaml", ".zizmor.yml", ".zizmor.yaml", ".bandit", "bandit.yaml",
    ".semgrepignore", ".semgrep.yml", ".semgrep.yaml", ".checkov.yml", ".checkov.yaml",
    ".checkovignore", ".secrets.baseline", ".trivyignore", ".trivyignore.yaml", "trivy.yaml",
    "osv-scanner.toml", ".gitleaksignore", ".gitleaks.toml", ".snyk", ".hadolint.yaml",
    ".grype.yaml", ".tfsec.yml", ".gitignore", ".gitattributes", ".eslintignore",
})  # fmt: skip
_SECTIONS = re.compile(
    r"^\s*\[(?:tool\.)?(?:bandit|semgrep|checkov|zizmor|detect[-_]secrets)[\].]", re.MULTILINE
)
"""Settings of a scanner inside a file that is there for something else."""


def muted(path: str, base: str, fixed: str, edits: Sequence[Edit]) -> str:
    """What mutes a scanner in `fixed` and did not in `base`; empty for nothing.

    A muting comment that was there may move with its line; it may not change, nor turn up
    elsewhere while another one goes.
    """
    if PurePosixPath(path).name.lower() in _SETTINGS:
        return "the file tells a scanner what to ignore"
    if len(_SECTIONS.findall(fixed)) > len(_SECTIONS.findall(base)):
        return "settings of a scanner were added"
    added = _added(base, fixed, edits)
    if added:
        return f"{added} comments that mute a scanner were added"
    if language_of(path) == "yaml" and _loaded(path, fixed) > _loaded(path, base):
        return "an entry that mutes a scanner was added"
    return ""


def _added(base: str, fixed: str, edits: Sequence[Edit]) -> int:
    """How many marks of `fixed` none of `base` explains by its words and its line."""
    lines = LineMap(base, tuple(edits))
    known = [(words, *lines.target(line)) for line, words in _marks(base)]
    added = 0
    for line, words in _marks(fixed):
        match = next((k for k in known if k[0] == words and k[1] <= line <= k[2]), None)
        if match is None:
            added += 1
        else:
            known.remove(match)
    return added


def _marks(text: str) -> Iterator[tuple[int, str]]:
    """Line (from 1) of every mark, and what it says to the end of its line."""
    for match in _MARKS.finditer(text):
        end = text.find("\n", match.end())
        said = text[match.start() : end if end >= 0 else len(text)]
        yield text.count("\n", 0, match.start()) + 1, " ".join(said.split())


def _loaded(path: str, text: str) -> int:
    """How many marks the loaded document holds: an escape can hide one from the text."""
    try:
        tree = YamlTree.parse(path, text)
    except YamlRefused:
        return 0
    nodes = [node for number in range(len(tree.documents)) for _, node in tree.walk(number)]
    texts = [node.text for node in nodes]
    texts += [key.text for node in nodes for key, _ in node.entries]
    return sum(len(_MARKS.findall(text)) for text in texts)
