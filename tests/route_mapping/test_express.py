"""Express: every way to write a route, and what only looks like one."""

# ruff: noqa: E501 - a table of code samples, one a line

from collections.abc import Mapping

import pytest

from secai_lib.route_mapping import RouteTable, route_table


class Files:
    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self.texts))

    def read(self, path: str) -> str | None:
        return self.texts.get(path)


HEAD = 'import express, { Router } from "express";\nconst app = express();\n'


def table(main: str, **more: str) -> RouteTable:
    files = {"web/package.json": "{}", "web/src/server.ts": main}
    return route_table(Files(files | {f"web/{p.replace('__', '.')}": t for p, t in more.items()}))


def routes(main: str, files: Mapping[str, str] | None = None) -> set[str]:
    every = {"web/package.json": "{}", "web/src/server.ts": main}
    every |= {f"web/src/{path}": text for path, text in (files or {}).items()}
    return {f"{r.method} {r.pattern}" for r in route_table(Files(every)).routes}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('app.get("/a", h);', {"GET /a"}),
        ("app.get('/a', mw, (req, res) => { res.send(1); });", {"GET /a"}),
        ('app.get("/a", h).post("/b", h);', {"GET /a", "POST /b"}),
        ('app.get("/a", h); app.delete("/b/:id", h)', {"GET /a", "DELETE /b/:id"}),
        ('app.route("/z").get(f).post(g).all(k);', {"GET /z", "POST /z", "* /z"}),
        ('app.all("/any", h);', {"* /any"}),
        ('app.get(["/a", "/b"], h);', {"GET /a", "GET /b"}),
        ("const P = { A: '/a' } as const; app.get(`${P.A}/x`, h);", {"GET /a/x"}),
        ("enum E { A = '/e' } app.get(E.A, h);", {"GET /e"}),
        ('const base = "/v1"; app.get(base + "/x", h);', {"GET /v1/x"}),
        ('const r = Router(); r.get("/in", h); app.use("/out", r);', {"GET /out/in"}),
        ('const r = express.Router({ mergeParams: true }); r.put("/", h); app.use("/out/", r);', {"PUT /out"}),
        ('const r = Router(); r.get("/", h); app.use(r);', {"GET /"}),
        ('const r = Router(); r.get("/i", h); app.use("/a", mw, r); app.use(["/b", "/c"], mw(), r);', {"GET /a/i", "GET /b/i", "GET /c/i"}),
        ('function make(): Router { const r = Router(); r.get("/u", h); return r; } app.use("/m", make());', {"GET /m/u"}),
        ('function add(a: express.Express) { a.get("/p", h); } add(app);', {"GET /p"}),
        ('const add = (a) => { a.get("/p", h); }; add(app);', {"GET /p"}),
        ('(app as any).get("/cast", h);', {"GET /cast"}),
        # look-alikes
        ('axios.get("/no", { x: 1 }); cache.get("k", 1); fetch.post("/no", h);', set()),
        ('app.get("env"); app.set("port", 1);', set()),
        ('app.get("/a", (req, res) => { http.get("/no", h); new Map().get("/no"); });', {"GET /a"}),
        ('// app.get("/comment", h)\nconst s = "app.get(\'/text\', h)";', set()),
        ('{ const app = new Map(); app.get("/shadowed", 1); }', set()),
        ('function f(app: Client) { app.get("/client", 1); }', set()),
        ('const r = Router(); r.get("/unmounted", h);', set()),
        ('app.use("/static", express.static("x")); app.use(express.json());', set()),
    ],
)  # fmt: skip
def test_one_file(code: str, expected: set[str]) -> None:
    assert routes(HEAD + code + "\napp.listen(3000);") == expected


@pytest.mark.parametrize(
    ("use", "files"),
    [
        ('import { r } from "./r.js"; app.use("/x", r);', {"r.ts": "R export const r = Router(); r.get('/y', h);"}),
        ('import r from "./r"; app.use("/x", r);', {"r/index.ts": "R const q = Router(); q.get('/y', h); export default q;"}),
        ('import * as m from "./r"; app.use("/x", m.r);', {"r.ts": "R const q = Router(); q.get('/y', h); export { q as r };"}),
        ('import { s } from "./b"; app.use("/x", s);', {"b.ts": "export { r as s } from './r';", "r.ts": "R export const r = Router(); r.get('/y', h);"}),
        ('import { r } from "./b"; app.use("/x", r);', {"b.ts": "export * from './r';", "r.ts": "R export const r = Router(); r.get('/y', h);"}),
        ('app.use("/x", require("./r"));', {"r.js": "Q const r = express.Router(); r.get('/y', h); module.exports = r;"}),
        ('const { r } = require("./r"); app.use("/x", r);', {"r.js": "Q const r = express.Router(); r.get('/y', h); module.exports = { r };"}),
        ('const m = require("./r"); app.use("/x", m.r);', {"r.js": "Q exports.r = express.Router(); exports.r.get('/y', h);"}),
        ('require("./r")(app);', {"r.js": "module.exports = function (a) { a.get('/x/y', h); };"}),
        ('import { add } from "./r"; add(app);', {"r.ts": "export function add(a: any) { a.get('/x/y', h); }"}),
        ('import { make } from "./r"; app.use("/x", make());', {"r.ts": "R export const make = () => { const r = Router(); r.get('/y', h); return r; };"}),
    ],
)  # fmt: skip
def test_across_files(use: str, files: dict[str, str]) -> None:
    heads = {"R": 'import { Router } from "express";', "Q": 'const express = require("express");'}
    files = {p: heads.get(t[0], t[0]) + t[1:] for p, t in files.items()}
    assert routes(HEAD + use + "\napp.listen(3000);", files) == {"GET /x/y"}


@pytest.mark.parametrize(
    ("listen", "ports"),
    [
        ("app.listen(3001);", (3001,)),
        ("app.listen(process.env.PORT || 3002, () => {});", (3002,)),
        ("const port = Number(process.env.PORT ?? 3003); app.listen(port);", (3003,)),
        ("const p = process.env.PORT ? parseInt(process.env.PORT, 10) : 3004; app.listen(p);", (3004,)),
        ('app.listen(parseInt(process.env.PORT || "3005", 10));', (3005,)),
        ("http.createServer(app).listen(3006);", (3006,)),
        ("const server = createServer(app); server.listen({ port: 3007 });", (3007,)),
        ("app.listen(process.env.PORT);", ()),
    ],
)  # fmt: skip
def test_ports(listen: str, ports: tuple[int, ...]) -> None:
    found = table(HEAD + 'app.get("/a", h);\n' + listen)
    assert [s.ports for s in found.services] == [ports]


def test_the_handler_is_the_function_in_its_file() -> None:
    main = HEAD + 'import { show } from "./handlers";\napp.get("/a", show);\napp.listen(1);'
    handlers = "\n\nexport function show(req, res) { }\n"
    files = {"package.json": "{}", "server.ts": main, "handlers.ts": handlers}
    (route,) = route_table(Files(files)).routes
    assert (route.path, route.line) == ("server.ts", 4)
    assert (route.handler_path, route.handler_line) == ("handlers.ts", 3)


@pytest.mark.parametrize(
    "path",
    [
        "web/test/fake.ts",
        "web/src/app.test.ts",
        "web/src/app.spec.js",
        "web/src/__tests__/app.ts",
        "web/node_modules/x/index.js",
        "web/dist/server.js",
        "web/src/types.d.ts",
    ],
)
def test_tests_and_build_code_are_no_product(path: str) -> None:
    text = HEAD + 'app.get("/x", h);\napp.listen(3000);'
    assert route_table(Files({"web/package.json": "{}", path: text})) == RouteTable()


def test_a_prefix_that_cannot_be_known_is_a_gap() -> None:
    code = 'const r = Router(); r.get("/x", h); app.use(`/${name}`, r); app.get(/^\\/re/, h);'
    found = table(HEAD + code + "\napp.listen(3000);")
    assert found.routes == ()
    assert {g.line for g in found.gaps} == {3}


@pytest.mark.parametrize(
    "code",
    [
        'const r = Router(); r.use("/a", r); app.use(r); r.get("/x", h);',
        "const a = b; const b = a; app.use(a); a.get('/x', h);",
        "app" + '.get("/x", h)' * 3000 + ";",
        'app.get("/a" + ' * 2000 + '"b"' + ", h)" * 2000,
        "export * from './server'; import { q } from './server'; app.use(q);",
        "app.use(" * 3000,
        "".join(f"const r{i} = Router(); r{i}.use('/a', r{i + 1}); r{i}.use('/b', r{i + 1});" for i in range(40)) + "app.use(r0);",
        'const a0 = "";' + "".join(f"const a{i + 1} = a{i} + a{i};" for i in range(38)) + "app.get(a38, h);",
    ],
    ids=["itself", "circle", "chain", "nesting", "reexport", "brackets", "doubling", "laughs"],
)  # fmt: skip
def test_hostile_code_ends(code: str) -> None:
    assert len(table(HEAD + code + "\napp.listen(3000);").routes) <= 3000
