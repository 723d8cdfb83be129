"""Switches of an Android manifest -> off. One family: an attribute gets the value `false`."""

from collections.abc import Callable

from tree_sitter import Node

from secai_lib.core.finding import Finding
from secai_lib.core.fix import ProofMethod, Proposal, SourceFiles
from secai_lib.core.syntax import SourceTree, parse
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.place import place_of, proposal
from secai_lib.fixes.rule import Abstain, FixRule
from secai_lib.fixes.witness import tree_witness

Propose = Callable[[Finding, Peers, SourceFiles], tuple[Proposal, ...]]

_SWITCHES = {
    "android-allow-backup": (
        "secai.android.allow-backup", "android:allowBackup",
        "Keep the app's private data out of backups",
        "With backups allowed, whoever has the unlocked device copies the app's private files "
        "with `adb backup` or from the cloud copy.\n\nWatch for: users no longer get the app's "
        "data back on a new device; `android:dataExtractionRules` can allow chosen files.",
    ),
    "android-debuggable": (
        "secai.android.debuggable", "android:debuggable",
        "Do not let a debugger attach to the released app",
        "A debuggable app lets everybody with the device read its memory and run code in it. "
        "Debug builds get the attribute from the build tools by themselves.",
    ),
    "android-cleartext-traffic": (
        "secai.android.cleartext-traffic", "android:usesCleartextTraffic",
        "Let the app talk over encrypted connections only",
        "Unencrypted messages can be read and changed by anybody on the way.\n\nWatch for: a "
        "server that speaks plain HTTP no longer answers; a `networkSecurityConfig` can allow "
        "one host, for example the emulator's `10.0.2.2` in debug builds.",
    ),
    "android-exported": (
        "secai.android.exported-without-permission", "android:exported",
        "Keep the component to the app itself",
        "An exported component can be called by every app on the device. It has no "
        "`intent-filter`, so nobody outside is told about it.\n\nWatch for: an app of your own "
        "that calls it by name needs a permission instead.",
    ),
}  # fmt: skip


def _propose_for(kind: str, attribute: str, title: str, explanation: str) -> Propose:
    def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
        """The proposal that writes `false`; abstains when other apps are meant to call."""
        place = place_of(finding, files)
        tree = parse(place.text, "xml")
        edits = []
        for tag in tree.walk("STag", "EmptyElemTag"):
            first, last = tag.start_point[0] + 1, tag.end_point[0] + 1
            if last < place.first or first > place.last:
                continue
            for node in tag.children:
                value = _value(tree, node, attribute)
                if value is None:
                    continue
                if attribute == "android:exported":
                    _refuse_public(tree, tag)
                edits.append(place.edit(tree.start(value) + 1, tree.end(value) - 1, "false"))
        return (proposal(kind, title, explanation, edits),)

    return propose


def _value(tree: SourceTree, node: Node, attribute: str) -> Node | None:
    """The value node of the attribute when it says `true`."""
    if node.type != "Attribute" or len(node.children) < 2:
        return None
    name, value = node.children[0], node.children[-1]
    same = tree.text_of(name) == attribute and tree.text_of(value)[1:-1] == "true"
    return value if same else None


def _refuse_public(tree: SourceTree, tag: Node) -> None:
    name = next((tree.text_of(child) for child in tag.children if child.type == "Name"), "")
    if name not in ("receiver", "service", "provider"):
        raise Abstain("public", f"A {name} may have to be exported; decide by hand.")
    whole = tree.text_of(tag.parent) if tag.type == "STag" and tag.parent is not None else ""
    if "<intent-filter" in whole:
        raise Abstain(
            "public",
            f"The {name} has an intent-filter, so other apps are meant to call it; name the "
            "permission they need with android:permission.",
        )


def _allowed(old: str, new: str) -> bool:
    return (old, new) == ("true", "false")


RULES = tuple(
    FixRule(
        kind=kind,
        title=title,
        explanation=explanation,
        handles={"semgrep": (rule_id,)},
        propose=_propose_for(kind, attribute, title, explanation),
        method=ProofMethod.OWN_RULE,
        witness=tree_witness(_allowed),
    )
    for kind, (rule_id, attribute, title, explanation) in _SWITCHES.items()
)
