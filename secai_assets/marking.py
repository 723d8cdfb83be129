"""Answers marked: labels compared, edits applied and proven by scanning again.

The evaluation room says what a predicate is; answers are applied by the room of the data sets and
proven by the room of the fixes, by the same functions as `secai verify`.
"""

from collections.abc import Callable, Sequence

from secai_assets.examination import Exam, Weakness
from secai_assets.resources.house import House
from secai_lib.core.errors import SourceError
from secai_lib.core.fix import Certificate, ProofVerdict, Proposal
from secai_lib.core.record import content_hash
from secai_lib.datasets.answer_format import AnswerRefused, parse
from secai_lib.datasets.applier import apply_answer
from secai_lib.evaluation.edits import Applied, edits_between, mark_edit, why_not
from secai_lib.evaluation.exam import Answer, Marked
from secai_lib.evaluation.labels import mark_labels
from secai_lib.fixes.certify import Claim
from secai_lib.fixes.replay import certify_each
from secai_lib.fixes.rule import FixRule
from secai_lib.fixes.rules import rules

Say = Callable[[str], None]


def mark(house: House, exam: Exam, answers: Sequence[Answer], say: Say) -> list[Marked]:
    """Which predicates hold for each of `answers`, in their order.

    Edits are proven by scanning again, all answers of all contenders together; answers that lead
    to the same file share a scan.
    """
    rows = {row.id: row for own in exam.asked.values() for row in own}
    applied = [
        _applied(exam.weaknesses[answer.row], answer.text) if answer.stage == 2 else None
        for answer in answers
    ]
    certificates = _proven(house, exam, answers, applied, say)
    marked = []
    for answer, outcome, certificate in zip(answers, applied, certificates, strict=True):
        if outcome is None:
            marks = mark_labels(rows[answer.row].response, answer.text)
            why = ",".join(sorted(name for name, holds in marks.items() if not holds))
        else:
            weak = exam.weaknesses[answer.row]
            marks = mark_edit(weak.before, weak.true, weak.lines, outcome, certificate)
            why = why_not(outcome, certificate)
        marked.append(Marked(answer=answer, marks=marks, why=why))
    return marked


def _applied(weak: Weakness, answer: str) -> Applied:
    try:
        parse(answer)
    except AnswerRefused as refused:
        return Applied(parsed=False, text=None, refused=refused.code)
    try:
        return Applied(parsed=True, text=apply_answer(weak.before, weak.window, answer))
    except AnswerRefused as refused:
        return Applied(parsed=True, text=None, refused=refused.code)


def _proven(
    house: House,
    exam: Exam,
    answers: Sequence[Answer],
    applied: Sequence[Applied | None],
    say: Say,
) -> list[Certificate | None]:
    """The certificate of each answer that changes something; None for the others."""
    known_rules = rules(house.action_pins)
    claims: dict[tuple[str, str], list[Claim]] = {}
    keys: list[tuple[str, str] | None] = []
    for answer, outcome in zip(answers, applied, strict=True):
        after = outcome.text if outcome else None
        weak = exam.weaknesses.get(answer.row)
        key = None
        if after is not None and weak is not None and after != weak.before:
            key = (answer.row, content_hash(after))
            claims[key] = claims.get(key) or _claims(weak, after, known_rules)
        keys.append(key)
    say(f"{len(claims)} different edits to prove, of {sum(k is not None for k in keys)} answers")
    size = max(house.settings.forge.variants_per_scan // 2, 1)
    order = sorted(claims)
    proofs: dict[tuple[str, str], Certificate] = {}
    for start in range(0, len(order), size):
        todo = [(key, claim) for key in order[start : start + size] for claim in claims[key]]
        files = [exam.weaknesses[row].files for (row, _), _ in todo]
        pairs = [(claim, own) for (_, claim), own in zip(todo, files, strict=True)]
        for (key, _), made in zip(todo, certify_each(pairs, house.rescanner), strict=True):
            if key not in proofs or made.verdict is ProofVerdict.PROVEN:
                proofs[key] = made
        say(f"{len(proofs)} of {len(claims)} edits scanned again")
    return [None if key is None else proofs[key] for key in keys]


def _claims(weak: Weakness, after: str, known_rules: Sequence[FixRule]) -> list[Claim]:
    """What an answer claims: that its edit removes the finding, on the same kind of proof.

    The change of the file is said in several ways (whole lines, single words; for the true file
    as its certificate says it): it is proven when one of them is, for it is the same change.
    """
    certificate = weak.certificate
    rule = next((r for r in known_rules if r.takes_result(certificate.finding)), None)
    if rule is None:
        raise SourceError(f"no fix rule knows {certificate.finding.rule_id} any more")
    path = weak.window.path
    ways = [edits_between(path, weak.before, after, words=words) for words in (False, True)]
    if after == weak.true:
        ways.append(certificate.edits)
    return [
        Claim(
            id=content_hash(certificate.fix, edits),
            repository=certificate.repository,
            commit=certificate.commit,
            finding=certificate.finding,
            proposal=Proposal(
                kind=rule.kind, title=rule.title, explanation=rule.explanation, edits=edits
            ),
            rule=rule,
            advisories=certificate.advisories,
        )
        for edits in dict.fromkeys(ways)
    ]
