"""An image that runs as root -> a user of its own for the final stage."""

import re
from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.base_image import BaseImage, Family, base_image
from secai_lib.fixes.dockerfile import (
    Dockerfile,
    Instruction,
    in_dockerfiles,
    insertion_before,
    ports,
    read_dockerfile,
    without,
)
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal
from secai_lib.fixes.rule import Abstain, FixRule, Weakening
from secai_lib.fixes.shell_words import commands_of

KIND = "dockerfile-user"
TITLE = "Run the container as an unprivileged user"
EXPLANATION = (
    "Without a `USER` the process in the container is root, so that a break-in through the "
    "application owns everything in the container and is one kernel bug away from the host. "
    "The final stage now switches to an unprivileged user before the program starts.\n\n"
    "Watch for: folders the program writes to must belong to that user "
    "(`COPY --chown=...` or `RUN chown`)."
)
_CREATE = {
    Family.ALPINE: "RUN addgroup -S app && adduser -S -G app app",
    Family.DEBIAN: "RUN groupadd --system app && useradd --system --gid app --create-home app",
    Family.REDHAT: "RUN groupadd --system app && useradd --system --gid app --create-home app",
}
_ROOT = ("root", "0")
_USER_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,31}\Z")
_NEEDS_ROOT = ("sshd", "cron", "crond", "supervisord", "systemd", "dockerd", "nginx", "apache2")


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that adds a user; raises `Abstain` when the program may need root."""
    dockerfile = read_dockerfile(place_of(finding, files))
    chain = dockerfile.base_chain()
    _refuse_what_needs_root(dockerfile)
    lines = _user_lines(dockerfile)
    at = _where(dockerfile)
    newline = dockerfile.place.newline
    edits = [_insertion(dockerfile, at, lines, newline)]
    title = f"Run the final stage as {lines[-1].removeprefix('USER ')}"
    if len(chain) > 1:
        title += " instead of root"
    return (proposal(KIND, title, EXPLANATION, edits),)


def _user_lines(dockerfile: Dockerfile) -> list[str]:
    """The instructions to insert."""
    names = [
        user
        for stage in dockerfile.base_chain()
        for instruction in reversed(stage.of("USER"))
        if (user := instruction.value.strip()).split(":")[0] not in _ROOT
    ]
    if names:
        if "$" in names[0]:
            raise Abstain("unknown_user", "The image's user is a build argument.")
        return [f"USER {names[0]}"]
    created = _created_user(dockerfile)
    if created:
        return [f"USER {created}"]
    image = base_image(dockerfile)
    if image.user:
        return [f"USER {image.user}"]
    if image.family is Family.SCRATCH:
        return ["USER 65532:65532"]
    return [_creation(image), "USER app"]


def _creation(image: BaseImage) -> str:
    command = _CREATE.get(image.family)
    if command is None:
        raise Abstain("unknown_base_image", f"{image.name} has no known way to add a user.")
    return command


def _created_user(dockerfile: Dockerfile) -> str:
    """The one user that the final stage's own commands create; empty for none."""
    created: list[str] = []
    for stage in dockerfile.base_chain():
        for run in stage.of("RUN"):
            commands = commands_of(dockerfile, run)
            if commands is None:
                if "useradd" in run.value or "adduser" in run.value:
                    raise Abstain("unknown_user", "The commands that add users are too involved.")
                continue
            for command in commands:
                if command.program in ("useradd", "adduser") and command.arguments:
                    created.append(command.texts()[-1])
                elif command.program in ("groupadd", "addgroup") and "app" in command.texts():
                    created.append("")
    if not any(created):
        if created:
            raise Abstain("unknown_user", "A group named app exists already.")
        return ""
    names = sorted({name for name in created if name})
    if len(names) > 1 or not _USER_NAME.match(names[0]):
        raise Abstain(
            "unknown_user",
            "The file adds several users; put USER with the right one before the start command.",
        )
    return names[0]


def _refuse_what_needs_root(dockerfile: Dockerfile) -> None:
    for stage in dockerfile.base_chain():
        for _, port in ports(dockerfile, stage):
            number = port.split("/")[0].split("-")[0]
            if not number.isdecimal():
                raise Abstain("unknown_port", "An exposed port is a variable.")
            if int(number) < 1024:
                raise Abstain(
                    "privileged_port",
                    f"Port {number} is exposed and an unprivileged user may not be able to "
                    "listen there; let the program use a port above 1023, then add USER.",
                )
        if stage.of("VOLUME"):
            raise Abstain(
                "volume", "The image declares a volume whose files would still belong to root; "
                "give the folder to the new user with chown and add USER by hand.",
            )  # fmt: skip
        for start in stage.of("CMD", "ENTRYPOINT"):
            for word in re.split(r"[\s\"',\[\]/]+", start.value):
                if word in _NEEDS_ROOT:
                    raise Abstain("needs_root", f"{word} starts as root and drops rights itself.")


def _where(dockerfile: Dockerfile) -> Instruction | None:
    """The start command before which the user is switched; None for the end of the file."""
    stage = dockerfile.stages[-1]
    builds = stage.of("RUN", "COPY", "ADD", "WORKDIR", "USER")
    last = builds[-1].start if builds else -1
    starts = stage.of("CMD", "ENTRYPOINT")
    # A start command above the last build step must not decide who runs that step.
    return next((i for i in starts if i.start > last), None)


def _insertion(
    dockerfile: Dockerfile, at: Instruction | None, lines: list[str], newline: str
) -> Edit:
    place = dockerfile.place
    written = "".join(line + newline for line in lines)
    if at is not None:
        position = insertion_before(place, at)
        return place.edit(position, position, written)
    end = len(place.text)
    lead = "" if place.text.endswith("\n") else newline
    return place.edit(end, end, lead + written)


def _weaken(dockerfile: Dockerfile) -> Iterator[Weakening]:
    """The last USER forgotten, or back to root."""
    users = dockerfile.stages[-1].of("USER")
    if not users or users[-1].value.split(":")[0] in _ROOT:
        return
    last = users[-1]
    start = last.value_start
    yield Weakening("checkov", "CKV_DOCKER_3", (without(dockerfile, last),))
    edit = dockerfile.place.edit(start, start + len(last.value), "root")
    yield Weakening("checkov", "CKV_DOCKER_8", (edit,))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={
        "checkov": ("CKV_DOCKER_3", "CKV_DOCKER_8"),
        "trivy": ("DS002", "DS-0002", "AVD-DS-0002"),
        "hadolint": ("DL3002",),
        "semgrep": ("dockerfile.security.missing-user*", "dockerfile.security.last-user-is-root*"),
    },
    propose=propose,
    weaken=in_dockerfiles(_weaken),
)
