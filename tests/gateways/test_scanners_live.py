"""The real scanners, on small trees: plain, nested, and hostile."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from secai_lib.core.scan import ToolStatus
from secai_lib.gateways.scanner_programs import SCANNERS
from secai_lib.gateways.scanners import ScannerOutput, Scanners

pytestmark = pytest.mark.scanners
HOUSE = Path(__file__).parents[2]
WORKFLOW = """name: ci
on: pull_request_target
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo ${{ github.event.pull_request.title }}
"""
DOCKERFILE = 'FROM ubuntu:latest\nEXPOSE 22\nCMD ["a"]\n'
PYTHON = 'import subprocess\nsubprocess.call("x", shell=True)\nkey = "AKIAIOSFODNN7EXAMPLA"\n'
POD = """apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers: [{name: web, image: "nginx:latest", securityContext: {privileged: true}}]
"""
RULE = """rules:
  - id: python-shell
    languages: [python]
    severity: ERROR
    message: A shell runs this.
    pattern: subprocess.call(..., shell=True)
"""


@pytest.fixture
def ours(tmp_path: Path) -> Scanners:
    rules = tmp_path / "rules" / "semgrep"
    rules.mkdir(parents=True)
    (rules / "python.yaml").write_text(RULE)
    scanners = Scanners(HOUSE / ".secai" / "tools", tmp_path / "rules", timeout_s=300)
    missing = [run.tool for run in scanners.versions().values() if run.status is ToolStatus.ABSENT]
    if missing:
        pytest.skip(f"not installed here: {', '.join(missing)}; run `make setup`")
    return scanners


def write(root: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    return root


def ask(ours: Scanners, tree: Path, *tools: str, separate: bool = False) -> dict[str, Any]:
    outputs = ours.run(tree, tools, separate=separate)
    for output in outputs:
        assert output.run.status is ToolStatus.RAN, output.run
        assert str(tree).encode() not in output.data and b"secai-scan-" not in output.data
    return {output.run.tool: json.loads(output.data) for output in outputs}


def checkov_hits(report: Any) -> set[tuple[str, str]]:
    reports = report if isinstance(report, list) else [report]
    return {
        (check["check_id"], check["repo_file_path"])
        for one in reports
        for check in one["results"]["failed_checks"]
    }


def test_all_five_see_plain_and_nested_files_and_agree_with_themselves(
    ours: Scanners, tmp_path: Path
) -> None:
    # below a hidden, ignored folder of a repository, as our own data are
    project = write(tmp_path / "project", {".gitignore": ".secai/\n", ".semgrepignore": "*\n"})
    git = ["git", "init", "--quiet", str(project)]
    subprocess.run(git, check=True, capture_output=True)
    files = {
        ".github/workflows/ci.yml": WORKFLOW,
        "Dockerfile": DOCKERFILE,
        "app.py": PYTHON,
        "k8s/pod.yaml": POD,
    }
    tree = write(project / ".secai" / "tree", files)
    for variant in ("v0001", "v0002/deeper"):
        write(tree / variant, files)
    reports = ask(ours, tree, *SCANNERS)
    where = {"", "v0001/", "v0002/deeper/"}

    zizmor = {
        (hit["ident"], hit["locations"][0]["symbolic"]["key"]["Local"]["verbatim_path"])
        for hit in reports["zizmor"]
    }
    assert {("template-injection", f"{w}.github/workflows/ci.yml") for w in where} <= zizmor
    assert {("B602", f"./{w}app.py".removeprefix("./")) for w in where} <= {
        (hit["test_id"], hit["filename"].removeprefix("./")) for hit in reports["bandit"]["results"]
    }
    assert {f"{w}app.py" for w in where} == set(reports["detect-secrets"]["results"])
    assert {("python-shell", f"{w}app.py") for w in where} == {
        (hit["check_id"], hit["path"]) for hit in reports["semgrep"]["results"]
    }
    hits = checkov_hits(reports["checkov"])
    for w in where:
        assert ("CKV_DOCKER_1", f"/{w}Dockerfile") in hits
        assert ("CKV_K8S_16", f"/{w}k8s/pod.yaml") in hits
        assert ("CKV2_GHA_1", f"/{w}.github/workflows/ci.yml") in hits

    assert ask(ours, tree, *SCANNERS) == reports


def test_a_clean_tree_is_clean_and_ran(ours: Scanners, tmp_path: Path) -> None:
    tree = write(tmp_path / "tree", {"app.py": "print('hello')\n"})
    reports = ask(ours, tree, "bandit", "detect-secrets", "semgrep")
    assert [len(reports[tool]["results"]) for tool in sorted(reports)] == [0, 0, 0]


def test_no_file_of_the_repository_can_run_code_or_write(ours: Scanners, tmp_path: Path) -> None:
    spoiled = tmp_path / "spoiled"
    bait = f"open({str(spoiled)!r}, 'a').write(__file__)\n"
    tree = write(
        tmp_path / "tree",
        {
            "Dockerfile": DOCKERFILE,
            "app.py": PYTHON,
            ".github/workflows/ci.yml": WORKFLOW,
            ".checkov.yaml": "external-checks-dir: [checks]\nskip-check: [CKV_DOCKER_1]\n",
            ".checkov.yml": "external-checks-dir:\n  - checks\n",
            "checks/__init__.py": bait,
            "checks/evil.py": bait,
            ".bandit": f"[bandit]\noutput = {spoiled}\nskips = B602\nexclude = /\n",
            "sub/.bandit": "[bandit]\n",
            "sitecustomize.py": bait,
            "usercustomize.py": bait,
            "json.py": bait,
            "bandit/__init__.py": bait,
            "detect_secrets/__init__.py": bait,
            "semgrep.py": bait,
            "yaml/__init__.py": bait,
            "conftest.py": bait,
            "setup.py": bait,
            ".semgrep.yml": "rules: [",
            ".secrets.baseline": "{",
            ".git/config": f"[core]\n\tfsmonitor = touch {spoiled}\n\tpager = touch {spoiled}\n",
            ".git/HEAD": "ref: refs/heads/main\n",
        },
    )
    reports = ask(ours, tree, *SCANNERS)
    assert not spoiled.exists()
    assert ("CKV_DOCKER_1", "/Dockerfile") in checkov_hits(reports["checkov"])
    assert "B602" in {hit["test_id"] for hit in reports["bandit"]["results"]}
    assert "python-shell" in {hit["check_id"] for hit in reports["semgrep"]["results"]}


def test_checkov_config_would_run_code_if_it_were_read(ours: Scanners, tmp_path: Path) -> None:
    """The counterpart of the test above: the bait does bite when checkov is called naively."""
    spoiled = tmp_path / "spoiled"
    checks = tmp_path / "tree" / "checks"
    bait = f"open({str(spoiled)!r}, 'a').write('x')\n"
    tree = write(
        tmp_path / "tree",
        {
            "Dockerfile": DOCKERFILE,
            "checks/__init__.py": "",
            "checks/evil.py": bait,
            ".checkov.yaml": f"external-checks-dir:\n  - {checks}\n",
        },
    )
    program = HOUSE / ".secai" / "tools" / "checkov" / "bin" / "checkov"
    argv = [str(program), "-d", str(tree), "--framework", "dockerfile", "--skip-download"]
    subprocess.run(argv, cwd=tmp_path, capture_output=True, check=False, timeout=120)
    assert spoiled.exists()
    spoiled.unlink()
    ask(ours, tree, "checkov")
    assert not spoiled.exists()


def test_links_out_of_the_tree_are_not_read(ours: Scanners, tmp_path: Path) -> None:
    outside = write(
        tmp_path / "outside",
        {
            "Dockerfile": DOCKERFILE,
            "app.py": PYTHON,
            "ci.yml": WORKFLOW,
        },
    )
    tree = write(
        tmp_path / "tree",
        {
            "Dockerfile": DOCKERFILE,
            "app.py": PYTHON,
            ".github/workflows/ci.yml": WORKFLOW,
        },
    )
    (tree / "linked.py").symlink_to(outside / "app.py")
    (tree / "sub").mkdir()
    (tree / "sub" / "Dockerfile").symlink_to(outside / "Dockerfile")
    (tree / ".github" / "workflows" / "linked.yml").symlink_to(outside / "ci.yml")
    (tree / "folder").symlink_to(outside)
    outputs = ours.run(tree, SCANNERS)
    for output in outputs:
        assert output.run.status is ToolStatus.RAN
        assert "4 symbolic links" in output.run.detail
        for name in (b"linked", b"sub/Dockerfile", b"folder/", b"outside"):
            assert name not in output.data, (output.run.tool, name)


def test_zizmor_honours_the_repository_s_own_settings_and_nobody_else_s(
    ours: Scanners, tmp_path: Path
) -> None:
    quiet = "rules:\n  template-injection:\n    disable: true\n"
    write(tmp_path, {"zizmor.yml": quiet, ".github/zizmor.yml": quiet})
    tree = write(tmp_path / "tree", {".github/workflows/ci.yml": WORKFLOW})
    assert "template-injection" in {hit["ident"] for hit in ask(ours, tree, "zizmor")["zizmor"]}
    write(tree, {"zizmor.yml": quiet})
    assert "template-injection" not in {hit["ident"] for hit in ask(ours, tree, "zizmor")["zizmor"]}


def one(ours: Scanners, tree: Path, tool: str) -> ScannerOutput:
    (output,) = ours.run(tree, [tool])
    return output


def test_files_a_scanner_cannot_read_are_named(ours: Scanners, tmp_path: Path) -> None:
    tree = write(
        tmp_path / "tree",
        {
            ".github/workflows/ci.yml": WORKFLOW,
            ".github/workflows/bad.yml": "on: [\n",
            "app.py": PYTHON,
            "bad.py": "def f(:\n",
        },
    )
    zizmor = one(ours, tree, "zizmor")
    assert (zizmor.run.status, zizmor.unread) == (ToolStatus.RAN, (".github/workflows/bad.yml",))
    assert "could not read 1 files: .github/workflows/bad.yml" in zizmor.run.detail
    assert one(ours, tree, "bandit").unread == ("bad.py",)
    (tree / ".github/workflows/ci.yml").unlink()
    assert one(ours, tree, "zizmor").run.status is ToolStatus.FAILED


def test_a_broken_setting_of_the_repository_is_a_failure(ours: Scanners, tmp_path: Path) -> None:
    tree = write(
        tmp_path / "tree", {".github/workflows/ci.yml": WORKFLOW, "zizmor.yml": "rules: []\n"}
    )
    run = one(ours, tree, "zizmor").run
    assert (run.status, "zizmor.yml" in run.detail) == (ToolStatus.FAILED, True)


def test_variants_do_not_heal_each_other(ours: Scanners, tmp_path: Path) -> None:
    policy = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p}\n"
        "spec: {podSelector: {matchLabels: {app: web}}}\n"
    )
    tree = write(tmp_path / "tree", {"a/pod.yaml": POD, "b/pod.yaml": POD, "b/np.yaml": policy})
    hits = checkov_hits(ask(ours, tree, "checkov", separate=True)["checkov"])
    assert not {check for check, _ in hits if check.startswith("CKV2_K8S")}
    assert {("CKV_K8S_16", "/a/pod.yaml"), ("CKV_K8S_16", "/b/pod.yaml")} <= hits


def test_every_scanner_knows_its_version(ours: Scanners) -> None:
    assert all(run.version[:1].isdigit() for run in ours.versions().values())
