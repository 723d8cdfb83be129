"""How the rooms speak to a language model: chat messages in, text out, greedy and reproducible."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Literal, Protocol

from secai_lib.core.record import Record


class Message(Record):
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    """Who speaks."""
    content: str
    """What is said. It may hold hostile text: an engine never lets it become a control token."""


Chat = tuple[Message, ...]
"""The turns of one conversation, oldest first; the model answers the last one."""


class Decoding(Record):
    """How answers are made; always greedy, so that the same chat gives the same answer."""

    max_tokens: int
    """Most tokens of an answer."""
    json_schema: str = ""
    """JSON Schema (canonical JSON text) every answer is held to token by token; empty for free."""
    prefix: str = ""
    """Text every answer is made to begin with; part of the answer."""
    stop: tuple[str, ...] = ()
    """An answer ends before the first of these texts."""


class Finish(StrEnum):
    """Why an answer ended."""

    STOP = "stop"
    """The model, the schema or a stop text ended it."""
    LENGTH = "length"
    """It reached `max_tokens`; it may be cut in the middle."""
    INVALID = "invalid"
    """It breaks the schema: a server ignored it. The local engines cannot end like this."""


class Generation(Record):
    """One answer."""

    text: str
    """What the model said, `prefix` included."""
    prompt_tokens: int
    """Tokens of the rendered chat."""
    answer_tokens: int
    """Tokens of the answer, those forced by schema or prefix included."""
    finish: Finish
    """Why it ended."""


class TextEngine(Protocol):
    """A language model that is ready to answer."""

    @property
    def name(self) -> str:
        """`torch`, `mlx` or `server`."""
        ...

    @property
    def identity(self) -> str:
        """Model and engine version: outputs may differ when it does."""
        ...

    def count_tokens(self, chat: Chat) -> int:
        """Tokens of the rendered chat, the opening of the answer included."""
        ...

    def generate(
        self,
        chats: Sequence[Chat],
        decoding: Decoding,
        on_answer: Callable[[int, Generation], None] = lambda _index, _answer: None,
    ) -> list[Generation]:
        """An answer for each of `chats`, in their order, batched by length.

        `on_answer` is told the index of a chat and its answer as soon as that is there.
        """
        ...
