"""Who calls a reusable workflow of the repository, and with which permissions."""

from collections.abc import Iterator, Mapping

from secai_lib.core.fix import SourceFiles
from secai_lib.fixes.rule import Abstain
from secai_lib.fixes.workflow import Workflow, text_of
from secai_lib.fixes.yaml_tree import YamlNode, YamlRefused, YamlTree

_FOLDER = ".github/workflows/"
_RANK = {"none": 0, "read": 1, "write": 2}


def refuse_more_than_callers(path: str, wanted: Mapping[str, str], files: SourceFiles) -> None:
    """Raise `Abstain` when a caller of the workflow at `path` grants less than `wanted`.

    GitHub refuses the caller's whole workflow when a called job asks for more than its caller has.
    """
    for caller, job, block in _calls(path, files):
        for permission, access in sorted(wanted.items()):
            if _RANK.get(access, 0) > _granted(block, permission):
                raise Abstain(
                    "needs_review",
                    f"The job {job} of {caller} calls this workflow without {permission}: {access}"
                    ", which a job here seems to need, and a called job may not ask for more than "
                    "its caller has: grant it there first, or leave it out here.",
                )


def _calls(path: str, files: SourceFiles) -> Iterator[tuple[str, str, YamlNode]]:
    """Caller, job and the permissions in force, where any are written down."""
    for caller in files.paths():
        if not caller.startswith(_FOLDER) or not caller.endswith((".yml", ".yaml")):
            continue
        text = files.read(caller) or ""
        if f"./{path}" not in text:
            continue
        try:
            workflow = Workflow(YamlTree.parse(caller, text))
        except YamlRefused:
            continue
        for name, job in workflow.jobs():
            block = job.get("permissions") or workflow.root.get("permissions")
            if block is not None and text_of(job.get("uses")) == f"./{path}":
                yield caller, name, block


def _granted(block: YamlNode, permission: str) -> int:
    if block.kind == "mapping":
        return _RANK.get(text_of(block.get(permission)), 0)
    return {"write-all": 2, "read-all": 1}.get(block.text, 0)
