"""sudo in a build that is root -> the command itself."""

from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Proposal, SourceFiles
from secai_lib.fixes.dockerfile import Dockerfile, Instruction, in_dockerfiles, read_dockerfile
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal
from secai_lib.fixes.rule import Abstain, FixRule, Weakening
from secai_lib.fixes.shell_words import all_commands

KIND = "dockerfile-sudo"
TITLE = "Do not use sudo in a build that is root"
EXPLANATION = (
    "The build already runs as root here, so `sudo` changes nothing but signals and environment "
    "variables in surprising ways, and leaves a program in the image that can raise rights."
)


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that drops sudo where the build is root anyway."""
    dockerfile = read_dockerfile(place_of(finding, files))
    touched = {run.start for run in dockerfile.touched("RUN")}
    edits = []
    for run, command in all_commands(dockerfile):
        if run.start not in touched or command.program != "sudo":
            continue
        if _user_at(dockerfile, run) not in ("root", "0", "0:0", "root:root"):
            raise Abstain("not_root", f"Line {run.first} runs as another user than root; move it "
                          "before USER instead of using sudo.")  # fmt: skip
        if not command.arguments or command.arguments[0].text.startswith("-"):
            raise Abstain("involved", f"sudo on line {run.first} has options.")
        edits.append(dockerfile.place.edit(command.name.start, command.arguments[0].start, ""))
    return (proposal(KIND, TITLE, EXPLANATION, edits),)


def _user_at(dockerfile: Dockerfile, run: Instruction) -> str:
    """The user that executes `run`: the last USER above it in its stage."""
    stage = next(s for s in dockerfile.stages if run in s.instructions)
    above = [u for u in stage.of("USER") if u.start < run.start]
    if above:
        return above[-1].value
    inherited = any(s.alias and s.alias == stage.image and s.of("USER") for s in dockerfile.stages)
    return "" if inherited else "root"


def _weaken(dockerfile: Dockerfile) -> Iterator[Weakening]:
    """`sudo` before each command of a build that is root."""
    for run, command in all_commands(dockerfile):
        if _user_at(dockerfile, run) == "root" and not command.assignments:
            start = command.name.start
            edit = dockerfile.place.edit(start, start, "sudo ")
            yield Weakening("checkov", "CKV2_DOCKER_1", (edit,))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={
        "checkov": ("CKV2_DOCKER_1",),
        "hadolint": ("DL3004",),
        "trivy": ("DS010", "DS-0010", "AVD-DS-0010"),
    },
    propose=propose,
    weaken=in_dockerfiles(_weaken),
)
