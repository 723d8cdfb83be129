"""yaml.load with a loader that builds objects -> yaml.safe_load."""

import ast
from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal
from secai_lib.fixes.python_source import PythonSource, in_calls, keyword_of, read_python
from secai_lib.fixes.rule import Abstain, FixRule, Weakening

KIND = "python-yaml-load"
TITLE = "Load YAML without building objects"
EXPLANATION = (
    "`yaml.load` with this loader builds any Python object that the text names, which runs code "
    "of whoever wrote the text. `yaml.safe_load` builds mappings, lists, texts, numbers and "
    "dates only.\n\n"
    "Watch for: files that hold `!!python/...` tags on purpose are refused now."
)
_LOADERS = ("yaml.Loader", "yaml.CLoader", "yaml.UnsafeLoader", "yaml.CUnsafeLoader",
            "yaml.FullLoader", "yaml.CFullLoader", "yaml.BaseLoader", "yaml.CBaseLoader",
            "yaml.loader.Loader", "yaml.loader.UnsafeLoader", "yaml.loader.FullLoader")  # fmt: skip


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that loads safely; raises `Abstain` for a loader of the project's own."""
    source = read_python(place_of(finding, files))
    edits: list[Edit] = []
    for call in source.calls():
        if source.qualified(call.func) != "yaml.load":
            continue
        keyword = keyword_of(call, "Loader")
        loader = keyword.value if keyword else (call.args[1] if len(call.args) > 1 else None)
        if loader is not None and source.qualified(loader) not in _LOADERS:
            raise Abstain(
                "own_loader",
                "The loader is not one of PyYAML's; derive it from yaml.SafeLoader.",
            )
        edits.append(source.rename_attribute(call, "safe_load"))
        if loader is not None:
            edits.append(source.remove_argument(call, keyword or loader))
    return (proposal(KIND, "Use yaml.safe_load", EXPLANATION, edits),)


def _weaken(source: PythonSource, call: ast.Call) -> Iterator[Weakening]:
    """`safe_load` as `load` with each loader that builds objects."""
    if source.qualified(call.func) != "yaml.safe_load" or not isinstance(call.func, ast.Attribute):
        return
    module = source.place.text[source.start(call.func.value) : source.end(call.func.value)]
    for loader in ("Loader", "UnsafeLoader", "FullLoader"):
        edits = (
            source.rename_attribute(call, "load"),
            source.add_keyword(call, f"Loader={module}.{loader}"),
        )
        yield Weakening("bandit", "B506", edits)


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={"bandit": ("B506",)},
    propose=propose,
    weaken=in_calls(_weaken),
)
