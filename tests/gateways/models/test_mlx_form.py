"""The packed weights of a GGUF under MLX's names are exactly those of the dense form."""

import json
from pathlib import Path

import numpy as np
import pytest

from secai_lib.core.errors import ModelError
from secai_lib.core.model import ModelFormat
from secai_lib.core.settings import ModelSource
from secai_lib.gateways.llm.mlx_engine import MlxEngine
from secai_lib.gateways.models import ModelShelf, mlx_form
from tests.fakes.tiny_models import CONFIG, tiny_model, weights, write_folder, write_gguf

mx = pytest.importorskip("mlx.core")


def test_nothing_is_quantised_again_and_every_row_is_in_its_place(tmp_path: Path) -> None:
    from gguf import GGMLQuantizationType as Kind
    from gguf.quants import dequantize, quantize

    dense = write_folder(tmp_path / "dense", tiny_model())
    gguf = write_gguf(tmp_path / "tiny.Q4_1.gguf")
    mlx_form.from_gguf(gguf, dense, tmp_path / "mlx", "tiny")
    packed = mx.load(str(tmp_path / "mlx" / "model.safetensors"))
    config = json.loads((tmp_path / "mlx" / "config.json").read_bytes())
    assert config["quantization"] == {
        "bits": 4, "group_size": 32, "model.embed_tokens": {"bits": 8, "group_size": 32}
    }  # fmt: skip
    for name, array in weights().items():
        stem = name.removesuffix(".weight")
        if array.ndim == 1:
            assert np.array_equal(np.array(packed[name]), array)
            continue
        bits, kind = (8, Kind.Q8_0) if "embed" in name else (4, Kind.Q4_1)
        got = mx.dequantize(
            packed[name],
            packed[f"{stem}.scales"].astype(mx.float32),
            packed[f"{stem}.biases"].astype(mx.float32),
            group_size=32,
            bits=bits,
        )
        # quantising goes row by row, so the order of the rows does not change their values
        assert np.allclose(np.array(got), dequantize(quantize(array, kind), kind), atol=1e-6), name
    assert (tmp_path / "mlx" / "tokenizer.json").is_file()


def test_a_tensor_we_do_not_know_is_an_error() -> None:
    assert mlx_form.mlx_name("blk.3.attn_q.scales") == "model.layers.3.self_attn.q_proj.scales"
    assert mlx_form.mlx_name("output.weight") == "lm_head.weight"
    for name in ("rope_freqs.weight", "blk.0.attn_q_norm.weight", "blk.x.attn_q.weight"):
        with pytest.raises(ModelError, match="we do not know"):
            mlx_form.mlx_name(name)


def test_rotary_settings_by_layer_are_not_passed_over(tmp_path: Path) -> None:
    """`mlx_lm` would take its own defaults without a word."""
    rope = {"full_attention": {"rope_theta": 1e6, "rope_type": "linear", "factor": 8.0}}
    files = tiny_model(config=CONFIG | {"rope_parameters": rope})
    dense = write_folder(tmp_path / "dense", files)
    with pytest.raises(ModelError, match=r"rotary settings of tiny .* torch"):
        mlx_form.from_dense(dense, tmp_path / "mlx", "tiny")
    with pytest.raises(ModelError, match="rotary settings"):
        MlxEngine(dense, "tiny")
    assert not (tmp_path / "mlx").exists()


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "dense", {"config.json": b'{"model_type": "qwen2"}'})
    with pytest.raises(ModelError, match="no llama"):
        mlx_form.from_gguf(tmp_path / "x.gguf", folder, tmp_path / "mlx", "x")


@pytest.mark.slow
def test_a_dense_model_is_quantised_once_and_recorded(tmp_path: Path) -> None:
    from mlx_lm import load

    source = ModelSource(uri=str(write_folder(tmp_path / "tiny", tiny_model())))
    shelf = ModelShelf(tmp_path / "shelf")
    model = shelf.obtain(source)
    (shelf.root / model.folder / "mlx").mkdir()  # what a killed conversion could leave
    folder = shelf.folder(model, ModelFormat.MLX)
    config = json.loads((folder / "config.json").read_bytes())
    assert config["quantization"]["bits"] == 4 and config["quantization"]["group_size"] == 64
    found = shelf.find(source)
    assert found and found.identity == model.identity
    assert {"mlx/config.json", "mlx/model.safetensors"} <= set(found.files) - set(model.files)
    shelf.verify(found)
    changed = (folder / "model.safetensors").stat().st_mtime_ns
    assert shelf.folder(model, ModelFormat.MLX) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == changed
    loaded = load(str(folder))
    assert loaded[0].args.rope_theta == 5000.0


@pytest.mark.slow
def test_an_encoder_has_no_form_for_mlx(tmp_path: Path) -> None:
    from tests.fakes.tiny_models import CONFIG

    files = tiny_model(config=CONFIG | {"model_type": "bert"})
    shelf = ModelShelf(tmp_path / "shelf")
    model = shelf.obtain(ModelSource(uri=str(write_folder(tmp_path / "tiny", files))))
    with pytest.raises(ModelError, match="mlx_lm cannot read tiny"):
        shelf.folder(model, ModelFormat.MLX)
    assert not (shelf.root / model.folder / "mlx").exists()
