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
MIN_WORDS, MAX_WORDS = 6, 40
ROOMY = 200
"""Answer tokens from which more than one attack vector fits."""
OPENINGS = {
    "cause": "(The|This|A|An) ",
    "impact": "(An attacker|Anyone) (can|could|may) ",
    "attacks": "By (calling|changing|guessing|loading|opening|publishing|reading|replacing"
    "|sending|using) ",
    "business": "(Users|Customers|Owners|Developers|Data|Money|Trust) ",
    "remedy": "(Add|Apply|Check|Disable|Enable|Encode|Escape|Limit|Move|Pin|Remove|Replace"
    "|Restrict|Rotate|Set|Store|Update|Upgrade|Use|Validate|Verify) ",
    "prevention": "(Always|Never|Regularly|Review|Scan|Test|Monitor|Require|Keep|Forbid) ",
}
"""How each sentence may begin, so that it answers its own question and repeats no other one; a
small model repeats itself otherwise. Everything after it is the model's."""
WORD = r"([A-Z]{2,5}|[A-Za-z][a-z]{0,14}('[a-z]{1,2})?)"
"""Any other: at most its first letter is a capital, or it is an abbreviation such as SQL."""
_DANGLING = re.compile(
    r"(?:,? (?:a|an|the|of|to|and|or|in|on|for|with|by|from|that|which|is|are|be|as|at|their|this"
    r"|its|it|can|will|may|any|such|into|when|if|has|have|been|was|not|your|you|they))+,?$",
    re.IGNORECASE,
)


def vectors_for(answer_tokens: int) -> int:
    """Most attack vectors of one answer."""
    return 1 if answer_tokens < ROOMY else 3


def words_for(answer_tokens: int) -> int:
    """Most words of one sentence, so that an answer is normally whole within `answer_tokens`."""
    sentences = len(PROSE) - 1 + vectors_for(answer_tokens)
    room = (answer_tokens - FRAME_TOKENS) / TOKENS_PER_WORD / sentences
    return max(MIN_WORDS, min(MAX_WORDS, int(room)))


def answer_schema(answer_tokens: int) -> dict[str, Any]:
    """The JSON Schema of an answer; its properties stand in the order they are written."""
    words = words_for(answer_tokens)
    prose: dict[str, dict[str, Any]] = {
        key: {
            "type": "string",
            "pattern": rf"^{opening}{WORD}(,? {WORD}){{1,{words - opening.count(' ') - 1}}}\.?$",
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


def reading_of(answer: dict[str, Any]) -> Reading:
    """The reading in an `answer` that fits the schema.

    A sentence that the word limit cut loses the words that lead nowhere (`of the`).
    """
    vectors = tuple(dict.fromkeys(whole(attack) for attack in answer["attacks"]))
    prose = {field: whole(answer[key]) for key, field in PROSE.items() if key != "attacks"}
    return Reading(
        classification=answer["type"], severity=answer["severity"], attack_vectors=vectors, **prose
    )


def reading_fits(reading: Reading, answer_tokens: int) -> bool:
    """Whether `reading` is one an answer of so many tokens can hold."""
    answer = {key: getattr(reading, field) for key, field in PROSE.items()}
    answer |= {"type": reading.classification.value, "severity": reading.severity.value}
    return not breaks_schema(answer | {"attacks": list(reading.attack_vectors)}, answer_tokens)


def whole(text: str) -> str:
    """`text` without dangling words at its end, with a capital and a full stop."""
    bare = _DANGLING.sub("", text.rstrip(".")).rstrip(", ") or text.rstrip(".")
    return f"{bare[0].upper()}{bare[1:]}."
