"""The workflow rules, judged by the real zizmor and by what is left of the document."""

from pathlib import Path

import pytest
import yaml
from ruamel.yaml import YAML

from secai_lib.core.fix import ProofVerdict
from secai_lib.fixes.prove import FixOutcome, make_fixes
from secai_lib.fixes.rules import rules
from secai_lib.fixes.shell_quoting import Place, bash_places, powershell_places
from tests.fakes.records import COMMIT, REPOSITORY, identifier, make_finding, make_problem
from tests.fakes.rescanner import FakeFiles
from tests.fakes.zizmor_rescanner import zizmor_rescan, zizmor_results

PINS = yaml.safe_load((Path(__file__).parents[2] / "config/action_pins.yaml").read_text())
PATH = ".github/workflows/ci.yml"
CHECKOUT = "actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2"

pytestmark = pytest.mark.scanners


def fix(text: str, rule: str, more: dict[str, str] | None = None) -> FixOutcome:
    """What becomes of zizmor's findings of `rule` in a workflow."""
    texts = {PATH: text, **(more or {})}
    found = [
        make_finding(result=result, fingerprint=identifier(number))
        for number, result in enumerate(zizmor_results(texts))
        if result.rule_id == rule
    ]
    assert found, f"zizmor does not find {rule} in the sample"
    return make_fixes(
        [make_problem([finding]) for finding in found],
        found,
        FakeFiles(texts),
        zizmor_rescan,
        repository=REPOSITORY,
        commit=COMMIT,
        rules=rules(PINS),
    )


def fixed(text: str, rule: str, more: dict[str, str] | None = None) -> str:
    """The fixed workflow; every finding of `rule` has a proven fix that is in the patch."""
    outcome = fix(text, rule, more)
    assert not outcome.abstentions, outcome.abstentions
    assert outcome.fixes and all(fix.in_patch for fix in outcome.fixes), outcome.left_out
    assert {f.certificate.verdict for f in outcome.fixes} == {ProofVerdict.PROVEN}
    YAML(typ="safe", pure=True).load(outcome.combined[PATH])
    return outcome.combined[PATH]


def refused(text: str, rule: str, more: dict[str, str] | None = None) -> set[str]:
    """The reason codes; nothing is offered."""
    outcome = fix(text, rule, more)
    assert not outcome.fixes and not outcome.patch
    return {abstention.reason_code for abstention in outcome.abstentions}


def job(*steps: str, head: str = "permissions: {}\n", more: str = "") -> str:
    """A workflow with one job of these steps (each indented by six when it has lines)."""
    lines = "".join(f"      - {step}\n" for step in steps)
    return f"name: CI\non: [issues]\n{head}jobs:\n  a:\n    runs-on: ubuntu-latest\n{more}" \
        f"    steps:\n{lines}"  # fmt: skip


def test_permissions_are_added_in_the_customary_place() -> None:
    text = "# head\nname: CI\n\non:\n  push:  # all\n\njobs:\n  a:\n    runs-on: x\n" \
        "    steps:\n      - run: make\n"  # fmt: skip
    expected = text.replace("# all\n\n", "# all\n\npermissions:\n  contents: read\n\n")
    assert fixed(text, "excessive-permissions") == expected


def test_jobs_that_write_keep_what_they_need() -> None:
    text = job("run: gh pr comment 1 -b hi", f"uses: {CHECKOUT}", head="permissions: write-all\n")
    text += "  b:\n    runs-on: x\n    steps:\n      - run: make\n"
    done = fixed(text, "excessive-permissions")
    assert "on: [issues]\npermissions:\n  contents: read\njobs:" in done
    assert (
        "ubuntu-latest\n    permissions:\n      contents: read\n      pull-requests: write\n"
        in done
    )


def test_write_all_of_a_job_becomes_its_needs() -> None:
    text = job("run: make", more="    permissions: write-all\n")
    assert "    permissions:\n      contents: read\n    steps:" in fixed(
        text, "excessive-permissions"
    )


def test_a_called_workflow_keeps_what_it_asks_for() -> None:
    called = "on: workflow_call\npermissions: {}\njobs:\n  b:\n    runs-on: x\n    permissions:\n" \
        "      packages: write\n    steps:\n      - run: make\n"  # fmt: skip
    text = "on: push\njobs:\n  a:\n    uses: ./.github/workflows/b.yml\n"
    done = fixed(text, "excessive-permissions", {".github/workflows/b.yml": called})
    assert "permissions:\n      contents: read\n      packages: write\n" in done
    assert refused(text, "excessive-permissions") == {"needs_review"}


@pytest.mark.parametrize(
    "step",
    [
        "uses: actions/github-script@v7",
        "uses: some/bot@v1\n        with:\n          token: ${{ secrets.GITHUB_TOKEN }}",
        "run: ./tool\n        env:\n          T: ${{ github.token }}",
    ],
)
def test_a_token_in_unknown_hands_needs_a_person(step: str) -> None:
    assert refused(job(step, head=""), "excessive-permissions") == {"needs_review"}


def test_checkouts_do_not_keep_the_token() -> None:
    with_options = f"uses: {CHECKOUT}\n        with:\n          fetch-depth: 0"
    done = fixed(job(f"uses: {CHECKOUT}", with_options, "run: make"), "artipacked")
    assert f"uses: {CHECKOUT}\n        with:\n          persist-credentials: false\n" in done
    assert "fetch-depth: 0\n          persist-credentials: false\n" in done


@pytest.mark.parametrize(
    "step",
    [
        "run: git push",
        "run: |\n          git -c a=b push origin main",
        "uses: stefanzweifel/git-auto-commit-action@v5",
    ],
)
def test_a_job_that_pushes_keeps_its_token(step: str) -> None:
    assert refused(job(f"uses: {CHECKOUT}", step), "artipacked") == {"needs_review"}


def test_a_push_before_the_checkout_or_in_words_does_not_matter() -> None:
    done = fixed(job("run: git push", f"uses: {CHECKOUT}", "run: echo digit push"), "artipacked")
    assert "persist-credentials: false" in done


TITLE = "${{ github.event.issue.title }}"
BODY = "${{ github.event.issue.body }}"


def test_expressions_go_through_the_environment_with_the_right_quoting() -> None:
    script = f'name: Greet  # hi\n        run: |\n          echo "📦 {TITLE} and {BODY}"\n' \
        f"          x={TITLE}\n          y=$(echo {BODY})\n"  # fmt: skip
    done = fixed(job(script), "template-injection")
    assert 'echo "📦 ${ISSUE_TITLE} and ${ISSUE_BODY}"' in done
    assert 'x="${ISSUE_TITLE}"' in done and 'y=$(echo "${ISSUE_BODY}")' in done
    env = f"        env:\n          ISSUE_TITLE: {TITLE}\n          ISSUE_BODY: {BODY}\n"
    assert f"name: Greet  # hi\n{env}        run: |\n" in done


def test_an_env_that_is_there_is_used_and_names_do_not_collide() -> None:
    step = f"run: echo {TITLE} {BODY}\n        env:\n          T: {TITLE}\n          ISSUE_BODY: x"
    done = fixed(job(step), "template-injection")
    assert 'run: echo "${T}" "${ISSUE_BODY_2}"' in done
    assert f"          ISSUE_BODY: x\n          ISSUE_BODY_2: {BODY}\n" in done


def test_powershell_reads_variables_its_own_way() -> None:
    step = f'shell: pwsh\n        run: Write-Host "a {TITLE}"'
    assert 'Write-Host "a ${env:ISSUE_TITLE}"' in fixed(job(step), "template-injection")


def test_crlf_stays() -> None:
    done = fixed(job(f"run: echo {TITLE}").replace("\n", "\r\n"), "template-injection")
    assert done.count("\n") == done.count("\r\n")


@pytest.mark.parametrize(
    "step",
    [
        f"run: echo '{TITLE}'",
        f"run: |\n          cat <<EOF\n          {TITLE}\n          EOF",
        f"run: bash -c \"echo '{TITLE}'\"",
        f"run: eval \"{TITLE}\"",
        f"run: |\n          {TITLE}",
        f"run: echo $(( 1 + {TITLE} ))",
        f"shell: python\n        run: print('{TITLE}')",
        f"shell: cmd\n        run: echo {TITLE}",
        f"uses: actions/github-script@v7\n        with:\n          script: log('{TITLE}')",
    ],
)  # fmt: skip
def test_where_a_variable_would_not_be_the_same_a_person_is_asked(step: str) -> None:
    assert refused(job(step), "template-injection") == {"needs_review"}


def test_a_runner_that_may_be_windows_is_no_bash() -> None:
    text = job(f"run: echo {TITLE}").replace("ubuntu-latest", "${{ matrix.os }}")
    assert refused(text, "template-injection") == {"needs_review"}


def test_actions_are_pinned_and_comments_kept() -> None:
    text = job("uses: actions/checkout@v4.2.2  # mine", "uses: 'actions/setup-node@v4'")
    done = fixed(text, "unpinned-uses")
    assert f"- uses: {CHECKOUT}  # mine\n" in done
    assert "- uses: actions/setup-node@49933ea5288caeca8642d1e84afbd3f7d6820020 # v4.4.0\n" in done


@pytest.mark.parametrize("action", ["some/thing@v1", "actions/checkout@main", "actions/cache@v1"])
def test_unknown_actions_are_not_pinned_to_a_guess(action: str) -> None:
    assert refused(job(f"uses: {action}"), "unpinned-uses") == {"unknown_action"}


def test_insecure_commands_are_switched_off() -> None:
    flag = "ACTIONS_ALLOW_UNSECURE_COMMANDS: true"
    step = f"run: make\n        env:\n          A: 1\n          {flag}"
    done = fixed(job(step, head=f"permissions: {{}}\nenv:\n  {flag}\n"), "insecure-commands")
    assert "UNSECURE" not in done and "          A: 1\n" in done and "\nenv:" not in done
    old = job('run: echo "::set-env name=a::b"', head=f"permissions: {{}}\nenv:\n  {flag}\n")
    assert refused(old, "insecure-commands") == {"needs_review"}


def test_everything_at_once_holds_together() -> None:
    text = "name: CI\non: [issues]\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n" \
        "      - uses: actions/checkout@v4\n" \
        f"      - run: echo {TITLE}\n      - run: echo \"{TITLE} {BODY}\"\n"  # fmt: skip
    found = [make_finding(result=result, fingerprint=identifier(number))
             for number, result in enumerate(zizmor_results({PATH: text}))]  # fmt: skip
    outcome = make_fixes([make_problem([one]) for one in found], found, FakeFiles({PATH: text}),
                         zizmor_rescan, repository=REPOSITORY, commit=COMMIT,
                         rules=rules(PINS))  # fmt: skip
    assert not outcome.abstentions and not outcome.left_out
    assert all(fix.in_patch for fix in outcome.fixes)
    assert zizmor_results(outcome.combined) == ()


def test_places_in_scripts() -> None:
    script = "a \"b ${{ x }}\" ${{ y }} ; cmd ${{ z && '-f' || '' }} \"$(d ${{ w }})\""
    assert bash_places(script) == [
        Place(True, False), Place(False, False), Place(False, True), Place(False, False)
    ]  # fmt: skip
    said = powershell_places("a \"it's ${{ x }}\" '${{ y }}'")
    assert isinstance(said[0], Place) and not isinstance(said[1], Place)


def test_write_permissions_of_all_jobs_move_to_the_jobs_that_had_them() -> None:
    own = "  b:\n    runs-on: x\n    permissions: {}\n    steps:\n      - run: make\n"
    text = job("run: make", head="permissions:\n  contents: write  # why\n") + own
    done = fixed(text, "excessive-permissions")
    assert "on: [issues]\npermissions:\n  contents: read  # why\njobs:" in done
    assert "ubuntu-latest\n    permissions:\n      contents: write\n    steps:" in done
    assert own in done
