"""What a fix rule is: one kind of weakness, the edit that removes it, and why it does."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from secai_lib.core.finding import Finding, Result
from secai_lib.core.fix import Edit, ProofCheck, ProofMethod, Proposal, SourceFiles
from secai_lib.fixes.peers import Peers

Propose = Callable[[Finding, Peers, SourceFiles], tuple[Proposal, ...]]
"""A finding, every open finding of its repository (itself included), the commit's files."""

Witness = Callable[[Proposal, SourceFiles], ProofCheck]
"""A proposal and the unfixed files -> what something other than our own scanner rule says."""

OWN_RULE_PREFIX = "secai."


@dataclass(frozen=True)
class Weakening:
    """One way to put a weakness into a clean text."""

    tool: str
    """The scanner that should find it."""
    rule: str
    """The rule it should find it with."""
    edits: tuple[Edit, ...]
    """Edits of the clean text; what they overwrite is the true fix."""


Weaken = Callable[[str, str], Iterator[Weakening]]
"""Path and text of a clean file -> every place where the rule's weakness can be put in.

The inverse of the rule, for the forge. It knows how the weakness looks, not whether a scanner
sees it there: that is proven afterwards. It may raise what a proposal may raise.
"""


class Abstain(Exception):
    """No fix is proposed: `code` is a word to count by, `reason` a sentence for the user."""

    def __init__(self, code: str, reason: str) -> None:
        """Keep both; `reason` says what to do instead where we know."""
        super().__init__(reason)
        self.code, self.reason = code, reason


@dataclass(frozen=True)
class FixRule:
    """One kind of fix."""

    kind: str
    """Its name, e.g. `workflow-permissions`."""
    title: str
    """One line, what the kind of fix does."""
    explanation: str
    """Why it removes the weakness and what to watch for; Markdown."""
    handles: Mapping[str, tuple[str, ...]]
    """Tool slug -> rule ids as case-sensitive shell patterns."""
    propose: Propose
    """Every proposal for a finding, the preferred one first; raises `Abstain`."""
    method: ProofMethod = ProofMethod.RESCAN
    """What its proof can rest on."""
    witness: Witness | None = None
    """The second witness that a proof by a rule of our own needs."""
    weaken: Weaken | None = None
    """The inverse; None where a clean file does not say what the weak one would be."""

    def takes(self, finding: Finding) -> bool:
        """True when this rule knows the finding's tool and rule id."""
        return self.takes_result(finding.result)

    def takes_result(self, result: Result) -> bool:
        """The same for a result, e.g. a certificate's."""
        rule_id = plain_rule_id(result.rule_id)
        patterns = self.handles.get(result.tool, ())
        return any(fnmatchcase(rule_id, pattern) for pattern in patterns)


def plain_rule_id(rule_id: str) -> str:
    """`rule_id` without what a scanner puts before it in some of its formats.

    `config.rules.semgrep.secai.kotlin.x` and `secai.kotlin.x` are the same rule of ours, and
    `zizmor/artipacked` (SARIF) is `artipacked` (JSON).
    """
    _, found, rest = rule_id.partition("." + OWN_RULE_PREFIX)
    return OWN_RULE_PREFIX + rest if found else rule_id.removeprefix("zizmor/")


def is_own_rule(rule_id: str) -> bool:
    """True when the rule that found something is one of ours."""
    return plain_rule_id(rule_id).startswith(OWN_RULE_PREFIX)


def rule_for(finding: Finding, candidates: Iterable[FixRule]) -> FixRule | None:
    """The first of `candidates` that takes the finding; None when nobody does."""
    return next((rule for rule in candidates if rule.takes(finding)), None)
