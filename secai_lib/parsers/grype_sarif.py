"""What Grype says in its own way in SARIF.

A rule is a vulnerability of a package; the lines of its help tell fix, severity and data source.
Version and place are in the result's message, because several results may share a rule.
"""

from dataclasses import dataclass

from secai_lib.core.finding import ArchiveLocation, ImageLocation, Location, Package, Result
from secai_lib.parsers import ecosystems, severity
from secai_lib.parsers.base import SarifItem, revised
from secai_lib.parsers.grype_places import OS_TYPES
from secai_lib.parsers.labels import labels

_FIRST_WORD = "Vulnerability "
_OLD_RULE = "ANCHOREVULN_"


def adapt_grype(draft: Result, item: SarifItem) -> Result:
    """`draft` with advisory, package, place and severity word as Grype's JSON has them."""
    text = item.rule.text("help", "text")
    match = _new(draft.message) or _old(draft.message)
    if match is None or not text.startswith(_FIRST_WORD):
        return draft
    fields = labels(text)
    identifier = text.splitlines()[0].removeprefix(_FIRST_WORD).strip()
    purl = next(iter(item.rule.texts("properties", "purls")), "")
    ecosystem, name = ecosystems.of_purl(purl)
    # `debian:distro:debian:12`, once `debian:12`: the distribution stands first, its release last.
    release = fields.get("Data Namespace", "").split(":")
    word, origin = severity.by_word(fields.get("Severity", ""))
    fixed = fields.get("Fix Version", "").split(",")
    changes: dict[str, object] = {
        "rule_id": identifier,
        "title": f"{identifier} in {name or match.name}",
        "message": item.rule.text("fullDescription", "text", default=draft.message),
        "advisories": tuple(sorted({identifier, *draft.advisories})),
        "package": Package(
            ecosystem=ecosystem or ecosystems.of_type(match.kind) or ecosystems.of_type(release[0]),
            name=name or match.name,
            version=match.version,
            fixed_versions=tuple(v.strip() for v in fixed if v.strip()),
        ),
        "locations": (_place(draft, item, match, " ".join(release[-2:])),),
        "resource": "",
    }
    if origin == "tool":
        changes |= {"severity": word, "severity_origin": origin}
    if draft.rule_id.startswith(_OLD_RULE):
        # The versions with these rule names marked every result as suppressed.
        changes["suppressed"] = False
    return revised(draft, **changes)


@dataclass(frozen=True)
class _Match:
    """What a result's message says."""

    kind: str
    name: str
    version: str
    path: str
    in_image: bool
    image: str = ""


def _new(message: str) -> _Match | None:
    """`A low vulnerability in deb package: NAME, version 1 was found in image IMAGE at: PATH`."""
    head, _, rest = message.partition(" package: ")
    name, _, rest = rest.partition(", version ")
    version, found, where = rest.partition(" was found ")
    if not found:
        return None
    before, _, path = where.rpartition("at: ")
    image = before.removeprefix("in image ").strip()
    return _Match(head.rpartition(" ")[2], name, version, path, bool(image), image)


def _old(message: str) -> _Match | None:
    """`The path PATH reports NAME at version 1  which is a vulnerable (deb) package installed ...`.

    It ends in `in the container` for an image.
    """
    path, _, rest = message.removeprefix("The path ").partition(" reports ")
    name, _, rest = rest.partition(" at version ")
    version, _, rest = rest.partition(" ")
    kind = rest.partition("(")[2].partition(")")[0]
    in_image = "in the container" in rest
    return _Match(kind, name, version, path, in_image) if kind and name else None


def _place(draft: Result, item: SarifItem, match: _Match, release: str) -> Location:
    image = match.image or (_image(item) if match.in_image else "")
    if match.kind in OS_TYPES:
        system = release or "system packages"
        target = f"{image} ({system})" if image else system
        return ImageLocation(image=image or system, target=target)
    if match.in_image:
        return ArchiveLocation(archive=match.path.lstrip("/"), image=image)
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
