"""A predictable random generator in Kotlin -> SecureRandom."""

from tree_sitter import Node

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, ProofMethod, Proposal, SourceFiles
from secai_lib.core.syntax import SourceTree, parse
from secai_lib.fixes.kotlin_imports import imported, swap_import
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import Place, place_of, proposal
from secai_lib.fixes.rule import Abstain, FixRule
from secai_lib.fixes.witness import tree_witness

KIND = "kotlin-random"
TITLE = "Take secrets from SecureRandom"
EXPLANATION = (
    "The numbers of `Random` follow from a short inner state, so that whoever sees a few of "
    "them computes the next token. `java.security.SecureRandom` takes them from the operating "
    "system; it is a `java.util.Random`, so that the code around it stays as it is.\n\n"
    "Watch for: values that were handed out already stay guessable until they expire."
)
SECURE = "java.security.SecureRandom"
JAVA = "java.util.Random"
KOTLIN = "kotlin.random.Random"
BRIDGE = "kotlin.random.asKotlinRandom"
_NEW = {
    "SecureRandom", SECURE, BRIDGE, "SecureRandom().asKotlinRandom()",
    f"{SECURE}().asKotlinRandom()", f"import {SECURE}", f"import {BRIDGE}",
}  # fmt: skip
_OLD = {"", "Random", JAVA, KOTLIN}


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal; raises `Abstain` for a seeded or an unknown generator."""
    place = place_of(finding, files)
    tree = parse(place.text, "kotlin")
    edits: list[Edit] = []
    replaced: list[Node] = []
    bridge = False
    for call in tree.on_lines(place.first, place.last, "call_expression"):
        head = call.children[0]
        target = head.children[0] if head.type == "navigation_expression" else head
        text = tree.text_of(head)
        if text in ("Random", JAVA):
            edits.append(_constructor(place, tree, call, head))
        elif head.type == "navigation_expression" and tree.text_of(target) in ("Random", KOTLIN):
            edits.append(_draw(place, tree, target))
            bridge = True
        else:
            continue
        replaced.append(target)
    if edits:
        edits += _imports(place, tree, replaced, bridge=bridge)
    return (proposal(KIND, "Use java.security.SecureRandom", EXPLANATION, edits),)


def _constructor(place: Place, tree: SourceTree, call: Node, head: Node) -> Edit:
    line = call.start_point[0] + 1
    if any(child.type == "value_argument" for child in call.children[-1].children):
        raise Abstain("repeatable", f"The generator on line {line} has a seed, so repeatable "
                      "numbers are wanted; use SecureRandom for secrets.")  # fmt: skip
    name = tree.text_of(head)
    if name == "Random" and JAVA not in _known(tree):
        raise Abstain("unknown_class", f"Which Random line {line} means is not clear.")
    written = SECURE if name == JAVA else "SecureRandom"
    return place.edit(tree.start(head), tree.end(head), written)


def _draw(place: Place, tree: SourceTree, target: Node) -> Edit:
    line = target.start_point[0] + 1
    if tree.text_of(target) == "Random" and KOTLIN not in _known(tree):
        raise Abstain("unknown_class", f"Which Random line {line} means is not clear.")
    written = "SecureRandom().asKotlinRandom()"
    return place.edit(tree.start(target), tree.end(target), written)


def _known(tree: SourceTree) -> set[str]:
    names = set(imported(tree))
    for node in tree.walk("import"):
        text = tree.text_of(node).removeprefix("import").strip()
        if text.endswith(".*"):
            names.add(text.removesuffix("*") + "Random")
    return names


def _imports(place: Place, tree: SourceTree, replaced: list[Node], *, bridge: bool) -> list[Edit]:
    names = {tree.text_of(node) for node in replaced}
    inside = {node.start_byte for node in tree.walk("import") for node in _below(node)}
    done = {node.start_byte for node in replaced}
    left = [
        node for node in tree.walk("identifier", "type_identifier")
        if tree.text_of(node) == "Random" and node.start_byte not in done | inside
    ]  # fmt: skip
    old = KOTLIN if bridge else JAVA
    keep = bool(left) or "Random" not in names
    if names == {JAVA}:
        return []
    if not bridge:
        return swap_import(place, tree, old, SECURE, keep=keep)
    return [
        *swap_import(place, tree, old, BRIDGE, keep=keep),
        *swap_import(place, tree, "", SECURE, keep=True),
    ]


def _below(node: Node) -> list[Node]:
    found, stack = [], [node]
    while stack:
        here = stack.pop()
        found.append(here)
        stack.extend(here.children)
    return found


def _allowed(old: str, new: str) -> bool:
    return old in _OLD and new.strip() in _NEW


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={"semgrep": ("secai.kotlin.insecure-random",)},
    propose=propose,
    method=ProofMethod.OWN_RULE,
    witness=tree_witness(_allowed),
)
