"""A language model whose answers are a list or a function."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from secai_lib.core.generation import Chat, Decoding, Finish, Generation

Answers = Sequence[str | Generation] | Callable[[Chat, Decoding], str | Generation]
"""The answers in the order they are asked for, or what computes one."""


def words(text: str) -> int:
    """A token is a word here."""
    return len(text.split())


@dataclass
class FakeEngine:
    """Answers with `answers`; a text becomes an answer that ended by itself."""

    answers: Answers
    name: str = "torch"
    identity: str = "fake-engine"
    calls: list[tuple[tuple[Chat, ...], Decoding]] = field(default_factory=list)
    """The chats and the decoding of every call."""
    answered: int = 0
    """Answers given so far."""

    def count_tokens(self, chat: Chat) -> int:
        return sum(words(message.content) for message in chat)

    def generate(
        self,
        chats: Sequence[Chat],
        decoding: Decoding,
        on_answer: Callable[[int, Generation], None] = lambda _index, _answer: None,
    ) -> list[Generation]:
        self.calls.append((tuple(chats), decoding))
        done = []
        for index, chat in enumerate(chats):
            done.append(self._answer(chat, decoding))
            on_answer(index, done[-1])
        return done

    def _answer(self, chat: Chat, decoding: Decoding) -> Generation:
        if callable(self.answers):
            given = self.answers(chat, decoding)
        else:
            given = self.answers[self.answered]
        self.answered += 1
        if isinstance(given, Generation):
            return given
        return Generation(
            text=given,
            prompt_tokens=self.count_tokens(chat),
            answer_tokens=words(given),
            finish=Finish.STOP,
        )
