"""A request without a time limit -> one with 30 seconds."""

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

KIND = "python-request-timeout"
TITLE = "Give the request a time limit"
EXPLANATION = (
    "Without a limit a server that never answers holds the thread for ever, which is an easy "
    "way to stop a service. The call now gives up after 30 s without an answer.\n\n"
    "Watch for: an answer that takes longer on purpose needs a larger number; the call may now "
    "raise a timeout error."
)
SECONDS = 30
"""Long enough for slow pages, short enough to notice; requests itself recommends a limit."""
_CLIENTS = ("requests", "httpx")


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that adds the limit; abstains when the arguments come from a mapping."""
    source = read_python(place_of(finding, files))
    edits = []
    for call in source.calls():
        if source.qualified(call.func).split(".")[0] not in _CLIENTS:
            continue
        timeout = keyword_of(call, "timeout")
        if timeout is None:
            edits.append(source.add_keyword(call, f"timeout={SECONDS}"))
        elif is_constant(timeout.value, None):
            edits.append(source.replace(timeout.value, str(SECONDS)))
    return (proposal(KIND, f"Give up after {SECONDS} seconds", EXPLANATION, edits),)


def _weaken(source: PythonSource, call: ast.Call) -> Iterator[Weakening]:
    """The limit forgotten or switched off."""
    timeout = keyword_of(call, "timeout")
    client, _, method = source.qualified(call.func).partition(".")
    if timeout is None or client != "requests" or method == "request":
        return
    yield Weakening("bandit", "B113", (source.replace(timeout.value, "None"),))
    if call.args or call.keywords[0] is not timeout:
        yield Weakening("bandit", "B113", (source.remove_argument(call, timeout),))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={"bandit": ("B113",)},
    propose=propose,
    weaken=in_calls(_weaken),
)
