"""The shelf, with models from local folders: whole or absent, shared, and never trusted blindly."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from secai_lib.core.errors import ModelError, ModelTooLarge, StorageError
from secai_lib.core.model import Model, ModelFormat
from secai_lib.core.record import canonical_json
from secai_lib.core.settings import ModelSource
from secai_lib.gateways import machine
from secai_lib.gateways.models import ModelShelf, gguf_form, local, mlx_form
from secai_lib.gateways.models.delivery import Delivery, Say
from tests.fakes.tiny_models import (
    CONFIG,
    PARAMETERS,
    tiny_model,
    write_folder,
    write_gguf,
)

ROOT = Path(__file__).resolve().parents[3]
WEIGHTS = "safetensors/model.safetensors"


def of(**more: object) -> dict[str, bytes]:
    return tiny_model(config=CONFIG | more)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A folder of the user's with a model, and what training tools leave beside one."""
    more = {"optimizer.pt": b"x", "onnx/model.json": b"{}", "consolidated.safetensors": b"x"}
    more["adapter_config.json"] = b"{}"  # transformers would look for the rest of an adapter
    return write_folder(tmp_path / "mine" / "my-llama", tiny_model() | more)


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    return ModelShelf(tmp_path / "shelf")


def source(folder: Path, **more: str) -> ModelSource:
    return ModelSource.model_validate({"uri": str(folder), **more})


def test_a_local_folder_is_taken_without_its_path(
    mine: Path, shelf: ModelShelf, tmp_path: Path
) -> None:
    model = shelf.obtain(source(mine))
    assert (model.name, model.uri) == ("my-llama", "local:my-llama")
    assert model.revision == model.source_sha256[:16]
    assert set(model.files) == {f"safetensors/{name}" for name in tiny_model()}
    assert (model.parameters, model.licence) == (PARAMETERS, "Apache-2.0")
    assert str(tmp_path) not in canonical_json(model)
    dense = shelf.folder(model, ModelFormat.SAFETENSORS)
    assert model.size_bytes == sum(p.stat().st_size for p in dense.iterdir())
    assert (dense / "model.safetensors").stat().st_ino == (mine / "model.safetensors").stat().st_ino
    shelf.verify(model)


def test_the_rope_base_is_spelled_for_mlx_and_the_users_file_stays(
    mine: Path, shelf: ModelShelf
) -> None:
    before = (mine / "config.json").read_bytes()
    dense = shelf.folder(shelf.obtain(source(mine)), ModelFormat.SAFETENSORS)
    config = json.loads((dense / "config.json").read_bytes())
    assert config["rope_theta"] == 5000.0 == config["rope_parameters"]["rope_theta"]
    assert (mine / "config.json").read_bytes() == before


def test_a_second_shelf_gives_the_same_model(mine: Path, tmp_path: Path) -> None:
    first, second = (ModelShelf(tmp_path / n).obtain(source(mine)) for n in ("one", "two"))
    assert first == second


def test_found_without_reading_and_missed_when_the_folder_changed(
    mine: Path, shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shelf.obtain(source(mine))
    with monkeypatch.context() as patch:
        patch.setattr("secai_lib.gateways.models.shelf.sha256_of", lambda _: pytest.fail("read"))
        assert shelf.find(source(mine)) == model
    write_folder(mine, tiny_model(card="---\nlicense: mit\n---\n"))
    assert shelf.find(source(mine)) is None
    again = shelf.obtain(source(mine))
    assert again.licence == "MIT" and again.revision != model.revision
    assert [m.revision for m in shelf.models()] == [again.revision]


def test_a_folder_that_is_gone_does_not_lose_the_model(mine: Path, shelf: ModelShelf) -> None:
    model = shelf.obtain(source(mine))
    mine.rename(mine.with_name("elsewhere"))
    assert shelf.find(source(mine)) == model
    (shelf.root / model.folder / "model.json").unlink()
    with pytest.raises(ModelError, match="there is no folder my-llama"):
        shelf.obtain(source(mine))


def test_a_pinned_folder_with_other_content_is_refused(mine: Path, shelf: ModelShelf) -> None:
    with pytest.raises(ModelError, match="the folder my-llama has the SHA-256"):
        shelf.obtain(source(mine, sha256="0" * 64))
    digest = shelf.obtain(source(mine)).source_sha256
    assert shelf.obtain(source(mine, sha256=digest)).source_sha256 == digest


def test_the_licence_of_the_settings_wins_and_says_so(mine: Path, shelf: ModelShelf) -> None:
    model = shelf.obtain(source(mine, licence="MIT"))
    assert model.licence == "MIT"
    assert model.licence_origin == "config/models.yaml (the model itself says Apache-2.0)"
    plain = shelf.find(source(mine))
    assert plain and plain.licence == "Apache-2.0", "another project is not told ours"


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
def test_damage_is_named_and_mended(damage: str, mine: Path, shelf: ModelShelf) -> None:
    model = shelf.obtain(source(mine))
    file = shelf.root / model.folder / WEIGHTS
    data = file.read_bytes()
    file.unlink()  # not the user's own, which has the same bytes
    if damage != "gone":
        file.write_bytes(data[:-1] if damage == "cut" else data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(StorageError, match=f"my-llama is damaged .{WEIGHTS}."):
        shelf.verify(model)
    assert shelf.find(source(mine)) is None
    assert shelf.obtain(source(mine)) == model
    shelf.verify(model)


def test_a_touched_file_is_hashed_once(mine: Path, shelf: ModelShelf) -> None:
    model = shelf.obtain(source(mine))
    file = shelf.root / model.folder / "safetensors" / "config.json"
    os.utime(file, (1, 1))
    assert shelf.find(source(mine)) == model
    stat = json.loads((shelf.root / model.folder / "stat.json").read_bytes())
    assert stat["safetensors/config.json"] == [file.stat().st_size, 10**9]


def test_without_its_card_a_model_does_not_count(mine: Path, shelf: ModelShelf) -> None:
    model = shelf.obtain(source(mine))
    (shelf.root / model.folder / "model.json").write_text("{")
    assert shelf.find(source(mine)) is None and shelf.models() == []
    with pytest.raises(StorageError, match="not in the models folder"):
        shelf.folder(model, ModelFormat.SAFETENSORS)
    assert shelf.obtain(source(mine)) == model


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"data.json": b"{}"}, "laid out in a way we do not know"),
        ({"config.json": b"{}", "pytorch_model.bin": b"\x80"}, "only pickled weights"),
        ({"a.gguf": b"GGUF1", "b.gguf": b"GGUF2"}, "several GGUF files"),
        ({"a.gguf": b"GGUF" + b"\xff" * 60}, "cut off or no GGUF"),
        (tiny_model() | {"model.safetensors": b"\x10" + bytes(90)}, "no safetensors file"),
        (tiny_model() | {"config.json": b"{"}, "config.json .* missing or broken"),
        (tiny_model() | {"config.json": b"[" * 100_000}, "config.json .* missing or broken"),
        (tiny_model() | {"tokenizer.json": b"{}"}, "tokenizer.json .* is broken"),
        ({k: v for k, v in tiny_model().items() if "tokenizer" not in k}, "has no tokenizer"),
        (of(quantization_config={"bits": 4}), "quantised already"),
        (of(auto_map={"AutoModel": "x.Y"}), "code of its own"),
        (of(model_type=None), "names no model_type"),
    ],
)
def test_what_we_cannot_use_is_refused_in_a_sentence(
    tmp_path: Path, files: dict[str, bytes], sentence: str
) -> None:
    folder = write_folder(tmp_path / "mine", files)
    shelf = ModelShelf(tmp_path / "shelf")
    with pytest.raises(ModelError, match=sentence) as refused:
        shelf.obtain(ModelSource(uri=str(folder)))
    assert str(tmp_path) not in str(refused.value)
    assert shelf.models() == []


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """A folder with a GGUF and nothing else."""
    (tmp_path / "packed").mkdir()
    return write_gguf(tmp_path / "packed" / "tiny-1B.Q4_1.gguf").parent


def test_too_little_memory_is_said_before_anything_is_loaded(
    packed: Path, shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "available_memory", lambda: 1000)
    with pytest.raises(ModelTooLarge, match=r"tiny-1B needs about .* 0.0 GB are free") as refused:
        shelf.obtain(source(packed))
    assert refused.value.needed == int(PARAMETERS * 4 * gguf_form.PEAK)
    assert shelf.models() == []


def test_too_little_disk_is_said_before_anything_is_written(
    packed: Path, shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "free_disk", lambda _: 1000)
    with pytest.raises(StorageError, match="GB of disk"):
        shelf.obtain(source(packed))
    assert shelf.models() == []


def test_a_folder_nobody_may_write_is_said(mine: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="the models folder cannot be written"):
        ModelShelf(tmp_path / "file" / "shelf").obtain(source(mine))


def test_two_at_once_fetch_one_model(
    mine: Path, shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    deliver = local.deliver

    def slowly(wanted: ModelSource, say: Say) -> Delivery:
        taken.append(wanted.uri)
        time.sleep(0.2)
        return deliver(wanted, say)

    monkeypatch.setattr(local, "deliver", slowly)
    got: list[Model] = []
    threads = [
        threading.Thread(target=lambda: got.append(ModelShelf(shelf.root).obtain(source(mine))))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1 and len(got) == 3 and got[0] == got[1] == got[2]


HANGS = """
import sys, time
from pathlib import Path
from secai_lib.core.settings import ModelSource
from secai_lib.gateways.models import ModelShelf, build, shelf
def hang(*args):
    build.build(*args)  # everything is written but for model.json
    print("half", flush=True)
    time.sleep(60)
shelf.build = hang
ModelShelf(Path(sys.argv[1])).obtain(ModelSource(uri=sys.argv[2]))
"""


def test_a_killed_process_leaves_nothing_that_counts_or_blocks(
    mine: Path, shelf: ModelShelf
) -> None:
    with _hanging(shelf.root, mine) as process:
        assert process.stdout and process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(list((shelf.root / ".aside").glob("*/model"))) == 1
    assert shelf.find(source(mine)) is None and shelf.models() == []
    model = shelf.obtain(source(mine))
    shelf.verify(model)
    assert not list((shelf.root / ".aside").glob("*/model")), "the remains are swept"


def _hanging(root: Path, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", HANGS, str(root), str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_model_that_is_here_waits_for_nobody_and_needs_no_permission_to_write(
    mine: Path, shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shelf.obtain(source(mine))
    monkeypatch.setattr(shelf, "_lock", lambda _: pytest.fail("a shared folder may be read-only"))
    assert shelf.obtain(source(mine)) == model


def test_fetching_and_converting_exclude_each_other(
    mine: Path, shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shelf.obtain(source(mine))
    (fetched,) = shelf.root.glob(".*.lock")

    def convert(*_: object) -> None:
        with fetched.open("w") as handle, pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        raise ModelError("seen")

    monkeypatch.setattr(mlx_form, "from_dense", convert)
    with pytest.raises(ModelError, match="seen"):
        shelf.folder(model, ModelFormat.MLX)


def test_a_folder_that_changes_while_it_is_taken_is_taken_again(
    mine: Path, shelf: ModelShelf
) -> None:
    def meanwhile(line: str) -> None:
        if line == "my-llama: hashing":  # everything was read
            (mine / "README.md").unlink()
            (mine / "README.md").write_text("---\nlicense: mit\n---\n")

    assert shelf.obtain(source(mine), meanwhile).licence == "Apache-2.0"
    assert shelf.obtain(source(mine)).licence == "MIT"


def test_a_folder_without_one_of_its_parts_is_half_a_download(
    tmp_path: Path, shelf: ModelShelf
) -> None:
    files = tiny_model()
    part = "model-0000{}-of-00002.safetensors".format
    files[part(1)] = files.pop("model.safetensors")
    index = {"weight_map": {"a": part(1), "b": part(2)}}
    files["model.safetensors.index.json"] = json.dumps(index).encode()
    half = write_folder(tmp_path / "half", files)
    with pytest.raises(ModelError, match=r"model-00002-of-00002\.safetensors' of .* is missing"):
        shelf.obtain(source(half))
    write_folder(half, {part(2): files[part(1)]})
    assert shelf.obtain(source(half)).parameters == 2 * PARAMETERS


def test_converting_does_not_vouch_for_files_it_did_not_check(
    mine: Path, shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = shelf.obtain(source(mine))
    card = shelf.root / model.folder / "safetensors" / "README.md"
    card.unlink()
    card.write_text("damaged")
    monkeypatch.setattr(mlx_form, "from_dense", lambda _d, into, _w: into.mkdir())
    shelf.folder(model, ModelFormat.MLX)
    assert shelf.find(source(mine)) is None
