"""Gradle's lockfiles: a line for each module, with the configurations that hold it."""

import re

from secai_lib.manifests.locked import Locked, Scope

_TEST = re.compile(
    r"(?:test|androidTest)(?![a-z])\w*"
    r"|\w+Test(?:Runtime|Compile)Classpath|\w+Test\w*DependenciesMetadata"
)
_SHIPPED = re.compile(
    r"(?:runtime|compile)Classpath|\w+(?:Runtime|Compile)Classpath|\w+DependenciesMetadata"
)


def gradle_locked(text: str, name: str, version: str) -> Locked | None:
    """What the lockfile `text` says of the module `name`; None when it does not hold it.

    It names neither what asks for a module nor which modules the build file declares.
    """
    for line in text.splitlines():
        module, separator, configurations = line.partition("=")
        if separator and module == f"{name}:{version}":
            names = tuple(sorted({word.strip() for word in configurations.split(",")} - {""}))
            return Locked(_scope(names), names, None, ())
    return None


def _scope(configurations: tuple[str, ...]) -> Scope:
    tests = {name for name in configurations if _TEST.fullmatch(name)}
    if any(_SHIPPED.fullmatch(name) for name in configurations if name not in tests):
        return Scope.RUNTIME
    if tests:
        return Scope.TEST
    return Scope.TOOLING if configurations else Scope.UNKNOWN
