"""Checkov: infrastructure as code."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from secai_lib.gateways.scan_tree import ScanTree
from secai_lib.gateways.scanner_programs.program import Call, Scanner, all_read

_YAML = re.compile(r"\.(ya?ml|json)$")
_BY_NAME: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("github_actions", re.compile(r"(^|/)\.github/workflows/[^/]+\.ya?ml$")),
    ("dockerfile", re.compile(r"(^|/)(?:[^/]+\.)?[Dd]ockerfile(?:\.[^/]+)?$(?<!ockerignore)")),
    ("terraform", re.compile(r"\.(tf|hcl)$")),
    ("bicep", re.compile(r"\.bicep$")),
    ("gitlab_ci", re.compile(r"(^|/)\.gitlab-ci\.ya?ml$")),
    ("circleci_pipelines", re.compile(r"(^|/)\.circleci/config\.ya?ml$")),
    ("azure_pipelines", re.compile(r"(^|/)azure-pipelines[^/]*\.ya?ml$")),
    ("bitbucket_pipelines", re.compile(r"(^|/)bitbucket-pipelines\.ya?ml$")),
)
_BY_CONTENT: tuple[tuple[str, tuple[bytes, ...]], ...] = (
    ("kubernetes", (b"apiVersion", b"kind")),
    ("argo_workflows", (b"argoproj.io",)),
    ("cloudformation", (b"AWS::", b"Resources")),
    ("arm", (b"deploymentTemplate.json", b"resources")),
    ("ansible", (b"hosts:", b"tasks:")),
    ("openapi", (b"paths", b"openapi")),
    ("openapi", (b"paths", b"swagger")),
)
_ENV = (
    # its default leaves out every manifest as soon as any *parent* folder is hidden, as .secai is
    ("CKV_IGNORE_HIDDEN_DIRECTORIES", "false"),
    ("CKV_IGNORED_DIRECTORIES", ".git,node_modules,.terraform,.serverless"),
    ("LOG_LEVEL", "WARNING"),
    # a check that stumbles (`drop: 240`) ends a thread with an error; a forked process it ends
    # silently, and checkov waits for its answer for ever
    ("CHECKOV_PARALLELIZATION_TYPE", "thread"),
)


def _kinds(tree: ScanTree) -> dict[str, set[str]]:
    """Framework -> the files that call for it.

    helm, kustomize and secrets stay out: the first two start programs, the third prints secrets.
    """
    kinds: dict[str, set[str]] = {}
    for path in tree.files:
        for framework, name in _BY_NAME:
            if name.search(path):
                kinds.setdefault(framework, set()).add(path)
        if _YAML.search(path):
            text = tree.head(path)
            for framework, words in _BY_CONTENT:
                if all(word in text for word in words):
                    kinds.setdefault(framework, set()).add(path)
    return kinds


def _commands(call: Call, files: tuple[str, ...]) -> Iterator[list[str]]:
    # `--directory=X` in one word: given as two, checkov loads X/.checkov.yaml, whose
    # `external-checks-dir` runs Python code of the scanned repository.
    argv = [
        call.program,
        f"--directory={call.tree.root}",
        "-o",
        "json",
        "--quiet",
        "--skip-download",
        "--download-external-modules=false",
        f"--framework={','.join(sorted(_kinds(call.tree)))}",
    ]
    # checkov follows links: each is left out by name
    argv += [f"--skip-path={re.escape(str(call.tree.root / link))}$" for link in call.tree.links]
    if call.separate:
        # these compare resources of several files, so one sub-folder would heal another
        argv.append(
            "--skip-check="
            + ",".join(
                f"CKV2_{kind}_*"
                for kind in ("ADO", "ANSIBLE", "AWS", "AZURE", "GCP", "GIT", "IBM", "K8S", "OCI")
            )
        )
    yield argv


def _merge(reports: Sequence[Any]) -> Any:
    """Checkov's report in a fixed order: it works in parallel and prints what is ready first."""
    report = reports[0]
    kinds = report if isinstance(report, list) else [report]
    for kind in kinds:
        kind.get("results", {}).get("failed_checks", []).sort(key=_order)
    kinds.sort(key=lambda kind: str(kind.get("check_type", "")))
    return report


def _order(check: dict[str, Any]) -> tuple[str, list[int], str, str, str]:
    place = (str(check["file_path"]), list(check.get("file_line_range") or []))
    return *place, str(check["check_id"]), str(check.get("resource")), json.dumps(check)


SCANNER = Scanner(
    tool="checkov",
    place="own",
    file_name="checkov.json",
    cost=6,
    ran=frozenset({0, 1}),
    reads=lambda tree: tuple(sorted(set[str]().union(*_kinds(tree).values()))),
    commands=_commands,
    merge=_merge,
    unread=all_read,
    cwd="root",
    env=_ENV,
    slash=True,
)
