"""Steps in a child process: what it says, how it fails, and that nothing outlives its parent."""

import os
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from secai_assets.children import run_child
from secai_assets.resources.house import House

ROOT = Path(__file__).resolve().parents[2]


def materialize(home: Path, **options: object) -> tuple[dg.ExecuteInProcessResult, list[str]]:
    """The run of an asset whose child does what `options` say, and the lines of its log."""

    @dg.asset
    def step(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        run_child(context, House(), "tests.fakes.child_step", options)
        return dg.MaterializeResult()

    with dg.instance_for_test() as instance:
        result = dg.materialize([step], instance=instance, raise_on_error=False)
        log = [e.user_message for e in instance.all_logs(result.run_id)]
    return result, log


def failure(result: dg.ExecuteInProcessResult) -> tuple[str, int]:
    (event,) = [event for event in result.all_events if event.is_step_failure]
    data = event.step_failure_data.user_failure_data
    assert data and data.description
    return data.description, int(str(data.metadata["exit_code"].value))


def test_what_the_child_says_is_in_the_log_and_its_prints_are_not(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    result, log = materialize(home, do="nothing")
    assert result.success
    assert "home home" in log
    assert "a library prints" not in capfd.readouterr().out + "\n".join(log)


def test_the_folder_one_stands_in_gives_the_child_no_code(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pydantic.py").write_text("raise SystemExit('code of a scanned repository ran')")
    monkeypatch.chdir(tmp_path)
    result, log = materialize(home, do="nothing")
    assert result.success, log


def test_errors_of_ours_keep_their_sentence_and_exit_code(home: Path) -> None:
    result, _ = materialize(home, do="refuse")
    assert failure(result) == ("the disk is full: free some space", 5)
    result, _ = materialize(home, do="wait")
    assert failure(result) == ("the Hub did not answer", 75)


def test_a_thread_that_still_waits_for_a_server_keeps_nobody(home: Path) -> None:
    begin = time.monotonic()
    result, _ = materialize(home, do="leave a thread")
    assert failure(result) == ("the server refused", 75)
    assert time.monotonic() - begin < 30


def test_a_bug_keeps_its_traceback(home: Path) -> None:
    result, log = materialize(home, do="stumble")
    assert failure(result) == ("ZeroDivisionError: one by zero", 1)
    assert any("child_step.py" in line for line in log)


def test_a_killed_child_is_told_with_its_last_words(home: Path) -> None:
    result, log = materialize(home, do="die")
    sentence, code = failure(result)
    assert "killed or crashed" in sentence and code == 1
    assert any("out of memory" in line for line in log)


def test_a_child_dies_with_its_parent(home: Path, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = (
        "from tests.assets.test_children import materialize\nfrom pathlib import Path\n"
        f"materialize(Path({str(home)!r}), do='sleep', file={str(mark)!r})"
    )
    parent = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT)
    end = time.monotonic() + 60
    while not (mark.is_file() and mark.read_text()):
        assert time.monotonic() < end and parent.poll() is None
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    child = int(mark.read_text())
    while time.monotonic() < end and _alive(child):
        time.sleep(0.1)
    assert not _alive(child)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
