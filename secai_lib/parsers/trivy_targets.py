"""The scanned parts of a Trivy report, whichever of its three frames it has.

Version 1 (until 0.19) is the bare list of targets; version 2 an object with `Results`; a cluster's
report holds one list of `Results` for each of its resources.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node
from secai_lib.parsers.tally import Tally

CLUSTER_LISTS = frozenset({"Resources", "Findings", "Vulnerabilities", "Misconfigurations"})
"""Where the versions of `trivy k8s` keep the resources."""
_SYSTEM = re.compile(r"^([^\n]{1,500}) \([^()\n]{1,100}\)$")
"""`image (debian 12)`: a target that stands for the packages of an image's system."""


@dataclass(frozen=True)
class Target:
    """One element of `Results`: an image's packages, a lockfile, a configuration file."""

    node: Node
    """The element."""
    image: str = ""
    """The scanned image; empty when the target is no part of one."""
    resource: str = ""
    """`namespace/kind/name` of the cluster's resource it belongs to."""
    version: str = ""
    """Trivy's version, where the report says it."""

    @property
    def name(self) -> str:
        """Trivy's name of the target."""
        return self.node.text("Target")

    @property
    def system(self) -> bool:
        """Whether its packages are a distribution's; version 1 has no `Class` to say so."""
        kind = self.node.text("Class")
        return kind == "os-pkgs" or (not kind and bool(_SYSTEM.match(self.name)))


def targets_of(document: Document, tally: Tally) -> Iterator[Target]:
    """Every target; resources that Trivy could not scan are noted in `tally`."""
    root = document.root
    if isinstance(root.value, list):
        targets = root.items()
        image = _image_in(targets)
        yield from (Target(target, image) for target in targets)
    elif root.get("ClusterName").value is not None:
        yield from _cluster(root, tally)
    else:
        is_image = root.text("ArtifactType") in {"container_image", "image"}
        image = root.text("ArtifactName") if is_image else ""
        version = root.text("Trivy", "Version")
        yield from (Target(target, image, version=version) for target in root.items("Results"))


def _cluster(root: Node, tally: Tally) -> Iterator[Target]:
    for key in sorted(CLUSTER_LISTS):
        for resource in root.items(key):
            if resource.text("Error"):
                tally.note("trivy", resource, "trivy could not scan a resource of the cluster")
            results = resource.items("Results")
            names = (resource.text(part) for part in ("Namespace", "Kind", "Name"))
            name = "/".join(part for part in names if part)
            image = _image_in(results) or next(iter(resource.texts("Metadata", "RepoTags")), "")
            yield from (Target(target, image, name) for target in results)


def _image_in(targets: list[Node]) -> str:
    """The image's name, out of the target that stands for its system; empty without one."""
    for target in targets:
        found = _SYSTEM.match(target.text("Target"))
        if found:
            return found[1]
    return ""
