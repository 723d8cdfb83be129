"""Rules, messages and producers of a SARIF run."""

import re

from secai_lib.parsers.node import LONGEST_SHARED_TEXT, Broken, Node, clipped

_MAX_LEVELS = 20
"""Levels of a hierarchical rule id that are tried; the standard's own examples have two."""
_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{(\d{1,3})\}")


class Rules:
    """The rules of one run: the driver's and its extensions'."""

    def __init__(self, run: Node) -> None:
        """Index the rules of `run`."""
        self._driver = run.get("tool", "driver")
        self._extensions = run.items("tool", "extensions")
        self._by_id: dict[str, Node] = {}
        self._tables: dict[str, list[Node]] = {}
        for component in (self._driver, *self._extensions):
            for rule in self._rules(component):
                if isinstance(rule.value, dict) and isinstance(rule.value.get("id"), str):
                    self._by_id.setdefault(rule.text("id"), rule)

    def of(self, result: Node) -> Node:
        """The rule of `result`: by reference, index, id, or the id's parent (3.27.5, 3.52).

        A rule that cannot be found, and a result too broken to name one, give an empty node.
        """
        try:
            return self._find(result)
        except Broken:
            return Node(None, f"{self._driver.pointer}/rules")

    def _find(self, result: Node) -> Node:
        reference = result.get("rule")
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
        for key in ("guid", "name"):
            wanted = reference.text(key)
            for extension in self._extensions:
                if wanted and extension.text(key) == wanted:
                    return extension
        return self._driver

    def _rules(self, component: Node) -> list[Node]:
        if component.pointer not in self._tables:
            self._tables[component.pointer] = component.items("rules")
        return self._tables[component.pointer]


def message_of(run: Node, rule: Node, result: Node) -> str:
    """The result's message, looked up by id and filled with its arguments (3.11).

    Falls back on the rule's description, for producers that leave the message out.
    """
    message = result.get("message")
    text = message.text("text") or message.text("markdown")
    if not text and message.text("id"):
        wanted = message.text("id")
        shared = run.get("tool", "driver", "globalMessageStrings")
        for strings in (rule.get("messageStrings"), shared):
            text = text or strings.text(wanted, "text") or strings.text(wanted, "markdown")
    text = text or rule.text("fullDescription", "text") or rule.text("shortDescription", "text")
    return _fill(clipped(text), message.texts("arguments")).strip()


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


def slug_of(driver: str) -> str:
    """A scanner's slug from its SARIF name: `My Linter` -> `my-linter`."""
    return re.sub(r"[^a-z0-9]+", "-", driver.lower()).strip("-") or "unknown"
