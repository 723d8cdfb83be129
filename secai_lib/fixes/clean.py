"""Clean files for the forge: where they come from, and which of them may be used."""

import re
from collections.abc import Sequence

from secai_lib.core.fix import Edit, Fix, SourceFiles
from secai_lib.core.licences import licence_of
from secai_lib.core.record import Record
from secai_lib.core.syntax import language_of
from secai_lib.fixes.edits import EditError, apply_edits
from secai_lib.fixes.patch import Secrets

SEED = "seed"
"""The origin of the files that we wrote ourselves."""
MAX_CHARACTERS = 40_000
"""A longer file is generated, or none that a person would show a model."""
LANGUAGES = frozenset({"yaml", "dockerfile", "python", "kotlin", "typescript", "tsx"})
"""What the inverses of the fix rules read."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UNSAFE = re.compile(r"[\\\x00-\x1f\x7f]|(?:^|/)(?:\.\.|\.git)(?:/|\Z)", re.IGNORECASE)
"""A path that scanners or we could take for another place."""


class CleanFile(Record):
    """A file without the weaknesses that the forge may put into it."""

    origin: str
    """`seed`, or the repository's name."""
    licence: str
    """SPDX identifier, or `unknown`."""
    path: str
    """Its path, which decides what scanners take it for."""
    text: str
    """Its text."""


def clean_files(
    repository: str, files: SourceFiles, fixes: Sequence[Fix], secrets: Secrets
) -> list[CleanFile]:
    """The usable files of a commit with its patch applied, in the order of their paths.

    Left out are files with a secret, with control characters, and those beyond the size of a
    hand-written file.
    """
    licence = licence_of(files)
    found = []
    for path in files.paths():
        usable = language_of(path) in LANGUAGES and not _UNSAFE.search(path)
        text = files.read(path) if usable else None
        if text is None or len(text) > MAX_CHARACTERS or _CONTROL.search(text):
            continue
        if not secrets.lines(path):
            mended = _mended(path, text, fixes)
            found.append(CleanFile(origin=repository, licence=licence, path=path, text=mended))
    return found


def _mended(path: str, text: str, fixes: Sequence[Fix]) -> str:
    """`text` with the fixes of the patch, save those that no longer fit beside the others."""
    chosen: list[Edit] = []
    for fix in fixes:
        mine = [e for e in fix.proposal.edits if e.path == path and e not in chosen]
        if not fix.in_patch or not mine:
            continue
        try:
            apply_edits(text, [*chosen, *mine])
        except EditError:
            continue
        chosen += mine
    return apply_edits(text, chosen)
