# ruff: noqa: E501 - whole files on one line read better as a table
"""Weak files, one per kind of fix: what must be in the fixed file and what must be gone."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """A file with a weakness."""

    kind: str
    tool: str
    rule: str
    path: str
    text: str
    at: str
    """Text of the line that the scanner names (for the tests without a scanner)."""
    has: tuple[str, ...]
    """What the fixed file holds."""
    gone: tuple[str, ...] = ()
    """What it no longer holds."""
    to: str = ""
    """Text of the last line that the scanner names; empty for the same line."""

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.rule}"


def docker(rule: str, kind: str, text: str, at: str, *has: str, gone: tuple[str, ...] = ()) -> Case:
    return Case(kind, "checkov", rule, "Dockerfile", text, at, has, gone)


USER = "USER app\n"
JAR = "COPY app.jar /app/app.jar\n"
CMD = 'CMD ["java", "-jar", "/app/app.jar"]\n'
CHECK = "HEALTHCHECK CMD true\n"
RUNS = "FROM debian:12.1\nRUN {}\nUSER app\nHEALTHCHECK CMD true\n"


def run(rule: str, kind: str, command: str, fixed: str, gone: str) -> Case:
    return docker(rule, kind, RUNS.format(command), command.split("\n")[0], fixed, gone=(gone,))


TLS, SIGNED = "dockerfile-tls-verification", "dockerfile-package-signatures"

DOCKER = [
    docker("CKV_DOCKER_3", "dockerfile-user",
           f"FROM eclipse-temurin:21-jre-noble\n{JAR}EXPOSE 8080\n{CHECK}# start\n{CMD}", "FROM",
           "useradd --system --gid app --create-home app\nUSER app\n# start\nCMD"),
    docker("CKV_DOCKER_3", "dockerfile-user",
           f"FROM gradle:8.5 AS build\nRUN gradle build\nFROM alpine:3.20\n{JAR}{CHECK}ENTRYPOINT x",
           "FROM", "RUN addgroup -S app && adduser -S -G app app\nUSER app\nENTRYPOINT x"),
    docker("CKV_DOCKER_3", "dockerfile-user",
           f"FROM gcr.io/distroless/java21-debian12:latest\n{JAR}{CHECK}{CMD}", "FROM",
           "USER nonroot\nCMD", gone=("adduser",)),
    docker("CKV_DOCKER_3", "dockerfile-user",
           f"FROM node:20-slim\nCOPY . /app\n{CHECK}CMD [\"node\", \"/app/x.js\"]\n", "FROM",
           "USER node\nCMD", gone=("useradd",)),
    docker("CKV_DOCKER_3", "dockerfile-user",
           f"FROM debian:12.1\nRUN useradd -u 1001 web\n{JAR}{CHECK}{CMD}", "FROM", "USER web\nCMD"),
    docker("CKV_DOCKER_8", "dockerfile-user",
           f"FROM python:3.12-slim\nUSER 1000:1000\nUSER root\nRUN apt-get update\n{CHECK}{CMD}",
           "USER root", "USER 1000:1000\nCMD"),
    docker("CKV_DOCKER_3", "dockerfile-user",
           "FROM debian:12.1\r\nEXPOSE 8080\r\nHEALTHCHECK CMD true\r\nRUN a \\\r\n  && b\r\nCMD x",
           "FROM", "app\r\nUSER app\r\nCMD x"),
    docker("CKV_DOCKER_2", "dockerfile-healthcheck",
           f"FROM python:3.12-slim\nEXPOSE 8000\n{USER}CMD [\"python\", \"/x.py\"]\n", "FROM",
           "socket.create_connection(('127.0.0.1', 8000), 2)"),
    docker("CKV_DOCKER_2", "dockerfile-healthcheck",
           f"FROM alpine:3.20\nEXPOSE 8080/tcp\n{USER}CMD x\n", "FROM",
           'CMD ["nc", "-z", "127.0.0.1", "8080"]'),
    docker("CKV_DOCKER_3", "dockerfile-user",
           f"FROM ubuntu:24.04\nEXPOSE 22 8080\n{CHECK}{CMD}", "FROM", "USER app\nCMD"),
    docker("CKV_DOCKER_2", "dockerfile-healthcheck",
           f"FROM node:20\nEXPOSE 22 8080\n{USER}{CMD}", "FROM", "net').connect(8080, '127.0.0.1')"),
    docker("CKV_DOCKER_2", "dockerfile-healthcheck",
           f"FROM eclipse-temurin:21\nEXPOSE 8080\n{USER}{CMD}", "FROM",
           '["bash", "-c", "</dev/tcp/127.0.0.1/8080"]\nUSER'),
    docker("CKV_DOCKER_4", "dockerfile-add-to-copy",
           f"FROM debian:12.1\nADD --chown=app:app src/ /app/\nADD x.jar /y.jar\n{USER}{CHECK}",
           "ADD --chown", "COPY --chown=app:app src/ /app/", "COPY x.jar", gone=("ADD",)),
    docker("CKV_DOCKER_1", "dockerfile-expose-ssh",
           f"FROM debian:12.1\nEXPOSE 8080 22/tcp 9090\nEXPOSE 22\n{USER}{CHECK}", "EXPOSE 8080",
           "EXPOSE 8080 9090\nUSER", gone=("22",)),
    docker("CKV_DOCKER_6", "dockerfile-maintainer",
           f"FROM debian:12.1\nMAINTAINER Ann <a@b.org>\n{USER}{CHECK}", "MAINTAINER",
           'LABEL maintainer="Ann <a@b.org>"'),
    docker("CKV_DOCKER_10", "dockerfile-workdir",
           f"FROM debian:12.1\nWORKDIR /srv\nWORKDIR app\n{USER}{CHECK}", "WORKDIR app",
           "WORKDIR /srv/app"),
    run("CKV_DOCKER_9", "dockerfile-apt", "set -e; \\\n  apt update && apt install -y curl",
        "apt-get update && apt-get install -y curl", " apt "),
    run("CKV2_DOCKER_1", "dockerfile-sudo", "sudo apt-get update && sudo make install",
        "RUN apt-get update && make install", "sudo"),
    run("CKV2_DOCKER_2", TLS, "curl -fsSLk https://x.org/a -o a", "curl -fsSL https", "SLk"),
    run("CKV2_DOCKER_2", TLS, "curl \\\n    --insecure \\\n    https://x.org/a", "curl \\\n    https",
        "--insecure"),
    run("CKV2_DOCKER_3", TLS, "wget --no-check-certificate https://x.org", "wget https://x", "--no"),
    run("CKV2_DOCKER_4", TLS, "pip install --trusted-host x.org flask==3.0", "install flask", "trust"),
    run("CKV2_DOCKER_4", TLS, "pip install --trusted-host=x.org flask==3.0", "install flask", "trust"),
    run("CKV2_DOCKER_13", TLS, "npm config set strict-ssl false && npm ci", "strict-ssl true &&",
        "false"),
    run("CKV2_DOCKER_15", TLS, "yum-config-manager --setopt=sslverify=0", "sslverify=1", "=0"),
    run("CKV2_DOCKER_6", TLS, "NODE_TLS_REJECT_UNAUTHORIZED=0 npm ci",
        "NODE_TLS_REJECT_UNAUTHORIZED=1 npm", "=0"),
    run("CKV2_DOCKER_14", TLS, "GIT_SSL_NO_VERIFY=1 git clone https://x.org/a.git",
        "RUN git clone", "NO_VERIFY"),
    docker("CKV2_DOCKER_5", TLS, f"FROM debian:12.1\nENV A=1 PYTHONHTTPSVERIFY=\"0\"\n{USER}{CHECK}",
           "ENV A", "ENV A=1 PYTHONHTTPSVERIFY=1"),
    docker("CKV2_DOCKER_12", TLS, f"FROM debian:12.1\nENV NPM_CONFIG_STRICT_SSL false\n{USER}{CHECK}",
           "ENV NPM", "ENV NPM_CONFIG_STRICT_SSL true"),
    docker("CKV2_DOCKER_16", TLS,
           f"FROM debian:12.1\nENV A=1 PIP_TRUSTED_HOST=x.org B=2\n{USER}{CHECK}", "ENV A",
           "ENV A=1 B=2\n"),
    run("CKV2_DOCKER_8", SIGNED, "apt-get install -y --allow-unauthenticated curl",
        "apt-get install -y curl", "--allow"),
    run("CKV2_DOCKER_11", SIGNED, "apt-get install --force-yes curl", "install --yes curl", "force"),
    run("CKV2_DOCKER_7", SIGNED, "apk add --allow-untrusted curl", "apk add curl", "--allow"),
    run("CKV2_DOCKER_9", SIGNED, "dnf install -y --nogpgcheck curl", "dnf install -y curl", "--no"),
    run("CKV2_DOCKER_10", SIGNED, "rpm -i --nosignature --nodigest curl", "rpm -i curl", "--no"),
]  # fmt: skip

POD = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: shop
spec:
  selector:
    matchLabels: {app: shop}
  template:
    metadata:
      labels: {app: shop}
    spec:
%s      containers:
        - name: shop  # the server
          image: shop:1.0
%s        - name: side
          image: side:1.0
%s"""


def pod(rule: str, kind: str, has: str, above: str = "", first: str = "", second: str = "",
        gone: tuple[str, ...] = ()) -> Case:  # fmt: skip
    text = POD % (above, first, second)
    return Case(
        kind, "checkov", rule, "k8s/shop.yaml", text, "apiVersion", (has,), gone, "side:1.0"
    )


CONTEXT = "          securityContext:\n            runAsUser: 5\n"
ESCALATION = "kubernetes-privilege-escalation"
DROP = "kubernetes-drop-capabilities"
KUBERNETES = [
    pod("CKV_K8S_20", ESCALATION,
        "side:1.0\n          securityContext:\n            allowPrivilegeEscalation: false\n"),
    pod("CKV_K8S_20", ESCALATION, "runAsUser: 5\n            allowPrivilegeEscalation: false\n",
        first=CONTEXT),
    pod("CKV_K8S_30", ESCALATION, "securityContext:\n            allowPrivilegeEscalation: false"),
    pod("CKV_K8S_28", DROP, "capabilities:\n              drop:\n                - ALL"),
    pod("CKV_K8S_37", DROP, "drop: [NET_RAW, ALL]",
        first="          securityContext:\n            capabilities: {drop: [NET_RAW]}\n"),
    pod("CKV_K8S_22", "kubernetes-read-only-filesystem", "readOnlyRootFilesystem: true"),
    pod("CKV_K8S_16", "kubernetes-privileged", "privileged: false",
        first="          securityContext:\n            privileged: true\n",
        gone=("privileged: true", "side:1.0\n          securityContext")),
    pod("CKV_K8S_22", "kubernetes-read-only-filesystem", "privileged: true\n            readOnlyRoot",
        first="          securityContext:\n            privileged: true\n"),
    pod("CKV_K8S_30", ESCALATION, "side:1.0\n          securityContext:\n            allowPriv",
        first="          securityContext:\n            privileged: true\n",
        gone=("privileged: true\n            allow",)),
    pod("CKV_K8S_23", "kubernetes-run-as-non-root", "      securityContext:\n        runAsNonRoot: true"),
    pod("CKV_K8S_40", "kubernetes-high-uid", "runAsUser: 10001\n        fsGroup: 5",
        above="      securityContext:\n        runAsUser: 101\n        fsGroup: 5\n"),
    pod("CKV_K8S_31", "kubernetes-seccomp", "seccompProfile:\n          type: RuntimeDefault"),
    pod("CKV_K8S_29", "kubernetes-seccomp", "seccompProfile:\n          type: RuntimeDefault"),
    pod("CKV_K8S_38", "kubernetes-service-account-token", "      automountServiceAccountToken: false"),
    pod("CKV_K8S_17", "kubernetes-host-pid", "hostPID: false", above="      hostPID: true\n"),
    pod("CKV_K8S_18", "kubernetes-host-ipc", "hostIPC: false", above="      hostIPC: true\n"),
    pod("CKV_K8S_19", "kubernetes-host-network", "hostNetwork: false",
        above="      hostNetwork: true\n"),
    pod("CKV_K8S_15", "kubernetes-pull-policy", "imagePullPolicy: Always",
        first="          imagePullPolicy: IfNotPresent\n", gone=("IfNotPresent",)),
]  # fmt: skip


def python(rule: str, kind: str, text: str, at: str, *has: str, to: str = "") -> Case:
    return Case(kind, "bandit", rule, "tool/app.py", text, at, has, to=to)


PYTHON = [
    python("B506", "python-yaml-load",
           "import yaml\n\n\ndef read(ü):\n    return 'ü', yaml.load(ü, Loader=yaml.Loader)\n",
           "return", "'ü', yaml.safe_load(ü)\n"),
    python("B506", "python-yaml-load", "import yaml as y\n\nDATA = y.load(\n    open('x'),\n    y.FullLoader,\n)\n",
           "DATA", "y.safe_load(\n    open('x'),\n)"),
    python("B501", "python-tls-verify", "import requests\nrequests.get('https://x', verify=False, timeout=3)\n",
           "requests.get", "verify=True, timeout=3"),
    python("B113", "python-request-timeout", "import requests\nrequests.get(\n    'https://x',\n    params={},\n)\n",
           "requests.get", "    params={},\n    timeout=30,\n)"),
    python("B113", "python-request-timeout", "import requests\nrequests.get('https://x', timeout=None)\n",
           "requests.get", "'https://x', timeout=30)"),
    python("B324", "python-weak-hash", "import hashlib\n\n\ndef sign(data):\n    return hashlib.md5(data).hexdigest()\n",
           "return", "hashlib.sha256(data)"),
    python("B324", "python-weak-hash", "import hashlib\n\n\ndef etag(data):\n    return hashlib.sha1(data).hexdigest()\n",
           "return", "hashlib.sha1(data, usedforsecurity=False)"),
    python("B324", "python-weak-hash", "import hashlib\nX = hashlib.new('md5', b'')\n", "X =",
           'hashlib.new("sha256", b\'\')'),
    python("B306", "python-tempfile", "import tempfile\nNAME = tempfile.mktemp(suffix='.x')\n", "NAME",
           "tempfile.NamedTemporaryFile(suffix='.x', delete=False).name\n"),
    python("B306", "python-tempfile", "import tempfile\nNAME = tempfile.mktemp()\n", "NAME",
           "tempfile.NamedTemporaryFile(delete=False).name\n"),
    python("B201", "python-flask-debug", "from flask import Flask\n\napp = Flask(__name__)\napp.run(port=1, debug=True)\n",
           "app.run", "app.run(port=1, debug=False)"),
    python("B311", "python-random", "import random\n\nTOKEN = random.choice('abc') + str(random.randint(1, 2))\n",
           "TOKEN", "random.SystemRandom().choice('abc') + str(random.SystemRandom().randint(1, 2))"),
]  # fmt: skip

SHELL = python("B602", "python-shell", "import subprocess\nsubprocess.run('ls -la \"a b\"', shell=True, check=True)\n",
               "subprocess.run", '["ls", "-la", "a b"], check=True)')  # fmt: skip


def own(rule: str, kind: str, path: str, text: str, at: str, *has: str, to: str = "",
        gone: tuple[str, ...] = ()) -> Case:  # fmt: skip
    return Case(kind, "semgrep", f"secai.{rule}", path, text, at, has, gone, to)


MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<manifest xmlns:android="http://schemas.android.com/apk/res/android">
    <application
        android:label="é"
        android:allowBackup="true"
        android:debuggable="true"
        android:usesCleartextTraffic="true">
        <receiver android:name=".R" android:exported="true" />
        <activity android:name=".A" android:exported="true" />
    </application>
</manifest>
"""
SERVICES = """services:
  shop:
    image: shop:1.0
    privileged: true
    ports:
      - "8080:8080"  # the shop
      - 0.0.0.0:9090:90/tcp
  db:
    image: db:1.0
    security_opt: [seccomp:unconfined]
"""
OWN = [
    own("kotlin.insecure-random", "kotlin-random", "src/Token.kt",
        "package x\n\nimport java.util.Random\nimport java.util.UUID\n\nfun newToken(): String {\n"
        "    val r: Int = Random().nextInt()\n    return r.toString()\n}\n", "Random()",
        "import java.security.SecureRandom\nimport java.util.UUID", "SecureRandom().nextInt()",
        gone=("java.util.Random",)),
    own("kotlin.insecure-random", "kotlin-random", "src/Code.kt",
        "package x\n\nimport kotlin.random.Random\n\nfun otpCode(): String {\n"
        "    return Random.nextInt(100000, 999999).toString()\n}\nval dice = Random.nextInt(6)\n",
        "Random.nextInt(1", "SecureRandom().asKotlinRandom().nextInt(100000",
        "import kotlin.random.asKotlinRandom", "import java.security.SecureRandom",
        "dice = Random.nextInt", "import kotlin.random.Random\n"),
    own("kotlin.weak-hash", "kotlin-weak-hash", "src/Hash.kt",
        "import java.security.MessageDigest\n\nfun sum(b: ByteArray) = MessageDigest.getInstance(\"MD5\").digest(b)\n",
        "fun sum", 'getInstance("SHA-256")'),
    own("kotlin.cookie-not-secure", "kotlin-cookie-flags", "src/App.kt",
        "fun Application.m() {\n  install(Sessions) {\n    cookie<S>(\"s\") {\n      cookie.secure = false\n"
        "      cookie.httpOnly = false\n    }\n  }\n}\n", "cookie.secure", "cookie.secure = true",
        "cookie.httpOnly = false"),
    own("kotlin.cookie-not-http-only", "kotlin-cookie-flags", "src/App.kt",
        "fun Application.m() {\n  install(Sessions) {\n    cookie<S>(\"s\") {\n      cookie.httpOnly = false\n    }\n  }\n}\n",
        "cookie.httpOnly", "cookie.httpOnly = true"),
    own("typescript.tls-not-verified", "typescript-tls-verify", "src/a.ts",
        "import https from 'https';\nexport const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });\n",
        "rejectUnauthorized", "{ keepAlive: true, rejectUnauthorized: true }"),
    own("typescript.tls-not-verified", "typescript-tls-verify", "src/b.ts",
        "process.env.NODE_TLS_REJECT_UNAUTHORIZED = \"0\";\n", "process", '= "1";'),
    own("typescript.cookie-not-http-only", "typescript-cookie-flags", "src/c.ts",
        "export function f(res: any) {\n  res.cookie('s', 'v', { httpOnly: false, secure: true });\n}\n",
        "res.cookie", "{ httpOnly: true, secure: true }"),
    own("typescript.cookie-not-secure", "typescript-cookie-flags", "src/d.ts",
        "export function f(res: any) {\n  res.cookie('s', 'v');\n}\n",
        "res.cookie", "res.cookie('s', 'v', { httpOnly: true, secure: true });"),
    own("android.allow-backup", "android-allow-backup", "app/src/main/AndroidManifest.xml", MANIFEST,
        "allowBackup", 'allowBackup="false"', 'debuggable="true"'),
    own("android.debuggable", "android-debuggable", "app/src/main/AndroidManifest.xml", MANIFEST,
        "debuggable", 'debuggable="false"', 'allowBackup="true"'),
    own("android.cleartext-traffic", "android-cleartext-traffic", "app/src/main/AndroidManifest.xml",
        MANIFEST, "usesCleartext", 'usesCleartextTraffic="false"'),
    own("android.exported-without-permission", "android-exported", "app/src/main/AndroidManifest.xml",
        MANIFEST, "<receiver", '".R" android:exported="false"', '".A" android:exported="true"'),
    own("compose.privileged", "compose-privileged", "docker-compose.yml", SERVICES, "privileged",
        "privileged: false"),
    own("compose.port-on-all-interfaces", "compose-port-binding", "docker-compose.yml", SERVICES,
        '"8080:8080"', '- "127.0.0.1:8080:8080"  # the shop', "- 0.0.0.0:9090"),
    own("compose.port-on-all-interfaces", "compose-port-binding", "docker-compose.yml",
        "services:\n  a:\n    image: b:1\n    ports:\n      - 0.0.0.0:9090:90/tcp\n", "9090",
        "- 127.0.0.1:9090:90/tcp"),
    own("compose.new-privileges-allowed", "compose-no-new-privileges", "docker-compose.yml",
        "services:\n  shop:\n    image: shop:1.0\n", "  shop:", "security_opt:\n      - no-new-privileges:true"),
    own("compose.new-privileges-allowed", "compose-no-new-privileges", "docker-compose.yml",
        "services:\n  db:\n    image: db:1.0\n    security_opt: [seccomp:unconfined]\n", "  db:",
        "[seccomp:unconfined, no-new-privileges:true]"),
]  # fmt: skip

GOOD = [*DOCKER, *KUBERNETES, *PYTHON, *OWN]


@dataclass(frozen=True)
class Refused:
    """A file whose weakness has no safe mechanical fix."""

    tool: str
    rule: str
    path: str
    text: str
    at: str
    code: str
    to: str = ""

    @property
    def name(self) -> str:
        return f"{self.rule}-{self.code}"


def no(rule: str, text: str, at: str, code: str, *, path: str = "Dockerfile") -> Refused:
    return Refused("checkov", rule, path, text, at, code)


def no_pod(rule: str, code: str, above: str = "", first: str = "") -> Refused:
    return Refused(
        "checkov", rule, "k8s/a.yaml", POD % (above, first, ""), "apiVersion", code, "side:1.0"
    )


def no_py(rule: str, text: str, at: str, code: str) -> Refused:
    return Refused("bandit", rule, "a.py", text, at, code)


def no_own(rule: str, path: str, text: str, at: str, code: str) -> Refused:
    return Refused("semgrep", f"secai.{rule}", path, text, at, code)


REFUSED = [
    no("CKV_DOCKER_3", "FROM nginx:1.27\nCMD x\n", "FROM", "unknown_base_image"),
    no("CKV_DOCKER_3", "ARG B\nFROM $B\nCMD x\n", "FROM", "unknown_base_image"),
    no("CKV_DOCKER_3", "FROM debian:12\nEXPOSE 80\nCMD x\n", "FROM", "privileged_port"),
    no("CKV_DOCKER_3", "FROM debian:12\nEXPOSE 22\nCMD service start sshd\n", "FROM", "privileged_port"),
    no("CKV_DOCKER_3", "FROM debian:12\nEXPOSE $PORT\nCMD x\n", "FROM", "unknown_port"),
    no("CKV_DOCKER_3", "FROM debian:12\nVOLUME /data\nCMD x\n", "FROM", "volume"),
    no("CKV_DOCKER_3", 'FROM debian:12\nCMD ["/usr/sbin/cron", "-f"]\n', "FROM", "needs_root"),
    no("CKV_DOCKER_3", "FROM debian:12\nRUN useradd a && useradd b\nCMD x\n", "FROM", "unknown_user"),
    no("CKV_DOCKER_3", "CMD x\n", "CMD", "syntax"),
    no("CKV_DOCKER_2", "FROM debian:12\nCMD x\n", "FROM", "no_port"),
    no("CKV_DOCKER_2", "FROM debian:12\nEXPOSE 1000 2000\n", "FROM", "several_ports"),
    no("CKV_DOCKER_2", "FROM debian:12\nEXPOSE 53/udp\n", "FROM", "unknown_port"),
    no("CKV_DOCKER_2", "FROM gcr.io/distroless/base\nEXPOSE 8080\n", "FROM", "no_client"),
    no("CKV_DOCKER_4", "FROM debian:12\nADD https://x.org/a /a\n", "ADD", "add_needed"),
    no("CKV_DOCKER_4", "FROM debian:12\nADD a.tar.gz /a\n", "ADD", "add_needed"),
    no("CKV_DOCKER_4", "FROM debian:12\nADD $X /a\n", "ADD", "unclear_source"),
    no("CKV_DOCKER_1", "FROM debian:12\nRUN apt-get install -y openssh-server\nEXPOSE 22\n", "EXPOSE",
       "ssh_server"),
    no("CKV_DOCKER_9", "FROM debian:12\nRUN apt list --installed\n", "RUN", "no_equivalent"),
    no("CKV_DOCKER_10", "FROM golang:1.22\nWORKDIR src\n", "WORKDIR", "unknown_workdir"),
    no("CKV2_DOCKER_1", "FROM debian:12\nUSER web\nRUN sudo make\n", "RUN", "not_root"),
    no("CKV2_DOCKER_1", "FROM debian:12\nRUN sudo -u web make\n", "RUN", "involved"),
    no("CKV2_DOCKER_2", "FROM debian:12\nRUN curl -o-k https://x\n", "RUN", "not_found"),
    no("CKV2_DOCKER_2", "FROM debian:12\nRUN sh -c 'curl -k https://x'\n", "RUN", "not_found"),
    no("CKV2_DOCKER_7", "FROM alpine:3\nRUN apk add --allow-untrusted ./a.apk\n", "RUN", "local_package"),
    no("CKV2_DOCKER_14", "FROM debian:12\nRUN export GIT_SSL_NO_VERIFY=1\n", "RUN", "involved"),
    no("CKV_DOCKER_7", "FROM debian\n", "FROM", "needs_name"),
    no("CKV_K8S_13", "kind: Pod\n", "kind", "needs_numbers", path="a.yaml"),
    no("CKV_K8S_20", "kind: Pod\nspec: {{ .Values.x }}\n", "kind", "template", path="a.yaml"),
    no("CKV_K8S_20", "kind: Service\nspec: {}\n", "kind", "unknown_kind", path="a.yaml"),
    no("CKV_K8S_20", "kind: Pod\nspec: [\n", "kind", "syntax", path="a.yaml"),
    no_pod("CKV_K8S_20", "privileged", first="          securityContext:\n            privileged: true\n"),
    no_pod("CKV_K8S_28", "privileged",
           first="          securityContext:\n            capabilities: {add: [CAP_SYS_ADMIN]}\n"),
    no_pod("CKV_K8S_23", "runs_as_root", above="      securityContext:\n        runAsUser: 0\n"),
    no_pod("CKV_K8S_40", "own_user", first=CONTEXT),
    no_pod("CKV_K8S_31", "own_profile",
           above="      securityContext:\n        seccompProfile: {type: Localhost}\n"),
    no_pod("CKV_K8S_38", "uses_api", above="      serviceAccountName: operator\n"),
    no_py("B506", "import yaml\nyaml.load(x, Loader=Mine)\n", "yaml.load", "own_loader"),
    no_py("B506", "from yaml import load\nload(x)\n", "load(x)", "imported_name"),
    no_py("B501", "import requests\nrequests.get(u, verify=flag)\n", "requests.get", "not_found"),
    no_py("B113", "import requests\nrequests.get(u, **more)\n", "requests.get", "involved"),
    no_py("B324", "import hashlib\ndef f(password):\n    return hashlib.md5(password)\n", "return",
          "password_hash"),
    no_py("B602", "import subprocess\nsubprocess.run('a | b', shell=True)\n", "subprocess.run", "needs_shell"),
    no_py("B602", "import subprocess\nsubprocess.run(f'a {x}', shell=True)\n", "subprocess.run",
          "dynamic_command"),
    no_py("B605", "import os\nos.system('ls')\n", "os.system", "return_value"),
    no_py("B306", "import os, tempfile\nos.mkfifo(tempfile.mktemp())\n", "os.mk", "semantics"),
    no_py("B311", "import random\nrandom.seed(1)\nrandom.random()\n", "random.random", "repeatable"),
    no_py("B311", "import random\nR = random.Random(4)\n", "R =", "repeatable"),
    no_py("B113", "def f(:\n", "def", "syntax"),
    no_py("B105", "password = 'x'\n", "password", "secret"),
    no_own("kotlin.insecure-random", "a.kt",
           "import java.util.Random\nfun token() { val r = Random(42L) }\n", "Random(4", "repeatable"),
    no_own("kotlin.insecure-random", "a.kt", "fun token() { val r = Random() }\n", "Random()",
           "unknown_class"),
    no_own("kotlin.weak-hash", "a.kt",
           "fun hash(password: String) { MessageDigest.getInstance(\"MD5\") }\n", "fun", "password_hash"),
    no_own("kotlin.cors-any-host", "a.kt", "install(CORS) { anyHost() }\n", "anyHost", "needs_name"),
    no_own("typescript.cookie-not-secure", "a.ts", "res.cookie(...x);\n", "res", "involved"),
    no_own("typescript.tls-not-verified", "a.ts", "f({ rejectUnauthorized: strict });\n", "f(", "not_found"),
    no_own("android.exported-without-permission", "AndroidManifest.xml",
           '<a><receiver android:exported="true"><intent-filter/></receiver></a>\n', "<a>", "public"),
    no_own("compose.docker-socket", "compose.yml", "services: {}\n", "services", "needs_design"),
    no_own("compose.port-on-all-interfaces", "compose.yml",
           "services:\n  a:\n    ports:\n      - 443:8443\n", "443", "public_port"),
    no_own("compose.new-privileges-allowed", "compose.yml",
           "services:\n  a:\n    security_opt: ['no-new-privileges:false']\n", "  a:", "decided"),
    no_own("compose.privileged", "compose.yml", "services: [\n", "services", "syntax"),
]  # fmt: skip
