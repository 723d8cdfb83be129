"""The scanners we run ourselves: how each is found, called and understood.

Every one works without a network, reads no setting from our own surroundings and cannot be
made to run code by the repository it scans. What a repository may still decide: `zizmor.yml` at
its root, `.semgrepignore`, and inline comments (`# nosec`, `# checkov:skip`, ...).
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from secai_lib.gateways.scan_tree import ScanTree

ARGV_CHARS = 100_000
"""Characters of file names on one command line; the smallest usual limit is 128 KiB."""
MAX_SECRET_FILE = 5_000_000
"""Bytes; detect-secrets tries dozens of patterns on every line, larger files are data."""
_EPOCH = "1970-01-01T00:00:00Z"


@dataclass(frozen=True)
class Call:
    """What a scanner is asked to do."""

    program: str
    """Absolute path of the program."""
    tree: ScanTree
    """The folder, which is also the working directory unless `cwd` says otherwise."""
    rules_dir: Path
    """Our rules (`<rules_dir>/semgrep`)."""
    home: Path
    """A private folder for this run."""
    separate: bool
    """True when the folder's sub-folders have nothing to do with each other."""
    timeout_s: float
    """Seconds the scanner may take altogether."""


@dataclass(frozen=True)
class Scanner:
    """One scanner."""

    tool: str
    """Slug, program name and name of the distribution on PyPI."""
    place: Literal["beside", "own"]
    """`beside` our own interpreter, or in an environment of its `own` below the tools folder."""
    file_name: str
    """Name of its report."""
    cost: int
    """Seconds on a small repository, roughly; the slowest start first."""
    ran: frozenset[int]
    """Exit codes that mean it did its work."""
    reads: Callable[[ScanTree], tuple[str, ...]]
    """The files it would read; nothing is started when there are none."""
    commands: Callable[[Call, tuple[str, ...]], Iterator[list[str]]]
    """Command lines for those files; several when one would be too long."""
    merge: Callable[[Sequence[Any]], Any]
    """The reports of all command lines as one, in the tool's own format and a fixed order."""
    unread: Callable[[Any, str, tuple[str, ...]], tuple[str, ...]]
    """Files it could not understand, from the report, its log and the files given."""
    cwd: Literal["tree", "root"] = "tree"
    """Where it runs."""
    env: tuple[tuple[str, str], ...] = ()
    """Environment variables of its own."""
    slash: bool = False
    """True when its paths begin with `/`, meaning the scanned folder."""
    size_cap: int = 0
    """Files above this many bytes are not given to it; 0 for no cap."""


def _named(pattern: str) -> Callable[[ScanTree], tuple[str, ...]]:
    regex = re.compile(pattern)
    return lambda tree: tuple(path for path in tree.files if regex.search(path))


def _chunks(files: tuple[str, ...]) -> Iterator[list[str]]:
    chunk: list[str] = []
    used = 0
    for path in files:
        name = f"./{path}" if path.startswith("-") else path
        if chunk and used + len(name.encode()) > ARGV_CHARS:
            yield chunk
            chunk, used = [], 0
        chunk.append(name)
        used += len(name.encode()) + 1
    if chunk:
        yield chunk


# ------------------------------------------------------------------------------ zizmor

_ZIZMOR_CONFIGS = ("zizmor.yml", "zizmor.yaml", ".github/zizmor.yml", ".github/zizmor.yaml")
_COMPLETED = re.compile(r"completed (.+)$", re.MULTILINE)


def _zizmor(call: Call, files: tuple[str, ...]) -> Iterator[list[str]]:
    # Left alone, zizmor looks for zizmor.yml in every parent folder, that is in *our* project.
    own = [name for name in _ZIZMOR_CONFIGS if name in call.tree.files]
    config = ["--config", own[0]] if own and not call.separate else ["--no-config"]
    for chunk in _chunks(files):
        yield [
            call.program,
            "--offline",
            *config,
            "--format",
            "json",
            "--no-progress",
            "--color",
            "never",
            "--no-exit-codes",
            "--",
            *chunk,
        ]


def _zizmor_unread(report: Any, log: str, files: tuple[str, ...]) -> tuple[str, ...]:
    # A workflow that does not parse is left out with a warning that does not name it.
    done = {name.strip().removeprefix("./") for name in _COMPLETED.findall(log)}
    return tuple(path for path in files if path not in done)


# ------------------------------------------------------------------------------ checkov

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


_CHECKOV_ENV = (
    # its default leaves out every manifest as soon as any *parent* folder is hidden, as .secai is
    ("CKV_IGNORE_HIDDEN_DIRECTORIES", "false"),
    ("CKV_IGNORED_DIRECTORIES", ".git,node_modules,.terraform,.serverless"),
    ("LOG_LEVEL", "WARNING"),
)


def _checkov_kinds(tree: ScanTree) -> dict[str, set[str]]:
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


def _checkov(call: Call, files: tuple[str, ...]) -> Iterator[list[str]]:
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
        f"--framework={','.join(sorted(_checkov_kinds(call.tree)))}",
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


# ------------------------------------------------------------------------------ the others


def _bandit(call: Call, files: tuple[str, ...]) -> Iterator[list[str]]:
    # A `.bandit` file of the repository could name an output file to overwrite: ours is empty.
    ini = call.home / "bandit.ini"
    ini.write_text("[bandit]\n", encoding="utf-8")
    for chunk in _chunks(files):
        yield [
            call.program,
            "--quiet",
            "--format",
            "json",
            "--exit-zero",
            "--ini",
            str(ini),
            "--",
            *chunk,
        ]


def _detect_secrets(call: Call, files: tuple[str, ...]) -> Iterator[list[str]]:
    for chunk in _chunks(files):
        yield [call.program, "scan", "--all-files", "--no-verify", "--", *chunk]


def _semgrep(call: Call, files: tuple[str, ...]) -> Iterator[list[str]]:
    # Without a project root of our own, semgrep takes the git repository around the folder and
    # its .semgrepignore and .gitignore, and then scans nothing without a word.
    yield [
        call.program,
        "scan",
        "--json",
        "--quiet",
        "--metrics=off",
        "--disable-version-check",
        "--no-git-ignore",
        "--no-rewrite-rule-ids",
        "--oss-only",
        "--no-autofix",
        "--timeout=20",
        "--jobs=2",
        "--project-root=.",
        f"--config={call.rules_dir / 'semgrep'}",
        ".",
    ]


def _sorted_checkov(reports: Sequence[Any]) -> Any:
    """Checkov's report in a fixed order: it works in parallel and prints what is ready first."""
    report = reports[0]
    kinds = report if isinstance(report, list) else [report]
    for kind in kinds:
        kind.get("results", {}).get("failed_checks", []).sort(key=_checkov_order)
    kinds.sort(key=lambda kind: str(kind.get("check_type", "")))
    return report


def _checkov_order(check: dict[str, Any]) -> tuple[str, list[int], str, str, str]:
    place = (str(check["file_path"]), list(check.get("file_line_range") or []))
    return *place, str(check["check_id"]), str(check.get("resource")), json.dumps(check)


def _merge_lists(reports: Sequence[Any]) -> Any:
    return [item for report in reports for item in report]


def _merge_bandit(reports: Sequence[Any]) -> Any:
    metrics: dict[str, dict[str, int]] = {}
    for report in reports:
        for path, counts in report["metrics"].items():
            sums = metrics.setdefault(path, {})
            for name, count in counts.items():
                sums[name] = sums.get(name, 0) + count
    return {
        "errors": [item for report in reports for item in report["errors"]],
        "generated_at": _EPOCH,
        "metrics": metrics,
        "results": [item for report in reports for item in report["results"]],
    }


def _merge_secrets(reports: Sequence[Any]) -> Any:
    results = {path: found for report in reports for path, found in report["results"].items()}
    return {**reports[0], "results": results}


def _only(reports: Sequence[Any]) -> Any:
    return reports[0]


def _errors_of(key: str) -> Callable[[Any, str, tuple[str, ...]], tuple[str, ...]]:
    def unread(report: Any, log: str, files: tuple[str, ...]) -> tuple[str, ...]:
        errors = report.get("errors", []) if isinstance(report, dict) else []
        paths = {str(error.get(key, "")).removeprefix("./") for error in errors}
        return tuple(sorted(paths & set(files)))

    return unread


def _all_read(report: Any, log: str, files: tuple[str, ...]) -> tuple[str, ...]:
    return ()


def without_clock(report: Any) -> Any:
    """`report` without the time it was made and how long it took: same input, same bytes."""
    if isinstance(report, dict):
        if "generated_at" in report:
            report = {**report, "generated_at": _EPOCH}
        return {key: value for key, value in report.items() if key != "time"}
    return report


SCANNERS: dict[str, Scanner] = {
    scanner.tool: scanner
    for scanner in (
        Scanner(
            "bandit",
            "beside",
            "bandit.json",
            2,
            frozenset({0}),
            _named(r"\.pyw?$"),
            _bandit,
            _merge_bandit,
            _errors_of("filename"),
        ),
        Scanner(
            "checkov",
            "own",
            "checkov.json",
            6,
            frozenset({0, 1}),
            lambda tree: tuple(sorted(set[str]().union(*_checkov_kinds(tree).values()))),
            _checkov,
            _sorted_checkov,
            _all_read,
            cwd="root",
            env=_CHECKOV_ENV,
            slash=True,
        ),
        Scanner(
            "detect-secrets",
            "beside",
            "detect-secrets.json",
            3,
            frozenset({0}),
            _named("."),
            _detect_secrets,
            _merge_secrets,
            _all_read,
            size_cap=MAX_SECRET_FILE,
        ),
        Scanner(
            "semgrep",
            "own",
            "semgrep.json",
            5,
            frozenset({0, 1}),
            _named("."),
            _semgrep,
            _only,
            _errors_of("path"),
        ),
        Scanner(
            "zizmor",
            "beside",
            "zizmor.json",
            1,
            frozenset({0, 3}),
            _named(
                r"(^|/)\.github/workflows/[^/]+\.ya?ml$|(^|/)action\.ya?ml$"
                r"|(^|/)\.github/dependabot\.ya?ml$"
            ),
            _zizmor,
            _merge_lists,
            _zizmor_unread,
        ),
    )
}
"""Slug -> scanner, sorted by slug."""
