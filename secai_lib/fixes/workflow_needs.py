"""What a job does with its token: the permissions it evidently needs."""

import re

from secai_lib.core.fix import SourceFiles
from secai_lib.fixes.rule import Abstain
from secai_lib.fixes.workflow import Step, Workflow, runs_command, scalars, text_of
from secai_lib.fixes.yaml_tree import YamlNode, YamlTree

Permissions = dict[str, str]
"""Permission -> `read` or `write`."""

READ: Permissions = {"contents": "read"}

_ACTIONS: dict[str, Permissions] = {
    "softprops/action-gh-release": {"contents": "write"},
    "ncipollo/release-action": {"contents": "write"},
    "actions/create-release": {"contents": "write"},
    "actions/upload-release-asset": {"contents": "write"},
    "stefanzweifel/git-auto-commit-action": {"contents": "write"},
    "endbug/add-and-commit": {"contents": "write"},
    "ad-m/github-push-action": {"contents": "write"},
    "jamesives/github-pages-deploy-action": {"contents": "write"},
    "peaceiris/actions-gh-pages": {"contents": "write"},
    "peter-evans/create-pull-request": {"contents": "write", "pull-requests": "write"},
    "github/codeql-action/upload-sarif": {"security-events": "write"},
    "github/codeql-action/analyze": {"security-events": "write"},
    "marocchino/sticky-pull-request-comment": {"pull-requests": "write"},
    "peter-evans/create-or-update-comment": {"issues": "write", "pull-requests": "write"},
    "actions/labeler": {"pull-requests": "write"},
    "actions/stale": {"issues": "write", "pull-requests": "write"},
    "actions/dependency-review-action": {},
    "dorny/test-reporter": {"checks": "write"},
    "mikepenz/action-junit-report": {"checks": "write"},
    "enricomi/publish-unit-test-result-action": {"checks": "write", "pull-requests": "write"},
    "dorny/paths-filter": {"pull-requests": "read"},
}
_COMMANDS: tuple[tuple[str, Permissions], ...] = (
    (r"git\s+(?:-\S+\s+(?:\S+\s+)?)?push", {"contents": "write"}),
    (r"gh\s+release\s+(?:create|upload|edit|delete)", {"contents": "write"}),
    (r"gh\s+pr\s+(?:comment|create|edit|close|review|ready|reopen)", {"pull-requests": "write"}),
    (r"gh\s+pr\s+merge", {"contents": "write", "pull-requests": "write"}),
    (r"gh\s+issue\s+(?:create|comment|edit|close|reopen|delete)", {"issues": "write"}),
    (r"gh\s+run\s+(?:list|view|download|watch)", {"actions": "read"}),
)
_READ_ONLY = re.compile(
    r"actions/(?:checkout|cache|setup-[\w-]+|upload-artifact|download-artifact)(?:/\w+)?"
    r"|gradle/[\w/-]+|docker/(?:setup-[\w-]+|metadata-action)|aquasecurity/(?:setup-)?trivy[\w-]*"
)
_ENV = re.compile(r"\$\{\{\s*env\.(\w+)\s*\}\}")
_TOKEN = re.compile(r"secrets\s*\.\s*GITHUB_TOKEN|github\s*\.\s*token", re.IGNORECASE)


def needs(workflow: Workflow, job: str, node: YamlNode, files: SourceFiles) -> Permissions:
    """The least permissions of a job that has none of its own, `contents: read` included.

    Raises `Abstain` (`needs_review`) where the job hands its token to something we do not know.
    """
    found = dict(READ)
    called = text_of(node.get("uses"))
    if called:
        _merge(found, _called(called, files))
    for step in workflow.steps(job):
        _merge(found, _step_needs(workflow, job, step))
    return found


def _step_needs(workflow: Workflow, job: str, step: Step) -> Permissions:
    script, action = step.text("run"), step.action
    found: Permissions = {}
    known = False
    for command, permissions in _COMMANDS:
        if script and runs_command(script, command):
            _merge(found, permissions)
            known = True
    if action in _ACTIONS:
        return _ACTIONS[action]
    registry = _registry(workflow, job, step) if action == "docker/login-action" else ""
    if "ghcr.io" in registry or (script and re.search(r"docker\s+login\b.*ghcr\.io", script)):
        return {"packages": "write"} | found
    if action == "actions/github-script":
        raise _review(job, "runs a script with a token (actions/github-script)")
    if known or _READ_ONLY.fullmatch(action):
        return found
    if any(_TOKEN.search(text) for text in scalars(step.node)):
        raise _review(job, f"hands its token to {action or 'a script'}")
    return found


def _registry(workflow: Workflow, job: str, step: Step) -> str:
    """The registry a step logs in to, an `env` of the job or the workflow looked up."""
    written = step.option("registry")
    variable = _ENV.fullmatch(written)
    if variable is None:
        return written
    at_job = workflow.tree.at(("jobs", job, "env", variable[1]))
    return text_of(at_job) or text_of(workflow.tree.at(("env", variable[1])))


def _called(called: str, files: SourceFiles) -> Permissions:
    """What a reusable workflow of the same repository asks for."""
    if not called.startswith("./"):
        raise Abstain("needs_review", f"The workflow {called} is called, and its needs are not "
                      "known; set `permissions` of that job by its documentation.")  # fmt: skip
    path = called.removeprefix("./").partition("@")[0]
    text = files.read(path)
    if text is None:
        raise Abstain("needs_review", f"The called workflow {path} cannot be read.")
    inner = Workflow(YamlTree.parse(path, text))
    found: Permissions = {}
    top = inner.root.get("permissions")
    for name, job in inner.jobs():
        block = job.get("permissions") or top
        if block is not None:
            _merge(found, declared(block))
        elif text_of(job.get("uses")):
            raise Abstain("needs_review", f"{path} calls a further workflow; set its permissions "
                          "first.")  # fmt: skip
        else:
            _merge(found, needs(inner, name, job, files))
    return found


def declared(block: YamlNode) -> Permissions:
    """What a `permissions` block grants; raises `Abstain` for `write-all`."""
    if block.kind == "mapping":
        return {key.text: value.text for key, value in block.entries if value.text != "none"}
    if block.text == "write-all":
        raise Abstain("needs_review", "A called workflow asks for `write-all`; restrict it first.")
    return dict(READ) if block.text == "read-all" else {}


def _merge(into: Permissions, more: Permissions) -> None:
    for name, access in more.items():
        if into.get(name) != "write":
            into[name] = access


def _review(job: str, what: str) -> Abstain:
    return Abstain("needs_review", f"The job {job} {what}, so the least permissions it needs "
                   "cannot be told from the workflow: set them by hand.")  # fmt: skip
