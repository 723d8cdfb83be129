"""The forge: weaknesses put into clean files, so that the true fix is known and can be proven.

Each fix rule may have an inverse. A pair is kept only when a scanner reports the weakness in the
weak file and not in the clean one, and the way back passes every question that is asked of a real
fix. The way back is what the rule itself proposes where that leads to the clean file again, and
the inverse of the inverse where the rule would write something else.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from secai_lib.core.finding import Finding, Result
from secai_lib.core.fix import ProofVerdict, Proposal, Rescan, Rescanner
from secai_lib.core.record import Record, content_hash
from secai_lib.core.scan import ToolStatus
from secai_lib.core.settings import ForgeSettings
from secai_lib.core.syntax import language_of
from secai_lib.core.training import ForgedPair
from secai_lib.fixes.attempt import Attempt, propose
from secai_lib.fixes.certify import BASE, TOOLS, Claim
from secai_lib.fixes.clean import CleanFile
from secai_lib.fixes.compare import leftovers, line_of, path_of, rule_of
from secai_lib.fixes.edits import EditError, LineMap, Texts, apply_edits, fixed_texts, inverse
from secai_lib.fixes.patch import NoSecrets
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.prove import tried_fix
from secai_lib.fixes.rule import Abstain, FixRule, rule_for
from secai_lib.fixes.rules import RULES
from secai_lib.fixes.variants import Variant, batches, chosen, variants

Identify = Callable[[str, Result], Finding]
"""Origin and result -> the finding that the result is."""
Progress = Callable[[str, int, int], None]
"""What is being done, how much of it is done, how much there is."""


class Forged(Record):
    """What the forge made."""

    pairs: tuple[ForgedPair, ...]
    """The proven ones, sorted by kind and id."""
    dropped: Mapping[str, int]
    """Why a variant became no pair -> how many; sorted by reason."""


class _Dropped(Exception):
    """A variant that becomes no pair; the text is the reason to count by."""


def forge(
    clean: Sequence[CleanFile],
    rescan: Rescanner,
    identify: Identify,
    settings: ForgeSettings,
    *,
    rules: Sequence[FixRule] = RULES,
    on_progress: Progress = lambda _what, _done, _all: None,
) -> Forged:
    """Proven pairs of `clean` files and weak variants of them; the same for the same input."""
    found, refused = variants(clean, rules)
    wanted = chosen(found, settings)
    dropped: Counter[str] = Counter(refused)
    pairs: dict[str, ForgedPair] = {}
    done = 0
    for batch in batches(wanted, settings.variants_per_scan):
        on_progress("scanning weak variants", done, len(wanted))
        scan = rescan(_texts(batch), TOOLS)
        for variant in batch:
            try:
                pair = _pair(variant, scan, identify, rules)
                pairs[pair.id] = pair
            except _Dropped as reason:
                dropped[str(reason)] += 1
        done += len(batch)
    on_progress("scanning weak variants", done, len(wanted))
    return Forged(
        pairs=tuple(sorted(pairs.values(), key=lambda pair: (pair.kind, pair.id))),
        dropped=dict(sorted(dropped.items())),
    )


def _texts(batch: Sequence[Variant]) -> dict[str, dict[str, str]]:
    """Weak files and their clean twins by name; a twin of several stands there once."""
    texts = [{v.file.path: text} for v in batch for text in (v.text, v.file.text)]
    return {content_hash(files): files for files in texts}


def _pair(
    variant: Variant, scan: Rescan, identify: Identify, rules: Sequence[FixRule]
) -> ForgedPair:
    """The proven pair; raises `_Dropped`."""
    file, path = variant.file, variant.file.path
    weak, clean = {path: variant.text}, {path: file.text}
    before, after = (scan.results[content_hash(files)] for files in (weak, clean))
    if any(result.tool == "detect-secrets" for result in (*before, *after)):
        raise _Dropped("secret")
    finding = identify(file.origin, _injected(variant, scan, before, after))
    if rule_for(finding, rules) is not variant.rule:
        raise _Dropped("other_rule")
    name = content_hash(weak, clean, finding.result.tool, finding.result.rule_id)
    files = Texts(weak)
    proposal = _way_back(variant, finding, files)
    claim = Claim(
        id=content_hash(name, proposal.kind, proposal.approach, proposal.edits),
        repository=file.origin,
        commit="",
        finding=finding.result,
        proposal=proposal,
        rule=variant.rule,
    )
    attempt = Attempt(name, finding, claim, clean)
    judged = Rescan(runs=scan.runs, results={BASE: before, attempt.variant: after})
    fix = tried_fix(attempt, files, judged, NoSecrets())
    if fix.certificate.verdict is not ProofVerdict.PROVEN:
        bad = next(check.name for check in fix.certificate.checks if not check.passed)
        raise _Dropped(f"not_proven:{bad}")
    return ForgedPair(
        id=name,
        kind=variant.rule.kind,
        origin=file.origin,
        licence=file.licence,
        path=path,
        language=language_of(path),
        weak=weak,
        finding=finding,
        fix=fix,
    )


def _injected(
    variant: Variant, scan: Rescan, before: Sequence[Result], after: Sequence[Result]
) -> Result:
    """The result that the weak file has and the clean one has not; raises `_Dropped`."""
    tool, rule = variant.weakening.tool, variant.weakening.rule
    if not any(run.tool == tool and run.status is ToolStatus.RAN for run in scan.runs):
        raise _Dropped(f"no_scanner:{tool}")
    path = variant.file.path
    moved = {path: LineMap(variant.file.text, variant.weakening.edits).target}
    fresh = leftovers((tool, rule), path, after, before, moved)
    mine = [r for r in before if rule_of(r) == (tool, rule) and path_of(r) == path]
    found = next((r for line in fresh for r in mine if line_of(r) == line), None)
    if found is None:
        raise _Dropped("not_triggering")
    return found


def _way_back(variant: Variant, finding: Finding, files: Texts) -> Proposal:
    """The rule's own proposal if it leads to the clean file, else the inverse of the inverse."""
    rule, clean = variant.rule, {variant.file.path: variant.file.text}
    try:
        for proposal in propose(rule, finding, Peers([finding]), files):
            if fixed_texts(files, proposal.edits) == clean:
                return proposal
    except (Abstain, EditError):
        pass  # a weakness the rule would rather leave to people: here the answer is known
    back = inverse(variant.file.text, variant.weakening.edits)
    if apply_edits(variant.text, back) != variant.file.text:
        raise _Dropped("no_way_back")
    return Proposal(
        kind=rule.kind,
        approach="forged",
        title=rule.title,
        explanation=rule.explanation,
        edits=back,
    )
