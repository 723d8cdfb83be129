"""Reads `.secai.yaml`: what people of a repository live with, why and until when.

The text is hostile. It is small, has no anchors or aliases and little depth, or it is refused
whole; an entry with a fault of its own is told with its line and does not count.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from io import StringIO

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from secai_lib.core.text import one_line
from secai_lib.core.triage import Acceptance, Policy

NAME = ".secai.yaml"
"""The file, at the repository's top."""
MAX_CHARACTERS = 100_000
"""A thousand entries; reading 10^5 characters takes a second."""
MAX_DEPTH = 4
"""The file, its list, an entry, and one to spare."""
MAX_TEXT = 500
"""Characters of one value."""

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_RULE = re.compile(r"[a-z0-9][a-z0-9._-]*:\S.*")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_KEYS = ("fingerprint", "rule", "path", "reason", "until", "by")


class _Fault(ValueError):
    """What is wrong, and in which line."""

    def __init__(self, line: int, said: str) -> None:
        super().__init__(f"{NAME} line {line}: {said}")


def read_policy(
    text: str | None, *, repository: str, branch: str, commit: str, judged: date, max_days: int
) -> Policy:
    """What `text` says (None: no text that could be read); `judged` is the newest scan's day.

    An acceptance names a finding by `fingerprint`, or a `rule` (`tool:rule`) with a `path` in which
    `*` is any text; it needs a `reason`, a last day `until` at most `max_days` after `judged`, and
    `by`, the person.
    """
    accepted: list[Acceptance] = []
    faults: list[str] = []
    try:
        if text is None:
            raise _Fault(1, "the file is no text or too large")
        for entry in _entries(text):
            try:
                accepted.append(_acceptance(entry, judged + timedelta(days=max_days), max_days))
            except _Fault as fault:
                faults.append(str(fault))
    except _Fault as fault:
        faults.append(str(fault))
    return Policy(
        repository=repository,
        branch=branch,
        commit=commit,
        judged=judged,
        acceptances=tuple(accepted),
        faults=tuple(faults),
    )


def _entries(text: str) -> Iterator[Node]:
    root = _document(text)
    if root is None:
        return
    for key, value in _mapping(root, "the file holds `accept:` with a list").items():
        if key != "accept":
            raise _Fault(_line(value), f"unknown key {one_line(key, 40)!r}; there is `accept`")
        if not isinstance(value, SequenceNode):
            raise _Fault(_line(value), "`accept` is a list; each entry begins with `- `")
        yield from value.value


def _document(text: str) -> Node | None:
    if len(text) > MAX_CHARACTERS:
        raise _Fault(1, f"more than {MAX_CHARACTERS:,} characters")
    try:
        depth = 0
        for event in YAML(pure=True).parse(text):
            line = event.start_mark.line + 1
            if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
                raise _Fault(line, "anchors and aliases are refused")
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise _Fault(line, f"nested deeper than {MAX_DEPTH} levels")
        return YAML(pure=True).compose(text)  # type: ignore[no-any-return]
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = one_line(str(error.problem or "no YAML"), 100)
        raise _Fault(mark.line + 1 if mark else 1, said) from error
    except (YAMLError, ValueError, RecursionError) as error:
        if isinstance(error, _Fault):
            raise
        raise _Fault(1, "no YAML") from error


def _mapping(node: Node, wanted: str) -> Mapping[str, Node]:
    if not isinstance(node, MappingNode):
        raise _Fault(_line(node), wanted)
    found: dict[str, Node] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, ScalarNode) else ""
        if not isinstance(key, ScalarNode) or name in found:
            raise _Fault(_line(key), f"the key {one_line(name, 40)!r} is there twice or no text")
        found[name] = value
    return found


def _acceptance(node: Node, latest: date, max_days: int) -> Acceptance:
    entry = _mapping(
        node, "an entry has `fingerprint` or `rule` and `path`, `reason`, `until`, `by`"
    )
    line, given = _line(node), {}
    for key, value in entry.items():
        if key not in _KEYS:
            known = ", ".join(_KEYS)
            raise _Fault(_line(value), f"unknown key {one_line(key, 40)!r}; there are {known}")
        if not isinstance(value, ScalarNode) or len(value.value) > MAX_TEXT:
            raise _Fault(_line(value), f"`{key}` is a text of at most {MAX_TEXT} characters")
        given[key] = one_line(value.value.strip(), MAX_TEXT)
    if missing := [key for key in ("reason", "until", "by") if not given.get(key)]:
        raise _Fault(line, f"`{missing[0]}` is missing")
    fingerprint, rule, path = (given.get(key, "") for key in ("fingerprint", "rule", "path"))
    if bool(fingerprint) == bool(rule or path):
        raise _Fault(line, "name either a `fingerprint`, or a `rule` and a `path`")
    if fingerprint and not _FINGERPRINT.fullmatch(fingerprint):
        raise _Fault(_line(entry["fingerprint"]), "`fingerprint` has 16 hexadecimal digits")
    if not fingerprint and not (path and _RULE.fullmatch(rule)):
        raise _Fault(line, "`rule` is `tool:rule`, and `path` says in which files")
    return Acceptance(
        line=line,
        fingerprint=fingerprint,
        rule=rule,
        path=path,
        reason=given["reason"],
        until=_day(entry["until"], given["until"], latest, max_days),
        by=given["by"],
    )


def _day(node: Node, text: str, latest: date, max_days: int) -> date:
    try:
        day = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        day = None
    if day is None:
        raise _Fault(_line(node), "`until` is a day such as 2026-12-31")
    if day > latest:
        said = f"`until` is at most {max_days} days after the scan: {latest.isoformat()}"
        raise _Fault(_line(node), said)
    return day


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def with_acceptance(text: str, *, fingerprint: str, reason: str, until: date, by: str) -> str:
    """`text` with one more acceptance at the end; comments and what else is there stay.

    The file has to be whole: with a fault in it (`read_policy`) nothing is added.
    """
    yaml = YAML(pure=True)
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = MAX_TEXT * 2
    yaml.preserve_quotes = True
    document = yaml.load(text)
    comments = "" if document or not text.strip() else text.rstrip("\n") + "\n"
    document = document or yaml.map()
    if not document.get("accept"):  # an empty `[]` would make a line of it
        document["accept"] = yaml.seq()
    # quoted, so that digits stay a text
    entry = {"fingerprint": DoubleQuotedScalarString(fingerprint), "reason": reason,
             "until": until, "by": by}  # fmt: skip
    document["accept"].append(yaml.map(**entry))
    out = StringIO()
    yaml.dump(document, out)
    return comments + out.getvalue()
