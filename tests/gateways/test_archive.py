"""Folders and zips that mean harm, built here."""

import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from secai_lib.core.errors import UnsafeArchive
from secai_lib.gateways.archive import ArchiveLimits, SkippedFile, read_reports

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
    assert "twice" in refused(tmp_path, zipped({composed: b"1", split: b"2"})).reason
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


def test_folder_limits_and_what_is_left_out(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "sub").mkdir(parents=True)
    (run / "sub" / "b.json").write_bytes(b"12345")
    (run / "a.json").write_bytes(b"12345")
    (run / "passwd.json").symlink_to("/etc/passwd")
    (run / "etc").symlink_to("/etc")
    os.mkfifo(run / "pipe")
    skipped: list[SkippedFile] = []
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
    skipped: list[SkippedFile] = []
    assert [name for name, _ in read_reports(tmp_path, LIMITS, skipped)] == ["b.json"]
    assert [(one.path, one.reason) for one in skipped] == [
        ("a.json", "it cannot be read (Permission denied)")
    ]
