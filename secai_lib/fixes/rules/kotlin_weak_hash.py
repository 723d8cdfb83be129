"""MD5 and SHA-1 in Kotlin -> SHA-256."""

import re
from collections.abc import Iterator

from tree_sitter import Node

from secai_lib.core.finding import Finding
from secai_lib.core.fix import ProofMethod, Proposal, SourceFiles
from secai_lib.core.syntax import SourceTree, language_of, parse
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal, whole
from secai_lib.fixes.rule import Abstain, FixRule, Weakening
from secai_lib.fixes.witness import tree_witness

KIND = "kotlin-weak-hash"
TITLE = "Use SHA-256"
EXPLANATION = (
    "Two inputs with the same digest can be made on purpose, so that what the digest protects "
    "can be forged. SHA-256 has no known collisions.\n\n"
    "Watch for: **stored or exchanged digests change** (64 hex digits instead of 32 or 40); "
    "compute them anew, or accept the old ones for a while when checking."
)
_WEAK = {"md2", "md4", "md5", "sha", "sha1", "sha-1"}
_PASSWORD = re.compile(r"(?i)passw|passphrase|\bpwd\b")


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The proposal; raises `Abstain` for passwords, which need a slow function."""
    place = place_of(finding, files)
    tree = parse(place.text, "kotlin")
    edits = []
    for call in tree.on_lines(place.first, place.last, "call_expression"):
        if tree.text_of(call.children[0]).replace(" ", "") != "MessageDigest.getInstance":
            continue
        if _PASSWORD.search(_function_text(tree, call)):
            raise Abstain(
                "password_hash",
                "This hashes a password; any fast digest is wrong there. Use Argon2 or bcrypt "
                "with a salt and re-hash at the next login.",
            )
        stack = [call.children[-1]]
        while stack:
            node = stack.pop()
            stack.extend(node.children)
            if node.type == "string_content" and tree.text_of(node).lower() in _WEAK:
                edits.append(place.edit(tree.start(node), tree.end(node), "SHA-256"))
    return (proposal(KIND, TITLE, EXPLANATION, edits),)


def _function_text(tree: SourceTree, node: Node) -> str:
    here: Node | None = node
    while here is not None and here.type != "function_declaration":
        here = here.parent
    return tree.text_of(here if here is not None else node)


def _allowed(old: str, new: str) -> bool:
    return old.lower() in _WEAK and new == "SHA-256"


def _weaken(path: str, text: str) -> Iterator[Weakening]:
    """SHA-256 as a broken digest."""
    if language_of(path) != "kotlin":
        return
    for found in _STRONG.finditer(text):
        for weak in ("MD5", "SHA-1"):
            edit = whole(path, text).edit(found.start(1), found.end(1), weak)
            yield Weakening("semgrep", "secai.kotlin.weak-hash", (edit,))


_STRONG = re.compile(r'MessageDigest\.getInstance\("(SHA-256)"\)')


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={"semgrep": ("secai.kotlin.weak-hash",)},
    propose=propose,
    method=ProofMethod.OWN_RULE,
    witness=tree_witness(_allowed),
    weaken=_weaken,
)
