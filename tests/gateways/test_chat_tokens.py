"""A chat is counted as it is trained, by the model's own tokenizer in its own template."""

import json
import shutil
from pathlib import Path

import pytest

from secai_lib.core.errors import ModelError
from secai_lib.core.generation import Message
from secai_lib.core.record import sha256_hex
from secai_lib.core.settings import StageSettings
from secai_lib.gateways.chat_tokens import ChatTokens
from secai_lib.gateways.llm.prompt import Prompter
from secai_lib.gateways.trainer.encode import encode_row
from tests.fakes.tiny_olmo import CHAT_TEMPLATE
from tests.fakes.training_rows import make_training_row


def test_a_row_is_as_long_as_it_is_trained_and_the_template_is_named(
    tiny_olmo: Path, prompter: Prompter
) -> None:
    tokens = ChatTokens(tiny_olmo)
    for row in (make_training_row(), make_training_row(stage=2, response="<<<\na\n===\nb\n>>>")):
        assert tokens.count(row.messages) == len(
            encode_row(prompter, row, StageSettings(max_tokens=2000)).tokens
        )
        assert tokens.count(row.messages[:-1]) == len(prompter.encode_chat(row.messages[:-1]))
    free = Message(role="assistant", content="It is safe.")
    asked = make_training_row().messages[:-1]
    whole = len(prompter.encode_chat(asked)) + len(prompter.encode("It is safe.")) + 1
    assert tokens.count((*asked, free)) == whole
    assert tokens.facts() == {
        "chat_template_sha256": sha256_hex(CHAT_TEMPLATE.encode()),
        "vocabulary": len(prompter.tokenizer),
    }


def test_a_tokenizer_with_code_of_its_own_asks_nobody(
    tiny_olmo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"tokenizer_class": "Strange", "auto_map": {"AutoTokenizer": ["octo/x--a.B", None]}}
    folder = shutil.copytree(tiny_olmo, tmp_path / "model")
    (folder / "config.json").write_text('{"vocab_size": 512}')
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    asked: list[str] = []

    def answer(text: str) -> str:
        asked.append(text)
        return "no"

    monkeypatch.setattr("builtins.input", answer)
    with pytest.raises(ModelError, match="cannot be loaded"):
        ChatTokens(folder).facts()
    assert not asked
