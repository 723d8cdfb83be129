"""How a verdict of `secai_lib.quality` becomes the result of an asset check."""

from collections.abc import Callable, Iterable, Iterator

import dagster as dg

from secai_lib.core.verdict import Verdict


def wear(
    context: dg.AssetCheckExecutionContext,
    verdicts: Iterable[Verdict],
    *,
    asset: str,
    warnings: frozenset[str] = frozenset(),
) -> Iterator[dg.AssetCheckResult]:
    """A check result for each of `verdicts` that was asked for; the UI may start one alone.

    Value and threshold become metadata, which the UI plots over time. The checks named in
    `warnings` warn, the others are errors.
    """
    asked = {key.name for key in context.selected_asset_check_keys}
    for verdict in verdicts:
        if verdict.name in asked:
            mild = verdict.name in warnings
            yield dg.AssetCheckResult(
                asset_key=asset,
                check_name=verdict.name,
                passed=verdict.passed,
                severity=dg.AssetCheckSeverity.WARN if mild else dg.AssetCheckSeverity.ERROR,
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
