"""How a verdict of `secai_lib.quality` becomes the result of an asset check."""

from collections.abc import Callable, Iterable, Iterator

import dagster as dg

from secai_lib.core.verdict import Verdict


def worn(verdict: Verdict, *, asset: str, warning: bool = False) -> dg.AssetCheckResult:
    """The check result of `verdict`; value and threshold are plotted over time by the UI."""
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=verdict.name,
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.WARN if warning else dg.AssetCheckSeverity.ERROR,
        description=verdict.sentence,
        metadata={"value": verdict.value, "threshold": verdict.threshold},
    )


def worst_of(keys: Iterable[str], judge: Callable[[str], list[Verdict]]) -> Iterator[Verdict]:
    """For each rule the worst verdict over the partitions of the step: failed ones first."""
    by_name: dict[str, list[Verdict]] = {}
    for key in keys:
        for verdict in judge(key):
            by_name.setdefault(verdict.name, []).append(verdict)
    for verdicts in by_name.values():
        yield next((v for v in verdicts if not v.passed), verdicts[0])
