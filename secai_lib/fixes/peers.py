"""The open findings of a repository, which a rule may look at beside its own."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Self, TypeVar

from secai_lib.core.finding import Finding, Package, Result

_Key = TypeVar("_Key")


class Peers:
    """Findings by fingerprint, by file and by package, so that no rule walks through all of them.

    Every answer is in the order in which the findings were given.
    """

    def __init__(self, findings: Iterable[Finding] = ()) -> None:
        """Hold `findings`; of several with one fingerprint the last counts."""
        self._found = {finding.fingerprint: finding for finding in findings}

    def get(self, fingerprint: str) -> Finding | None:
        """The finding with this fingerprint; None when it is not open."""
        return self._found.get(fingerprint)

    def at(self, path: str) -> list[Finding]:
        """Those whose main place is in the file `path`."""
        return [self._found[name] for name in self._by_path.get(path, ())]

    def advisories(self, package: Package) -> tuple[Result, ...]:
        """What they say of the same package, whatever its installed version, each thing once.

        A package that a hundred modules install has a hundred findings of every advisory.
        """
        return self._advisories.get(_package(package), ())

    def named(self, package: str) -> list[Finding]:
        """Those about a package that is called exactly so, in any ecosystem."""
        return [self._found[name] for name in self._by_name.get(package, ())]

    def moved(self, path: str, move: Callable[[Finding], Finding]) -> None:
        """Put `move(finding)` in the place of every finding at `path`; the file stays the same."""
        for name in self._by_path.get(path, ()):
            self._found[name] = move(self._found[name])

    def copy(self) -> Self:
        """The same findings, to be moved apart from these."""
        twin = type(self)()
        twin._found = dict(self._found)
        for index in ("_by_path", "_by_name", "_advisories"):
            twin.__dict__[index] = getattr(self, index)  # moving changes no file and no package
        return twin

    @cached_property
    def _by_path(self) -> dict[str, list[str]]:
        return self._grouped(lambda finding: finding.result.path)

    @cached_property
    def _advisories(self) -> dict[tuple[str, str], tuple[Result, ...]]:
        said: dict[tuple[str, str], dict[object, Result]] = defaultdict(dict)
        for finding in self._found.values():
            result, package = finding.result, finding.result.package
            if package is not None:
                what = (result.rule_id, package.fixed_versions, package.ranges,
                        package.affected_versions)  # fmt: skip
                said[_package(package)].setdefault(what, result)
        return {key: tuple(results.values()) for key, results in said.items()}

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return self._grouped(lambda f: f.result.package.name if f.result.package else None)

    def _grouped(self, key_of: Callable[[Finding], _Key | None]) -> dict[_Key, list[str]]:
        groups: dict[_Key, list[str]] = defaultdict(list)
        for name, finding in self._found.items():
            if (key := key_of(finding)) is not None:
                groups[key].append(name)
        return dict(groups)


def _package(package: Package) -> tuple[str, str]:
    return package.ecosystem.lower(), package.name.lower()
