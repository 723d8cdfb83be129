"""Every setting that is changed behind the trainer's back is named."""

from collections.abc import Mapping
from typing import Any

import pytest

from secai_lib.core.settings import LoraSettings, StageSettings
from secai_lib.gateways.adapter_files import facts_of
from secai_lib.training import Rows, Trained, make_work, train
from secai_lib.training.evidence import as_table, differences, evidence
from tests.fakes.train_engine import NumpyTrainEngine
from tests.fakes.training_work import SETTINGS, MemoryCheckpoints, make_rows


def trained(settings: StageSettings = SETTINGS, rows: Rows | None = None, **engine: Any) -> Trained:
    work = make_work(1, "base", settings, rows or make_rows(1))
    opened = NumpyTrainEngine(work.rows, settings, **engine)
    return train(opened, work, MemoryCheckpoints(), facts_of=facts_of, tolerance=1e-3)


def wrong(made: Trained, settings: StageSettings) -> list[str]:
    return differences(evidence(made.training, made.adapter, settings))


@pytest.fixture(scope="module")
def made() -> Trained:
    return trained()


def test_all_settings_arrive_and_no_setting_is_left_out(made: Trained) -> None:
    assert wrong(made, SETTINGS) == []
    compared = " ".join(row["setting"] for row in as_table(  # type: ignore[misc]
        evidence(made.training, made.adapter, SETTINGS)))  # fmt: skip
    names = {*StageSettings.model_fields, *LoraSettings.model_fields} - {"lora", "early_stop"}
    assert {name for name in names if name.split("_")[0] not in compared} == set()


CHANGES: list[Mapping[str, Any]] = [
    {"iterations": 19}, {"batch_size": 5}, {"accumulation": 1}, {"learning_rate": 0.04},
    {"schedule": "constant"}, {"warmup": 0.2}, {"weight_decay": 0.1}, {"clip_norm": 2.0},
    {"validate_every": 6}, {"validation_rows": 3}, {"checkpoint_every": 3}, {"max_tokens": 64},
    {"seed": 18}, {"probe_rows": 4}, {"label_weight": 2.0}, {"engine": "mlx"}, {"early_stop": 1},
    {"lora": {"rank": 3}}, {"lora": {"scale": 3.0}}, {"lora": {"dropout": 0.2}},
    {"lora": {"layers": 2}}, {"lora": {"targets": "attention"}},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_setting_that_is_another_today_is_named(made: Trained, change: dict[str, Any]) -> None:
    asked = SETTINGS.model_dump()
    lora = asked["lora"] | change.get("lora", {})
    settings = StageSettings.model_validate(asked | change | {"lora": lora})
    found = wrong(made, settings)
    name = next(iter(change.get("lora", change)))
    if name in {"max_tokens", "early_stop"}:  # nothing here would have been otherwise
        assert found == []
    else:
        assert any(name.split("_")[0] in line.partition(":")[0] for line in found), found


@pytest.mark.parametrize("name", ["rank", "scale", "weight_decay", "clip_norm"])
def test_an_engine_that_ignores_a_setting_is_found_out(name: str) -> None:
    found = wrong(trained(ignores=frozenset({name})), SETTINGS)
    assert any(name in line for line in found)


def test_another_limit_of_tokens_is_named_where_it_decides_which_rows_are_read(
    made: Trained,
) -> None:
    short = SETTINGS.model_copy(update={"max_tokens": max(made.training.lengths) - 1})
    assert any(line.startswith("max_tokens:") for line in wrong(made, short))
    long, missed = SETTINGS.model_copy(update={"max_tokens": 600}), {"left_out": 2}
    less = made._replace(training=made.training.model_copy(update=missed))
    assert wrong(less, SETTINGS) == wrong(made, long) == []
    assert [line.partition(":")[0] for line in wrong(less, long)] == ["max_tokens (rows left out)"]


IN_USE = [
    *("rank", "scale", "dropout", "layers", "modules", "trained_weights", "base_frozen"),
    *("optimizer", "learning_rate", "weight_decay", "clip_norm"),
]


@pytest.mark.parametrize("name", IN_USE)
def test_what_each_live_object_says_is_compared(made: Trained, name: str) -> None:
    assert set(IN_USE) == set(made.training.in_use)
    said = made.training.in_use[name]
    other = "sgd" if isinstance(said, str) else said + 1
    training = made.training.model_copy(update={"in_use": {**made.training.in_use, name: other}})
    asked = SETTINGS.model_copy(update={"lora": SETTINGS.lora.model_copy(update={"layers": 1})})
    assert differences(evidence(made.training, made.adapter, asked)) == []
    found = differences(evidence(training, made.adapter, asked))
    assert len(found) == 1, found


def test_matrices_of_another_rank_or_in_other_layers_are_found_out(made: Trained) -> None:
    name, facts = next(iter(made.adapter.modules.items()))
    turned = facts.model_copy(
        update={"a_shape": facts.a_shape[::-1], "b_shape": facts.b_shape[::-1]}
    )
    for modules, setting in (
        ({**made.adapter.modules, name: turned}, "lora.rank (matrices)"),
        ({**made.adapter.modules, "model.layers.1.mlp.up_proj": facts}, "lora.layers (matrices)"),
    ):
        adapter = made.adapter.model_copy(update={"modules": modules})
        found = differences(evidence(made.training, adapter, SETTINGS))
        assert any(line.startswith(setting) for line in found), found


def test_rows_that_were_never_replayed_are_found_out(made: Trained) -> None:
    """The plan of no rows to replay is the plan that was made; only the steps tell."""
    stage2 = made.training.model_copy(update={"stage": 2})
    settings = SETTINGS.model_copy(update={"replay": 0.25})
    found = differences(evidence(stage2, made.adapter, settings))
    assert any(line.startswith("replay (steps): asked 6, found 0") for line in found), found
    own = stage2.model_copy(update={"label_weights": ()})
    assert differences(evidence(own, made.adapter, SETTINGS)) == []


def test_rows_whose_labels_were_lost_or_weigh_otherwise_are_found_out(made: Trained) -> None:
    for weights in ((), (1.0,), (1.0, SETTINGS.label_weight)):
        training = made.training.model_copy(update={"label_weights": weights})
        assert [line.partition(":")[0] for line in differences(
            evidence(training, made.adapter, SETTINGS))] == ["label_weight"]  # fmt: skip


def test_rates_of_a_plateau_and_an_early_stop_are_computed_again() -> None:
    plateau = SETTINGS.model_copy(
        update={"schedule": "plateau", "validate_every": 1, "plateau_patience": 1, "early_stop": 6}
    )
    # validation rows of another rule become worse the more is learnt
    rows = Rows(train=make_rows(1).train, validation=make_rows(2).validation)
    made = trained(plateau, rows)
    assert len({step.learning_rate for step in made.training.steps}) > 3
    assert made.training.stopped_early
    assert wrong(made, plateau) == []
    for change in ({"plateau_factor": 0.9}, {"plateau_patience": 3}, {"early_stop": 0}):
        assert wrong(made, plateau.model_copy(update=change))
