"""Whether what is there now may leave: every blocking check, newer than what it checks."""

from collections.abc import Collection
from dataclasses import dataclass

import dagster as dg


@dataclass(frozen=True)
class GateLine:
    """One blocking check."""

    asset: str
    check: str
    passed: bool
    sentence: str


def judge(
    instance: dg.DagsterInstance, definitions: dg.Definitions, assets: Collection[str]
) -> list[GateLine]:
    """A line for every blocking check of the unpartitioned ones of `assets`, sorted; fails closed.

    A check that never ran, did not finish, failed, or ran before the newest materialization
    refuses. Partitioned assets are judged by the corpus: it leaves out partitions that fail.
    """
    graph = definitions.resolve_asset_graph()
    lines = []
    for key in sorted(graph.asset_check_keys, key=str):
        if key.asset_key.to_user_string() not in assets or not graph.get(key).blocking:
            continue
        if graph.get(key.asset_key).partitions_def is not None:
            continue
        passed, sentence = _state(instance, key)
        lines.append(GateLine(key.asset_key.to_user_string(), key.name, passed, sentence))
    return lines


def _state(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> tuple[bool, str]:
    newest = instance.fetch_materializations(key.asset_key, limit=1).records
    if not newest:
        return False, "the asset was never materialized"
    record = instance.get_latest_asset_check_evaluation_record(key)
    evaluation = record.evaluation if record else None
    if record is None or not isinstance(evaluation, dg.AssetCheckEvaluation):
        return False, "the check never finished; materialize the asset again"
    target = evaluation.target_materialization_data
    # In a run with a partition Dagster does not record which materialization of an unpartitioned
    # asset a check looked at; there the run tells, because a check runs after its asset.
    same = (
        target.storage_id == newest[0].storage_id if target else (record.run_id == newest[0].run_id)
    )
    if not same:
        return False, "the check is older than the newest materialization; run it again"
    if evaluation.passed:
        return True, evaluation.description or "passed"
    if evaluation.severity is dg.AssetCheckSeverity.WARN:
        return True, f"warning: {evaluation.description}"
    return False, evaluation.description or "failed"
