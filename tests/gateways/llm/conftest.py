"""The two engines that run the tiny OLMo-2."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from secai_lib.gateways.llm.local import LocalEngine
from secai_lib.gateways.llm.mlx_engine import MlxEngine
from secai_lib.gateways.llm.torch_engine import TorchEngine


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
