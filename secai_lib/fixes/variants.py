"""Weak variants of clean files: every place the inverses know, and the ones to try."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from secai_lib.core.settings import ForgeSettings
from secai_lib.core.syntax import SyntaxRefused, language_of
from secai_lib.fixes.clean import CleanFile
from secai_lib.fixes.edits import EditError, apply_edits
from secai_lib.fixes.rule import Abstain, FixRule, Weakening
from secai_lib.fixes.yaml_edit import EditRefused
from secai_lib.fixes.yaml_tree import YamlRefused

_REFUSALS = (Abstain, YamlRefused, SyntaxRefused, EditRefused, EditError)
_SCANNED_LIKE = {"dockerfile": "yaml", "kotlin": "typescript", "tsx": "typescript"}
"""Languages that the same scanners read: they start slowly, so they are started together."""


@dataclass(frozen=True)
class Variant:
    """A clean file with one weakness in it."""

    file: CleanFile
    rule: FixRule
    weakening: Weakening
    text: str
    """The weak text."""


def variants(
    clean: Sequence[CleanFile], rules: Sequence[FixRule]
) -> tuple[list[Variant], Mapping[str, int]]:
    """Every distinct variant of `clean` in a fixed order, and how often a rule refused a file.

    The files are hostile: a rule that stumbles over one leaves it out.
    """
    found: dict[tuple[str, str], Variant] = {}
    refused: Counter[str] = Counter()
    for rule in rules:
        for file in sorted(clean, key=lambda file: (file.origin, file.path)):
            try:
                for weakening in rule.weaken(file.path, file.text) if rule.weaken else ():
                    text = apply_edits(file.text, weakening.edits)
                    if text != file.text:
                        found.setdefault((file.path, text), Variant(file, rule, weakening, text))
            except _REFUSALS:
                refused["file_refused"] += 1
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
                refused["rule_failed"] += 1
    return list(found.values()), refused


def chosen(found: Sequence[Variant], settings: ForgeSettings) -> list[Variant]:
    """At most `max_pairs` of `found`, spread evenly over kinds, files and places.

    The kinds take turns, within a kind its files, within a file its places in an order that
    hangs on the seed alone.
    """
    kinds: dict[str, dict[tuple[str, str], list[Variant]]] = {}
    for variant in found:
        files = kinds.setdefault(variant.rule.kind, {})
        files.setdefault((variant.file.origin, variant.file.path), []).append(variant)
    lanes = []
    for kind, files in sorted(kinds.items()):
        order = sorted(files)
        random.Random(f"{settings.seed}:{kind}").shuffle(order)  # noqa: S311 - repeatable
        for (origin, path), places in files.items():
            places.sort(key=lambda variant: variant.text)
            random.Random(f"{settings.seed}:{kind}:{origin}:{path}").shuffle(places)  # noqa: S311
        lanes.append(list(_in_turn([files[file] for file in order]))[: settings.max_per_kind])
    return list(_in_turn(lanes))[: settings.max_pairs]


def batches(wanted: Sequence[Variant], size: int) -> Iterator[list[Variant]]:
    """At most `size` variants each, evenly; those for the same scanners and file together."""
    groups: dict[str, list[Variant]] = {}
    for variant in wanted:
        language = language_of(variant.file.path)
        groups.setdefault(_SCANNED_LIKE.get(language, language), []).append(variant)
    for _, group in sorted(groups.items()):
        group.sort(key=lambda v: (v.file.origin, v.file.path, v.rule.kind, v.text))
        even = ceil(len(group) / ceil(len(group) / size))
        yield from (group[at : at + even] for at in range(0, len(group), even))


def _in_turn(lanes: Sequence[Sequence[Variant]]) -> Iterator[Variant]:
    """The first of every lane, then the second of every lane, and so on."""
    for turn in range(max(map(len, lanes), default=0)):
        yield from (lane[turn] for lane in lanes if turn < len(lane))
