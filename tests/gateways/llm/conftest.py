"""A tiny random OLMo-2, and the two engines that run it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from secai_lib.gateways.llm.local import LocalEngine
from secai_lib.gateways.llm.mlx_engine import MlxEngine
from secai_lib.gateways.llm.prompt import Prompter
from secai_lib.gateways.llm.torch_engine import TorchEngine
from tests.fakes.tiny_olmo import write_tiny_olmo


@pytest.fixture(scope="session")
def tiny_olmo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-olmo")
    write_tiny_olmo(folder)
    return folder


@pytest.fixture(scope="session")
def torch_engine(tiny_olmo: Path) -> Iterator[LocalEngine]:
    engine = TorchEngine(tiny_olmo, "tiny", batch_size=4, threads=1)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def mlx_engine(tiny_olmo: Path) -> Iterator[LocalEngine]:
    engine = MlxEngine(tiny_olmo, "tiny", batch_size=4)
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def prompter(tiny_olmo: Path) -> Prompter:
    from transformers import AutoTokenizer

    return Prompter(AutoTokenizer.from_pretrained(tiny_olmo), 512)
