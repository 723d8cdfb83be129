"""How long a chat is for a model: its own tokenizer and its own chat template."""

from functools import cached_property
from pathlib import Path
from typing import Any

from secai_lib.core.generation import Chat
from secai_lib.core.record import sha256_hex


class ChatTokens:
    """Counts tokens as the model in a folder does; the library is loaded at the first count."""

    def __init__(self, folder: Path) -> None:
        """Use the tokenizer of the model in `folder`."""
        self._folder = folder

    def count(self, chat: Chat) -> int:
        """Tokens of `chat` in the model's chat template, its special tokens included."""
        turns = [{"role": turn.role, "content": turn.content} for turn in chat]
        rendered = self._tokenizer.apply_chat_template(turns, tokenize=False)
        return len(self._tokenizer(rendered, add_special_tokens=False)["input_ids"])

    def facts(self) -> dict[str, object]:
        """What a trainer must have alike: SHA-256 of the template, size of the vocabulary."""
        template = str(self._tokenizer.chat_template or "")
        return {
            "chat_template_sha256": sha256_hex(template.encode()),
            "vocabulary": len(self._tokenizer),
        }

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        from secai_lib.gateways.llm.local import AS_IT_LIES, loading_errors

        with loading_errors():
            return AutoTokenizer.from_pretrained(self._folder, **AS_IT_LIES)
