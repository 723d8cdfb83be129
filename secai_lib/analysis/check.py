"""Is an answer a reading? If not, why, in words for a person and for the model."""

import json
import re
from collections.abc import Sequence

from secai_lib.analysis.grounding import prose_of, speaks_of, ungrounded
from secai_lib.analysis.prompts import SYSTEM, TASK
from secai_lib.analysis.schema import fits_schema, reading_fits, reading_of
from secai_lib.core.analysis import Facts, Reading
from secai_lib.core.generation import Finish, Generation
from secai_lib.core.record import Record

COPIED_WORDS = 4
"""Words in a row that nobody writes by chance."""
_WORDS = re.compile(r"[a-z']+")


class Refusal(Record):
    """Why an answer is no reading."""

    code: str
    """A word to count by: `invalid`, `cut`, `degenerate`, `vacuous` or `ungrounded`."""
    reason: str
    """A sentence for the user."""
    complaint: str
    """A sentence for the model's next try; our own words, never those of an answer."""


CUT = Refusal(
    code="cut",
    reason="The answer did not end within analyses.answer_tokens: allow more, or a larger model.",
    complaint="Your last answer was too long: write shorter sentences of common words.",
)
INVALID = Refusal(
    code="invalid",
    reason="The answer breaks its schema: the server may not support constrained output.",
    complaint="Your last answer was not the sentences that were asked for: write only those.",
)
UNGROUNDED = Refusal(
    code="ungrounded",
    reason="The answer names something that the evidence does not.",
    complaint="Your last answer named things that are not in the data: use plain words only.",
)
DEGENERATE = Refusal(
    code="degenerate",
    reason="The answer repeats itself or the question and says nothing about the problem.",
    complaint="Your last answer repeated itself: say something different in every sentence.",
)

VACUOUS = Refusal(
    code="vacuous",
    reason="The answer could be about any problem: it takes up nothing of this one.",
    complaint="Your last answer could be about anything: speak of what is in the data.",
)


def read_answer(
    answer: Generation, facts: Facts, foreign: Sequence[str], answer_tokens: int
) -> Reading | Refusal:
    """The reading in `answer`, or why there is none; `foreign` as in `ungrounded`."""
    if answer.finish is Finish.LENGTH:
        return CUT
    try:
        parsed = json.loads(answer.text)
    except (ValueError, RecursionError):
        return INVALID
    if not fits_schema(parsed, answer_tokens):
        return INVALID
    reading = reading_of(parsed, answer_tokens)
    if degenerate(reading) or not reading_fits(reading, answer_tokens):
        return DEGENERATE
    if ungrounded(reading, facts, foreign):
        return UNGROUNDED
    return reading if speaks_of(reading, facts) else VACUOUS


def degenerate(reading: Reading) -> bool:
    """True when a sentence runs in circles, most say the same, or one repeats our instructions."""
    sentences = [_WORDS.findall(sentence.lower()) for sentence in prose_of(reading)]
    tails = {tuple(words[-3:]) for words in sentences}
    told = f" {' '.join(_WORDS.findall(f'{SYSTEM} {TASK}'.lower()))} "
    return (
        len(tails) < len(sentences) - 2
        or any(_circles(words) for words in sentences)
        or any(
            f" {' '.join(words[at : at + COPIED_WORDS])} " in told
            for words in sentences
            for at in range(len(words) - COPIED_WORDS + 1)
        )
    )


def _circles(words: Sequence[str]) -> bool:
    """Whether three words in a row come back, or a long word comes four times."""
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return len(set(triples)) < len(triples) or any(
        words.count(word) > 3 for word in words if len(word) > 3
    )
