"""A house whose flow has come to its end: small products of the real layouts, judged as told."""

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import dagster as dg
import numpy as np
from dagster._core.definitions.asset_checks.asset_check_evaluation import (
    AssetCheckEvaluationTargetMaterializationData,
)
from safetensors.numpy import save

from secai_assets.assets import published_dataset, published_stage1_model, published_stage2_model
from secai_assets.checks import published_dataset as published_dataset_checks
from secai_assets.checks import published_stage1_model as published_stage1_model_checks
from secai_assets.checks import published_stage2_model as published_stage2_model_checks
from secai_assets.checks.evaluation import SCORE_GATES
from secai_assets.resources.house import House
from secai_lib.core.adapter import Adapter, ModuleFacts, Stage
from secai_lib.core.evaluation import Evaluation, Score
from secai_lib.core.manifest import Origin
from secai_lib.core.model import Model
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.core.settings import PublicationSettings, Settings
from secai_lib.core.training import Split, TrainingExample
from secai_lib.datasets.export import dataset_files
from secai_lib.gateways.config import Project
from tests.fakes.training_rows import BODY, RESPONSE, make_training_row

PUBLISHED = ("published_dataset", "published_stage1_model", "published_stage2_model")
UPSTREAM: Mapping[str, tuple[str, ...]] = {
    "base_model": (),
    "stage1_dataset": ("base_model",),
    "stage2_dataset": ("base_model",),
    "stage1_adapter": ("stage1_dataset",),
    "stage2_adapter": ("stage1_adapter", "stage2_dataset"),
    "stage1_peft": ("stage1_adapter",),
    "stage2_peft": ("stage2_adapter",),
    "fused_model": ("stage2_adapter",),
    "evaluation": ("stage1_adapter", "stage2_adapter"),
}
MODEL = Model(
    name="tiny", uri="local:tiny", revision="1", source_sha256="0" * 64, licence="Apache-2.0",
    licence_origin="README.md", architecture="olmo2", parameters=100_000, size_bytes=1,
    folder="tiny", files={},
)  # fmt: skip
FIX = "<<<\non: push\n===\non: push\npermissions: {}\n>>>"


def rows(stage: Stage, count: int = 10) -> list[TrainingExample]:
    """Rows of one stage, the last two of them of the other parts."""
    splits = [Split.TRAIN] * (count - 2) + [Split.VALIDATION, Split.TEST]
    response = FIX if stage == 2 else RESPONSE
    return [
        make_training_row(stage=stage, body=f"{BODY}\nLine: {at}", response=response).model_copy(
            update={"split": split}
        )
        for at, split in enumerate(splits)
    ]


def adapter(stage: Stage) -> Adapter:
    facts = ModuleFacts(a_shape=(4, 8), b_shape=(8, 4), sha256=f"{stage}" * 64)
    return Adapter(
        stage=stage, engine="torch", base=MODEL.identity, rank=4, scale=2.0, dropout=0.0,
        modules={"model.layers.0.self_attn.q_proj": facts},
        parent="" if stage == 1 else adapter(1).digest,
    )  # fmt: skip


def evaluation() -> Evaluation:
    def score(who: str, stage: Stage, metric: str, passed: int) -> Score:
        return Score(contender=who, stage=stage, metric=metric, group="all", passed=passed,
                     rows=20, low=passed / 20 / 2, high=min(1.0, passed / 20 * 1.2))  # fmt: skip

    return Evaluation(
        scores=(score("base", 1, "all_fields", 1), score("majority", 1, "all_fields", 4),
                score("stage1", 1, "all_fields", 13), score("stage2", 1, "all_fields", 12),
                score("base", 2, "proven", 0), score("stage2", 2, "proven", 11)),
        test_sets={"stage1": "a" * 64, "stage2": "b" * 64},
        asked={"stage1": ("x",) * 20, "stage2": ("y",) * 20},
        asked_untrained={"stage1": ("x",) * 20, "stage2": ("y",) * 20},
        models={"base": MODEL.identity} | {
            "stage1": f"{MODEL.identity}+{adapter(1).digest}",
            "stage2": f"{MODEL.identity}+{adapter(2).digest}",
        },
        confidence=0.95,
    )  # fmt: skip


MADE_OF: Mapping[Stage, tuple[str, ...]] = {
    1: ("stage1_dataset",), 2: ("stage1_dataset", "stage2_dataset", "stage1_adapter")
}  # fmt: skip
"""Stage -> products its adapter is made of."""


def put(house: House, product: str, files: Mapping[str, bytes], **made_of: str) -> None:
    """Store `files` as made of the products `made_of` (name in the origin -> product)."""
    inputs = {name: content_hash(house.store.require(of).files) for name, of in made_of.items()}
    origin = Origin(inputs=inputs, settings="", code_version="")
    house.store.publish(product, files, origin=origin, counts={})


def finished_house(
    home: Path,
    *,
    publication: PublicationSettings | None = None,
    model: Model = MODEL,
    stage2: Sequence[TrainingExample] | None = None,
    config: Mapping[str, Any] = {},
) -> House:
    """The house below `home`; `config` is laid over the Stage 2 adapter's `adapter_config.json`."""
    settings = Settings(publication=publication or PublicationSettings())
    house = House(Project(root=home, settings=settings))
    put(house, "base_model", {"model.json": canonical_json(model).encode()})
    making = {"left_out": {"secret": 1}, "max_similarity": 0.1, "template": {}, "tokens": {}}
    for stage in cast("list[Stage]", [1, 2]):
        files = dataset_files(stage2 if stage == 2 and stage2 else rows(stage), stage)
        files["making.json"] = canonical_json(making).encode()
        if stage == 2:
            files["multi_approach_dataset.jsonl"] = b""
            files["certificates/a.json"] = b'{"fix":"a"}'
        put(house, f"stage{stage}_dataset", files)
        one = adapter(stage)
        training = {"engine": "torch 2", "in_use": {"rank": 4, "learning_rate": 0.0005},
                    "steps": [{"loss": 1.5}] * 3, "best_step": 2, "probe_before": 2.25,
                    "probe_after": 1.125, "seen": {"rows": 12, "padding": 0.03}}  # fmt: skip
        put(house, f"stage{stage}_adapter", {
            "adapter.json": canonical_json(one).encode(),
            "training.json": canonical_json(training).encode(),
        }, **{name: name for name in MADE_OF[stage]})  # fmt: skip
        kept = {"peft_type": "LORA", "r": 4, **(config if stage == 2 else {})}
        parity = {"adapter": one.digest, "peft_change": 1.7e-6, "mlx_change": 2.5e-6}
        numbers = save({"a": np.ones((4, 8), np.float32)})
        put(house, f"stage{stage}_peft", {
            "adapter_model.safetensors": numbers, "mlx/adapters.safetensors": numbers,
            "adapter_config.json": canonical_json(kept).encode(), "README.md": b"of the export",
            "parity.json": canonical_json(parity).encode(),
        })  # fmt: skip
    fused = {"survival": [{"precision": "float16", "overall": 0.9987}], "logit_change": 0.01}
    put(house, "fused_model", {"fused.json": json.dumps(fused).encode()}, adapter="stage2_adapter")
    put(house, "evaluation", {"evaluation.json": canonical_json(evaluation()).encode()},
        **{name: name for name in (*MADE_OF[2], "stage2_adapter")})  # fmt: skip
    return house


class Corridor:
    """Assets and checks round a finished house; `failing` checks (`asset.check`) fail."""

    def __init__(self, house: House, failing: Sequence[str] = ()) -> None:
        self.house, self.failing = house, set(failing)

    def build(self, house: House | None = None) -> dg.Definitions:
        """All definitions; stands where `secai_assets.definitions.build` stands."""
        return self._definitions

    @cached_property
    def _definitions(self) -> dg.Definitions:
        upstream = [self._asset(name, deps) for name, deps in UPSTREAM.items()]
        published = dg.load_assets_from_modules(
            [published_dataset, published_stage1_model, published_stage2_model]
        )
        checks = [self._checks(asset) for asset in upstream]
        return dg.Definitions(
            assets=[*upstream, *published],
            asset_checks=[
                *checks,
                *dg.load_asset_checks_from_modules([
                    published_dataset_checks, published_stage1_model_checks,
                    published_stage2_model_checks,
                ]),
            ],
            resources={"house": self.house},
            executor=dg.in_process_executor,
        )  # fmt: skip

    def run(
        self, instance: dg.DagsterInstance, *assets: str, checks: bool = True
    ) -> dg.ExecuteInProcessResult:
        """Materialize `assets` (default: all), with their `checks` or without."""
        wanted: dg.AssetSelection = dg.AssetSelection.assets(*(assets or (*UPSTREAM, *PUBLISHED)))
        wanted = wanted if checks else wanted.without_checks()
        definitions = dg.Definitions.merge(
            self.build(), dg.Definitions(jobs=[dg.define_asset_job("flow", wanted)])
        )
        job = definitions.resolve_job_def("flow")
        return job.execute_in_process(instance=instance, raise_on_error=False)

    def settle(self, instance: dg.DagsterInstance, *assets: str, checks: bool = True) -> None:
        """Tell `instance` what `run` of upstream `assets` (default: all) would; much quicker."""
        for asset in assets or UPSTREAM:
            instance.report_runless_asset_event(dg.AssetMaterialization(asset))
            if checks:
                self.check(instance, asset)

    def check(self, instance: dg.DagsterInstance, asset: str) -> None:
        """Tell `instance` what the checks of the upstream `asset` say of what is there now."""
        (newest,) = instance.fetch_materializations(dg.AssetKey(asset), limit=1).records
        for name in _names(asset):
            bad = f"{asset}.{name}" in self.failing
            instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    asset_key=dg.AssetKey(asset),
                    check_name=name,
                    passed=not bad,
                    severity=_severity(name),
                    description=_said(name, bad=bad),
                    metadata={name: dg.MetadataValue.float(n) for name, n in NUMBERS.items()},
                    target_materialization_data=AssetCheckEvaluationTargetMaterializationData(
                        storage_id=newest.storage_id,
                        run_id=newest.run_id,
                        timestamp=newest.timestamp,
                    ),
                )
            )

    def run_check(self, instance: dg.DagsterInstance, asset: str) -> dg.ExecuteInProcessResult:
        """Run the checks of `asset` alone."""
        wanted = dg.AssetSelection.checks_for_assets(dg.AssetKey(asset))
        definitions = dg.Definitions.merge(
            self.build(), dg.Definitions(jobs=[dg.define_asset_job("checks", wanted)])
        )
        job = definitions.resolve_job_def("checks")
        return job.execute_in_process(instance=instance, raise_on_error=False)

    def _asset(self, name: str, deps: tuple[str, ...]) -> dg.AssetsDefinition:
        @dg.asset(name=name, deps=list(deps))
        def made() -> None:
            """In the store already."""

        return made

    def _checks(self, asset: dg.AssetsDefinition) -> dg.AssetChecksDefinition:
        name = asset.key.to_user_string()
        specs = [dg.AssetCheckSpec(n, asset=asset, blocking=n == "leak") for n in _names(name)]

        @dg.multi_asset_check(specs=specs, name=f"{name}_checks", can_subset=True)
        def checks(context: dg.AssetCheckExecutionContext) -> Any:
            for key in sorted(context.selected_asset_check_keys, key=str):
                bad = f"{name}.{key.name}" in self.failing
                yield dg.AssetCheckResult(
                    asset_key=name,
                    check_name=key.name,
                    passed=not bad,
                    severity=_severity(key.name),
                    description=_said(key.name, bad=bad),
                    metadata=NUMBERS,
                )

        return checks


NUMBERS = {"value": 0.25, "threshold": 0.75}


def _names(asset: str) -> list[str]:
    return ["leak", *(SCORE_GATES if asset == "evaluation" else ())]


def _severity(check: str) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.ERROR if check == "leak" else dg.AssetCheckSeverity.WARN


def _said(check: str, *, bad: bool) -> str:
    return f"{check} is {'bad' if bad else 'good'}"
