"""The card of an adapter's repository: what it is made of and what was measured, nothing else."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from secai_lib.core.adapter import Adapter
from secai_lib.core.evaluation import Evaluation
from secai_lib.core.generation import Chat
from secai_lib.core.model import Model
from secai_lib.core.record import Record
from secai_lib.publishing.front_matter import card, hub_licence
from secai_lib.publishing.release import Gate
from secai_lib.publishing.tables import counts_table, scores_of, scores_table

LIMITS = """\
- An answer is a proposal. Apply a fix only after the scanner that found the weakness, and the
  others, have looked at the result (SecAI proves every fix that way before it offers it).
- A score on known rules is close to looking the rule up; read unknown rules and real files apart,
  and the intervals with them.
- Prompts quote code and reports of others, which may hold instructions: never give the answers any
  right that the quoted text should not have.
- It was trained on answers that begin with the prefix in the snippet; force it, as shown there.
"""


class AdapterFacts(Record):
    """What the card says; all of it comes from manifests and measurements."""

    adapter: Adapter
    """Its record."""
    training: Mapping[str, Any]
    """`training.json` of the trainer."""
    base: Model
    """The base model."""
    evaluation: Evaluation
    """What was measured of all contenders."""
    gates: tuple[Gate, ...]
    """The score gates."""
    dataset: str
    """Repository of the data sets."""
    rows: Mapping[str, Any]
    """`dataset_info.json` of the stage's data set."""
    inputs: Mapping[str, str]
    """Product -> content hash, of everything in the release."""
    parity: Mapping[str, Any]
    """`parity.json` of the export."""
    fused: Mapping[str, float]
    """What was measured of the fused model; empty when there is none."""
    example: Chat
    """A chat of the test part without its answer."""
    prefix: str
    """What every answer is made to begin with."""


def model_card(repository: str, facts: AdapterFacts) -> bytes:
    """README.md of the adapter in `repository`."""
    stage, base = facts.adapter.stage, facts.base
    on_hub = base.uri.startswith("hf://")
    head = {
        "license": hub_licence({base.licence}),
        "base_model": base.uri.removeprefix("hf://") if on_hub else base.name,
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "language": ["en"],
        "datasets": [facts.dataset],
        "tags": ["security", "code", "lora", f"secai-stage{stage}"],
        "model-index": [{"name": repository, "results": _results(facts)}],
    }
    what = "reads findings of security scanners" if stage == 1 else "fixes weaknesses in code"
    parts = [
        f"# {repository}\n\nA LoRA adapter for `{base.name}` that {what} (Stage {stage} of SecAI).",
        f"## Base model\n\n{_base(facts)}",
        f"## Data\n\n{_data(facts)}",
        f"## Training\n\n{_recipe(facts)}",
        f"## Evaluation\n\n{_evaluation(facts)}",
        f"## Export\n\n{_export(facts)}",
        f"## How to load\n\n{snippet(repository, facts)}",
        f"## Limits\n\n{LIMITS}",
    ]
    return card(head, "\n\n".join(parts))


def snippet(repository: str, facts: AdapterFacts) -> str:
    """How the adapter is loaded and asked, as a code block."""
    base, on_hub = facts.base, facts.base.uri.startswith("hf://")
    name = base.uri.removeprefix("hf://") if on_hub else base.name
    note = "" if on_hub else "  # or the folder the base model is in"
    chat = json.dumps([message.model_dump() for message in facts.example], indent=4)
    return f"""```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = "{name}"{note}
tokenizer = AutoTokenizer.from_pretrained(base)
model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), "{repository}")
chat = {chat.replace("```", "` ` `")}
prefix = {json.dumps(facts.prefix)}
prompt = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True) + prefix
tokens = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")
ids = model.generate(
    input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"], max_new_tokens=96,
    do_sample=False,
)
answer = prefix + tokenizer.decode(ids[0, tokens["input_ids"].shape[1] :], skip_special_tokens=True)
print(answer)
```"""


def _base(facts: AdapterFacts) -> str:
    base, parent = facts.base, facts.adapter.parent
    return counts_table(("Base model", base.name), {
        "From": f"`{base.uri}`, revision `{base.revision}`",
        "SHA-256 of what was delivered": f"`{base.source_sha256}`",
        "Licence": f"{base.licence} ({base.licence_origin})",
        "Architecture": f"{base.architecture}, {base.parameters:,} weights",
        "Adapter": f"digest `{facts.adapter.digest}`, {len(facts.adapter.modules)} modules",
        **({"Built on": f"Stage 1 adapter `{parent}`"} if parent else {}),
    })  # fmt: skip


def _data(facts: AdapterFacts) -> str:
    rows = facts.rows
    licences = ", ".join(f"{name} ({count} rows)" for name, count in rows["licences"].items())
    made = ", ".join(f"{name} `{digest}`" for name, digest in sorted(facts.inputs.items()))
    splits = ", ".join(f"{name} {count}" for name, count in rows["splits"].items())
    return (
        f"{rows['rows']} rows of `{facts.dataset}` ({splits}); {rows['forged']} are forged. "
        f"Licences: {licences}.\n\nContent hashes: {made}."
    )


def _recipe(facts: AdapterFacts) -> str:
    training = facts.training
    used = dict(training.get("in_use", {}))
    seen = training.get("seen", {})
    used |= {f"seen {name.replace('_', ' ')}": value for name, value in seen.items()}
    if "steps" in training:
        used["optimizer steps"] = len(training["steps"])
    names = {"best_step": "best step", "probe_before": "probe loss before",
             "probe_after": "probe loss after"}  # fmt: skip
    used |= {title: training[name] for name, title in names.items() if name in training}
    table = counts_table(("What", "Value"), {name: _number(value) for name, value in used.items()})
    return (
        f"Engine `{training.get('engine', facts.adapter.engine)}`. As the live objects said after "
        f"the last step:\n\n{table}"
    )


def _evaluation(facts: AdapterFacts) -> str:
    stages = _stages(facts)
    asked = ", ".join(
        f"{len(ids)} of Stage {name[-1]}" for name, ids in facts.evaluation.asked.items()
    )
    failed = [gate for gate in facts.gates if not gate.passed]
    verdict = "\n".join(f"- **{gate.name}: not reached.** {gate.sentence}" for gate in failed)
    return (
        f"On rows of the frozen test parts ({asked}); intervals are Wilson's.\n\n"
        f"{scores_table(facts.evaluation, stages)}\n\n"
        + (f"Score gates:\n\n{verdict}" if failed else "All score gates were reached.")
    )


def _export(facts: AdapterFacts) -> str:
    measured = {
        name: _number(value)
        for name, value in {**facts.parity, **facts.fused}.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    said = "PEFT files at the top, MLX files in `mlx/`; `parity.json` says how they were compared."
    return f"{said}\n\n{counts_table(('Measured', 'Value'), measured)}" if measured else said


def _results(facts: AdapterFacts) -> list[dict[str, Any]]:
    """The adapter's own scores in the Hub's words; nobody but us has verified them."""
    own = f"stage{facts.adapter.stage}"
    return [
        {
            "task": {"type": "text-generation"},
            "dataset": {
                "type": facts.dataset,
                "name": f"{facts.dataset} (stage{s.stage}, {s.group.removeprefix('facet:')})",
                "config": f"stage{s.stage}",
                "split": "test",
            },
            "metrics": [
                {"type": s.metric, "value": round(s.value, 4),
                 "name": f"{s.metric} ({s.rows} rows)", "verified": False}
            ],
        }
        for s in scores_of(facts.evaluation, _stages(facts))
        if s.contender == own
    ]  # fmt: skip


def _stages(facts: AdapterFacts) -> Sequence[int]:
    return (1,) if facts.adapter.stage == 1 else (1, 2)


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
