"""The readable part of a Stage 1 answer; every sentence has a source that is no model."""

import re
from collections.abc import Mapping

from secai_lib.core.disclosure import WEAKNESS_ID
from secai_lib.core.finding import Category, Result
from secai_lib.core.fix import Abstention, Fix
from secai_lib.core.training import ExampleMetadata
from secai_lib.datasets.labels import cwe_numbers, is_rated
from secai_lib.datasets.places import exposure_of
from secai_lib.datasets.prose import cut, ended, one_line, sentences
from secai_lib.datasets.triage import advice_of
from secai_lib.datasets.upgrades import upgrades
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
        "Impact": _impact(result, prompt) or metadata.security_impact,
        "Risk": _risk(result, metadata),
        "Root cause": f"In {one_line(subject)}: {_cause(result, metadata)}",
        "Attack vectors": kind.attack,
        "Business impact": kind.business,
        "Remediation": _remedy(result, fix, abstention, prompt) or kind.remedy,
    }
    deployment = _DEPLOYMENT.get(metadata.config_type) or _BY_CATEGORY.get(metadata.category)
    return made | ({"Deployment": deployment} if deployment else {})


def _fresh(text: str, prompt: str) -> list[str]:
    """The sentences of `text` that the prompt does not have, naming no id that it has not."""
    ids = WEAKNESS_ID.findall(prompt)
    return [sentence for sentence in sentences(text, ids) if sentence not in prompt]


def _impact(result: Result, prompt: str) -> str:
    """What the advisory or the rule says of effects beside what the prompt shows."""
    source = result.help if result.package else f"{result.message}\n\n{result.help}"
    return cut([s for s in _fresh(source, prompt) if _EFFECT.search(s)][:2], IMPACT)


def _cause(result: Result, metadata: ExampleMetadata) -> str:
    """The cause as the CWE has it; where the kind must speak, what the rule asks beside it."""
    telling = [n for n in cwe_numbers(metadata.cwes) if n in CWES and n not in GENERIC]
    cause = CWES[telling[0]].cause if telling else KINDS[metadata.vulnerability_type].cause
    title = "" if telling or result.package else cut(sentences(result.title), TITLE)
    told = f"{cause[0].lower()}{cause[1:]}"
    return f"{told.rstrip('.')} ({title.rstrip('.')})." if title else told


def _risk(result: Result, metadata: ExampleMetadata) -> str:
    told = f"Rated {metadata.severity.value}" if is_rated(result) else "Not rated"
    return f"{told}, seen by {result.tool}. {exposure_of(result, mapped=metadata.url_mapped)}"


def _remedy(result: Result, fix: Fix | None, abstention: Abstention | None, prompt: str) -> str:
    """The fix and its reason, else the advice of a fix rule, a fixed version or the scanner."""
    if fix:
        told = [ended(fix.proposal.title), *_fresh(fix.proposal.explanation, prompt)]
        return cut(told, REMEDY)
    if advice := cut(_fresh(advice_of(abstention), prompt), REMEDY):
        return advice
    if (package := result.package) and (fixed := upgrades(package.version, package.fixed_versions)):
        first, *others = fixed[:3]
        rest = f", or further to {' or '.join(others)}" if others else ""
        return one_line(f"Move {package.name} to {first}{rest}.")
    return cut(_fresh(result.help, prompt), REMEDY) if result.tool == "zap" else ""
