"""What Grype says in its own way in SARIF: the lines of each rule's help hold the match."""

from secai_lib.core.finding import ArchiveLocation, ImageLocation, Location, Package, Result
from secai_lib.parsers import ecosystems, severity
from secai_lib.parsers.base import SarifItem, revised
from secai_lib.parsers.grype_places import OS_TYPES
from secai_lib.parsers.node import labels

_IN_IMAGE = "installed in the container"
_FIRST_WORD = "Vulnerability "
_OLD_RULE = "ANCHOREVULN_"


def adapt_grype(draft: Result, item: SarifItem) -> Result:
    """`draft` with advisory, package, place and severity word as Grype's JSON has them."""
    text = item.rule.text("help", "text")
    fields = labels(text)
    name = fields.get("Package", "")
    if not text.startswith(_FIRST_WORD) or not name:
        return draft
    identifier = text.splitlines()[0].removeprefix(_FIRST_WORD).strip()
    kind, fixed = fields.get("Type", ""), fields.get("Fix Version", "")
    word, origin = severity.by_word(fields.get("Severity", ""))
    changes: dict[str, object] = {
        "rule_id": identifier,
        "title": f"{identifier} in {name}",
        "message": item.rule.text("fullDescription", "text", default=draft.message),
        "advisories": tuple(sorted({identifier, *draft.advisories})),
        "package": Package(
            ecosystem=ecosystems.of_type(kind) or _distribution(fields),
            name=name,
            version=fields.get("Version", ""),
            fixed_versions=tuple(v.strip() for v in fixed.split(",") if v.strip()),
        ),
        "locations": (_place(draft, item, kind, fields),),
        "resource": "",
    }
    if origin == "tool":
        changes |= {"severity": word, "severity_origin": origin}
    if draft.rule_id.startswith(_OLD_RULE):
        # The versions with these rule names marked every result as suppressed.
        changes["suppressed"] = False
    return revised(draft, **changes)


def _distribution(fields: dict[str, str]) -> str:
    """`debian:distro:debian:12` names the distribution first."""
    return ecosystems.of_type(fields.get("Data Namespace", "").partition(":")[0])


def _place(draft: Result, item: SarifItem, kind: str, fields: dict[str, str]) -> Location:
    path = fields.get("Location", "")
    image = _image(item)
    if kind in OS_TYPES:
        release = " ".join(fields.get("Data Namespace", "").split(":")[2:])
        system = release or "system packages"
        target = f"{image} ({system})" if image else system
        return ImageLocation(image=image or system, target=target)
    if image or _IN_IMAGE in draft.message:
        return ArchiveLocation(archive=path.lstrip("/"), image=image)
    if draft.path is None:
        return draft.location
    if ecosystems.is_archive(draft.path):
        return ArchiveLocation(archive=draft.path)
    return item.document.paths.lockfile(draft.path)


def _image(item: SarifItem) -> str:
    """The image's name out of `name@sha256:...:/path`, a logical location of image scans."""
    for location in item.result.items("locations"):
        for logical in location.items("logicalLocations"):
            name, at, _ = logical.text("fullyQualifiedName").partition("@")
            if at:
                return name
    return ""
