"""The answer of Stage 2 for people: facts of the diff and of the proof, nothing made up."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from secai_lib.core.disclosure import WEAKNESS_ID
from secai_lib.core.fix import Fix
from secai_lib.core.training import Readable
from secai_lib.datasets.blocks import inside
from secai_lib.datasets.repair import Repair
from secai_lib.datasets.windows import Window

_ASIDE = re.compile(r" \([^()]*\)")


def readable_of(repair: Repair, window: Window, others: Sequence[Fix]) -> Readable:
    """`others` are the other proven approaches to the same problem."""
    weak, fixed = repair.weak[window.path], repair.fixed[window.path]
    before, after = (
        [line.removeprefix(window.indent) for line in inside(window, weak, text)]
        for text in (weak, fixed)
    )
    proposal = repair.fix.proposal
    paragraphs = tuple(_paragraphs(proposal.explanation))
    watched = tuple(p for p in paragraphs if p.startswith("Watch for:"))
    return Readable(
        fixed_code="\n".join(after),
        key_changes=(proposal.title, *_changes(before, after)),
        validation_steps=(*_steps(repair), *watched),
        security_improvements=tuple(p for p in paragraphs if p not in watched),
        alternatives=tuple(_alternative(fix) for fix in others),
    )


def _changes(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    steps = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    for step, first, last, new_first, new_last in steps:
        old = [f"`{line.strip()}`" for line in before[first:last] if line.strip()]
        new = [f"`{line.strip()}`" for line in after[new_first:new_last] if line.strip()]
        if step == "equal" or old == new:
            continue
        if old and new:
            yield f"{', '.join(old)} becomes {', '.join(new)}"
        elif old:
            yield f"{', '.join(old)} is gone"
        else:
            yield f"{', '.join(new)} is added"


def _steps(repair: Repair) -> Iterator[str]:
    certificate = repair.fix.certificate
    finding = certificate.finding
    yield f"Replay the proof: `secai verify {repair.fix.id}`."
    yield f"Scan again with {finding.tool}: {finding.rule_id} must no longer be reported."
    for check in certificate.checks:
        yield f"{check.name}: {check.detail}" if check.detail else check.name


def _paragraphs(explanation: str) -> Iterator[str]:
    """The paragraphs, each on one line, without lists of advisories: the certificate has them."""
    for paragraph in explanation.split("\n\n"):
        text = " ".join(paragraph.split())
        for listed in _ASIDE.findall(text):
            text = text.replace(listed, "") if WEAKNESS_ID.search(listed) else text
        if text:
            yield text


def _alternative(fix: Fix) -> str:
    paragraphs = " ".join(_paragraphs(fix.proposal.explanation))
    return f"{fix.proposal.approach}: {fix.proposal.title}. {paragraphs}"
