"""The version that an answer names first is the one in the branch that is in use."""

import pytest

from secai_lib.datasets.upgrades import upgrades


@pytest.mark.parametrize(
    ("installed", "fixed", "ordered"),
    [
        ("1.3.5", ("1.5.13", "1.3.15"), ("1.3.15", "1.5.13")),  # logback in the real scans
        ("1.4.14", ("1.5.13", "1.3.15"), ("1.5.13",)),  # 1.3.15 is older
        ("1.26.4", ("2.0.6", "1.26.17", "1.26.5"), ("1.26.5", "1.26.17", "2.0.6")),
        ("4.1.101.Final", ("4.2.5.Final", "4.1.118.Final"), ("4.1.118.Final", "4.2.5.Final")),
        ("9.9.1", ("9.10.0", "10.0.0"), ("9.10.0", "10.0.0")),
        ("2.36-9+deb12u9", ("2.36-9+deb12u10",), ("2.36-9+deb12u10",)),
        ("2.14.0-rc2", ("2.14.0",), ("2.14.0",)),
        ("v1.2.0", ("v1.2.1", "v1.2.1"), ("v1.2.1",)),
        ("", ("2.0", "1.0"), ("2.0", "1.0")),
        ("2.0", (), ()),
    ],
)
def test_upgrades(installed: str, fixed: tuple[str, ...], ordered: tuple[str, ...]) -> None:
    assert upgrades(installed, fixed) == ordered
