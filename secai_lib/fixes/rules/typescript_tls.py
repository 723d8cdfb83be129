"""rejectUnauthorized: false in Node -> true."""

import re
from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, ProofMethod, Proposal, SourceFiles
from secai_lib.core.syntax import language_of, parse
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal, whole
from secai_lib.fixes.rule import Abstain, FixRule, Weakening
from secai_lib.fixes.witness import tree_witness

KIND = "typescript-tls-verify"
TITLE = "Verify the server's certificate"
EXPLANATION = (
    "Without verification anybody on the network path can answer in the server's place and "
    "read what is sent, tokens included. Verification is on again.\n\n"
    "Watch for: a server with a private certificate authority needs that authority's "
    "certificate as `ca`, or `NODE_EXTRA_CA_CERTS`."
)
_VARIABLE = "NODE_TLS_REJECT_UNAUTHORIZED"


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that turns verification on."""
    place = place_of(finding, files)
    language = language_of(place.path)
    if language not in ("typescript", "tsx", "javascript"):
        raise Abstain("syntax", f"{place.path} is no TypeScript or JavaScript file.")
    tree = parse(place.text, language)
    edits: list[Edit] = []
    for pair in tree.on_lines(place.first, place.last, "pair"):
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is None or value is None:
            continue
        is_switch = tree.text_of(key).strip("'\"") == "rejectUnauthorized"
        if is_switch and tree.text_of(value) == "false":
            edits.append(place.edit(tree.start(value), tree.end(value), "true"))
    for node in tree.on_lines(place.first, place.last, "assignment_expression"):
        left, right = node.children[0], node.children[-1]
        zero = tree.text_of(right)
        if _VARIABLE in tree.text_of(left) and zero in ('"0"', "'0'"):
            edits.append(place.edit(tree.start(right) + 1, tree.end(right) - 1, "1"))
    return (proposal(KIND, TITLE, EXPLANATION, edits),)


def _allowed(old: str, new: str) -> bool:
    return (old, new) in (("false", "true"), ("0", "1"))


def _weaken(path: str, text: str) -> Iterator[Weakening]:
    """Verification turned off, where it is named."""
    if language_of(path) not in ("typescript", "tsx", "javascript"):
        return
    for found in _VERIFIED.finditer(text):
        edit = whole(path, text).edit(found.start(1), found.end(1), "false")
        yield Weakening("semgrep", "secai.typescript.tls-not-verified", (edit,))


_VERIFIED = re.compile(r"\brejectUnauthorized: (true)\b")


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={"semgrep": ("secai.typescript.tls-not-verified",)},
    propose=propose,
    method=ProofMethod.OWN_RULE,
    witness=tree_witness(_allowed),
    weaken=_weaken,
)
