"""A tiny random OLMo-2 and its tokenizer: for everything that runs or trains a model."""

from pathlib import Path

import pytest

from secai_lib.gateways.llm.prompt import Prompter
from tests.fakes.tiny_olmo import write_tiny_olmo


@pytest.fixture(scope="session")
def tiny_olmo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-olmo")
    write_tiny_olmo(folder)
    return folder


@pytest.fixture(scope="session")
def prompter(tiny_olmo: Path) -> Prompter:
    from transformers import AutoTokenizer

    return Prompter(AutoTokenizer.from_pretrained(tiny_olmo), 512)
