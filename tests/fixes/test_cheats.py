# ruff: noqa: E501 - one cheat a line reads better
"""Ways to make a scanner silent without mending anything; none may come out proven."""

from collections.abc import Mapping

import pytest

from secai_lib.core.finding import Finding, Package, Result, VersionRange
from secai_lib.core.fix import Edit, ProofMethod, Proposal, SourceFiles
from secai_lib.fixes.edits import apply_edits
from secai_lib.fixes.honesty import honest
from secai_lib.fixes.peers import Peers
from secai_lib.fixes.region import in_place
from secai_lib.fixes.rule import FixRule
from tests.fakes.records import make_finding
from tests.fakes.rescanner import FakeFiles, FakeRescanner, fake_result, lines_with
from tests.fixes.test_prove import run

WORKFLOW = """\
on:
  pull_request_target:
  push:
permissions: write-all
jobs:
  build:
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: |
          make all
          curl https://x.example/${{ github.head_ref }} | sh
          make install
      - run: echo done
  other:
    runs-on: ubuntu-24.04
    steps:
      - run: echo other
"""
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  replicas: 2
  template:
    spec:
      containers:
        - name: shop
          image: example.org/shop:1
          securityContext:
            privileged: true
"""
DOCKERFILE = """\
FROM debian:12.1
RUN curl -k https://x.example/a -o /a && sh /a
RUN make
ADD a.jar /a.jar
CMD ["/a"]
"""
PYTHON = """\
import os
import subprocess


def build(name):
    if not name:
        raise ValueError(name)
    subprocess.call("make " + name, shell=True)
    return os.getcwd()


def clean(name):
    return name.strip()
"""
TEXTS = {".github/workflows/w.yml": WORKFLOW, "deploy.yaml": MANIFEST, "Dockerfile": DOCKERFILE,
         "build.py": PYTHON}  # fmt: skip


def edit(path: str, old: str, new: str) -> Edit:
    start = TEXTS[path].index(old)
    return Edit(path=path, start=start, end=start + len(old), replacement=new)


def failed(*edits: Edit) -> set[str]:
    base = {one.path: TEXTS[one.path] for one in edits}
    fixed = {p: apply_edits(t, [e for e in edits if e.path == p]) for p, t in base.items()}
    return {check.name for check in honest(base, fixed, edits) if not check.passed}


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        (".github/workflows/w.yml", "v4\n", "v4 # zizmor: ignore[unpinned-uses]\n"),
        (".github/workflows/w.yml", "echo other\n", "echo other # zizmor: ignore[x]\n"),
        ("build.py", "shell=True)", "shell=True)  # nosec B602"),
        ("build.py", "shell=True)", "shell=True)  # nosem"),
        ("build.py", "import os\n", "import os  # nosemgrep\n"),
        ("build.py", "import os\n", "# pragma: allowlist nextline secret\nimport os\n"),
        ("Dockerfile", "RUN make\n", "#checkov:skip=CKV2_DOCKER_2:known\nRUN make\n"),
        ("Dockerfile", "RUN make\n", "# hadolint global ignore=DL3008\nRUN make\n"),
        ("deploy.yaml", "  name: shop\n",
         "  name: shop\n  annotations:\n    checkov.io/skip1: CKV_K8S_16=known\n"),
        ("deploy.yaml", "  name: shop\n",
         '  name: shop\n  annotations:\n    "checkov\\x2eio/sk\\x69p1": CKV_K8S_16=known\n'),
    ],
)  # fmt: skip
def test_muting_is_seen_wherever_it_stands(path: str, old: str, new: str) -> None:
    assert "not_suppressed" in failed(edit(path, old, new))


def test_a_muting_comment_cannot_move_or_widen() -> None:
    base = "a = 1  # nosec B101\nb = 2\n"
    for fixed in ("a = 1\nb = 2  # nosec B101\n", "a = 1  # nosec\nb = 2\n"):
        edits = [
            Edit(path="x.py", start=5, end=19, replacement=fixed[5 : fixed.index("\n")]),
            Edit(path="x.py", start=25, end=25, replacement=fixed[:-1].partition("b = 2")[2]),
        ]
        assert apply_edits(base, edits) == fixed
        checks = honest({"x.py": base}, {"x.py": fixed}, edits)
        assert not next(c for c in checks if c.name == "not_suppressed").passed


@pytest.mark.parametrize(
    "name",
    [".semgrepignore", ".trivyignore.yaml", "sub/.bandit", ".github/zizmor.yml", ".gitignore",
     ".checkov.yaml", ".secrets.baseline"],
)  # fmt: skip
def test_settings_of_scanners_are_no_place_for_a_fix(name: str) -> None:
    made = Edit(path=name, start=0, end=0, replacement="build.py\n")
    checks = honest({name: "x\n"}, {name: "build.py\nx\n"}, [made])
    assert not next(c for c in checks if c.name == "not_suppressed").passed


def test_settings_inside_another_file_are_seen() -> None:
    new = '\n[tool.bandit]\nskips = ["B602"]\n'
    made = Edit(path="pyproject.toml", start=0, end=0, replacement=new)
    checks = honest({"pyproject.toml": ""}, {"pyproject.toml": new}, [made])
    assert not next(c for c in checks if c.name == "not_suppressed").passed


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("build.py", '    subprocess.call("make " + name, shell=True)\n', ""),
        ("build.py", '    subprocess.call("make " + name, shell=True)\n', "    pass\n"),
        ("build.py", "    subprocess.call", "    # subprocess.call"),
        ("build.py", "    if not name:\n        raise ValueError(name)\n", ""),
        ("Dockerfile", "RUN curl -k https://x.example/a -o /a && sh /a\n", ""),
        ("Dockerfile", "curl -k https://x.example/a -o /a && sh /a", "true"),
        ("Dockerfile", "RUN make\n", "# RUN make\n"),
        ("Dockerfile", "ADD a.jar /a.jar\n", ""),
        ("Dockerfile", "CMD", "FROM scratch\nCMD"),
        (".github/workflows/w.yml", "      - uses: actions/checkout@v4\n", ""),
        (".github/workflows/w.yml", "      - uses", "      # - uses"),
        (".github/workflows/w.yml", "uses: actions/checkout@v4", "uses: evil/checkout@v4"),
        (".github/workflows/w.yml", "  pull_request_target:\n", ""),
        (".github/workflows/w.yml", "          curl https://x.example/${{ github.head_ref }} | sh\n",
         ""),
        (".github/workflows/w.yml", "          curl https", "          # curl https"),
        (".github/workflows/w.yml", "      - run: echo done", "      - if: false\n        run: echo done"),
        (".github/workflows/w.yml", "jobs:", "jobs_off:"),
        ("deploy.yaml", "kind: Deployment", "kind: ConfigMap"),
        ("deploy.yaml", "apiVersion: apps/v1\n", ""),
        ("deploy.yaml", "replicas: 2", "replicas: 0"),
        ("deploy.yaml", "image: example.org/shop:1", "image: example.com/other:1"),
        ("deploy.yaml", MANIFEST[MANIFEST.index("      containers") :], "      containers: []\n"),
        ("deploy.yaml", "kind: Deployment", "kind: [Deployment"),
    ],
)  # fmt: skip
def test_taking_the_weak_thing_away_is_seen(path: str, old: str, new: str) -> None:
    assert failed(edit(path, old, new)) & {"not_deleted", "syntax", "behaviour"}


def stray(target: Result, *edits: Edit) -> bool:
    base = {one.path: TEXTS[one.path] for one in edits}
    fixed = {p: apply_edits(t, [e for e in edits if e.path == p]) for p, t in base.items()}
    return not in_place(target, base, fixed, edits).passed


def test_another_file_or_block_is_out_of_bounds() -> None:
    code = fake_result("bandit", "B602", "build.py", 8)
    assert not stray(code, edit("build.py", "shell=True", "shell=False"))
    assert not stray(code, edit("build.py", "import os\n", "import os\nimport shlex\n"))
    assert stray(code, edit("build.py", "name.strip()", "name"))
    assert stray(code, edit("Dockerfile", "RUN make", "RUN make x"))
    path = ".github/workflows/w.yml"
    step = fake_result("zizmor", "template-injection", path, 12)
    assert not stray(step, edit(path, "      - run: |\n", "      - env: {A: b}\n        run: |\n"))
    assert not stray(step, edit(path, "permissions: write-all", "permissions: {}"))
    assert stray(step, edit(path, "echo other", "echo more"))


def cheat(*edits: Edit, method: ProofMethod = ProofMethod.RESCAN) -> FixRule:
    def propose(found: Finding, peers: Peers, files: SourceFiles) -> tuple[Proposal, ...]:
        return (Proposal(kind="toy", title="Cheat", explanation="", edits=edits),)

    handles = {"bandit": ("bad",), "trivy": ("CVE-*",)}
    return FixRule("toy", "Toy", "", handles, propose, method=method)


def test_a_weakness_moved_to_another_file_is_refuted() -> None:
    texts = {"a.conf": "x = bad\ny = 1\n", "b.conf": "x = good\n"}
    rule = cheat(
        Edit(path="a.conf", start=4, end=7, replacement="good"),
        Edit(path="b.conf", start=4, end=8, replacement="bad"),
    )
    scanner = FakeRescanner({"bandit": {"bad": lines_with("bad")}})
    outcome = run(rule, scanner, fake_result("bandit", "bad", "a.conf", 1), texts=texts)
    (tried,) = outcome.attempts
    assert {"in_place", "nothing_new"} <= {c.name for c in tried.certificate.checks if not c.passed}


REQUIREMENTS = "flask==2.2.2\nrequests==2.25.1\n"


def flask(path: str = "requirements.txt") -> Result:
    package = Package(ecosystem="pypi", name="flask", version="2.2.2",
                      ranges=(VersionRange(introduced="0", fixed="2.2.5"),))  # fmt: skip
    return fake_result("trivy", "CVE-1", path, 1).model_copy(update={"package": package})


@pytest.mark.parametrize(
    ("start", "end", "new", "proven"),
    [
        (7, 12, "2.2.5", True),
        (12, 12, "  # 2.2.5", False),
        (0, 0, "# flask==2.2.5\n", False),
        (0, 12, "# flask 2.2.5", False),
        (13, 13, "flask-x==2.2.5\n", False),
    ],
)
def test_a_version_counts_only_where_the_build_reads_it(
    start: int, end: int, new: str, proven: bool
) -> None:
    made = Edit(path="requirements.txt", start=start, end=end, replacement=new)
    texts = {"requirements.txt": REQUIREMENTS}
    outcome = run(cheat(made, method=ProofMethod.ADVISORY), FakeRescanner({"bandit": {}}), flask(),
                  texts=texts)  # fmt: skip
    assert bool(outcome.fixes) is proven


def versions(texts: Mapping[str, str], *findings: Finding) -> dict[str, bool]:
    """Title -> in the patch, checked against the combined text."""
    from secai_lib.fixes.prove import make_fixes
    from secai_lib.fixes.rules import RULES
    from tests.fixes.test_prove import problem

    outcome = make_fixes(
        [problem(one) for one in findings], findings, FakeFiles(texts),
        FakeRescanner({"bandit": {}}), repository="acme/shop", commit="c" * 40, rules=RULES,
    )  # fmt: skip
    for fix in outcome.fixes:
        package = fix.certificate.finding.package
        assert package is not None
        wanted = fix.proposal.title.rpartition(" ")[2]
        whole = "".join({**texts, **outcome.combined}.values())
        assert not fix.in_patch or wanted in whole, fix.proposal.title
        assert fix.in_patch or fix.id in outcome.left_out
    return {fix.proposal.title: fix.in_patch for fix in outcome.fixes}


def advisory(ecosystem: str, name: str, version: str, fixed: str, path: str, rule: str) -> Finding:
    package = Package(ecosystem=ecosystem, name=name, version=version, fixed_versions=(fixed,),
                      ranges=(VersionRange(introduced="0", fixed=fixed),))  # fmt: skip
    result = fake_result("osv-scanner", rule, path, 1).model_copy(update={"package": package})
    return make_finding(fingerprint=f"{name}{rule}", repository="acme/shop", result=result)


def test_two_advisories_that_share_a_gradle_variable_agree_on_one_version() -> None:
    build = (
        'val k = "2.3.7"\ndependencies {\n  implementation("io.ktor:a:$k")\n'
        '  implementation("io.ktor:b:$k")\n}\n'
    )
    done = versions(
        {"build.gradle.kts": build},
        advisory("maven", "io.ktor:a", "2.3.7", "2.3.8", "build.gradle.kts", "GHSA-1"),
        advisory("maven", "io.ktor:b", "2.3.7", "2.3.13", "build.gradle.kts", "GHSA-2"),
    )
    assert done == {
        "Update io.ktor:a from 2.3.7 to 2.3.13": True,
        "Update io.ktor:b from 2.3.7 to 2.3.13": True,
    }


def test_advisories_of_one_package_and_of_two_ecosystems_are_all_in_the_text() -> None:
    done = versions(
        {"requirements.txt": REQUIREMENTS, "package.json": '{"dependencies": {"flask": "1.0.0"}}'},
        advisory("pypi", "flask", "2.2.2", "2.2.4", "requirements.txt", "GHSA-1"),
        advisory("pypi", "flask", "2.2.2", "2.2.5", "requirements.txt", "GHSA-2"),
        advisory("npm", "flask", "1.0.0", "1.0.1", "package.json", "GHSA-3"),
    )
    assert done == {
        "Update flask from 2.2.2 to 2.2.5": True,
        "Update flask from 1.0.0 to 1.0.1": True,
    }
