"""Services: names and ports from Compose, Dockerfiles and code."""

from collections.abc import Mapping

import pytest

from secai_lib.route_mapping import RouteTable, match_url, route_table

APP = (
    "package a\nimport io.ktor.server.routing.*\nfun main() {\n"
    '    embeddedServer(Netty, port = %s) { routing { get("/%s") { } } }.start()\n}\n'
)


class Files:
    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self.texts))

    def read(self, path: str) -> str | None:
        return self.texts.get(path)


def table(**more: str) -> RouteTable:
    files = {
        "one/build.gradle.kts": "",
        "one/src/A.kt": APP % ("8080", "one"),
        "two/build.gradle.kts": "",
        "two/src/A.kt": APP % ("8081", "two"),
    }
    return route_table(Files(files | {k.replace("__", "/"): v for k, v in more.items()}))


def compose(one: str, two: str) -> str:
    return (
        f"services:\n  eins:\n    build: ./one\n    ports: [{one}]\n"
        f"  two:\n    build: {{context: two}}\n    ports: [{two}]\n"
    )


@pytest.mark.parametrize(
    ("port", "published"),
    [
        ('"9000:8080"', (9000,)),
        ('"127.0.0.1:9000:8080/tcp"', (9000,)),
        ('"[::1]:9000:8080"', (9000,)),
        ('"${PORT:-9000}:8080"', (9000,)),
        ("{target: 8080, published: 9000}", (9000,)),
        ('"${PORT}:8080"', (8080,)),
        ('"9000:5005"', (8080,)),
        ('"8080"', (8080,)),
        ('"nonsense"', (8080,)),
    ],
)
def test_compose_ports(port: str, published: tuple[int, ...]) -> None:
    files = {"docker-compose.yml": compose(port, '"8081:8081"')}
    found = table(**files)
    assert [(s.name, s.ports, s.inner_ports) for s in found.services] == [
        ("eins", published, (8080,)),
        ("two", (8081,), (8081,)),
    ]


def test_crossed_ports_reach_the_published_service() -> None:
    files = {"compose.yaml": compose('"8081:8080"', '"8080:8081"')}
    found = table(**files)
    assert match_url(found, "http://localhost:8081/one", "GET").service == "eins"
    assert match_url(found, "http://localhost:8080/two", "GET").pattern == "/two"
    assert match_url(found, "http://localhost:8080/one", "GET").path == ""
    assert match_url(found, "http://eins:8080/one", "GET").pattern == "/one"


def test_exposed_port_where_the_code_does_not_say() -> None:
    files = {
        "one/build.gradle.kts": "",
        "one/Dockerfile": "FROM x\nEXPOSE 9100/tcp\n",
        "one/src/A.kt": APP % ("settings.port", "x"),
    }
    assert [s.ports for s in route_table(Files(files)).services] == [(9100,)]
    files["one/Dockerfile"] = "FROM x\nEXPOSE 9100 22\n"
    assert [s.ports for s in route_table(Files(files)).services] == [()]


@pytest.mark.parametrize(
    "text",
    [
        "services: [", "services: 1", "- a", "services:\n  a: 1\n  b: {build: 5, ports: 7}",
        "services: {a: {build: ../../x, ports: ['1:1']}}",
        "services: &a {x: *a}", "[" * 5000, "a: &a [1]\nb: [" + "*a," * 5000 + "]",
        "services: {eins: {build: one, ports: ['99999999999:8080', '0:8080', '٣:8080']}}",
    ],
)  # fmt: skip
def test_hostile_compose_files_change_nothing(text: str) -> None:
    files = {"docker-compose.yml": text}
    assert [s.ports for s in table(**files).services] == [(8080,), (8081,)]


def test_same_folder_names_stay_apart() -> None:
    files = {
        f"{top}/server/{name}": text
        for top, port in (("x", "1000"), ("y", "2000"))
        for name, text in (("build.gradle", ""), ("src/A.kt", APP % (port, top)))
    }
    found = route_table(Files(files))
    assert len({s.name for s in found.services}) == 2
    assert match_url(found, "http://localhost:1000/y", "GET").path == ""
    assert match_url(found, "http://localhost:2000/y", "GET").path == "y/server/src/A.kt"


def test_nothing_gives_an_empty_table() -> None:
    assert route_table(Files({})) == RouteTable()


@pytest.mark.parametrize("path", ["application.yaml", "docker-compose.yml"])
def test_aliases_that_explode_are_not_written_out(path: str) -> None:
    bomb = "a0: &a0 [z, z]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
    )
    text = (
        f"{bomb}ktor: {{deployment: {{port: *a11}}}}\nservices: {{a: {{build: ., ports: *a11}}}}\n"
    )
    assert route_table(Files({path: text})).services == ()
