"""Switched-off signature checks of package managers in a Dockerfile -> switched on again."""

from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.dockerfile import Dockerfile, in_dockerfiles, read_dockerfile
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import Place, place_of, proposal
from secai_lib.fixes.rule import FixRule, Weakening
from secai_lib.fixes.shell_edits import Flags, command_edits, remove_words, without_flags
from secai_lib.fixes.shell_words import Command, all_commands

KIND = "dockerfile-package-signatures"
TITLE = "Verify package signatures in the image build"
EXPLANATION = (
    "The package manager verifies who signed a package; the removed option made it install "
    "anything.\n\n"
    "Watch for: a private repository now needs its key installed in the image."
)

_SIGNATURE_FLAGS = {
    "CKV2_DOCKER_7": Flags(("apk",), ("--allow-untrusted",)),
    "CKV2_DOCKER_8": Flags(("apt-get",), ("--allow-unauthenticated",)),
    "CKV2_DOCKER_9": Flags(("yum", "dnf", "tdnf"), ("--nogpgcheck",)),
    "CKV2_DOCKER_10": Flags(
        ("rpm",), ("--nodigest", "--nosignature", "--noverify", "--nofiledigest")
    ),
}


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that verifies package signatures again; abstains for local packages."""
    rule = finding.result.rule_id
    dockerfile = read_dockerfile(place_of(finding, files))
    edit = _force_yes if rule == "CKV2_DOCKER_11" else without_flags(_SIGNATURE_FLAGS[rule])
    edits = command_edits(dockerfile, edit, local_packages=False)
    return (proposal(KIND, TITLE, EXPLANATION, edits),)


def _force_yes(place: Place, command: Command) -> list[Edit]:
    if command.program != "apt-get":
        return []
    texts = command.texts()
    confirmed = any(
        t in ("--yes", "--assume-yes") or (t[:1] == "-" and t[1:2] != "-" and "y" in t)
        for t in texts
    )
    found = []
    for word in command.arguments:
        if word.plain == "--force-yes" and confirmed:
            found.append(remove_words(place, word, word))
        elif word.plain == "--force-yes":
            found.append(place.edit(word.start, word.end, "--yes"))
    return found


_OFF = {
    "apk": ("add", "CKV2_DOCKER_7", " --allow-untrusted"),
    "apt-get": ("install", "CKV2_DOCKER_8", " --allow-unauthenticated"),
    "dnf": ("install", "CKV2_DOCKER_9", " --nogpgcheck"),
}
"""Program -> the subcommand that takes the option, the rule, the option."""


def _weaken(dockerfile: Dockerfile) -> Iterator[Weakening]:
    """The option at each command that installs packages."""
    for _, command in all_commands(dockerfile):
        verb, rule, option = _OFF.get(command.program, ("", "", ""))
        for word in command.arguments:
            if verb and word.text == verb:
                edit = dockerfile.place.edit(word.end, word.end, option)
                yield Weakening("checkov", rule, (edit,))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={"checkov": ("CKV2_DOCKER_11", *_SIGNATURE_FLAGS)},
    propose=propose,
    weaken=in_dockerfiles(_weaken),
)
