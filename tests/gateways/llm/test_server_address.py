"""Which addresses scan data may go to."""

import socket

import pytest

from secai_lib.core.errors import Unreachable, UsageError
from secai_lib.gateways.llm.server_address import find_server


def names(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """Let every host be at `addresses`; the hosts that were looked up."""
    asked: list[str] = []

    def look(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(family[":" in a], socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look)
    return asked


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "::1", "10.1.2.3", "172.31.0.1", "192.168.1.5", "169.254.3.4", "fd00::1"],
)
def test_private_addresses_are_fine(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    names(monkeypatch, address)
    server = find_server("http://llm.lan:8000/v1/", allow_public=False)
    assert server.private
    assert server.url.host == address
    assert (server.url.port, server.url.path, server.host) == (8000, "/v1", "llm.lan:8000")


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "172.32.0.1",
        "0.0.0.0",
        "100.64.0.1",
        "192.0.2.1",
        "2001:db8::1",
        "::ffff:8.8.8.8",
    ],
)
def test_public_addresses_need_a_word(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    names(monkeypatch, address)
    with pytest.raises(UsageError, match="allow_public_server"):
        find_server("https://llm.example/v1", allow_public=False)
    server = find_server("https://llm.example/v1", allow_public=True)
    assert not server.private
    assert server.name == "llm.example"


def test_one_public_address_among_private_ones_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, "10.0.0.1", "8.8.8.8")
    with pytest.raises(UsageError):
        find_server("http://mixed/v1", allow_public=False)


def test_a_name_is_looked_up_once_and_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = names(monkeypatch, "::1", "127.0.0.1")
    assert find_server("http://localhost/v1", allow_public=False).url.host == "127.0.0.1"
    assert asked == ["localhost"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8080",
        "ftp://127.0.0.1/v1",
        "file:///etc/passwd",
        "http:///v1",
        "http://user:pw@127.0.0.1/v1",
        "http://127.0.0.1/v1?key=1",
        "http://127.0.0.1/v1#x",
        "http://[::1/v1",
        "http://127.0.0.1:99999/v1",
    ],
)
def test_what_is_no_address_is_a_wrong_setting(url: str) -> None:
    with pytest.raises(UsageError, match="server_url") as caught:
        find_server(url, allow_public=True)
    assert "pw" not in str(caught.value)


def test_an_unknown_name_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(*_: object, **__: object) -> list[object]:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", look)
    with pytest.raises(Unreachable, match="not known"):
        find_server("http://nowhere.invalid/v1", allow_public=False)
