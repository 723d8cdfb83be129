"""From a URL to a route: service first, then pattern, then method; never an exception."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secai_lib.route_mapping import Route, RouteTable, Service, match_url


def route(service: str, framework: str, method: str, pattern: str) -> Route:
    return Route(
        service=service, framework=framework, method=method, pattern=pattern,
        path=f"{service}/{method}{pattern}", line=1, end_line=1, handler_path="h", handler_line=1,
    )  # fmt: skip


TABLE = RouteTable(
    services=(
        Service(name="a", ports=(8080,), hosts=("a", "alias"), inner_ports=(80,)),
        Service(name="b", ports=(3000,), hosts=("b",), inner_ports=(8080,)),
        Service(name="c", ports=(7000,)),
        Service(name="d", ports=(7000,)),
    ),
    routes=(
        route("a", "ktor", "GET", "/"),
        route("a", "ktor", "GET", "/users/{id}"),
        route("a", "ktor", "GET", "/users/me"),
        route("a", "ktor", "DELETE", "/users/{id}"),
        route("a", "ktor", "GET", "/users/{id}/file.{ext}"),
        route("a", "ktor", "GET", "/search/{term?}"),
        route("a", "ktor", "GET", "/files/{path...}"),
        route("a", "ktor", "GET", "/files/top"),
        route("a", "ktor", "*", "/any"),
        route("a", "ktor", "GET", "/one/*"),
        route("b", "express", "GET", "/Items/:id"),
        route("b", "express", "GET", "/opt/:id?"),
        route("b", "express", "GET", "/digits/:n(\\d+)"),
        route("b", "express", "GET", "/wild/*"),
        route("b", "express", "GET", "/only-b"),
    ),
)


@pytest.mark.parametrize(
    ("url", "method", "service", "pattern"),
    [
        ("http://localhost:8080", "GET", "a", "/"),
        ("http://localhost:8080/?q=/users/1#x", "GET", "a", "/"),
        ("http://127.0.0.1:8080/users/7/", "GET", "a", "/users/{id}"),
        ("http://[::1]:8080/users/7", "get", "a", "/users/{id}"),
        ("HTTP://LOCALHOST:8080/users/7", "GET", "a", "/users/{id}"),
        ("http://localhost:8080/users/me", "GET", "a", "/users/me"),
        ("http://localhost:8080/users/m%65", "GET", "a", "/users/me"),
        ("http://localhost:8080/users/a%2Fb", "GET", "a", "/users/{id}"),
        ("http://localhost:8080/users/me", "DELETE", "a", "/users/{id}"),
        ("http://localhost:8080/users/1/file.png", "GET", "a", "/users/{id}/file.{ext}"),
        ("http://localhost:8080/search", "GET", "a", "/search/{term?}"),
        ("http://localhost:8080/search/x", "GET", "a", "/search/{term?}"),
        ("http://localhost:8080/files", "GET", "a", "/files/{path...}"),
        ("http://localhost:8080/files/a/b/c", "GET", "a", "/files/{path...}"),
        ("http://localhost:8080/files/top", "GET", "a", "/files/top"),
        ("http://localhost:8080/any", "PATCH", "a", "/any"),
        ("http://localhost:8080/one/x", "GET", "a", "/one/*"),
        ("http://alias/any", "GET", "a", "/any"),
        ("http://localhost/any", "GET", "a", "/any"),  # started without Compose
        ("http://b:8080/items/9", "GET", "b", "/Items/:id"),
        ("http://localhost:3000/ITEMS/9", "HEAD", "b", "/Items/:id"),
        ("http://localhost:3000/opt", "GET", "b", "/opt/:id?"),
        ("http://localhost:3000/digits/12", "GET", "b", "/digits/:n(\\d+)"),
        ("http://localhost:3000/wild/a/b", "GET", "b", "/wild/*"),
    ],
)
def test_mapped(url: str, method: str, service: str, pattern: str) -> None:
    match = match_url(TABLE, url, method)
    assert (match.service, match.pattern, match.reason) == (service, pattern, "")
    assert match.mapped_from == url and match.path and match.endpoint_type
    assert match.method == ("GET" if method == "HEAD" else method.upper())


@pytest.mark.parametrize(
    ("url", "method", "reason"),
    [
        ("http://localhost:8080/only-b", "GET", "No route"),
        ("http://localhost:8080/robots.txt", "GET", "No route"),
        ("http://localhost:8080/users", "GET", "No route"),
        ("http://localhost:8080/users/1/2", "GET", "No route"),
        ("http://localhost:8080/users/%6de/x", "GET", "No route"),
        ("http://localhost:8080/one", "GET", "No route"),
        ("http://localhost:8080/Users/1", "GET", "No route"),
        ("http://localhost:8080/users/1", "POST", "answers DELETE, GET, not POST"),
        ("http://localhost:8080/users/1", "HEAD", "answers DELETE, GET, not HEAD"),
        ("http://localhost:9999/", "GET", "No service"),
        ("http://localhost:81/", "GET", "No service"),
        ("http://example.com:8080/", "GET", "No service"),
        ("http://a:8080/", "GET", "No service"),
        ("http://localhost:7000/", "GET", "Several services"),
        ("http://localhost:99999/", "GET", "not valid"),
        ("http://localhost:abc/", "GET", "not valid"),
        ("http://[::1/", "GET", "not valid"),
        ("localhost:8080/", "GET", "no web address"),
        ("/users/1", "GET", "no web address"),
        ("file:///etc/passwd", "GET", "no web address"),
        ("", "GET", "no web address"),
        ("http://localhost:8080/" + "a/" * 2000, "GET", "more than"),
        ("http://localhost:8080/" + "a" * 100_000, "GET", "longer"),
    ],
)
def test_not_mapped_with_a_reason(url: str, method: str, reason: str) -> None:
    match = match_url(TABLE, url, method)
    assert reason in match.reason
    assert (match.path, match.line, match.pattern) == ("", 0, "")


@given(st.text(max_size=200), st.text(max_size=10))
def test_no_url_raises(url: str, method: str) -> None:
    for candidate in (url, f"http://localhost:8080/{url}", f"http://{url}"):
        match = match_url(TABLE, candidate, method)
        assert bool(match.reason) != bool(match.path)
        if match.path and candidate.startswith("http://localhost:8080/"):
            assert match.service == "a"


def test_an_empty_table_has_a_reason() -> None:
    assert match_url(RouteTable(), "http://localhost/", "GET").reason
