"""Dagster's instance of a project: made once, found by `dagster dev` without further settings."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from dagster_shared.check import CheckError
from sqlalchemy.exc import SQLAlchemyError
from yaml import YAMLError

from secai_lib.core.errors import StorageError, UsageError
from secai_lib.gateways.config import Project
from secai_lib.gateways.scratch import is_owned, scratch_folder
from secai_lib.gateways.store import translated_errors

OWNER_TAG = "secai/owner"
"""Run tag with the mark of the process, for runs that were started by `secai` itself."""


def prepare_home(project: Project) -> Path:
    """The DAGSTER_HOME of `project`, with its instance file, and set for this process.

    A git-ignored `.env` at the project's root tells `dagster dev` the same; one that is there is
    left as it is, and none is written for a home that only this process's environment names.

    Raises:
        UsageError: its dagster.yaml is wrong.
        StorageError: the folder cannot be written, or a database in it is damaged.
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
        if not moved and (not env_file.exists() or _leads_nowhere(env_file)):
            env_file.write_text(f"DAGSTER_HOME={home}\n", encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    # Dagster makes its databases when they are first opened, and two processes that do it at once
    # leave a version table with two rows, which no Dagster opens any more: one after the other
    with translated_errors(), (home / ".secai.lock").open("w") as door:
        fcntl.flock(door, fcntl.LOCK_EX)
        _make_databases(home)
    return home


def _make_databases(home: Path) -> None:
    """See that the databases of `home` are there whole; those of a killed first time are not.

    Dagster takes a database for finished when its first table is there, whatever else is missing.
    """
    mark = home / ".secai.making"
    stores = [home / name for name in ("history", "schedules")]
    if mark.exists():
        for store in stores:
            shutil.rmtree(store, ignore_errors=True)
    if not any(store.exists() for store in stores):
        mark.touch()
    _open(home).dispose()
    mark.unlink(missing_ok=True)


def _leads_nowhere(env_file: Path) -> bool:
    """True for a file that we wrote before the project was moved, and nobody added to."""
    name, _, place = env_file.read_text("utf-8").strip().partition("=")
    return name == "DAGSTER_HOME" and "\n" not in place and not Path(place).exists()


@contextmanager
def open_instance(project: Project) -> Iterator[dg.DagsterInstance]:
    """The instance of `project`; runs of `secai` processes that were killed are closed first.

    Raises:
        UsageError: its dagster.yaml is wrong.
        StorageError: its databases cannot be read or written, now or while it is in use.
    """
    instance = _open(prepare_home(project))
    try:
        with instance:
            _close_orphans(instance, _marks(project))
            yield instance
    except SQLAlchemyError as error:
        raise _refused(error) from error


def _open(home: Path) -> dg.DagsterInstance:
    try:
        return dg.DagsterInstance.get()
    except (dg.DagsterError, CheckError, YAMLError) as error:
        raise UsageError(
            f"{home.name}/dagster.yaml cannot be used: {_first_line(error)}; repair it, or delete "
            "it and run the command again to get a fresh one"
        ) from error
    except (OSError, SQLAlchemyError) as error:
        raise _refused(error) from error


def _refused(error: Exception) -> StorageError:
    why = getattr(error, "orig", None) or getattr(error, "strerror", None) or type(error).__name__
    return StorageError(
        f"Dagster's instance (DAGSTER_HOME) cannot be read or written: {why}; free some space or "
        "check its owner, and move the folder away when it is damaged"
    )


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "unreadable")


@contextmanager
def owner_mark(project: Project) -> Iterator[str]:
    """A mark for runs of this process, which is known to be dead when the process is.

    A process id would not do: it is given to somebody else, in a container to the next `secai`.
    """
    with translated_errors(), scratch_folder(_marks(project)) as folder:
        yield folder.name


def _marks(project: Project) -> Path:
    return project.dagster_home.absolute() / "secai-owners"


def _close_orphans(instance: dg.DagsterInstance, marks: Path) -> None:
    """A run whose process was killed would stay «started» in the UI for ever."""
    active = [
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
    ]
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=active)):
        mark = run.tags.get(OWNER_TAG, "")
        if mark.isalnum() and not is_owned(marks / mark):
            instance.report_run_failed(run, "The process was killed; start the command again.")
