"""Where secrets stand in a report, and what takes their place."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from secai_lib.parsers.node import Json, Node

REDACTED = "[redacted]"

_SECRET_CWES = {"CWE-259", "CWE-321", "CWE-798"}
"""Hard-coded password, hard-coded key, hard-coded credentials."""
_SECRET_WORDS = {"secret", "secrets"}
_QUOTED = re.compile(r"(?<![A-Za-z0-9])([\"'`])(?:(?!\1)[^\n\\]|\\.){1,300}\1")
_RANDOM = re.compile(r"(?<![\w./-])(?!CWE-)(?=\S{0,200}\d)(?=\S{0,200}[A-Za-z])[^\s\"'`]{8,}")
_PLAIN_WORD = re.compile(r"^[A-Za-z_-]*$")
_LONGEST_SENTENCE = 4000
_HEAD = 8
"""Characters by which a long secret is looked up; shorter ones count as words."""
_BETWEEN_QUOTES = re.compile(r"(?<=[\"'])[^\"'\n]{1,200}(?=[\"'])")
_TEXT_KEYS = {"snippet", "insertedContent", "rendered"}


@dataclass(frozen=True)
class Spot:
    """A text of the report that holds a secret."""

    owner: str
    """JSON pointer of the raw result it belongs to; secrets are counted by owner."""
    holder: dict[str, Json] | list[Json]
    """The object or list it stands in."""
    key: str | int
    """Its name or position there."""
    mask: Callable[[str], str]
    """The text to put in place of the old one."""
    value: str = ""
    """The bare secret, to be looked for in the rest of the report; empty when unknown."""


def whole(_text: str) -> str:
    """Nothing of the text survives."""
    return REDACTED


def without(value: str) -> Callable[[str], str]:
    """A mask that takes `value` out of a text, or all of the text when it is not in there."""

    def mask(text: str) -> str:
        return text.replace(value, REDACTED) if value and value in text else REDACTED

    return mask


def mask_literals(text: str) -> str:
    """`text` without quoted stretches and without words that look random.

    A long text goes whole: no sentence needs it, and the search would take quadratic time.
    """
    if len(text) > _LONGEST_SENTENCE:
        return REDACTED
    quoted = _QUOTED.sub(lambda found: f"{found[1]}{REDACTED}{found[1]}", text)
    return _RANDOM.sub(REDACTED, quoted)


def rule_is_about_secrets(
    rule_id: str, cwes: tuple[str, ...] = (), tags: tuple[str, ...] = ()
) -> bool:
    """Whether a rule reports secrets: by CWE, a tag, or `secret` as a whole word of its id."""
    return _about_secrets(rule_id, cwes, tags)


@lru_cache(maxsize=4096)
def _about_secrets(rule_id: str, cwes: tuple[str, ...], tags: tuple[str, ...]) -> bool:
    words = set(re.split(r"[^a-z0-9]+", rule_id.lower())) | {tag.lower() for tag in tags}
    return bool(_SECRET_CWES.intersection(cwes) or _SECRET_WORDS & words)


def spot(
    node: Node, key: str, mask: Callable[[str], str] = whole, *, owner: Node
) -> Iterator[Spot]:
    """The member `key` of `node` as a spot; nothing when it is missing or empty."""
    holder = node.value
    if isinstance(holder, dict) and holder.get(key):
        value = holder[key]
        bare = value if isinstance(value, str) and mask is whole else ""
        yield Spot(owner.pointer, holder, key, mask, bare)


def context(node: Node, key: str, *, owner: Node) -> Iterator[Spot]:
    """Like `spot`, for text around a secret: it goes, but is not looked for elsewhere."""
    for found in spot(node, key, owner=owner):
        yield Spot(found.owner, found.holder, found.key, whole)


def sarif_spots(result: Node, *, values: bool) -> Iterator[Spot]:
    """Snippets and literals in messages of a SARIF `result` about a secret.

    With `values` the main snippets are bare secrets, as Gitleaks writes them.
    """
    waiting: list[tuple[str, Json]] = [("", result.value)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, list):
            waiting.extend((key, item) for item in value)
        if not isinstance(value, dict):
            continue
        if key in _TEXT_KEYS:
            text = value.get("text")
            bare = text if values and isinstance(text, str) else ""
            yield from (
                Spot(result.pointer, value, name, whole, bare if name == "text" else "")
                for name in ("text", "markdown")
                if value.get(name)
            )
        elif key == "message" and not values:
            for name in ("text", "markdown"):
                if value.get(name):
                    yield Spot(result.pointer, value, name, mask_literals)
        waiting.extend(value.items())


def apply(value: Json, spots: list[Spot]) -> int:
    """Mask `spots` in place and their bare values in all of `value`; how many owners changed."""
    owners: set[str] = set()
    bare: set[str] = set()
    for found in spots:
        old = found.holder[found.key]  # type: ignore[index]
        new = found.mask(old) if isinstance(old, str) else _blank(old)
        if new != old:
            found.holder[found.key] = new  # type: ignore[index]
            owners.add(found.owner)
            if found.value and found.value != REDACTED:
                bare.add(found.value)
    if bare:
        sweep(value, Sweeper(dict.fromkeys(bare, REDACTED)))
    return len(owners)


def _blank(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _blank(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_blank(item) for item in value]
    return REDACTED if value is not None else None


def sweep(value: Json, take: "Sweeper") -> int:
    """Take every secret that `take` knows out of every text; how many texts had one."""
    changed = 0
    waiting: list[Json] = [value]
    while waiting:
        holder = waiting.pop()
        pairs: list[tuple[str | int, Json]] = []
        if isinstance(holder, dict):
            pairs = list(holder.items())
        elif isinstance(holder, list):
            pairs = list(enumerate(holder))
        for key, item in pairs:
            if not isinstance(item, str):
                waiting.append(item)
            elif (clean := take.out_of(item)) != item:
                holder[key] = clean  # type: ignore[index]
                changed += 1
    return changed


class Sweeper:
    """Finds any of many secrets in one pass, so that ten thousand leaks take no hours.

    A short or ordinary word (`password`, `admin`) is taken only where it stands in quotes: taking
    it everywhere would maul rule names and paths, and tell what the word was.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """Take `secrets`: text -> what to put in its place."""
        self._secrets = secrets
        self._words = {word for word in secrets if len(word) < _HEAD or _PLAIN_WORD.match(word)}
        self._long = secrets.keys() - self._words
        heads: dict[str, set[int]] = {}
        for secret in self._long:
            heads.setdefault(secret[:_HEAD], set()).add(len(secret))
        self._lengths = {head: sorted(found, reverse=True) for head, found in heads.items()}
        self._heads = re.compile(_any_of(sorted(heads)), re.DOTALL) if heads else None

    def out_of(self, text: str) -> str:
        """`text` without them."""
        if self._words and ('"' in text or "'" in text):
            text = _BETWEEN_QUOTES.sub(
                lambda found: self._secrets[found[0]] if found[0] in self._words else found[0], text
            )
        pieces: list[str] = []
        done = at = 0
        while self._heads and (found := self._heads.search(text, at)):
            at = found.start()
            here = (text[at : at + length] for length in self._lengths[found[0]])
            if hit := next((piece for piece in here if piece in self._long), ""):
                pieces += (text[done:at], self._secrets[hit])
                done = at = at + len(hit)
            else:
                at += 1
        return "".join(pieces) + text[done:] if pieces else text


def _any_of(words: list[str]) -> str:
    """The pattern of any of `words` (sorted, equally long), letter by letter.

    Plain alternatives would be tried one by one at every place of a text.
    """
    if len(words) == 1:
        return re.escape(words[0])
    starts: dict[str, list[str]] = {}
    for word in words:
        starts.setdefault(word[:1], []).append(word[1:])
    if "" in starts:
        return ""
    branches = [re.escape(start) + _any_of(rest) for start, rest in starts.items()]
    return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
