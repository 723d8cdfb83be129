"""Checkouts that leave the token in the working copy."""

import re
from collections.abc import Iterator

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Proposal, SourceFiles
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.rule import Abstain, FixRule, Weakening
from secai_lib.fixes.workflow import (
    Step,
    Workflow,
    in_workflows,
    line_in,
    runs_command,
    workflow_of,
)
from secai_lib.fixes.yaml_edit import insert_key, remove_key, set_scalar

KIND = "workflow-persist-credentials"
EXPLANATION = """\
`actions/checkout` writes the job's token into `.git/config`, where every later step can read it
and where an upload of the folder as an artifact publishes it. `persist-credentials: false` keeps
it out. Steps that talk to the remote with git afterwards (push, fetch of a private repository)
would need the token; the rule abstains where it sees one.
"""
_GIT = r"git\s+(?:-\S+\s+(?:\S+\s+)?)*(?:push|pull|fetch|ls-remote|submodule|lfs)"
_TOOLS = r"(?:npx\s+)?(?:semantic-release|lerna\s+(?:publish|version)|changeset\s+publish)"
_PUSHING = re.compile(
    r"stefanzweifel/git-auto-commit-action|endbug/add-and-commit|changesets/action"
    r"|peter-evans/create-pull-request|cycjimmy/semantic-release-action|ad-m/github-push-action"
    r"|googleapis/release-please-action|mathieudutour/github-tag-action|anothrnick/github-tag-action"
)


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """`persist-credentials: false` for the checkout, unless a later step needs the token."""
    workflow = workflow_of(finding, files)
    job, step = workflow.step_at(line_in(finding))
    if step.action != "actions/checkout":
        raise Abstain("not_found", "The step does not use actions/checkout.")
    later = [other for other in workflow.steps(job) if other.path[-1] > step.path[-1]]  # type: ignore[operator]
    for other in later:
        if _uses_git(other):
            where = f"A later step of {job} (line {other.node.line})"
            raise Abstain("needs_review", f"{where} uses the token through git; give that step "
                          "a token of its own first.")  # fmt: skip
    tree, options = workflow.tree, step.node.get("with")
    path = (*step.path, "with")
    if options is None:
        value = {"persist-credentials": False}
        edit = insert_key(tree, step.path, "with", value, after="uses")
    elif options.get("persist-credentials") is not None:
        edit = set_scalar(tree, (*path, "persist-credentials"), False)
    else:
        edit = insert_key(tree, path, "persist-credentials", False)
    title = "Do not leave the token in the working copy"
    return (Proposal(kind=KIND, title=title, explanation=EXPLANATION, edits=(edit,)),)


def _uses_git(step: Step) -> bool:
    script = step.text("run")
    if script and (runs_command(script, _GIT) or runs_command(script, _TOOLS)):
        return True
    return bool(_PUSHING.fullmatch(step.action))


def _weaken(workflow: Workflow) -> Iterator[Weakening]:
    """The option forgotten at each checkout that has it; said aloud, zizmor takes it for meant."""
    for name, _ in workflow.jobs():
        for step in workflow.steps(name):
            options = step.node.get("with")
            if step.action != "actions/checkout" or step.option("persist-credentials") != "false":
                continue
            alone = options is not None and len(options.entries) == 1
            below = ("with",) if alone else ("with", "persist-credentials")
            edit = remove_key(workflow.tree, (*step.path, *below))
            yield Weakening("zizmor", "artipacked", (edit,))


RULE = FixRule(
    kind=KIND,
    title="Keep the token out of the working copy",
    explanation=EXPLANATION,
    handles={"zizmor": ("artipacked",)},
    propose=propose,
    weaken=in_workflows(_weaken),
)
