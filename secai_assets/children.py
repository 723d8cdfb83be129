"""Heavy work in a child process, so that neither the code location nor a run pays for its imports.

An asset calls `run_child` with its own module's name; the child (`python -m secai_assets.child
MODULE`) calls that module's `make(house, options, say)`, which stores what it makes. What the
child says appears in the run's log as it is said, and its errors end the step as if they had
happened here. The child dies with its parent, and one child works at a time on this machine.
"""

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import dagster as dg
from dagster._core.errors import DagsterPipesExecutionError

from secai_assets.resources.house import House
from secai_lib.gateways.store import translated_errors

ROOT = Path(__file__).resolve().parents[1]
LAST_LINES = 15


def run_child(
    context: dg.AssetExecutionContext, house: House, module: str, options: Mapping[str, object] = {}
) -> None:
    """Let a child make what the asset of `module` stores; `options` are plain JSON values.

    Raises:
        dg.Failure: with the sentence and exit code of the child's error, or what killed it.
    """
    with translated_errors():
        house.project.work.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=house.project.work, prefix="child-") as output:
        extras = {"options": dict(options), "output": output.name}
        try:
            done = dg.PipesSubprocessClient().run(
                context=context,
                # -P: modules in the folder we were called from are not ours
                command=[sys.executable, "-P", "-m", "secai_assets.child", module],
                extras=extras,
                env={"PYTHONPATH": str(ROOT)},
            )
        except DagsterPipesExecutionError as error:
            said = Path(output.name).read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
            context.log.error("\n".join(said) or "the child said nothing")
            step = module.rpartition(".")[2]
            raise dg.Failure(
                description=f"the process that makes {step} was killed or crashed ({error}); when "
                "the machine ran out of memory, lower inference.batch_size or take a smaller model",
                metadata={"exit_code": dg.MetadataValue.int(1)},
                allow_retries=False,
            ) from error
    for message in done.get_custom_messages():
        raise dg.Failure(
            description=str(message["error"]),
            metadata={"exit_code": dg.MetadataValue.int(int(message["exit_code"]))},
            allow_retries=bool(message["transient"]),
        )
