"""Workflows whose token may do more than the jobs need."""

from collections.abc import Iterator, Mapping

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Edit, Proposal, SourceFiles
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.rule import Abstain, FixRule, Weakening
from secai_lib.fixes.workflow import Workflow, in_workflows, line_in, text_of, workflow_of
from secai_lib.fixes.workflow_callers import refuse_more_than_callers
from secai_lib.fixes.workflow_needs import READ, Permissions, declared, needs
from secai_lib.fixes.yaml_edit import insert_key, remove_key, set_scalar
from secai_lib.fixes.yaml_tree import YamlNode

KIND = "workflow-permissions"
EXPLANATION = """\
Without a `permissions` block (or with `write-all`) every step of the workflow holds a token that
can usually write to the repository, so one compromised action or dependency can push code or
publish releases. With `permissions: contents: read` at the top the token can only read. Jobs that
evidently write (a release, a package, a comment, a code scanning upload) get exactly that
permission at the job. What a job does through programs of its own cannot be seen here: when a
step fails with `Resource not accessible by integration`, add the permission it names to that job.
"""


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """The least permissions for the place the finding is about."""
    workflow = workflow_of(finding, files)
    root = workflow.root
    if root.get("jobs") is None:
        raise Abstain("not_found", "There are no jobs in this workflow.")
    job = _job_with_block(workflow, finding)
    top = root.get("permissions")
    if job is not None:
        return (_at_job(workflow, *job, files),)
    if top is None or text_of(top) in ("write-all", "read-all"):
        return (_at_top(workflow, top, files),)
    if top.kind == "mapping" and any(value.text == "write" for _, value in top.entries):
        return (_moved_to_jobs(workflow, top),)
    raise Abstain("not_found", "The workflow has a restricted `permissions` block already.")


def _job_with_block(workflow: Workflow, finding: Finding) -> tuple[str, YamlNode] | None:
    """The job whose own `permissions: write-all` (or `read-all`) the finding names."""
    if finding.result.tool != "zizmor":
        return None
    found = workflow.tree.path_at(line_in(finding))
    path = found[1] if found else ()
    if len(path) == 3 and path[0] == "jobs" and path[2] == "permissions":
        job = workflow.tree.at(path[:2])
        return (str(path[1]), job) if job is not None else None
    return None


def _at_job(workflow: Workflow, name: str, job: YamlNode, files: SourceFiles) -> Proposal:
    block = job.get("permissions")
    if block is None or text_of(block) not in ("write-all", "read-all"):
        raise Abstain("not_found", f"The job {name} names its permissions one by one already.")
    least = needs(workflow, name, job, files)
    edit = _replace(workflow, ("jobs", name, "permissions"), job, least)
    return _proposal(f"Give the job {name} only the permissions it needs", "job-level", edit)


def _at_top(workflow: Workflow, top: YamlNode | None, files: SourceFiles) -> Proposal:
    edits = []
    for name, job in workflow.jobs():
        least = needs(workflow, name, job, files) if job.get("permissions") is None else READ
        if least != READ:
            refuse_more_than_callers(workflow.tree.path, least, files)
            edits.append(_into_job(workflow, name, job, least))
    if top is not None:
        edits.append(_replace(workflow, ("permissions",), workflow.root, READ))
    else:
        keys = workflow.root.keys()
        after = next((k for k in ("on", "run-name", "name") if k in keys), "")
        before = "" if after else keys[0]
        edits.append(insert_key(workflow.tree, (), "permissions", READ, after=after, before=before))
    approach = "minimal" if len(edits) == 1 else "job-level"
    return _proposal("Restrict the workflow's token to reading", approach, *edits)


def _moved_to_jobs(workflow: Workflow, top: YamlNode) -> Proposal:
    """The same permissions, but named at each job instead of for every job to come."""
    granted = declared(top)
    edits = [_into_job(workflow, name, job, granted)
             for name, job in workflow.jobs() if job.get("permissions") is None]  # fmt: skip
    edits.append(_replace(workflow, ("permissions",), workflow.root, READ))
    return _proposal("Grant write permissions at the jobs that had them", "moved", *edits)


def _into_job(workflow: Workflow, name: str, job: YamlNode, permissions: Mapping[str, str]) -> Edit:
    after = next((k for k in ("runs-on", "uses", "name") if k in job.keys()), "")  # noqa: SIM118
    value = dict(sorted(permissions.items()))
    return insert_key(workflow.tree, ("jobs", name), "permissions", value, after=after)


def _replace(
    workflow: Workflow, path: tuple[str, ...], parent: YamlNode, value: Permissions
) -> Edit:
    """Another value for a block: in block style, as everybody writes it."""
    written = dict(sorted(value.items()))
    pair = parent.entry(path[-1])
    if pair is None or parent.flow or pair[1].flow:
        return set_scalar(workflow.tree, path, written)
    key, old = pair
    fresh = insert_key(workflow.tree, path[:-1], f"{path[-1]}-", written, after=path[-1])
    body = fresh.replacement.lstrip().partition(":")[2]
    return Edit(path=workflow.tree.path, start=key.end + 1, end=old.end,
                replacement=body.rstrip("\r\n"))  # fmt: skip


def _proposal(title: str, approach: str, *edits: Edit) -> Proposal:
    ordered = tuple(sorted(edits, key=lambda edit: edit.start))
    return Proposal(
        kind=KIND, approach=approach, title=title, explanation=EXPLANATION, edits=ordered
    )


def _weaken(workflow: Workflow) -> Iterator[Weakening]:
    """The block taken away or opened, at the top and at each job."""
    tree = workflow.tree
    top = workflow.root.get("permissions")
    if top is not None and not top.alias:
        if any(job.get("permissions") is None for _, job in workflow.jobs()):
            gone = remove_key(tree, ("permissions",))
            yield Weakening("zizmor", "excessive-permissions", (gone,))
        yield Weakening("checkov", "CKV2_GHA_1", _opened(workflow, workflow.root))
        for key, value in top.entries:
            if value.text == "read":
                more = set_scalar(tree, ("permissions", key.text), "write")
                yield Weakening("zizmor", "excessive-permissions", (more,))
    for _, job in workflow.jobs():
        if job.get("permissions") is not None:
            yield Weakening("zizmor", "excessive-permissions", _opened(workflow, job))


def _opened(workflow: Workflow, parent: YamlNode) -> tuple[Edit, ...]:
    pair = parent.entry("permissions")
    if pair is None or pair[1].alias or pair[1].anchor:
        return ()
    start = workflow.tree.text.index(":", pair[0].end) + 1
    return (Edit(path=workflow.tree.path, start=start, end=pair[1].end, replacement=" write-all"),)


RULE = FixRule(
    kind=KIND,
    title="Restrict a workflow's token",
    explanation=EXPLANATION,
    handles={"checkov": ("CKV2_GHA_1",), "zizmor": ("excessive-permissions",)},
    propose=propose,
    weaken=in_workflows(_weaken),
)
