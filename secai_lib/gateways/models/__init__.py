"""The models on this machine: fetched from a wheel, the Hub or a folder, and kept whole."""

from secai_lib.gateways.models.shelf import ModelShelf

__all__ = ["ModelShelf"]
