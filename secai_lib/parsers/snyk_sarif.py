"""What Snyk says in its own way in SARIF."""

from secai_lib.core.finding import ImageLocation, Location, Package, Result
from secai_lib.parsers import ecosystems
from secai_lib.parsers.base import SarifItem, revised
from secai_lib.parsers.weakness import advisories_in

_OPEN_SOURCE, _CONTAINER = "snyk open source", "snyk container"
SYSTEMS = {"deb", "apk", "rpm", "linux"}
"""Snyk's project types of an image's operating system."""


def adapt_snyk(draft: Result, item: SarifItem) -> Result:
    """The package that the logical location names; Snyk Code and IaC need nothing.

    A container's results stand in the Dockerfile if Snyk was given one, else in the image.
    """
    driver = item.run.text("tool", "driver", "name").strip().lower()
    name, _, version = draft.resource.rpartition("@")
    if driver not in {_OPEN_SOURCE, _CONTAINER} or not name:
        return draft
    path = draft.path or ""
    lockfile = driver == _OPEN_SOURCE and path
    image = driver != _OPEN_SOURCE and path and "dockerfile" not in path.lower()
    tags = [tag.partition(":")[0] for tag in item.tags]
    known = next(filter(None, map(ecosystems.of_type, tags)), "")
    name = name.rpartition("/")[2] if not SYSTEMS.isdisjoint(tags) else name
    place: Location = draft.location
    if lockfile:
        place = item.document.paths.lockfile(path)
    elif image:
        place = ImageLocation(image=path)
    return revised(
        draft,
        package=Package(ecosystem=known or ecosystems.of_file(path), name=name, version=version),
        advisories=tuple(sorted({draft.rule_id, *draft.advisories, *_titled(item)})),
        locations=(place,),
    )


def _titled(item: SarifItem) -> tuple[str, ...]:
    """The CVE and GHSA ids that Snyk writes into the rule's help and description."""
    rule = item.rule
    return advisories_in(
        *(rule.text(part, "text") for part in ("shortDescription", "fullDescription")),
        *item.tags,
    )
