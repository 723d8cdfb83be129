"""How a value that stands in a shell script can be taken from the environment instead."""

import re
from dataclasses import dataclass

from tree_sitter import Node

from secai_lib.core.syntax import parse
from secai_lib.fixes.rule import Abstain

EXPRESSION = re.compile(r"\$\{\{[^\r\n]*?\}\}")
"""A GitHub expression on one line."""

_INTERPRETERS = frozenset(
    "bash sh zsh dash ssh su python python3 node perl ruby php pwsh powershell".split()  # noqa: SIM905
)
_HERE_STRING = re.compile(r"@['\"]")


@dataclass(frozen=True)
class Place:
    """Where an expression stands in a script."""

    quoted: bool
    """Inside double quotes, where a variable is put in without being split."""
    optional: bool
    """An argument of its own that may be empty."""


def bash_places(script: str) -> list[Place | Abstain]:
    """For every expression of a bash or sh script in turn: its place, or why it cannot move."""
    plain, spans = _without_expressions(script)
    root = parse(plain, "bash").root
    return [_bash_place(root, plain, start, end, text) for start, end, text in spans]


def powershell_places(script: str) -> list[Place | Abstain]:
    """The same for PowerShell, where `${env:NAME}` reads the same in and out of quotes."""
    found: list[Place | Abstain] = []
    for match in EXPRESSION.finditer(script):
        line = script[script.rfind("\n", 0, match.start()) + 1 : match.start()]
        single = re.sub(r'"[^"]*"?', "", line).count("'") % 2
        bad = single or _HERE_STRING.search(script)
        found.append(_no("stands inside single quotes") if bad else Place(True, False))
    return found


def reference(name: str, place: Place, shell: str) -> str:
    """The text that reads the variable `name` at `place`."""
    if shell in ("pwsh", "powershell"):
        return f"${{env:{name}}}"
    if place.quoted:
        return f"${{{name}}}"
    # Nothing at all, not an empty argument, where the expression may have been empty.
    return f'${{{name}:+"${{{name}}}"}}' if place.optional else f'"${{{name}}}"'


def _without_expressions(script: str) -> tuple[str, list[tuple[int, int, str]]]:
    """The script with a word of the same length for each expression; places in bytes."""
    spans = []
    plain = EXPRESSION.sub(lambda match: "x" * len(match[0]), script)
    for match in EXPRESSION.finditer(script):
        start = len(plain[: match.start()].encode())
        spans.append((start, start + len(match[0]), match[0]))
    return plain, spans


def _bash_place(root: Node, plain: str, start: int, end: int, text: str) -> Place | Abstain:
    node = root.descendant_for_byte_range(start, end)
    quoted: bool | None = None
    while node is not None:
        kind = node.type
        if kind in ("raw_string", "ansi_c_string"):
            return _no("stands inside single quotes")
        if kind in ("heredoc_body", "heredoc_redirect", "heredoc_content"):
            return _no("stands inside a here-document")
        if kind in ("arithmetic_expansion", "regex", "comment", "ERROR", "function_definition"):
            if kind != "function_definition":
                return _no(f"stands inside {kind.lower().replace('_', ' ')}")
        elif kind in ("string", "command_substitution") and quoted is None:
            quoted = kind == "string"
        elif kind == "command_name" and not quoted:
            return _no("is run as a command")
        elif kind == "command" and _interprets(node):
            return _no("is part of a script for another program")
        node = node.parent
    whole = (
        plain.encode()[start - 1 : start].isspace()
        and (plain.encode()[end : end + 1] or b" ").isspace()
    )
    return Place(bool(quoted), whole and ("''" in text or "||" in text))


def _interprets(command: Node) -> bool:
    """True when the command hands its arguments to an interpreter as code."""
    words = [(child.text or b"").decode(errors="replace") for child in command.children]
    names = {word.rpartition("/")[2] for word in words}
    if names & {"eval", "ssh"}:
        return True
    return bool(names & _INTERPRETERS) and bool(names & {"-c", "-e", "-lc", "-ec", "-Command"})


def _no(where: str) -> Abstain:
    return Abstain("needs_review", f"The expression {where}, where a variable is not put in the "
                   "same way; rewrite that line by hand.")  # fmt: skip
