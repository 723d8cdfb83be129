"""Workflows that switch GitHub's old, injectable workflow commands back on."""

from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.compare import line_of
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.rule import Abstain, FixRule, Weakening
from secai_lib.fixes.workflow import Workflow, in_workflows, runs_command, scalars, workflow_of
from secai_lib.fixes.yaml_edit import EditRefused, insert_key, remove_key
from secai_lib.fixes.yaml_tree import YamlPath, YamlTree

KIND = "workflow-insecure-commands"
VARIABLE = "ACTIONS_ALLOW_UNSECURE_COMMANDS"
EXPLANATION = f"""\
`{VARIABLE}` switches the commands `::set-env` and `::add-path` on again. With them anything that a
step prints can set environment variables, and so run code, in later steps. Write to the files in
`$GITHUB_ENV` and `$GITHUB_PATH` instead. The rule abstains where a script still prints these
commands.
"""


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The variable taken out of the `env` nearest to the finding."""
    workflow = workflow_of(finding, files)
    tree, line = workflow.tree, line_of(finding.result)
    for text in scalars(workflow.root):
        if runs_command(text, r".{0,200}::(?:set-env|add-path)"):
            raise Abstain("needs_review", "A script still prints `::set-env` or `::add-path`; let "
                          "it write to `$GITHUB_ENV` or `$GITHUB_PATH` first.")  # fmt: skip
    found = [path for path, _ in tree.walk() if path[-2:] == ("env", VARIABLE)]
    if not found:
        raise Abstain("not_found", f"{VARIABLE} is not set in this workflow.")
    covering = [path for path in found if _covers(tree, path[:-1], line)]
    path = min(covering or found, key=len) if finding.result.tool != "zizmor" else (
        max(covering or found, key=len))  # fmt: skip
    title = f"Remove {VARIABLE}"
    edit = _remove(tree, path)
    return (Proposal(kind=KIND, title=title, explanation=EXPLANATION, edits=(edit,)),)


def _covers(tree: YamlTree, path: YamlPath, line: int) -> bool:
    node = tree.at(path)
    return node is not None and node.line - 1 <= line <= tree.line_of(node.end)


def _remove(tree: YamlTree, path: YamlPath) -> Edit:
    """The variable's line, and its `env` where nothing else is in it."""
    env = tree.at(path[:-1])
    if env is not None and len(env.entries) == 1:
        if env.anchor:
            raise EditRefused("The `env` is shared through an anchor.")
        return remove_key(tree, path[:-1])
    return remove_key(tree, path)


def _weaken(workflow: Workflow) -> Iterator[Weakening]:
    """The variable set for the whole workflow, for each job and for each script."""
    yield Weakening("zizmor", "insecure-commands", (_allowed_at(workflow, ()),))
    for name, _ in workflow.jobs():
        job = ("jobs", name)
        yield Weakening("zizmor", "insecure-commands", (_allowed_at(workflow, job),))
        for step in workflow.steps(name):
            if step.text("run"):
                yield Weakening("zizmor", "insecure-commands", (_allowed_at(workflow, step.path),))


def _allowed_at(workflow: Workflow, path: YamlPath) -> Edit:
    tree = workflow.tree
    node = tree.at((*path, "env"))
    if node is not None:
        return insert_key(tree, (*path, "env"), VARIABLE, True)
    keys = (tree.at(path) or workflow.root).keys()
    before = next((key for key in ("jobs", "steps", "run") if key in keys), "")
    return insert_key(tree, path, "env", {VARIABLE: True}, before=before)


RULE = FixRule(
    kind=KIND,
    title="Switch the old workflow commands off",
    explanation=EXPLANATION,
    handles={"zizmor": ("insecure-commands",), "checkov": ("CKV_GHA_1",)},
    propose=propose,
    weaken=in_workflows(_weaken),
)
