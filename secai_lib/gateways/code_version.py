"""Which code made a product: a hash over the sources, so that nobody has to count versions."""

from functools import cache
from pathlib import Path

from secai_lib.core.record import content_hash, sha256_hex

PACKAGE = Path(__file__).resolve().parents[1]


@cache
def code_version(*rooms: str) -> str:
    """The content hash of the Python sources and templates of `rooms` and of `core`."""
    sources = {}
    for room in sorted({"core", *rooms}):
        place = PACKAGE / room
        files = (
            [place.with_suffix(".py")]
            if place.with_suffix(".py").is_file()
            else sorted(place.rglob("*"))
        )
        for file in files:
            if file.is_file() and file.suffix in {".py", ".scm", ".j2"}:
                sources[file.relative_to(PACKAGE).as_posix()] = sha256_hex(file.read_bytes())
    return content_hash(sources)
