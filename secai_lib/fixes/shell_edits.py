"""Edits of the commands in a Dockerfile's RUN instructions."""

from collections.abc import Callable
from dataclasses import dataclass

from secai_lib.core.fix import Edit
from secai_lib.fixes.dockerfile import Dockerfile
from secai_lib.fixes.place import Place
from secai_lib.fixes.rule import Abstain
from secai_lib.fixes.shell_words import Command, Word, commands_of

Edits = Callable[[Place, Command], list[Edit]]
"""The file and one command -> the edits of that command."""


@dataclass(frozen=True)
class Flags:
    """Options to take away from the commands of some programs."""

    programs: tuple[str, ...]
    options: tuple[str, ...]
    takes_value: bool = False


def command_edits(
    dockerfile: Dockerfile, edit: Edits, *, local_packages: bool = True
) -> list[Edit]:
    """What `edit` makes of every command on the finding's lines.

    Raises `Abstain` for commands that cannot be read, and with `local_packages` False for those
    that install a package file, which may have no signature at all.
    """
    edits: list[Edit] = []
    for run in dockerfile.touched("RUN"):
        commands = commands_of(dockerfile, run)
        if commands is None:
            raise Abstain("syntax", f"The commands on line {run.first} are too involved to edit.")
        for command in commands:
            found = edit(dockerfile.place, command)
            if found and not local_packages and _local_package(command):
                raise Abstain(
                    "local_package",
                    f"Line {run.first} installs a package file, which may have no signature; "
                    "verify its SHA-256 before it is installed, or sign it.",
                )
            edits += found
    return edits


def _local_package(command: Command) -> bool:
    endings = (".apk", ".deb", ".rpm")
    return any(not t.startswith("-") and t.endswith(endings) for t in command.texts())


def without_flags(flags: Flags) -> Edits:
    """The edit that takes the options away from the programs' commands."""

    def edits(place: Place, command: Command) -> list[Edit]:
        words = command.arguments
        is_pip = command.program.startswith("python") and "pip" in command.texts()[:2]
        if command.program not in flags.programs and not (is_pip and "pip" in flags.programs):
            return []
        found = []
        for number, word in enumerate(words):
            name, joined, _ = word.plain.partition("=")
            if name not in flags.options:
                continue
            last = word
            if flags.takes_value and not joined and number + 1 < len(words):
                last = words[number + 1]
            found.append(remove_words(place, word, last))
        return found

    return edits


def remove_words(place: Place, first: Word, last: Word) -> Edit:
    """The edit that removes the words from `first` to `last` with the blanks before them."""
    return cut(place, first.start, last.end)


def cut(place: Place, start: int, end: int) -> Edit:
    """The edit that removes the words with the blanks, or the whole continued line, around."""
    line, after = place.line_start(start), place.line_end(end)
    alone = not place.text[line:start].strip() and place.text[end:after].strip() == "\\"
    if alone:
        return place.edit(line, after, "")
    while start > 0 and place.text[start - 1] in " \t":
        start -= 1
    if not place.text[place.line_start(start) : start].strip():
        start = max(start, place.line_start(start))
        begin = start + len(place.text[start:end]) - len(place.text[start:end].lstrip())
        tail = end
        while place.text[tail : tail + 1] in (" ", "\t"):
            tail += 1
        return place.edit(begin, tail, "")
    return place.edit(start, end, "")
