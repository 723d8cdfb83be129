"""A data set as the files that `datasets.load_dataset` reads."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from secai_lib.core.record import canonical_json
from secai_lib.core.training import Split, TrainingExample

NAMES: Mapping[Literal[1, 2], str] = {
    1: "vulnerability_analysis_dataset",
    2: "code_fix_dataset",
}
"""What the whole data set of a stage is called."""

_SCALARS = {"string": "string", "number": "float64", "integer": "int64", "boolean": "bool"}


def dataset_files(rows: Sequence[TrainingExample], stage: Literal[1, 2]) -> dict[str, bytes]:
    """File name -> bytes: one JSON Lines file a split, all rows in one, and what describes them.

    `README.md` names files and columns for `load_dataset`, `dataset_info.json` counts. A split
    without rows has no file. Equal rows give equal bytes.
    """
    files = {f"{NAMES[stage]}.jsonl": _lines(rows)}
    for split in Split:
        if own := [row for row in rows if row.split is split]:
            files[f"{split}.jsonl"] = _lines(own)
    files["dataset_info.json"] = (_text(_facts(rows, stage)) + "\n").encode()
    files["README.md"] = _card(rows, stage).encode()
    return files


def read_lines(data: bytes) -> list[TrainingExample]:
    """The rows of a file written by `dataset_files`, in its order."""
    return [TrainingExample.model_validate_json(line) for line in data.splitlines()]


def effective_shares(rows: Sequence[TrainingExample]) -> dict[str, float]:
    """Category -> its share of the training part's loss: rows times weight, sum 1."""
    weights: dict[str, float] = {}
    for row in rows:
        if row.split is Split.TRAIN:
            category = row.metadata.category.value
            weights[category] = weights.get(category, 0.0) + row.metadata.training_weight
    total = sum(weights.values())
    return {name: round(weight / total, 4) for name, weight in sorted(weights.items())}


def _lines(rows: Sequence[TrainingExample]) -> bytes:
    return b"".join((canonical_json(_row(row)) + "\n").encode() for row in rows)


def _row(row: TrainingExample) -> dict[str, Any]:
    """The row's columns; those of Stage 1 have no readable answer beside the answer."""
    return row.model_dump(mode="json", exclude={"readable"} if row.stage == 1 else None)


def _facts(rows: Sequence[TrainingExample], stage: int) -> dict[str, object]:
    def counts(values: Sequence[str]) -> dict[str, int]:
        return dict(sorted(Counter(values).items()))

    test = [row for row in rows if row.split is Split.TEST]
    return {
        "stage": stage,
        "rows": len(rows),
        "splits": counts([row.split.value for row in rows]),
        "test_facets": counts([row.facet.value for row in test]),
        "augmented": sum(row.metadata.augmented for row in rows),
        "forged": sum(row.metadata.forged for row in rows),
        "categories": counts([row.metadata.category.value for row in rows]),
        "vulnerability_types": counts([row.metadata.vulnerability_type.value for row in rows]),
        "complexities": counts([row.metadata.complexity for row in rows]),
        "licences": counts([row.metadata.licence for row in rows]),
        "repositories": counts([row.metadata.repository for row in rows]),
        "effective_shares": effective_shares(rows),
    }


def _card(rows: Sequence[TrainingExample], stage: Literal[1, 2]) -> str:
    """What the Hub's loader reads first; JSON is YAML, so no writer is needed."""
    present = [split for split in Split if any(row.split is split for row in rows)]
    head = {
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": s.value, "path": f"{s}.jsonl"} for s in present],
            }
        ],
        "dataset_info": {"features": _features(stage)},
    }
    what = "reading a scanner's finding" if stage == 1 else "fixing a weakness"
    return (
        f"---\n{_text(head)}\n---\n\n# {NAMES[stage]}\n\n"
        f"{len(rows)} rows for {what}, made by SecAI; labels come from scanners and advisories, "
        "no text is a model's. `dataset_info.json` counts them; licences are in the metadata of "
        "each row.\n"
    )


def _features(stage: Literal[1, 2]) -> list[dict[str, Any]]:
    """The columns in the loader's words, read off the record itself."""
    schema = TrainingExample.model_json_schema(mode="serialization")
    fields = dict(schema["properties"].items())
    if stage == 1:
        del fields["readable"]
    return [{"name": name, **_feature(field, schema["$defs"])} for name, field in fields.items()]


def _feature(field: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    field = next((f for f in field.get("anyOf", ()) if f.get("type") != "null"), field)
    if reference := field.get("$ref"):
        return _feature(named[reference.rpartition("/")[2]], named)
    if field.get("type") == "array":
        item = _feature(field["items"], named)
        return {"list": item["dtype"] if "dtype" in item else item["struct"]}
    if "properties" in field:
        columns = field["properties"].items()
        return {"struct": [{"name": name, **_feature(own, named)} for name, own in columns]}
    return {"dtype": _SCALARS[field["type"]]}


def _text(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)
