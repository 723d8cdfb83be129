"""Port and modules from Ktor's `application.conf` or `application.yaml`."""

from dataclasses import dataclass

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from secai_lib.route_mapping.code import Code, is_product_code

_FILES = ("/application.conf", "/application.yaml", "/application.yml")
_MAX_DEPTH = 40
_MAX_CHARACTERS = 200_000
"""A Compose file has some 10^4 characters; reading 10^5 takes a second."""
_MAX_VALUES = 100_000
"""Values once every alias is written out."""


@dataclass(frozen=True)
class KtorSettings:
    """What a configuration file says about the server."""

    ports: tuple[int, ...]
    modules: tuple[str, ...]
    """Full names such as `io.x.ApplicationKt.module`."""


def ktor_settings(code: Code) -> dict[str, KtorSettings]:
    """The settings of each root folder that has a file with a `ktor` part."""
    found: dict[str, KtorSettings] = {}
    for path in code.paths:
        if not f"/{path}".endswith(_FILES) or not is_product_code(path):
            continue
        text = code.text(path) or ""
        settings = _of_hocon(text) if path.endswith(".conf") else _of_yaml(text)
        if settings is not None:
            found.setdefault(code.root_of(path), settings)
    return found


def _of_yaml(text: str) -> KtorSettings | None:
    values: dict[str, list[str]] = {}
    document = load_yaml(text)
    pending: list[tuple[str, object, int]] = [("", document, 0)]
    while pending:
        key, value, depth = pending.pop()
        if isinstance(value, dict) and depth < _MAX_DEPTH:
            pending += [(f"{key}.{k}".strip("."), v, depth + 1) for k, v in value.items()]
        elif isinstance(value, list):
            values[key] = [str(item) for item in value]
        elif value is not None:
            values[key] = [str(value)]
    return _settings(values)


def load_yaml(text: str) -> object:
    """The document of a YAML text; None when it is broken, an alias bomb or too large."""
    if len(text) > _MAX_CHARACTERS:
        return None
    try:
        document: object = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        return None
    return None if _is_bomb(document) else document


def _is_bomb(document: object) -> bool:
    """Whether aliases written out make more than `_MAX_VALUES` values, or never end."""
    seen, pending = 0, [document]
    while pending:
        value = pending.pop()
        if isinstance(value, dict | list):
            seen += len(value)
            if seen > _MAX_VALUES:
                return True
            pending += value.values() if isinstance(value, dict) else value
    return False


def _settings(values: dict[str, list[str]]) -> KtorSettings | None:
    if not any(key.split(".")[0] == "ktor" for key in values):
        return None
    ports = {
        port
        for key in ("ktor.deployment.port", "ktor.deployment.sslPort")
        for text in values.get(key, [])
        if (port := _port(text))
    }
    modules = values.get("ktor.application.modules", [])
    return KtorSettings(tuple(sorted(ports)), tuple(modules))


def _port(text: str) -> int:
    """The port in `8080`, `$PORT:8080` or `${PORT:8080}`; 0 when there is none."""
    digits = text.strip("\"'").rpartition(":")[2].rstrip("}").strip()
    return int(digits) if digits.isdigit() and len(digits) < 6 and int(digits) < 65_536 else 0


def _of_hocon(text: str) -> KtorSettings | None:
    """Reads the part of HOCON that such files use: blocks, dotted keys, lists, substitutions."""
    values: dict[str, list[str]] = {}
    scope: list[str] = []
    tokens = _tokens(text)
    index, pending = 0, ""
    items: list[str] | None = None
    while index < len(tokens):
        piece = tokens[index]
        index += 1
        if piece == "{":
            scope.append(pending)
            pending = ""
            if len(scope) > _MAX_DEPTH:
                return None
        elif piece == "}":
            if scope:
                scope.pop()
            pending = ""
        elif piece == "[":
            items = []
        elif piece == "]":
            values[_key(scope, pending)] = items or []
            items, pending = None, ""
        elif piece in ("=", ":", ",", "\n"):
            continue
        elif items is not None:
            items.append(piece)
        elif index < len(tokens) and tokens[index] in ("=", ":", "{"):
            pending = piece
        elif pending and not piece.startswith("${"):
            # `port = ${?PORT}` overrides only where the variable is set.
            values[_key(scope, pending)] = [piece]
            pending = ""
    return _settings(values)


def _key(scope: list[str], name: str) -> str:
    return ".".join(part for part in (*scope, name) if part)


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    for line in text.splitlines():
        word, quoted, braces = "", False, False
        for index, char in enumerate(line):
            if quoted:
                quoted = char != '"'
                word += "" if char == '"' else char
            elif not quoted and (char == "#" or line.startswith("//", index)):
                break
            elif char == '"':
                quoted = True
            elif char == "$" and line.startswith("${", index):
                braces, word = True, word + char
            elif braces:
                word += char
                braces = char != "}"
            elif char in "{}[]=:," or char.isspace():
                tokens += [word] if word else []
                tokens += [] if char.isspace() else [char]
                word = ""
            else:
                word += char
        tokens += [word] if word else []
        tokens.append("\n")
    return tokens
