"""The answer a model is held to, token by token, and how it becomes a `Reading`.

Prose is words and nothing else: no digit, slash, dot, underscore or backtick fits into the pattern,
so an answer cannot hold a version, path, URL or identifier that nobody gave it.
"""

import json
import re
from typing import Any

from secai_lib.core.analysis import Reading
from secai_lib.core.finding import Severity
from secai_lib.core.generation import Decoding
from secai_lib.core.weakness import VulnerabilityType

PROSE = {
    "cause": "root_cause",
    "impact": "impact",
    "attacks": "attack_vectors",
    "business": "business_impact",
    "remedy": "remediation",
    "prevention": "prevention",
}
"""Key of the answer -> field of the reading, in the order they are written."""
SEVERITIES = [s.value for s in Severity if s is not Severity.UNKNOWN]
FRAME_TOKENS = 38
"""Tokens of everything that is not prose, measured with SmolLM2 (33 to 38 by type)."""
TOKENS_PER_WORD = 1.3
"""Of English prose; measured on answers of SmolLM2."""
MIN_WORDS, MAX_WORDS = 3, 40
"""Of the model's own words in a sentence, at the limit."""
ROOMY = 200
"""Answer tokens from which more than one attack vector fits."""
OPENINGS = {
    "cause": "(The|This) ",
    "impact": "An attacker (can|could) ",
    "attacks": "By (calling|changing|guessing|loading|opening|publishing|reading|replacing"
    "|sending|using) ",
    "business": "The (company|owners|users) may lose ",
    "remedy": "(Check|Disable|Limit|Remove|Replace|Set|Update|Upgrade|Use|Validate) (a|the) ",
    "prevention": "Always (check|keep|limit|review|scan|test|use|validate) ",
}
"""How each sentence begins, so that it answers its own question and repeats no other one; a small
model repeats itself otherwise. Everything after it is the model's."""
OPENING_TOKENS = 16
"""Tokens of all openings together."""
WORD = r"[a-z]{1,15}('[a-z]{1,2})?"
"""Any other, in small letters: a name or an abbreviation nobody gave is not even begun."""
_DANGLING = re.compile(
    r"(?:,? (?:a|an|the|of|to|and|or|in|on|for|with|by|from|that|which|is|are|be|as|at|their|this"
    r"|its|it|can|will|may|any|such|into|when|if|has|have|been|was|not|your|you|they))+,?$",
    re.IGNORECASE,
)


def vectors_for(answer_tokens: int) -> int:
    """Most attack vectors of one answer."""
    return 1 if answer_tokens < ROOMY else 3


def words_for(answer_tokens: int) -> int:
    """Most words after an opening, so that an answer is normally whole in `answer_tokens`."""
    sentences = len(PROSE) - 1 + vectors_for(answer_tokens)
    room = (answer_tokens - FRAME_TOKENS - OPENING_TOKENS) / TOKENS_PER_WORD / sentences
    return max(MIN_WORDS, min(MAX_WORDS, int(room)))


def answer_schema(answer_tokens: int) -> dict[str, Any]:
    """The JSON Schema of an answer; its properties stand in the order they are written."""
    words = words_for(answer_tokens)
    prose: dict[str, dict[str, Any]] = {
        key: {
            "type": "string",
            "pattern": rf"^{opening}{WORD}(,? {WORD}){{0,{words - 1}}}\.?$",
        }
        for key, opening in OPENINGS.items()
    }
    properties: dict[str, Any] = {
        "type": {"enum": [kind.value for kind in VulnerabilityType]},
        "severity": {"enum": SEVERITIES},
        **prose,
    }
    most = vectors_for(answer_tokens)
    properties["attacks"] = {
        "type": "array",
        "items": prose["attacks"],
        "minItems": 1,
        "maxItems": most,
    }
    return {
        "x-guidance": {"whitespace_flexible": False},
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def decoding_for(answer_tokens: int) -> Decoding:
    """How answers are made: greedy, held to the schema."""
    # not sorted: a constrained model writes the properties in the schema's order
    text = json.dumps(answer_schema(answer_tokens), separators=(",", ":"))
    return Decoding(max_tokens=answer_tokens, json_schema=text)


def breaks_schema(answer: object, answer_tokens: int) -> str:
    """Which part of the schema a parsed `answer` breaks; empty when it fits."""
    from jsonschema import Draft202012Validator  # 0.2 s

    error = next(Draft202012Validator(answer_schema(answer_tokens)).iter_errors(answer), None)
    return "/".join(map(str, error.absolute_schema_path)) if error else ""


def reading_of(answer: dict[str, Any], answer_tokens: int) -> Reading:
    """The reading in an `answer` that fits the schema, its sentences made whole."""
    most = words_for(answer_tokens)

    def sentence(key: str, text: str) -> str:
        return whole(text, most + OPENINGS[key].count(" "))

    vectors = dict.fromkeys(sentence("attacks", attack) for attack in answer["attacks"])
    prose = {field: sentence(key, answer[key]) for key, field in PROSE.items() if key != "attacks"}
    return Reading(
        classification=answer["type"],
        severity=answer["severity"],
        attack_vectors=tuple(vectors),
        **prose,
    )


def reading_fits(reading: Reading, answer_tokens: int) -> bool:
    """Whether `reading` is one an answer of so many tokens can hold."""
    answer = {key: getattr(reading, field) for key, field in PROSE.items()}
    answer |= {"type": reading.classification.value, "severity": reading.severity.value}
    return not breaks_schema(answer | {"attacks": list(reading.attack_vectors)}, answer_tokens)


def whole(text: str, most: int) -> str:
    """`text` with a full stop, without the words at its end that lead nowhere (`of the`).

    At the limit of `most` words the last one goes too: a model that may not begin another word
    glues it to the last.
    """
    words = text.rstrip(".").split()
    bare = " ".join(words[: most - 1]).rstrip(",")
    return f"{_DANGLING.sub('', bare) or bare}."
