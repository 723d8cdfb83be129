"""apt -> apt-get."""

from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.dockerfile import Dockerfile, in_dockerfiles, read_dockerfile
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal
from secai_lib.fixes.rule import Abstain, FixRule, Weakening
from secai_lib.fixes.shell_words import all_commands

KIND = "dockerfile-apt"
TITLE = "Use apt-get instead of apt"
EXPLANATION = (
    "`apt` is made for people: its interface may change between releases and it warns about "
    "that itself. `apt-get` is the stable interface for scripts and takes the same subcommand."
)
_APT_GET = {"install", "update", "upgrade", "remove", "purge", "autoremove", "clean",
            "autoclean", "source", "build-dep", "download", "reinstall"}  # fmt: skip


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that calls apt-get; abstains for what only apt can do."""
    dockerfile = read_dockerfile(place_of(finding, files))
    edits = []
    for run, command in all_commands(dockerfile):
        if command.program != "apt":
            continue
        verb = next((t for t in command.texts() if not t.startswith("-")), "")
        if verb not in _APT_GET:
            raise Abstain(
                "no_equivalent", f"`apt {verb}` on line {run.first} has no equal in apt-get; "
                "use apt-cache or dpkg.",
            )  # fmt: skip
        edits.append(dockerfile.place.edit(command.name.end, command.name.end, "-get"))
    return (proposal(KIND, TITLE, EXPLANATION, edits),)


def _weaken(dockerfile: Dockerfile) -> Iterator[Weakening]:
    """The short name in each RUN, for every command and for the first one alone.

    Checkov sees it right behind RUN only.
    """
    found: dict[int, list[Edit]] = {}
    for run, command in all_commands(dockerfile):
        if command.name.text == "apt-get":
            edit = dockerfile.place.edit(command.name.start, command.name.end, "apt")
            found.setdefault(run.start, []).append(edit)
    for edits in found.values():
        yield Weakening("checkov", "CKV_DOCKER_9", tuple(edits))
        yield Weakening("checkov", "CKV_DOCKER_9", (edits[0],))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={"checkov": ("CKV_DOCKER_9",), "hadolint": ("DL3027",)},
    propose=propose,
    weaken=in_dockerfiles(_weaken),
)
