"""MAINTAINER -> a label."""

import json
import re
from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Proposal, SourceFiles
from secai_lib.fixes.dockerfile import Dockerfile, in_dockerfiles, read_dockerfile
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal
from secai_lib.fixes.rule import Abstain, FixRule, Weakening

KIND = "dockerfile-maintainer"
TITLE = "Use a label for the maintainer"
EXPLANATION = "`MAINTAINER` is deprecated; a label holds the same text and tools can read it."


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that turns MAINTAINER into a label."""
    dockerfile = read_dockerfile(place_of(finding, files))
    edits = []
    for old in (i for i in dockerfile.instructions if i.keyword == "MAINTAINER"):
        value = old.value.strip("\"'")
        if not value or "$" in value:
            raise Abstain("involved", f"The MAINTAINER on line {old.first} holds a variable.")
        written = f"LABEL maintainer={json.dumps(value, ensure_ascii=False)}"
        edits.append(dockerfile.place.edit(old.start, old.end, written))
    return (proposal(KIND, TITLE, EXPLANATION, edits),)


_LABEL = re.compile(r'maintainer="([^"\\$]+)"\Z')


def _weaken(dockerfile: Dockerfile) -> Iterator[Weakening]:
    """The label as the old instruction."""
    for label in (i for i in dockerfile.instructions if i.keyword == "LABEL"):
        if said := _LABEL.match(label.value):
            edit = dockerfile.place.edit(label.start, label.end, f"MAINTAINER {said[1]}")
            yield Weakening("checkov", "CKV_DOCKER_6", (edit,))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={
        "checkov": ("CKV_DOCKER_6",),
        "hadolint": ("DL4000",),
        "trivy": ("DS022", "DS-0022", "AVD-DS-0022"),
    },
    propose=propose,
    weaken=in_dockerfiles(_weaken),
)
