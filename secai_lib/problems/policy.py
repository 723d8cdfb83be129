"""What the people of a repository accept: the file `.secai.yaml` at its top.

The file belongs to whoever wrote the scanned commit, so it is read like any other scanned content:
bounded, and every entry that is not understood counts for nothing and is named with its line.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from fnmatch import fnmatchcase
from io import StringIO
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from secai_lib.core.problem import Problem
from secai_lib.core.text import one_line
from secai_lib.core.triage import Acceptance, Policy
from secai_lib.core.triage_settings import PolicySettings

FILE = ".secai.yaml"
HEAD = (
    "# Findings that we accept. SecAI reads this at the scanned commit; each entry needs a reason\n"
    "# and a last day (`until`). See `secai accept --help`.\n"
)
_KEYS = frozenset({"fingerprint", "rule", "path", "reason", "until", "by"})


def read_policy(
    text: str, settings: PolicySettings, *, repository: str, branch: str, commit: str, scanned: date
) -> Policy:
    """The policy in `text`; what is wrong with it is in `faults`.

    `scanned` is the day of the scan: an acceptance may reach `max_days` beyond it.
    """
    acceptances: list[Acceptance] = []
    faults: list[str] = []
    for line, entry in _entries(text, settings, faults):
        try:
            accepted = _acceptance(line, entry)
        except ValueError as error:
            faults.append(f"line {line}: {_sentence(error)}")
            continue
        if accepted.until > scanned + timedelta(days=settings.max_days):
            faults.append(
                f"line {line}: until {accepted.until} is more than {settings.max_days} days away"
            )
            continue
        acceptances.append(accepted)
    return Policy(
        repository=repository,
        branch=branch,
        commit=commit,
        acceptances=tuple(acceptances),
        faults=tuple(faults),
    )


def covers(accepted: Acceptance, problem: Problem) -> bool:
    """Whether `accepted` speaks of `problem`, whatever its last day."""
    if accepted.fingerprint:
        return accepted.fingerprint in problem.fingerprints
    path = getattr(problem.location, "path", "")
    inside = not accepted.path or fnmatchcase(path, accepted.path)
    return accepted.rule in problem.rules and inside


def with_acceptance(text: str, accepted: Acceptance) -> str:
    """`text` of a `.secai.yaml` (empty for none) with one entry more; comments stay.

    Raises `ValueError` when the file is not a mapping with a list `accept`.
    """
    yaml = _yaml()
    try:
        held = yaml.load(text) if text.strip() else None
    except (YAMLError, RecursionError) as error:
        raise ValueError(f"{FILE} is not YAML: {one_line(str(error), 200)}") from error
    entry = {
        key: value
        for key, value in accepted.model_dump(exclude={"line"}).items()
        if value and key in _KEYS
    }
    if held is None:
        held = {"accept": [entry]}
        text = text or HEAD
        sink = StringIO()
        yaml.dump(held, sink)
        return text.rstrip("\n") + "\n" + sink.getvalue() if text.strip() else sink.getvalue()
    if not isinstance(held, dict) or not isinstance(held.get("accept", []), list):
        raise ValueError(f"{FILE} is not a mapping with a list `accept`; mend it by hand")
    held.setdefault("accept", []).append(entry)
    sink = StringIO()
    yaml.dump(held, sink)
    return sink.getvalue()


def _yaml() -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 100
    yaml.preserve_quotes = True
    return yaml


def _entries(
    text: str, settings: PolicySettings, faults: list[str]
) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """Line and mapping of every entry of `accept`; what is none goes to `faults`."""
    if len(text.encode()) > settings.max_bytes:
        faults.append(f"line 1: the file is larger than {settings.max_bytes} bytes")
        return
    try:
        held = _yaml().load(text)
    except (YAMLError, RecursionError, ValueError) as error:
        faults.append(f"{_line_of(error)}: not YAML ({one_line(_words(error), 120)})")
        return
    if held is None:
        return
    if not isinstance(held, dict):
        faults.append("line 1: the file is no mapping; write `accept:` and a list below it")
        return
    for key in held:
        if key != "accept":
            faults.append(f"line {_line(held, key)}: unknown key {one_line(str(key), 40)}")
    listed = held.get("accept") or []
    if not isinstance(listed, list):
        faults.append(f"line {_line(held, 'accept')}: `accept` is no list")
        return
    for number, entry in enumerate(listed):
        line = _line(listed, number)
        if isinstance(entry, dict):
            yield line, entry
        else:
            faults.append(f"line {line}: an entry is a mapping with reason and until")


def _line(held: Any, key: object) -> int:
    """The line, from 1, of a key of a mapping or of an entry of a list."""
    listed = isinstance(held, list)
    place = held.lc.item(key) if listed else held.lc.key(key)
    return int(place[0]) + 1 if place else 1  # a tagged node does not know its lines


def _acceptance(line: int, entry: Mapping[str, Any]) -> Acceptance:
    if unknown := sorted(str(key) for key in entry if key not in _KEYS):
        raise ValueError(f"unknown key {one_line(unknown[0], 40)}")
    if missing := [key for key in ("reason", "until") if not entry.get(key)]:
        raise ValueError(f"{missing[0]} is missing")
    if bool(entry.get("fingerprint")) == bool(entry.get("rule")):
        raise ValueError("name either a fingerprint or a rule")
    values = {key: value if isinstance(value, date) else str(value) for key, value in entry.items()}
    return Acceptance.model_validate({**values, "line": line})


def _sentence(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return str(error)


def _line_of(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}" if mark is not None else "line 1"


def _words(error: Exception) -> str:
    return str(getattr(error, "problem", None) or type(error).__name__)
