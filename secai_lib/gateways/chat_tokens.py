"""How long a chat is for a model: counted as it is trained, by the same prompter."""

from functools import cached_property
from pathlib import Path

from secai_lib.core.generation import Chat
from secai_lib.core.record import sha256_hex
from secai_lib.core.training import ANSWER_PREFIX
from secai_lib.gateways.llm.prompt import Prompter


class ChatTokens:
    """Counts tokens as the model in a folder does; the library is loaded at the first count."""

    def __init__(self, folder: Path) -> None:
        """Use the tokenizer of the model in `folder`."""
        self._folder = folder

    def count(self, chat: Chat) -> int:
        """Tokens of `chat` as it is trained: the question, the answer and the token that ends it.

        Without an answer, those of the question with the opening of the answer.
        """
        *asked, last = chat
        if last.role != "assistant":
            return len(self._prompter.encode_chat(chat))
        prefix = next((p for p in ANSWER_PREFIX.values() if last.content.startswith(p)), "")
        question = self._prompter.encode_chat(tuple(asked))
        return len(question) + len(self._prompter.encode_answer(last.content, prefix))

    def facts(self) -> dict[str, object]:
        """What a trainer must have alike: SHA-256 of the template, size of the vocabulary."""
        tokenizer = self._prompter.tokenizer
        return {
            "chat_template_sha256": sha256_hex(str(tokenizer.chat_template).encode()),
            "vocabulary": len(tokenizer),
        }

    @cached_property
    def _prompter(self) -> Prompter:
        from secai_lib.gateways.trainer.encode import open_prompter

        return open_prompter(self._folder)
