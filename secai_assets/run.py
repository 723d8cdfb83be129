"""Starts the flow from the shell, on the same instance that the UI shows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec

import dagster as dg

from secai_assets.instance import OWNER_TAG, open_instance, owner_mark
from secai_assets.partitions import scan_run
from secai_assets.progress import Watch
from secai_assets.resources.house import House
from secai_lib.core.errors import GateRefused, MissingTool, UsageError

CHAIN = ("raw_scans", "findings", "route_tables", "code_contexts")
"""What is made of each scan run."""
ORDER = (
    *(*CHAIN, "problems", "fixes", "report"),
    *("base_model", "embedding_model", "analyses", "knowledge_base"),
    *("forge_pairs", "stage1_dataset", "stage2_dataset"),
    *("stage1_adapter", "stage2_adapter", "evaluation"),
    *("stage1_peft", "stage2_peft", "fused_model"),
    *("published_dataset", "published_stage1_model", "published_stage2_model"),
)
"""Asset names in the order of the flow; `--until` takes one of them, or `all`."""
NEED_MODELS = frozenset(ORDER[7:]) - {"forge_pairs"}
"""Assets that need the model packages of `make setup`."""
MODEL_PACKAGES = (
    *("torch", "transformers", "sentence_transformers", "faiss", "llguidance"),
    *("peft", "safetensors", "mlx", "mlx_lm"),
)


@dataclass
class Outcome:
    """What became of a run of the flow."""

    failed_steps: dict[str, str] = field(default_factory=dict)
    """Step -> why it failed, as a sentence."""
    made: set[str] = field(default_factory=set)
    """The assets that are there now, their blocking checks passed."""
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
    house: House,
    keys: Sequence[str],
    *,
    until: str = "report",
    refresh: bool = False,
    watch: Callable[[], Watch] = Watch,
) -> Outcome:
    """Materialize `until` and all it is made of: the chain of every scan run, then the corpus.

    `all` is everything that can be made here; without the model packages that ends at the report
    and the forged pairs. `refresh` asks the model again about problems it has read before.

    Raises:
        UsageError: `until` is no asset.
        MissingTool: `until` needs the model packages.
    """
    wanted, left = wanted_steps(until)
    chain = [name for name in wanted if name in CHAIN]
    rest = [name for name in wanted if name not in chain]
    outcome = Outcome()
    if left:
        outcome.warnings.append(f"{', '.join(left)}: left out, {NO_MODELS}")
    config = {"ops": {"analyses": {"config": {"refresh": True}}}} if refresh else {}
    with open_instance(house.project) as instance, owner_mark(house.project) as mark:
        instance.add_dynamic_partitions(str(scan_run.name), list(keys))
        execute = partial(_execute, house, instance, outcome, watch, mark, config)
        if not chain:  # such as a model alone, which is of no scan run
            keys = []
        if len(keys) == 1:
            execute([*chain, *rest], keys[0])
            return outcome
        for key in keys:
            execute(chain, key)
        if rest:
            execute(rest, None)
    return outcome


def taken(house: House) -> set[str]:
    """Keys of the scan runs of which everything is stored and Dagster knows it.

    A process may be killed between the two; then the chain runs again and finds all of it made.
    """
    last = CHAIN[-1]
    with open_instance(house.project) as instance:
        noted = instance.get_materialized_partitions(dg.AssetKey(last))
    return noted & set(house.store.keys(last))


def run_again(house: House, until: str) -> Outcome:
    """Materialize `until` and what it is made of from the scan runs that are here already.

    Raises:
        UsageError: nothing was scanned yet, or `until` is no asset.
        MissingTool: `until` needs the model packages.
    """
    if not house.store.keys("raw_scans"):
        raise UsageError("nothing was scanned yet: run `secai demo`, `secai run` or `ingest` first")
    return run_flow(house, [], until=until)


QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
NO_MODELS = "the model packages are not installed: run `make setup` to add them"


def models_installed() -> bool:
    """True when the model packages are here; none of them is loaded."""
    return all(find_spec(package) for package in MODEL_PACKAGES)


def wanted_steps(until: str) -> tuple[list[str], list[str]]:
    """The assets up to `until` that can be made here, and those that cannot.

    Raises:
        UsageError: `until` is no asset.
        MissingTool: `until` itself needs packages that are not installed.
    """
    wanted = steps_until(until)
    if models_installed():
        return wanted, []
    left = [name for name in wanted if name in NEED_MODELS]
    if left and until != "all":
        raise MissingTool(f"{until} cannot be made: {NO_MODELS}")
    return [name for name in wanted if name not in NEED_MODELS], left


def steps_until(until: str) -> list[str]:
    """`until` and every asset it is made of, in the order of the flow; all of them for `all`.

    Raises:
        UsageError: `until` is no asset.
    """
    from secai_assets.definitions import defs  # the corridor is loaded only when it is walked

    if until == "all":
        return list(ORDER)
    if until not in ORDER:
        raise UsageError(f"{until} is no asset; choose one of {', '.join(ORDER)} or all")
    key = dg.AssetKey(until)
    keys = {key, *defs.resolve_asset_graph().get_ancestor_asset_keys(key)}
    return [name for name in ORDER if dg.AssetKey(name) in keys]


def _execute(
    house: House,
    instance: dg.DagsterInstance,
    outcome: Outcome,
    watch: Callable[[], Watch],
    mark: str,
    config: Mapping[str, object],
    names: Sequence[str],
    key: str | None,
) -> None:
    from secai_assets.definitions import build

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
            run_config={**QUIET, **(config if "analyses" in names else {})},
        )
    _collect(result, outcome)
    bad = {line.partition(".")[0] for line in outcome.failed_checks}
    made = {event.asset_key for event in result.get_asset_materialization_events()}
    outcome.made |= {key.to_user_string() for key in made if key} - bad


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
