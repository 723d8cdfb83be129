"""Dependency-Check's XML report in the shape of its JSON report.

Schemas: `core/src/main/resources/schema` of https://github.com/dependency-check/DependencyCheck,
1.2 to 4.x. Versions before 5 of the program write `identifier` and `cvssScore`, later ones
`package` and `cvssV2`, `cvssV3`, `cvssV4`.
"""

from xml.etree.ElementTree import Element

from secai_lib.parsers.node import Json

_NAMESPACES = ("dependency-check", "owasp_dependency_check")
_CVSS = {"cvssV2": "cvssv2", "cvssV3": "cvssv3", "cvssV4": "cvssv4"}


def is_analysis(root: Element) -> bool:
    """Whether `root` opens a report of Dependency-Check, by its namespace."""
    namespace, _, name = root.tag.rpartition("}")
    return name == "analysis" and any(word in namespace.lower() for word in _NAMESPACES)


def report_of(root: Element) -> Json:
    """The report as the JSON report would spell it."""
    scan: Element = _one(root, "scanInfo")
    return {
        "scanInfo": {
            "engineVersion": _text(scan, "engineVersion"),
            "analysisExceptions": _exceptions(scan),
        },
        "dependencies": [_dependency(each) for each in _all(root, "dependencies", "dependency")],
    }


def _dependency(node: Element) -> Json:
    return {
        "fileName": _text(node, "fileName"),
        "filePath": _text(node, "filePath"),
        "packages": [_fields(each) for each in _all(node, "identifiers", "package")],
        "vulnerabilityIds": [
            _fields(each) for each in _all(node, "identifiers", "vulnerabilityIds")
        ],
        "identifiers": [
            {"type": each.get("type", ""), **_fields(each)}
            for each in _all(node, "identifiers", "identifier")
        ],
        "relatedDependencies": [
            _fields(each) for each in _all(node, "relatedDependencies", "relatedDependency")
        ],
        "vulnerabilities": [
            _problem(each) for each in _all(node, "vulnerabilities", "vulnerability")
        ],
        "suppressedVulnerabilities": [
            _problem(each) for each in _all(node, "vulnerabilities", "suppressedVulnerability")
        ],
        "analysisExceptions": _exceptions(node),
    }


def _problem(node: Element) -> Json:
    fields = _fields(node)
    for name, ours in _CVSS.items():
        for each in _children(node, name):
            fields[ours] = _fields(each)
    fields["cwes"] = [each.text or "" for each in _all(node, "cwes", "cwe")]
    fields["references"] = [_fields(each) for each in _all(node, "references", "reference")]
    return fields


def _exceptions(node: Element) -> list[Json]:
    return [_fields(each) for each in _all(node, "analysisExceptions", "exception")]


def _fields(node: Element) -> dict[str, Json]:
    """The children that hold text only, by their names."""
    return {_name(child): child.text or "" for child in node if not len(child)}


def _text(node: Element, name: str) -> str:
    return next((child.text or "" for child in _children(node, name)), "")


def _one(node: Element, name: str) -> Element:
    return next(iter(_children(node, name)), Element(name))


def _all(node: Element, group: str, name: str) -> list[Element]:
    """The `name` elements inside the `group` of `node`."""
    return [each for holder in _children(node, group) for each in _children(holder, name)]


def _children(node: Element, name: str) -> list[Element]:
    return [child for child in node if _name(child) == name]


def _name(node: Element) -> str:
    """The name without its namespace, which changes with every version of the schema."""
    return node.tag.rpartition("}")[2]
