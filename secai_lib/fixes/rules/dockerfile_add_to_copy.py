"""ADD of local files -> COPY."""

from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Proposal, SourceFiles
from secai_lib.fixes.dockerfile import Dockerfile, Instruction, in_dockerfiles, read_dockerfile
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal
from secai_lib.fixes.rule import Abstain, FixRule, Weakening

KIND = "dockerfile-add-to-copy"
TITLE = "Use COPY for local files"
EXPLANATION = (
    "`ADD` also downloads URLs and unpacks archives, so that a changed source can put files into "
    "the image that nobody reviewed. `COPY` does nothing but copy; for these local paths the "
    "result is the same.\n\n"
    "Watch for: a file that is an archive without an archive's name is unpacked by `ADD` and "
    "not by `COPY`."
)
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz",
             ".tar.zst", ".gz", ".bz2", ".xz")  # fmt: skip
_REMOTE = ("http://", "https://", "ftp://", "git@", "git://", "ssh://")
_ONLY_ADD = ("--checksum", "--keep-git-dir", "--unpack")


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that replaces every ADD; raises `Abstain` when one needs to be ADD."""
    dockerfile = read_dockerfile(place_of(finding, files))
    edits = []
    for add in (i for i in dockerfile.instructions if i.keyword == "ADD"):
        _refuse_special(dockerfile, add)
        written = "COPY" if dockerfile.place.text[add.start].isupper() else "copy"
        edits.append(dockerfile.place.edit(add.start, add.start + 3, written))
    return (proposal(KIND, "Use COPY instead of ADD for local files", EXPLANATION, edits),)


def _refuse_special(dockerfile: Dockerfile, add: Instruction) -> None:
    where = f"The ADD on line {add.first}"
    words = add.value.replace("\\\n", " ").split()
    if add.value.lstrip("-").startswith("[") or "[" in words[0] or "<<" in add.value:
        raise Abstain("syntax", f"{where} is written as a list or here-document.")
    sources = [word for word in words if not word.startswith("--")][:-1]
    if any(word.startswith(_ONLY_ADD) for word in words):
        raise Abstain("add_needed", f"{where} uses an option that COPY does not have.")
    for source in sources:
        bare = source.strip("\"'").lower()
        if bare.startswith(_REMOTE) or bare.endswith(".git"):
            raise Abstain(
                "add_needed",
                f"{where} downloads; fetch it in a RUN that checks its SHA-256 instead.",
            )
        if bare.endswith(_ARCHIVES):
            raise Abstain("add_needed", f"{where} unpacks an archive, which COPY does not.")
        if "$" in bare or bare.endswith("*"):
            raise Abstain("unclear_source", f"{where} may name an archive; check it by hand.")


def _weaken(dockerfile: Dockerfile) -> Iterator[Weakening]:
    """Each COPY of local files as ADD."""
    for copy in (i for i in dockerfile.instructions if i.keyword == "COPY"):
        try:
            _refuse_special(dockerfile, copy)
        except Abstain:
            continue
        if not copy.value.startswith("--from"):
            edit = dockerfile.place.edit(copy.start, copy.start + len("COPY"), "ADD")
            yield Weakening("checkov", "CKV_DOCKER_4", (edit,))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={
        "checkov": ("CKV_DOCKER_4",),
        "trivy": ("DS005", "DS-0005", "AVD-DS-0005"),
        "hadolint": ("DL3020",),
    },
    propose=propose,
    weaken=in_dockerfiles(_weaken),
)
