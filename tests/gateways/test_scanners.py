"""Scanners as programs: fakes that crash, hang and babble."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from secai_lib.core.scan import ToolRun, ToolStatus
from secai_lib.gateways.programs import Programs, last_words, scrubbed_env
from secai_lib.gateways.scan_tree import read_tree
from secai_lib.gateways.scanner_programs import SCANNERS
from secai_lib.gateways.scanner_programs.program import ARGV_CHARS, Call, without_clock
from secai_lib.gateways.scanners import Scanners

CLEAN = '{"passed": 0, "failed": 0, "skipped": 0}'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    root.mkdir()
    (root / "Dockerfile").write_text("FROM scratch\n")
    return root


def fake(tmp_path: Path, tool: str, body: str) -> Path:
    """A program that answers `--version` and otherwise runs `body` (shell)."""
    program = tmp_path / "tools" / tool / "bin" / tool
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo 9.9.9 && exit 0\n{body}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def scanners(tmp_path: Path, timeout_s: float = 20) -> Scanners:
    rules = tmp_path / "rules" / "semgrep"
    rules.mkdir(parents=True, exist_ok=True)
    (rules / "r.yaml").write_text("rules: []\n")
    return Scanners(tmp_path / "tools", tmp_path / "rules", timeout_s=timeout_s)


def only(tmp_path: Path, tree: Path, tool: str = "checkov", timeout_s: float = 20) -> ToolRun:
    (output,) = scanners(tmp_path, timeout_s).run(tree, [tool])
    assert output.run.status is ToolStatus.RAN or output.data == b""
    return output.run


def test_a_report_is_taken_with_version_and_without_absolute_paths(
    tmp_path: Path, tree: Path
) -> None:
    body = f"""echo '{{"file_abs_path": "{tree}/Dockerfile", "root": "{tree}"}}'; exit 1"""
    fake(tmp_path, "checkov", body)
    (output,) = scanners(tmp_path).run(tree, ["checkov"])
    assert output.run == ToolRun(tool="checkov", status=ToolStatus.RAN, version="9.9.9")
    assert output.file_name == "checkov.json"
    assert json.loads(output.data) == {"file_abs_path": "/Dockerfile", "root": ""}


def test_a_link_to_the_tree_hides_both_of_its_names(tmp_path: Path, tree: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tree)
    fake(tmp_path, "semgrep", f"""echo '{{"a": "{tree}/x", "b": "{link}/y", "c": "{tree}"}}'""")
    (output,) = scanners(tmp_path).run(link, ["semgrep"])
    assert json.loads(output.data) == {"a": "x", "b": "y", "c": "."}


def test_a_relative_tree_does_not_cut_words_out_of_the_report(
    tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake(tmp_path, "semgrep", """echo '{"a": "a tree/branch"}'""")
    monkeypatch.chdir(tmp_path)
    (output,) = scanners(tmp_path).run(Path("tree"), ["semgrep"])
    assert json.loads(output.data) == {"a": "a tree/branch"}


def test_a_crash_is_a_failure_with_last_words_and_no_path(tmp_path: Path, tree: Path) -> None:
    body = f"echo 'boom: cannot read {tree}/Dockerfile nor /home/joe/secret/key.pem' >&2; exit 2"
    fake(tmp_path, "checkov", body)
    run = only(tmp_path, tree)
    assert run.status is ToolStatus.FAILED
    assert "exit status 2: boom: cannot read Dockerfile nor key.pem" in run.detail
    assert str(tmp_path) not in run.detail and "joe" not in run.detail


@pytest.mark.parametrize("shape", ["7", '"x"', "[1]", '{"results": 3}', "null"])
def test_a_report_of_another_shape_is_a_failure(tmp_path: Path, tree: Path, shape: str) -> None:
    fake(tmp_path, "checkov", f"echo '{shape}'")
    run = only(tmp_path, tree)
    assert (run.status, "another shape" in run.detail) == (ToolStatus.FAILED, True)


def test_the_order_of_a_report_is_fixed(tmp_path: Path, tree: Path) -> None:
    checks = [
        {"check_id": name, "file_path": path, "file_line_range": lines, "resource": "r"}
        for name, path, lines in (("B", "/b", [1, 2]), ("A", "/b", [9, 9]), ("A", "/b", [1, 2]))
    ]
    report = [{"check_type": "z"}, {"check_type": "a", "results": {"failed_checks": checks}}]
    fake(tmp_path, "checkov", f"echo '{json.dumps(report)}'; exit 1")
    (output,) = scanners(tmp_path).run(tree, ["checkov"])
    first, second = json.loads(output.data)
    assert (first["check_type"], second["check_type"]) == ("a", "z")
    assert first["results"]["failed_checks"] == [checks[2], checks[0], checks[1]]


@pytest.mark.parametrize("junk", ["not json", "", '{"cut": ', "[" * 100_000])
def test_junk_is_a_failure_not_zero_findings(tmp_path: Path, tree: Path, junk: str) -> None:
    (tmp_path / "junk").write_text(junk)
    fake(tmp_path, "checkov", f"cat {tmp_path / 'junk'}")
    run = only(tmp_path, tree)
    assert (run.status, "not JSON" in run.detail) == (ToolStatus.FAILED, True)


def test_a_scanner_that_hangs_is_killed_with_its_children(tmp_path: Path, tree: Path) -> None:
    pid = tmp_path / "child.pid"
    fake(tmp_path, "checkov", f"sleep 600 & echo $! > {pid}; wait")
    run = only(tmp_path, tree, timeout_s=1)
    assert run.status is ToolStatus.FAILED
    assert "stopped after 1 s" in run.detail
    assert gone(int(pid.read_text()))


def gone(pid: int) -> bool:
    """True when no process `pid` works any more (a zombie waits for a parent that may be slow)."""
    for _ in range(100_000):
        state = Path(f"/proc/{pid}/stat")
        if sys.platform != "linux":
            ps = subprocess.run(["ps", "-p", str(pid)], check=False, capture_output=True)
            return ps.returncode != 0
        if not state.exists() or state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
    return False


def test_killed_by_a_signal_is_a_failure(tmp_path: Path, tree: Path) -> None:
    fake(tmp_path, "checkov", "kill -9 $$")
    assert "exit status -9" in only(tmp_path, tree).detail


def test_a_program_that_cannot_start_is_a_failure(tmp_path: Path, tree: Path) -> None:
    program = fake(tmp_path, "checkov", "")
    program.write_text("#!/no/such/interpreter\n")
    run = only(tmp_path, tree)
    assert (run.status, "could not be started" in run.detail) == (ToolStatus.FAILED, True)


def test_absent_is_absent_and_says_what_to_do(
    tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    run = only(tmp_path, tree)
    assert run.status is ToolStatus.ABSENT
    assert "`make setup`" in run.detail


def test_semgrep_without_rules_is_absent(tmp_path: Path, tree: Path) -> None:
    fake(tmp_path, "semgrep", "exit 99")
    (output,) = Scanners(tmp_path / "tools", tmp_path / "nowhere").run(tree, ["semgrep"])
    assert (output.run.status, "no rules" in output.run.detail) == (ToolStatus.ABSENT, True)


def test_nothing_to_read_starts_nothing_and_stores_nothing(tmp_path: Path, tree: Path) -> None:
    fake(tmp_path, "checkov", "exit 99")
    (tree / "Dockerfile").rename(tree / "readme.md")
    (output,) = scanners(tmp_path).run(tree, ["checkov"])
    assert (output.run.status, output.data) == (ToolStatus.RAN, b"")
    assert "no file here" in output.run.detail


def test_the_environment_holds_no_token_and_a_home_of_its_own(
    tmp_path: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "HF_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "PYTHONPATH",
        "CKV_FRAMEWORK",
        "BC_API_KEY",
        "SEMGREP_APP_TOKEN",
        "ZIZMOR_CONFIG",
    ):
        monkeypatch.setenv(name, "mine")
    fake(tmp_path, "checkov", f"env > {tmp_path / 'env'}; echo '{CLEAN}'")
    assert only(tmp_path, tree).status is ToolStatus.RAN
    env = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines())
    assert "mine" not in env.values()
    assert env["HOME"] != os.environ["HOME"] and not Path(env["HOME"]).exists()
    assert env["https_proxy"].endswith("127.0.0.1:9")


def test_progress_order_and_slugs(tmp_path: Path, tree: Path) -> None:
    fake(tmp_path, "checkov", f"echo '{CLEAN}'")
    fake(tmp_path, "semgrep", "exit 2")
    heard: list[tuple[str, ToolStatus]] = []
    outputs = scanners(tmp_path).run(
        tree, ["semgrep", "checkov"], lambda tool, run: heard.append((tool, run.status))
    )
    assert [output.run.tool for output in outputs] == ["checkov", "semgrep"]
    assert sorted(heard) == [("checkov", ToolStatus.RAN), ("semgrep", ToolStatus.FAILED)]
    with pytest.raises(KeyError):
        scanners(tmp_path).run(tree, ["nessus"])
    with pytest.raises(NotADirectoryError):
        scanners(tmp_path).run(tmp_path / "absent", ["checkov"])


def test_an_interrupt_kills_every_scanner(tmp_path: Path, tree: Path) -> None:
    pid = tmp_path / "pid"
    fake(tmp_path, "checkov", f"echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 600")
    fake(tmp_path, "semgrep", f"while [ ! -e {pid} ]; do :; done; echo '{{}}'")

    def interrupt(tool: str, run: ToolRun) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scanners(tmp_path, 60).run(tree, ["checkov", "semgrep"], interrupt)
    assert gone(int(pid.read_text()))


def test_a_stopped_group_starts_nothing_more(tmp_path: Path) -> None:
    programs = Programs()
    programs.stop()
    ended = programs.call(["/bin/false"], cwd=tmp_path, env={}, out=tmp_path / "out", timeout_s=5)
    assert ended.exit_code is None


def test_stop_reaches_a_running_program(tmp_path: Path) -> None:
    programs = Programs()
    answers: list[int | None] = []
    env = scrubbed_env(tmp_path)

    def work() -> None:
        argv = ["/bin/sh", "-c", "exec sleep 600"]
        answers.append(
            programs.call(argv, cwd=tmp_path, env=env, out=tmp_path / "o", timeout_s=99).exit_code
        )

    thread = threading.Thread(target=work)
    thread.start()
    while not programs._alive:
        assert thread.is_alive()
    programs.stop()
    thread.join()
    assert answers == [None]


def test_last_words_are_short_one_line_and_harmless() -> None:
    text = last_words("a\n\nTraceback\n\x1b[31mError at /srv/x/y/z.py:3\n" + "w " * 900)
    assert len(text) <= 303 and "\n" not in text and "\x1b" not in text and "/srv" not in text
    assert last_words("see https://example.org/a/b and /srv/k/l.yml") == (
        "see https://example.org/a/b and l.yml"
    )


def test_the_tree_has_no_links_no_git_and_no_odd_names(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text("x")
    (tmp_path / "a" / "b.py").write_text("x")
    (tmp_path / "a" / "odd\nname.py").write_text("x")
    (tmp_path / "passwd").symlink_to("/etc/passwd")
    (tmp_path / "etc").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    tree = read_tree(tmp_path)
    assert (tree.files, tree.links, tree.unnameable) == (("a/b.py",), ("etc", "passwd"), 1)
    assert (tree.head("a/b.py"), tree.head("gone"), tree.size("gone")) == (b"x", b"", 0)


def call_on(tree: Path, separate: bool = False) -> Call:
    return Call("/bin/tool", read_tree(tree), tree, tree, separate, 5)


def test_many_files_become_several_command_lines_and_one_report(tree: Path) -> None:
    files = tuple(f"v{n:05d}/.github/workflows/ci.yml" for n in range(9_000))
    zizmor = SCANNERS["zizmor"]
    commands = list(zizmor.commands(call_on(tree), files))
    assert len(commands) > 1
    assert all(sum(len(word) + 1 for word in argv) < ARGV_CHARS + 1_000 for argv in commands)
    given = [word for argv in commands for word in argv if word.endswith("ci.yml")]
    assert tuple(given) == files
    assert zizmor.merge([[1], [2, 3]]) == [1, 2, 3]


def test_merging_adds_up() -> None:
    part = {"errors": [1], "metrics": {"a": {"loc": 1}, "_totals": {"loc": 1}}, "results": [7]}
    other = {"errors": [], "metrics": {"b": {"loc": 4}, "_totals": {"loc": 4}}, "results": [8]}
    merged = SCANNERS["bandit"].merge([part, other])
    assert merged["metrics"] == {"a": {"loc": 1}, "b": {"loc": 4}, "_totals": {"loc": 5}}
    assert (merged["results"], merged["errors"]) == ([7, 8], [1])
    secrets = SCANNERS["detect-secrets"].merge(
        [{"version": "1", "results": {"a": [1]}}, {"version": "1", "results": {"b": [2]}}]
    )
    assert secrets == {"version": "1", "results": {"a": [1], "b": [2]}}


def test_a_file_name_is_never_an_option(tree: Path) -> None:
    (argv,) = SCANNERS["bandit"].commands(call_on(tree), ("--output=x.py",))
    assert argv[-2:] == ["--", "./--output=x.py"]


def test_the_clock_is_taken_out() -> None:
    report = {"generated_at": "2026-01-02T03:04:05Z", "time": {"total": 0.3}, "results": []}
    assert without_clock(report) == {"generated_at": "1970-01-01T00:00:00Z", "results": []}
    assert without_clock([1]) == [1]


def test_checkov_gets_only_the_frameworks_that_have_files(tree: Path) -> None:
    (tree / "k8s.yaml").write_text("apiVersion: v1\nkind: Pod\n")
    (tree / "values.yaml").write_text("kind: x\n")
    (tree / ".dockerignore").write_text("x\n")
    (tree / "passwd.yml").symlink_to("/etc/passwd")
    files = SCANNERS["checkov"].reads(read_tree(tree))
    assert files == ("Dockerfile", "k8s.yaml")
    (argv,) = SCANNERS["checkov"].commands(call_on(tree, separate=True), files)
    assert "--framework=dockerfile,kubernetes" in argv
    assert any(word.startswith("--skip-path=") and "passwd" in word for word in argv)
    assert any("CKV2_K8S_*" in word for word in argv)
    assert "-d" not in argv and "--directory" not in argv


def test_the_version_is_read_once(tmp_path: Path) -> None:
    fake(tmp_path, "checkov", "")
    ours = scanners(tmp_path)
    first = ours.versions()
    assert first["checkov"].version == "9.9.9"
    assert set(first) == set(SCANNERS)
    assert ours.versions() is first


def test_a_version_in_the_metadata_starts_no_program(tmp_path: Path) -> None:
    program = fake(tmp_path, "checkov", "")
    program.write_text(f"#!/bin/sh\ntouch {tmp_path / 'started'}\n")
    info = program.parent.parent / "lib/python3.11/site-packages/checkov-3.2.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: checkov\nVersion: 3.2.1\n")
    assert scanners(tmp_path).versions()["checkov"].version == "3.2.1"
    assert not (tmp_path / "started").exists()


def test_programs_can_be_terminated_though_our_own_parent_ignored_sigterm(tmp_path: Path) -> None:
    """detect-secrets hung for ever under a shell that ignored SIGTERM."""
    code = (
        "import signal, sys; from pathlib import Path\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "from secai_lib.gateways.programs import Programs\n"
        "ask = 'import signal; print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)'\n"
        "Programs(); import subprocess\n"
        "sys.exit(subprocess.run([sys.executable, '-c', ask]).returncode)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"
