"""The language model: one interface, three engines (`torch`, `mlx`, `server`)."""

from secai_lib.gateways.llm.opening import choose_engine, open_engine

__all__ = ["choose_engine", "open_engine"]
