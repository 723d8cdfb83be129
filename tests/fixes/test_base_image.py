import pytest

from secai_lib.fixes.base_image import Family, known_image


@pytest.mark.parametrize(
    ("spec", "family", "user"),
    [
        ("alpine:3.20", Family.ALPINE, ""),
        ("docker.io/library/python:3.12-slim@sha256:00", Family.DEBIAN, ""),
        ("node:20-alpine", Family.ALPINE, "node"),
        ("eclipse-temurin:21-jre-noble", Family.DEBIAN, ""),
        ("openjdk:17-slim", Family.DEBIAN, ""),
        ("gcr.io/distroless/java21-debian12", Family.DISTROLESS, "nonroot"),
        ("registry.access.redhat.com/ubi9:9.4", Family.REDHAT, ""),
        ("scratch", Family.SCRATCH, ""),
    ],
)
def test_well_known_images(spec: str, family: Family, user: str) -> None:
    image = known_image(spec)
    assert image is not None
    assert (image.family, image.user) == (family, user)


@pytest.mark.parametrize(
    "spec",
    [
        "nginx:1.27", "acme/debian:12", "ghcr.io/x/alpine:3", "openjdk:17",
        "maven:3-amazoncorretto-21",
        "eclipse-temurin:21-ubi9-minimal", "python:3.12-windowsservercore", "debianish:1",
        "ubi9/ubi-minimal",
    ],
)  # fmt: skip
def test_anything_else_is_unknown(spec: str) -> None:
    assert known_image(spec) is None
