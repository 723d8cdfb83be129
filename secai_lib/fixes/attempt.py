"""From problems to attempts: which rule proposes what, and why there is no proposal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secai_lib.core.finding import Category, Finding
from secai_lib.core.fix import Abstention, Proposal, SourceFiles
from secai_lib.core.problem import Problem
from secai_lib.core.record import content_hash
from secai_lib.core.syntax import SyntaxRefused
from secai_lib.fixes.advisory import advisories_beside
from secai_lib.fixes.certify import TOOLS, Claim
from secai_lib.fixes.compare import path_of
from secai_lib.fixes.edits import EditError, fixed_texts
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.rule import Abstain, FixRule, rule_for
from secai_lib.fixes.yaml_edit import EditRefused
from secai_lib.fixes.yaml_tree import YamlRefused


@dataclass(frozen=True)
class Attempt:
    """A proposal for a problem, not proven yet."""

    problem: str
    """The problem's id."""
    finding: Finding
    claim: Claim
    texts: Mapping[str, str]
    """Path -> fixed text."""

    @property
    def variant(self) -> str:
        """Name of the variant with these texts; equal texts share it."""
        return content_hash(dict(self.texts))


def attempts_for(
    problem: Problem,
    peers: Peers,
    files: SourceFiles,
    rules: Sequence[FixRule],
    commit: str,
) -> tuple[Attempt, ...] | Abstention:
    """Every distinct proposal for `problem`, the preferred first, or why there is none."""
    ours = [f for name in problem.fingerprints if (f := peers.get(name))]
    ours.sort(key=lambda f: (f.result.tool not in TOOLS, f.result.tool, f.fingerprint))
    found: dict[object, Attempt] = {}
    reasons: list[Abstain] = []
    for finding in ours:
        rule = rule_for(finding, rules)
        if rule is None:
            continue
        try:
            for proposal in propose(rule, finding, peers, files):
                attempt = _attempt(problem, finding, proposal, rule, peers, files, commit)
                found.setdefault(proposal.edits, attempt)
        except Abstain as abstain:
            reasons.append(abstain)
    if found:
        return tuple(found.values())
    why = reasons[0] if reasons else _no_rule(problem, ours)
    return Abstention(problem=problem.id, reason_code=why.code, reason=why.reason)


def propose(
    rule: FixRule, finding: Finding, peers: Peers, files: SourceFiles
) -> tuple[Proposal, ...]:
    """What `rule` proposes; every way of saying no is an `Abstain`.

    The file's text is hostile, so a rule that stumbles over it abstains instead of stopping
    the fixes of all other problems.
    """
    path = path_of(finding.result)
    if path and files.read(path) is None:
        what = "cannot be read at the scanned commit as UTF-8 text without a byte order mark."
        raise Abstain("no_source", f"{path} {what}")
    try:
        proposals = rule.propose(finding, peers, files)
    except (YamlRefused, SyntaxRefused) as error:
        raise Abstain("not_parsable", f"{path}: {error}") from error
    except (EditRefused, EditError) as error:
        raise Abstain("not_editable", f"{path}: {error}") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        what = f"The rule {rule.kind} stumbled over {path} ({type(error).__name__})."
        raise Abstain("rule_failed", what) from error
    if not proposals or not all(proposal.edits for proposal in proposals):
        raise Abstain("not_found", f"The rule {rule.kind} does not find the weakness in {path}.")
    return proposals


def _attempt(
    problem: Problem,
    finding: Finding,
    proposal: Proposal,
    rule: FixRule,
    peers: Peers,
    files: SourceFiles,
    commit: str,
) -> Attempt:
    try:
        texts = fixed_texts(files, proposal.edits)
    except EditError as error:
        raise Abstain("not_editable", str(error)) from error
    name = content_hash(problem.id, proposal.kind, proposal.approach, proposal.edits)
    claim = Claim(
        id=name,
        repository=problem.repository,
        commit=commit,
        finding=finding.result,
        proposal=proposal,
        rule=rule,
        advisories=advisories_beside(finding.result, peers),
    )
    return Attempt(problem.id, finding, claim, texts)


def _no_rule(problem: Problem, ours: Sequence[Finding]) -> Abstain:
    if not ours:
        return Abstain("no_finding", "None of the problem's findings is among those given.")
    if problem.category == Category.SECRET:
        return Abstain(
            "secret",
            "A secret that was committed stays in the history: revoke and rotate it, then remove "
            "it from the file.",
        )
    where = problem.location.kind
    if where in ("image", "archive"):
        return Abstain(
            "no_rule", "The weakness lies in a container image: rebuild it on a newer base image."
        )
    said = ", ".join(problem.rules[:2])
    return Abstain("no_rule", f"No fix rule knows {said}; it has to be fixed by hand.")
