"""What Stage 2 asks: a finding, the lines round it, and what a model cannot know by itself."""

import re
from collections.abc import Iterable, Mapping, Sequence

from secai_lib.core.disclosure import states
from secai_lib.core.finding import Result
from secai_lib.core.fix import Certificate
from secai_lib.datasets.windows import Window

Pins = Mapping[str, Mapping[str, str]]
"""Action (`owner/name`, lower case) -> release -> commit: `config/action_pins.yaml`."""

DESCRIPTION = 280
"""Characters of the scanner's message that are shown."""
VERSIONS = 8
"""Most fixed versions that are named."""

_USES = re.compile(r"\buses:\s{0,4}['\"]?([\w.-]{1,80}/[\w.-]{1,80})(?:/[\w./-]{1,80})?@")
_FORM = "Answer with one block: <<<, the old lines, ===, the new lines, >>>."
_SENTENCE = re.compile(r"(?<=[.!?])\s+")


def task_of(result: Result, window: Window, language: str, fixed_versions: Sequence[str]) -> str:
    """The instruction without its first line; the severity is not told."""
    facts = {
        "Tool": result.tool,
        "Rule": result.rule_id,
        "Finding": _description(result),
        "Resource": result.resource,
        "File": f"{window.path} ({language})" if language else window.path,
        "Line": _line(result, window),
        "Fixed versions": ", ".join(fixed_versions),
        "Known commits": ", ".join(f"{name} = {token}" for name, token in window.known.items()),
    }
    told = [f"{name}: {_plain(value)}" for name, value in facts.items() if value]
    return "\n".join([*told, "Lines:", window.text, _FORM])


def known_commits(result: Result, lines: Iterable[str], pins: Pins) -> dict[str, str]:
    """`action release` -> commit for the actions named in `lines`, where the rule asks for one."""
    if not result.rule_id.endswith("unpinned-uses"):
        return {}
    names = sorted({match[1].lower() for line in lines for match in _USES.finditer(line)})
    return {
        f"{name} {release}": commit
        for name in names
        for release, commit in sorted(pins.get(name, {}).items())
    }


def known_versions(certificate: Certificate) -> tuple[str, ...]:
    """The versions that the advisories of a package call fixed, as they were reported."""
    named = [
        version
        for result in (certificate.finding, *certificate.advisories)
        if result.package is not None
        for version in result.package.fixed_versions
    ]
    return tuple(dict.fromkeys(named))[:VERSIONS]


def _description(result: Result) -> str:
    """The scanner's message without the sentences that state how bad it is."""
    sentences = _SENTENCE.split(_plain(result.message or result.title))
    text = " ".join(s for s in sentences if not states(s, "severity", ""))
    return text if len(text) <= DESCRIPTION else text[:DESCRIPTION].rpartition(" ")[0]


def _line(result: Result, window: Window) -> str:
    """The line that the finding names, as the window shows it; empty when it is not there."""
    place = result.location
    first = getattr(place, "start_line", None)
    if result.path != window.path or first is None:
        return ""
    number = first - window.first_line
    return window.lines[number] if 0 <= number < len(window.lines) else ""


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
