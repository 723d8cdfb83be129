"""Versions in Gradle build files, version catalogues and lockfiles."""

import re
import tomllib
from collections.abc import Iterator

from secai_lib.core.fix import SourceFiles
from secai_lib.core.syntax import parse
from secai_lib.fixes.declarations import Declaration, ancestors, folder_of
from secai_lib.fixes.rule import Abstain

CATALOGUE = "gradle/libs.versions.toml"
_COORDINATE = re.compile(r"(?P<module>[\w.-]+:[\w.-]+):(?P<version>[^:@\s]+)(?:[:@]\S*)?\Z")
_GROOVY_TEXT = re.compile(r"//[^\n]*|/\*(?s:.{0,100000}?)\*/|\"([^\"\\\n]*)\"|'([^'\\\n]*)'")
_VARIABLE = re.compile(r"\$\{?(?P<name>\w+)\}?\Z")

Text = tuple[int, str]
"""First character of a text literal's content, and the content."""


def gradle_declarations(path: str, name: str, files: SourceFiles) -> list[Declaration]:
    """The places that declare the module `name` for the build file or lockfile at `path`.

    A lockfile's line is among them when a declaration of the same version is found, and so are
    the lines of what a release train (one group, one setting) brings along: Gradle refuses a lock
    that holds one module of it back.
    """
    folder = folder_of(path)
    if path.endswith(CATALOGUE):
        folder = path.removesuffix(CATALOGUE)
    found: list[Declaration] = []
    for build in ("build.gradle.kts", "build.gradle"):
        text = files.read(folder + build)
        if text is not None:
            found += _in_build(folder, folder + build, text, name, files)
    for above in ancestors(folder):
        text = files.read(above + CATALOGUE)
        if text is not None:
            found += _in_catalogue(above + CATALOGUE, text, name)
            break
    lock = folder + "gradle.lockfile"
    text = files.read(lock)
    if text is None or not found:
        return found
    modules = {name, *(other for place in found for other in place.shared_with)}
    versions = {place.version for place in found}
    group = name.partition(":")[0]
    if any(place.shared_with for place in found):
        locked = {line.partition("=")[0].rpartition(":")[0] for line in text.split("\n")}
        train = {module for module in locked if module.partition(":")[0] == group}
        modules |= train - _by_hand(folder, files)
    return found + list(_in_lock(lock, text, modules, versions))


def _by_hand(folder: str, files: SourceFiles) -> set[str]:
    """Modules whose version the build file of `folder` writes down: they do not follow others."""
    found = set()
    for build in ("build.gradle.kts", "build.gradle"):
        text = files.read(folder + build)
        if text is not None:
            literals = _kotlin_texts(text) if build.endswith(".kts") else _groovy_texts(text)
            found |= {m["module"] for _, content in literals if (m := _COORDINATE.match(content))}
    return found


def _in_build(
    folder: str, path: str, text: str, name: str, files: SourceFiles
) -> Iterator[Declaration]:
    literals = _kotlin_texts(text) if path.endswith(".kts") else _groovy_texts(text)
    coordinates = [(start, match) for start, content in literals
                   if (match := _COORDINATE.match(content))]  # fmt: skip
    for start, match in coordinates:
        if match["module"] != name:
            continue
        variable = _VARIABLE.match(match["version"])
        if variable is None:
            if "$" in match["version"]:
                raise Abstain("involved", f"{path} puts the version of {name} together.")
            yield Declaration(path, start + match.start("version"), start + match.end("version"),
                              match["version"])  # fmt: skip
            continue
        shared = sorted({m["module"] for _, m in coordinates
                         if m["version"] == match["version"] and m["module"] != name})  # fmt: skip
        yield _variable(folder, path, text, variable["name"], tuple(shared), files)


def _variable(
    folder: str, path: str, text: str, variable: str, shared: tuple[str, ...], files: SourceFiles
) -> Declaration:
    """The one place that gives the variable its value."""
    word = re.escape(variable)
    assigned = re.compile(
        rf"^[ \t]*(?:(?:val|var|def|const val|private val)[ \t]+|ext\.|extra\.)?{word}"
        rf"[ \t]*(?::[ \t]*String[ \t]*)?=[ \t]*[\"'](?P<version>[^\"'$\n]+)[\"']",
        re.MULTILINE,
    )
    property_line = re.compile(rf"^[ \t]*{word}[ \t]*=[ \t]*(?P<version>[^\s#]+)", re.MULTILINE)
    places = [(path, text, assigned)]
    for above in ancestors(folder):
        properties = files.read(above + "gradle.properties")
        if properties is not None:
            places.append((above + "gradle.properties", properties, property_line))
    for where, content, pattern in places:
        matches = list(pattern.finditer(content))
        if len(matches) == 1:
            start, end = matches[0].span("version")
            return Declaration(where, start, end, matches[0]["version"], shared)
        if matches:
            break
    raise Abstain("involved", f"Where {path} sets {variable} is not clear.")


def _in_catalogue(path: str, text: str, name: str) -> Iterator[Declaration]:
    try:
        catalogue = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Abstain("syntax", f"{path} is no valid TOML.") from error
    libraries = catalogue.get("libraries", {})
    modules = {key: _module(entry) for key, entry in libraries.items()}
    for key, (module, version, reference) in modules.items():
        if module != name:
            continue
        if reference:
            shared = tuple(
                sorted({m for m, _, r in modules.values() if r == reference and m != name})
            )
            yield _line(path, text, "versions", reference, _VALUE, shared)
        elif version:
            pattern = _COORDINATE_VALUE if isinstance(libraries[key], str) else _VERSION_VALUE
            yield _line(path, text, "libraries", key, pattern, ())


_VALUE = r"[ \t]*=[ \t]*[\"'](?P<version>[^\"'\n]+)[\"']"
_COORDINATE_VALUE = r"[ \t]*=[ \t]*[\"'][\w.-]+:[\w.-]+:(?P<version>[^\"'\n]+)[\"']"
_VERSION_VALUE = r"[ \t]*=[^\n]*?\bversion[ \t]*=[ \t]*[\"'](?P<version>[^\"'\n]+)[\"']"


def _module(entry: object) -> tuple[str, str, str]:
    """Module, version and version reference of a catalogue's entry."""
    if isinstance(entry, str):
        module, _, version = entry.rpartition(":")
        return module, version, ""
    if not isinstance(entry, dict):
        return "", "", ""
    module = entry.get("module") or f"{entry.get('group', '')}:{entry.get('name', '')}"
    version = entry.get("version", "")
    if isinstance(version, dict):
        return str(module), "", str(version.get("ref", ""))
    return str(module), str(version), ""


def _line(
    path: str, text: str, section: str, key: str, pattern: str, shared: tuple[str, ...]
) -> Declaration:
    begin = re.search(rf"^\[{section}\][^\n]*$", text, re.MULTILINE)
    if begin is None:
        raise Abstain("involved", f"{path} has no section [{section}].")
    stop = re.compile(r"^\[", re.MULTILINE).search(text, begin.end())
    line = re.compile(rf"^[ \t]*[\"']?{re.escape(key)}[\"']?{pattern}", re.MULTILINE)
    match = line.search(text, begin.end(), stop.start() if stop else len(text))
    if match is None:
        raise Abstain("involved", f"{path} writes the version of {key} in an unusual way.")
    return Declaration(path, match.start("version"), match.end("version"), match["version"], shared)


def _in_lock(path: str, text: str, modules: set[str], versions: set[str]) -> Iterator[Declaration]:
    position = 0
    for line in text.split("\n"):
        start, position = position, position + len(line) + 1
        module, _, version = line.partition("=")[0].rpartition(":")
        if module in modules and version in versions:
            begin = start + len(module) + 1
            yield Declaration(path, begin, begin + len(version), version, generated=True)


def _kotlin_texts(text: str) -> list[Text]:
    tree = parse(text, "kotlin")
    return [
        (tree.start(node) + 1, tree.text_of(node)[1:-1])
        for node in tree.walk("string_literal")
        if not tree.text_of(node).startswith('"""')
    ]


def _groovy_texts(text: str) -> list[Text]:
    """Text literals of a Groovy file; comments are passed over."""
    found = []
    for match in _GROOVY_TEXT.finditer(text):
        group = 1 if match[1] is not None else 2
        if match[group] is not None:
            found.append((match.start(group), match[group]))
    return found
