"""Predictable random numbers -> the operating system's."""

import ast
from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal
from secai_lib.fixes.python_source import PythonSource, in_calls, read_python
from secai_lib.fixes.rule import Abstain, FixRule, Weakening

KIND = "python-random"
TITLE = "Take random numbers from the operating system"
EXPLANATION = (
    "The numbers of `random` follow from its inner state, which can be computed from a few "
    "hundred of them: tokens and passwords made with it can be guessed. `SystemRandom` has the "
    "same methods and takes its numbers from the operating system.\n\n"
    "Watch for: it is some ten times slower and cannot be seeded; a simulation that must be "
    "repeatable does not want it."
)
_METHODS = {"random", "randrange", "randint", "choice", "choices", "uniform", "triangular",
            "randbytes", "sample", "getrandbits"}  # fmt: skip


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal; raises `Abstain` where the numbers are meant to be repeatable."""
    source = read_python(place_of(finding, files))
    for node in ast.walk(source.module):
        if isinstance(node, ast.Call) and source.qualified(node.func) == "random.seed":
            raise Abstain(
                "repeatable",
                f"Line {node.lineno} seeds the generator, so repeatable numbers are wanted; use "
                "the secrets module for what must not be guessed.",
            )
    edits: list[Edit] = []
    for call in source.calls():
        edits += _edits(source, call)
    return (proposal(KIND, "Use random.SystemRandom", EXPLANATION, edits),)


def _edits(source: PythonSource, call: ast.Call) -> list[Edit]:
    name = source.qualified(call.func)
    if name == "random.Random":
        if call.args or call.keywords:
            raise Abstain("repeatable", f"Line {call.lineno} seeds the generator on purpose.")
        return [source.rename_attribute(call, "SystemRandom")]
    if name.removeprefix("random.") in _METHODS and name.startswith("random."):
        method = name.removeprefix("random.")
        return [source.rename_attribute(call, f"SystemRandom().{method}")]
    return []


def _weaken(source: PythonSource, call: ast.Call) -> Iterator[Weakening]:
    """A draw from the operating system's numbers as one from the predictable ones."""
    if not isinstance(call.func, ast.Attribute) or not isinstance(call.func.value, ast.Call):
        return
    generator = call.func.value
    if source.qualified(generator.func) == "random.SystemRandom" and call.func.attr in _METHODS:
        yield Weakening("bandit", "B311", (source.replace(generator, "random"),))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={"bandit": ("B311",)},
    propose=propose,
    weaken=in_calls(_weaken),
)
