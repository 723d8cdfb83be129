"""Which ports Compose and Dockerfiles open for which folder."""

from collections import defaultdict
from dataclasses import dataclass, field
from posixpath import normpath

from secai_lib.route_mapping.code import Code, folder_of, is_product_code
from secai_lib.route_mapping.hocon import load_yaml

_NAMES = ("docker-compose", "compose")
_SUFFIXES = (".yml", ".yaml")


@dataclass
class Deployment:
    """What the Compose files say about one folder."""

    names: set[str] = field(default_factory=set)
    published: set[tuple[int, int]] = field(default_factory=set)
    """(port of the machine, port of the container)."""
    exposed: set[int] = field(default_factory=set)
    """Ports that the Dockerfile names: a hint."""


def deployments(code: Code) -> dict[str, Deployment]:
    """The deployment of every folder that is built, by folder."""
    found: dict[str, Deployment] = defaultdict(Deployment)
    for path in code.paths:
        name = path.rpartition("/")[2].lower()
        if not is_product_code(path):
            continue
        if name.startswith(_NAMES) and name.endswith(_SUFFIXES):
            _read_compose(code, path, found)
        elif name == "dockerfile":
            found[folder_of(path)].exposed |= set(_exposed(code.text(path) or ""))
    return dict(found)


def _read_compose(code: Code, path: str, found: dict[str, Deployment]) -> None:
    document = load_yaml(code.text(path) or "")
    services = document.get("services") if isinstance(document, dict) else None
    for name, service in services.items() if isinstance(services, dict) else ():
        context = _context(service, path) if isinstance(service, dict) else None
        if context is None:
            continue
        here = found[context]
        here.names.add(str(name))
        ports = service.get("ports")
        for port in ports if isinstance(ports, list) else ():
            if (pair := _pair(port)) is not None:
                here.published.add(pair)


def _context(service: dict[object, object], path: str) -> str | None:
    """The folder that a Compose service is built from; None for a ready image."""
    build = service.get("build")
    context, dockerfile = build, None
    if isinstance(build, dict):
        context, dockerfile = build.get("context", "."), build.get("dockerfile")
    if not isinstance(context, str) or "://" in context or "$" in context:
        return None
    folder = normpath(f"{folder_of(path) or '.'}/{context}")
    if isinstance(dockerfile, str) and "/" in dockerfile and "$" not in dockerfile:
        folder = folder_of(normpath(f"{folder}/{dockerfile}"))
    return "" if folder == "." else None if folder.startswith("..") else folder


def _pair(port: object) -> tuple[int, int] | None:
    if isinstance(port, dict):
        host, inner = str(port.get("published", "")), str(port.get("target", ""))
    else:
        host, _, inner = _defaulted(str(port)).partition("/")[0].rpartition(":")
        host = host.rpartition(":")[2]
    numbers = [_number(host), _number(inner)]
    return (numbers[0], numbers[1]) if all(numbers) else None


def _defaulted(text: str) -> str:
    """`${PORT:-8080}:8080` as `8080:8080`; a variable without a default stays unreadable."""
    start = text.find("${")
    while start >= 0 and (end := text.find("}", start)) > 0:
        name, _, default = text[start + 2 : end].partition(":-")
        text = text[:start] + (default if name else "") + text[end + 1 :]
        start = text.find("${")
    return text


def _exposed(text: str) -> list[int]:
    ports = []
    for line in text.splitlines():
        words = line.split()
        if words and words[0].upper() == "EXPOSE":
            ports += [n for word in words[1:] if (n := _number(word.partition("/")[0]))]
    return ports


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65_536 else 0
