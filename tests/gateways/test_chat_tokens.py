"""A chat is counted by the model's own tokenizer in its own template."""

import json
from pathlib import Path

import pytest

from secai_lib.core.errors import ModelError
from secai_lib.core.generation import Message
from secai_lib.core.record import sha256_hex
from secai_lib.gateways.chat_tokens import ChatTokens

TEMPLATE = "{% for m in messages %}[{{ m.role }}] {{ m.content }} [end] {% endfor %}"
WORDS = ["[unk]", "[user]", "[assistant]", "[end]", "a", "b"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tokenizer of six words, with a template of three tokens round every content."""
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    made = {
        "version": "1.0",
        "added_tokens": [],
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[unk]"},
        "pre_tokenizer": {"type": "WhitespaceSplit"},
    }
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "chat_template": TEMPLATE}
    (tmp_path / "tokenizer.json").write_text(json.dumps(made))
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    return tmp_path


@pytest.mark.slow  # importing the tokenizers takes seconds
def test_counts_contents_and_template_and_names_both(folder: Path) -> None:
    tokens = ChatTokens(folder)
    chat = (Message(role="user", content="a b"), Message(role="assistant", content="b"))
    assert tokens.count(chat[:1]) == 4
    assert tokens.count(chat) == 4 + 3
    assert tokens.facts() == {
        "chat_template_sha256": sha256_hex(TEMPLATE.encode()),
        "vocabulary": len(WORDS),
    }


def test_a_tokenizer_with_code_of_its_own_asks_nobody(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"tokenizer_class": "Strange", "auto_map": {"AutoTokenizer": ["octo/x--a.B", None]}}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    asked: list[str] = []

    def answer(text: str) -> str:
        asked.append(text)
        return "no"

    monkeypatch.setattr("builtins.input", answer)
    with pytest.raises(ModelError, match="cannot be loaded"):
        ChatTokens(folder).facts()
    assert not asked
