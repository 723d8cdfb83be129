"""Whether a fix takes away what was at fault instead of mending it."""

import difflib
import re
from collections import Counter
from collections.abc import Sequence

from secai_lib.core.syntax import SyntaxRefused, has_grammar, language_of, parse
from secai_lib.fixes.behaviour import Change, yaml_changes
from secai_lib.fixes.yaml_tree import YamlNode, YamlRefused

KEPT_SHARE = 0.5
"""Least share of the lines that must still be there."""
DELETED_LINES = 2
"""Lines an edit may take away without writing anything instead (an option, an attribute)."""
REMOVED_LEAVES = 2
"""Values a removed YAML entry may hold (a flag, a one-line list)."""
LOST_WORDS = 2
"""Words a script or command may lose (an option and its value)."""

_MAY_GO = frozenset({"ADD", "MAINTAINER", "EXPOSE"})
"""Instructions that are the weakness themselves; of every other kind as many have to stay."""
_DEFINITIONS = re.compile(r"(?:function|method|class|object|interface)_(?:declaration|definition)")
_WORK = re.compile(
    r"(?P<calls>call|call_expression|method_invocation|new_expression|object_creation_expression)"
    r"|(?P<guards>(?:if|return|throw|raise|try|for|while|when|switch|assert)_(?:statement|expression)"
    r"|jump_expression)"
)
"""Nodes that do something: a fix writes them differently, it does not take one away."""
_JOINED = re.compile(r"&&|\|\||[;|]")
_STAGE = re.compile(r"^[ \t]*FROM[ \t]", re.IGNORECASE | re.MULTILINE)
_COMMAND_LINE = re.compile(r"^[ \t]*[^#\s]", re.MULTILINE)
_EXPRESSION = re.compile(r"\$\{\{[^\r\n]*?\}\}")
_BEARING = frozenset({
    "run", "uses", "image", "build", "command", "entrypoint", "args", "kind", "apiVersion", "on",
    "jobs", "steps", "services", "spec", "containers", "template", "runs-on",
})  # fmt: skip
"""YAML keys without which a document is another one, or does nothing."""
_IDENTITY = frozenset({"kind", "apiVersion", "runs-on", "replicas"})
_SWITCHES = frozenset({"if", "replicas", "profiles", "suspend", "continue-on-error"})
"""Keys that switch a step, a service or a program off."""


def deleted(path: str, base: str, fixed: str) -> str:
    """What is gone though it should only be mended; empty for nothing."""
    if base.strip() and not fixed.strip():
        return "the file is empty"
    before, after = base.split("\n"), fixed.split("\n")
    kept = kept_lines(before, after)
    if kept < KEPT_SHARE * len(before) and len(before) - kept > DELETED_LINES:
        return f"only {kept} of {len(before)} lines are left"
    if language_of(path) == "yaml":
        return _deleted_yaml(path, base, fixed)
    gone = len([line for line in before if line.strip()]) - len(
        [line for line in after if line.strip()]
    )
    if gone > DELETED_LINES:
        return f"{gone} lines less than before"
    if language_of(path) == "dockerfile" and len(_STAGE.findall(base)) < len(_STAGE.findall(fixed)):
        return "another image is built than before"
    missing = _parts(path, base) - _parts(path, fixed)
    return f"{', '.join(sorted(missing)[:3])} is gone" if missing else ""


def kept_lines(before: Sequence[str], after: Sequence[str]) -> int:
    """How many lines of `before` are still in `after`, in their order."""
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


def _parts(path: str, text: str) -> Counter[str]:
    """What a file is made of: definitions by name, instructions, calls and branches by kind."""
    language = language_of(path)
    if not has_grammar(language):
        return Counter()
    try:
        tree = parse(text, language)
    except SyntaxRefused:  # `behaviour` refuses such a file
        return Counter()
    parts: Counter[str] = Counter()
    for node in tree.walk():
        if language == "dockerfile":
            _count_instruction(parts, node.type, tree.text_of(node))
        elif _DEFINITIONS.fullmatch(node.type):
            name = node.child_by_field_name("name")
            parts[tree.text_of(name) if name else node.type] += 1
        elif work := _WORK.fullmatch(node.type):
            parts["a call" if work["calls"] else "a branch"] += 1
    return parts


def _count_instruction(parts: Counter[str], kind: str, text: str) -> None:
    name = kind.removesuffix("_instruction").upper()
    if not kind.endswith("_instruction"):
        return
    if name not in _MAY_GO:
        parts[name] += 1
    if name in ("ADD", "COPY"):
        parts["ADD or COPY"] += 1
    if name == "RUN":
        parts["a command of RUN"] += len(_JOINED.findall(text))


def _deleted_yaml(path: str, base: str, fixed: str) -> str:
    try:
        changes = yaml_changes(path, base, fixed)
    except YamlRefused as error:
        return str(error).rstrip(".")
    return next((said for change in changes if (said := _lost(change))), "")


def _lost(change: Change) -> str:
    """What a change of a YAML document takes away; empty for nothing."""
    steps = change.path.split(".")
    key, before, after = steps[-1], change.before, change.after
    if before is None:
        return f"{change.path} can switch it off" if key in _SWITCHES else ""
    if after is None and (key in _BEARING or "on" in steps[:2] or steps[:-1] in _UNITS):
        return f"{change.path} is gone"
    if before.kind != "scalar":
        step = key.isdigit() and before.kind == "mapping"
        whole = (step and after is None) or _leaves(before) > REMOVED_LEAVES
        return f"the whole of {change.path} is gone" if whole else ""
    if after is None or after.kind != "scalar" or before.text == after.text:
        return ""
    if key in _IDENTITY:
        return f"{change.path} makes it another one"
    if key in ("uses", "image") and _origin(before.text) != _origin(after.text):
        return f"{change.path} names another one"
    return _lost_text(change.path, before.text, after.text)


_UNITS = (["jobs"], ["services"])


def _lost_text(path: str, before: str, after: str) -> str:
    lines = [len(_COMMAND_LINE.findall(text)) for text in (before, after)]
    words = [len(_EXPRESSION.sub("x", text).split()) for text in (before, after)]
    if (before.strip() and not after.strip()) or lines[1] < lines[0]:
        return f"{path} lost lines"
    return f"{path} lost words" if words[0] - words[1] > LOST_WORDS else ""


def _origin(reference: str) -> str:
    """An action or image without its tag, digest or commit."""
    name = reference.split("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.split(":")[0]


def _leaves(node: YamlNode) -> int:
    below = [value for _, value in node.entries] + list(node.items)
    return sum(_leaves(child) for child in below) if node.kind != "scalar" else 1
