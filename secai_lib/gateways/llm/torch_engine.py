"""The language model by PyTorch: the default on a CPU, and on CUDA where MLX is not there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from secai_lib.core.adapter import Adapter, Weights
from secai_lib.gateways.llm.local import (
    AS_IT_LIES,
    LocalEngine,
    Logits,
    loading_errors,
    who_answers,
)
from secai_lib.gateways.merging import change, require_fit


class TorchEngine(LocalEngine):
    """Answers with `transformers`, in float32 so that a batch does not change an answer."""

    def __init__(
        self,
        folder: Path,
        identity: str,
        batch_size: int = 8,
        threads: int = 0,
        adapter: tuple[Adapter, Weights] | None = None,
    ) -> None:
        """Load the dense safetensors, tokenizer and chat template in `folder`.

        Args:
            folder: As `transformers` wrote it.
            identity: Of the model.
            batch_size: Chats answered together.
            threads: CPU threads; 0 leaves it to PyTorch (all cores).
            adapter: Added to the weights in memory.

        Raises:
            UsageError: the model cannot chat.
            ModelError: a file is missing or damaged.
            TrainingError: the adapter does not fit the model.
        """
        import torch

        if threads:
            torch.set_num_threads(threads)
        version = f"torch {torch.__version__.split('+')[0]} float32"
        network = _TorchNetwork(folder)
        if adapter:
            network.merge(*adapter, base=identity)
        super().__init__("torch", who_answers(identity, version, adapter), network, batch_size)

    def close(self) -> None:
        """Give the memory back, that of the GPU too."""
        super().close()
        import torch

        if torch.cuda.is_available():
            torch.cuda.empty_cache()


class _TorchNetwork:
    """A causal model and the keys and values of one batch, padded on the left."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        device = "cuda" if torch.cuda.is_available() else "cpu"
        with loading_errors():
            self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, **AS_IT_LIES)
            model: Any = AutoModelForCausalLM.from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True, **AS_IT_LIES
            )
        self._model = model.to(device).eval()
        self._device = device
        self.vocabulary = int(model.get_output_embeddings().weight.shape[0])
        self.context = int(getattr(model.config, "max_position_embeddings", 0) or 0)
        ends = model.generation_config.eos_token_id or []
        self.end_ids: list[int] = [ends] if isinstance(ends, int) else list(ends)

    def merge(self, adapter: Adapter, weights: Weights, *, base: str) -> None:
        """Add the adapter to the weights, for good."""
        import torch

        linear = {
            name: module
            for name, module in self._model.named_modules()
            if isinstance(module, torch.nn.Linear)
        }
        shapes = {name: tuple(module.weight.shape) for name, module in linear.items()}
        require_fit(adapter, weights, base, shapes)
        with torch.no_grad():
            for name, pair in weights.items():
                added = torch.from_numpy(change(pair, adapter.scale))
                linear[name].weight += added.to(self._device)

    def start(self, prompts: Sequence[Sequence[int]]) -> Logits:
        import torch
        from transformers import DynamicCache

        width = max(map(len, prompts))
        ids = torch.zeros((len(prompts), width), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            mask[row, width - len(prompt) :] = 1
        self._mask = mask.to(self._device)
        self._cache = DynamicCache(config=self._model.config)
        return self._read(ids.to(self._device))

    def step(self, tokens: Sequence[int]) -> Logits:
        import torch

        ids = torch.tensor(tokens, device=self._device)[:, None]
        self._mask = torch.cat([self._mask, torch.ones_like(ids)], dim=1)
        return self._read(ids)

    def keep(self, rows: Sequence[int]) -> None:
        import torch

        places = torch.tensor(rows, device=self._device)
        self._mask = self._mask[places]
        self._cache.batch_select_indices(places)

    def _read(self, ids: Any) -> Logits:
        """Logits behind the last of `ids`, shape (rows, tokens), which the cache then knows."""
        import torch

        # A row's own positions start at 0 wherever its padding ends.
        positions = (self._mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        with torch.inference_mode():
            done = self._model(
                input_ids=ids,
                attention_mask=self._mask,
                position_ids=positions,
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=1,
            )
        logits: Logits = done.logits[:, -1].float().cpu().numpy()
        return logits
