"""A tiny random OLMo-2 in a folder: the real architecture, tokenizer kind and chat template."""

from pathlib import Path
from typing import Any

SAMPLE = """You read one security finding and answer in JSON about severity, impact and remediation.
{"classification":"injection","severity":"high","impact":"an attacker reads every row"}
The workflow runs with write permission; pin the action to a commit and set permissions: read.
FROM debian:12 RUN apt-get update USER root COPY . /app EXPOSE 8080 CMD ["python", "app.py"]
def login(user, password): return query("select * from users where name = " + user)
<<<\nold line\n===\nnew line\n>>>\nThe quick brown fox jumps over the lazy dog 0123456789."""
"""What the merges of the tokenizer are learnt from."""

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>")
"""OLMo-2's names; as there, `<|user|>` and `<|assistant|>` are no tokens but plain text."""

CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'system' %}"
    "{{ '<|system|>\n' + message['content'] + '\n' }}{% elif message['role'] == 'user' %}"
    "{{ '<|user|>\n' + message['content'] + '\n' }}{% elif message['role'] == 'assistant' %}"
    "{% if not loop.last %}{{ '<|assistant|>\n' + message['content'] + eos_token + '\n' }}"
    "{% else %}{{ '<|assistant|>\n' + message['content'] + eos_token }}{% endif %}{% endif %}"
    "{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}{% endfor %}"
)
"""As in `allenai/OLMo-2-0425-1B-Instruct`."""

VOCABULARY = 512
"""Rows of the embedding: more than the tokenizer has words, as in the real model."""
WORDS = 400


def write_tiny_olmo(folder: Path, *, seed: int = 0) -> None:
    """Write a random model of about 0.1 million weights, drawn with `seed`, to `folder`."""
    import torch
    from transformers import Olmo2Config, Olmo2ForCausalLM

    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    config = Olmo2Config(
        vocab_size=VOCABULARY,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        rope_parameters={"rope_type": "default", "rope_theta": 500_000.0},  # as in the real one
        initializer_range=0.1,
        tie_word_embeddings=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Olmo2ForCausalLM(config)
    model.save_pretrained(folder)


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS,
        special_tokens=list(SPECIALS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(SAMPLE.splitlines(), trainer)
    fast: Any = PreTrainedTokenizerFast
    return fast(
        tokenizer_object=raw,
        bos_token="<|endoftext|>",
        eos_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        pad_token="<|pad|>",
        additional_special_tokens=["<|im_start|>", "<|im_end|>"],
        clean_up_tokenization_spaces=False,
        chat_template=CHAT_TEMPLATE,
        model_max_length=2048,
    )
