"""What a row of Stage 2 is made of, and whether its proof still holds for its texts."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime

from secai_lib.core.context import CodeContext
from secai_lib.core.finding import Finding
from secai_lib.core.fix import Certificate, Fix, ProofVerdict
from secai_lib.core.record import sha256_hex
from secai_lib.core.training import TrainingExample
from secai_lib.datasets.answer_format import AnswerRefused
from secai_lib.datasets.applier import apply_answer
from secai_lib.datasets.windows import Window

MODEST = frozenset({"minimal", "in_branch", "default"})
"""Ways that change nothing but the weakness; among them, and behind them, the smallest is first."""


@dataclass(frozen=True)
class Repair:
    """A fix of a real problem or of a forged one, with the texts it leads from and to."""

    fix: Fix
    finding: Finding
    weak: Mapping[str, str]
    """Path -> text before, of every file that the fix touches."""
    fixed: Mapping[str, str]
    """Path -> text after the certificate's edits."""
    licence: str
    """SPDX identifier of the texts' licence, or `unknown`."""
    created_at: datetime
    """The scan's time."""
    language: str = ""
    """Language of the file; empty when unknown."""
    context: CodeContext | None = None
    """The code round the finding; None for forged ones."""
    hidden: Mapping[str, Set[int]] = field(default_factory=dict)
    """Path -> lines, from 1, that hold a secret."""
    forged: bool = False

    @property
    def origin(self) -> str:
        """The repository, or where the forge had the clean file from."""
        return self.fix.certificate.repository


def by_problem(repairs: Iterable[Repair]) -> list[list[Repair]]:
    """The repairs of each problem, the most modest first; problems sorted."""
    found: dict[tuple[str, str], list[Repair]] = {}
    for repair in repairs:
        found.setdefault((repair.origin, repair.fix.problem), []).append(repair)
    return [sorted(found[key], key=_rank) for key in sorted(found)]


def proven(certificate: Certificate) -> bool:
    """True when the certificate says proven and every check of it passed."""
    passed = bool(certificate.checks) and all(check.passed for check in certificate.checks)
    return certificate.verdict is ProofVerdict.PROVEN and passed


def doubt(row: TrainingExample, window: Window | None, repair: Repair | None) -> str:
    """Why `row` does not follow from its certificate; empty when it does.

    Everything but the scanners is asked again: they are run by `secai verify`.
    """
    if repair is None or window is None or row.metadata.certificate != repair.fix.id:
        return "Its fix or its window is no longer there."
    certificate = repair.fix.certificate
    if certificate.fix != repair.fix.id or not proven(certificate):
        return "Its certificate does not say proven."
    if _hashes(repair.weak) != dict(certificate.base_sha256):
        return "The weak files are not those of its certificate."
    if _hashes(repair.fixed) != dict(certificate.fixed_sha256):
        return "The edits of its certificate do not lead to the certified files."
    try:
        made = apply_answer(repair.weak[window.path], window, row.response)
    except AnswerRefused as refused:
        return f"Its answer cannot be applied: {refused}"
    if repair.fixed != {**repair.weak, window.path: made}:
        return "Its answer does not lead to the certified file."
    return ""


def _rank(repair: Repair) -> tuple[bool, int, str, str]:
    proposal = repair.fix.proposal
    letters = sum(len(edit.replacement) + edit.end - edit.start for edit in proposal.edits)
    return proposal.approach not in MODEST, letters, proposal.approach, repair.fix.id


def _hashes(texts: Mapping[str, str]) -> dict[str, str]:
    return {path: sha256_hex(text.encode()) for path, text in texts.items()}
