"""Taxa (weaknesses, categories) and overridden levels that the results of a SARIF run point at.

Indexed once a run, because a report may have as many of them as results. What is broken in a table
is as good as missing: a result that does not need it must not suffer.
"""

from functools import cached_property

from secai_lib.parsers.node import Node

_Key = tuple[str, str]
_NOTHING = Node(None)


class Pointed:
    """The version, the taxonomies and the configuration overrides of one run."""

    def __init__(self, run: Node) -> None:
        """Read nothing of `run` before it is asked for."""
        self._run = run

    @cached_property
    def version(self) -> str:
        """The version of the scanner."""
        driver = self._run.get("tool", "driver")
        return driver.text("version") or driver.text("semanticVersion")

    def taxon_id(self, target: Node) -> str:
        """The id of the taxon that `target` (3.52) names, as `CWE-n` where the taxonomy is CWE."""
        name = target.text("toolComponent", "name") or self._taxonomy(target).text("name")
        taxon = target.scalar("id") or self.taxon(target).scalar("id")
        if taxon and name.lower() == "cwe":
            return f"CWE-{taxon.upper().removeprefix('CWE-')}"
        return taxon

    def taxon(self, target: Node) -> Node:
        """The taxon itself, by guid or position (3.52.5); holds None when the run lists none."""
        taxonomy, guid = self._taxonomy(target), target.text("guid")
        if guid and (taxonomy.pointer, guid) in self._taxa:
            return self._taxa[taxonomy.pointer, guid]
        listed = taxonomy.item(target.integer("index"), "taxa")
        wanted = target.scalar("id")
        fits = listed is not None and wanted in {"", listed.scalar("id")}
        return listed if listed is not None and fits else _NOTHING

    def level(self, rule: Node, result: Node) -> str:
        """The level that the result's invocation gave its `rule` (3.20.5, 3.51); else empty."""
        number = result.integer("provenance", "invocationIndex")
        if number is None or not self._levels:
            return ""
        position = rule.pointer.rpartition("/")[2]
        for key in (("guid", rule.text("guid")), ("id", rule.text("id")), ("index", position)):
            if (number, key) in self._levels:
                return self._levels[number, key]
        return ""

    def _taxonomy(self, target: Node) -> Node:
        """By guid, name or position (3.54)."""
        reference = target.get("toolComponent")
        for key in ("guid", "name"):
            named = self._taxonomies.get((key, reference.text(key)))
            if named:
                return named
        return self._run.item(reference.integer("index"), "taxonomies") or _NOTHING

    @cached_property
    def _taxonomies(self) -> dict[_Key, Node]:
        found: dict[_Key, Node] = {}
        for taxonomy in _objects(self._run.get("taxonomies")):
            for key in ("guid", "name"):
                value = taxonomy.members().get(key)
                if isinstance(value, str) and value:
                    found.setdefault((key, value), taxonomy)
        return found

    @cached_property
    def _taxa(self) -> dict[_Key, Node]:
        """Pointer of the taxonomy and guid of the taxon -> the taxon."""
        found: dict[_Key, Node] = {}
        for taxonomy in _objects(self._run.get("taxonomies")):
            for taxon in _objects(taxonomy.get("taxa")):
                guid = taxon.members().get("guid")
                if isinstance(guid, str) and guid:
                    found.setdefault((taxonomy.pointer, guid), taxon)
        return found

    @cached_property
    def _levels(self) -> dict[tuple[int, _Key], str]:
        """Number of the invocation and what names the rule -> its level there."""
        found: dict[tuple[int, _Key], str] = {}
        for number, call in enumerate(_every(self._run.get("invocations"))):
            for override in _objects(call.get("ruleConfigurationOverrides")) if _is(call) else ():
                descriptor, settings = override.get("descriptor"), override.get("configuration")
                if _is(descriptor) and _is(settings):
                    level = settings.members().get("level")
                    key = _name_of(descriptor)
                    if key and isinstance(level, str) and level:
                        found.setdefault((number, key), level)
        return found


def _name_of(descriptor: Node) -> _Key | None:
    """A bare index counts in the list that the rule stands in."""
    members = descriptor.members()
    for key in ("guid", "id", "index"):
        value = members.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and value != "":
            return key, str(value)
    return None


def _every(table: Node) -> list[Node]:
    return table.items() if isinstance(table.value, list) else []


def _objects(table: Node) -> list[Node]:
    return [node for node in _every(table) if _is(node)]


def _is(node: Node) -> bool:
    return isinstance(node.value, dict)
