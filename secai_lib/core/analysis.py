"""What a model reads in a problem; facts are never taken from it."""

from enum import StrEnum

from pydantic import Field

from secai_lib.core.finding import Category, Severity
from secai_lib.core.record import Record
from secai_lib.core.weakness import VulnerabilityType


class Facts(Record):
    """What evidence says about a problem: the only source of names, numbers and places."""

    problem: str
    """The problem's id."""
    title: str
    """One line, from the scanner."""
    message: str
    """The scanner's message, secrets redacted."""
    category: Category
    """What part of the product it is about."""
    severity: Severity
    """The worst severity of its findings."""
    tools: tuple[str, ...]
    """The scanners that see it."""
    rules: tuple[str, ...]
    """`tool:rule` of every finding."""
    cwes: tuple[str, ...]
    """`CWE-79` and so on."""
    advisories: tuple[str, ...]
    """CVE, GHSA, OSV ids."""
    package: str
    """The package at fault; empty when none is."""
    version: str
    """Its installed version."""
    fixed_versions: tuple[str, ...]
    """Versions without the weakness, where known."""
    place: str
    """`path:line`, an image, an archive, or `METHOD url`; empty when the scanner named none."""
    language: str
    """Language of the code; empty when unknown."""
    function: str
    """The function, job or stage around it; empty when there is none."""
    code: str
    """The code it is about, secrets redacted; empty when there is none."""
    endpoint: str
    """`METHOD /pattern` of the handler behind the URL; empty when there is none."""
    help: str
    """The rule's own explanation, where the scanner gives one."""


class Reading(Record):
    """A model's reading of a problem, held to this schema while it is written."""

    classification: VulnerabilityType
    """What kind of weakness the model takes it for."""
    severity: Severity
    """How bad the model thinks it is; the evidence's word is in the facts."""
    impact: str
    """What an attacker gains."""
    root_cause: str
    """What is wrong."""
    attack_vectors: tuple[str, ...]
    """How it may be attacked, at least one."""
    business_impact: str
    """What it means for the people who run the software."""
    remediation: str
    """What to do about it."""
    prevention: str
    """How to keep it from coming back."""


class AnalysisStatus(StrEnum):
    """Whether there is a reading."""

    READ = "read"
    ABSTAINED = "abstained"
    """The model gave nothing that can be used; the reason is recorded, nothing stands in for it."""


class Analysis(Record):
    """One model's reading of one distinct problem, or why there is none."""

    problem: str
    """The problem's id."""
    repository: str
    """The repository it is in."""
    branch: str
    """The branch it is on."""
    key: str
    """The memo's key: hash of findings, context, prompt version, decoding and base model."""
    status: AnalysisStatus
    """Whether there is a reading."""
    reason_code: str = ""
    """A word to count by: `invalid`, `cut`, `degenerate`, `vacuous`, `ungrounded`; else empty."""
    reason: str = ""
    """A sentence for the user; empty when there is a reading."""
    facts: Facts
    """What evidence says."""
    reading: Reading | None
    """What the model says; None when it abstained."""
    model: str
    """Identity of the base model."""
    adapter: str = ""
    """Identity of the adapter in use; empty for the bare base model. Recorded, not in the key."""
    engine: str
    """Identity of the engine. Recorded, not in the key."""
    knowledge: str = ""
    """Version of the knowledge base in use; empty for none. Recorded, not in the key."""
    passages: tuple[str, ...] = ()
    """Ids of the documents of the knowledge base that stood in the prompt."""
    prompt_tokens: int = Field(ge=0)
    """Tokens of the prompt."""
    answer_tokens: int = Field(ge=0)
    """Tokens of the last answer."""
    tries: int = Field(ge=0)
    """Answers asked for: 1, or 2 after a repair."""
