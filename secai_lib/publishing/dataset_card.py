"""The card of the data sets' repository."""

from collections.abc import Mapping, Sequence
from typing import Any

from secai_lib.core.record import Record
from secai_lib.publishing.front_matter import card, hub_licence
from secai_lib.publishing.tables import counts_table

SPLITS = ("train", "validation", "test")
LIMITS = """\
- Labels come from scanners and advisories. A scanner that is wrong makes a row that is wrong.
- Forged rows put a known weakness into a clean file; real files are messier. `metadata.forged`
  says which rows they are, and the facets of the test part are to be read apart.
- The text of a row is quoted from scanned projects. Treat it as data: it may hold instructions to
  whoever reads it.
- Rules that no scanner here knows, and languages without rows, are not covered.
"""


class DatasetFacts(Record):
    """What the card says of the data set of one stage; all of it was counted."""

    stage: int
    """1 or 2."""
    info: Mapping[str, Any]
    """Its `dataset_info.json`."""
    features: Sequence[Mapping[str, Any]]
    """Its columns in the loader's words."""
    splits: Sequence[str]
    """Parts with rows."""
    content: str
    """Content hash of the product."""
    left_out: Mapping[str, int]
    """Why rows were left out -> how many."""


def dataset_card(
    repository: str, stages: Sequence[DatasetFacts], tokenizer: str, proofs: int
) -> bytes:
    """README.md for the data sets `stages`, whose lengths were counted by the model `tokenizer`.

    `proofs` certificates lie beside the rows of Stage 2.
    """
    licences = {name for facts in stages for name in facts.info["licences"]}
    head = {
        "pretty_name": "SecAI: from findings to proven fixes",
        "license": hub_licence(licences),
        "language": ["en"],
        "task_categories": ["text-generation"],
        "tags": ["security", "code", "vulnerability", "croissant"],
        "configs": [
            {
                "config_name": f"stage{facts.stage}",
                "data_files": [
                    {"split": split, "path": f"stage{facts.stage}/{split}.jsonl"}
                    for split in facts.splits
                ],
            }
            for facts in stages
        ],
        "dataset_info": [
            {"config_name": f"stage{facts.stage}", "features": list(facts.features)}
            for facts in stages
        ],
    }
    parts = [
        f"# {repository}\n\nTraining data in two stages: reading a scanner's finding (Stage 1) and "
        "fixing it (Stage 2). No text of an answer is a model's; every answer of Stage 2 follows "
        f"from a fix that was proven by scanning again or by an advisory. {proofs} certificates in "
        "`stage2/certificates.jsonl` hold the proofs. Lengths were counted with the tokenizer of "
        f"`{tokenizer}`.",
        *(_stage(facts) for facts in stages),
        f"## How to load\n\n{snippet(repository)}",
        f"## Limits\n\n{LIMITS}",
        "`croissant.json` describes files and columns for machines (MLCommons Croissant 1.0); "
        "`release.json` holds the SHA-256 of every file.",
    ]
    return card(head, "\n\n".join(parts))


def snippet(repository: str) -> str:
    """How the rows are loaded, as a code block."""
    return (
        "```python\nfrom datasets import load_dataset\n\n"
        f'rows = load_dataset("{repository}", "stage2", split="train")\n'
        'print(len(rows), rows[0]["instruction"], rows[0]["response"])\n```'
    )


def _stage(facts: DatasetFacts) -> str:
    info = facts.info
    parts = {split: info["splits"].get(split, 0) for split in facts.splits}
    what = "Reading a finding" if facts.stage == 1 else "Fixing a weakness"
    said = [
        f"## Stage {facts.stage}: {what.lower()}",
        f"{info['rows']} rows, {info['forged']} of them forged, {info['augmented']} with another "
        f"wording of the question. Content hash `{facts.content}`.",
        counts_table(("Part", "Rows"), parts),
    ]
    names = {"test_facets": "Test rows of", "categories": "Category", "licences": "Licence"}
    said += [counts_table((title, "Rows"), info[name]) for name, title in names.items()]
    if left_out := {name: count for name, count in facts.left_out.items() if count}:
        said.append(counts_table(("Left out because", "Rows"), left_out))
    return "\n\n".join(said)
