"""EXPOSE 22 -> not exposed."""

import re
from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Proposal, SourceFiles
from secai_lib.fixes.dockerfile import Dockerfile, in_dockerfiles, read_dockerfile, runs_ssh
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal
from secai_lib.fixes.rule import Abstain, FixRule, Weakening

KIND = "dockerfile-expose-ssh"
TITLE = "Do not expose the SSH port"
EXPLANATION = (
    "A published SSH port is a way into the container that bypasses the application and its "
    "logs. Nothing in this file starts an SSH server, so the port is removed; a shell is had "
    "with `docker exec` or `kubectl exec`.\n\n"
    "Watch for: `EXPOSE` is only a declaration; also look for `-p 22` where the image is run."
)
_SSH = ("22", "22/tcp")


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that takes port 22 away; raises `Abstain` when an SSH server runs."""
    dockerfile = read_dockerfile(place_of(finding, files))
    place = dockerfile.place
    if runs_ssh(dockerfile):
        raise Abstain(
            "ssh_server",
            "The image runs an SSH server; remove the server first (use docker exec or kubectl "
            "exec for a shell), then the port.",
        )
    edits = []
    for expose in (i for i in dockerfile.instructions if i.keyword == "EXPOSE"):
        ports = list(re.finditer(r"\S+", expose.value))
        unwanted = [port for port in ports if port[0] in _SSH]
        if not unwanted:
            continue
        if len(unwanted) == len(ports):
            start = place.line_start(expose.start)
            edits.append(place.edit(start, place.line_end(expose.end), ""))
            continue
        kept = " ".join(port[0] for port in ports if port[0] not in _SSH and port[0] != "\\")
        edits.append(place.edit(expose.value_start, expose.end, kept))
    return (proposal(KIND, "Do not expose port 22", EXPLANATION, edits),)


def _weaken(dockerfile: Dockerfile) -> Iterator[Weakening]:
    """Port 22 beside another one, and on a line of its own."""
    if runs_ssh(dockerfile):
        return
    place = dockerfile.place
    for expose in (i for i in dockerfile.instructions if i.keyword == "EXPOSE"):
        at, line = expose.value_start, place.line_start(expose.start)
        for edit in (
            place.edit(at, at, "22 "),
            place.edit(expose.end, expose.end, " 22/tcp"),
            place.edit(line, line, f"EXPOSE 22{place.newline}"),
        ):
            yield Weakening("checkov", "CKV_DOCKER_1", (edit,))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={
        "checkov": ("CKV_DOCKER_1",),
        "trivy": ("DS004", "DS-0004", "AVD-DS-0004"),
    },
    propose=propose,
    weaken=in_dockerfiles(_weaken),
)
