"""What batching brings and what a schema costs, with the torch engine and the real small model.

The model: the folder in SECAI_BENCH_MODEL (dense safetensors), else SmolLM2 in the models folder.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from secai_lib.core.errors import UsageError
from secai_lib.core.generation import Chat, Decoding, Generation, Message
from secai_lib.gateways.config import load_project
from secai_lib.gateways.llm.torch_engine import TorchEngine
from tests.bench.table import Row

CODE = """      - uses: actions/checkout@v4
      - run: echo "${{ github.event.pull_request.title }}" >> notes.txt
        env: {TOKEN: "${{ secrets.GITHUB_TOKEN }}"}
"""
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "classification": {"enum": ["injection", "secret", "dependency", "configuration"]},
            "severity": {"enum": ["low", "medium", "high", "critical"]},
            "impact": {"type": "string", "maxLength": 100},
            "remediation": {"type": "string", "maxLength": 100},
        },
        "required": ["classification", "severity", "impact", "remediation"],
        "additionalProperties": False,
    }
)
CHATS = 8


def model_folder() -> Path:
    """Where a real small model lies as dense safetensors.

    Raises:
        UsageError: nowhere.
    """
    if named := os.environ.get("SECAI_BENCH_MODEL"):
        return Path(named)
    for config in sorted(load_project().models.rglob("safetensors/config.json")):
        if json.loads(config.read_text("utf-8")).get("model_type") == "llama":
            return config.parent
    raise UsageError("no small model is here; run the asset base_model or set SECAI_BENCH_MODEL")


def chats(copies: int) -> list[Chat]:
    """Eight chats of `copies` code excerpts each, of slightly different lengths."""
    return [
        (
            Message(role="system", content="You read security findings."),
            Message(
                role="user", content=f"Finding {n}: " + CODE * copies + "Explain it. " * (n + 1)
            ),
        )
        for n in range(CHATS)
    ]


def timed(engine: TorchEngine, groups: Sequence[list[Chat]], decoding: Decoding) -> float:
    """Seconds a token, over all answers of `groups`."""
    start = time.perf_counter()
    answers: list[Generation] = [a for group in groups for a in engine.generate(group, decoding)]
    return (time.perf_counter() - start) / sum(answer.answer_tokens for answer in answers)


def run() -> Iterator[Row]:
    """Batching at two prompt lengths, and free against constrained decoding."""
    engine = TorchEngine(model_folder(), "bench", CHATS)
    free = Decoding(max_tokens=48)
    engine.generate(chats(1)[:1], free)  # the first call pays for start-up
    for copies in (3, 12):
        asked = chats(copies)
        tokens = max(map(engine.count_tokens, asked))
        alone = timed(engine, [[chat] for chat in asked], free)
        together = timed(engine, [asked], free)
        detail = f"{1 / together:.0f} against {1 / alone:.0f} tokens/s, prompts of {tokens} tokens"
        yield Row(f"{CHATS} chats together", alone / together, "one by one", detail)
    asked = chats(3)
    without = timed(engine, [asked], Decoding(max_tokens=64))
    held = timed(engine, [asked], Decoding(max_tokens=64, json_schema=SCHEMA))
    detail = f"{1 / held:.0f} against {1 / without:.0f} tokens/s"
    yield Row("answers held to a schema", without / held, "free answers", detail)
    engine.close()
