"""A relative WORKDIR -> an absolute one."""

import posixpath
from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.base_image import base_image
from secai_lib.fixes.dockerfile import Dockerfile, Stage, in_dockerfiles, read_dockerfile
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal
from secai_lib.fixes.rule import Abstain, FixRule, Weakening

KIND = "dockerfile-workdir"
TITLE = "Make WORKDIR absolute"
EXPLANATION = (
    "A relative `WORKDIR` depends on what the base image set. The absolute path is the one the "
    "build arrives at today, so that a new base image cannot move the files."
)


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that writes every WORKDIR as an absolute path."""
    dockerfile = read_dockerfile(place_of(finding, files))
    edits: list[Edit] = []
    for stage in dockerfile.stages:
        edits += _absolute(dockerfile, stage)
    return (proposal(KIND, TITLE, EXPLANATION, edits),)


def _absolute(dockerfile: Dockerfile, stage: Stage) -> list[Edit]:
    edits = []
    current = ""
    for workdir in stage.of("WORKDIR"):
        path = workdir.value.strip("\"'")
        if path.startswith(("/", "$")) or path[1:2] == ":":
            current = path
            continue
        if not current:
            current = base_image(dockerfile).workdir if stage == dockerfile.stages[-1] else ""
        if not current.startswith("/"):
            raise Abstain(
                "unknown_workdir",
                f"The folder below the WORKDIR on line {workdir.first} is set by the base image; "
                "write the whole path.",
            )
        current = posixpath.normpath(posixpath.join(current, path))
        edits.append(
            dockerfile.place.edit(
                workdir.value_start, workdir.value_start + len(workdir.value), current
            )
        )
    return edits


def _weaken(dockerfile: Dockerfile) -> Iterator[Weakening]:
    """Each absolute WORKDIR written from the folder above it."""
    for stage in dockerfile.stages:
        current = "/"
        for workdir in stage.of("WORKDIR"):
            path = workdir.value
            if path.startswith("/") and posixpath.commonpath([path, current]) == current != path:
                start = workdir.value_start
                edit = dockerfile.place.edit(
                    start, start + len(path), posixpath.relpath(path, current)
                )
                yield Weakening("checkov", "CKV_DOCKER_10", (edit,))
            current = path if path.startswith("/") else posixpath.join(current, path)


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={
        "checkov": ("CKV_DOCKER_10",),
        "hadolint": ("DL3000",),
        "trivy": ("DS009", "DS-0009", "AVD-DS-0009"),
    },
    propose=propose,
    weaken=in_dockerfiles(_weaken),
)
