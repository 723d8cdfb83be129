"""A constant command through a shell -> the program itself with its arguments."""

import ast
import json
import shlex

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal
from secai_lib.fixes.python_source import PythonSource, is_constant, keyword_of, read_python
from secai_lib.fixes.rule import Abstain, FixRule

KIND = "python-shell"
TITLE = "Start the program without a shell"
EXPLANATION = (
    "A shell reads quotes, `;`, `$` and `*` in the text it is given, so that a value that gets "
    "into it one day becomes a command. The program now gets its arguments as a list, which "
    "nothing interprets; the command needs no shell.\n\n"
    "Watch for: a program that cannot be found raises `FileNotFoundError` now instead of "
    "ending with status 127."
)
_SHELL_SIGNS = set("|&;<>()$`\\*?[]{}~#!\n%^")
_BUILTINS = {"cd", "export", "source", ".", "alias", "set", "unset", "ulimit", "umask", "exit",
             "eval", "exec", "trap", "type", "command", "read", "wait"}  # fmt: skip


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal for a constant command; raises `Abstain` for anything that needs a shell."""
    source = read_python(place_of(finding, files))
    edits: list[Edit] = []
    for call in source.calls():
        name = source.qualified(call.func)
        if name in ("os.system", "os.popen"):
            raise Abstain(
                "return_value",
                f"{name} returns something else than subprocess.run; use subprocess.run with a "
                "list of arguments and adapt the code that reads the result.",
            )
        shell = keyword_of(call, "shell")
        if name.startswith("subprocess.") and shell and is_constant(shell.value, True):
            edits += _without_shell(source, call, shell)
    return (proposal(KIND, TITLE, EXPLANATION, edits),)


def _without_shell(source: PythonSource, call: ast.Call, shell: ast.keyword) -> list[Edit]:
    command = call.args[0] if call.args else None
    if not isinstance(command, ast.Constant) or not isinstance(command.value, str):
        raise Abstain(
            "dynamic_command",
            f"The command on line {call.lineno} is put together at run time; pass a list of "
            "arguments instead and drop shell=True.",
        )
    text = command.value
    if _SHELL_SIGNS & set(text):
        raise Abstain("needs_shell", f"The command on line {call.lineno} uses the shell's own "
                      "signs; start the programs one by one.")  # fmt: skip
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise Abstain("needs_shell", "The command's quotes do not match.") from error
    if not words or words[0] in _BUILTINS or "=" in words[0]:
        raise Abstain("needs_shell", f"The command on line {call.lineno} is the shell's own.")
    written = "[" + ", ".join(json.dumps(word, ensure_ascii=False) for word in words) + "]"
    return [source.replace(command, written), source.remove_argument(call, shell)]


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={"bandit": ("B602", "B605")},
    propose=propose,
)
