"""Changes zips where it hurts: names, attributes, sizes, offsets, flags, nesting."""

import io
import re
import stat
import struct
import warnings
import zipfile
from random import Random

from tests.fuzz.mutate import mutate_bytes

NAMES = (
    "a.json", "A.json", "a.json/b", "a/", "deep/er/x.sarif", "inner.zip", "../x", "/x", "C:x", "..",
    "a\\b", "nul", "com1.txt", "x.", "a\x01b", "e\u0301.json", "\u00e9.json", "\u202ex", "a" * 500,
    "a//b", "./a", "\U0001f600.json",
)  # fmt: skip
_SIGNATURES = {
    b"PK\x03\x04": ((4, "H"), (6, "H"), (8, "H"), (14, "L"), (18, "L"), (22, "L"),
                    (26, "H"), (28, "H")),
    b"PK\x01\x02": (
        (4, "H"), (6, "H"), (8, "H"), (10, "H"), (16, "L"), (20, "L"), (24, "L"), (28, "H"),
        (30, "H"), (32, "H"), (34, "H"), (38, "L"), (42, "L"),
    ),
    b"PK\x05\x06": ((4, "H"), (6, "H"), (8, "H"), (10, "H"), (12, "L"), (16, "L"), (20, "H")),
    b"PK\x06\x06": ((4, "Q"), (24, "Q"), (32, "Q"), (40, "Q"), (48, "Q")),
    b"PK\x06\x07": ((4, "L"), (8, "Q"), (16, "L")),
}  # fmt: skip
"""Offsets and widths of the fields behind each signature."""
_WIDTHS = {"H": 2, "L": 4, "Q": 8}
_MODES = (0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, 0xF000)


def seeds() -> list[bytes]:
    """Honest archives of every layout we know."""
    inner = _zip([("r.sarif", b"{}", 0)], zipfile.ZIP_DEFLATED)
    plain = _zip([("a.json", b"{}", 0), ("b/c.json", b"[1]" * 99, 0)], zipfile.ZIP_DEFLATED)
    stored = _zip([("d/", b"", 0o40755 << 16), ("d/a.json", b"{}", 0o100644 << 16)])
    nested = _zip([("semgrep.zip", inner, 0), ("x.json", b" " * 2000, 0)], zipfile.ZIP_DEFLATED)
    return [inner, plain, stored, nested, _with_zip64_end(plain), _zip([]), b"{}"]


def mutate_zip(data: bytes, rng: Random) -> bytes:
    """`data` built anew with other members, with fields of its headers changed, or both."""
    if rng.random() < 0.4:
        data = _rebuilt(data, rng)
    for _ in range(rng.randint(0, 3)):
        data = _patched(data, rng)
    return mutate_bytes(data, rng) if rng.random() < 0.1 else data


def _rebuilt(data: bytes, rng: Random) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [
                (i.filename, archive.read(i), i.external_attr) for i in archive.infolist()[:20]
            ]
    except Exception:  # noqa: BLE001 - whatever is wrong with it, start from nothing
        members = []
    at = rng.randint(0, len(members))
    content = rng.choice((b"", b"{}", b"\0" * 200_000, data[:50_000], rng.randbytes(200)))
    member = (rng.choice(NAMES), content, rng.choice(_MODES) << 16 | rng.choice((0, 0, 0x10)))
    match rng.randrange(4):
        case 0:
            members.insert(at, member)
        case 1:
            members[at : at + 1] = [member]
        case 2:
            members[at : at + 1] = members[at : at + 1] * 2
        case _:
            members = [("layer.zip", data[:100_000], 0)]
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED))
    return _zip(members, method)


def _patched(data: bytes, rng: Random) -> bytes:
    """One field of one header set to a value that tends to be trusted."""
    signature = rng.choice(list(_SIGNATURES))
    places = [found.start() for found in re.finditer(re.escape(signature), data)]
    if not places:
        return data
    offset, kind = rng.choice(_SIGNATURES[signature])
    at = rng.choice(places) + offset
    width = _WIDTHS[kind]
    if at + width > len(data):
        return data
    largest = 256**width - 1
    (old,) = struct.unpack_from(f"<{kind}", data, at)
    new = rng.choice(
        (0, 1, old + 1, old - 1, old * 2, old ^ 1 << rng.randrange(8 * width), largest,
         largest >> 1, len(data), rng.randint(0, min(largest, len(data))))
    ) & largest  # fmt: skip
    return data[:at] + struct.pack(f"<{kind}", new) + data[at + width :]


def _zip(members: list[tuple[str, bytes, int]], method: int = zipfile.ZIP_STORED) -> bytes:
    handle = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(handle, "w", method) as archive:
        warnings.simplefilter("ignore")  # duplicate names are the point
        for name, content, attributes in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = attributes
            info.compress_type = method
            archive.writestr(info, content)
    return handle.getvalue()


def _with_zip64_end(data: bytes) -> bytes:
    at = data.rindex(b"PK\x05\x06")
    count, size, start = struct.unpack_from("<HLL", data, at + 10)
    record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    end = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    return data[:at] + record + locator + end
