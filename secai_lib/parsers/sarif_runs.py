"""The runs of a SARIF log, and what they say about themselves."""

from collections.abc import Iterator

from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Broken, Json, Node
from secai_lib.parsers.tally import Tally

_NOTIFICATIONS = ("toolExecutionNotifications", "toolConfigurationNotifications")
_UNKNOWN: Json = {"name": "unknown"}


def is_external(value: Json) -> bool:
    """Whether `value` is an external property file (3.15.2, 4) with results of some run."""
    if not isinstance(value, dict) or not isinstance(value.get("results"), list):
        return False
    return "sarif-external-property" in str(value.get("schema", value.get("$schema", ""))).lower()


def runs_of(document: Document) -> Iterator[Node]:
    """The runs of the log, then the results that stand outside of them (3.13.5, 3.15.3).

    An external property file and an inline one name the run they belong to by its guid; without
    that run its tool is unknown.
    """
    root = document.root
    if is_external(root.value):
        yield _completed(root, _UNKNOWN)
        return
    runs = root.items("runs")
    yield from runs
    drivers = {run.text("automationDetails", "guid"): run.get("tool", "driver") for run in runs}
    for outside in root.items("inlineExternalProperties"):
        guid = outside.text("runGuid")
        driver = drivers[guid].value if guid and guid in drivers else _UNKNOWN
        if outside.items("results"):
            yield _completed(outside, driver)


def _completed(outside: Node, driver: Json) -> Node:
    """The properties in the shape of a run; the values are the same, so masking them works."""
    own = outside.members()
    tool: Json = {"driver": own.get("driver") or driver, "extensions": own.get("extensions") or []}
    return Node({**own, "tool": tool}, outside.pointer)


def note_run(tally: Tally, tool: str, run: Node) -> None:
    """Record what is missing from `run`: results in other files, failures of the scanner."""
    try:
        _note_other_files(tally, tool, run)
        for number, call in enumerate(run.items("invocations")):
            if call.get("executionSuccessful").value is False:
                tally.note(tool, call, f"the scanner says its invocation {number} did not succeed")
            for kind in _NOTIFICATIONS:
                for notice in call.items(kind):
                    if notice.text("level") == "error":
                        # Not its message, which may show a path of the scanning machine.
                        name = notice.scalar("descriptor", "id") or "without a name"
                        tally.note(tool, notice, f"the scanner reports an error ({name[:100]})")
    except Broken as error:
        tally.note(tool, run, f"what the run says of itself is broken: {error.reason}")


def _note_other_files(tally: Tally, tool: str, run: Node) -> None:
    for reference in run.items("externalPropertyFileReferences", "results"):
        name = reference.text("location", "uri").rpartition("/")[2][:100] or "without a name"
        reason = f"the results stand in another file ({name}); read that file too"
        count = reference.integer("itemCount")
        if count and count > 0:
            tally.leave_out(tool, reference, reason, results=count)
        else:
            tally.note(tool, reference, reason)
