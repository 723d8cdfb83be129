"""There and back with numbers, and what is refused on the way."""

from typing import Any

import numpy as np
import pytest

from secai_lib.core.adapter import LowRank
from secai_lib.core.errors import TrainingError
from secai_lib.peft_export import base_name, from_mlx, from_peft, to_mlx, to_peft
from tests.fakes.adapters import TINY_OLMO, make_adapter
from tests.fakes.records import make_model

BASE = make_model(name="tiny", uri="local:tiny", architecture="olmo2")
ADAPTER, WEIGHTS = make_adapter(BASE.identity)
Q0 = "model.layers.0.self_attn.q_proj"


def same(one: dict[str, LowRank], other: dict[str, LowRank]) -> bool:
    return one.keys() == other.keys() and all(
        np.array_equal(pair.a, other[name].a) and np.array_equal(pair.b, other[name].b)
        for name, pair in one.items()
    )


def test_there_and_back_is_exact() -> None:
    peft = from_peft(*to_peft(WEIGHTS, ADAPTER, BASE))
    mlx = from_mlx(*to_mlx(WEIGHTS, ADAPTER, "tiny", 2))
    for plain in (peft, mlx):
        assert same(plain.weights, WEIGHTS)
        assert (plain.rank, plain.scale, plain.dropout, plain.base) == (4, 3.0, 0.0, "tiny")


def test_each_library_gets_its_names_and_its_way_round() -> None:
    peft, config = to_peft(WEIGHTS, ADAPTER, BASE)
    mlx, _ = to_mlx(WEIGHTS, ADAPTER, "tiny", 2)
    up = "model.layers.1.mlp.up_proj"
    assert np.array_equal(peft[f"base_model.model.{up}.lora_A.weight"], WEIGHTS[up].a)
    assert np.array_equal(peft[f"base_model.model.{up}.lora_B.weight"], WEIGHTS[up].b)
    assert np.array_equal(mlx[f"{up}.lora_a"], WEIGHTS[up].a.T)
    assert np.array_equal(mlx[f"{up}.lora_b"], WEIGHTS[up].b.T)
    assert len(peft) == len(mlx) == 2 * len(WEIGHTS)
    assert config["lora_alpha"] == 12 and config["r"] == 4, "alpha is scale times rank"


@pytest.mark.parametrize(("rank", "scale"), [(8, 20.0), (16, 2.0), (5, 0.3), (3, 1 / 3)])
def test_alpha_is_scale_times_rank_whatever_they_are(rank: int, scale: float) -> None:
    adapter, weights = make_adapter(BASE.identity, rank=rank, scale=scale)
    tensors, config = to_peft(weights, adapter, BASE)
    assert config["lora_alpha"] == pytest.approx(scale * rank)
    assert from_peft(tensors, config).scale == pytest.approx(scale, rel=1e-15)


def test_the_targets_are_those_that_are_there() -> None:
    _, config = to_peft(WEIGHTS, ADAPTER, BASE)
    assert config["target_modules"] == ["down_proj", "o_proj", "q_proj", "up_proj", "v_proj"]
    assert config["layers_to_transform"] == [0, 1]
    uneven = {k: v for k, v in TINY_OLMO.items() if k != Q0}
    adapter, weights = make_adapter(BASE.identity, uneven)
    _, config = to_peft(weights, adapter, BASE)
    assert config["target_modules"] == sorted(uneven) and config["layers_to_transform"] is None
    _, mlx = to_mlx(weights, adapter, "tiny", 30)
    assert mlx["num_layers"] == 30 and "self_attn.q_proj" in mlx["lora_parameters"]["keys"]
    last = {k: v for k, v in TINY_OLMO.items() if ".1." in k}
    adapter, weights = make_adapter(BASE.identity, last)
    assert to_mlx(weights, adapter, "tiny", 2)[1]["num_layers"] == 1


def test_the_base_is_named_and_never_by_a_path() -> None:
    hub = make_model(uri="hf://allenai/OLMo-2-0425-1B-Instruct")
    assert base_name(hub) == "allenai/OLMo-2-0425-1B-Instruct"
    adapter, weights = make_adapter(hub.identity)
    assert to_peft(weights, adapter, hub)[1]["revision"] == "1"
    assert base_name(BASE) == "tiny" and to_peft(WEIGHTS, ADAPTER, BASE)[1]["revision"] is None


def test_another_base_is_refused() -> None:
    with pytest.raises(TrainingError, match="belongs to"):
        to_peft(WEIGHTS, ADAPTER, make_model(name="tiny", uri="local:other"))


def test_another_rank_is_refused() -> None:
    tensors, config = to_peft(WEIGHTS, ADAPTER, BASE)
    with pytest.raises(TrainingError, match="not of rank 8"):
        from_peft(tensors, config | {"r": 8})
    with pytest.raises(TrainingError, match="not of rank 2"):
        to_peft(WEIGHTS, ADAPTER.model_copy(update={"rank": 2}), BASE)


HOSTILE = {
    "no number": "model.layers.\N{SUPERSCRIPT TWO}.self_attn.q_proj",
    "a huge number": f"model.layers.{'9' * 5000}.self_attn.q_proj",
    "a control character": "model.layers.0.\x1b[31mq_proj",
}


def damaged(planted: str) -> dict[str, Any]:
    tensors, _ = to_peft(WEIGHTS, ADAPTER, BASE)
    a = f"base_model.model.{Q0}.lora_A.weight"
    if planted == "missing":
        del tensors[a]
    elif planted == "doubled":
        tensors[a.replace(".weight", ".default.weight")] = tensors[a]
    elif planted == "unknown":
        tensors["base_model.model.lm_head.weight"] = tensors[a]
    elif planted == "unprefixed":
        tensors[a.removeprefix("base_model.model.")] = tensors.pop(a)
    elif planted in HOSTILE:
        for key in [key for key in tensors if Q0 in key]:
            tensors[key.replace(Q0, HOSTILE[planted])] = tensors.pop(key)
    elif planted == "transposed":
        up = "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight"
        tensors[up] = tensors[up].T
    elif planted == "flat":
        tensors[a] = tensors[a].ravel()
    elif planted == "empty":
        tensors = {}
    return tensors


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ("missing", "half of"),
        ("doubled", "twice"),
        ("unknown", "no matrix of a LoRA"),
        ("unprefixed", "no matrix of a LoRA"),
        *((name, "no matrix of a LoRA") for name in HOSTILE),
        ("transposed", "not of rank"),
        ("flat", "1 axes"),
        ("empty", "no module"),
    ],
)
def test_a_damaged_adapter_is_refused(planted: str, said: str) -> None:
    _, config = to_peft(WEIGHTS, ADAPTER, BASE)
    with pytest.raises(TrainingError, match=said):
        from_peft(damaged(planted), config)


@pytest.mark.parametrize(
    "odd",
    [
        {"use_dora": True},
        {"use_rslora": True},
        {"bias": "all"},
        {"peft_type": "LOHA"},
        {"rank_pattern": {"q_proj": 2}},
        {"modules_to_save": ["lm_head"]},
        {"lora_alpha": "12"},
        {"lora_alpha": float("nan")},
        {"r": 0},
        {"r": 4.5},
        {"init_lora_weights": "pissa"},
    ],
)
def test_what_computes_another_function_is_refused(odd: dict[str, Any]) -> None:
    tensors, config = to_peft(WEIGHTS, ADAPTER, BASE)
    with pytest.raises(TrainingError):
        from_peft(tensors, config | odd)


@pytest.mark.parametrize("rank", [0.5, 0, -4, True, None])
def test_mlx_takes_no_rank_that_is_none(rank: Any) -> None:
    tensors, config = to_mlx(WEIGHTS, ADAPTER, "tiny", 2)
    parameters = {**config["lora_parameters"], "rank": rank}
    nothing = {name: matrix[:0] if name.endswith("b") else matrix[:, :0] for name, matrix in
               tensors.items()}  # fmt: skip
    for given in (tensors, nothing):
        with pytest.raises(TrainingError, match="adapter_config"):
            from_mlx(given, config | {"lora_parameters": parameters})


@pytest.mark.parametrize("odd", [{"fine_tune_type": "dora"}, {"lora_parameters": None}])
def test_mlx_takes_plain_lora_only(odd: dict[str, Any]) -> None:
    tensors, config = to_mlx(WEIGHTS, ADAPTER, "tiny", 2)
    with pytest.raises(TrainingError, match="plain LoRA"):
        from_mlx(tensors, config | odd)


def test_mlx_needs_modules_in_layers_the_model_has() -> None:
    with pytest.raises(TrainingError, match="layer 1 of a model with 1"):
        to_mlx(WEIGHTS, ADAPTER, "tiny", 1)
    adapter, weights = make_adapter(BASE.identity, {"lm_head": (8, 8)})
    with pytest.raises(TrainingError, match="in no layer"):
        to_mlx(weights, adapter, "tiny", 2)
