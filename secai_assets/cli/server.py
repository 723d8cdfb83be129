"""`secai up`: the Dagster UI with its daemon, on our instance."""

import subprocess
import sys

import typer
from rich.console import Console

from secai_assets.instance import prepare_home
from secai_assets.resources.house import House
from secai_lib.core.errors import UsageError


def serve(host: str, port: int) -> None:
    """Run `dagster dev` until it is stopped; both web server and daemon, or runs stay queued."""
    if not 0 < port < 65536:
        raise UsageError(f"--port {port}: choose 1 to 65535")
    house = House()
    prepare_home(house.project)
    Console(stderr=True).print(
        f"The UI opens at http://{host}:{port} (it has no login). Stop with Ctrl-C."
    )
    command = [
        sys.executable,
        "-m",
        "dagster",
        "dev",
        "-w",
        "workspace.yaml",
        "-h",
        host,
        "-p",
        str(port),
    ]
    try:
        ended = subprocess.run(command, cwd=house.project.root, check=False)  # noqa: S603
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    raise typer.Exit(ended.returncode)
