"""A reader of SARIF fixes, written from the specification and not from our writer."""

from typing import Any
from urllib.parse import unquote


def offset(text: str, line: int, column: int) -> int:
    """Characters before `line`:`column`, columns in UTF-16 code units, the BOM not counted."""
    rest = text.removeprefix("\ufeff")
    lines = rest.split("\n")
    before = sum(len(entry) + 1 for entry in lines[: line - 1])
    units = "\n".join(lines[line - 1 :]).encode("utf-16-le")[: 2 * (column - 1)]
    return len(text) - len(rest) + before + len(units.decode("utf-16-le"))


def applied(fix: dict[str, Any], files: dict[str, str]) -> dict[str, str]:
    """The changed files after applying one SARIF fix object, by path."""
    changed = {}
    for change in fix["artifactChanges"]:
        path = unquote(change["artifactLocation"]["uri"])
        text, pieces, at = files[path], [], 0
        for replacement in change["replacements"]:
            region = replacement["deletedRegion"]
            start = offset(text, region["startLine"], region["startColumn"])
            end = offset(text, region["endLine"], region["endColumn"])
            assert at <= start <= end
            pieces += [text[at:start], replacement.get("insertedContent", {}).get("text", "")]
            at = end
        changed[path] = "".join([*pieces, text[at:]])
    return changed
