"""What must not leave is found in every disguise, and what is only code is let through."""

import json
import pickle
import struct
import zipfile
from io import BytesIO

import numpy as np
import pytest
from safetensors.numpy import save

from secai_lib.publishing.guard import inspect, unlicensed
from secai_lib.publishing.licences import may_leave
from secai_lib.publishing.machine import Machine

MACHINE = Machine(
    paths=("/root", "/work/acme/secai", "/srv/models/shared"),
    user="mallory",
    host="build-07",
    private_hosts=("corp.example",),
)
SECRET = "ghp_" + "a1B2" * 9
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"


def found(text: str, *, own: bool) -> list[str]:
    """What the guard says of `text` in a field that is ours, or in a training text."""
    row = {"metadata": {"rule": text, "licence": "MIT"}} if own else {"response": text}
    return [leak.what for leak in inspect({"a.jsonl": json.dumps(row).encode()}, MACHINE)]


@pytest.mark.parametrize(
    "text",
    [
        f"token: {SECRET}",
        json.dumps({"env": {"TOKEN": SECRET}}),
        SECRET.replace("g", "\\u0067", 1),
        f'token = "{SECRET[:20]}"\n    "{SECRET[20:]}"',
        f"{SECRET[:20]}\\\n{SECRET[20:]}",
        f"  {JWT[:30]}\n  {JWT[30:]}",
        "postgres://admin:hunter2x@db.example.org/app",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA",
    ],
)
def test_a_secret_is_found_plain_escaped_and_wrapped(text: str) -> None:
    assert "text of the shape of a secret" in found(text, own=False)
    assert "text of the shape of a secret" in found(text, own=True)


def test_it_is_named_by_place_and_never_repeated() -> None:
    rows = [{"response": "fine"}, {"response": f"x {SECRET}"}]
    data = "\n".join(map(json.dumps, rows)).encode()
    (leak,) = inspect({"train.jsonl": data}, MACHINE)
    assert leak.sentence == "train.jsonl (row 2, response): text of the shape of a secret"
    (leak,) = inspect({"README.md": f"one\ntwo {SECRET}\n".encode()}, MACHINE)
    assert leak.sentence == "README.md (line 2): text of the shape of a secret"
    (leak,) = inspect({"a.json": json.dumps({SECRET: 1}).encode()}, MACHINE)
    assert SECRET not in leak.sentence


@pytest.mark.parametrize(
    "text",
    [
        "/work/acme/secai/config", "see /srv/models/shared/x", "/home/mallory/.ssh",
        "C:\\Users\\mallory\\x", "http://build-07:3000", "https://git.corp.example/a",
        "fetch http://10.1.2.3:8080/x", "http://wiki.acme.internal/a",
    ],
)  # fmt: skip
def test_this_machine_and_its_network_are_found_in_training_texts(text: str) -> None:
    assert found(text, own=False)


@pytest.mark.parametrize(
    "text",
    [
        "WORKDIR /app", "#!/usr/bin/env bash", "COPY .npmrc /root/.npmrc", "HOME=/home/gradle",
        "mail: somebody@example.org", "server: 10.0.0.0/8", "http://10.0.2.2:8080", "rm /tmp/x.deb",
        "http://db.default.svc.cluster.local:5432", "https://github.com/work/acme/secai",
        "ENV PATH=/opt/java/bin:$PATH", "version 10.1.2.3", "http://host.docker.internal/",
    ],
)  # fmt: skip
def test_code_with_the_paths_of_containers_is_let_through(text: str) -> None:
    assert found(text, own=False) == []


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("/home/somebody/x", "an absolute path"),
        ("/Users/somebody/x", "an absolute path"),
        ("D:\\data\\x", "an absolute path"),
        ("/tmp/run-1/model", "an absolute path"),
        ("/root", "a path of this machine"),
        ("file:///x", "an absolute path"),
        ("192.168.1.17", "a private host"),
        ("nas.local", "a private host"),
        ("somebody@corp-mail.org", "an e-mail address"),
    ],
)
def test_what_we_wrote_ourselves_is_held_to_more(text: str, what: str) -> None:
    assert what in found(text, own=True)


@pytest.mark.parametrize("text", ["https://huggingface.co/home/x", "acme/shop", "model.layers.0"])
def test_addresses_and_names_are_no_paths(text: str) -> None:
    assert found(text, own=True) == []


def with_spans(offsets: object, numbers: bytes) -> bytes:
    header = json.dumps({"a": {"dtype": "U8", "shape": [1], "data_offsets": offsets}}).encode()
    return struct.pack("<Q", len(header)) + header + numbers


def zipped() -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("data.pkl", pickle.dumps({"a": 1}))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("adapter_model.bin", pickle.dumps([1])),
        ("model.pt", zipped()),
        ("load.py", b"print()"),
        ("adapter_model.safetensors", pickle.dumps([1])),
        ("adapter_model.safetensors", zipped()),
        ("adapter_model.safetensors", save({"a": np.ones(3, np.float32)}) + pickle.dumps([1])),
        ("adapter_model.safetensors", save({"a": np.ones(3, np.float32)})[:-4]),
        ("adapter_model.safetensors", with_spans([1, 2], b"?!")),
        ("adapter_model.safetensors", with_spans([0, 1], b"?!")),
        ("adapter_model.safetensors", with_spans(["0", None], b"?!")),
        ("config.json", b'{"a": "hidden", "a": "seen"}'),
        ("config.json", b'{"a": ' + b"1" * 5000 + b"}"),
        ("train.jsonl", b'{"response": "hidden", "response": "seen"}'),
        ("config.json", b"\x80\x04."),
        ("train.jsonl", b"[1]\n"),
        ("README.md", b"\xff\xfe"),
        ("../README.md", b"x"),
        ("a/.git/config.json", b"{}"),
        ("/README.md", b"x"),
        ("a\\README.md", b"x"),
    ],
)
def test_what_can_run_code_or_is_not_what_it_says_does_not_leave(name: str, data: bytes) -> None:
    (leak,) = inspect({name: data}, MACHINE)
    assert leak.file == name


def test_paths_in_the_header_of_weights_are_found() -> None:
    data = save({"a": np.ones(3, np.float32)}, metadata={"from": "/home/somebody/run"})
    (leak,) = inspect({"adapter_model.safetensors": data}, MACHINE)
    assert leak.what == "an absolute path"
    assert (
        inspect({"adapter_model.safetensors": save({"a": np.ones(3, np.float32)})}, MACHINE) == []
    )


@pytest.mark.parametrize(
    ("licence", "good"),
    [("MIT", True), ("apache-2.0", True), ("GPL-3.0", False), ("unknown", False), ("", False),
     ("NOASSERTION", False)],
)  # fmt: skip
def test_only_permissive_licences_leave(licence: str, good: bool) -> None:
    assert may_leave(licence) is good


def test_the_licence_of_a_row_is_read_wherever_it_stands() -> None:
    rows = [{"metadata": {"licence": "GPL-3.0"}}, {"licence": "GPL-3.0"}, {"metadata": {}}]
    data = "\n".join(map(json.dumps, [{"fix": "a"}, *rows])).encode()
    said = [leak.place for leak in inspect({"a.jsonl": data}, MACHINE)]
    assert said == ["row 4", "row 2 and 1 more"]


def test_the_settings_let_a_known_licence_leave_and_never_an_unknown_one() -> None:
    assert may_leave("GPL-3.0", ["GPL-3.0"])
    assert not may_leave("unknown", ["unknown"])
    (leak,) = unlicensed("a.jsonl", {"row 1": "MIT", "row 2": "GPL-3.0", "row 9": "GPL-3.0"})
    assert "row 2 and 1 more" in leak.sentence and "'GPL-3.0'" in leak.sentence
