"""`secai doctor`: is everything here that the flow needs, and what to do where it is not."""

import json
import os
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from secai_assets.resources.house import House
from secai_lib.core.errors import MissingTool, SettingsError
from secai_lib.core.scan import ToolStatus
from secai_lib.gateways.machine import free_disk

FREE_BYTES = 2 * 2**30
"""Free disk below which the next run may fail: scans, copies of sources and the warehouse."""
MODEL_PACKAGES = ("torch", "mlx", "transformers", "peft", "sentence-transformers", "faiss-cpu")


class Line(NamedTuple):
    """One thing that was looked at."""

    what: str
    state: str
    """`ok`, `note` (works without) or `missing`."""
    detail: str


def examine(*, as_json: bool) -> int:
    """The exit code: 0 when nothing is missing that the flow needs, 4 otherwise."""
    lines = list(_look())
    if as_json:
        typer.echo(json.dumps([line._asdict() for line in lines], indent=2))
    else:
        table = Table("", "What", "Detail", box=None, padding=(0, 2, 0, 0))
        marks = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "missing": "[red]missing[/]"}
        for line in lines:
            table.add_row(marks[line.state], line.what, escape(line.detail))
        Console(highlight=False).print(table)
    missing = any(line.state == "missing" for line in lines)
    return MissingTool.exit_code if missing else 0


def _look() -> Iterator[Line]:
    yield Line("Python", "ok", sys.version.split()[0])
    try:
        house = House()
    except SettingsError as error:
        yield Line("settings", "missing", "; ".join(error.problems))
        return
    yield Line("settings", "ok", f"profile {house.settings.profile}")
    yield from _disk(house)
    yield from _scanners(house)
    yield from _packages()
    yield from _models(house)
    for name, use in (
        ("GITHUB_TOKEN", "private repositories; permission actions: read"),
        ("HF_TOKEN", "gated and private models, and publishing to the Hub"),
    ):
        state = "set" if os.environ.get(name) else "not set"
        yield Line(
            name, "ok" if os.environ.get(name) else "note", f"{state}; only needed for {use}"
        )
    env_file = house.project.root / ".env"
    here = env_file.is_file() and "DAGSTER_HOME=" in env_file.read_text("utf-8")
    yield Line(
        "dagster dev",
        "ok" if here else "note",
        "finds our instance through .env"
        if here
        else "run `secai up` once, or any run, to write .env",
    )


def _disk(house: House) -> Iterator[Line]:
    home = house.project.home
    existing = next(path for path in (home, *home.parents) if path.exists())
    free = free_disk(home)
    detail = f"{free / 2**30:.0f} GiB free for {home.name}/"
    yield Line(
        "disk",
        "ok" if free > FREE_BYTES else "missing",
        detail + ("" if free > FREE_BYTES else ": free some space"),
    )
    writable = os.access(existing, os.W_OK)
    yield Line(
        "data folder",
        "ok" if writable else "missing",
        f"{home.name}/ can be written"
        if writable
        else "no permission: change its owner or set SECAI_HOME",
    )


def _scanners(house: House) -> Iterator[Line]:
    for tool, run in sorted(house.scanners.versions().items()):
        ran = run.status is ToolStatus.RAN
        enabled = tool in house.settings.scanners.enabled
        state = "ok" if ran else "missing" if enabled else "note"
        yield Line(tool, state, run.version if ran else run.detail)


def _models(house: House) -> Iterator[Line]:
    """Where models are kept, room for another one, and the two that the settings name."""
    folder = house.shelf.root
    free = free_disk(folder)
    home = Path.home()
    shown = f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)
    detail = f"{shown}: {len(house.shelf.models())} models, {free / 2**30:.0f} GiB free"
    yield Line("models folder", "ok" if free > FREE_BYTES else "note", detail)
    for what in ("base_model", "embedding_model"):
        try:
            source = house.model_source(what)
        except SettingsError as error:
            yield Line(what.replace("_", " "), "missing", "; ".join(error.problems))
            continue
        if model := house.shelf.find(source):
            size = f"{model.parameters / 1e6:.0f} M weights, {model.size_bytes / 1e6:.0f} MB"
            yield Line(what.replace("_", " "), "ok", f"{model.name}, {model.licence}, {size}")
        else:
            name = source.uri if "://" in source.uri else Path(source.uri).name
            detail = f"{name} is not here yet; the first run that needs it fetches it"
            yield Line(what.replace("_", " "), "note", detail)


def _packages() -> Iterator[Line]:
    for name in MODEL_PACKAGES:
        try:
            yield Line(name, "ok", version(name))
        except PackageNotFoundError:
            yield Line(
                name, "note", "not installed; proven fixes need no model (`make setup` adds it)"
            )
