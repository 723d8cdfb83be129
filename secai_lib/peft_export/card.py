"""The README.md of an export: measured facts, and how it is loaded."""

from collections.abc import Sequence
from typing import NamedTuple

from secai_lib.core.adapter import Adapter
from secai_lib.core.model import Model
from secai_lib.peft_export.parity import Parity
from secai_lib.peft_export.peft import base_name

TASK = {1: "reads a security finding", 2: "fixes a security finding"}


class Kept(NamedTuple):
    """What one precision keeps of an adapter."""

    precision: str
    overall: float
    worst: float


def adapter_card(adapter: Adapter, base: Model, parity: Parity) -> str:
    """The README.md beside an exported adapter."""
    layers = sorted({int(name.split(".")[2]) for name in adapter.modules})
    kinds = sorted({name.rpartition(".")[2] for name in adapter.modules})
    facts = {
        **_base_facts(base),
        "rank": str(adapter.rank),
        "scale": f"{adapter.scale:g} (PEFT's `lora_alpha` is {adapter.scale * adapter.rank:g})",
        "modules": f"{len(adapter.modules)}: {', '.join(f'`{kind}`' for kind in kinds)}",
        "layers": f"{layers[0]} to {layers[-1]}",
        "trained by": adapter.engine,
        "digest": f"`{adapter.digest}`",
        "logits, PEFT and trainer": f"differ by {parity.peft_change:.1e} at most",
        "logits, mlx-lm and PEFT": f"differ by {parity.mlx_change:.1e} at most",
    }
    compared = (
        f"In float32, in a process that did not train; with the trainer on the last {parity.last} "
        f"positions of {parity.rows} rows, with mlx-lm on {parity.mlx_tokens} tokens. The largest "
        f"logit is {parity.largest_logit:.1f}."
    )
    head = _front("peft", base, ["lora", f"base_model:adapter:{base_name(base)}"])
    return f"""{head}# Stage {adapter.stage}: a LoRA adapter that {TASK[adapter.stage]}

{_table(facts)}

{compared}

## With PEFT

`base` is the model's name on the Hub, or a folder with its dense weights.

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = "{base_name(base)}"
tokenizer = AutoTokenizer.from_pretrained(base)
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), ".")
```

## With mlx-lm

The folder `mlx/` holds the same matrices as mlx-lm keeps them.

```python
from mlx_lm import load

model, tokenizer = load("{base_name(base)}", adapter_path="mlx")
```
"""


def fused_card(
    adapter: Adapter, base: Model, precision: str, kept: Sequence[Kept], change: float
) -> str:
    """The README.md beside a fused model; `change` is the largest difference of a logit."""
    facts = {
        **_base_facts(base),
        "adapter": f"Stage {adapter.stage}, digest `{adapter.digest}`",
        "stored in": precision,
        "logits, beside the adapter": f"differ by {change:.1e} at most",
    }
    lines = "\n".join(
        f"| {one.precision}{' (this one)' if one.precision == precision else ''} "
        f"| {one.overall:.4f} | {one.worst:.4f} |"
        for one in kept
    )
    head = _front("mlx", base, [f"base_model:merge:{base_name(base)}"])
    return f"""{head}# Stage {adapter.stage} in the base model, for MLX

{_table(facts)}

Rounding swallows small changes. This is the cosine between the change the adapter intends and
what is left of it in the stored weights; 1 is all of it:

| precision | all modules | worst module |
|---|---|---|
{lines}

```python
from mlx_lm import load

model, tokenizer = load(".")
```
"""


def _base_facts(base: Model) -> dict[str, str]:
    return {"base model": f"`{base.identity}`", "its licence": base.licence}


def _table(facts: dict[str, str]) -> str:
    rows = "\n".join(f"| {name} | {value} |" for name, value in facts.items())
    return f"| | |\n|---|---|\n{rows}"


def _front(library: str, base: Model, tags: list[str]) -> str:
    """What the Hub reads: names in it come from settings and model cards, so they are quoted."""
    quoted = "\n".join(f"- '{tag.replace(chr(39), '')}'" for tag in tags)
    name = base_name(base).replace("'", "")
    return (
        f"---\nlibrary_name: {library}\nbase_model: '{name}'\nlicense: {base.licence.lower()}\n"
        f"pipeline_tag: text-generation\ntags:\n{quoted}\n---\n\n"
    )
