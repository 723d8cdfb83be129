"""The commands of a RUN instruction, with places in the Dockerfile."""

from dataclasses import dataclass

from tree_sitter import Node

from secai_lib.core.syntax import SourceTree, parse
from secai_lib.fixes.dockerfile import Dockerfile, Instruction

_WORDS = ("word", "string", "raw_string", "number", "concatenation", "simple_expansion",
          "expansion", "command_substitution")  # fmt: skip


@dataclass(frozen=True)
class Word:
    """One word of a command."""

    start: int
    """First character in the Dockerfile."""
    end: int
    """Character after the last one."""
    text: str
    """The word as written, quotes included."""

    @property
    def plain(self) -> str:
        """The word without its quotes."""
        quoted = len(self.text) > 1 and self.text[0] == self.text[-1] and self.text[0] in "'\""
        return self.text[1:-1] if quoted else self.text


@dataclass(frozen=True)
class Command:
    """One simple command."""

    name: Word
    """The program."""
    arguments: tuple[Word, ...]
    """Its arguments in order."""
    assignments: tuple[tuple[Word, Word], ...]
    """`NAME=value` in front of it: name and value."""

    @property
    def program(self) -> str:
        """The program's name without its folder."""
        return self.name.plain.rsplit("/", 1)[-1]

    def texts(self) -> list[str]:
        """The arguments without quotes."""
        return [word.plain for word in self.arguments]


def commands_of(dockerfile: Dockerfile, run: Instruction) -> tuple[Command, ...] | None:
    """The commands of a RUN in shell form; None when they cannot be read safely.

    Commands inside quotes (`sh -c '...'`) and here-documents are not looked into.
    """
    tree, node = dockerfile.tree, run.node
    shell = next((child for child in node.children if child.type == "shell_command"), None)
    if shell is None or any(child.type == "heredoc_block" for child in node.children):
        return None
    offset = tree.start(shell)
    text = _without_comments(tree, shell, offset)
    parsed = parse(text, "bash")
    if parsed.root.has_error:
        return None
    return tuple(
        command
        for found in parsed.walk("command", "declaration_command")
        if (command := _command(parsed, found, offset)) is not None
    )


def all_commands(dockerfile: Dockerfile) -> list[tuple[Instruction, Command]]:
    """Every command of every RUN that can be read, with its RUN."""
    return [
        (run, command)
        for run in dockerfile.instructions
        if run.keyword == "RUN"
        for command in commands_of(dockerfile, run) or ()
    ]


def _without_comments(tree: SourceTree, shell: Node, offset: int) -> str:
    """The shell text with comment lines made continuations of the same length."""
    text = list(tree.text[offset : tree.end(shell)])
    for child in shell.children:
        if child.type == "comment":
            start, end = tree.start(child) - offset, tree.end(child) - offset
            text[start:end] = " " * (end - start - 1) + "\\"
    return "".join(text)


def _command(tree: SourceTree, node: Node, offset: int) -> Command | None:
    def word(found: Node) -> Word:
        return Word(tree.start(found) + offset, tree.end(found) + offset, tree.text_of(found))

    assignments = []
    name: Word | None = None
    arguments: list[Word] = []
    for child in node.children:
        if child.type == "variable_assignment":
            value = child.child_by_field_name("value")
            if value is not None:
                assignments.append((word(child.children[0]), word(value)))
        elif child.type == "command_name" or (name is None and not child.is_named):
            name = word(child)
        elif child.type in _WORDS:
            arguments.append(word(child))
    return Command(name, tuple(arguments), tuple(assignments)) if name else None
