"""Which weak variants there are, and which of them are tried."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from secai_lib.core.fix import Edit
from secai_lib.core.settings import ForgeSettings
from secai_lib.fixes.clean import CleanFile
from secai_lib.fixes.rule import Abstain, FixRule, Weakening
from secai_lib.fixes.rules import RULES
from secai_lib.fixes.variants import chosen, variants


def clean(path: str, text: str, origin: str = "seed") -> CleanFile:
    return CleanFile(origin=origin, licence="Apache-2.0", path=path, text=text)


def rule(kind: str, sign: str) -> FixRule:
    """A rule whose inverse replaces any `sign` by `!`."""

    def weaken(path: str, text: str) -> Iterator[Weakening]:
        for at in [n for n, letter in enumerate(text) if letter == sign]:
            edit = Edit(path=path, start=at, end=at + 1, replacement="!")
            yield Weakening("zizmor", "x", (edit,))

    return replace(RULES[0], kind=kind, weaken=weaken)


FILES = [clean(f"{name}.yaml", "a" * 5 + "b" * 5 + name) for name in "xyz"]
TWO = [rule("one", "a"), rule("two", "b")]


def test_every_place_is_a_variant() -> None:
    found, refused = variants(FILES, TWO)
    assert len(found) == 30 and not refused
    assert all(v.text.count("!") == 1 for v in found)


def test_a_rule_without_an_inverse_makes_none() -> None:
    assert variants(FILES, [replace(TWO[0], weaken=None)]) == ([], {})


def test_files_and_kinds_take_turns() -> None:
    found, _ = variants(FILES, TWO)
    few = chosen(found, ForgeSettings(max_pairs=6, max_per_kind=3))
    assert Counter(v.rule.kind for v in few) == {"one": 3, "two": 3}
    assert Counter((v.rule.kind, v.file.path) for v in few).most_common(1)[0][1] == 1


def test_the_limits_hold() -> None:
    found, _ = variants(FILES, TWO)
    assert len(chosen(found, ForgeSettings(max_pairs=7, max_per_kind=40))) == 7
    assert len(chosen(found, ForgeSettings(max_pairs=400, max_per_kind=4))) == 8
    assert chosen(found, ForgeSettings(max_pairs=0)) == []


def test_the_seed_alone_decides() -> None:
    found, _ = variants(FILES, TWO)
    backwards, _ = variants(FILES[::-1], TWO)

    def texts(seed: int) -> list[str]:
        return [v.text for v in chosen(found, ForgeSettings(seed=seed, max_pairs=9))]

    assert texts(1) == texts(1) != texts(2)
    few = ForgeSettings(seed=1, max_pairs=9)
    assert [v.text for v in chosen(backwards, few)] == texts(1)


def test_a_refusal_or_a_stumble_is_counted_and_stops_nothing() -> None:
    def refuses(path: str, text: str) -> Iterator[Weakening]:
        raise Abstain("syntax", "no")
        yield

    def stumbles(path: str, text: str) -> Iterator[Weakening]:
        raise IndexError
        yield

    rules = [replace(RULES[0], weaken=refuses), replace(RULES[0], weaken=stumbles), TWO[0]]
    found, refused = variants(FILES, rules)
    assert len(found) == 15
    assert refused == {"file_refused": 3, "rule_failed": 3}
