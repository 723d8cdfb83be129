"""One problem told in Markdown: what evidence says, each fact with its source, then the reading.

Everything foreign is escaped; the model's words stand apart and are called the model's.
"""

from collections.abc import Iterable

from secai_lib.core.analysis import Analysis, Facts, Reading
from secai_lib.core.markdown import block, code, inline, table
from secai_lib.core.text import listed, spaced

LONG = 2000
"""Most characters of one explanation."""


def narrative(analysis: Analysis) -> str:
    """The Markdown page of `analysis`; inert whatever scanners and code hold."""
    facts, reading = analysis.facts, analysis.reading
    parts = [
        f"# {inline(facts.title)}",
        f"{_opening(facts)} Problem <code>{analysis.problem}</code>.",
        "## What evidence says",
        table(("Fact", "Value", "Source"), _facts(facts)),
        f"{inline(facts.message, LONG)} ({_scanners(facts)})" if facts.message else "",
        f"The code at {code(facts.place)}:\n\n{block(facts.code, _word(facts.language))}"
        if facts.code
        else "",
        f"> {inline(facts.help, LONG)} (the rule's own explanation)" if facts.help else "",
        "## What the model reads in it",
        _reading(reading, facts) if reading else f"No reading: {inline(analysis.reason)}",
        f"Read by {code(analysis.model, 400)} with {code(analysis.engine, 400)}"
        f"{_hints(analysis)}. The model was given the evidence above as data; its words are no "
        "evidence.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _opening(facts: Facts) -> str:
    place = f" at {code(facts.place)}" if facts.place else ""
    return (
        f"**{facts.severity.value.capitalize()}** problem of category {facts.category.value}"
        f"{place}, reported by {_scanners(facts)}."
    )


def _facts(facts: Facts) -> list[tuple[str, str, str]]:
    seen = f"({_scanners(facts)})"
    place = f"({code(facts.place)})" if facts.place else seen
    rows = [
        ("Severity", facts.severity.value, seen),
        ("Rules", _codes(facts.rules), seen),
        ("Weakness", _codes(facts.cwes), seen),
        ("Advisories", _codes(facts.advisories), seen),
        ("Package", code(facts.package) if facts.package else "", seen),
        ("Installed version", code(facts.version) if facts.version else "", seen),
        ("Fixed in", _codes(facts.fixed_versions), seen),
        ("Place", code(facts.place) if facts.place else "", seen),
        ("Inside", code(facts.function) if facts.function else "", place),
        ("Handler", code(facts.endpoint) if facts.endpoint else "", place),
    ]
    return [row for row in rows if row[1]]


def _reading(reading: Reading, facts: Facts) -> str:
    agrees = "the same as" if reading.severity is facts.severity else "against"
    said = [
        ("Kind", spaced(reading.classification)),
        (
            "Severity",
            f"{reading.severity.value}, {agrees} {facts.severity.value} in the evidence",
        ),
        ("Cause", inline(reading.root_cause, LONG)),
        ("Impact", inline(reading.impact, LONG)),
        ("Attack", " ".join(inline(attack, LONG) for attack in reading.attack_vectors)),
        ("Business", inline(reading.business_impact, LONG)),
        ("Remedy", inline(reading.remediation, LONG)),
        ("Prevention", inline(reading.prevention, LONG)),
    ]
    return "\n".join(f"- {name} (model): {value}" for name, value in said)


def _hints(analysis: Analysis) -> str:
    if not analysis.passages:
        return ""
    shown, version = _codes(analysis.passages), code(analysis.knowledge)
    return f", shown the passages {shown} of the knowledge base {version}"


def _scanners(facts: Facts) -> str:
    return listed(inline(tool) for tool in facts.tools)


def _codes(values: Iterable[str]) -> str:
    return ", ".join(code(value) for value in values)


def _word(language: str) -> str:
    return language if language.isascii() and language.isalnum() else ""
