"""Flags of a Ktor session cookie -> on."""

from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import ProofMethod, Proposal, SourceFiles
from secai_lib.core.syntax import language_of, parse
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal, whole
from secai_lib.fixes.rule import FixRule, Weakening, plain_rule_id
from secai_lib.fixes.witness import tree_witness

KIND = "kotlin-cookie-flags"
TITLE = "Protect the session cookie"
EXPLANATION = (
    "`secure` keeps the session cookie off unencrypted connections, `httpOnly` keeps scripts in "
    "the page from reading it: whoever has the cookie is the user.\n\n"
    "Watch for: with `secure` a browser sends the cookie over HTTPS only (and to `localhost`)."
)
_FLAGS = {
    "secai.kotlin.cookie-not-secure": "cookie.secure",
    "secai.kotlin.cookie-not-http-only": "cookie.httpOnly",
}


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that turns the flag on."""
    place = place_of(finding, files)
    tree = parse(place.text, "kotlin")
    flag = _FLAGS[plain_rule_id(finding.result.rule_id)]
    edits = []
    for node in tree.on_lines(place.first, place.last, "assignment"):
        value = node.children[-1]
        if tree.text_of(node.children[0]) == flag and tree.text_of(value) == "false":
            edits.append(place.edit(tree.start(value), tree.end(value), "true"))
    return (proposal(KIND, f"Set {flag} to true", EXPLANATION, edits),)


def _allowed(old: str, new: str) -> bool:
    return (old, new) == ("false", "true")


def _weaken(path: str, text: str) -> Iterator[Weakening]:
    """Each flag turned off."""
    if language_of(path) != "kotlin":
        return
    tree = parse(text, "kotlin")
    for node in tree.walk("assignment"):
        value = node.children[-1]
        for rule, flag in _FLAGS.items():
            if tree.text_of(node.children[0]) == flag and tree.text_of(value) == "true":
                edit = whole(path, text).edit(tree.start(value), tree.end(value), "false")
                yield Weakening("semgrep", rule, (edit,))


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={"semgrep": tuple(_FLAGS)},
    propose=propose,
    method=ProofMethod.OWN_RULE,
    witness=tree_witness(_allowed),
    weaken=_weaken,
)
