"""The answer a model is held to, token by token, and how it becomes a `Reading`.

One JSON string of plain sentences whose openings are given, since a small model writes a sentence
far better than it fills in keys (measured: `tests/bench/bench_analyses.py`). Labels come last, so
that they follow from what was written. After an opening there are words and nothing else: no
capital, digit, slash, dot, underscore or backtick fits into the pattern, so an answer cannot hold
a name, version, path, URL or identifier that nobody gave it.
"""

import json
import re
from functools import lru_cache
from typing import Any, NamedTuple

from secai_lib.core.analysis import Reading
from secai_lib.core.finding import Severity
from secai_lib.core.generation import Decoding
from secai_lib.core.weakness import VulnerabilityType


class Sentence(NamedTuple):
    """One sentence of an answer."""

    field: str
    """Of the reading."""
    opening: str
    """How it begins; everything after it is the model's."""
    share: int
    """Its part of the words, in `SHARES`."""


SENTENCES = (
    Sentence("impact", "An attacker could", 11),
    Sentence("root_cause", "This happens because", 9),
    Sentence("attack_vectors", "It can be attacked by", 5),
    Sentence("business_impact", "The company could lose", 4),
    Sentence("remediation", "To fix this, you should", 9),
    Sentence("prevention", "To prevent this, you should", 7),
)
"""In the order they are written."""
SHARES = sum(sentence.share for sentence in SENTENCES)
TYPES = {kind.value.replace("_", " "): kind for kind in VulnerabilityType}
"""How a label is spelled -> the label."""
SEVERITIES = [s.value for s in Severity if s is not Severity.UNKNOWN]
FRAME_TOKENS = 46
"""Tokens of openings, labels and punctuation, measured with SmolLM2 (41 to 46 by type)."""
TOKENS_PER_WORD = 1.1
"""Of the plain words in between; measured on answers of SmolLM2."""
MIN_WORDS, MAX_WORDS = 2, 40
"""Of the model's own words in a sentence."""
WORD = r"[a-z]{1,15}(?:'[a-z]{1,2})?"
"""In small letters: a name or an abbreviation nobody gave is not even begun."""
_DANGLING = re.compile(
    r"(?:,? (?:a|an|the|of|to|and|or|in|on|for|with|by|from|that|which|is|are|be|as|at|their|this"
    r"|its|it|can|will|may|any|such|into|when|if|has|have|been|was|not|your|you|they|could|used"
    r"|allows?|using|they're|it's|who|but|so|because|while|where))+,?$",
    re.IGNORECASE,
)


def words_for(sentence: Sentence, answer_tokens: int) -> int:
    """Most words after the opening, so that an answer is normally whole in `answer_tokens`."""
    room = (answer_tokens - FRAME_TOKENS) / TOKENS_PER_WORD
    return max(MIN_WORDS + 1, min(MAX_WORDS, int(room * sentence.share / SHARES)))


def answer_schema(answer_tokens: int) -> dict[str, Any]:
    """The JSON Schema of an answer: a string of sentences."""
    return {"type": "string", "pattern": _pattern(answer_tokens)}


def decoding_for(answer_tokens: int) -> Decoding:
    """How answers are made: greedy, held to the schema."""
    text = json.dumps(answer_schema(answer_tokens), separators=(",", ":"))
    return Decoding(max_tokens=answer_tokens, json_schema=text)


def fits_schema(answer: object, answer_tokens: int) -> bool:
    """Whether a parsed `answer` keeps to the schema."""
    return isinstance(answer, str) and bool(re.fullmatch(_pattern(answer_tokens)[1:-1], answer))


def reading_of(answer: str, answer_tokens: int) -> Reading:
    """The reading in an `answer` that fits the schema, its sentences made whole."""
    said = [sentence.strip() for sentence in answer.split(".") if sentence.strip()]
    *prose, kind, severity = said
    whole_ones = {
        sentence.field: whole(text, sentence, words_for(sentence, answer_tokens))
        for sentence, text in zip(SENTENCES, prose, strict=True)
    }
    return Reading(
        classification=TYPES[kind.removeprefix("This is ")],
        severity=Severity(severity.removeprefix("The severity is ")),
        attack_vectors=(whole_ones.pop("attack_vectors"),),
        **whole_ones,
    )


def answer_of(reading: Reading) -> str:
    """The answer that says what `reading` says."""
    fields = reading.model_dump(mode="json") | {"attack_vectors": reading.attack_vectors[0]}
    kind = reading.classification.value.replace("_", " ")
    prose = " ".join(fields[sentence.field] for sentence in SENTENCES)
    return f"{prose} This is {kind}. The severity is {reading.severity.value}."


def reading_fits(reading: Reading, answer_tokens: int) -> bool:
    """Whether `reading` is one an answer of so many tokens can hold."""
    return len(reading.attack_vectors) == 1 and fits_schema(answer_of(reading), answer_tokens)


def whole(text: str, sentence: Sentence, most: int) -> str:
    """`text` with a full stop, without the words at its end that lead nowhere (`of the`).

    At the limit of `most` words the last one goes too: a model that may not begin another word
    glues it to the last.
    """
    words = text.removeprefix(sentence.opening).split()
    bare = " ".join(words[: most - 1]).rstrip(",")
    return f"{sentence.opening} {_DANGLING.sub('', f' {bare}').strip() or bare}."


@lru_cache(maxsize=8)
def _pattern(answer_tokens: int) -> str:
    prose = (
        rf"{s.opening} {WORD}(?:,? {WORD}){{{MIN_WORDS - 1},{words_for(s, answer_tokens) - 1}}}\."
        for s in SENTENCES
    )
    labels = rf"This is (?:{'|'.join(TYPES)})\. The severity is (?:{'|'.join(SEVERITIES)})\."
    return f"^{' '.join((*prose, labels))}$"
