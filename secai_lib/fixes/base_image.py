"""What is known of well-known base images: family, users, tools."""

from dataclasses import dataclass
from enum import StrEnum

from secai_lib.fixes.dockerfile import Dockerfile
from secai_lib.fixes.rule import Abstain


class Family(StrEnum):
    """The base image's operating system, as far as users and tools go."""

    ALPINE = "alpine"
    DEBIAN = "debian"
    REDHAT = "redhat"
    DISTROLESS = "distroless"
    SCRATCH = "scratch"


@dataclass(frozen=True)
class BaseImage:
    """A base image we know."""

    name: str
    """Repository name without registry library prefix and tag."""
    family: Family
    """Its family."""
    user: str = ""
    """An unprivileged user it brings; empty for none."""
    runtime: str = ""
    """An interpreter it brings: `python` or `node`; empty for none."""
    workdir: str = ""
    """The working directory it sets; empty when unknown."""


_DEBIAN_BASED = {
    "debian", "ubuntu", "buildpack-deps", "python", "node", "golang", "ruby", "rust", "perl",
    "eclipse-temurin", "openjdk", "maven", "gradle", "erlang", "elixir",
}  # fmt: skip
_REDHAT_BASED = {"fedora", "rockylinux", "almalinux", "centos"}
_USERS = {"node": "node", "gradle": "gradle"}
_RUNTIMES = {"python": "python", "node": "node"}
_ROOT_WORKDIR = {"debian", "ubuntu", "alpine", "python", "node", "eclipse-temurin", "scratch"}
_OTHER_SYSTEMS = ("windows", "nanoserver", "ubi", "oracle", "alinux", "corretto", "graal", "-ol")
_DEBIAN_TAGS = ("slim", "buster", "bullseye", "bookworm", "alpine")
"""openjdk's plain tags are Oracle Linux; only these are not."""


def base_image(dockerfile: Dockerfile) -> BaseImage:
    """The real image below the last stage; raises `Abstain` when we do not know it."""
    spec = dockerfile.base_chain()[-1].image
    if "$" in spec or not spec:
        raise Abstain(
            "unknown_base_image",
            "The base image is a build argument; what it holds is not known here.",
        )
    known = known_image(spec)
    if known is None:
        raise Abstain(
            "unknown_base_image",
            f"It is not known which users and tools the base image {spec.split('@')[0]} brings; "
            "look it up in the image's documentation.",
        )
    return known


def known_image(spec: str) -> BaseImage | None:
    """The facts of the image `spec` (`name:tag@digest`); None when it is not one we know."""
    bare = spec.split("@", 1)[0]
    head, _, tail = bare.rpartition("/")
    name, _, tag = tail.partition(":")
    if spec == "scratch":
        return BaseImage("scratch", Family.SCRATCH, workdir="/")
    if head.startswith("gcr.io/distroless"):
        return BaseImage(name, Family.DISTROLESS, user="nonroot")
    official = head in (
        "",
        "library",
        "docker.io/library",
        "docker.io",
        "public.ecr.aws/docker/library",
    )
    if not official:
        return _vendor(head, name)
    workdir = "/" if name in _ROOT_WORKDIR else ""
    if name == "alpine":
        return BaseImage(name, Family.ALPINE, workdir=workdir)
    if name in _REDHAT_BASED:
        return BaseImage(name, Family.REDHAT, workdir="/")
    if name not in _DEBIAN_BASED or any(word in tag for word in _OTHER_SYSTEMS):
        return None
    if name == "openjdk" and not any(word in tag for word in _DEBIAN_TAGS):
        return None
    family = Family.ALPINE if "alpine" in tag else Family.DEBIAN
    return BaseImage(name, family, _USERS.get(name, ""), _RUNTIMES.get(name, ""), workdir)


def _vendor(head: str, name: str) -> BaseImage | None:
    if head.startswith("mcr.microsoft.com/devcontainers"):
        return None
    if head == "registry.access.redhat.com" or head.startswith("registry.access.redhat.com/ubi"):
        full = name in ("ubi", "ubi8", "ubi9")
        return BaseImage(name, Family.REDHAT, workdir="/") if full else None
    return None
