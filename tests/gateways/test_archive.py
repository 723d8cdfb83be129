"""Folders and zips that mean harm, built here."""

import gzip
import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from secai_lib.core.errors import UnsafeArchive
from secai_lib.core.scan import LeftOut
from secai_lib.gateways.archive import ArchiveLimits, read_reports

LIMITS = ArchiveLimits()


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    handle = io.BytesIO()
    with zipfile.ZipFile(handle, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return handle.getvalue()


def store(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "scans.zip"
    path.write_bytes(data)
    return path


def refused(tmp_path: Path, data: bytes, limits: ArchiveLimits = LIMITS) -> UnsafeArchive:
    """The error; and proof that not one file was given out before it."""
    taken = []
    with pytest.raises(UnsafeArchive) as caught:
        for item in read_reports(store(tmp_path, data), limits):
            taken.append(item)
    assert taken == []
    assert caught.value.archive == "scans.zip"
    assert str(tmp_path) not in str(caught.value)
    return caught.value


def test_a_file_a_folder_and_a_zip_give_the_same_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    (folder / "gitleaks-results.sarif").mkdir(parents=True)
    (folder / "gitleaks-results.sarif" / "results.sarif").write_bytes(b"{}")
    (folder / "a.json").write_bytes(b"[1]")
    expected = [("a.json", b"[1]"), ("gitleaks-results.sarif/results.sarif", b"{}")]
    assert list(read_reports(folder)) == expected
    assert list(read_reports(folder / "a.json")) == [("a.json", b"[1]")]
    # a zip by content, whatever its name; members sorted, whatever their order
    other = tmp_path / "download"
    other.write_bytes(zipped(dict(reversed(expected))))
    assert list(read_reports(other, LIMITS)) == expected


def test_zips_inside_a_folder_and_a_zip_are_opened_one_level(tmp_path: Path) -> None:
    inner = zipped({"r.sarif": b"{}"})
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "semgrep.zip").write_bytes(inner)
    assert list(read_reports(tmp_path / "run")) == [("semgrep.zip/r.sarif", b"{}")]
    assert list(read_reports(store(tmp_path, zipped({"semgrep.zip": inner})))) == [
        ("semgrep.zip/r.sarif", b"{}")
    ]
    deep = zipped({"a.zip": zipped({"b.zip": inner})})
    assert refused(tmp_path, deep).limit == "nesting"
    assert refused(tmp_path, zipped({"a.zip": inner}), ArchiveLimits(nesting=0)).limit == "nesting"


def test_a_file_named_zip_that_is_none_stays_a_file_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "note.zip").write_bytes(b"hello")
    assert list(read_reports(tmp_path / "run")) == [("note.zip", b"hello")]
    assert "no zip archive" in refused(tmp_path, b"hello").reason


def test_an_empty_zip_and_an_empty_folder_hold_nothing(tmp_path: Path) -> None:
    assert list(read_reports(store(tmp_path, zipped({})))) == []
    (tmp_path / "empty").mkdir()
    assert list(read_reports(tmp_path / "empty")) == []
    with pytest.raises(FileNotFoundError):
        list(read_reports(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("/etc/passwd", "is absolute"),
        ("C:/x", "is absolute"),
        ("../x", "leads out"),
        ("a/../../x", "leads out"),
        ("a\\..\\x", "backslash"),
        ("a//b", "plain form"),
        ("./a", "plain form"),
        ("a\nb", "cannot be shown"),
        ("a\u202eb", "cannot be shown"),
        ("x" * 401, "more than 400 characters"),
        ("//server/share/x", "is absolute"),
        ("\\\\server\\share\\x", "backslash"),
        ("c:x", "is absolute"),
        ("a/NUL", "is a device on Windows"),
        ("com1.json", "is a device on Windows"),
        ("aux.tar/x", "is a device on Windows"),
        ("a.json.", "ends in a dot or blank"),
        ("a /x.json", "ends in a dot or blank"),
        ("...", "ends in a dot or blank"),
        ("a\x7fb", "cannot be shown"),
        ("a\xa0b", "cannot be shown"),
    ],
)
def test_names_that_lie_are_refused(tmp_path: Path, name: str, reason: str) -> None:
    assert reason in refused(tmp_path, zipped({"good.json": b"{}", name: b"x"})).reason


def test_a_nul_in_a_name_is_refused(tmp_path: Path) -> None:
    data = zipped({"good.json#evil": b"x"}).replace(b"good.json#evil", b"good.json\0evil")
    assert "cannot be shown" in refused(tmp_path, data).reason


@pytest.mark.parametrize(
    "mode", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK]
)
def test_links_and_devices_are_refused(tmp_path: Path, mode: int) -> None:
    handle = io.BytesIO()
    with zipfile.ZipFile(handle, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (mode | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    assert "link or a device" in refused(tmp_path, handle.getvalue()).reason


def test_ordinary_modes_and_folders_are_fine(tmp_path: Path) -> None:
    handle = io.BytesIO()
    with zipfile.ZipFile(handle, "w") as archive:
        archive.mkdir("d")
        info = zipfile.ZipInfo("d/a.json")
        info.external_attr = (stat.S_IFREG | 0o644) << 16
        archive.writestr(info, "{}")
    assert list(read_reports(store(tmp_path, handle.getvalue()))) == [("d/a.json", b"{}")]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_collide_are_refused(tmp_path: Path) -> None:
    handle = io.BytesIO()
    with zipfile.ZipFile(handle, "w") as archive:
        archive.writestr("a.json", "1")
        archive.writestr("a.json", "2")
    assert "twice" in refused(tmp_path, handle.getvalue()).reason
    assert "upper case" in refused(tmp_path, zipped({"a.json": b"1", "A.json": b"2"})).reason
    composed, split = "\u00e9.json", "e\u0301.json"
    assert "way of accents" in refused(tmp_path, zipped({composed: b"1", split: b"2"})).reason
    sharp = {"stra\u00dfe.json": b"1", "STRASSE.json": b"2"}
    assert "upper case" in refused(tmp_path, zipped(sharp)).reason
    assert "below a file" in refused(tmp_path, zipped({"A": b"1", "a/b": b"2"})).reason
    assert "twice" in refused(tmp_path, zipped({"a": b"1", "a/": b""})).reason
    assert "below a file" in refused(tmp_path, zipped({"a": b"1", "a/b/c": b"2"})).reason


def test_encrypted_and_unknown_methods_are_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.json": b"{}"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    assert "encrypted" in refused(tmp_path, bytes(data)).reason
    lzma = zipped({"a.json": b"{}"}, zipfile.ZIP_LZMA)
    assert "method" in refused(tmp_path, lzma).reason


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flipped(data: bytes) -> bytes:
    body = bytearray(data)
    body[60] ^= 0xFF
    return bytes(body)


def no_directory(data: bytes) -> bytes:
    return data.replace(b"PK\x01\x02", b"PK\x01\x09")


def far_away(data: bytes) -> bytes:
    at = data.rindex(b"PK\x05\x06")
    return data[: at + 16] + struct.pack("<L", 2**31) + data[at + 20 :]


@pytest.mark.parametrize("damage", [cut, flipped, no_directory, far_away])
def test_damaged_archives_are_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    good = zipped({"a.json": os.urandom(500), "b.json": os.urandom(500)})
    assert "damaged or cut off" in refused(tmp_path, damage(good)).reason


def test_the_second_file_s_damage_keeps_back_the_first(tmp_path: Path) -> None:
    good = zipped({"a.json": b"{}", "b.json": b"0123456789" * 9}, zipfile.ZIP_STORED)
    bad = good.replace(b"0123456789", b"x123456789", 1)
    assert "damaged" in refused(tmp_path, bad).reason


def test_a_damaged_zip_in_a_folder_keeps_back_the_folder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "a.json").write_bytes(b"{}")
    (tmp_path / "run" / "b.zip").write_bytes(cut(zipped({"x": b"1" * 99})))
    reports = read_reports(tmp_path / "run")
    with pytest.raises(UnsafeArchive):
        next(reports)


def test_every_limit_is_named(tmp_path: Path) -> None:
    bomb = zipped({"a": b"\0" * 3_000_000})
    assert refused(tmp_path, bomb).limit == "ratio"
    assert "limit: ratio" in str(refused(tmp_path, bomb))
    many = zipped({f"{n}": b"" for n in range(11)})
    assert refused(tmp_path, many, ArchiveLimits(entries=10)).limit == "entries"
    two = zipped({"a": b"12345", "b": b"12345"})
    assert refused(tmp_path, two, ArchiveLimits(file_bytes=4)).limit == "file_bytes"
    assert refused(tmp_path, two, ArchiveLimits(total_bytes=9)).limit == "total_bytes"
    exact = ArchiveLimits(entries=2, file_bytes=5, total_bytes=10)
    assert len(list(read_reports(store(tmp_path, two), exact))) == 2


def test_the_ratio_lets_a_very_regular_small_report_pass(tmp_path: Path) -> None:
    assert len(list(read_reports(store(tmp_path, zipped({"a": b" " * 900_000}))))) == 1


def test_limits_count_over_nested_archives(tmp_path: Path) -> None:
    nested = zipped({f"{n}.zip": zipped({"x": b"12345"}) for n in range(3)})
    assert refused(tmp_path, nested, ArchiveLimits(total_bytes=14)).limit == "total_bytes"
    assert refused(tmp_path, nested, ArchiveLimits(entries=5)).limit == "entries"


def test_sizes_in_the_directory_are_not_believed(tmp_path: Path) -> None:
    data = bytearray(zipped({"a": b"\0" * 3_000_000}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<L", data, data.index(signature) + offset, 10)
    error = refused(tmp_path, bytes(data))
    assert error.limit == "ratio" or "damaged" in error.reason


def test_a_huge_directory_is_refused_before_it_is_read(tmp_path: Path) -> None:
    data = zipped({"a": b"1"})
    at = data.rindex(b"PK\x05\x06")
    lying = data[: at + 12] + struct.pack("<L", 2**30) + data[at + 16 :]
    assert refused(tmp_path, lying).limit == "entries"
    record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 2**40, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    assert refused(tmp_path, data[:at] + record + locator + data[at:]).limit == "entries"
    # zipfile reads the record before the locator, whatever place the locator names
    small = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 47, 0)
    elsewhere = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    two_minds = data[:at] + small + record + elsewhere + data[at:]
    assert refused(tmp_path, two_minds).limit == "entries"
    nowhere = struct.pack("<4sLQL", b"PK\x06\x07", 0, 2**64 - 1, 1)
    refused(tmp_path, data[:at] + nowhere + data[at:])


def test_a_million_entries_are_refused_by_the_count_alone(tmp_path: Path) -> None:
    entry = zipped({"a": b""})
    start, end = entry.index(b"PK\x01\x02"), entry.rindex(b"PK\x05\x06")
    directory = entry[start:end] * 200_000
    record = struct.pack(
        "<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 10**6, 10**6, len(directory), start
    )
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start + len(directory), 1)
    last = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    data = entry[:start] + directory + record + locator + last
    assert refused(tmp_path, data).limit == "entries"
    # and when the count lies, by the size of the directory
    modest = data.replace(struct.pack("<QQ", 10**6, 10**6), struct.pack("<QQ", 1, 1))
    assert refused(tmp_path, modest).limit == "entries"


def test_zip64_as_github_writes_it_is_read(tmp_path: Path) -> None:
    """Sizes in the extra field, a data descriptor after each file, zip64 end records."""
    handle = io.BytesIO()
    with zipfile.ZipFile(Streamed(handle), "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("results.sarif", "deep/er.json"):
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as member:
                member.write(b"{}" * 500)
    data = handle.getvalue()
    at = data.rindex(b"PK\x05\x06")
    start = data.index(b"PK\x01\x02")
    record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 2, 2, at - start, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    last = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 2**32 - 1, 2**32 - 1, 0)
    expected = [("deep/er.json", b"{}" * 500), ("results.sarif", b"{}" * 500)]
    assert list(read_reports(store(tmp_path, data))) == expected
    assert list(read_reports(store(tmp_path, data[:at] + record + locator + last))) == expected


class Streamed(io.RawIOBase):
    """A pipe: writing a zip into it needs data descriptors."""

    def __init__(self, sink: io.BytesIO) -> None:
        self._sink = sink

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        return self._sink.write(data)  # type: ignore[arg-type]


def test_entries_that_share_bytes_are_refused(tmp_path: Path) -> None:
    """A kernel of packed bytes that many entries quote unpacks to petabytes without nesting."""
    data = zipped({"a.json": b"1" * 9000, "b.json": b"1" * 9000})
    second = data.rindex(b"PK\x01\x02")
    same = bytearray(data)
    struct.pack_into("<L", same, second + 42, 0)
    assert "shares bytes" in refused(tmp_path, bytes(same)).reason
    quoted = bytearray(zipped({"a.json": b"1" * 99, "b.json": b"1" * 99}, zipfile.ZIP_STORED))
    for signature, offset in ((b"PK\x03\x04", 18), (b"PK\x01\x02", 20)):
        struct.pack_into("<LL", quoted, quoted.index(signature) + offset, 150, 150)
    assert "shares bytes" in refused(tmp_path, bytes(quoted)).reason
    into_the_directory = bytearray(zipped({"a.json": b"1" * 99}, zipfile.ZIP_STORED))
    for signature, offset in ((b"PK\x03\x04", 18), (b"PK\x01\x02", 20)):
        struct.pack_into(
            "<LL", into_the_directory, into_the_directory.index(signature) + offset, 120, 120
        )
    assert "shares bytes" in refused(tmp_path, bytes(into_the_directory)).reason


def test_folders_that_are_none_are_refused(tmp_path: Path) -> None:
    assert "has content" in refused(tmp_path, zipped({"a/": b"a report, unseen"})).reason
    handle = io.BytesIO()
    with zipfile.ZipFile(handle, "w") as archive:
        info = zipfile.ZipInfo("results.sarif")
        info.external_attr = (stat.S_IFDIR | 0o755) << 16
        archive.writestr(info, "{}")
    assert "named like a file" in refused(tmp_path, handle.getvalue()).reason


def test_names_in_odd_encodings_are_kept_or_refused_and_never_mixed_up(tmp_path: Path) -> None:
    plain = zipped({"report-XY.json": b"{}"})
    # no flag: the bytes are code page 437, which every byte has a letter in
    (name, data), *_ = read_reports(store(tmp_path, plain.replace(b"XY", b"\xe9\x82")))
    assert (name, data) == ("report-\u0398\u00e9.json", b"{}")
    assert "cannot be shown" in refused(tmp_path, plain.replace(b"XY", b"\xff\x82")).reason
    # the flag says UTF-8 and the bytes are not
    marked = zipped({"report-\u00e9.json": b"{}"}).replace(b"\xc3\xa9", b"\xc3\x28")
    assert "damaged" in refused(tmp_path, marked).reason
    # directory and local header name different files
    assert "damaged" in refused(tmp_path, plain.replace(b"XY", b"ZZ", 1)).reason


def test_a_bomb_of_many_layers_is_refused_at_the_first_too_deep(tmp_path: Path) -> None:
    bomb = zipped({"0": b"\0" * 900_000})
    for layer in range(6):
        bomb = zipped({f"{layer}-{n}.zip": bomb for n in range(16)})
    assert refused(tmp_path, bomb).limit == "nesting"


def test_other_archives_are_files_like_any_other(tmp_path: Path) -> None:
    """They are not unpacked; the parsers then say that an archive is no report."""
    packed = gzip.compress(b"{}", mtime=0)
    (tmp_path / "r.json.gz").write_bytes(packed)
    assert list(read_reports(tmp_path)) == [("r.json.gz", packed)]


def test_what_is_no_file_at_all_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(UnsafeArchive, match="neither a file nor a folder"):
            next(read_reports(path))


def test_an_unreadable_file_by_itself_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")

    def deny(*_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", deny)
    with pytest.raises(UnsafeArchive, match="cannot be read"):
        next(read_reports(tmp_path / "a.json"))


def test_hostile_names_of_a_folder_are_left_out_and_noted(tmp_path: Path) -> None:
    (tmp_path / "a\nb.json").write_bytes(b"{}")
    os.close(os.open(os.fsencode(tmp_path) + b"/\xff.json", os.O_CREAT))
    deep = tmp_path
    for _ in range(3):
        deep = deep / ("d" * 150)
        deep.mkdir()
    (deep / "c.json").write_bytes(b"{}")
    skipped: list[LeftOut] = []
    assert list(read_reports(tmp_path, LIMITS, skipped)) == []
    assert sorted(one.reason for one in skipped) == [
        "its name has characters that cannot be shown",
        "its name is not UTF-8",
        "its path has more than 400 characters",
    ]
    assert all(one.path.isprintable() for one in skipped)


def test_a_folder_of_empty_folders_counts_too(tmp_path: Path) -> None:
    for n in range(6):
        (tmp_path / str(n)).mkdir()
    with pytest.raises(UnsafeArchive, match="limit: entries"):
        next(read_reports(tmp_path, ArchiveLimits(entries=5)))


def test_folder_limits_and_what_is_left_out(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "sub").mkdir(parents=True)
    (run / "sub" / "b.json").write_bytes(b"12345")
    (run / "a.json").write_bytes(b"12345")
    (run / "passwd.json").symlink_to("/etc/passwd")
    (run / "etc").symlink_to("/etc")
    os.mkfifo(run / "pipe")
    skipped: list[LeftOut] = []
    names = [name for name, _ in read_reports(run, LIMITS, skipped)]
    assert names == ["a.json", "sub/b.json"]
    assert [(one.path, one.reason) for one in skipped] == [
        ("etc", "a link is not followed"),
        ("passwd.json", "a link is not followed"),
        ("pipe", "not a regular file"),
    ]
    for limits in (
        ArchiveLimits(entries=4),
        ArchiveLimits(file_bytes=4),
        ArchiveLimits(total_bytes=9),
    ):
        with pytest.raises(UnsafeArchive, match=r"^run: .*limit: (entries|file_b|total_b)"):
            next(read_reports(run, limits))


def test_an_unreadable_file_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    (tmp_path / "b.json").write_bytes(b"{}")
    real = Path.open

    def deny(self: Path, *args: object, **kwargs: object) -> object:
        if self.name == "a.json":
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", deny)
    skipped: list[LeftOut] = []
    assert [name for name, _ in read_reports(tmp_path, LIMITS, skipped)] == ["b.json"]
    assert [(one.path, one.reason) for one in skipped] == [
        ("a.json", "it cannot be read (Permission denied)")
    ]
