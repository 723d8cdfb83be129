"""Rows of the data sets, and the forged pairs some of them are made of."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Literal

from secai_lib.core.finding import Category, Finding, Severity
from secai_lib.core.fix import Fix
from secai_lib.core.generation import Message
from secai_lib.core.record import Record
from secai_lib.core.weakness import VulnerabilityType

ANSWER_PREFIX: Mapping[Literal[1, 2], str] = {1: '{"category":"', 2: "<<<\n"}
"""Stage -> what every answer begins with. A model is made to begin so, in training and after."""
ANSWER_END: Mapping[Literal[1, 2], str] = {1: "\n", 2: "\n>>>"}
"""Stage -> where an answer may be stopped: behind the labels, or behind the edit."""


class Split(StrEnum):
    """Which part of a data set a row is in; no group is in two."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Facet(StrEnum):
    """What a test row is a test of; rows of the other splits are `known`."""

    KNOWN = "known"
    """The rule occurs in the training part, the file or problem does not."""
    UNKNOWN_RULE = "unknown_rule"
    """Neither the rule nor the kind of fix occurs in the training part."""
    REAL = "real"
    """A genuine finding with a genuine fix, of a rule that occurs in the training part."""


class ForgedPair(Record):
    """A weakness put into a clean file by the inverse of a fix rule: the true fix is known."""

    id: str
    """16 hex digits over the file's texts and the finding."""
    kind: str
    """The fix rule, e.g. `dockerfile-user`."""
    origin: str
    """Where the clean file is from: `seed` or the repository's name."""
    licence: str
    """SPDX identifier of the clean file's licence, or `unknown`."""
    path: str
    """The file's path."""
    language: str
    """Its language."""
    weak: Mapping[str, str]
    """Path -> text with the weakness: what the fix applies to."""
    finding: Finding
    """What the scanner says about the weak file."""
    fix: Fix
    """The way back to the clean file, with its certificate."""


class ExampleMetadata(Record):
    """What is known of a row beside its text."""

    repository: str
    """Where it is from; `forge` for forged pairs of our own seed files."""
    licence: str
    """SPDX identifier of the text's licence, or `unknown`."""
    problem: str
    """The problem's id, or the forged pair's."""
    tool: str
    """The scanner."""
    rule: str
    """Its rule."""
    vulnerability_type: VulnerabilityType
    """From the closed list, by CWE and rule."""
    category: Category
    """What part of the product."""
    severity: Severity
    """From the evidence; never stated in a prompt that is scored on it."""
    cwes: tuple[str, ...]
    """From the evidence."""
    verdict: str
    """`fixed`, `needs_decision`, `no_fix_known`, ...: what became of the problem."""
    complexity: Literal["low", "medium", "high"]
    """By lines touched, files touched and kinds of place; how: `datasets.complexity`."""
    file: str
    """The file, relative to the repository; empty when there is none."""
    language: str
    """Its language; empty when unknown."""
    config_type: str
    """`workflow`, `dockerfile`, `kubernetes`, `compose`, `android`, ...; empty for code."""
    endpoint: str
    """`METHOD /pattern` of the handler; empty when there is none."""
    endpoint_type: str
    """The framework that serves it, e.g. `ktor`; empty when there is none."""
    mapped_from: str
    """The URL that led to the handler, without its query; empty when there is none."""
    url_mapped: bool
    """True when the finding's URL was mapped to a handler."""
    security_category: str
    """The category as the model's classes spell it."""
    security_impact: str
    """What the weakness allows, from advisory, CWE or rule."""
    fix_type: str
    """The kind of fix; empty when there is none."""
    approach: str
    """Which of several ways; empty when there is none."""
    training_weight: float
    """Multiplies the row's loss."""
    proof: str
    """`rescan`, `advisory`, `own-rule`; empty in Stage 1."""
    certificate: str
    """Id of the fix whose certificate proves it; empty in Stage 1."""
    forged: bool
    """True for forged pairs."""
    augmented: bool = False
    """True for a second version of a row: another task line, or the labels alone; code and ids
    never change."""
    created_at: datetime
    """The scan's time, so that rebuilds are byte-identical."""


class Readable(Record):
    """The answer of Stage 2 for people."""

    fixed_code: str
    """The window after the fix."""
    key_changes: tuple[str, ...]
    """What was changed."""
    validation_steps: tuple[str, ...]
    """How to check it."""
    security_improvements: tuple[str, ...]
    """What is better now."""
    alternatives: tuple[str, ...]
    """Other proven approaches to the same problem, and what to weigh."""


class TrainingExample(Record):
    """One row of a data set."""

    id: str
    """16 hex digits over stage, instruction and response."""
    stage: Literal[1, 2]
    """1: read a vulnerability; 2: fix it."""
    messages: tuple[Message, ...]
    """System, user and assistant, as the base model's template takes them."""
    instruction: str
    """The user's message."""
    response: str
    """The assistant's message."""
    readable: Readable | None = None
    """Stage 2: the same answer for people."""
    group: str
    """Rows of one group stay in one split."""
    split: Split
    """Which part it is in."""
    facet: Facet = Facet.KNOWN
    """What a test row is a test of."""
    metadata: ExampleMetadata
    """What is known beside the text."""
