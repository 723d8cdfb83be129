"""Which rows are asked, and when a test part counts as another one."""

import random

from secai_lib.core.training import Facet, Split, TrainingExample
from secai_lib.core.weakness import VulnerabilityType
from secai_lib.evaluation.exam import chosen, frozen, held_back
from tests.fakes.training_rows import make_metadata, make_training_row

KINDS = list(VulnerabilityType)


def a_row(number: int, facet: Facet, kind: VulnerabilityType) -> TrainingExample:
    made = make_training_row(body=f"Rule: r{number}", metadata=make_metadata(kind=kind))
    return made.model_copy(update={"split": Split.TEST, "facet": facet})


ROWS = [
    *(a_row(n, Facet.KNOWN, KINDS[n % 3]) for n in range(20)),
    *(a_row(20 + n, Facet.UNKNOWN_RULE, KINDS[5]) for n in range(10)),
    a_row(30, Facet.REAL, KINDS[0]),
]


def test_a_cap_keeps_every_facet_and_every_kind() -> None:
    asked = chosen(ROWS, 9, seed=1)
    assert len(asked) == 9
    facets = [row.facet for row in asked]
    assert (facets.count(Facet.KNOWN), facets.count(Facet.UNKNOWN_RULE)) == (4, 4)
    assert facets.count(Facet.REAL) == 1
    known = {row.metadata.vulnerability_type for row in asked if row.facet is Facet.KNOWN}
    assert known == set(KINDS[:3])


def test_the_choice_depends_on_the_seed_and_not_on_the_order() -> None:
    turned = ROWS[:]
    random.Random(0).shuffle(turned)
    assert chosen(ROWS, 9, seed=1) == chosen(turned, 9, seed=1)
    assert chosen(ROWS, 9, seed=1) != chosen(ROWS, 9, seed=2)
    assert len(chosen(ROWS, 0, seed=1)) == len(ROWS)


def test_a_frozen_set_is_another_one_when_a_letter_changes() -> None:
    assert frozen(ROWS) == frozen(list(reversed(ROWS)))
    lie = ROWS[0].model_copy(update={"response": ROWS[0].response + " "})
    assert frozen([lie, *ROWS[1:]]) != frozen(ROWS)
    assert frozen(ROWS[1:]) != frozen(ROWS)
    train = ROWS[0].model_copy(update={"split": Split.TRAIN})
    assert held_back([train, *ROWS[1:]]) == sorted(ROWS[1:], key=lambda row: row.id)
