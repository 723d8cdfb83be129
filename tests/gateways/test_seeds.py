"""The seed files: there, plain text, and where scanners expect them."""

from pathlib import Path

import pytest

from secai_lib.core.errors import StorageError
from secai_lib.gateways import seeds


def test_paths_are_those_of_a_repository() -> None:
    found = seeds.read_seeds()
    assert list(found) == sorted(found)
    assert len(found) >= 40
    assert any(path.startswith(".github/workflows/") for path in found)
    assert not any(path.endswith(".txt") for path in found)
    assert all("\r" not in text and text.endswith("\n") for text in found.values())


def test_an_installation_without_them_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeds, "SEEDS", tmp_path)
    with pytest.raises(StorageError, match="install secai again"):
        seeds.read_seeds()
