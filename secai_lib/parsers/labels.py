"""Labelled lines, in which Trivy, Grype and gosec keep facts that SARIF has no place for."""

_LONGEST = 30
"""Characters of a label; a longer one is a sentence with a colon in it."""


def labels(text: str) -> dict[str, str]:
    """The `Package: x` lines of `text`, name -> value; the first of each name counts."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and len(name) < _LONGEST:
            fields.setdefault(name.strip(), value.strip())
    return fields
