"""Rules, messages and producers of a SARIF run."""

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import chain

from secai_lib.parsers.node import LONGEST_SHARED_TEXT, Broken, Node, clean_text, clipped
from secai_lib.parsers.scores import valid_score

_LINK = re.compile(r"\[((?:[^\[\]\\\n]|\\.){1,500})\]\(\d{1,6}\)(?:,\(\d{1,6}\))*")
_ESCAPED = re.compile(r"\\([\[\]\\])")
_MOST_EXTENSIONS = 50
"""Extensions whose shared messages are tried; CodeQL's largest runs have about ten."""
_LONGEST_PRINT = 300
_MAX_LEVELS = 20
"""Levels of a hierarchical rule id that are tried; the standard's own examples have two."""
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\d{1,3})\}")


class RuleFacts:
    """What all results of one rule share, read once; Broken is raised whenever it is asked for."""

    def __init__(self, rule: Node) -> None:
        """Read nothing of the `rule` (which may hold None) before it is asked for."""
        self._rule = rule

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The rule's own tags."""
        return self._rule.texts("properties", "tags")

    @cached_property
    def weaknesses(self) -> tuple[str, ...]:
        """Texts of the rule that may name a CWE, beside its tags."""
        return self._rule.texts("properties", "cwe")

    @cached_property
    def targets(self) -> tuple[Node, ...]:
        """What the rule's relationships point at (3.49.15)."""
        return tuple(relation.get("target") for relation in self._rule.items("relationships"))

    @cached_property
    def title(self) -> str:
        """The rule's title; empty when it has none."""
        return self._rule.text("shortDescription", "text") or self._rule.text("name")

    @cached_property
    def description(self) -> str:
        """What stands in for a message that a result leaves out."""
        return self._rule.text("fullDescription", "text") or self._rule.text(
            "shortDescription", "text"
        )

    @cached_property
    def help(self) -> str:
        """The rule's explanation."""
        return clipped(self._rule.text("help", "markdown") or self._rule.text("help", "text"))

    @cached_property
    def link(self) -> str:
        """The address of the rule's page."""
        return self._rule.text("helpUri")

    @cached_property
    def precision(self) -> str:
        """GitHub's `precision`, which is how often the rule is right."""
        return self._rule.text("properties", "precision").lower()

    @cached_property
    def level(self) -> str:
        """The rule's default level; empty when it has none."""
        return self._rule.text("defaultConfiguration", "level")

    @cached_property
    def old_ids(self) -> tuple[str, ...]:
        """The ids it had before."""
        return self._rule.texts("deprecatedIds")

    @cached_property
    def id(self) -> str:
        """The rule's id."""
        return self._rule.text("id")

    @cached_property
    def score(self) -> float | None:
        """GitHub's `security-severity` of the rule."""
        return security_severity(self._rule)


class Rules:
    """The rules of one run: the driver's and its extensions'."""

    def __init__(self, run: Node) -> None:
        """Index the rules of `run`."""
        self._driver = run.get("tool", "driver")
        self._extensions = run.items("tool", "extensions")
        self._named: dict[tuple[str, str], Node] = {}
        for extension in self._extensions:
            for key in ("guid", "name"):
                value = extension.value.get(key) if isinstance(extension.value, dict) else None
                if isinstance(value, str) and value:
                    self._named.setdefault((key, clean_text(value)), extension)
        self._by_id: dict[str, Node] = {}
        self._by_guid: dict[str, Node] = {}
        self._tables: dict[int, list[Node]] = {}
        self._facts: dict[int, RuleFacts] = {}
        self._plain: dict[tuple[str, int | None], Node] = {}
        for component in (self._driver, *self._extensions):
            for rule in self._rules(component):
                if isinstance(rule.value, dict) and isinstance(rule.value.get("id"), str):
                    self._by_id.setdefault(rule.text("id"), rule)
                    if isinstance(rule.value.get("guid"), str):
                        self._by_guid.setdefault(rule.text("guid"), rule)

    def of(self, result: Node) -> Node:
        """The rule of `result`: by guid, index, id, or the id's parent (3.27.5, 3.52).

        A rule that cannot be found, and a result too broken to name one, give an empty node.
        """
        try:
            key = _plain_reference(result)
            if key is None:
                return self._find(result)
            if key not in self._plain:
                self._plain[key] = self._find(result)
            return self._plain[key]
        except Broken:
            return Node(None, f"{self._driver.pointer}/rules")

    def facts(self, rule: Node) -> RuleFacts:
        """What all results of `rule` share."""
        key = id(rule.value)  # the report outlives us, and so do its values
        if key not in self._facts:
            self._facts[key] = RuleFacts(rule)
        return self._facts[key]

    def _find(self, result: Node) -> Node:
        reference = result.get("rule")
        if reference.text("guid") in self._by_guid:
            return self._by_guid[reference.text("guid")]
        index = result.integer("ruleIndex")
        index = reference.integer("index") if index is None else index
        rule_id = result.text("ruleId") or reference.text("id")
        table = self._rules(self._component(reference.get("toolComponent")))
        if index is not None and 0 <= index < len(table):
            rule = table[index]
            own = rule.text("id")
            if not rule_id or rule_id == own or rule_id.startswith(f"{own}/"):
                return rule
        for _ in range(_MAX_LEVELS):
            if rule_id in self._by_id:
                return self._by_id[rule_id]
            rule_id = rule_id.rpartition("/")[0]
        return Node(None, f"{self._driver.pointer}/rules")

    def _component(self, reference: Node) -> Node:
        index = reference.integer("index")
        if index is not None and 0 <= index < len(self._extensions):
            return self._extensions[index]
        by_guid = self._named.get(("guid", reference.text("guid")))
        return by_guid or self._named.get(("name", reference.text("name")), self._driver)

    def _rules(self, component: Node) -> list[Node]:
        key = id(component.value)
        if key not in self._tables:
            self._tables[key] = component.items("rules")
        return self._tables[key]


def _plain_reference(result: Node) -> tuple[str, int | None] | None:
    """Id and index by which nearly every result names its rule; None for any other way."""
    held = result.value
    if not isinstance(held, dict):
        return None
    reference = held.get("rule", {})
    if not isinstance(reference, dict) or not reference.keys() <= {"id", "index"}:
        return None
    name, index = held.get("ruleId"), held.get("ruleIndex")
    name = reference.get("id", "") if name is None else name
    index = reference.get("index") if index is None else index
    plain = type(name) is str and (index is None or type(index) is int)
    return (name, index) if plain else None  # type: ignore[return-value]


def security_severity(holder: Node) -> float | None:
    """GitHub's number; some producers put a word there, which says no more than the level."""
    try:
        return valid_score(holder.number("properties", "security-severity"))
    except Broken:
        return None


def message_of(run: Node, rule: Node, facts: RuleFacts, result: Node) -> str:
    """The result's message, looked up by id and filled with its arguments (3.11).

    Falls back on the rule's description, for producers that leave the message out.
    """
    message = result.get("message")
    text = message.text("text") or message.text("markdown")
    if not text and message.text("id"):
        wanted = message.text("id")
        for strings in chain((rule.get("messageStrings"),), _shared_strings(run)):
            if text:
                break
            text = strings.text(wanted, "text") or strings.text(wanted, "markdown")
    text = text or facts.description
    return without_links(_fill(clipped(text), message.texts("arguments"))).strip()


def _shared_strings(run: Node) -> Iterator[Node]:
    """`globalMessageStrings` of the driver, then of its first extensions (3.19.22)."""
    yield run.get("tool", "driver", "globalMessageStrings")
    for index in range(_MOST_EXTENSIONS):
        extension = run.item(index, "tool", "extensions")
        if extension is None:
            return
        yield extension.get("globalMessageStrings")


def without_links(text: str) -> str:
    """`text` with `[words](1)`, a link to a related location (3.11.6), as plain words."""
    if "](" not in text:
        return text
    return _LINK.sub(lambda found: _ESCAPED.sub(r"\1", found[1]), text)


def _fill(text: str, arguments: tuple[str, ...]) -> str:
    """Left as it is when it would grow too long: one argument fits into many placeholders."""
    if not arguments:
        return text

    def replace(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        number = int(found[1])
        return arguments[number] if number < len(arguments) else found[0]

    growth = sum(len(replace(found)) for found in _PLACEHOLDER.finditer(text))
    return text if growth > LONGEST_SHARED_TEXT else _PLACEHOLDER.sub(replace, text)


def fingerprints_of(result: Node) -> tuple[str, ...]:
    """`name=value` of the result's own `fingerprints` and `partialFingerprints` (3.27.16 and 17).

    What is no text and values longer than any hash are left out.
    """
    groups = (result.get("fingerprints"), result.get("partialFingerprints"))
    named = ((name, value.value) for group in groups for name, value in group.entries())
    known = {f"{name}={clean_text(value)}" for name, value in named if isinstance(value, str)}
    return tuple(sorted(print_ for print_ in known if len(print_) <= _LONGEST_PRINT))


def slug_of(driver: str) -> str:
    """A scanner's slug from its SARIF name: `My Linter` -> `my-linter`."""
    return re.sub(r"[^a-z0-9]+", "-", driver.lower()).strip("-") or "unknown"
