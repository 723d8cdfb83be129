"""The readable part of a Stage 1 answer; every sentence has a source that is no model."""

import re
from collections.abc import Mapping

from secai_lib.core.finding import Category, Result
from secai_lib.core.fix import Abstention, Fix
from secai_lib.core.problem import Problem
from secai_lib.core.training import ExampleMetadata
from secai_lib.datasets.labels import cwe_numbers
from secai_lib.datasets.places import exposure_of
from secai_lib.datasets.prose import cut, ended, sentences
from secai_lib.datasets.triage import advice_of
from secai_lib.datasets.weaknesses import CWES, GENERIC, KINDS

IMPACT, REMEDY, TITLE = 180, 200, 90
"""Most characters of these sections."""

_EFFECT = re.compile(
    r"\b(?:attackers?|allows?|can|could|may|might|leads? to|results? in|causes?|exposes?)\b", re.I
)
_DEPLOYMENT: Mapping[str, str] = {
    "workflow": "Let a run on a branch show that every job still has what it needs, then merge.",
    "dockerfile": "Rebuild the image, scan it, and replace the running containers.",
    "kubernetes": "Apply it to a test namespace first and watch the rollout before production.",
    "compose": "Recreate the services and check that they can still reach each other.",
    "terraform": "Read the plan before applying it; look for resources that are replaced.",
}
_BY_CATEGORY: Mapping[Category, str] = {
    Category.CONTAINER: "Rebuild the image on an updated base, scan it, and replace containers.",
    Category.INFRASTRUCTURE: "Try the setting in a test environment and keep a way back.",
    Category.WEB: "Send it from a test server first; strict headers can break pages.",
    Category.API: "Tell the clients first; callers that relied on it will be refused.",
}


def sections(
    problem: Problem,
    result: Result,
    metadata: ExampleMetadata,
    *,
    prompt: str,
    subject: str,
    fix: Fix | None,
    abstention: Abstention | None,
) -> dict[str, str]:
    """Heading -> text; infrastructure gets guidance for its deployment in addition.

    No sentence that stands in the `prompt` is said again.
    """
    kind = KINDS[metadata.vulnerability_type]
    made = {
        "Impact": _impact(problem, result, prompt) or metadata.security_impact,
        "Risk": _risk(result, metadata),
        "Root cause": f"In {subject}: {_cause(result, metadata)}",
        "Attack vectors": kind.attack,
        "Business impact": kind.business,
        "Remediation": _remedy(problem, result, fix, abstention, prompt) or kind.remedy,
    }
    deployment = _DEPLOYMENT.get(metadata.config_type) or _BY_CATEGORY.get(metadata.category)
    return made | ({"Deployment": deployment} if deployment else {})


def _impact(problem: Problem, result: Result, prompt: str) -> str:
    """What the advisory or the rule says of effects beside what the prompt shows."""
    source = result.help if result.package else f"{result.message}\n\n{result.help}"
    said = sentences(source, problem.advisories)
    return cut([s for s in said if _EFFECT.search(s) and s not in prompt][:2], IMPACT)


def _cause(result: Result, metadata: ExampleMetadata) -> str:
    """The cause as the CWE has it; where the kind must speak, what the rule asks beside it."""
    telling = [n for n in cwe_numbers(metadata.cwes) if n in CWES and n not in GENERIC]
    cause = CWES[telling[0]].cause if telling else KINDS[metadata.vulnerability_type].cause
    title = "" if telling or result.package else cut(sentences(result.title), TITLE)
    told = f"{cause[0].lower()}{cause[1:]}"
    return f"{told.rstrip('.')} ({title.rstrip('.')})." if title else told


def _risk(result: Result, metadata: ExampleMetadata) -> str:
    rated = metadata.severity.value
    told = "Not rated" if rated == "unknown" else f"Rated {rated}"
    return f"{told}, seen by {result.tool}. {exposure_of(result, mapped=metadata.url_mapped)}"


def _remedy(
    problem: Problem,
    result: Result,
    fix: Fix | None,
    abstention: Abstention | None,
    prompt: str,
) -> str:
    """The fix and its reason, else the advice of a fix rule, a fixed version or the scanner."""
    ids = problem.advisories
    if fix:
        told = [ended(fix.proposal.title), *sentences(fix.proposal.explanation, ids)]
        return cut(told, REMEDY)
    if advice := cut(sentences(advice_of(abstention), ids), REMEDY):
        return advice
    if result.package and result.package.fixed_versions:
        first, *others = result.package.fixed_versions[:3]
        rest = f", or in another branch to {' or '.join(others)}" if others else ""
        return f"Move {result.package.name} to {first}{rest}."
    told = [s for s in sentences(result.help, ids) if s not in prompt]
    return cut(told, REMEDY) if result.tool == "zap" else ""
