"""Dagster's instance of a project: made once, found by `dagster dev` without further settings."""

import os
import shutil
from pathlib import Path

import dagster as dg

from secai_lib.core.errors import StorageError
from secai_lib.gateways.config import Project
from secai_lib.gateways.store import translated_errors

PID_TAG = "secai/pid"
"""Run tag with the process of a run that was started by `secai` itself."""


def prepare_home(project: Project) -> Path:
    """The DAGSTER_HOME of `project`, with its instance file, and set for this process.

    A git-ignored `.env` at the project's root tells `dagster dev` the same; one that is there is
    left as it is, and none is written for a home that only this process's environment names.

    Raises:
        StorageError: the folder cannot be written.
    """
    home = project.dagster_home.absolute()
    with translated_errors():
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "dagster.yaml").is_file():
            shutil.copyfile(
                project.root / "config" / "dagster" / "local.yaml", home / "dagster.yaml"
            )
        env_file = project.root / ".env"
        moved = "SECAI_HOME" in os.environ or "DAGSTER_HOME" in os.environ
        if not env_file.exists() and not moved:
            env_file.write_text(f"DAGSTER_HOME={home}\n", encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def open_instance(project: Project) -> dg.DagsterInstance:
    """The instance of `project`; runs of `secai` processes that were killed are closed first."""
    prepare_home(project)
    try:
        instance = dg.DagsterInstance.get()
        _close_orphans(instance)
    except OSError as error:
        raise StorageError(f"Dagster's instance cannot be opened: {error.strerror}") from error
    return instance


def _close_orphans(instance: dg.DagsterInstance) -> None:
    """A run whose process was killed would stay «started» in the UI for ever."""
    active = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
    for run in instance.get_runs(filters=active):
        pid = run.tags.get(PID_TAG, "")
        if pid.isdigit() and not _alive(int(pid)):
            instance.report_run_failed(run, "The process was killed; start the command again.")


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)  # asks only whether it is there
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
