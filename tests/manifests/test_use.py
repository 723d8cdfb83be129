"""What lockfiles say of a package: what for, asked for by whom."""

import json
from collections.abc import Mapping

import pytest

from secai_lib.core.finding import Package
from secai_lib.manifests import PackageUse, Scope, package_use
from secai_lib.manifests.gradle import gradle_locked

V3 = {
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "shop", "dependencies": {"express": "^4"}, "devDependencies": {"jest": "^29"}},
        "node_modules/express": {"version": "4.18.0", "dependencies": {"qs": "6.10.0"}},
        "node_modules/qs": {"version": "6.10.0"},
        "node_modules/jest": {"version": "29.0.0", "dev": True, "dependencies": {"qs": "6.5.0"}},
        "node_modules/jest/node_modules/qs": {"version": "6.5.0", "dev": True},
    },
}
V1 = {
    "lockfileVersion": 1,
    "dependencies": {
        "express": {"version": "4.18.0", "requires": {"qs": "6.10.0"}},
        "qs": {"version": "6.10.0"},
        "jest": {
            "version": "29.0.0",
            "dev": True,
            "requires": {"qs": "6.5.0"},
            "dependencies": {"qs": {"version": "6.5.0", "dev": True}},
        },
    },
}


class Files:
    """The files of a commit, kept in memory."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self._texts))

    def read(self, path: str) -> str | None:
        return self._texts.get(path)


def _npm(lock: object, name: str, version: str) -> PackageUse:
    package = Package(ecosystem="npm", name=name, version=version)
    files = Files({"web/package-lock.json": json.dumps(lock)})
    return package_use("web/package-lock.json", package, files)


@pytest.mark.parametrize("lock", [V1, V3], ids=["v1", "v3"])
def test_the_copy_of_that_version_is_asked_for_by_its_own_askers(lock: object) -> None:
    shipped, development = _npm(lock, "qs", "6.10.0"), _npm(lock, "qs", "6.5.0")
    assert (shipped.scope, shipped.pulled_in_by) == (Scope.RUNTIME, ("express 4.18.0",))
    assert (development.scope, development.pulled_in_by) == (Scope.TOOLING, ("jest 29.0.0",))


def test_only_a_lockfile_with_its_project_says_what_is_direct() -> None:
    assert _npm(V3, "express", "4.18.0").direct is True
    assert _npm(V3, "jest", "29.0.0").direct is True
    assert _npm(V3, "qs", "6.10.0").direct is False
    assert _npm(V1, "express", "4.18.0").direct is None


def test_what_another_package_needs_to_develop_itself_pulls_nothing_in() -> None:
    packages = V3["packages"]
    assert isinstance(packages, dict)
    other = {"version": "1.0.0", "devDependencies": {"qs": "*"}}
    lock = V3 | {"packages": packages | {"node_modules/other": other}}
    assert _npm(lock, "qs", "6.10.0").pulled_in_by == ("express 4.18.0",)


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "[" * 100_000,
        json.dumps({"packages": {"a/" * 400_000: {"dependencies": {"qs": "1"}}}}),
    ],
    ids=["cut", "list", "nested", "deep"],
)
def test_a_hostile_lockfile_is_malformed_with_a_reason(text: str) -> None:
    package = Package(ecosystem="npm", name="qs", version="1")
    use = package_use("package-lock.json", package, Files({"package-lock.json": text}))
    assert (use.scope, use.reason) == (Scope.UNKNOWN, "The lockfile is malformed.")


def test_what_is_not_there_has_its_reason() -> None:
    assert _npm(V3, "qs", "9.9.9").reason == "The lockfile does not hold this version."
    package = Package(ecosystem="Go", name="x", version="1")
    assert "kind" in package_use("go.sum", package, Files({})).reason
    assert "no such file" in package_use("gradle.lockfile", package, Files({})).reason


@pytest.mark.parametrize(
    ("configurations", "scope"),
    [
        ("compileClasspath,runtimeClasspath,testRuntimeClasspath", Scope.RUNTIME),
        ("releaseRuntimeClasspath", Scope.RUNTIME),
        ("testCompileClasspath,testImplementationDependenciesMetadata", Scope.TEST),
        ("debugAndroidTestRuntimeClasspath,ktlint", Scope.TEST),
        ("releaseUnitTestCompileClasspath", Scope.TEST),
        ("testFixturesApiDependenciesMetadata", Scope.TEST),
        ("ktlint", Scope.TOOLING),
        ("kotlinCompilerClasspath,kotlinCompilerPluginClasspathTest", Scope.TOOLING),
        ("", Scope.UNKNOWN),
    ],
)
def test_the_configurations_of_gradle_say_what_a_module_is_for(
    configurations: str, scope: Scope
) -> None:
    text = f"# generated\na:b:1={configurations}\na:b:11=runtimeClasspath\nempty=detekt\n"
    locked = gradle_locked(text, "a:b", "1")
    assert locked is not None and locked.scope is scope
    assert gradle_locked(text, "a:b", "2") is None
