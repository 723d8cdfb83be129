"""Whether what is there now may leave: every blocking check, newer than what it checks."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dagster as dg

from secai_assets.checks.evaluation import SCORE_GATES
from secai_assets.in_force import unseen
from secai_lib.core.errors import GateRefused
from secai_lib.publishing.release import Gate

if TYPE_CHECKING:
    from secai_assets.resources.house import House

EXAMINATION = "evaluation"


@dataclass(frozen=True)
class GateLine:
    """One blocking check, or one score gate."""

    asset: str
    check: str
    passed: bool
    sentence: str
    score: bool = False
    """True for a score gate: failed, it stops a push and lets a candidate be written."""
    known: bool = True
    """False when nothing is known of what is there now: never run, or run before it was made."""
    value: float = 0.0
    """What was measured."""
    threshold: float = 0.0
    """What it was measured against."""

    @property
    def refuses(self) -> bool:
        """True when not even a candidate may be written."""
        return not self.passed and not (self.score and self.known)


def judge(
    instance: dg.DagsterInstance,
    definitions: dg.Definitions,
    assets: Collection[str],
    house: "House",
) -> list[GateLine]:
    """A line for every blocking check of the unpartitioned ones of `assets`, sorted; fails closed.

    A check that never ran, did not finish, failed, or ran before the newest materialization
    refuses, and so do an asset that nothing checks and one whose content in the store of `house`
    no materialization tells of (a killed run leaves such). Partitioned assets are judged by the
    corpus: it leaves out partitions that fail. Score gates stand beside the examination's checks.
    """
    graph = definitions.resolve_asset_graph()
    checks = {(key.asset_key.to_user_string(), key.name): key for key in graph.asset_check_keys}
    lines = []
    for asset in sorted(assets):
        key = dg.AssetKey(asset)
        if not graph.has(key):
            lines.append(GateLine(asset, "", False, "there is no such asset here", known=False))
            continue
        if graph.get(key).partitions_def is not None:
            continue
        blocking = sorted(name for (of, name), at in checks.items()
                          if of == asset and graph.get(at).blocking)  # fmt: skip
        if not blocking:
            lines.append(GateLine(asset, "", False, "nothing checks this asset", known=False))
        lines += [_line(instance, checks[asset, name], score=False) for name in blocking]
        if asset == EXAMINATION:
            lines += _score_lines(instance, checks)
    return lines + [
        GateLine(asset, "", False, "what is stored is not what was checked; make it again",
                 known=False)
        for asset in unseen(instance, house, assets)
    ]  # fmt: skip


def admit(instance: dg.DagsterInstance, house: "House", asset: str) -> tuple[Gate, ...]:
    """The score gates of what `asset` is made of, when nothing refuses.

    It is asked in the asset itself, so it holds in a run of everything, in a run of the asset
    alone, from the UI and from the shell.

    Raises:
        GateRefused: naming every check that failed, never ran or is stale.
    """
    from secai_assets import definitions  # the corridor is loaded only when it is walked

    made = definitions.build(house)
    key = dg.AssetKey(asset)
    graph = made.resolve_asset_graph()
    if not graph.has(key):
        raise GateRefused(f"{asset} is no asset of this project; nothing was written")
    ancestors = {one.to_user_string() for one in graph.get_ancestor_asset_keys(key)} - {asset}
    if EXAMINATION not in ancestors:
        raise GateRefused(f"{asset} does not rest on {EXAMINATION}; nothing was written")
    lines = judge(instance, made, ancestors, house)
    if refused := [line for line in lines if line.refuses]:
        reasons = "; ".join(f"{_name(line)}: {line.sentence}" for line in refused)
        raise GateRefused(f"the gate refuses {asset}, nothing was written: {reasons}")
    return tuple(
        Gate(name=line.check, passed=line.passed, value=line.value, threshold=line.threshold,
             sentence=line.sentence)
        for line in lines if line.score
    )  # fmt: skip


def _name(line: GateLine) -> str:
    return f"{line.asset}.{line.check}" if line.check else line.asset


def _score_lines(
    instance: dg.DagsterInstance, checks: dict[tuple[str, str], dg.AssetCheckKey]
) -> Iterator[GateLine]:
    for name in SCORE_GATES:
        if key := checks.get((EXAMINATION, name)):
            yield _line(instance, key, score=True)
        else:
            yield GateLine(EXAMINATION, name, False, "this score gate is not there", True, False)


def _line(instance: dg.DagsterInstance, key: dg.AssetCheckKey, *, score: bool) -> GateLine:
    asset = key.asset_key.to_user_string()
    evaluation, unknown = _evaluation(instance, key)
    if evaluation is None:
        return GateLine(asset, key.name, False, unknown, score, known=False)
    numbers = {
        name: float(value.value)
        for name, value in evaluation.metadata.items()
        if isinstance(value, dg.FloatMetadataValue | dg.IntMetadataValue)
        and value.value is not None
    }
    said = evaluation.description or ("passed" if evaluation.passed else "failed")
    passed = evaluation.passed
    if not passed and not score and evaluation.severity is dg.AssetCheckSeverity.WARN:
        passed, said = True, f"warning: {said}"
    value, threshold = numbers.get("value", 0.0), numbers.get("threshold", 0.0)
    return GateLine(asset, key.name, passed, said, score, True, value, threshold)


def _evaluation(
    instance: dg.DagsterInstance, key: dg.AssetCheckKey
) -> tuple[dg.AssetCheckEvaluation | None, str]:
    """What the check says of the newest materialization; None and why when it says nothing."""
    newest = instance.fetch_materializations(key.asset_key, limit=1).records
    if not newest:
        return None, "the asset was never materialized"
    record = instance.get_latest_asset_check_evaluation_record(key)
    evaluation = record.evaluation if record else None
    if record is None or not isinstance(evaluation, dg.AssetCheckEvaluation):
        return None, "the check never finished; materialize the asset again"
    target = evaluation.target_materialization_data
    # In a run with a partition Dagster does not record which materialization of an unpartitioned
    # asset a check looked at; there the run tells, because a check runs after its asset.
    same = (
        target.storage_id == newest[0].storage_id if target else (record.run_id == newest[0].run_id)
    )
    if not same:
        return None, "the check is older than the newest materialization; run it again"
    return evaluation, ""
