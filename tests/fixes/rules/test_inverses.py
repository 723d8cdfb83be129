"""The inverse of each fix rule: where it puts the weakness, where it does not, and the way back."""

from dataclasses import dataclass

import pytest

from secai_lib.fixes.clean import CleanFile
from secai_lib.fixes.edits import apply_edits, inverse
from secai_lib.fixes.honesty import honest
from secai_lib.fixes.rules import RULES
from secai_lib.fixes.variants import Variant, variants
from secai_lib.gateways.seeds import read_seeds

INVERSES = {rule.kind: rule for rule in RULES if rule.weaken}
WORKFLOW = ".github/workflows/ci.yml"
SEEDS = [CleanFile(origin="seed", licence="", path=p, text=t) for p, t in read_seeds().items()]


@dataclass(frozen=True)
class Inverse:
    """A clean text, and what the inverse of `kind` makes of it."""

    kind: str
    path: str
    clean: str
    weak: tuple[str, ...]
    """Pieces that stand in one weak text each, in their order; none: nothing is to be done."""


def job(*lines: str) -> str:
    steps = "".join(f"      {line}\n" for line in lines)
    return f"on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n{steps}"


def pod(spec: str = "", context: str = "", image: str = "x:1") -> str:
    inner = f"      securityContext:\n{context}" if context else ""
    return f"apiVersion: v1\nkind: Pod\nspec:\n{spec}  containers:\n    - name: a\n      image: {image}\n{inner}"  # noqa: E501


def docker(lines: str) -> str:
    return f"FROM debian:12.1\n{lines}\n"


def python(line: str, module: str) -> str:
    return f"import {module}\n\n{line}\n"


def service(lines: str) -> str:
    return f"services:\n  a:\n    image: b\n{lines}"


READ = "permissions:\n  contents: read\n"
CHECKOUT = "- uses: actions/checkout@v4"
GET = "requests.get(u, timeout=3)"
KOTLIN = "fun f() = {}\n"
CASES = [
    Inverse("workflow-permissions", WORKFLOW, READ + job("- run: a"),
            ("on: push", "permissions: write-all\non", "contents: write")),
    Inverse("workflow-permissions", WORKFLOW, job("- run: a"), ()),
    Inverse("workflow-persist-credentials", WORKFLOW,
            job(CHECKOUT, "  with:", "    persist-credentials: false"), ("checkout@v4\n",)),
    Inverse("workflow-persist-credentials", WORKFLOW, job(CHECKOUT), ()),
    Inverse("workflow-persist-credentials", "ci.yml",
            job(CHECKOUT, "  with:", "    persist-credentials: false"), ()),
    Inverse("workflow-insecure-commands", WORKFLOW, job("- run: a"),
            ("COMMANDS: true\njobs", "COMMANDS: true\n    steps", "COMMANDS: true\n        run")),
    Inverse("workflow-insecure-commands", "action.yml", job("- run: a"), ()),
    Inverse("workflow-template-injection", WORKFLOW,
            job("- run: echo \"$T\"", "  env:", "    T: ${{ github.head_ref }}"),
            ('run: echo "${{ github.head_ref }}"\n',)),
    Inverse("workflow-template-injection", WORKFLOW,
            job("- run: echo \"$TOO\"", "  env:", "    T: ${{ github.head_ref }}"), ()),
    Inverse("workflow-template-injection", WORKFLOW,
            job("- run: echo $T", "  shell: cmd", "  env: {T: '${{ github.head_ref }}'}"), ()),
    Inverse("compose-privileged", "compose.yaml", service("    privileged: false\n"),
            ("privileged: true",)),
    Inverse("compose-privileged", "values.yaml", service("    privileged: false\n"), ()),
    Inverse("compose-no-new-privileges", "docker-compose.yml",
            service("    security_opt:\n      - no-new-privileges:true\n"), ("image: b\n",)),
    Inverse("compose-no-new-privileges", "docker-compose.yml",
            service("    security_opt:\n      - label:disable\n"), ()),
    Inverse("compose-port-binding", "compose.yml",
            service('    ports:\n      - "127.0.0.1:80:80"\n'), ('"80:80"', '"0.0.0.0:80:80"')),
    Inverse("compose-port-binding", "compose.yml", service('    ports: ["80:80"]\n'), ()),
    Inverse("dockerfile-add-to-copy", "Dockerfile", docker("COPY a b"), ("ADD a b",)),
    Inverse("dockerfile-add-to-copy", "Dockerfile", docker("COPY --from=x a b\nCOPY a.tgz b"), ()),
    Inverse("dockerfile-apt", "Dockerfile", docker("RUN apt-get update && apt-get install -y a"),
            ("apt update && apt install", "apt update && apt-get install")),
    Inverse("dockerfile-apt", "Dockerfile", docker("RUN dnf install -y apt-get"), ()),
    Inverse("dockerfile-expose-ssh", "Dockerfile", docker("EXPOSE 80"),
            ("EXPOSE 22 80", "EXPOSE 80 22/tcp", "EXPOSE 22\nEXPOSE 80")),
    Inverse("dockerfile-expose-ssh", "Dockerfile", docker("EXPOSE 80\nCMD sshd"), ()),
    Inverse("dockerfile-healthcheck", "Dockerfile", docker("HEALTHCHECK \\\n  CMD a\nCMD b"),
            ("12.1\nCMD b",)),
    Inverse("dockerfile-healthcheck", "Dockerfile", docker("CMD b"), ()),
    Inverse("dockerfile-maintainer", "Dockerfile", docker('LABEL maintainer="A <a@b>"'),
            ("MAINTAINER A <a@b>\n",)),
    Inverse("dockerfile-maintainer", "Dockerfile", docker('LABEL maintainer="$A" b="c"'), ()),
    Inverse("dockerfile-sudo", "Dockerfile", docker("RUN a && b"),
            ("sudo a && b", "a && sudo b")),
    Inverse("dockerfile-sudo", "Dockerfile", docker("USER app\nRUN a"), ()),
    Inverse("dockerfile-user", "Dockerfile", docker("USER app\nCMD a"), ("12.1\nCMD", "USER root")),
    Inverse("dockerfile-user", "Dockerfile", docker("USER root\nCMD a"), ()),
    Inverse("dockerfile-package-signatures", "Dockerfile", docker("RUN apk add a"),
            ("apk add --allow-untrusted a",)),
    Inverse("dockerfile-package-signatures", "Dockerfile", docker("RUN apk update"), ()),
    Inverse("dockerfile-tls-verification", "Dockerfile", docker("RUN curl -f https://a"),
            ("curl -k -f", "curl --insecure -f")),
    Inverse("dockerfile-tls-verification", "Dockerfile", docker("RUN pip freeze"), ()),
    Inverse("dockerfile-workdir", "Dockerfile", docker("WORKDIR /a\nWORKDIR /a/b"),
            ("WORKDIR a\n", "WORKDIR b\n")),
    Inverse("dockerfile-workdir", "Dockerfile", docker("WORKDIR $HOME\nWORKDIR ../x"), ()),
    Inverse("kubernetes-privilege-escalation", "a.yaml",
            pod(context="        allowPrivilegeEscalation: false\n"),
            ("allowPrivilegeEscalation: true", "image: x:1\n")),
    Inverse("kubernetes-privilege-escalation", "a.yaml",
            pod(context="        allowPrivilegeEscalation: {{ .x }}\n"), ()),
    Inverse("kubernetes-drop-capabilities", "a.yaml",
            pod(context="        capabilities:\n          drop: [ALL]\n"),
            ("image: x:1\n", "drop: [SYS_TIME]")),
    Inverse("kubernetes-drop-capabilities", "a.yaml",
            pod(context="        capabilities:\n          drop: [NET_RAW]\n"), ()),
    Inverse("kubernetes-read-only-filesystem", "a.yaml",
            pod(context="        readOnlyRootFilesystem: true\n"),
            ("readOnlyRootFilesystem: false", "image: x:1\n")),
    Inverse("kubernetes-read-only-filesystem", "a.yaml",
            pod(context="        readOnlyRootFilesystem: false\n"), ()),
    Inverse("kubernetes-privileged", "a.yaml", pod(context="        runAsUser: 1\n"),
            ("privileged: true",)),
    Inverse("kubernetes-privileged", "a.yaml", pod(), ()),
    Inverse("kubernetes-run-as-non-root", "a.yaml",
            pod("  securityContext:\n    runAsNonRoot: true\n"),
            ("runAsNonRoot: false", "spec:\n  containers")),
    Inverse("kubernetes-run-as-non-root", "a.yaml",
            pod("  securityContext:\n    runAsNonRoot: true\n    runAsUser: 5\n"), ()),
    Inverse("kubernetes-high-uid", "a.yaml", pod("  securityContext:\n    runAsUser: 10001\n"),
            ("runAsUser: 1000\n", "spec:\n  containers")),
    Inverse("kubernetes-high-uid", "a.yaml", pod("  securityContext:\n    runAsUser: 5\n"), ()),
    Inverse("kubernetes-seccomp", "a.yaml",
            pod("  securityContext: {seccompProfile: {type: RuntimeDefault}}\n"),
            ("type: Unconfined", "spec:\n  containers")),
    Inverse("kubernetes-seccomp", "a.yaml", pod(), ()),
    Inverse("kubernetes-service-account-token", "a.yaml",
            pod("  automountServiceAccountToken: false\n"),
            ("automountServiceAccountToken: true", "spec:\n  containers")),
    Inverse("kubernetes-service-account-token", "a.yaml", pod("  restartPolicy: Never\n"), ()),
    *(Inverse(f"kubernetes-host-{name}", "a.yaml", pod(), (f"{key}: true\n  containers",))
      for name, key in (("pid", "hostPID"), ("ipc", "hostIPC"), ("network", "hostNetwork"))),
    *(Inverse(f"kubernetes-host-{name}", "a.yaml", pod(f"  {key}: true\n"), ())
      for name, key in (("pid", "hostPID"), ("ipc", "hostIPC"), ("network", "hostNetwork"))),
    Inverse("kubernetes-pull-policy", "a.yaml", pod() + "      imagePullPolicy: Always\n",
            ("image: x:1\n", "imagePullPolicy: IfNotPresent")),
    Inverse("kubernetes-pull-policy", "a.yaml",
            pod(image="x@sha256:1") + "      imagePullPolicy: Always\n", ()),
    Inverse("python-flask-debug", "a.py", "app.run(debug=False)\n", ("debug=True",)),
    Inverse("python-flask-debug", "a.py", python("subprocess.run(a)", "subprocess"), ()),
    Inverse("python-random", "a.py", python("x = random.SystemRandom().choice(y)", "random"),
            ("random.choice(y)",)),
    Inverse("python-random", "a.py", python("x = random.choice(y)", "random"), ()),
    Inverse("python-request-timeout", "a.py", python(GET, "requests"),
            ("timeout=None", "requests.get(u)")),
    Inverse("python-request-timeout", "a.py", python("sock.get(u, timeout=3)", "socket"), ()),
    Inverse("python-tempfile", "a.py",
            python("n = tempfile.NamedTemporaryFile(suffix='.x', delete=False).name", "tempfile"),
            ("tempfile.mktemp(suffix='.x')",)),
    Inverse("python-tempfile", "a.py", python("n = tempfile.mkdtemp()", "tempfile"), ()),
    Inverse("python-tls-verify", "a.py", python(GET, "requests"), ("timeout=3, verify=False",)),
    Inverse("python-tls-verify", "a.py", python("requests.Session()", "requests"), ()),
    Inverse("python-weak-hash", "a.py", python("h = hashlib.sha256(b)", "hashlib"),
            ("hashlib.md5(b)", "hashlib.sha1(b)")),
    Inverse("python-weak-hash", "a.py", python("h = hashlib.sha256(password)", "hashlib"), ()),
    Inverse("python-yaml-load", "a.py", python("x = yaml.safe_load(f)", "yaml"),
            ("load(f, Loader=yaml.Loader)", "yaml.UnsafeLoader", "yaml.FullLoader")),
    Inverse("python-yaml-load", "a.py", "from yaml import safe_load\n\nx = safe_load(f)\n", ()),
    Inverse("kotlin-weak-hash", "a.kt", 'val h = MessageDigest.getInstance("SHA-256")\n',
            ('("MD5")', '("SHA-1")')),
    Inverse("kotlin-weak-hash", "a.kt", 'val h = MessageDigest.getInstance("SHA-512")\n', ()),
    Inverse("kotlin-cookie-flags", "a.kt", "fun f() {\n  cookie.secure = true\n}\n",
            ("cookie.secure = false",)),
    Inverse("kotlin-cookie-flags", "a.kt", "fun f() {\n  cookie.secure = isSecure\n}\n", ()),
    Inverse("typescript-cookie-flags", "a.ts",
            'res.cookie("a", b, { secure: true, httpOnly: true });\n',
            ("secure: false, httpOnly: true", "secure: true, httpOnly: false")),
    Inverse("typescript-cookie-flags", "a.ts", "f({ secure: true });\n", ()),
    Inverse("typescript-tls-verify", "a.ts", "f({ rejectUnauthorized: true });\n",
            ("rejectUnauthorized: false",)),
    Inverse("typescript-tls-verify", "a.ts", "f({ ca });\n", ()),
]  # fmt: skip


def weak_texts(kind: str, path: str, text: str) -> list[str]:
    file = CleanFile(origin="o", licence="", path=path, text=text)
    found, _ = variants([file], [INVERSES[kind]])
    return [variant.text for variant in found]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.kind)
def test_the_weakness_goes_where_it_may_and_nowhere_else(case: Inverse) -> None:
    found = weak_texts(case.kind, case.path, case.clean)
    assert len(found) == len(case.weak), found
    for text, piece in zip(found, case.weak, strict=True):
        assert piece in text
        assert text != case.clean


def test_every_inverse_has_a_case_of_both_sorts() -> None:
    for sort in (True, False):
        assert {case.kind for case in CASES if bool(case.weak) is sort} == INVERSES.keys()


@pytest.mark.parametrize("kind", sorted(INVERSES))
def test_the_way_back_is_an_honest_fix(kind: str) -> None:
    """On the seeds: back to the byte, nothing muted, deleted or rewritten beside the place."""
    found, refused = variants(SEEDS, [INVERSES[kind]])
    assert found and not refused
    for variant in found[:3]:
        back = inverse(variant.file.text, variant.weakening.edits)
        assert apply_edits(variant.text, back) == variant.file.text
        said = honest(*_texts(variant), back)
        assert [check.detail for check in said if not check.passed] == []


def _texts(variant: Variant) -> tuple[dict[str, str], dict[str, str]]:
    return {variant.file.path: variant.text}, {variant.file.path: variant.file.text}


def test_line_ends_stay_as_they_are() -> None:
    (first, *_) = weak_texts("dockerfile-expose-ssh", "Dockerfile", "FROM a\r\nEXPOSE 80\r\n")
    assert first == "FROM a\r\nEXPOSE 22 80\r\n"
    (text,) = weak_texts("kubernetes-host-pid", "a.yaml", pod().replace("\n", "\r\n"))
    assert "\n" not in text.replace("\r\n", "")


def test_what_is_shared_through_an_anchor_is_left_alone() -> None:
    shared = "x: &c {allowPrivilegeEscalation: false}\n" + pod() + "      securityContext: *c\n"
    assert weak_texts("kubernetes-privilege-escalation", "a.yaml", shared) == []
