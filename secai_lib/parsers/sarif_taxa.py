"""Taxa (weaknesses, categories) and overridden levels that SARIF rules and results point at."""

from secai_lib.parsers.node import Node


def taxon_of(run: Node, target: Node) -> str:
    """The id of the taxon that `target` (3.52) names, as `CWE-n` where the taxonomy is CWE.

    By its own id, else by position or guid in the taxonomy; taxonomies are named by name, guid or
    position (3.54).
    """
    taxonomy = _taxonomy(run, target.get("toolComponent"))
    name = target.text("toolComponent", "name") or taxonomy.text("name")
    taxon = target.scalar("id") or _listed(taxonomy, target)
    return f"CWE-{taxon.upper().removeprefix('CWE-')}" if taxon and name.lower() == "cwe" else taxon


def _taxonomy(run: Node, reference: Node) -> Node:
    taxonomies = run.items("taxonomies")
    for key in ("guid", "name"):
        wanted = reference.text(key)
        for taxonomy in taxonomies:
            if wanted and taxonomy.text(key) == wanted:
                return taxonomy
    index = reference.integer("index")
    return taxonomies[index] if index is not None and 0 <= index < len(taxonomies) else Node(None)


def _listed(taxonomy: Node, target: Node) -> str:
    taxa, index, guid = taxonomy.items("taxa"), target.integer("index"), target.text("guid")
    if index is not None and 0 <= index < len(taxa):
        return taxa[index].scalar("id")
    return next((t.scalar("id") for t in taxa if guid and t.text("guid") == guid), "")


def overridden_level(run: Node, rule: Node, result: Node) -> str:
    """The level that the result's invocation gave the rule (3.20.5, 3.51); empty when none."""
    number = result.integer("provenance", "invocationIndex")
    calls = run.items("invocations") if number is not None else []
    if number is None or not 0 <= number < len(calls):
        return ""
    for override in calls[number].items("ruleConfigurationOverrides"):
        if _means(override.get("descriptor"), rule):
            return override.text("configuration", "level")
    return ""


def _means(descriptor: Node, rule: Node) -> bool:
    """By id or guid; a bare index counts in the list that `rule` stands in."""
    for key in ("guid", "id"):
        if descriptor.text(key):
            return descriptor.text(key) == rule.text(key)
    index = descriptor.integer("index")
    return index is not None and rule.pointer.rpartition("/")[2] == str(index)
