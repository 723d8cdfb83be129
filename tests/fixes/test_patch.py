"""No patch shows a secret that stands beside a change, and git takes it all the same."""

import subprocess
from collections.abc import Collection
from pathlib import Path

import pytest

from secai_lib.fixes.patch import SecretShown, git_patch, shown_diff

SECRET = "hunter2-Sesame-9xQ"


class Known:
    """One secret, wherever it stands."""

    def __init__(self, text: str) -> None:
        self.text = text

    def lines(self, path: str) -> Collection[int]:
        return [n for n, line in enumerate(self.text.split("\n"), 1) if SECRET in line]

    def masked(self, path: str, text: str) -> str:
        return text.replace(SECRET, "[redacted]")


def applied(folder: Path, before: str, patch: str) -> str:
    file = folder / "f"
    file.write_bytes(before.encode())
    subprocess.run(["git", "init", "-q", "."], cwd=folder, check=True)
    subprocess.run(["git", "apply", "-"], cwd=folder, input=patch.encode(), check=True)
    return file.read_bytes().decode()


@pytest.mark.parametrize(
    "before",
    [
        f"a\nb\np={SECRET}\nbad\nc\nd\n",
        f"p={SECRET}\nbad\nc\n",
        f"a\nbad\nc\np={SECRET}\nd\n",
        f"bad\nc\np={SECRET}\n",
        f"bad\nc\np={SECRET}\nd\nbad\nz",
        f"p={SECRET}\nbad",
        f"bad\nc\np={SECRET}\nq={SECRET}\nbad\nd\ne\nf\ng\nh\nbad\n",
    ],
)
def test_the_context_ends_before_a_secret(before: str, tmp_path: Path) -> None:
    after = before.replace("bad", "good\nbetter")
    patch = git_patch({"f": before}, {"f": after}, Known(before))
    assert SECRET not in patch
    assert applied(tmp_path, before, patch) == after


@pytest.mark.parametrize(
    "before",
    [f"a\nbad\np={SECRET}\nc\n", f"a\nbad {SECRET}\nc\n"],
)
def test_where_git_needs_the_secret_there_is_no_patch_and_it_is_masked(before: str) -> None:
    after = before.replace("bad", "good")
    with pytest.raises(SecretShown):
        git_patch({"f": before}, {"f": after}, Known(before))
    diff = shown_diff({"f": before}, {"f": after}, Known(before))
    assert SECRET not in diff and "[redacted]" in diff


def test_without_secrets_the_patch_is_what_git_writes() -> None:
    before = "\n".join(map(str, range(30)))
    patch = git_patch({"f": before}, {"f": before.replace("15", "x")})
    assert "@@ -13,7 +13,7 @@" in patch and " 12\n 13\n 14\n-15\n+x\n 16\n 17\n 18\n" in patch
