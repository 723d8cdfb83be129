"""What can be wrong with one row of a data set; each function returns a sentence, empty if well."""

import json
import re

from secai_lib.core.disclosure import CWE, SEVERITIES, WEAKNESS_ID, states
from secai_lib.core.secret_shapes import secret_in
from secai_lib.core.training import TrainingExample

_PLACEHOLDER = re.compile(
    r"\b(?:TODO|FIXME|XXX|lorem ipsum|example fix|placeholder|REPLACE_ME|CHANGE_?ME)\b"
    r"|<[ \t]*(?:your|insert|add)\b[^>\n]{0,60}>|\byour[_-](?:api|token|password|secret|key)\w*"
    r"|\b(?:insert|add|put)\b[^.\n]{0,30}\bhere\b|\u2026|(?<![\w.)\]])\.\.\.(?![\w.\[({])"
    r"|(?<=\w)\.\.\.(?=\s|$)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"`[^`\n]*`")
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n")
_LONG_SENTENCE = 7
"""Words from which a sentence that stands in both prompt and answer is no coincidence."""
_REPLACEMENT = re.compile(r"<<<\n?(.*?)\n?===\n(.*?)\n?>>>", re.DOTALL)
_RATED = re.compile(
    rf"\b(?:rated|severity)\b\W{{1,4}}(?:is\W+)?({'|'.join(SEVERITIES)})\b", re.IGNORECASE
)
_SCANNERS = re.compile(
    r"\b(?:bandit|checkov|dependency-check|detect-secrets|gitleaks|gosec|govulncheck|grype|hadolint"
    r"|kics|npm-audit|nuclei|osv-scanner|pip-audit|semgrep|snyk|trivy|trufflehog|zap|zizmor)\b",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"[\w@.-]+\.(?:ya?ml|json|kts?|tsx?|jsx?|py|java|go|tf|toml|xml|gradle|lockfile|html|conf|sh)\b"
)
_PLACE = re.compile(r"^Root cause: (.*)$", re.MULTILINE)
"""Where an answer says where the weakness is; elsewhere it may name other files."""
_CODE = re.compile(r"\n(?:Code|Lines):\n")
_LABELS = ("type", "severity", "category", "cwe")


def placeholder(row: TrainingExample) -> str:
    """An answer that stands for one that nobody wrote: a placeholder the prompt does not have."""
    if not row.response.strip():
        return "the answer is empty"
    for text in _answers(row):
        code = text in (row.response, row.readable and row.readable.fixed_code)
        # Prose may quote a pattern such as `${{ ... }}`; the code itself may not.
        for found in _PLACEHOLDER.finditer(text if code else _QUOTED.sub("", text)):
            if found[0] not in row.instruction:
                return f"the answer holds the placeholder {found[0]!r}"
    return ""


def answer_in_prompt(row: TrainingExample) -> str:
    """A prompt that states what is asked: a scored label, a sentence of the answer, the edit."""
    for field, value in labels_of(row).items():
        if states(row.instruction, field, value):
            return f"the prompt states the {field} that the row is scored on"
    if row.stage == 2:
        edits = _REPLACEMENT.findall(row.response)
        told = row.instruction.partition("\nLines:\n")[0]  # the weak file itself tells nothing
        given = any(new.strip() and new not in old and new in told for old, new in edits)
        return "the prompt holds the replacement" if given else ""
    for sentence in _SENTENCE.split(row.response):
        if len(sentence.split()) >= _LONG_SENTENCE and sentence in row.instruction:
            return f"the prompt holds the answer's sentence {sentence[:60]!r}"
    return ""


def contradiction(row: TrainingExample) -> str:
    """Prompt, answer and evidence that name different severities, CWEs, files or tools."""
    known = row.metadata
    evidence = {"type": known.vulnerability_type.value, "severity": known.severity.value,
                "category": known.category.value}  # fmt: skip
    labels = labels_of(row)
    for field, value in evidence.items():
        if labels.get(field, value) != value:
            return f"the answer's {field} is {labels[field]}, the evidence's {value}"
    for rated in _RATED.findall(f"{_head(row)}\n{row.response}"):
        if rated.lower() != known.severity.value:
            return f"a text says {rated}, the evidence {known.severity.value}"
    for name, pattern, answer in (
        ("CWE", CWE, row.response),
        ("file", _FILE, "\n".join(_PLACE.findall(row.response))),
        ("tool", _SCANNERS, row.response),
    ):
        asked = {word.lower() for word in pattern.findall(_named(row))}
        answered = {word.lower() for word in pattern.findall(answer)}
        if asked and answered and not asked & answered:
            return f"the answer speaks of the {name} {min(answered)}, the prompt of another"
    return ""


def secret(row: TrainingExample) -> str:
    """Text of the shape of a secret, anywhere in the row; the sentence does not repeat it."""
    texts = (row.instruction, *_answers(row), *(m.content for m in row.messages))
    return "a text looks like a secret" if any(map(secret_in, texts)) else ""


def invented_id(row: TrainingExample) -> str:
    """An id in the answer that neither the prompt nor the evidence has."""
    text = f"{row.instruction} {row.metadata.rule} {' '.join(row.metadata.cwes)}"
    known = {name.upper() for name in WEAKNESS_ID.findall(text)}
    answered = {name.upper() for text in _answers(row) for name in WEAKNESS_ID.findall(text)}
    new = sorted(answered - known)
    return f"the answer names {new[0]}, which no evidence has" if new else ""


def labels_of(row: TrainingExample) -> dict[str, str]:
    """The scored labels of a Stage 1 answer, whose first line they are; none in Stage 2."""
    line = row.response.partition("\n")[0]
    if row.stage != 1 or not line.startswith("{"):
        return {}
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return {field: str(found[field]) for field in _LABELS if field in found}


def _answers(row: TrainingExample) -> list[str]:
    readable = row.readable.model_dump() if row.readable else {}
    lists = [value if isinstance(value, tuple) else (value,) for value in readable.values()]
    return [row.response, *(text for texts in lists for text in texts)]


def _head(row: TrainingExample) -> str:
    """The prompt without the code, which may speak of severities of its own."""
    return _CODE.split(row.instruction, maxsplit=1)[0]


def _named(row: TrainingExample) -> str:
    """What the prompt says, with what evidence knows beside it."""
    known = row.metadata
    return " ".join((row.instruction, known.file, known.tool, *known.cwes))
