"""Exports in the store: made of a tiny real model, judged, and shown to fail."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from secai_assets.assets import fused_model as fused
from secai_assets.assets import stage1_peft, stage2_peft
from secai_assets.assets.base_model import make as make_base
from secai_assets.assets.base_model import read_base_model
from secai_assets.checks.fused_model import fused_model_checks
from secai_assets.checks.stage1_peft import stage1_peft_checks
from secai_assets.checks.stage2_peft import stage2_peft_checks
from secai_assets.resources.adapters import LOGITS, RECORD, TRAINING, WEIGHTS, read_probe
from secai_assets.resources.exports import export_verdicts, read_parity
from secai_assets.resources.house import House
from secai_lib.core.adapter import EncodedRow, Stage
from secai_lib.core.errors import TrainingError
from secai_lib.core.manifest import Origin
from secai_lib.core.model import ModelFormat
from secai_lib.core.record import canonical_json
from secai_lib.gateways import fusing
from secai_lib.gateways.adapter_files import logits_to_bytes, weights_to_bytes
from tests.fakes.adapters import hooked_logits, make_adapter
from tests.fakes.tiny_olmo import write_tiny_olmo

ORIGIN = Origin(inputs={}, settings="", code_version="")
ROWS, LAST = [[5, 9, 44, 81, 7, 12], [3, 200, 17, 399, 21, 60, 8, 90]], 3


@pytest.fixture(scope="module")
def olmo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("olmo") / "tiny-olmo"
    write_tiny_olmo(folder)
    return folder


@pytest.fixture
def house(home: Path, olmo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house with a base model and the adapters of both stages."""
    monkeypatch.setenv("SECAI_MODELS_DIR", str(tmp_path / "shelf"))
    monkeypatch.setenv("SECAI_MODELS__BASE__URI", str(olmo))
    monkeypatch.setenv("SECAI_MODELS__BASE__SHA256", "")
    monkeypatch.setenv("SECAI_MODELS__BASE__LICENCE", "Apache-2.0")
    house = House()
    make_base(house, {}, print)
    put_adapter(house, 1)
    put_adapter(house, 2)
    return house


def put_adapter(house: House, stage: Stage, *, scale_said: float = 3.0, **other: Any) -> None:
    """Publish a random adapter as the trainer does; its record may state another scale."""
    base = read_base_model(house)
    adapter, weights = make_adapter(base.identity, stage=stage, seed=stage, **other)
    dense = house.shelf.folder(base, ModelFormat.SAFETENSORS)
    logits = np.stack([hooked_logits(dense, adapter, weights, row)[-LAST:] for row in ROWS])
    rows = [EncodedRow(id=str(n), tokens=tuple(r), answer_start=1, weight=1.0)
            for n, r in enumerate(ROWS)]  # fmt: skip
    files = {
        RECORD: canonical_json(adapter.model_copy(update={"scale": scale_said})).encode(),
        WEIGHTS: weights_to_bytes(weights),
        TRAINING: canonical_json({"probe": rows, "probe_last": LAST}).encode(),
        LOGITS: logits_to_bytes(logits),
    }
    house.store.publish(f"stage{stage}_adapter", files, origin=ORIGIN, counts={})


def failed(house: House, product: str = "stage2_peft") -> set[str]:
    return {verdict.name for verdict in export_verdicts(house, product) if not verdict.passed}


def failed_fused(house: House) -> set[str]:
    """Names of the checks of the fused model that lies there which fail, run alone."""
    result = dg.materialize(
        [fused.fused_model, fused_model_checks],
        resources={"house": house},
        instance=dg.DagsterInstance.ephemeral(),
        selection=dg.AssetSelection.checks(*fused_model_checks.check_keys),
        raise_on_error=False,
    )
    return {e.check_name for e in result.get_asset_check_evaluations() if not e.passed}


def test_everything_is_made_shown_and_passes(house: House, home: Path) -> None:
    stage1_peft.make(house, {}, print)
    stage2_peft.make(house, {}, print)
    fused.make(house, {}, print)
    result = dg.materialize(
        [
            *(stage1_peft.stage1_peft, stage2_peft.stage2_peft, fused.fused_model),
            *(stage1_peft_checks, stage2_peft_checks, fused_model_checks),
        ],
        resources={"house": house},
        instance=dg.DagsterInstance.ephemeral(),
    )
    assert result.success
    evaluations = result.get_asset_check_evaluations()
    assert len(evaluations) == 9 and all(e.passed for e in evaluations)
    for event in result.get_asset_materialization_events():
        metadata = event.materialization.metadata
        assert metadata["reused"].value is True
        texts = [m.value for m in metadata.values() if isinstance(m, dg.MarkdownMetadataValue)]
        assert any("█" in str(text) for text in texts)
        assert all(len(text or "") < 1000 for text in texts)
    assert read_parity(house, "stage1_peft").adapter != read_parity(house, "stage2_peft").adapter
    facts = fused.read_facts(house)
    assert facts.shipped.worst >= 0.99 and facts.logit_change < 0.1
    stored = [p for p in (home / "data").rglob("*") if p.is_file() and "current" in p.parts]
    for path in stored:
        if path.suffix in {".json", ".md"}:
            assert str(home) not in path.read_text("utf-8"), "a path leaks"


def test_the_same_adapter_gives_the_same_bytes(house: House) -> None:
    stage2_peft.make(house, {}, print)
    first = house.store.require("stage2_peft")
    stage2_peft.make(house, {}, print)
    assert house.store.require("stage2_peft") == first


def test_the_snippet_of_the_readme_loads_the_adapter(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is run where `base` is the name of a folder, as it may be the Hub's name elsewhere."""
    stage2_peft.make(house, {}, print)
    manifest = house.store.require("stage2_peft")
    folder = tmp_path / "export"
    for name in manifest.files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(house.store.read("stage2_peft", name))
    base = read_base_model(house)
    (folder / base.name).symlink_to(house.shelf.folder(base, ModelFormat.SAFETENSORS))
    monkeypatch.chdir(folder)
    peft, mlx = (folder / "README.md").read_text("utf-8").split("```python\n")[1:]
    live: dict[str, Any] = {}
    exec(peft.partition("```")[0], live)
    import torch

    logits = live["model"](torch.tensor([ROWS[1]])).logits[0, -LAST:].detach().numpy()
    assert np.abs(logits - read_probe(house, "stage2_adapter").logits[1]).max() < 1e-4
    exec(mlx.partition("```")[0], live)
    import mlx.core as mx

    again = np.array(live["model"](mx.array([ROWS[1]]))[0, -LAST:].astype(mx.float32))
    assert np.abs(again - logits).max() < 1e-3


def test_another_factor_than_the_trainers_blocks(house: House) -> None:
    """Alpha that is the scale: everything loads, and another function is computed."""
    put_adapter(house, 2, scale_said=0.75)
    stage2_peft.make(house, {}, print)
    assert failed(house) == {"logit_parity"}


def test_an_export_of_an_adapter_that_was_replaced_blocks(house: House) -> None:
    stage2_peft.make(house, {}, print)
    assert not failed(house)
    put_adapter(house, 2, size=0.2)
    assert failed(house) == {"complete"}


def test_another_licence_of_the_base_makes_the_export_anew(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The card says it, so that an old card is not what lies there."""
    stage2_peft.make(house, {}, print)
    before = fused.fused_origin(house)
    assert "license: apache-2.0" in house.store.read("stage2_peft", "README.md").decode()
    monkeypatch.setenv("SECAI_MODELS__BASE__LICENCE", "MIT")
    house = House()
    make_base(house, {}, print)
    assert failed(house) == {"complete"} and fused.fused_origin(house) != before
    stage2_peft.make(house, {}, print)
    assert "license: mit" in house.store.read("stage2_peft", "README.md").decode()
    assert not failed(house)


def test_an_adapter_that_is_replaced_while_it_is_exported_is_not_taken_for_the_new_one(
    house: House,
) -> None:
    def replace(sentence: str) -> None:
        if "mlx-lm" in sentence and "loading" in sentence:
            put_adapter(house, 2, size=0.2)

    stage2_peft.make(house, {}, replace)
    assert failed(house) == {"complete"}


def test_a_damaged_file_blocks(house: House) -> None:
    stage2_peft.make(house, {}, print)
    file = house.store.path("stage2_peft") / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    assert failed(house) == {"complete"}


def test_an_adapter_of_another_base_is_refused(house: House) -> None:
    record = json.loads(house.store.read("stage2_adapter", RECORD)) | {"base": "other@1#0"}
    files = {name: house.store.read("stage2_adapter", name)
             for name in house.store.require("stage2_adapter").files}  # fmt: skip
    files[RECORD] = canonical_json(record).encode()
    house.store.publish("stage2_adapter", files, origin=ORIGIN, counts={})
    for module in (stage2_peft, fused):
        with pytest.raises(TrainingError, match="belongs to other"):
            module.make(house, {}, print)


def test_a_small_adapter_is_not_quantised_away(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_adapter(house, 2, size=0.01)
    fused.make(house, {}, print)
    facts = fused.read_facts(house)
    by_precision = {one.precision: one for one in facts.survival}
    assert by_precision["4-bit"].overall < 0.5
    assert facts.shipped.worst >= house.settings.quality.exports_min_survival
    assert facts.shipped.worst > by_precision["bfloat16"].worst


def test_a_fused_model_whose_files_hold_no_adapter_blocks(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was stored is measured, and not what rounding would have left of it."""

    def forgetful(dense: Path, into: Path, adapter: Any, weights: Any, *rest: str) -> None:
        nothing = {name: pair._replace(b=np.zeros_like(pair.b)) for name, pair in weights.items()}
        fusing.fuse(dense, into, adapter, nothing, *rest)

    monkeypatch.setattr(fused, "fuse", forgetful)
    fused.make(house, {}, print)
    assert failed_fused(house) == {"adapter_survives"}


def test_a_fused_model_that_is_damaged_or_of_another_adapter_blocks(house: House) -> None:
    fused.make(house, {}, print)
    assert failed_fused(house) == set()
    adapter = {name: house.store.read("stage2_adapter", name)
               for name in house.store.require("stage2_adapter").files}  # fmt: skip
    put_adapter(house, 2, size=0.2)
    assert failed_fused(house) == {"loads"}
    house.store.publish("stage2_adapter", adapter, origin=ORIGIN, counts={})
    assert failed_fused(house) == set()
    file = house.store.path("fused_model") / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-1] + b"\0")
    assert failed_fused(house) == {"loads"}


def test_exports_of_another_base_model_block(house: House) -> None:
    fused.make(house, {}, print)
    stage2_peft.make(house, {}, print)
    other = read_base_model(house).model_copy(update={"source_sha256": "f" * 64})
    record = {"model.json": canonical_json(other).encode()}
    house.store.publish("base_model", record, origin=ORIGIN, counts={})
    assert failed(house) == {"complete"} and failed_fused(house) == {"loads"}


def test_a_precision_in_which_the_model_overflows_is_left(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = {"float16"}
    monkeypatch.setattr(fused, "overflows", lambda _folder, _row, precision: precision in bad)
    fused.make(house, {}, print)
    facts = fused.read_facts(house)
    assert facts.overflowed == ("float16",) and facts.precision != "float16"
    bad |= {"bfloat16", "float32"}
    with pytest.raises(TrainingError, match="overflows in every precision"):
        fused.make(house, {}, print)
