"""Ktor: every way to write a route, and what only looks like one."""

# ruff: noqa: E501 - a table of code samples, one a line

from collections.abc import Mapping

import pytest

from secai_lib.route_mapping import RouteTable, route_table


class Files:
    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts
        self.reads: list[str] = []

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self.texts))

    def read(self, path: str) -> str | None:
        self.reads.append(path)
        return self.texts.get(path)


HEAD = "package a\n\nimport io.ktor.server.routing.*\n\n"
MAIN = "fun main() { embeddedServer(Netty, port = 8080) { module() }.start(wait = true) }\n"


def table(body: str, **more: str) -> RouteTable:
    files = {"app/build.gradle.kts": "", "app/src/main/kotlin/App.kt": HEAD + MAIN + body}
    files |= {f"app/src/main/kotlin/{name}.kt": text for name, text in more.items()}
    return route_table(Files(files))


def routes(body: str, **more: str) -> set[str]:
    return {f"{r.method} {r.pattern}" for r in table(body, **more).routes}


def routing(body: str) -> str:
    return f"fun Application.module() {{\n    routing {{\n{body}\n    }}\n}}\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('get("/a") { call.respond(1) }', {"GET /a"}),
        ('get("a") { }', {"GET /a"}),
        ("get { }", {"GET /"}),
        ('get("/a") { }; post("/b") { }; put("/c") { }', {"GET /a", "POST /b", "PUT /c"}),
        ('route("/a") { route("b") { delete("/{id}") { } } }', {"DELETE /a/b/{id}"}),
        ('route("/a/{id?}") { get { } }', {"GET /a/{id?}"}),
        ('get("/files/{path...}") { }', {"GET /files/{path...}"}),
        ('get("/a", { call.respond(1) })', {"GET /a"}),
        ('get(path = "/named") { }', {"GET /named"}),
        ('get("/ref", ::handler)', {"GET /ref"}),
        ('authenticate("x", optional = true) { get("/safe") { } }', {"GET /safe"}),
        ('rateLimit(RateLimitName("x")) { authenticate { get("/r") { } } }', {"GET /r"}),
        ('route("/m", HttpMethod.Patch) { handle { } }', {"PATCH /m"}),
        ('route("/m") { method(HttpMethod.Get) { handle { } } }', {"GET /m"}),
        ('route("/m") { handle { } }', {"* /m"}),
        ('post<Body>("/typed") { body -> call.respond(body) }', {"POST /typed"}),
        ('webSocket("/chat") { }', {"GET /chat"}),
        ('if (debug) { get("/debug") { } }', {"GET /debug"}),
        ('route("/x").apply { get("/y") { } }', {"GET /x/y"}),
        ('this@routing.get("/z") { }', {"GET /z"}),
        ('val logger = log()\n\n get("/after-val") { }\n get("/next") { }', {"GET /after-val", "GET /next"}),
        ('val r by inject<X>()\n get { }\n post { }', {"GET /", "POST /"}),
        ('val base = "/loc"\n get("$base/x") { }', {"GET /loc/x"}),
        ('get("/a" + "/b") { }', {"GET /a/b"}),
        ('get("/esc\\$x") { }', {"GET /esc$x"}),
        ('get("""/raw""") { }', {"GET /raw"}),
        ('get(\n "/multi",\n // why\n ) { }', {"GET /multi"}),
        # look-alikes
        ('get("/a") { client.get("http://x/y"); map.get("k"); delete("/tmp") { } }', {"GET /a"}),
        ('val http = client.get("/no") { }', set()),
        ('val text = cache.get("/no")', set()),
        ("val service = get<Service>()", set()),
        ('val service: Service = get(named("x"))', set()),
        ('get("https://elsewhere.example/x") { }', set()),
        ('install(Plugin) { get("/no") { } }', set()),
        ('// get("/comment") { }\n val s = "get(\\"/text\\") { }"', set()),
        ('environment.monitor.subscribe(Started) { get("/no") { } }', set()),
    ],
)  # fmt: skip
def test_inside_routing(code: str, expected: set[str]) -> None:
    assert routes(routing(code)) == expected


def test_constants_of_objects_companions_and_other_files() -> None:
    paths = (
        'package b\nimport a.ROOT\nobject Paths {\n    const val API = "$ROOT/v1"\n'
        '    object Deep {\n        const val USERS = "${API}/users"\n    }\n}\n'
        'class Items {\n    companion object {\n        const val LIST = "/items"\n    }\n}\n'
        'const val TOP = "/top"\n'
    )
    body = routing(
        "get(Paths.API) { }\nget(Paths.Deep.USERS) { }\nget(b.TOP) { }\nget(T) { }\n"
        "get(b.Items.LIST) { }\nget(LIST) { }"
    )
    imports = "import b.Paths\nimport b.TOP as T\nimport b.Items.Companion.LIST\n"
    main = HEAD + imports + MAIN + body
    files = {
        "app/build.gradle": "",
        "app/src/App.kt": main,
        "app/src/Paths.kt": paths,
        "app/src/Root.kt": 'package a\nval ROOT = "/api"\n',
        "other/src/Paths.kt": 'package c\nobject Paths { const val API = "/wrong" }\n',
    }
    found = route_table(Files(files))
    assert {r.pattern for r in found.routes} == {"/api/v1", "/api/v1/users", "/top", "/items"}


def test_extension_functions_across_files_with_arguments() -> None:
    more = (
        "package b\nimport io.ktor.server.routing.*\n"
        'fun Route.crud(path: String, all: Boolean = true) = route(path) { get { }; sub("/deep") }\n'
        "private fun Route.sub(p: String) { post(p) { } }\n"
        'fun Route.guarded(build: Route.() -> Unit) = authenticate("x") { build() }\n'
        'fun Route.prefixed(build: Route.() -> Unit) = route("/pre") { build() }\n'
        'fun register(route: Route) { route.get("/given") { } }\n'
        'fun Route.unused() { get("/unused") { } }\n'
    )
    body = routing(
        'crud("/users")\nroute("/shop") { crud("/items") }\nguarded { get("/inner") { } }\n'
        'prefixed { get("/inner") { } }\nregister(this)'
    )
    files = {"app/build.gradle": "", "app/src/More.kt": more}
    files["app/src/App.kt"] = HEAD + "import b.*\n" + MAIN + body
    assert {f"{r.method} {r.pattern}" for r in route_table(Files(files)).routes} == {
        *("GET /users", "POST /users/deep", "GET /shop/items", "POST /shop/items/deep"),
        *("GET /inner", "GET /pre/inner", "GET /given"),
    }


def test_the_handler_of_a_reference_is_the_function() -> None:
    more = "package a\nimport io.ktor.server.application.*\n\nsuspend fun handler(c: Call) { }\n"
    (route,) = table(routing('get("/x", ::handler)'), Handler=more).routes
    assert (route.path, route.line) == ("app/src/main/kotlin/App.kt", 8)
    assert (route.handler_path, route.handler_line) == ("app/src/main/kotlin/Handler.kt", 4)


@pytest.mark.parametrize(
    ("start", "ports"),
    [
        ("embeddedServer(Netty, port = 9001) { module() }", (9001,)),
        ("embeddedServer(Netty, 9002, module = Application::module)", (9002,)),
        ("embeddedServer(Netty, PORT) { module() }", (9003,)),
        ('embeddedServer(CIO, System.getenv("PORT")?.toInt() ?: 9004) { module() }', (9004,)),
        ('embeddedServer(CIO, port = "9005".toInt()) { module() }', (9005,)),
        ('embeddedServer(CIO, System.getenv().getOrDefault("P", "9006").toInt()) { module() }', (9006,)),
        ("embeddedServer(Netty) { module() }", (80,)),
        ("embeddedServer(Netty, port = settings.port) { module() }", ()),
        ("embeddedServer(Netty, port = 99999) { module() }", ()),
    ],
)  # fmt: skip
def test_ports_in_code(start: str, ports: tuple[int, ...]) -> None:
    body = routing('get("/x") { }')
    text = f"{HEAD}const val PORT = 9_003\nfun main() {{ {start}.start(wait = true) }}\n{body}"
    found = route_table(Files({"app/build.gradle.kts": "", "app/src/App.kt": text}))
    assert [s.ports for s in found.services] == [ports]
    assert [r.pattern for r in found.routes] == ["/x"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "application.conf",
            "ktor { deployment { port = 7000, port = ${?PORT} }\n # port = 1\n application { modules"
            ' = [ a.AppKt.module, "a.AppKt.second" ] } }',
        ),
        (
            "application.conf",
            "ktor.deployment.port: 7000 // x\nktor.application.modules = [\n a.AppKt.module\n"
            " a.AppKt.second\n]\n",
        ),
        (
            "application.yaml",
            'ktor:\n  deployment:\n    port: "$PORT:7000"\n  application:\n    modules:\n'
            "      - a.AppKt.module\n      - a.AppKt.second\n",
        ),
    ],
)
def test_modules_and_port_of_a_configuration_file(name: str, text: str) -> None:
    code = (
        HEAD + routing('get("/x") { }') + 'fun Application.second() { routing { get("/y") { } } }'
    )
    code += '\nfun Application.dead() { routing { get("/dead") { } } }'
    files = {"build.gradle.kts": "", f"src/main/resources/{name}": text, "src/App.kt": code}
    found = route_table(Files(files))
    assert [s.ports for s in found.services] == [(7000,)]
    assert {r.pattern for r in found.routes} == {"/x", "/y"}
    assert len(found.gaps) == 1  # the dead block is named, not guessed at


def test_two_servers_of_one_folder_keep_their_routes() -> None:
    body = (
        'fun admin() { embeddedServer(Netty, port = 8081) { routing { get("/admin") { } } } }\n'
        'fun Application.module() { routing { get("/public") { } } }\n'
        'class Late(app: Application) { init { app.routing { get("/late") { } } } }\n'
    )
    found = table(body)
    ports = {s.name: s.ports for s in found.services}
    assert sorted((ports[r.service], r.pattern) for r in found.routes) == [
        ((8080,), "/public"),
        ((8081,), "/admin"),
    ]
    assert len(found.gaps) == 1


def test_tests_and_build_code_are_no_product() -> None:
    text = HEAD + MAIN + routing('get("/x") { }')
    for path in (
        "app/src/test/kotlin/Fake.kt",
        "app/src/androidTest/java/Fake.kt",
        "app/src/main/kotlin/FakeTest.kt",
        "app/build/generated/Fake.kt",
        "buildSrc/src/main/kotlin/Fake.kt",
        "app/src/testFixtures/kotlin/Fake.kt",
    ):
        assert route_table(Files({"app/build.gradle.kts": "", path: text})) == RouteTable(), path


def test_a_path_that_cannot_be_known_is_a_gap() -> None:
    found = table(routing('get(path()) { }\nroute("/$x") { get { } }\nget(Regex("/a.*")) { }'))
    assert found.routes == ()
    assert [(g.line, g.root) for g in found.gaps] == [(8, "app"), (9, "app"), (10, "app")]


@pytest.mark.parametrize(
    "body",
    [
        "fun Application.module() { routing { a() } }\nfun Route.a() { b(); b() }\n"
        + "\n".join(f"fun Route.{x}() {{ {y}(); {y}() }}" for x, y in zip("bcdefghijklmnopqrs", "cdefghijklmnopqrst", strict=True))
        + '\nfun Route.t() { get("/t") { } }',
        'fun Application.module() { routing { a() } }\nfun Route.a() { get("/a") { }; route("/x") { a() } }',
        'fun Application.module() { routing { ' + 'route("/x") { ' * 900 + "}" * 900 + " } }",
        'fun Application.module() { routing { get(' + '"/a" + ' * 3000 + '"/b") { } } }',
        "val A = B\nval B = A\nfun Application.module() { routing { get(A) { } } }",
        "fun Application.module() { routing { get(" + "(" * 2000,
        'val A0 = ""\n' + "\n".join(f'val A{i + 1} = "$A{i}$A{i}"' for i in range(38))
        + "\nfun Application.module() { routing { get(A38) { } } }",
        "\x00\ufffd{{{{ fun",
    ],
    ids=["doubling", "recursion", "nesting", "concatenation", "circle", "brackets", "laughs", "noise"],
)  # fmt: skip
def test_hostile_code_ends(body: str) -> None:
    found = table(body)
    assert len(found.routes) < 100


def test_a_file_is_read_once_and_foreign_files_are_not_parsed() -> None:
    files = {"app/build.gradle.kts": "", "app/src/App.kt": HEAD + MAIN + routing("get(X) { }")}
    files |= {f"app/src/Plain{i}.kt": f"package p\nclass Plain{i}\n" for i in range(500)}
    source = Files(files)
    route_table(source)
    assert len(source.reads) == len(set(source.reads))
