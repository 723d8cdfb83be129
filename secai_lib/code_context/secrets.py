"""Where the secrets of a commit stand, as the findings say, and what to show instead of them."""

from collections.abc import Iterable, Mapping, Sequence

from secai_lib.code_context.locate import REDACTED
from secai_lib.code_context.redaction import MIN_REPEATED, Values, private_keys, telling
from secai_lib.code_context.view import CodeLocation, FileView
from secai_lib.core.finding import Category, Finding
from secai_lib.core.fix import SourceFiles


class Secrets:
    """The secrets of one commit; built once, asked about any of its files."""

    def __init__(self, findings: Sequence[Finding], files: SourceFiles) -> None:
        """Look where the secret findings among `findings` point to."""
        found = [finding for finding in findings if finding.category is Category.SECRET]
        self._files = files
        self._views = file_views(found, files)
        self._telling = hide_secrets(found, self._views)
        self._everywhere = Values(self._telling)
        self._lines: dict[str, frozenset[int]] = {}

    def lines(self, path: str) -> frozenset[int]:
        """The lines of `path` (from 1) that hold a secret; none for a file that is not there."""
        if path not in self._lines:
            view = self._views.get(path)
            self._lines[path] = frozenset(view.hidden()) if view else self._others(path)
        return self._lines[path]

    def masked(self, path: str, text: str) -> str:
        """`text`, which is about the file `path`, without the secrets of that file."""
        view = self._views.get(path)
        return view.without_secrets(text) if view else self._everywhere.out_of(text)

    def _others(self, path: str) -> frozenset[int]:
        """The lines of a file that no secret finding is about, but that may repeat one."""
        lines = (self._files.read(path) or "").split("\n")
        repeated = {n for n, line in enumerate(lines, 1) if self._everywhere.out_of(line) != line}
        return frozenset(repeated | private_keys(lines))

    def texts(self) -> Mapping[str, str]:
        """What must be shown nowhere, whole lines and values, with what to show instead."""
        found = dict.fromkeys(self._telling, REDACTED)
        for view in self._views.values():
            for number, shown in view.hidden().items():
                line = view.lines[number - 1].strip()
                if len(line) >= MIN_REPEATED:
                    found[line] = shown.strip()
        return found


def file_views(findings: Iterable[Finding], files: SourceFiles | None) -> dict[str, FileView]:
    """Path -> view of every readable file that `findings` are about; paths sorted."""
    if files is None:
        return {}
    views: dict[str, FileView] = {}
    for path in sorted({place.path for finding in findings for place in places(finding)}):
        text = files.read(path)
        if text is not None:
            views[path] = FileView(path, text)
    return views


def hide_secrets(findings: Iterable[Finding], views: Mapping[str, FileView]) -> set[str]:
    """The values that are now hidden in every view; the others of a file only in its own."""
    secret: dict[str, set[int]] = {path: set() for path in views}
    for finding in findings:
        if finding.category is Category.SECRET:
            for place in places(finding):
                if view := views.get(place.path):
                    secret[place.path] |= view.mark(place, view.locate(finding, place))
    values = {path: view.redact(secret[path]) for path, view in views.items()}
    shared = telling({value for found in values.values() for value in found})
    for path, view in views.items():
        view.forget(values[path] | shared)
    return shared


def places(finding: Finding) -> list[CodeLocation]:
    """The places of `finding` in files of the repository."""
    return [place for place in finding.result.locations if isinstance(place, CodeLocation)]
