"""`secai adapter`: what an adapter is, and the same one in the other library's layout."""

import json
from pathlib import Path
from typing import NamedTuple

import typer
from rich.console import Console
from rich.table import Table

from secai_assets.assets.base_model import read_base_model
from secai_assets.cli.terminal import shown
from secai_assets.resources.adapters import WEIGHTS, read_adapter
from secai_assets.resources.house import House
from secai_assets.run import NO_MODELS, models_installed
from secai_lib.core.adapter import Adapter
from secai_lib.core.errors import MissingTool, StorageError, UsageError
from secai_lib.core.model import ModelFormat
from secai_lib.gateways.adapter_files import facts_of
from secai_lib.gateways.fusing import linear_shapes
from secai_lib.gateways.peft_files import LAYOUTS, read_adapter_folder, write_adapter_folder
from secai_lib.peft_export import Plain, from_mlx, from_peft, to_mlx, to_peft_tensors
from secai_lib.peft_export.describe import Description, describe, misfit

STAGES = {"1": "stage1_adapter", "2": "stage2_adapter"}


class Found(NamedTuple):
    """An adapter and where it is from."""

    plain: Plain
    layout: str
    size_bytes: int


def print_adapter(source: str, *, as_json: bool) -> int:
    """Print what the adapter at `source` is; the exit code is 1 when it is not fit for use.

    Raises:
        UsageError: there is no adapter, or only a pickle, which is never read.
        TrainingError: it is broken, or no plain LoRA.
        MissingTool: the model packages are not installed.
    """
    house, found = House(), read_source(source)
    said = describe(
        found.layout,
        found.plain.weights,
        found.plain.scale,
        base=found.plain.base,
        size_bytes=found.size_bytes,
    )
    shapes = _shapes(house)
    if shapes:
        said = said.model_copy(update={"misfit": misfit(found.plain.weights, shapes)})
    if as_json:
        facts = {**said.model_dump(mode="json"), "compared_with_base": bool(shapes)}
        typer.echo(json.dumps(facts, indent=2))
    else:
        _print(said, compared=bool(shapes))
    return int(bool(said.not_finite or said.misfit or len(said.all_zero) == said.modules))


def convert_adapter(source: str, target: Path, layout: str) -> None:
    """Write the adapter at `source` to the new folder `target` in `layout`.

    Raises:
        UsageError: the layout is unknown, there is no adapter, or the target is there already.
        TrainingError: it is broken, or no plain LoRA.
    """
    if layout not in LAYOUTS:
        raise UsageError(f"--to {layout}: choose one of {', '.join(LAYOUTS)}")
    plain = read_source(source).plain
    adapter = Adapter(
        stage=2,  # what it was trained for is in neither layout
        engine="",
        base=plain.base,
        rank=plain.rank,
        scale=plain.scale,
        dropout=plain.dropout,
        modules=facts_of(plain.weights),
    )
    if layout == "peft":
        tensors, config = to_peft_tensors(plain.weights, adapter, plain.base, None)
    else:
        tensors, config = to_mlx(plain.weights, adapter, plain.base, _layers(House(), plain))
    write_adapter_folder(target, layout, tensors, config)
    typer.echo(f"written: {LAYOUTS[layout]} and adapter_config.json", err=True)


def read_source(source: str) -> Found:
    """The adapter of our stage `source` (`1` or `2`), or the one in the folder `source`."""
    if not models_installed():
        raise MissingTool(f"no adapter can be read: {NO_MODELS}")
    if source in STAGES:
        house = House()
        adapter, weights = read_adapter(house, STAGES[source])
        size = len(house.store.read(STAGES[source], WEIGHTS))
        plain = Plain(weights, adapter.rank, adapter.scale, adapter.dropout, adapter.base)
        return Found(plain, "secai", size)
    folder = read_adapter_folder(Path(source))
    read = from_peft if folder.layout == "peft" else from_mlx
    return Found(read(folder.tensors, folder.config), folder.layout, folder.size)


def _shapes(house: House) -> dict[str, tuple[int, ...]]:
    """Those of the base model here; empty when there is none."""
    try:
        return linear_shapes(house.shelf.folder(read_base_model(house), ModelFormat.SAFETENSORS))
    except StorageError:
        return {}


def _layers(house: House, plain: Plain) -> int:
    """Layers of the base model here where the adapter fits it; else those the adapter reaches.

    mlx-lm counts from the last layer, and an adapter that leaves out the last ones is rare.
    """
    shapes = _shapes(house)
    names = shapes if shapes and not misfit(plain.weights, shapes) else plain.weights
    numbers = [int(part) for name in names for part in name.split(".") if part.isdigit()]
    return max(numbers, default=0) + 1


def _print(said: Description, *, compared: bool) -> None:
    fit = shown(said.misfit) if said.misfit else "yes" if compared else "not compared: none here"
    layers = f"{said.layers[0]} to {said.layers[-1]}" if said.layers else "none"
    table = Table(show_header=False, box=None)
    for name, value in {
        "layout": said.layout,
        "base model": shown(said.base) or "not said",
        "rank, scale, alpha": f"{said.rank}, {said.scale:g}, {said.alpha:g}",
        "modules": f"{said.modules}: {shown(', '.join(said.kinds))}",
        "layers": f"{len(said.layers)}, {layers}",
        "weights": f"{said.weights:,} ({said.size_bytes / 1e6:.1f} MB)",
        "digest": said.digest,
        "not finite": shown(", ".join(said.not_finite)) or "none",
        "all zero": shown(", ".join(said.all_zero)) or "none",
        "fits the base model here": fit,
    }.items():
        table.add_row(name, value)
    Console(highlight=False).print(table)
