"""An image without a health check -> one that asks whether its port answers."""

from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Proposal, SourceFiles
from secai_lib.fixes.base_image import BaseImage, Family, base_image
from secai_lib.fixes.dockerfile import (
    Dockerfile,
    Instruction,
    in_dockerfiles,
    ports,
    read_dockerfile,
    without,
)
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal
from secai_lib.fixes.rule import Abstain, FixRule, Weakening

KIND = "dockerfile-healthcheck"
TITLE = "Let the container runtime see whether the service answers"
EXPLANATION = (
    "Without a `HEALTHCHECK` a hung process counts as running. The check connects to the exposed "
    "port with a program that the base image brings; it does not ask for a page, because no page "
    "is known to exist.\n\n"
    "Watch for: a service that takes longer than 30 s to start needs a larger `--start-period`; "
    "a real health page, where there is one, says more than an open port."
)


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that adds a check; raises `Abstain` without one exposed port or a client."""
    dockerfile = read_dockerfile(place_of(finding, files))
    expose, port = _port(dockerfile)
    command = _command(base_image(dockerfile), port)
    place = dockerfile.place
    at = place.line_end(expose.end)
    lead = "" if place.text[:at].endswith("\n") else place.newline
    written = (
        f"{lead}HEALTHCHECK --interval=30s --timeout=3s --start-period=30s --retries=3 \\"
        f"{place.newline}    CMD {command}{place.newline}"
    )
    title = f"Add a HEALTHCHECK that connects to port {port}"
    return (proposal(KIND, title, EXPLANATION, [place.edit(at, at, written)]),)


def _port(dockerfile: Dockerfile) -> tuple[Instruction, int]:
    found = ports(dockerfile, dockerfile.stages[-1])
    if not found:
        raise Abstain("no_port", "The final stage exposes no port that a check could connect to; "
                      "add a HEALTHCHECK that fits the program.")  # fmt: skip
    if len(found) > 1:
        raise Abstain("several_ports", "Several ports are exposed; choose the one that shows "
                      "health and add a HEALTHCHECK for it.")  # fmt: skip
    expose, word = found[0]
    number, _, protocol = word.partition("/")
    if not number.isdecimal() or protocol not in ("", "tcp"):
        raise Abstain("unknown_port", f"The exposed port {word} is no TCP port number.")
    return expose, int(number)


def _command(image: BaseImage, port: int) -> str:
    """The exec form of a command that ends with 0 when something listens on `port`."""
    if image.runtime == "python":
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2).close()"
        return f'["python", "-c", "{code}"]'
    if image.runtime == "node":
        code = (
            f"require('net').connect({port}, '127.0.0.1')"
            ".on('connect', () => process.exit(0)).on('error', () => process.exit(1))"
        )
        return f'["node", "-e", "{code}"]'
    if image.family is Family.ALPINE:
        return f'["nc", "-z", "127.0.0.1", "{port}"]'
    if image.family is Family.DEBIAN:
        return f'["bash", "-c", "</dev/tcp/127.0.0.1/{port}"]'
    raise Abstain(
        "no_client",
        f"The base image {image.name} brings no program that could ask the service; "
        "let the orchestrator probe it, or add a small client.",
    )


def _weaken(dockerfile: Dockerfile) -> Iterator[Weakening]:
    """The check forgotten."""
    for check in dockerfile.stages[-1].of("HEALTHCHECK"):
        yield Weakening("checkov", "CKV_DOCKER_2", (without(dockerfile, check),))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={
        "checkov": ("CKV_DOCKER_2",),
        "trivy": ("DS026", "DS-0026", "AVD-DS-0026"),
        "hadolint": ("DL3057",),
    },
    propose=propose,
    weaken=in_dockerfiles(_weaken),
)
