"""Actions named by a tag that its owner, or a thief of the owner's account, can move."""

import re
from collections.abc import Mapping

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.rule import Abstain, FixRule
from secai_lib.fixes.workflow import line_in, text_of, workflow_of

KIND = "workflow-pin-actions"
EXPLANATION = """\
A tag such as `v4` can be moved to other code at any time, and has been in real attacks on popular
actions; the workflow would run it with its token and secrets. A commit cannot be moved. The
comment behind it keeps the release readable, and Dependabot and Renovate update both together.
"""
_TAG = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?")
_COMMIT = re.compile(r"[0-9a-f]{40}")

Pins = Mapping[str, Mapping[str, str]]
"""Action (`owner/name`, lower case) -> full release tag -> commit."""


def rule(pins: Pins) -> FixRule:
    """The fix rule with the commits of `config/action_pins.yaml`."""

    def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
        return (_pinned(finding, files, pins),)

    return FixRule(
        kind=KIND,
        title="Pin an action to a commit",
        explanation=EXPLANATION,
        handles={"zizmor": ("unpinned-uses",)},
        propose=propose,
    )


def _pinned(finding: Finding, files: SourceFiles, pins: Pins) -> Proposal:
    workflow = workflow_of(finding, files)
    tree, line = workflow.tree, line_in(finding)
    found = next(((p, n) for p, n in tree.walk() if p[-1:] == ("uses",) and n.line == line), None)
    if found is None or found[1].alias or found[1].anchor:
        raise Abstain("not_found", f"There is no `uses` at line {line}.")
    path, node = found
    parent = tree.at(path[:-1])
    action, at, wanted = text_of(node).partition("@")
    if parent is None or parent.flow or not at:
        raise Abstain("not_editable", f"The `uses` at line {line} is not written on its own line.")
    name = "/".join(action.split("/")[:2])
    release, commit = _release(name, wanted, pins)
    replacement = f"{action}@{commit} # {release}"
    edit = Edit(path=tree.path, start=node.start, end=node.end, replacement=replacement)
    title = f"Pin {action} to the commit of {release}"
    return Proposal(kind=KIND, title=title, explanation=EXPLANATION, edits=(edit,))


def _release(name: str, wanted: str, pins: Pins) -> tuple[str, str]:
    """The highest listed release that the tag `wanted` can stand for, and its commit."""
    tag = _TAG.fullmatch(wanted)
    known = pins.get(name.lower(), {})
    how = f"look its commit up: `git ls-remote https://github.com/{name} {wanted}`"
    if tag is None:
        raise Abstain("unknown_action", f"{name} is used at {wanted}, which is no release; choose "
                      "a release and pin it to its commit.")  # fmt: skip
    parts = [part for part in tag.groups() if part is not None]
    fitting = []
    for release, commit in known.items():
        listed = _TAG.fullmatch(release)
        numbers = [part for part in listed.groups() if part is not None] if listed else []
        if numbers[: len(parts)] == parts and _COMMIT.fullmatch(commit):
            fitting.append(([int(number) for number in numbers], release, commit))
    if not fitting:
        raise Abstain("unknown_action", f"{name}@{wanted} is not in our list; {how}.")
    _, release, commit = max(fitting)
    return release, commit
