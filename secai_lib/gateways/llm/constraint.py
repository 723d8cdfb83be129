"""Which tokens may come next, so that an answer keeps to a JSON Schema (llguidance)."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from secai_lib.core.errors import Terminal, UsageError
from secai_lib.gateways.llm.prompt import Prompter

COMPACT: Any = {"whitespace_flexible": False}
"""No spaces and no line breaks between the tokens of JSON: they cost time and say nothing."""


class Constraint:
    """What one answer may still say."""

    def __init__(self, matcher: Any, bits: NDArray[np.int32]) -> None:
        """Follow `matcher`; `bits` is scratch space of one bit a token, in words of 32."""
        self._matcher, self._bits = matcher, bits

    @property
    def finished(self) -> bool:
        """True when the answer is whole and nothing can follow."""
        return bool(self._matcher.is_stopped())

    def forced(self) -> list[int]:
        """The tokens that have to come now, whatever the model thinks; often none."""
        tokens: list[int] = self._matcher.compute_ff_tokens()
        return tokens

    def allowed(self) -> NDArray[np.intp]:
        """Ids of the tokens that may come next, ascending."""
        from llguidance.numpy import fill_next_token_bitmask

        fill_next_token_bitmask(self._matcher, self._bits, 0)
        self._check()
        return np.flatnonzero(np.unpackbits(self._bits.view(np.uint8), bitorder="little"))

    def take(self, tokens: Sequence[int]) -> None:
        """Go on behind `tokens`.

        Raises:
            Terminal: they break the schema.
        """
        self._matcher.consume_tokens(list(tokens))
        self._check()

    def _check(self) -> None:
        if self._matcher.is_error():
            raise Terminal(f"the answer cannot be held to its schema: {self._matcher.get_error()}")


class Constraints:
    """Makes the constraints of one model's answers."""

    def __init__(self, prompter: Prompter, ends: Sequence[int]) -> None:
        """Use the words of `prompter`; an answer ends with one of `ends`."""
        self._prompter, self._ends = prompter, list(ends)

    def begin(self, schema: str, prefix: Sequence[int]) -> Constraint:
        """The constraint of an answer to the JSON Schema `schema` that begins with `prefix`.

        Raises:
            UsageError: the schema is wrong or says what cannot be held, or forbids the prefix.
        """
        from llguidance import LLMatcher

        try:
            grammar = LLMatcher.grammar_from_json_schema(schema, overrides=COMPACT)
        except ValueError as error:
            raise UsageError(f"the JSON Schema of an answer is no JSON: {error}") from error
        matcher = LLMatcher(self._words, grammar, log_level=0)
        if matcher.is_error():
            raise UsageError(f"the JSON Schema of an answer cannot be held: {matcher.get_error()}")
        if prefix and not matcher.consume_tokens(list(prefix)):
            raise UsageError("the JSON Schema of an answer forbids its prefix")
        return Constraint(matcher, np.zeros((1, (self._words.vocab_size + 31) // 32), np.int32))

    @cached_property
    def _words(self) -> Any:
        """The vocabulary as llguidance wants it; takes about a second for a large one."""
        from llguidance.hf import from_tokenizer

        return from_tokenizer(
            self._prompter.tokenizer, n_vocab=len(self._prompter.tokenizer), eos_token=self._ends
        )
