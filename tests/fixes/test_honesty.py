"""A fix may not hide, delete or change more than it says."""

import pytest

from secai_lib.core.fix import Edit
from secai_lib.fixes.edits import apply_edits
from secai_lib.fixes.honesty import honest

WORKFLOW = """\
on: push
env: &shared
  A: 1
  B: 2
jobs:
  a:
    env: *shared
    steps:
      - uses: x@v1
        with:
          p: 1
      - run: echo 1  # say
"""
PYTHON = "import os\n\n\ndef f(x):\n    os.system(x)\n    return 1\n\n\ndef g():\n    return 2\n"


def failed(path: str, base: str, old: str, new: str) -> set[str]:
    """Names of the checks that fail when `old` becomes `new`."""
    start = base.index(old)
    edit = Edit(path=path, start=start, end=start + len(old), replacement=new)
    fixed = apply_edits(base, [edit])
    return {c.name for c in honest({path: base}, {path: fixed}, [edit]) if not c.passed}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("x@v1", "x@abc # v1"),
        ("  B: 2\n", ""),
        ("          p: 1\n", "          p: 1\n          q: 2\n"),
        ("echo 1", 'echo "1"'),
        ("jobs:", "permissions: {}\njobs:"),
    ],
)
def test_small_changes_of_a_workflow_pass(old: str, new: str) -> None:
    base = WORKFLOW.replace("    env: *shared\n", "").replace(" &shared", "")
    assert failed("w.yml", base, old, new) == set()


def test_deleting_the_step_is_seen() -> None:
    step = "      - uses: x@v1\n        with:\n          p: 1\n"
    assert "not_deleted" in failed("w.yml", WORKFLOW, step, "")


def test_a_change_that_shows_elsewhere_through_an_alias_is_seen() -> None:
    assert "behaviour" in failed("w.yml", WORKFLOW, "B: 2", "B: 3")


def test_a_change_of_indentation_that_moves_other_lines_is_seen() -> None:
    assert "behaviour" in failed("w.yml", WORKFLOW, "    steps:\n", "    steps: []\n    others:\n")


@pytest.mark.parametrize("new", ["echo 1  # zizmor: ignore[x]", "echo 1 # nosec"])
def test_a_muting_comment_is_seen(new: str) -> None:
    assert "not_suppressed" in failed("w.yml", WORKFLOW, "echo 1", new)


def test_a_muting_comment_that_was_there_does_not_count() -> None:
    base = WORKFLOW.replace("# say", "# nosec")
    assert failed("w.yml", base, "echo 1", "echo 2") == set()


def test_a_scanner_setting_is_no_place_for_a_fix() -> None:
    assert "not_suppressed" in failed(".github/zizmor.yml", "rules: {}\n", "{}", "{a: {}}")


def test_a_small_change_of_code_passes() -> None:
    assert failed("a.py", PYTHON, "os.system(x)", "os.execv(x, [x])") == set()


def test_a_removed_function_is_seen() -> None:
    assert "not_deleted" in failed("a.py", PYTHON, "def g():\n    return 2\n", "G = 2\n")


def test_an_open_quote_is_seen() -> None:
    names = failed("a.py", PYTHON, "os.system(x)", 'os.system("x)')
    assert {"syntax", "behaviour"} & names


def test_an_emptied_file_is_seen() -> None:
    assert "not_deleted" in failed("a.py", PYTHON, PYTHON, "\n")


def test_a_removed_instruction_is_seen_and_a_replaced_add_is_not() -> None:
    base = "FROM a:1\nADD x /x\nUSER root\nRUN make\n"
    assert "not_deleted" in failed("Dockerfile", base, "RUN make\n", "")
    assert failed("Dockerfile", base, "ADD", "COPY") == set()
