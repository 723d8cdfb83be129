"""A secret in the code: what to do, never an edit."""

from secai_lib.core.finding import Finding
from secai_lib.core.fix import Proposal, SourceFiles
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.rule import Abstain, FixRule

KIND = "secret"
TITLE = "Rotate a secret that stands in the repository"
EXPLANATION = (
    "A secret that was committed stays in the history and in every clone; an edit of the file "
    "does not take it back. It must be replaced at the service that issued it."
)


def propose(finding: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
    """Never a proposal: raises `Abstain` with the steps, without a word of the secret."""
    path = finding.result.path or "the reported place"
    line = f" line {finding.result.line}" if finding.result.line else ""
    raise Abstain(
        "secret",
        f"Rotate it first: whoever has a clone has the secret in {path}{line}. Revoke it at the "
        "service that issued it, put the new one into an environment variable or a secret "
        "store, read it from there, and only then remove the old one from the file (and from "
        "the history, if the repository is public). If it is no secret, mark it as a false "
        "alarm in the scanner's baseline.",
    )


RULE = FixRule(
    kind=KIND,
    title=TITLE,
    explanation=EXPLANATION,
    handles={
        "detect-secrets": ("*",),
        "gitleaks": ("*",),
        "bandit": ("B105", "B106", "B107"),
        "checkov": ("CKV_SECRET_*",),
        "trufflehog": ("*",),
    },
    propose=propose,
)
