"""The child process of `secai_assets.children`: one heavy step, then gone."""

import importlib
import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from dagster_pipes import PipesContext, open_dagster_pipes

PARENT_LOOK_SECONDS = 1.0


def main(module: str) -> None:
    """Let `module` make what its asset stores, as the parent's request says."""
    _die_with_parent(os.getppid())
    with open_dagster_pipes() as pipes:
        _redirect_output(str(pipes.extras["output"]))
        try:
            _make(module, pipes.extras["options"], pipes.log.info)
        except Exception as error:  # noqa: BLE001 - told to the parent, which raises it
            _tell(pipes, error)
    # everything is stored and told; a thread that still waits for a server would keep us
    logging.shutdown()
    os._exit(0)


def _make(module: str, options: Mapping[str, object], say: Callable[[str], None]) -> None:
    from secai_assets.resources.house import House

    house = House()
    step: Any = importlib.import_module(module)
    with house.store.lock("models"):  # two models at once would not fit into memory
        step.make(house, options, say)


def _tell(pipes: PipesContext, error: Exception) -> None:
    from secai_lib.core.errors import SecAIError, Transient, exit_code_of

    if not isinstance(error, SecAIError):
        pipes.log.error("".join(traceback.format_exception(error)))
    said = str(error) if isinstance(error, SecAIError) else f"{type(error).__name__}: {error}"
    pipes.report_custom_message(
        {
            "error": said,
            "exit_code": exit_code_of(error),
            "transient": isinstance(error, Transient),
        }
    )


def _redirect_output(path: str) -> None:
    """Let libraries print where they disturb nobody; the parent shows it when we crash."""
    handle = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)


def _die_with_parent(parent: int) -> None:
    def look() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1])
