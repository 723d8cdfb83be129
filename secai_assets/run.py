"""Starts the flow from the shell, on the same instance that the UI shows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import dagster as dg

from secai_assets.instance import OWNER_TAG, open_instance, owner_mark
from secai_assets.partitions import scan_run
from secai_assets.progress import Watch
from secai_assets.resources.house import House
from secai_lib.core.errors import GateRefused, UsageError

ORDER = ("raw_scans", "findings", "route_tables", "code_contexts", "problems", "fixes", "report")
"""Asset names in the order of the flow; `--until` takes one of them."""


@dataclass
class Outcome:
    """What became of a run of the flow."""

    failed_steps: dict[str, str] = field(default_factory=dict)
    """Step -> why it failed, as a sentence."""
    failed_checks: list[str] = field(default_factory=list)
    """Blocking checks that failed, each `asset.check: sentence`."""
    warnings: list[str] = field(default_factory=list)
    """Other checks that failed, each `asset.check: sentence`."""
    exit_code: int = 0
    """What the command ends with; see `core.errors`."""

    @property
    def ok(self) -> bool:
        """True when every step ran and no blocking check failed."""
        return not self.failed_steps and not self.failed_checks


def run_flow(
    house: House, keys: Sequence[str], *, until: str = "report", watch: Callable[[], Watch] = Watch
) -> Outcome:
    """Materialize the chain of every scan run in `keys`, then the corpus, up to `until`.

    Raises:
        UsageError: `until` is no asset.
    """
    if until not in ORDER:
        raise UsageError(f"{until} is no asset; choose one of {', '.join(ORDER)}")
    wanted = ORDER[: ORDER.index(until) + 1]
    chain = [name for name in wanted if name in ORDER[:4]]
    rest = [name for name in wanted if name not in chain]
    outcome = Outcome()
    with open_instance(house.project) as instance, owner_mark(house.project) as mark:
        instance.add_dynamic_partitions(str(scan_run.name), list(keys))
        if len(keys) == 1:
            _execute(house, instance, [*chain, *rest], keys[0], outcome, watch, mark)
            return outcome
        for key in keys:
            _execute(house, instance, chain, key, outcome, watch, mark)
        if rest:
            _execute(house, instance, rest, None, outcome, watch, mark)
    return outcome


def _execute(
    house: House,
    instance: dg.DagsterInstance,
    names: Sequence[str],
    key: str | None,
    outcome: Outcome,
    watch: Callable[[], Watch],
    mark: str,
) -> None:
    from secai_assets.definitions import build  # the corridor is loaded only when it is walked

    selection = dg.AssetSelection.assets(*names)
    flow = dg.define_asset_job("flow", selection, executor_def=dg.in_process_executor)
    definitions = dg.Definitions.merge(build(house), dg.Definitions(jobs=[flow]))
    with watch() as watching:
        result = definitions.resolve_job_def("flow").execute_in_process(
            instance=instance,
            partition_key=key,
            raise_on_error=False,
            run_id=watching.follow(instance, names),
            tags={OWNER_TAG: mark},
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    _collect(result, outcome)


def _collect(result: dg.ExecuteInProcessResult, outcome: Outcome) -> None:
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed:
            line = f"{evaluation.asset_key.to_user_string()}.{evaluation.check_name}: "
            line += evaluation.description or "failed"
            blocking = evaluation.severity is dg.AssetCheckSeverity.ERROR
            (outcome.failed_checks if blocking else outcome.warnings).append(line)
    for event in result.all_events:
        if event.is_step_failure and event.step_key and not _is_refusal(event):
            outcome.failed_steps[event.step_key] = _why(event)
            outcome.exit_code = outcome.exit_code or _exit_code(event)
    if outcome.failed_checks:
        outcome.exit_code = outcome.exit_code or GateRefused.exit_code


def _is_refusal(event: dg.DagsterEvent) -> bool:
    """True when nothing broke but a blocking check failed, which is told as such."""
    error = event.step_failure_data.error
    return bool(error and error.cls_name == "DagsterAssetCheckFailedError")


def _exit_code(event: dg.DagsterEvent) -> int:
    """The code that `partitions.failure` put into the failure's metadata; 1 for a bug."""
    data = event.step_failure_data.user_failure_data
    code = data.metadata.get("exit_code") if data else None
    return code.value if isinstance(code, dg.IntMetadataValue) and code.value else 1


def _why(event: dg.DagsterEvent) -> str:
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return data.user_failure_data.description
    error = data.error.cause if data.error and data.error.cause else data.error
    return error.message.strip().splitlines()[0] if error and error.message else "failed"
