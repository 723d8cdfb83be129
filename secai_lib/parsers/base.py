"""What a scanner's module provides."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from secai_lib.core.finding import ParsedReport, Result
from secai_lib.parsers.document import Document
from secai_lib.parsers.node import Node
from secai_lib.parsers.sarif_rules import RuleFacts
from secai_lib.parsers.sarif_taxa import Pointed
from secai_lib.parsers.secrets import Spot, rule_is_about_secrets, sarif_spots
from secai_lib.parsers.weakness import cwes_in


@dataclass(frozen=True)
class SarifItem:
    """One SARIF result with everything it refers to."""

    run: Node
    """The run it stands in."""
    rule: Node
    """Its rule (`reportingDescriptor`); holds None when the run describes none."""
    result: Node
    """The result itself."""
    document: Document
    """The whole report."""
    pointed: Pointed
    """Taxonomies and overridden levels of the run."""
    facts: RuleFacts
    """What all results of the rule share."""

    @cached_property
    def rule_id(self) -> str:
        """The rule's identifier, also when only the rule object spells it."""
        return (
            self.result.text("ruleId")
            or self.result.text("rule", "id")
            or self.facts.id
            or "unknown"
        )

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Tags of the rule and of the result."""
        own = self.result.texts("properties", "tags") if self.has_properties else ()
        return self.facts.tags + own

    @property
    def has_properties(self) -> bool:
        """Whether the result has a property bag; most have none."""
        return isinstance(self.result.value, dict) and "properties" in self.result.value


class Parser:
    """A scanner we understand; subclasses say how. Stateless."""

    name: str = ""
    """The scanner's slug."""
    sarif_names: tuple[str, ...] = ()
    """Names this scanner's driver has in SARIF, lower case."""
    secret_scanner: bool = False
    """True when everything it reports is about secrets."""

    def recognise(self, document: Document) -> float:
        """How sure it is, 0 to 1, that `document` is this scanner's own format; by content only."""
        return 0.0

    def parse(self, document: Document) -> ParsedReport:
        """What `document` says. Raises Broken when its frame is not the format's."""
        raise NotImplementedError(f"{self.name} has no format of its own")

    def secrets(self, document: Document) -> Iterator[Spot]:
        """Every place of `document` that holds a secret."""
        return iter(())

    def adapt(self, draft: Result, item: SarifItem) -> Result:
        """`draft`, read as any producer's SARIF, with what this scanner says in its own way."""
        return draft

    def sarif_secrets(self, item: SarifItem) -> Iterator[Spot]:
        """Every place of a SARIF result of this scanner that holds a secret."""
        cwes = cwes_in(*item.tags)
        if self.secret_scanner or rule_is_about_secrets(item.rule_id, cwes, item.tags):
            yield from sarif_spots(item.result, values=self.secret_scanner)


def any_has(items: object, names: set[str]) -> bool:
    """Whether `items` is a list in which some object has all `names`.

    Any and not the first, because one broken result must not hide the others.
    """
    return isinstance(items, list) and any(
        isinstance(item, dict) and item.keys() >= names for item in items
    )


def revised(result: Result, **changes: object) -> Result:
    """`result` with `changes`, checked again (a plain copy would not be)."""
    return Result.model_validate({**dict(result), **changes})
