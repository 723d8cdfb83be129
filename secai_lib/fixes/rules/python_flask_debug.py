"""Flask's debug=True -> debug=False."""

import ast
from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Proposal, SourceFiles
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal
from secai_lib.fixes.python_source import (
    PythonSource,
    in_calls,
    is_constant,
    keyword_of,
    read_python,
)
from secai_lib.fixes.rule import FixRule, Weakening

KIND = "python-flask-debug"
TITLE = "Start Flask without its debugger"
EXPLANATION = (
    "Flask's debugger lets everybody who reaches an error page run Python on the server. It is "
    "off now; on a developer's machine `flask run --debug` turns it on without a change of code."
)


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that turns the debugger off."""
    source = read_python(place_of(finding, files))
    edits = []
    for call in source.calls():
        debug = keyword_of(call, "debug")
        runs = isinstance(call.func, ast.Attribute) and call.func.attr == "run"
        if debug is not None and runs and is_constant(debug.value, True):
            edits.append(source.replace(debug.value, "False"))
    return (proposal(KIND, TITLE, EXPLANATION, edits),)


def _weaken(source: PythonSource, call: ast.Call) -> Iterator[Weakening]:
    """The debugger switched on where the application is started."""
    runs = isinstance(call.func, ast.Attribute) and call.func.attr == "run"
    if not runs or source.qualified(call.func):
        return
    debug = keyword_of(call, "debug")
    if debug is None:
        yield Weakening("bandit", "B201", (source.add_keyword(call, "debug=True"),))
    elif is_constant(debug.value, False):
        yield Weakening("bandit", "B201", (source.replace(debug.value, "True"),))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={"bandit": ("B201",)},
    propose=propose,
    weaken=in_calls(_weaken),
)
