"""Stage 1: one row per problem, in which evidence answers what kind of weakness it is.

Labels are the scanners' and advisories'; prose is the advisory's, the CWE entry's (our words) and
the fix rule's. What the prompt states is not asked, nor a CWE that says nothing: such a label is
missing from the answer.
"""

import json
from collections.abc import Mapping
from textwrap import dedent

from secai_lib.core.disclosure import states
from secai_lib.core.finding import Category, SourceLocation
from secai_lib.core.fix import Fix
from secai_lib.core.record import content_hash
from secai_lib.core.training import ExampleMetadata, TrainingExample
from secai_lib.datasets.answers import sections
from secai_lib.datasets.labels import cwe_numbers, is_rated, metadata_of
from secai_lib.datasets.material import Material
from secai_lib.datasets.places import place_of, subject_of
from secai_lib.datasets.prose import cut, one_line, printable, sentences
from secai_lib.datasets.rows import file_group, make_row
from secai_lib.datasets.triage import verdict_of
from secai_lib.datasets.upgrades import upgrades
from secai_lib.datasets.weaknesses import GENERIC

DESCRIPTION = 280
"""Most characters of the description; with the rest a row stays below 512 tokens."""
CODE_LINES, CODE = 8, 400
"""Most lines and characters of code."""


def stage1_row(material: Material, weights: Mapping[Category, float]) -> TrainingExample:
    """The row about a problem; `weights` are the categories' training weights."""
    metadata = _metadata(material, weights)
    body = _body(material)
    # From the general to the special: a model that writes them in order has the kind of weakness
    # before its eyes when it comes to the number.
    labels = {
        "category": metadata.category.value,
        "type": metadata.vulnerability_type.value,
        "cwe": next((f"CWE-{n}" for n in cwe_numbers(metadata.cwes) if n not in GENERIC), ""),
        "severity": metadata.severity.value if is_rated(material.finding.result) else "",
    }
    scored = {
        field: value for field, value in labels.items() if value and not states(body, field, value)
    }
    answer = sections(
        material.finding.result,
        metadata,
        prompt=body,
        subject=subject_of(material.finding.result, material.context),
        fix=material.fix,
        abstention=material.abstention,
    )
    told = "\n".join(f"{name}: {text}" for name, text in answer.items())
    return make_row(
        1,
        body,
        f"{json.dumps(scored, separators=(',', ':'))}\n{told}",
        group=_group(material, metadata.file),
        metadata=metadata,
    )


def _metadata(material: Material, weights: Mapping[Category, float]) -> ExampleMetadata:
    problem, fix, context = material.problem, material.fix, material.context
    result = material.finding.result.model_copy(
        update={"severity": problem.severity, "cwes": problem.cwes}
    )
    lines = context.end_line - context.start_line + 1 if context and context.snippet else 1
    return metadata_of(
        result,
        problem.category,
        repository=problem.repository,
        licence=material.licence,
        problem=problem.id,
        verdict=verdict_of(problem, result, fix, material.abstention),
        weight=weights[problem.category],
        created_at=problem.last_seen,
        lines=_touched(fix) if fix else lines,
        files=len({edit.path for edit in fix.proposal.edits}) if fix else 1,
        places=len(result.locations),
        context=context,
        fix_type=fix.proposal.kind if fix else "",
        approach=fix.proposal.approach if fix else "",
        forged=material.forged,
    )


def _touched(fix: Fix) -> int:
    """The changed lines: of removed and added ones the larger number."""
    lines = [line for line in fix.diff.splitlines() if not line.startswith(("---", "+++"))]
    return max(sum(line.startswith(sign) for line in lines) for sign in "+-")


def _body(material: Material) -> str:
    """The prompt without its task: what is known, with neither severity nor CWE."""
    result, context = material.finding.result, material.context
    facts = {"Tool": result.tool, "Rule": result.rule_id}
    if package := result.package:
        # what is no way out is evidence all the same, behind what is one
        known = (*upgrades(package.version, package.fixed_versions), *package.fixed_versions)
        fixed = ", ".join(tuple(dict.fromkeys(known))[:3]) or "none"
        facts["Package"] = f"{package.ecosystem} {package.name} {package.version}, fixed: {fixed}"
    if ids := [name for name in material.problem.advisories if name != result.rule_id]:
        facts["Also known as"] = ", ".join(ids[:3])
    facts |= place_of(result, context)
    source = result.help if package else result.message
    told = [result.title, *sentences(source, ids)]
    plain = sentences(told[0], ids) + told[1:]
    facts["Description"] = _cut_at_least_one(_without_repeat(plain))
    lines = [f"{name}: {one_line(value)}" for name, value in facts.items() if value]
    code = _code(material)
    return "\n".join([*lines, "Code:", code] if code else lines)


def _cut_at_least_one(told: list[str]) -> str:
    """Whole sentences where they fit, else the first words of the first."""
    return cut(told, DESCRIPTION) or "".join(told[:1])[:DESCRIPTION].rpartition(" ")[0]


def _without_repeat(told: list[str]) -> list[str]:
    """`told` without a sentence that a later one begins with: titles open many messages."""
    told = list(dict.fromkeys(told))
    bare = [sentence.rstrip(".") for sentence in told]
    return [
        sentence
        for at, sentence in enumerate(told)
        if not any(other.startswith(bare[at]) for other in bare[at + 1 :])
    ]


def _code(material: Material) -> str:
    """The lines in question, dedented, whole lines only."""
    context, place = material.context, material.finding.result.location
    text = context.snippet if context and context.snippet else ""
    if not text and isinstance(place, SourceLocation):
        text = place.snippet
    if context and isinstance(place, SourceLocation) and text.count("\n") < 2:
        around = (context.before.splitlines()[-2:], context.after.splitlines()[:2])
        text = "\n".join([*around[0], text, *around[1]])
    kept: list[str] = []
    for line in dedent(printable(text.expandtabs(4))).strip("\n").splitlines()[:CODE_LINES]:
        if sum(map(len, kept)) + len(line) > CODE:
            break
        kept.append(line.rstrip())
    return "\n".join(kept)


def _group(material: Material, path: str) -> str:
    """Rows about one file, one package or one address belong together; `path` is the file."""
    problem, result = material.problem, material.finding.result
    if package := problem.package:
        return content_hash(problem.repository, package.ecosystem, package.name)
    if path:
        return file_group(problem.repository, path)
    return content_hash(problem.repository, place_of(result, material.context), result.tool)
