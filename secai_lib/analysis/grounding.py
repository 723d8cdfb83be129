"""Does prose name anything that the evidence does not?"""

import re
import unicodedata
from collections.abc import Iterable

from secai_lib.core.analysis import Analysis, Facts, Reading

_IDENTIFIER = re.compile(
    r"\w+://\S+"  # URL
    r"|[\w.+-]+@[\w.-]+"  # e-mail
    r"|[\w.@-]*/[\w./@-]+"  # path
    r"|[\w.-]+:[\w.-]+"  # package coordinates
    r"|\b[A-Za-z]{2,}-[\w-]*\d[\w-]*|\b[A-Z]{3,}-[\w-]+"  # CVE, CWE, GHSA and their like
    r"|\b\w+(?:\.\w+)+"  # host, file, version
    r"|\b\w*\d\w*"  # anything with a number
    r"|\b\w+_\w+"  # snake_case
    r"|\b[A-Za-z]*[a-z][A-Z]\w*"  # camelCase, CamelCase
    r"|\b[A-Z]{2,}s?\b"  # abbreviations
    r"|[^\W\d_]*[^\x00-\x7f\W]\w*"  # letters that only look familiar
)

_TELLING = re.compile(r"[a-z]{4,}")
EVERYWHERE = frozenset({
    "able", "access", "allow", "allows", "also", "always", "attack", "attacker", "attackers",
    "been", "being", "bypass", "cause", "check", "code", "could", "data", "does", "ensure", "from",
    "gain", "have", "help", "into", "lose", "make", "more", "must", "only", "other", "problem",
    "security", "sets", "should", "some", "such", "than", "that", "their", "them", "then", "there",
    "these", "they", "this", "through", "used", "user", "users", "using", "value", "version",
    "what", "when", "where", "which", "will", "with", "without", "your",
})  # fmt: skip
"""Words that stand in the text about any problem."""


def ungrounded(reading: Reading, facts: Facts, foreign: Iterable[str] = ()) -> tuple[str, ...]:
    """Identifiers in the prose of `reading` that are not in `facts`, sorted.

    `foreign` are names that stood in the prompt but belong to other problems: they are told by
    being named, however plain they look.
    """
    known = _text(facts)
    named = {
        name.strip(".,:;-")
        for sentence in prose_of(reading)
        for name in _IDENTIFIER.findall(unicodedata.normalize("NFKC", sentence))
    }
    words = {word for sentence in prose_of(reading) for word in re.findall(r"[\w-]+", sentence)}
    named |= {word for word in words if word.casefold() in {name.casefold() for name in foreign}}
    return tuple(sorted(name for name in named if name and not _holds(known, name)))


def prose_of(reading: Reading) -> tuple[str, ...]:
    """Every sentence of `reading`."""
    return (
        *(reading.root_cause, reading.impact, *reading.attack_vectors),
        *(reading.business_impact, reading.remediation, reading.prevention),
    )


def speaks_of(reading: Reading, facts: Facts) -> bool:
    """Whether any sentence of `reading` holds a telling word of `facts`."""
    known = set(_TELLING.findall(_text(facts))) - EVERYWHERE
    said = {word for sentence in prose_of(reading) for word in _TELLING.findall(sentence.lower())}
    return bool(said & known)


def names_nothing_new(analysis: Analysis) -> bool:
    """Whether every identifier of the analysis is in its facts."""
    return not analysis.reading or not ungrounded(analysis.reading, analysis.facts)


def _text(facts: Facts) -> str:
    values = facts.model_dump(mode="json").values()
    return "\n".join(" ".join(v) if isinstance(v, list) else v for v in values).casefold()


def _holds(known: str, name: str) -> bool:
    """Whether `name` stands in `known` as a whole: `1.2` is not in `11.23`."""
    return bool(re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", known))
