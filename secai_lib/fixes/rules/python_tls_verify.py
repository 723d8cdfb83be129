"""verify=False -> verify=True."""

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

KIND = "python-tls-verify"
TITLE = "Verify the server's certificate"
EXPLANATION = (
    "With `verify=False` the request accepts any certificate, so that anybody on the network "
    "path can read and change it, tokens included. Verification is on again.\n\n"
    'Watch for: a server with a private certificate authority needs `verify="/path/to/ca.pem"`.'
)
_CLIENTS = ("requests", "httpx")
_METHODS = ("get", "post", "put", "patch", "delete", "head")


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that turns verification on."""
    source = read_python(place_of(finding, files))
    edits = []
    for call in source.calls():
        verify = keyword_of(call, "verify")
        client = source.qualified(call.func).split(".")[0]
        if verify is not None and client in _CLIENTS and is_constant(verify.value, False):
            edits.append(source.replace(verify.value, "True"))
    return (proposal(KIND, TITLE, EXPLANATION, edits),)


def _weaken(source: PythonSource, call: ast.Call) -> Iterator[Weakening]:
    """Verification switched off at each request."""
    client, _, method = source.qualified(call.func).partition(".")
    if client not in _CLIENTS or method not in _METHODS:
        return
    verify = keyword_of(call, "verify")
    if verify is None:
        yield Weakening("bandit", "B501", (source.add_keyword(call, "verify=False"),))
    elif not is_constant(verify.value, False):
        yield Weakening("bandit", "B501", (source.replace(verify.value, "False"),))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={"bandit": ("B501",)},
    propose=propose,
    weaken=in_calls(_weaken),
)
