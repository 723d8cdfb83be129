"""The way of the data in a SARIF result (3.36 `codeFlow`, 3.37 `threadFlow`)."""

from secai_lib.core.finding import SourceLocation
from secai_lib.parsers.node import Node
from secai_lib.parsers.paths import Paths
from secai_lib.parsers.sarif_places import artifact_of, source_of, urlsplit_scheme

MOST_STEPS = 100
"""Steps that are kept of a way; longer ones lose their middle."""


def flow_of(run: Node, result: Node, paths: Paths) -> tuple[SourceLocation, ...]:
    """The steps of the first way that has any, from where the data enters; snippets left out.

    Producers put the shortest way first. Steps outside the repository are left out.
    """
    for flow in result.items("codeFlows"):
        for thread in flow.items("threadFlows"):
            steps = [_step(run, step, paths) for step in _kept(thread.items("locations"))]
            known = tuple(dict.fromkeys(step for step in steps if step is not None))
            if known:
                return known
    return ()


def _kept(steps: list[Node]) -> list[Node]:
    half = MOST_STEPS // 2
    return steps if len(steps) <= MOST_STEPS else steps[:half] + steps[-half:]


def _step(run: Node, step: Node, paths: Paths) -> SourceLocation | None:
    """A step by itself or by its position in `run.threadFlowLocations` (3.38.2)."""
    if not step.get("location"):
        step = run.item(step.integer("index"), "threadFlowLocations") or step
    physical = step.get("location", "physicalLocation")
    artifact = artifact_of(run, physical.get("artifactLocation"))
    uri = artifact.text("uri")
    if urlsplit_scheme(uri) in {"http", "https"}:
        return None
    place = source_of(run, physical, artifact, uri, paths)
    return place.model_copy(update={"snippet": ""}) if isinstance(place, SourceLocation) else None
