"""Secrets are seen by their shape, and what code is full of is none."""

import random
import string

import pytest

from secai_lib.core.secret_shapes import secret_in

TOKEN = "ghp_" + "aB3dE6gH9jK2" * 3


@pytest.mark.parametrize(
    "text",
    [
        f"token: {TOKEN}",
        "aws_access_key_id = AKIA" + "QWERTYUIOPASDFGH",
        "https://me:" + "hunter22@example.org/x.git",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow",
        "xoxb-" + "1234567890-abcdefghij",
        "eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxMjM0In0.dGhpc2lzYXNpZ25hdHVyZQ",
    ],
)
def test_well_known_formats(text: str) -> None:
    assert secret_in(f"some words {text} and more")


def test_random_text_is_seen_nearly_always() -> None:
    letters = random.Random(1)
    alphabet = string.ascii_letters + string.digits
    seen = [secret_in(f'key = "{"".join(letters.choices(alphabet, k=32))}"') for _ in range(300)]
    assert sum(map(bool, seen)) >= 290


@pytest.mark.parametrize(
    "text",
    [
        "uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683",
        "image@sha256:" + "0123456789abcdef" * 4,
        "class WebAuthnBiometricRegistrationServiceImplTest2 : Base()",
        "io.ktor:ktor-client-core-jvm:2.3.7=compileClasspath,testRuntimeClasspath",
        "src/main/kotlin/com/vmenon/webauthn/testlib/WebAuthnTestAuthenticator2.kt",
        "password = [redacted]",
        "postgres://${USER}:${PASSWORD}@db:5432/app",
        "GHSA-fghv-69vj-qj49 CVE-2024-47554",
        "",
    ],
)
def test_what_code_is_full_of_is_no_secret(text: str) -> None:
    assert secret_in(text) == ""
