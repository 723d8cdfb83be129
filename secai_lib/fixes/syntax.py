"""Whether a file is still well formed after a fix, judged by its own language."""

import ast
import json
import tomllib
import warnings
from collections.abc import Callable
from xml.etree.ElementTree import ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from secai_lib.core.fix import ProofCheck
from secai_lib.core.syntax import SyntaxRefused, has_grammar, language_of, parse
from secai_lib.fixes.yaml_tree import YamlRefused, YamlTree


def check_syntax(path: str, text: str, base: str | None = None) -> ProofCheck:
    """Whether `text` is well formed; with `base`, whether it has no more errors than before.

    A file in no language we can read passes, and the detail says that nothing was checked.
    """
    language = language_of(path)
    if language not in _STRICT and not has_grammar(language):
        return ProofCheck(
            name="syntax", passed=True, detail=f"{path}: no parser for this kind of file."
        )
    errors, what = _errors(language, path, text)
    if not errors:
        return ProofCheck(name="syntax", passed=True, detail=f"{path} is well formed {language}.")
    before = _errors(language, path, base)[0] if base is not None else 0
    return ProofCheck(
        name="syntax",
        passed=errors <= before,
        detail=f"{path}: {errors} syntax errors as {language}, {before} before the fix; {what}.",
    )


def _errors(language: str, path: str, text: str) -> tuple[int, str]:
    """How many syntax errors (a strict parser counts as one), and the first in words."""
    strict = _STRICT.get(language)
    problem = strict(path, text) if strict else ""
    if language == "yaml" or not has_grammar(language):  # ruamel knows more YAML than the grammar
        return int(bool(problem)), problem
    try:
        bad = parse(text, language).errors()
    except SyntaxRefused as refused:
        return 1, str(refused).rstrip(".")
    first = f"first at line {bad[0].start_point.row + 1}" if bad else ""
    return len(bad) + bool(problem), problem or first


def _python(path: str, text: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"Python refuses it at line {getattr(error, 'lineno', None) or '?'}"
    return ""


def _yaml(path: str, text: str) -> str:
    try:
        tree = YamlTree.parse(path, text)
    except YamlRefused as error:
        return str(error).rstrip(".")
    for document in range(len(tree.documents)):
        for _, node in tree.walk(document):
            if len(set(node.keys())) < len(node.entries):
                return f"the mapping at line {node.line} has a key twice"
    return ""


def _json(path: str, text: str) -> str:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f"broken JSON at line {error.lineno}"
    except RecursionError:
        return "JSON nested too deep"
    return ""


def _xml(path: str, text: str) -> str:
    try:
        ElementTree.fromstring(text)
    except ParseError as error:
        return f"broken XML at line {error.position[0]}"
    except (DefusedXmlException, ValueError):
        return "XML with entities or an external reference"
    return ""


def _toml(path: str, text: str) -> str:
    try:
        tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return "broken TOML"
    return ""


_STRICT: dict[str, Callable[[str, str], str]] = {
    "python": _python,
    "yaml": _yaml,
    "json": _json,
    "xml": _xml,
    "toml": _toml,
}
