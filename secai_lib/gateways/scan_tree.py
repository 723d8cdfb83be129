"""What lies in a folder that is to be scanned."""

import os
from dataclasses import dataclass, field
from pathlib import Path

HEAD_BYTES = 1_000_000
"""How much of a file is read to see what it is; manifests are far smaller."""


@dataclass(frozen=True)
class ScanTree:
    """The regular files of a folder; links are never followed."""

    root: Path
    """The folder, absolute, links resolved."""
    files: tuple[str, ...]
    """Regular files, relative with `/`, sorted; nothing below `.git`."""
    links: tuple[str, ...]
    """Symbolic links, which no scanner may read: they can point outside."""
    unnameable: int = 0
    """Files left out because their name is not UTF-8 or not printable."""
    _heads: dict[str, bytes] = field(default_factory=dict, repr=False, compare=False)

    def head(self, path: str) -> bytes:
        """The first megabyte of `path`; empty when it cannot be read."""
        if path not in self._heads:
            try:
                with (self.root / path).open("rb") as handle:
                    self._heads[path] = handle.read(HEAD_BYTES)
            except OSError:
                return b""
        return self._heads[path]

    def size(self, path: str) -> int:
        """The size of `path` in bytes; 0 when it is gone."""
        try:
            return (self.root / path).stat().st_size
        except OSError:
            return 0


def read_tree(root: Path) -> ScanTree:
    """What lies below `root`; raises NotADirectoryError when it is no folder."""
    root = root.resolve()
    if not root.is_dir():
        raise NotADirectoryError(root.name)
    files: list[str] = []
    links: list[str] = []
    unnameable = 0
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        links += [_relative(here / d, root) for d in folders if (here / d).is_symlink()]
        folders[:] = sorted(d for d in folders if d != ".git" and not (here / d).is_symlink())
        for name in names:
            path = here / name
            relative = _relative(path, root)
            if path.is_symlink():
                links.append(relative)
            elif not relative.isprintable():
                unnameable += 1
            elif path.is_file():
                files.append(relative)
    return ScanTree(root, tuple(sorted(files)), tuple(sorted(links)), unnameable)


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
