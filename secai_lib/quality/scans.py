"""Is what came in whole?"""

from secai_lib.core.scan import ScanRun, ToolStatus
from secai_lib.core.settings import Quality
from secai_lib.core.verdict import Verdict
from secai_lib.quality.limits import at_least, at_most


def archives_ok(run: ScanRun) -> Verdict:
    """No archive or folder of the run broke a limit or tried to escape."""
    return at_most(
        "archives_ok",
        len(run.skipped_files),
        0,
        good="Every file was taken.",
        bad="Not taken: "
        + "; ".join(run.skipped_files[:5])
        + ". Limits are in config/platform.yaml.",
    )


def not_expired(run: ScanRun) -> Verdict:
    """GitHub still had the artifacts."""
    return at_most(
        "not_expired",
        max(len(run.gone), int(run.expired)),
        0,
        good="The artifacts were there.",
        bad=f"GitHub has deleted {'the' if run.expired else 'some'} artifacts of this run"
        + "".join(f", {name}" for name in run.gone[:5])
        + "; raise retention-days in the workflow.",
    )


def expected_tools(run: ScanRun, quality: Quality) -> Verdict:
    """Enough of the expected scanners ran; an absent one is not a clean one."""
    missing = [t for t in run.tools if t.status is not ToolStatus.RAN]
    share = 1 - len(missing) / len(run.tools) if run.tools else 0.0
    names = ", ".join(f"{t.tool} ({t.status.value})" for t in missing) or "none"
    return at_least(
        "expected_tools",
        round(share, 4),
        quality.raw_min_tools,
        good=f"Enough scanners ran; missing: {names}.",
        bad=f"Too few scanners ran; missing: {names}. `secai doctor` says how to install them.",
    )
