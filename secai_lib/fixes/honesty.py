"""Whether a fix removes the weakness or only hides it: nothing muted, deleted or rewritten."""

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePosixPath

from secai_lib.core.fix import Edit, ProofCheck
from secai_lib.fixes.behaviour import foreign_changes, yaml_changes
from secai_lib.fixes.edits import by_path
from secai_lib.fixes.languages import has_grammar, language_of, syntax_tree, walk
from secai_lib.fixes.syntax import check_syntax
from secai_lib.fixes.yaml_tree import YamlNode, YamlRefused

KEPT_SHARE = 0.5
"""Least share of the lines that must still be there."""
SLACK_LINES = 2
"""Lines an edit may rewrite without changing them (a closing bracket, a continued line)."""
DELETED_LINES = 2
"""Lines an edit may take away without writing anything instead (an option, an attribute)."""
REMOVED_LEAVES = 2
"""Values a removed YAML entry may hold (a flag, a one-line list)."""

_SUPPRESSIONS = re.compile(
    r"zizmor:\s*ignore|\bnosec\b|nosemgrep|(?:checkov|bridgecrew|cloudrail)[:.\w/]*\s*[:/]?\s*skip"
    r"|pragma:\s*(?:allow|white)list|\bnoqa\b|(?:tfsec|trivy|grype)[:\s]*ignore|gitleaks:\s*allow"
    r"|hadolint\s+ignore|eslint-disable|@suppress|\bsnyk:ignore|kics-scan|\bnolint\b|#\s*nosonar",
    re.IGNORECASE,
)
_SETTINGS = frozenset({
    "zizmor.yml", "zizmor.yaml", ".zizmor.yml", ".bandit", ".semgrepignore", ".checkov.yml",
    ".checkov.yaml", ".secrets.baseline", ".trivyignore", "osv-scanner.toml", ".gitleaksignore",
    ".gitleaks.toml", ".snyk", ".hadolint.yaml",
})  # fmt: skip
_MAY_GO = frozenset({"ADD", "MAINTAINER", "EXPOSE"})
"""Instructions that are the weakness themselves; every other kind has to stay."""
_DEFINITIONS = re.compile(r"(?:function|method|class|object|interface)_(?:declaration|definition)")


Ask = Callable[[str, str, str], str]
"""Path, text before, text after -> what is wrong, empty for nothing."""


def honest(
    base: Mapping[str, str], fixed: Mapping[str, str], edits: Sequence[Edit]
) -> tuple[ProofCheck, ...]:
    """Every check that needs no scanner: path -> text before and after, and the edits."""
    groups = by_path(edits)
    checks = [
        _each("not_suppressed", "No comment or setting mutes a scanner.", base, _muted, fixed),
        _each("not_deleted", "The code that was at fault is still there.", base, _deleted, fixed),
        _syntax(base, fixed),
    ]
    minimal = {path: _rewritten(base[path], fixed[path], group) for path, group in groups.items()}
    checks.append(_verdict("minimal", "Only lines that change are edited.", minimal))
    foreign = {
        path: "; ".join(foreign_changes(path, base[path], fixed[path], group)[:3])
        for path, group in groups.items()
    }
    checks.append(_verdict("behaviour", "Outside the edits everything means the same.", foreign))
    return tuple(checks)


def _each(name: str, good: str, base: Mapping[str, str], ask: Ask, fixed: Mapping[str, str]
          ) -> ProofCheck:  # fmt: skip
    return _verdict(name, good, {path: ask(path, base[path], fixed[path]) for path in fixed})


def _verdict(name: str, good: str, problems: Mapping[str, str]) -> ProofCheck:
    said = [f"{path}: {problem}" for path, problem in sorted(problems.items()) if problem]
    return ProofCheck(name=name, passed=not said, detail="; ".join(said) + "." if said else good)


def _syntax(base: Mapping[str, str], fixed: Mapping[str, str]) -> ProofCheck:
    checks = [check_syntax(path, text, base[path]) for path, text in sorted(fixed.items())]
    return ProofCheck(
        name="syntax",
        passed=all(check.passed for check in checks),
        detail=" ".join(check.detail for check in checks),
    )


def _muted(path: str, base: str, fixed: str) -> str:
    if PurePosixPath(path).name.lower() in _SETTINGS:
        return "the file tells a scanner what to ignore"
    added = len(_SUPPRESSIONS.findall(fixed)) - len(_SUPPRESSIONS.findall(base))
    return f"{added} comments that mute a scanner were added" if added > 0 else ""


def _deleted(path: str, base: str, fixed: str) -> str:
    if base.strip() and not fixed.strip():
        return "the file is empty"
    before, after = base.split("\n"), fixed.split("\n")
    kept = _kept(before, after)
    if kept < KEPT_SHARE * len(before) and len(before) - kept > DELETED_LINES:
        return f"only {kept} of {len(before)} lines are left"
    if language_of(path) == "yaml":
        return _deleted_yaml(path, base, fixed)
    gone = len([line for line in before if line.strip()]) - len(
        [line for line in after if line.strip()]
    )
    if gone > DELETED_LINES:
        return f"{gone} lines less than before"
    missing = _defined(path, base) - _defined(path, fixed)
    return f"{', '.join(sorted(missing)[:3])} is gone" if missing else ""


def _deleted_yaml(path: str, base: str, fixed: str) -> str:
    try:
        changes = yaml_changes(path, base, fixed)
    except YamlRefused as error:
        return str(error).rstrip(".")
    for change in changes:
        if change.before is None or change.before.kind == "scalar":
            continue
        step = change.path.rpartition(".")[2].isdigit() and change.before.kind == "mapping"
        replaced = change.after is not None
        if (step and not replaced) or _leaves(change.before) > REMOVED_LEAVES:
            return f"the whole of {change.path} is gone"
    return ""


def _leaves(node: YamlNode) -> int:
    below = [value for _, value in node.entries] + list(node.items)
    return sum(_leaves(child) for child in below) if node.kind != "scalar" else 1


def _defined(path: str, text: str) -> set[str]:
    """Names of the functions and classes, or the kinds of the Dockerfile's instructions."""
    language = language_of(path)
    if not has_grammar(language):
        return set()
    names = set()
    for node in walk(syntax_tree(language, text)):
        if language == "dockerfile" and node.type.endswith("_instruction"):
            names.add(node.type.removesuffix("_instruction").upper())
        elif _DEFINITIONS.fullmatch(node.type):
            name = node.child_by_field_name("name")
            names.add((name.text or b"").decode() if name else node.type)
    return names - _MAY_GO if language == "dockerfile" else names


def _rewritten(base: str, fixed: str, edits: Sequence[Edit]) -> str:
    touched = sum(base[e.start : e.end].count("\n") + 1 for e in edits if e.end > e.start)
    before = base.split("\n")
    changed = len(before) - _kept(before, fixed.split("\n"))
    if touched - changed > SLACK_LINES * len(edits):
        return f"{touched} lines are rewritten where {changed} change"
    return ""


def _kept(before: Sequence[str], after: Sequence[str]) -> int:
    head = 0
    while head < min(len(before), len(after)) and before[head] == after[head]:
        head += 1
    tail = 0
    while tail < min(len(before), len(after)) - head and before[-1 - tail] == after[-1 - tail]:
        tail += 1
    middle = difflib.SequenceMatcher(
        None, before[head : len(before) - tail], after[head : len(after) - tail], autojunk=False
    )
    return head + tail + sum(block.size for block in middle.get_matching_blocks())
