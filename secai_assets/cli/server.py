"""`secai up`: the Dagster UI with its daemon, on our instance."""

import os
import sys

from rich.console import Console

from secai_assets.instance import prepare_home
from secai_assets.resources.house import House
from secai_lib.core.errors import UsageError


def serve(host: str, port: int) -> None:
    """Become `dagster dev` until it is stopped; web server and daemon, or runs stay queued.

    The process is replaced, so that a signal reaches Dagster whoever sends it. It starts in the
    instance's folder: an `.env` beside `config/` would win over SECAI_HOME.
    """
    if not 0 < port < 65536:
        raise UsageError(f"--port {port}: choose 1 to 65535")
    project = House().project
    home = prepare_home(project)
    Console(stderr=True).print(
        f"The UI opens at http://{host}:{port} (it has no login). Stop with Ctrl-C."
    )
    workspace = str((project.root / "workspace.yaml").resolve())
    command = [sys.executable, "-m", "dagster", "dev", "-w", workspace]
    command += ["-h", host, "-p", str(port)]
    os.chdir(home)
    os.execv(sys.executable, command)  # noqa: S606
