"""Typed reading of somebody else's JSON: every value knows its JSON pointer."""

import math
import re
from collections.abc import Iterator

from secai_lib.core.text import visible

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_WORDS = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
_LARGEST = 10**12
_HEADLINE = 200
LONGEST_SHARED_TEXT = 65_536
"""Characters of a text that any number of results may share, a rule's help say. Without a limit a
small report becomes a huge one. The stored report keeps the rest."""


class Broken(Exception):
    """A value is not what the format promises."""

    def __init__(self, pointer: str, reason: str) -> None:
        """Keep the JSON `pointer` of the value and the `reason`, a clause."""
        super().__init__(f"{pointer or '/'}: {reason}")
        self.pointer, self.reason = pointer, reason


class NoResult(Exception):
    """A raw result is sound but says nothing is wrong (a passed check, a licence)."""


def clean_text(text: str) -> str:
    """`text` with plain line ends and without control characters or lone surrogates.

    Terminals obey control characters and UTF-8 cannot hold surrogates; each becomes U+FFFD.
    """
    if text.isprintable():
        return text
    return _UNSAFE.sub("\ufffd", text.replace("\r\n", "\n"))


def headline(text: str, otherwise: str) -> str:
    """The first line of `text` with something on it, at most 200 characters; else `otherwise`."""
    return text.strip().splitlines()[0][:_HEADLINE] if text.strip() else otherwise


def clipped(text: str) -> str:
    """`text`, or its beginning and a mark when it is longer than a shared text may be."""
    too_long = len(text) > LONGEST_SHARED_TEXT
    return f"{text[:LONGEST_SHARED_TEXT]} [cut off here]" if too_long else text


def kind_of(value: Json) -> str:
    """What `value` is, in words: `an object`, `a list`, `text`, `a number`, ..."""
    return _WORDS.get(type(value), "a number")


class _Name(str):
    """A member's name that the report itself chose, so that what is hidden in it has to show."""

    __slots__ = ()


class Node:
    """A JSON value with its pointer; a missing key is a node that holds None.

    A report has millions of nodes and few complaints, so that a pointer is only spelled when
    somebody asks for it.
    """

    __slots__ = ("_steps", "_under", "value")

    def __init__(
        self, value: Json, under: "Node | str" = "", steps: tuple[str | int, ...] = ()
    ) -> None:
        """Hold `value`, which stands `steps` below the node (or the JSON pointer) `under`."""
        self.value, self._under, self._steps = value, under, steps

    @property
    def pointer(self) -> str:
        """The JSON pointer of the value."""
        if self._steps or isinstance(self._under, Node):
            above = self._under.pointer if isinstance(self._under, Node) else self._under
            self._under, self._steps = above + "".join(map(_step, self._steps)), ()
        return self._under

    def __bool__(self) -> bool:
        """False for a missing or empty value."""
        return bool(self.value)

    def broken(self, expected: str) -> Broken:
        """The complaint that something else than `expected` stands here."""
        return Broken(self.pointer, f"expected {expected}, found {kind_of(self.value)}")

    def members(self) -> dict[str, Json]:
        """The object's members; empty when missing. Raises Broken for anything else."""
        if self.value is None:
            return {}
        if not isinstance(self.value, dict):
            raise self.broken("an object")
        return self.value

    def get(self, *keys: str) -> "Node":
        """The member at `keys`, step by step."""
        return Node(self._value(keys), self, keys)

    def entries(self) -> Iterator[tuple[str, "Node"]]:
        """Name and node of every member, in the file's order.

        A name is the report's own text here, so what is hidden in it shows in the pointer.
        """
        for key, value in self.members().items():
            yield clean_text(key), Node(value, self, (_Name(key),))

    def items(self, *keys: str) -> list["Node"]:
        """The elements of the list at `keys`; empty when missing."""
        value = self._value(keys)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self.get(*keys).broken("a list")
        return [Node(item, self, (*keys, index)) for index, item in enumerate(value)]

    def item(self, index: int | None, *keys: str) -> "Node | None":
        """The element at `index` of the list at `keys`, the others untouched; None outside it."""
        value = self._value(keys)
        if not isinstance(value, list):
            if value is None:
                return None
            raise self.get(*keys).broken("a list")
        if index is None or not 0 <= index < len(value):
            return None
        return Node(value[index], self, (*keys, index))

    def text(self, *keys: str, default: str = "") -> str:
        """The text at `keys`, cleaned; `default` when missing or empty."""
        value = self._value(keys)
        if value is None:
            return default
        if not isinstance(value, str):
            raise self.get(*keys).broken("text")
        return clean_text(value) or default

    def need(self, *keys: str) -> str:
        """The text at `keys`. Raises Broken when it is missing or blank."""
        text = self.text(*keys)
        if not text.strip():
            raise Broken(self.get(*keys).pointer, "expected text, found nothing")
        return text

    def scalar(self, *keys: str) -> str:
        """The text or number at `keys`, as text; empty when missing."""
        value = self._value(keys)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        return self.text(*keys)

    def texts(self, *keys: str) -> tuple[str, ...]:
        """The texts of the list at `keys`; a lone text counts as a list of one."""
        value = self._value(keys)
        if isinstance(value, str):
            return (clean_text(value),)
        return tuple(item.text() for item in self.items(*keys)) if value is not None else ()

    def integer(self, *keys: str) -> int | None:
        """The whole number at `keys`; None when missing."""
        value = self._value(keys)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.get(*keys).broken("a whole number")
        if abs(value) > _LARGEST:
            raise Broken(self.get(*keys).pointer, "the number is too large")
        return value

    def number(self, *keys: str) -> float | None:
        """The number at `keys`, also when written as text; None when missing or empty."""
        text = self.scalar(*keys).strip()
        if not text:
            return None
        try:
            number = float(text)
        except (ValueError, OverflowError):
            raise self.get(*keys).broken("a number") from None
        if not math.isfinite(number):
            raise Broken(self.get(*keys).pointer, "the number is not finite")
        return number

    def flag(self, *keys: str) -> bool:
        """The truth value at `keys`; False when missing."""
        value = self._value(keys)
        if value is not None and not isinstance(value, bool):
            raise self.get(*keys).broken("true or false")
        return bool(value)

    def _value(self, keys: tuple[str, ...]) -> Json:
        """What stands at `keys`; None when something on the way is missing."""
        value = self.value
        for depth, key in enumerate(keys):
            if isinstance(value, dict):
                value = value.get(key)
            elif value is None:
                return None
            else:
                raise Node(value, self, keys[:depth]).broken("an object")
        return value


def _step(key: str | int) -> str:
    escaped = str(key).replace("~", "~0").replace("/", "~1")
    return f"/{visible(escaped) if isinstance(key, _Name) else escaped}"
