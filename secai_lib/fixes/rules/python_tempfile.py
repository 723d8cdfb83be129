"""tempfile.mktemp -> a temporary file that exists."""

import ast
import re
from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Proposal, SourceFiles
from secai_lib.core.syntax import language_of
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal, whole
from secai_lib.fixes.python_source import read_python
from secai_lib.fixes.rule import Abstain, FixRule, Weakening

KIND = "python-tempfile"
TITLE = "Create the temporary file at once"
EXPLANATION = (
    "`tempfile.mktemp` only makes up a name; between that and the use somebody else can put a "
    "file or a link there. `NamedTemporaryFile(delete=False)` creates the file, readable for "
    "its owner only, and gives its name.\n\n"
    "Watch for: the file exists (empty) from now on, and nobody but this program deletes it."
)
_MUST_NOT_EXIST = re.compile(
    r"\b(?:mkdir|makedirs|mkfifo|symlink|link|bind|copytree|exists|O_EXCL|mkdtemp)\b|['\"]x[bt]?['\"]"
)


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal; raises `Abstain` where the code needs a name that does not exist yet."""
    source = read_python(place_of(finding, files))
    edits = []
    for call in source.calls():
        if source.qualified(call.func) != "tempfile.mktemp":
            continue
        if call.args or _MUST_NOT_EXIST.search(source.function_text(call)):
            raise Abstain(
                "semantics",
                f"Line {call.lineno} may need a name that does not exist yet; use "
                "tempfile.mkdtemp() and a name inside that folder.",
            )
        edits.append(source.rename_attribute(call, "NamedTemporaryFile"))
        added = source.add_keyword(call, "delete=False")
        edits.append(added)
        edits.append(source.place.edit(source.end(call), source.end(call), ".name"))
    return (proposal(KIND, TITLE, EXPLANATION, edits),)


def _weaken(path: str, text: str) -> Iterator[Weakening]:
    """Only a name made up, where a file is made for its name."""
    if language_of(path) != "python":
        return
    source = read_python(whole(path, text))
    for node in ast.walk(source.module):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Call):
            continue
        call = node.value
        if source.qualified(call.func) != "tempfile.NamedTemporaryFile" or node.attr != "name":
            continue
        kept = [k for k in call.keywords if k.arg in ("suffix", "prefix", "dir")]
        written = ", ".join(text[source.start(k) : source.end(k)] for k in kept)
        edit = source.replace(node, f"tempfile.mktemp({written})")
        yield Weakening("bandit", "B306", (edit,))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={"bandit": ("B306",)},
    propose=propose,
    weaken=_weaken,
)
