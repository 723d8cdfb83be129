"""Flags of an Express cookie -> on."""

from collections.abc import Iterator

from tree_sitter import Node

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, ProofMethod, Proposal, SourceFiles
from secai_lib.core.syntax import SourceTree, language_of, parse
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import Place, place_of, proposal, whole
from secai_lib.fixes.rule import Abstain, FixRule, Weakening, plain_rule_id
from secai_lib.fixes.witness import tree_witness

KIND = "typescript-cookie-flags"
TITLE = "Protect the cookie"
EXPLANATION = (
    "`secure` keeps the cookie off unencrypted connections, `httpOnly` keeps scripts in the page "
    "from reading it.\n\n"
    "Watch for: a script of your own that reads the cookie no longer can; with `secure` a "
    "browser sends it over HTTPS only (and to `localhost`)."
)
BOTH = ", { httpOnly: true, secure: true }"
_FLAGS = {
    "secai.typescript.cookie-not-secure": "secure",
    "secai.typescript.cookie-not-http-only": "httpOnly",
}


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal that turns the flag on, or adds both where the call has no options."""
    place = place_of(finding, files)
    language = language_of(place.path)
    if language not in ("typescript", "tsx", "javascript"):
        raise Abstain("syntax", f"{place.path} is no TypeScript or JavaScript file.")
    tree = parse(place.text, language)
    flag = _FLAGS[plain_rule_id(finding.result.rule_id)]
    edits: list[Edit] = []
    for call in tree.on_lines(place.first, place.last, "call_expression"):
        if tree.text_of(call.children[0]).endswith(".cookie"):
            edits += _edits(place, tree, call, flag)
    return (proposal(KIND, f"Set {flag} on the cookie", EXPLANATION, edits),)


def _edits(place: Place, tree: SourceTree, call: Node, flag: str) -> list[Edit]:
    arguments = [
        child for child in call.children[-1].children
        if child.is_named and child.type != "comment"
    ]  # fmt: skip
    if any(argument.type == "spread_element" for argument in arguments):
        raise Abstain("involved", "The cookie's arguments come from a list.")
    if len(arguments) == 2:
        at = tree.end(arguments[1])
        return [place.edit(at, at, BOTH)]
    if len(arguments) != 3 or arguments[2].type != "object":
        return []
    edits = []
    for pair in arguments[2].children:
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is None or value is None or tree.text_of(key).strip("'\"") != flag:
            continue
        if tree.text_of(value) == "false":
            edits.append(place.edit(tree.start(value), tree.end(value), "true"))
    return edits


def _allowed(old: str, new: str) -> bool:
    return (old, new) in (("false", "true"), ("", BOTH))


def _weaken(path: str, text: str) -> Iterator[Weakening]:
    """Each flag of a cookie's options turned off."""
    if language_of(path) not in ("typescript", "tsx", "javascript"):
        return
    tree = parse(text, language_of(path))
    for call in tree.walk("call_expression"):
        if not tree.text_of(call.children[0]).endswith(".cookie"):
            continue
        for pair in (node for node in call.children[-1].children if node.type == "object"):
            for rule, flag in _FLAGS.items():
                for start, end in _values(tree, pair, flag):
                    edit = whole(path, text).edit(start, end, "false")
                    yield Weakening("semgrep", rule, (edit,))


def _values(tree: SourceTree, options: Node, flag: str) -> Iterator[tuple[int, int]]:
    """Where `flag` is true among the options of a cookie."""
    for pair in options.children:
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is None or value is None:
            continue
        if (tree.text_of(key), tree.text_of(value)) == (flag, "true"):
            yield tree.start(value), tree.end(value)


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
