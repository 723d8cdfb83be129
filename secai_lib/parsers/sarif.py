"""SARIF 2.1.0 of any producer. Section numbers are those of the OASIS standard."""

from collections.abc import Iterator, Sequence
from functools import partial

from secai_lib.core.finding import (
    NoLocation,
    ParsedReport,
    Result,
    Severity,
    SourceLocation,
    UrlLocation,
)
from secai_lib.core.text import one_line
from secai_lib.parsers import severity
from secai_lib.parsers.base import Parser, SarifItem
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Broken, Node, NoResult, headline
from secai_lib.parsers.sarif_flows import flow_of
from secai_lib.parsers.sarif_places import places_of, resource_of
from secai_lib.parsers.sarif_rules import (
    Rules,
    fingerprints_of,
    message_of,
    security_severity,
    slug_of,
)
from secai_lib.parsers.sarif_runs import is_external, note_run, runs_of
from secai_lib.parsers.sarif_taxa import Pointed
from secai_lib.parsers.secrets import Spot, rule_is_about_secrets
from secai_lib.parsers.tally import Tally
from secai_lib.parsers.weakness import advisories_in, cwes_in

_NO_FINDING_KINDS = {"pass", "notApplicable", "informational"}


class SarifParser(Parser):
    """Reads SARIF; what is special to a producer is left to that scanner's parser."""

    name = "sarif"

    def __init__(self, producers: Sequence[Parser]) -> None:
        """Know the `producers` that read their own SARIF better than the standard does."""
        self._producers = {name: parser for parser in producers for name in parser.sarif_names}

    def recognise(self, document: Document) -> float:
        """Certain for an object with `runs` and a SARIF version or schema, or for a part of one."""
        value = document.value
        if is_external(value):
            return 1.0
        if not isinstance(value, dict) or not isinstance(value.get("runs"), list):
            return 0.0
        marked = "sarif" in str(value.get("$schema", "")).lower() or "version" in value
        return 1.0 if marked else 0.6

    def parse(self, document: Document) -> ParsedReport:
        """Every result of every run. Raises Broken for a run without a tool."""
        tally = Tally(document.name)
        version = document.root.text("version")
        if version and not version.startswith("2."):
            reason = f"SARIF {one_line(version, 20)} is not supported; write SARIF 2.1.0"
            raise Broken("/version", reason)
        tools = []
        for run in runs_of(document):
            tool, producer = self._tool(run)
            tools.append(tool)
            build = partial(_result, tally, tool, producer)
            for result, item in self._items(document, run):
                tally.add(tool, result, partial(build, item))
            note_run(tally, tool, run)
        return tally.report(*tools)

    def secrets(self, document: Document) -> Iterator[Spot]:
        """What each producer calls secret in its results."""
        for run in runs_of(document):
            _, producer = self._tool(run)
            for _, item in self._items(document, run):
                try:
                    yield from producer.sarif_secrets(item)
                except Broken:
                    yield from Parser.sarif_secrets(_SECRET_ANYWAY, item)

    def _tool(self, run: Node) -> tuple[str, Parser]:
        name = run.need("tool", "driver", "name")
        producer = self._producers.get(name.strip().lower())
        return (producer.name, producer) if producer else (slug_of(name), Parser())

    def _items(self, document: Document, run: Node) -> Iterator[tuple[Node, SarifItem]]:
        rules, pointed = Rules(run), Pointed(run)
        for result in run.items("results"):
            rule = rules.of(result)
            yield result, SarifItem(run, rule, result, document, pointed, rules.facts(rule))


def _result(tally: Tally, tool: str, producer: Parser, item: SarifItem, result: Node) -> Result:
    facts = item.facts
    kind = result.text("kind", default="fail")
    if kind in _NO_FINDING_KINDS:
        raise NoResult(f"kind is {kind}")
    if result.text("baselineState") == "absent":
        raise NoResult("baselineState is absent: the result is gone")
    message = message_of(item.run, item.rule, facts, result)
    word, origin, score = _severity(item, kind)
    draft = Result(
        tool=tool,
        tool_version=item.pointed.version,
        rule_id=item.rule_id,
        title=headline(facts.title or message, item.rule_id),
        message=message,
        severity=word,
        severity_score=score,
        severity_origin=origin,
        cwes=_cwes(item),
        advisories=advisories_in(item.rule_id, *item.tags, *facts.old_ids),
        locations=_locations(item),
        help=facts.help,
        references=_references(item),
        confidence=facts.precision,
        suppressed=_suppressed(result),
        resource=resource_of(item.run, result),
        flow=flow_of(item.run, result, item.document.paths),
        fingerprints=() if _about_secrets(item, producer) else fingerprints_of(result),
        evidence=tally.evidence(result),
    )
    return producer.adapt(draft, item)


class _SecretAnyway(Parser):
    """Stands in where a broken rule leaves unknown whether a result is about a secret."""

    secret_scanner = True


_SECRET_ANYWAY = _SecretAnyway()


def _about_secrets(item: SarifItem, producer: Parser) -> bool:
    """A fingerprint of a result about a secret may be the hash of a secret that can be guessed."""
    cwes = cwes_in(*item.tags)
    return producer.secret_scanner or rule_is_about_secrets(item.rule_id, cwes, item.tags)


def _severity(item: SarifItem, kind: str) -> tuple[Severity, str, float | None]:
    """3.27.10: the result's level, else what the invocation or the rule says, else `warning`."""
    own = security_severity(item.result) if item.has_properties else None
    score = own if own is not None else item.facts.score
    if score is not None:
        return *severity.by_score(score, "security-severity"), score
    level = item.result.text("level")
    level = level or item.pointed.level(item.rule, item.result)
    level = level or item.facts.level
    level = level or ("warning" if kind == "fail" else "none")
    return *severity.by_level(level), None


def _cwes(item: SarifItem) -> tuple[str, ...]:
    """From tags, `taxa` (3.27.8), the rule's relationships (3.49.15) and `properties.cwe`."""
    facts, result = item.facts, item.result
    own = result.texts("properties", "cwe") if item.has_properties else ()
    texts = [*item.tags, *facts.weaknesses, *own]
    targets = (*result.items("taxa"), *facts.targets)
    return cwes_in(*texts, *map(item.pointed.taxon_id, targets))


def _references(item: SarifItem) -> tuple[str, ...]:
    links = (item.facts.link, item.result.text("hostedViewerUri"))
    return tuple(link for link in dict.fromkeys(links) if link.startswith(("http://", "https://")))


def _suppressed(result: Node) -> bool:
    """3.27.23: there are suppressions and none is under review or rejected."""
    states = [item.text("status", default="accepted") for item in result.items("suppressions")]
    return bool(states) and all(state == "accepted" for state in states)


def _locations(item: SarifItem) -> tuple[SourceLocation | UrlLocation | NoLocation, ...]:
    """Without any the end of the data's way is the place: there the data does its harm."""
    places = tuple(dict.fromkeys(places_of(item.run, item.result, item.document.paths)))
    ends = flow_of(item.run, item.result, item.document.paths)[-1:] if not places else ()
    return places or ends or (NoLocation(reason="result without location"),)
