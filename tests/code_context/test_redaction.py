"""No secret gets into a context, whichever finding the context belongs to."""

import pytest

from secai_lib.code_context import contexts
from secai_lib.core.context import CodeContext
from secai_lib.core.finding import Category, Finding, SourceLocation
from tests.fakes.records import make_finding, make_result

SECRET = "hunter2Sesame" + "9xQ"
WORDS = "correct" + "horse"
TOKEN = "AKIA" + "IOSFODNN7EXAMPLE"


class Files:
    def __init__(self, **texts: str) -> None:
        self.texts = {name.replace("_", "."): text for name, text in texts.items()}

    def paths(self) -> tuple[str, ...]:
        return tuple(sorted(self.texts))

    def read(self, path: str) -> str | None:
        return self.texts.get(path)


def at(path: str, start: int | None, *, secret: bool = True, end: int | None = None) -> Finding:
    place = SourceLocation(path=path, start_line=start, end_line=end)
    category = Category.SECRET if secret else Category.CODE
    return make_finding(category=category, result=make_result(locations=(place,)))


def shown(path: str, text: str, line: int, end: int | None = None) -> CodeContext:
    files = Files()
    files.texts = {path: text}
    return contexts([at(path, line, end=end)], files)[0]


LINES = [
    ("a.kt", f'val apiKey = "{WORDS}"', 'val apiKey = "[redacted]"'),
    ("a.kt", f'headers["X-Key"] = "{WORDS}"', None),
    ("a.kt", f'"password" to "{WORDS}",', '"password" to "[redacted]",'),
    ("a.kt", f'val a = """{WORDS}"quoted""""', None),
    ("a.kt", f'val a = "x" // {WORDS}', 'val a = "[redacted]" // [redacted]'),
    ("a.kt", f"// password {WORDS}", None),
    ("a.ts", f"const a = {{ password: '{WORDS}' }};", "const a = { password: '[redacted]' };"),
    ("a.ts", f"const a = `x ${{b}} {WORDS}`;", "const a = `[redacted]`;"),
    ("a.ts", f'const a = "{WORDS}', None),
    ("a.py", f"PASSWORD = '{WORDS}'  # {WORDS}", "PASSWORD = '[redacted]'  # [redacted]"),
    ("a.py", f"connect('a', {SECRET})", "connect('[redacted]', [redacted])"),
    ("a.py", "PIN = 123456", "PIN = [redacted]"),
    ("a.json", f'  "password": "{WORDS}",', '  "password": "[redacted]",'),
    ("a.json", f'  "{TOKEN}": "{WORDS}",', None),
    ("a.yaml", f"password: {WORDS}", "password: [redacted]"),
    ("a.yaml", f"  - API_KEY={WORDS}", "  - API_KEY=[redacted]"),
    ("a.yaml", f"- {WORDS}", "- [redacted]"),
    ("a.yaml", f'a: {{b: "x", c: {WORDS}}}', "a: [redacted]"),
    ("a.yaml", f"{TOKEN}: x", "[redacted]"),
    ("Dockerfile", f"ENV A=1 B={WORDS}", "ENV A=[redacted]"),
    ("Dockerfile", f"ENV KEY {WORDS}", "ENV KEY [redacted]"),
    ("Dockerfile", f'RUN curl -u me:{WORDS} "https://x"', "RUN [redacted]"),
    (
        "a.xml",
        f'<string name="k">{WORDS}</string>',
        '<string name="[redacted]">[redacted]</string>',
    ),
    ("a.xml", f"<a b='{WORDS}'/>", "<a b='[redacted]'/>"),
    ("a.xml", f"<!-- {WORDS} -->", None),
    ("a.sh", f"export TOKEN={WORDS}", "export TOKEN=[redacted]"),
    ("a.sh", f'curl -H "a: b" -u me:{WORDS}', None),
    ("a.properties", f"db.password={WORDS}", "db.password=[redacted]"),
    (".env", f"{WORDS}", "[redacted]"),
    ("notes", f"the password is {WORDS}", "[redacted]"),
    ("a.tf", f'  password = "{WORDS}"', "  password = [redacted]"),
]


@pytest.mark.parametrize(("path", "line", "wanted"), LINES)
def test_a_secret_line_keeps_its_shape_and_loses_its_values(
    path: str, line: str, wanted: str | None
) -> None:
    found = shown(path, line + "\n", 1)
    for secret in (WORDS, SECRET, TOKEN, "123456"):
        assert secret not in found.model_dump_json()
    assert "[redacted]" in found.snippet
    if wanted is not None:
        assert found.snippet == wanted


PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKC\nAQEAabcdefgh\n-----END RSA PRIVATE KEY-----"


def test_it_is_hidden_before_and_after_other_findings() -> None:
    text = f'import a from "b";\nconst x = 1;\nconst key = "{SECRET}";\nconst y = eval(z);\n'
    findings = [at("a.ts", 2, secret=False), at("a.ts", 3), at("a.ts", 4, secret=False)]
    before, _, after = contexts(findings, Files(a_ts=text))
    assert SECRET not in before.after + after.before
    assert 'const key = "[redacted]";' in before.after
    assert before.snippet == "const x = 1;"
    assert before.imports == ('import a from "b";',)


def test_the_same_value_elsewhere_is_hidden_too() -> None:
    text = f'key = "{SECRET}"\n\n\n\n\n\n\n\n\nuse(f"{SECRET}-suffix")\n'
    other = f'copy = "{SECRET}"\n'
    findings = [at("a.py", 1), at("a.py", 10, secret=False), at("b.py", 1, secret=False)]
    for found in contexts(findings, Files(a_py=text, b_py=other)):
        assert SECRET not in found.model_dump_json()


def test_ordinary_words_are_left_elsewhere() -> None:
    text = 'mode = "password"\n\n\n\n\n\n\n\npassword = ask("mode")\n'
    _, far = contexts([at("a.py", 1), at("a.py", 9, secret=False)], Files(a_py=text))
    assert far.snippet == 'password = ask("mode")'


def test_imports_lose_secrets() -> None:
    text = f'import a from "https://{SECRET}@host/a";\nconst x = 1;\n'
    _, found = contexts([at("a.ts", 1), at("a.ts", 2, secret=False)], Files(a_ts=text))
    assert SECRET not in found.model_dump_json()
    assert found.imports == ('import a from "[redacted]";',)


@pytest.mark.parametrize("line", [1, 2, 3])
def test_a_literal_in_pieces_is_followed(line: int) -> None:
    text = f'val a = "{SECRET}" +\n    "{WORDS}" +\n    "{TOKEN}"\nval b = "fine"\n'
    found = shown("a.kt", text, line)
    for secret in (SECRET, WORDS, TOKEN):
        assert secret not in found.model_dump_json()
    assert found.after == 'val b = "fine"'


@pytest.mark.parametrize(
    ("path", "text", "line"),
    [
        ("a.py", f'a = """\n{WORDS}\n"quoted" {WORDS}\n"""\nb = 1\n', 1),
        ("a.py", f'a = """\n"quoted" {WORDS}\n"""\nb = 1\n', 2),
        ("a.kt", f'val a = """\n  {WORDS}\n"""\nval b = 1\n', 1),
        ("a.ts", f"const a = `\n{WORDS}\n`;\n", 1),
        ("a.yaml", f"key: |\n  {WORDS}\n  {WORDS}\nb: 1\n", 1),
        ("a.yaml", f"key: >-\n  {WORDS}\nb: 1\n", 2),
        ("a.xml", f"<a>\n  {WORDS}\n</a>\n", 2),
        ("a.xml", f"<a>{'x'}\n  {WORDS}\n</a>\n", 1),
        ("a.sh", f"A=a\\\n{WORDS}\n", 1),
    ],
)
def test_text_over_several_lines_is_followed(path: str, text: str, line: int) -> None:
    assert WORDS not in shown(path, text, line).model_dump_json()


def test_private_keys_are_hidden_even_when_nobody_reports_them() -> None:
    text = f'a = 1\nkey = """{PEM}\n"""\nb = 2\n'
    (found,) = contexts([at("a.py", 1, secret=False)], Files(a_py=text))
    assert "MIIEow" not in found.model_dump_json()
    assert "AQEAabc" not in found.model_dump_json()
    assert "b = 2" in found.after
    lost = PEM.rpartition("\n")[0] + "\nmore\n"
    (cut,) = contexts([at("key.pem", 1, secret=False)], Files(key_pem=lost))
    assert "MIIEow" not in cut.snippet + cut.after
    public = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    (shown_one,) = contexts([at("c.pem", 2, secret=False)], Files(c_pem=public))
    assert shown_one.snippet == "MIIB"


def test_a_secret_nobody_can_place_hides_every_value_of_its_file() -> None:
    text = f'a = "{SECRET}"\nb = "{WORDS}"\nprint(b)\n'
    for lost in (at("a.py", None), at("a.py", 99)):
        _, found = contexts([lost, at("a.py", 3, secret=False)], Files(a_py=text))
        assert SECRET not in found.model_dump_json()
        assert WORDS not in found.model_dump_json()


def test_a_whole_file_of_secrets_is_done_in_linear_time() -> None:
    text = "".join(f'key{n} = "value{n:06d}Abc"\n' for n in range(5000))
    (found, *_) = contexts([at("a.py", 1, end=5000), at("a.py", 9, secret=False)], Files(a_py=text))
    assert "value0" not in found.model_dump_json()


def test_hostile_lines_end() -> None:
    for line in ('"' * 50_000, "'\\" * 50_000, "a=" * 50_000, "<" * 50_000, "- " * 50_000):
        for path in ("a.py", "a.yaml", "a.xml", "Dockerfile"):
            assert len(shown(path, line, 1).snippet) < 1000


def test_the_rest_of_the_file_stays() -> None:
    text = f'def f():\n    token = "{SECRET}"\n    return send(token, "plain")\n'
    found = shown("a.py", text, 2)
    assert found.after == '    return send(token, "plain")'
    assert found.function and found.function.name == "f"
