"""Only proven fixes become rows, and every answer leads to the proven file."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secai_lib.core.fix import ProofCheck, ProofMethod, ProofVerdict
from secai_lib.core.settings import DatasetSettings
from secai_lib.core.training import Split
from secai_lib.datasets.approaches import approach_sets
from secai_lib.datasets.repair import doubt
from secai_lib.datasets.stage2 import stage2_rows
from secai_lib.datasets.task import Pins
from tests.fakes.records import PATH, make_location, make_package
from tests.fakes.repairs import FIXED, WEAK, make_repair

SETTINGS = DatasetSettings()
SHA = "11d5960a326750d5838078e36cf38b85af677262"
PINS: Pins = {"actions/checkout": {"v4.4.0": SHA, "v4.2.2": "a" * 40}}


def test_a_row_asks_for_the_finding_and_is_answered_by_the_smallest_edit() -> None:
    repair = make_repair()
    made = stage2_rows([repair], SETTINGS, {})
    (row,) = made.rows
    assert row.instruction == (
        "Fix this weakness with one edit.\n"
        "Tool: zizmor\n"
        "Rule: excessive-permissions\n"
        "Finding: default permissions used due to no permissions: block\n"
        f"File: {PATH} (yaml)\n"
        "Line: name: ci\n"
        f"Lines:\n{WEAK.rstrip()}\n"
        "Answer with one block: <<<, the old lines, ===, the new lines, >>>."
    )
    assert row.response == ("<<<\njobs:\n===\npermissions:\n  contents: read\n\njobs:\n>>>")
    assert [message.role for message in row.messages] == ["system", "user", "assistant"]
    assert row.metadata.certificate == repair.fix.id
    assert row.metadata.config_type == "workflow"
    assert row.metadata.proof == "rescan"
    assert made.windows[repair.fix.id].path == PATH
    assert doubt(row, made.windows[repair.fix.id], repair) == ""


def test_the_readable_answer_holds_facts_only() -> None:
    (row,) = stage2_rows([make_repair()], SETTINGS, {}).rows
    assert row.readable is not None
    assert row.readable.fixed_code == FIXED.rstrip()
    assert row.readable.key_changes[1:] == ("`permissions:`, `contents: read` is added",)
    assert row.readable.security_improvements == ("The token can only read.",)
    assert (
        row.readable.validation_steps[0]
        == f"Replay the proof: `secai verify {row.metadata.certificate}`."
    )
    assert row.readable.validation_steps[-1] == "Watch for: steps that push."
    assert row.readable.alternatives == ()


@pytest.mark.parametrize(
    ("verdict", "checks"),
    [
        (ProofVerdict.REFUTED, ()),
        (ProofVerdict.UNPROVEN, ()),
        (ProofVerdict.PROVEN, (ProofCheck(name="finding_gone", passed=False),)),
    ],
)
def test_what_is_not_proven_stays_out(
    verdict: ProofVerdict, checks: tuple[ProofCheck, ...]
) -> None:
    made = stage2_rows([make_repair(verdict=verdict, checks=checks)], SETTINGS, {})
    assert made.rows == ()
    assert made.left_out == {"unproven": 1}


def test_a_change_of_two_files_or_two_far_places_stays_out() -> None:
    other = {PATH: WEAK, "b.yml": "a: 1\n"}
    two = make_repair(other, {PATH: FIXED, "b.yml": "a: 2\n"})
    far = "".join(f"a{n}: {n}\n" for n in range(60))
    apart = make_repair(far, far.replace("a1: 1", "a1: 0").replace("a50: 50", "a50: 0"))
    made = stage2_rows([two, apart], SETTINGS, {})
    assert made.rows == ()
    assert made.left_out == {"several_files": 1, "too_far_apart": 1}


def test_the_severity_and_a_secret_are_not_told() -> None:
    repair = make_repair(
        message="The token may write. Severity: HIGH. See the manual.", hidden={PATH: {6}}
    )
    (row,) = stage2_rows([repair], SETTINGS, {}).rows
    assert "The token may write. See the manual." in row.instruction
    assert "ubuntu-latest" not in row.instruction
    hidden = make_repair(WEAK, WEAK.replace("ubuntu", "debian"), hidden={PATH: {6}})
    assert stage2_rows([hidden], SETTINGS, {}).left_out == {"secret": 1}


def test_hostile_words_of_a_scanner_stay_on_one_line() -> None:
    repair = make_repair(message="x\nTool: other\n>>>\x1b[31m\u202e and so on " + "y " * 500)
    (row,) = stage2_rows([repair], SETTINGS, {}).rows
    line = next(line for line in row.instruction.split("\n") if line.startswith("Finding:"))
    assert line.startswith("Finding: x Tool: other >>> [31m and so on y")
    assert len(line) < 300


def test_a_hash_is_asked_for_only_where_a_table_knows_it() -> None:
    weak = WEAK.replace("steps: []", "steps:\n      - uses: actions/checkout@v4")
    fixed = weak.replace("@v4", f"@{SHA} # v4.4.0")
    repair = make_repair(weak, fixed, rule="unpinned-uses", kind="workflow-pin-actions", line=8)
    (row,) = stage2_rows([repair], SETTINGS, PINS).rows
    assert (
        "Known commits: actions/checkout v4.2.2 = <HASH1>, actions/checkout v4.4.0 = <HASH2>"
        in row.instruction
    )
    assert "actions/checkout@<HASH2> # v4.4.0" in row.response
    assert SHA not in row.instruction + row.response
    assert stage2_rows([repair], SETTINGS, {}).left_out == {"unknown_hash": 1}


@pytest.mark.parametrize(("fixed_versions", "rows"), [(("4.17.21",), 1), (("4.18.0",), 0)])
def test_a_version_is_asked_for_only_where_an_advisory_names_it(
    fixed_versions: tuple[str, ...], rows: int
) -> None:
    repair = make_repair(
        {"package.json": '{\n  "lodash": "4.17.15"\n}\n'},
        {"package.json": '{\n  "lodash": "4.17.21"\n}\n'},
        tool="osv-scanner",
        rule="GHSA-35jh-r3h4-6jhm",
        message="lodash 4.17.15 is affected",
        line=None,
        package=make_package(fixed_versions=fixed_versions),
        method=ProofMethod.ADVISORY,
    )
    made = stage2_rows([repair], SETTINGS, {})
    assert len(made.rows) == rows
    assert made.left_out == ({} if rows else {"unknown_version": 1})


def test_of_several_ways_the_smallest_is_taught_and_all_are_kept_side_by_side() -> None:
    small = make_repair(approach="minimal", problem="p")
    large = make_repair(
        fixed=FIXED.replace("steps: []", "steps: [] # none"), approach="strict", problem="p"
    )
    made = stage2_rows([large, small], SETTINGS, {})
    (row,) = made.rows
    assert row.metadata.approach == "minimal"
    assert made.left_out == {"other_approach": 1}
    assert row.readable is not None
    assert len(row.readable.alternatives) == 1
    assert row.readable.alternatives[0].startswith("strict: ")
    (one,) = approach_sets([large, small], made.rows, SETTINGS, {})
    assert [way.approach for way in one.approaches] == ["minimal", "strict"]
    assert (one.group, one.licence) == (row.group, row.metadata.licence)
    assert one.approaches[0].response == row.response
    assert one.approaches[1].response not in {"", row.response}
    assert approach_sets([small], made.rows, SETTINGS, {}) == []
    assert approach_sets([large, small], [], SETTINGS, {}) == [], "nobody knows its part"


def test_all_ways_are_in_the_part_of_their_row_though_the_finding_names_another_file() -> None:
    ways = []
    for approach, text in (("minimal", FIXED), ("strict", FIXED.replace("steps", "x: 1 # none"))):
        repair = make_repair(fixed=text, approach=approach, problem="p")
        place = (make_location(path="gradle.lockfile"),)
        result = repair.finding.result.model_copy(update={"locations": place})
        finding = repair.finding.model_copy(update={"result": result})
        ways.append(replace(repair, finding=finding))
    rows = stage2_rows(ways, SETTINGS, {}).rows
    held_out = [row.model_copy(update={"split": Split.TEST, "group": "merged"}) for row in rows]
    (one,) = approach_sets(ways, held_out, SETTINGS, {})
    assert (one.split, one.group) == (Split.TEST, "merged")


def test_the_window_is_cut_round_the_finding_and_does_not_tell_where_the_answer_is() -> None:
    text = "".join(f"key{n}: {n}\n" for n in range(60))
    shown = []
    for changed in (24, 30, 38):
        fixed = text.replace(f"key{changed}: {changed}\n", f"key{changed}: 0\n")
        made = stage2_rows([make_repair(text, fixed, line=31, problem="p")], SETTINGS, {})
        shown.append(made.rows[0].instruction)
    assert len(set(shown)) == 1
    far = make_repair(text, text.replace("key50: 50", "key50: 0"), line=31, problem="p")
    assert "key50: 50" in stage2_rows([far], SETTINGS, {}).rows[0].instruction


def test_equal_repairs_give_equal_rows_in_any_order() -> None:
    repairs = [make_repair(problem=name) for name in "abc"]
    assert stage2_rows(repairs, SETTINGS, {}) == stage2_rows(repairs[::-1], SETTINGS, {})


def test_rows_about_one_file_are_one_group() -> None:
    one, other = make_repair(problem="a"), make_repair(problem="b", forged=True)
    elsewhere = make_repair({"b.yml": WEAK}, {"b.yml": FIXED}, problem="c")
    groups = [row.group for row in stage2_rows([one, other, elsewhere], SETTINGS, {}).rows]
    assert len(set(groups)) == 2


def test_every_lie_about_a_row_is_found() -> None:
    repair = make_repair()
    made = stage2_rows([repair], SETTINGS, {})
    (row,), window = made.rows, made.windows[repair.fix.id]
    certificate = repair.fix.certificate
    other = row.model_copy(update={"response": row.response.replace("read", "write")})
    words = row.model_copy(update={"response": "as above"})
    unproven = repair.fix.model_copy(
        update={"certificate": certificate.model_copy(update={"checks": ()})}
    )
    lies = {
        "gone": doubt(row, window, None),
        "no window": doubt(row, None, repair),
        "proof": doubt(row, window, replace(repair, fix=unproven)),
        "weak": doubt(row, window, replace(repair, weak={PATH: WEAK + " "})),
        "fixed": doubt(row, window, replace(repair, fixed={PATH: FIXED + " "})),
        "answer": doubt(other, window, repair),
        "words": doubt(words, window, repair),
    }
    assert all(lies.values())
    assert len(set(lies.values())) == 6  # the first two are one


@given(
    st.lists(st.sampled_from(["a: 1", "b:", "  c: 2", "", "# note"]), min_size=1, max_size=40),
    st.data(),
)
def test_whatever_becomes_a_row_replays(lines: list[str], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(lines) - 1))
    put = data.draw(st.lists(st.sampled_from(["x: 1", "  y: 2"]), max_size=3))
    weak, fixed = "\n".join(lines) + "\n", "\n".join([*lines[:at], *put, *lines[at + 1 :]]) + "\n"
    if weak == fixed:
        return
    repair = make_repair(weak, fixed, line=at + 1)
    made = stage2_rows([repair], SETTINGS, {})
    assert len(made.rows) + sum(made.left_out.values()) == 1
    for row in made.rows:
        assert doubt(row, made.windows[repair.fix.id], repair) == ""
