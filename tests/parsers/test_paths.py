"""Paths: relative, inside, without the machine's folders."""

import pytest

from secai_lib.parsers.paths import Paths, Region, Unplaceable, clean_url


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("a/b.py", "a/b.py"),
        ("./a/b.py", "a/b.py"),
        ("a//./c/../b.py", "a/b.py"),
        ("a\\b.py", "a/b.py"),
        ("/home/runner/work/shop/shop/a/b.py", "a/b.py"),
        ("file:///home/runner/work/shop/shop/a%20b.py", "a b.py"),
        ("/github/workspace/a.py", "a.py"),
        ("/src/a.py", "a.py"),
        ("/src/src/a.py", "src/a.py"),
        ("D:\\a\\shop\\shop\\a.py", "a.py"),
        ("file:///D:/a/shop/shop/a.py", "a.py"),
        ("/checkout/deep/a.py", "a.py"),
        ("src/a.py", "src/a.py"),
        ("100%25.py", "100%25.py"),
    ],
)
def test_inside(raw: str, path: str) -> None:
    assert Paths(("/checkout", "/checkout/deep/")).relative(raw) == path


@pytest.mark.parametrize(
    "raw",
    [
        "",
        ".",
        "..",
        "../a.py",
        "a/../../b.py",
        "/etc/passwd",
        "/checkout",
        "/checkouts/a.py",
        "/checkout/../etc/passwd",
        "/home/runner/work/shop/shop/../../../../etc/passwd",
        "C:/Users/me/a.py",
        "\\\\host\\share\\a.py",
        "file://%2e%2e/a.py",
    ],
)
def test_outside(raw: str) -> None:
    with pytest.raises(Unplaceable) as caught:
        Paths(("/checkout",)).relative(raw)
    assert "/" not in str(caught.value)


def test_percent_signs_are_decoded_in_uris_only() -> None:
    assert Paths().relative("a%20b.py") == "a%20b.py"
    assert Paths().relative("a%20b.py", uri=True) == "a b.py"
    with pytest.raises(Unplaceable):
        Paths().relative("a/%2e%2e/%2e%2e/b", uri=True)


def test_urls_lose_their_credentials() -> None:
    assert clean_url("https://me:pw@host:8080/a?b=c#d") == "https://host:8080/a?b=c#d"


def test_regions_are_put_in_order() -> None:
    assert Region.of(5, 12, 3, 1) == Region(5, 11, 3, None)
    assert Region.of(5, 2) == Region(5, 5)
    assert Region.of(0, 3) == Region()
    assert Region.of(None, 3) == Region()
