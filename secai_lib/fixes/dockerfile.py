"""The instructions and stages of a Dockerfile, with places."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tree_sitter import Node

from secai_lib.core.fix import Edit
from secai_lib.core.syntax import SourceTree, SyntaxRefused, language_of, parse
from secai_lib.fixes.place import Place, whole
from secai_lib.fixes.rule import Abstain, Weaken, Weakening

_SUFFIX = "_instruction"
_SSH_SERVER = re.compile(r"(?:^|[\s\"'/,\[])(?:sshd|openssh-server|dropbear)(?:[\s\"',\];]|$)")


@dataclass(frozen=True)
class Instruction:
    """One instruction."""

    keyword: str
    """`FROM`, `RUN`, ...; upper case."""
    node: Node
    """Its node."""
    start: int
    """First character."""
    end: int
    """Character after the last one, before the line end."""
    value_start: int
    """First character behind the keyword and its blanks."""
    value: str
    """The text behind the keyword."""
    first: int
    """First line, from 1."""
    last: int
    """Last line, inclusive."""


@dataclass(frozen=True)
class Stage:
    """A build stage."""

    image: str
    """The image or the earlier stage it begins with."""
    alias: str
    """Its name; empty for none."""
    instructions: tuple[Instruction, ...]
    """Its instructions, `FROM` first."""

    def of(self, *keywords: str) -> list[Instruction]:
        """The stage's instructions with one of `keywords`."""
        return [i for i in self.instructions if i.keyword in keywords]


@dataclass(frozen=True)
class Dockerfile:
    """A parsed Dockerfile."""

    place: Place
    """The file."""
    tree: SourceTree
    """Its tree."""
    instructions: tuple[Instruction, ...]
    """All instructions in order."""
    stages: tuple[Stage, ...]
    """Its stages; the last is the image that is built."""

    def base_chain(self) -> tuple[Stage, ...]:
        """The last stage, the stage it builds on, and so on down to a real image."""
        chain = [self.stages[-1]]
        while True:
            at = self.stages.index(chain[-1])
            below = [s for s in self.stages[:at] if s.alias and _same(s.alias, chain[-1].image)]
            if not below:
                return tuple(chain)
            chain.append(below[-1])

    def touched(self, *keywords: str) -> list[Instruction]:
        """The instructions with `keywords` on the finding's lines."""
        place = self.place
        return [
            i
            for i in self.instructions
            if i.keyword in keywords and i.first <= place.last and i.last >= place.first
        ]


def read_dockerfile(place: Place) -> Dockerfile:
    """The instructions of the file; raises `Abstain` when it cannot be parsed safely."""
    # The grammar wants "\n" at the end of every line; the same length keeps the positions.
    normal = place.text.replace("\\\r\n", " \\\n").replace("\r\n", " \n")
    try:
        tree = parse(normal if normal.endswith("\n") else normal + "\n", "dockerfile")
    except SyntaxRefused as refused:
        raise Abstain("syntax", str(refused)) from refused
    found: list[Instruction] = []
    for node in tree.root.children:
        if node.type == "ERROR" or (node.type.endswith(_SUFFIX) and _broken(node)):
            line = node.start_point[0] + 1
            raise Abstain("syntax", f"{place.path} cannot be parsed safely near line {line}.")
        if node.type.endswith(_SUFFIX):
            found.append(_instruction(tree, node))
    stages = _stages(found, tree)
    if not stages:
        raise Abstain("syntax", f"{place.path} has no FROM instruction.")
    return Dockerfile(place, tree, tuple(found), stages)


def in_dockerfiles(places: Callable[[Dockerfile], Iterator[Weakening]]) -> Weaken:
    """The inverse of a rule for Dockerfiles: `places` in every one of them, nothing elsewhere."""

    def weaken(path: str, text: str) -> Iterator[Weakening]:
        if language_of(path) == "dockerfile":
            yield from places(read_dockerfile(whole(path, text)))

    return weaken


def without(dockerfile: Dockerfile, instruction: Instruction) -> Edit:
    """The edit that removes the lines of `instruction`."""
    place = dockerfile.place
    return place.edit(place.line_start(instruction.start), place.line_end(instruction.end), "")


def runs_ssh(dockerfile: Dockerfile) -> bool:
    """True when an instruction names an SSH server."""
    return any(
        _SSH_SERVER.search(i.value) for i in dockerfile.instructions if i.keyword != "EXPOSE"
    )


def ports(dockerfile: Dockerfile, stage: Stage) -> list[tuple[Instruction, str]]:
    """Every exposed port of the stage as written, `22` only where an SSH server is named.

    Without a server that port is a mistake, which has a rule of its own.
    """
    ignored = () if runs_ssh(dockerfile) else ("22", "22/tcp")
    return [
        (expose, word)
        for expose in stage.of("EXPOSE")
        for word in expose.value.replace("\\\n", " ").split()
        if word not in ignored
    ]


def insertion_before(place: Place, instruction: Instruction) -> int:
    """The start of the line of `instruction`, or of the comment block right above it."""
    at = place.line_start(instruction.start)
    while at > 0:
        above = place.line_start(at - 1)
        if not place.text[above:at].lstrip().startswith("#"):
            break
        at = above
    return at


def words(instruction: Instruction, tree: SourceTree, *types: str) -> list[tuple[int, int, str]]:
    """Start, end and text of the instruction's child nodes of `types`."""
    return [
        (tree.start(child), tree.end(child), tree.text_of(child))
        for child in instruction.node.children
        if child.type in types
    ]


def _broken(node: Node) -> bool:
    """True for an error that spans lines or is a missing piece: places cannot be trusted.

    An error inside one line (a second flag of ADD, say) only means a poor grammar.
    """
    if not node.has_error:
        return False
    stack = [node]
    while stack:
        here = stack.pop()
        text = here.text or b""
        if here.is_missing or (here.type == "ERROR" and b"\n" in text):
            return True
        stack.extend(here.children)
    return b"\n" in (node.text or b"") and not node.type.startswith("run")


def _instruction(tree: SourceTree, node: Node) -> Instruction:
    keyword_node = node.children[0]
    start, end = tree.start(node), tree.end(node)
    text = tree.text[tree.end(keyword_node) : end]
    value = text.strip()
    first = node.start_point[0] + 1
    return Instruction(
        keyword=node.type.removesuffix(_SUFFIX).upper(),
        node=node,
        start=start,
        end=start + len(tree.text[start:end].rstrip()),
        value_start=tree.end(keyword_node) + len(text) - len(text.lstrip()),
        value=value,
        first=first,
        last=first + tree.text[start:end].rstrip().count("\n"),
    )


def _stages(found: list[Instruction], tree: SourceTree) -> tuple[Stage, ...]:
    starts = [n for n, i in enumerate(found) if i.keyword == "FROM"]
    stages = []
    for begin, stop in zip(starts, [*starts[1:], len(found)], strict=False):
        first = found[begin]
        image = words(first, tree, "image_spec")
        alias = words(first, tree, "image_alias")
        stages.append(
            Stage(
                image=image[0][2] if image else "",
                alias=alias[0][2] if alias else "",
                instructions=tuple(found[begin:stop]),
            )
        )
    return tuple(stages)


def _same(left: str, right: str) -> bool:
    return left.lower() == right.lower()
