"""Chats as token ids: the model's own template, in which contents can never be control tokens."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from secai_lib.core.errors import Terminal, UsageError
from secai_lib.core.generation import Chat
from secai_lib.gateways.llm.control_text import break_marker, neutralise

ROUNDS = 4
"""Times a content is looked at again after its markers were broken; the first is enough."""
MARKER = re.compile(r"<[^<>\s]+>|\[[^\[\]\s]+\]|<<[^<>\s]+>>")
"""What a role marker looks like in a template, where it is plain text and no token."""
PLAIN = "content"
DATE = "{% macro strftime_now(form) %}26 Jul 2024{% endmacro %}"
"""Today, for a template that tells the model: a chat has to be the same prompt every day."""


class Prompter:
    """Turns chats into token ids with `tokenizer`, and answers back into text."""

    def __init__(self, tokenizer: Any, vocabulary: int) -> None:
        """Use the `transformers` tokenizer; the model knows the ids below `vocabulary`.

        Raises:
            UsageError: it has no chat template, or is not the kind whose tokens can be looked at.
        """
        if not tokenizer.chat_template:
            raise UsageError("the model has no chat template; take an instruction-tuned model")
        if not tokenizer.is_fast:
            raise UsageError("the model has no tokenizer.json; take a model that has one")
        self.tokenizer = tokenizer
        # A model may have more rows than words (padding), a tokenizer more words than rows.
        self.vocabulary = min(vocabulary, len(tokenizer))
        # Runs of blanks are added words of some tokenizers, and control nothing.
        self._control = {
            number
            for number, token in tokenizer.added_tokens_decoder.items()
            if token.special or token.content.strip()
        } | set(tokenizer.all_special_ids)

    def ends(self, configured: Sequence[int]) -> list[int]:
        """Sorted ids that end an answer: those `configured`, and every special token."""
        special = set(self.tokenizer.all_special_ids) | set(configured)
        return sorted(number for number in special if number < self.vocabulary)

    def encode_chat(self, chat: Chat) -> list[int]:
        """Ids of the rendered `chat`, with the opening of the answer.

        Raises:
            UsageError: the template refuses the order of roles.
            Terminal: a content got through as a control token; nothing is asked then.
        """
        skeleton = self._render([(m.role, PLAIN) for m in chat])
        markers = sorted(set(MARKER.findall(skeleton)), key=len, reverse=True)
        turns = [(m.role, self.harmless(m.content, markers)) for m in chat]
        ids = self.encode(self._render(turns))
        if self._controls(ids) != self._controls(self.encode(skeleton)):
            raise Terminal("a message would have reached the model as a control token; not asked")
        if max(ids, default=0) >= self.vocabulary:
            raise Terminal("the tokenizer knows tokens the model does not; take files that match")
        return ids

    def encode_answer(self, text: str, prefix: str = "") -> list[int]:
        """Ids of a whole answer behind `encode_chat`, with the token the template ends it with.

        `prefix` is what `Decoding` makes answers begin with: it is encoded by itself, as there.

        Raises:
            UsageError: the answer does not begin with it, or nothing says how answers end.
            Terminal: the answer would hold a control token, or a token the model does not know.
        """
        if not text.startswith(prefix):
            raise UsageError("an answer does not begin with what it is made to begin with")
        end, markers = self._closing
        rest = self.harmless(text[len(prefix) :], markers)
        ids = [*self.encode(prefix), *self.encode(rest)]
        if self._controls(ids) or max((*ids, end)) >= self.vocabulary:
            raise Terminal("an answer holds a token that no answer may hold; leave it out")
        return [*ids, end]

    def harmless(self, content: str, markers: Sequence[str] = ()) -> str:
        """`content` without control tokens: known families, `markers`, and the tokenizer's own."""
        content = neutralise(content)
        for marker in markers:
            content = content.replace(marker, break_marker(marker))
        for _ in range(ROUNDS):
            encoded = self.tokenizer(
                content, add_special_tokens=False, return_offsets_mapping=True, verbose=False
            )
            places = zip(encoded["input_ids"], encoded["offset_mapping"], strict=True)
            spans = [span for number, span in places if number in self._control]
            if not spans:
                return content
            for start, end in reversed(spans):
                content = content[:start] + break_marker(content[start:end]) + content[end:]
        raise Terminal("a message holds a control token that cannot be broken; not asked")

    def encode(self, text: str) -> list[int]:
        """Ids of `text` as it stands, nothing added."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Text of `ids`, without control tokens."""
        text: str = self.tokenizer.decode(
            list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        return text

    @cached_property
    def _closing(self) -> tuple[int, list[str]]:
        """The token behind an answer, and the markers of a template with an answer in it."""
        whole = self._render([("user", PLAIN), ("assistant", PLAIN)], opening=False)
        behind = self._controls(self.encode(whole[whole.rindex(PLAIN) + len(PLAIN) :]))
        end = behind[0] if behind else self.tokenizer.eos_token_id
        if end is None:
            raise UsageError("the model does not say how an answer ends; take another model")
        return end, sorted(set(MARKER.findall(whole)), key=len, reverse=True)

    def _controls(self, ids: Sequence[int]) -> list[int]:
        return [number for number in ids if number in self._control]

    def _render(self, turns: Sequence[tuple[str, str]], *, opening: bool = True) -> str:
        from jinja2.exceptions import TemplateError

        messages = [{"role": role, "content": content} for role, content in turns]
        template = self.tokenizer.get_chat_template()
        if "strftime_now" in template:
            template = DATE + template
        try:
            text: str = self.tokenizer.apply_chat_template(
                messages, chat_template=template, add_generation_prompt=opening, tokenize=False
            )
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
            roles = ", ".join(role for role, _ in turns)
            raise UsageError(f"the model's chat template takes no chat of {roles}") from error
        return text
