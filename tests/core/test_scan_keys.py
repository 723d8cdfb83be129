"""Keys are safe folder names, and different requests never share one."""

import re
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from secai_lib.core.scan import FilesScan, GithubScan, LocalScan
from secai_lib.core.scan_keys import scan_key

WHEN = datetime(2025, 9, 11, tzinfo=UTC)
SHA = "87820e7" + "0" * 33


def github(repository: str, run_id: int = 17, attempt: int = 1) -> str:
    return scan_key(
        GithubScan(
            repository=repository, run_id=run_id, attempt=attempt, commit=SHA, created_at=WHEN
        )
    )


def local(
    repository: str,
    scanners: tuple[str, ...] = ("zizmor", "bandit"),
    commit: str = SHA,
    reports: str = "",
) -> str:
    return scan_key(
        LocalScan(
            repository=repository,
            commit=commit,
            scanners=scanners,
            reports=reports,
            created_at=WHEN,
        )
    )


def files(repository: str, inbox: str = "abc") -> str:
    return scan_key(FilesScan(repository=repository, inbox=inbox, created_at=WHEN))


def test_github_key_says_where_it_came_from() -> None:
    assert github("hitoshura25/mpo-api-authn-server", 18, 2) == (
        "hitoshura25~mpo-api-authn-server~18~2"
    )


def test_a_rerun_is_a_scan_of_its_own() -> None:
    assert github("a/b", attempt=1) != github("a/b", attempt=2)


def test_local_key_is_name_and_twelve_hex_digits() -> None:
    assert re.fullmatch(r"local~shop~[0-9a-f]{12}", local("shop"))
    assert re.fullmatch(r"files~octo~shop~[0-9a-f]{12}", files("octo/shop"))


def test_local_key_follows_content_not_order() -> None:
    assert local("shop") == local("shop", scanners=("bandit", "zizmor"))
    others = {
        local("shop"),
        local("shop", scanners=("bandit",)),
        local("shop", commit="1" * 40),
        local("shop", reports="inbox1"),
        local("shop2"),
    }
    assert len(others) == 5


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "a...b", "..", ".", ".git", "", "/", "a//b", "x y", "ünï", "a~b", "a\n",
     "a\0b", "x" * 500, "CON:1", "a/..", "-", "$(rm)"],
)  # fmt: skip
def test_hostile_names_become_safe_folder_names(name: str) -> None:
    for key in (github(name), local(name), files(name)):
        assert re.fullmatch(r"[A-Za-z0-9._~-]{1,180}", key)
        assert ".." not in key
        assert not key.startswith(".")


def test_changed_names_do_not_meet_clean_ones() -> None:
    look_alikes = ["a b", "a-b", "a/b", "a~b", "a//b", "a..b", "a...b", "a/b/", local("a b")[6:-13]]
    assert len({local(name) for name in look_alikes}) == len(look_alikes)
    assert len({github(name) for name in look_alikes}) == len(look_alikes)


NAMES = st.text(alphabet="aB1._-~/ é\\", max_size=12) | st.text(max_size=200)


@given(NAMES, NAMES)
def test_different_repositories_never_share_a_key(one: str, other: str) -> None:
    assume(one != other)
    assert github(one) != github(other)
    assert local(one) != local(other)
    assert len(github(one, 10**19, 999)) <= 180
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", github(one))
    assert ".." not in github(one)
