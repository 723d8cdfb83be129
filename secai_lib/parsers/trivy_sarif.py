"""What Trivy says in its own way in SARIF.

Its rule names tell the kind; the message's lines (`Package: ...`) carry the package; the run's
`imageName` tells an image from a checkout.
"""

from secai_lib.core.finding import (
    ArchiveLocation,
    ImageLocation,
    Location,
    NoLocation,
    Package,
    Result,
    SourceLocation,
)
from secai_lib.parsers import ecosystems, severity
from secai_lib.parsers.base import SarifItem, revised
from secai_lib.parsers.labels import labels
from secai_lib.parsers.node import Node

_OS_RULE = "OsPackageVulnerability"
_PACKAGE_RULES = {_OS_RULE, "LanguageSpecificPackageVulnerability", "Vulnerability"}


def adapt_trivy(draft: Result, item: SarifItem) -> Result:
    """`draft` with package, place, severity word and technologies as Trivy means them."""
    fields = labels(draft.message)
    kind = item.rule.text("name")
    word, origin = severity.by_word(fields.get("Severity", ""))
    changes: dict[str, object] = {"references": _links(draft, fields)}
    if origin == "tool":
        changes |= {"severity": word, "severity_origin": origin}
    if kind == "License":
        changes["technologies"] = ("licence",)
    if kind == "Secret":
        changes |= {"technologies": ("secrets",), "cwes": ("CWE-798",)}
    if kind == "Misconfiguration" and fields.get("Type"):
        changes["technologies"] = (fields["Type"].split()[0].lower(),)
    if kind in _PACKAGE_RULES and "Package" in fields:
        place, ecosystem = _place(draft, item, os_package=kind == _OS_RULE)
        fixed = tuple(v.strip() for v in fields.get("Fixed Version", "").split(",") if v.strip())
        changes["locations"] = (place,)
        changes["advisories"] = tuple(sorted({draft.rule_id, *draft.advisories}))
        changes["package"] = Package(
            ecosystem=ecosystem,
            name=fields["Package"],
            version=fields.get("Installed Version", ""),
            fixed_versions=fixed,
        )
    return revised(draft, **changes)


def _links(draft: Result, fields: dict[str, str]) -> tuple[str, ...]:
    _, _, link = fields.get("Link", "").partition("](")
    links = (*draft.references, link.rstrip(")"))
    return tuple(dict.fromkeys(u for u in links if u.startswith(("https://", "http://"))))


def _place(draft: Result, item: SarifItem, *, os_package: bool) -> tuple[Location, str]:
    image = item.run.text("properties", "imageName")
    path = _raw_path(item.result)
    if os_package:
        return ImageLocation(image=image or path, target=path), _distribution(item)
    ecosystem = ecosystems.of_file(path) or ("Maven" if ":" in _package(draft) else "")
    if image or ecosystems.is_archive(path):
        return ArchiveLocation(archive=path.lstrip("/"), image=image), ecosystem
    location = draft.location
    line = location.start_line if isinstance(location, SourceLocation) else None
    if isinstance(location, NoLocation):
        return location, ecosystem
    return item.document.paths.lockfile(path, line, uri=True), ecosystem


def _package(draft: Result) -> str:
    return labels(draft.message).get("Package", "")


def _raw_path(result: Node) -> str:
    for location in result.items("locations"):
        uri = location.text("physicalLocation", "artifactLocation", "uri")
        if uri:
            return uri
    return ""


def _distribution(item: SarifItem) -> str:
    """The image's distribution, by the marks in all its package versions; asked for once a run."""
    question = f"distribution of {item.run.pointer}"
    if question not in item.document.worked_out:
        versions = (
            labels(result.text("message", "text")).get("Installed Version", "")
            for result in item.run.items("results")
            if isinstance(result.value, dict) and isinstance(result.value.get("message"), dict)
        )
        item.document.worked_out[question] = ecosystems.of_os_versions(versions)
    return item.document.worked_out[question]
