"""Which files of a repository the forge may use, and in which state."""

from secai_lib.core.fix import Edit
from secai_lib.fixes.clean import clean_files
from secai_lib.fixes.patch import NoSecrets
from tests.fakes.records import BASE, PATH, make_fix, make_proposal
from tests.fakes.rescanner import FakeFiles


class SecretOnLine(NoSecrets):
    """One secret, in `path`."""

    def __init__(self, path: str) -> None:
        self.path = path

    def lines(self, path: str) -> tuple[int, ...]:
        return (1,) if path == self.path else ()


def paths(texts: dict[str, str], secrets: NoSecrets | None = None) -> list[str]:
    found = clean_files("acme/shop", FakeFiles(texts), [], secrets or NoSecrets())
    return [file.path for file in found]


def test_the_fixes_of_the_patch_are_in_the_text() -> None:
    (file,) = clean_files("acme/shop", FakeFiles({PATH: BASE}), [make_fix()], NoSecrets())
    assert "permissions:\n  contents: read\n" in file.text
    assert (file.origin, file.licence) == ("acme/shop", "unknown")


def test_a_fix_outside_the_patch_is_not() -> None:
    (file,) = clean_files(
        "acme/shop", FakeFiles({PATH: BASE}), [make_fix(in_patch=False)], NoSecrets()
    )
    assert file.text == BASE


def test_of_two_fixes_that_overlap_the_first_is_in_the_text() -> None:
    def edit(text: str) -> Edit:
        return Edit(path=PATH, start=0, end=8, replacement=text)

    first, second = (
        make_fix(proposal=make_proposal(edits=(edit(name),))) for name in ("name: a", "name: b")
    )
    (file,) = clean_files("acme/shop", FakeFiles({PATH: BASE}), [first, second], NoSecrets())
    assert file.text.startswith("name: a")


def test_what_must_not_be_used_is_left_out() -> None:
    texts = {
        "a.yaml": "a: 1\n",
        "big.yaml": "a: 1\n" * 10_000,
        "control.yaml": "a: \x1b[31m\n",
        "notes.md": "# notes\n",
        "secret.yaml": "a: 1\n",
        "x\\y.yaml": "a: 1\n",
        "b/.GIT/c.yaml": "a: 1\n",
        "line\n.yaml": "a: 1\n",
    }
    assert paths(texts, SecretOnLine("secret.yaml")) == ["a.yaml"]
