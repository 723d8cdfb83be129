"""The engine with scanners that are functions: what is proven, and above all what is not."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from secai_lib.core.finding import Category, Finding, Package, Result, VersionRange
from secai_lib.core.fix import (
    Edit,
    ProofCheck,
    ProofMethod,
    ProofVerdict,
    Proposal,
    SourceFiles,
)
from secai_lib.core.problem import Problem, ProblemState
from secai_lib.core.record import canonical_json, content_hash
from secai_lib.fixes.edits import Texts
from secai_lib.fixes.prove import FixOutcome, make_fixes
from secai_lib.fixes.replay import replay, replay_each
from secai_lib.fixes.rule import Abstain, FixRule
from tests.fakes.records import MOMENT
from tests.fakes.rescanner import FakeFiles, FakeRescanner, fake_result, lines_with

PATH = "app.conf"
TEXT = "# shop\nhost = a\nmode = bad\nport = 1\nuser = x\nmode2 = bad\nend = 1\n"
BAD = {"bandit": {"bad-mode": lines_with("bad")}}


def finding(result: Result) -> Finding:
    return Finding(
        fingerprint=content_hash(result.rule_id, result.path, result.line),
        repository="acme/shop",
        run="r",
        commit="c" * 40,
        category=Category.CODE,
        result=result,
        evidence=(result.evidence,),
    )


def problem(*findings: Finding, category: Category = Category.CODE) -> Problem:
    result = findings[0].result
    return Problem(
        id=content_hash(*[f.fingerprint for f in findings]),
        repository="acme/shop",
        branch="main",
        commit="c" * 40,
        run="r",
        title=result.title,
        category=category,
        severity=result.severity,
        severity_score=None,
        cwes=(),
        advisories=(),
        tools=(result.tool,),
        rules=(f"{result.tool}:{result.rule_id}",),
        fingerprints=tuple(sorted(f.fingerprint for f in findings)),
        location=result.location,
        package=result.package,
        state=ProblemState.OPEN,
        first_seen=MOMENT,
        last_seen=MOMENT,
    )


def replacing(new: str, old: str = "bad", **more: object) -> FixRule:
    """The rule that writes `new` for `old` in the finding's line."""

    def propose(
        found: Finding, peers: Sequence[Finding], files: SourceFiles
    ) -> tuple[Proposal, ...]:
        text = files.read(found.result.path or "") or ""
        lines = text.split("\n")
        start = sum(len(line) + 1 for line in lines[: (found.result.line or 1) - 1])
        at = text.find(old, start)
        if at < 0:
            raise Abstain("not_found", "It is not there.")
        edit = Edit(path=found.result.path or "", start=at, end=at + len(old), replacement=new)
        return (Proposal(kind="toy", title="Write it well", explanation="", edits=(edit,)),)

    handles = {"bandit": ("bad-*",), "semgrep": ("secai.*",), "trivy": ("CVE-*",)}
    return FixRule("toy", "Toy", "", handles, propose, **more)  # type: ignore[arg-type]


def run(
    rule: FixRule,
    rescan: FakeRescanner,
    *results: Result,
    texts: Mapping[str, str] | None = None,
) -> FixOutcome:
    found = [finding(result) for result in results]
    return make_fixes(
        [problem(one) for one in found],
        found,
        FakeFiles(texts or {PATH: TEXT}),
        rescan,
        repository="acme/shop",
        commit="c" * 40,
        rules=(rule,),
    )


def target(line: int = 3, tool: str = "bandit", rule: str = "bad-mode") -> Result:
    return fake_result(tool, rule, PATH, line)


def only_reason(outcome: FixOutcome) -> tuple[str, str]:
    assert not outcome.fixes and not outcome.combined and not outcome.patch
    (abstention,) = outcome.abstentions
    return abstention.reason_code, abstention.reason


def test_a_fix_is_proven_and_the_patch_applies(tmp_path: Path) -> None:
    rescan = FakeRescanner(BAD)
    outcome = run(replacing("good"), rescan, target())
    (fix,) = outcome.fixes
    assert fix.certificate.verdict == ProofVerdict.PROVEN and fix.in_patch
    assert {check.name for check in fix.certificate.checks} >= {
        "base_triggers", "finding_gone", "nothing_new", "not_suppressed", "not_deleted",
        "syntax", "minimal", "behaviour", "scanner_ran",
    }  # fmt: skip
    assert not outcome.abstentions and outcome.patch == fix.diff
    assert len(rescan.calls) == 1, "one fix alone is proven already, no second scan"
    assert rescan.calls[0]["base"] == {PATH: TEXT}
    (tmp_path / PATH).write_text(TEXT)
    (tmp_path / "p").write_text(outcome.patch)
    subprocess.run(["git", "apply", "p"], cwd=tmp_path, check=True)
    assert (tmp_path / PATH).read_text() == outcome.combined[PATH]


def test_the_same_input_gives_the_same_bytes() -> None:
    outcomes = [run(replacing("good"), FakeRescanner(BAD), target(), target(6)) for _ in range(2)]
    assert canonical_json(outcomes[0]) == canonical_json(outcomes[1])


def test_two_fixes_of_a_file_are_proven_together() -> None:
    rescan = FakeRescanner(BAD)
    outcome = run(replacing("good\nmore = 1"), rescan, target(3), target(6))
    assert [fix.in_patch for fix in outcome.fixes] == [True, True]
    assert outcome.combined[PATH].count("good") == 2 and len(rescan.calls) == 2
    assert set(rescan.calls[1]) == {"base", "combined"}


def test_a_new_finding_refutes_and_is_named() -> None:
    rules = {**BAD, "zizmor": {"other": lines_with("good")}}
    outcome = run(replacing("good"), FakeRescanner(rules), target())
    code, reason = only_reason(outcome)
    assert code == "refuted" and "zizmor:other (+1)" in reason
    assert outcome.attempts[0].certificate.verdict == ProofVerdict.REFUTED


def test_a_fix_that_changes_nothing_that_matters_is_refuted() -> None:
    outcome = run(replacing("bad "), FakeRescanner(BAD), target())
    code, reason = only_reason(outcome)
    assert code == "refuted" and "still found" in reason


def test_a_weakness_that_only_moves_is_refuted() -> None:
    moved = replacing("mode = good\nextra = bad", old="mode = bad")
    assert only_reason(run(moved, FakeRescanner(BAD), target()))[0] == "refuted"


def test_an_unfixed_file_without_the_finding_proves_nothing() -> None:
    rescan = FakeRescanner({"bandit": {"bad-mode": lines_with("never")}})
    assert only_reason(run(replacing("good"), rescan, target()))[0] == "unproven"
    rescan = FakeRescanner(BAD)
    assert only_reason(run(replacing("good"), rescan, target(line=4)))[0] == "unproven"


def test_an_absent_scanner_proves_nothing() -> None:
    rescan = FakeRescanner({**BAD, "zizmor": {}}, absent=frozenset({"bandit"}))
    code, reason = only_reason(run(replacing("good"), rescan, target()))
    assert code == "unproven" and "not installed" in reason
    rescan = FakeRescanner({"zizmor": {}})
    assert only_reason(run(replacing("good"), rescan, target()))[0] == "unproven"


@pytest.mark.parametrize(
    "comment",
    ["# nosec", "# nosemgrep: x", "# zizmor: ignore[artipacked]", "#checkov:skip=CKV_1:why",
     "# pragma: allowlist secret", "# noqa: S1", "# bridgecrew:skip=X", "# NOSEC"],
)  # fmt: skip
def test_muting_a_scanner_is_no_fix(comment: str) -> None:
    rescan = FakeRescanner({"bandit": {"bad-mode": lambda text: [3] if "bad\n" in text else []}})
    text = TEXT.replace("mode2 = bad", "mode2 = ok")
    outcome = run(replacing(f"bad {comment}"), rescan, target(), texts={PATH: text})
    code, reason = only_reason(outcome)
    assert code == "refuted" and "mute" in reason


def test_deleting_is_no_fix() -> None:
    rule = replacing("", old=TEXT[TEXT.index("mode =") :])
    code, reason = only_reason(run(rule, FakeRescanner(BAD), target()))
    assert code == "refuted" and "lines" in reason
    rule = replacing("", old="bad\nport = 1\nuser = x\nmode2 = bad")
    assert only_reason(run(rule, FakeRescanner(BAD), target()))[0] == "refuted"


def test_rewriting_what_stays_the_same_is_not_minimal() -> None:
    block = "bad\nport = 1\nuser = x\nmode2 = bad\nend = 1"
    rule = replacing(block.replace("bad\np", "good\np"), old=block)
    code, reason = only_reason(run(rule, FakeRescanner(BAD), target()))
    assert code == "refuted" and "rewritten" in reason


def test_without_a_rule_or_a_file_the_reason_is_said() -> None:
    other = fake_result("bandit", "other", PATH, 3)
    assert only_reason(run(replacing("x"), FakeRescanner(BAD), other))[0] == "no_rule"
    gone = fake_result("bandit", "bad-mode", "gone.py", 3)
    assert only_reason(run(replacing("x"), FakeRescanner(BAD), gone))[0] == "no_source"
    secret = finding(fake_result("gitleaks", "key", PATH, 3))
    outcome = make_fixes(
        [problem(secret, category=Category.SECRET)], [secret], FakeFiles({PATH: TEXT}),
        FakeRescanner(BAD), repository="acme/shop", commit="c" * 40, rules=(),
    )  # fmt: skip
    assert outcome.abstentions[0].reason_code == "secret" and "rotate" in only_reason(outcome)[1]


def test_a_rule_that_stumbles_stops_nobody_else() -> None:
    def stumble(*_: object) -> tuple[Proposal, ...]:
        raise KeyError("x")

    rule = FixRule("toy", "Toy", "", {"bandit": ("*",)}, stumble)
    assert only_reason(run(rule, FakeRescanner(BAD), target()))[0] == "rule_failed"


def test_fixes_that_break_each_other_are_left_out_with_a_reason() -> None:
    def both(text: str) -> list[int]:
        return [1] if text.count("good") > 1 else []

    rescan = FakeRescanner({**BAD, "zizmor": {"two-goods": both}})
    outcome = run(replacing("good"), rescan, target(3), target(6))
    assert sorted(fix.in_patch for fix in outcome.fixes) == [False, True]
    (reason,) = outcome.left_out.values()
    assert "zizmor:two-goods" in reason and outcome.combined[PATH].count("good") == 1
    assert len(rescan.calls) <= 5


def test_the_patch_never_holds_what_was_not_proven_together() -> None:
    seen: list[str] = []

    def moody(text: str) -> list[int]:
        seen.append(text)
        return [2] if text.count("good") > 1 else []

    texts = {PATH: "\n".join(f"m{i} = bad" for i in range(12)) + "\n"}
    results = [target(line) for line in range(1, 13)]
    outcome = run(replacing("good"), FakeRescanner({**BAD, "zizmor": {"m": moody}}), *results,
                  texts=texts)  # fmt: skip
    assert len(outcome.fixes) == 12
    assert all(text.count("good") < 2 for text in outcome.combined.values())


def test_the_same_edit_for_two_problems_is_scanned_and_applied_once() -> None:
    rules = {"bandit": {"bad-mode": lines_with("= bad"), "bad-too": lines_with("= bad")}}
    text = TEXT.replace("mode2 = bad", "mode2 = ok")
    rescan = FakeRescanner(rules)
    outcome = run(replacing("good"), rescan, target(), target(rule="bad-too"), texts={PATH: text})
    assert len(rescan.calls) == 1 and len(rescan.calls[0]) == 2
    assert [fix.in_patch for fix in outcome.fixes] == [True, True]


def test_what_our_own_rule_found_needs_a_witness_and_is_never_a_rescan() -> None:
    own = target(tool="semgrep", rule="config.rules.semgrep.secai.bad")
    rules = {"semgrep": {"secai.bad": lambda text: [3] if "mode = bad" in text else []}}
    code, reason = only_reason(run(replacing("good"), FakeRescanner(rules), own))
    assert code == "unproven" and "witness" in reason
    for passed in (True, False):
        answer = ProofCheck(name="compile", passed=passed, detail="said so")
        witness: Callable[..., ProofCheck] = lambda *_, answer=answer: answer  # noqa: E731
        outcome = run(replacing("good", witness=witness), FakeRescanner(rules), own)
        if passed:
            assert outcome.fixes[0].certificate.method == ProofMethod.OWN_RULE
        else:
            assert only_reason(outcome)[0] == "refuted"


def advisory(name: str, fixed: str) -> Result:
    package = Package(ecosystem="npm", name="lodash", version="4.17.9",
                      ranges=(VersionRange(introduced="0", fixed=fixed),))  # fmt: skip
    return fake_result("trivy", name, "package.json", 2).model_copy(update={"package": package})


@pytest.mark.parametrize(
    ("new", "verdict"),
    [("4.17.21", "proven"), ("4.17.10", "refuted"), ("4.17.8", "refuted"), ("4.17.20", "refuted")],
)
def test_a_version_is_judged_by_every_advisory_of_its_package(new: str, verdict: str) -> None:
    text = '{"dependencies": {\n  "lodash": "4.17.9"\n}}\n'
    outcome = run(
        replacing(new, old="4.17.9", method=ProofMethod.ADVISORY),
        FakeRescanner(BAD),
        advisory("CVE-1", "4.17.10"),
        advisory("CVE-2", "4.17.21"),
        texts={"package.json": text},
    )
    tried = [*outcome.fixes, *outcome.attempts]
    assert {fix.certificate.verdict.value for fix in tried} == {verdict}
    assert {fix.certificate.method for fix in tried} == {ProofMethod.ADVISORY}


def test_replay_holds_and_refuses_another_file() -> None:
    rule, rescan = replacing("good"), FakeRescanner(BAD)
    certificate = run(rule, rescan, target()).fixes[0].certificate
    files = FakeFiles({PATH: TEXT})
    assert replay([certificate], files, rescan, rules=(rule,)) == [certificate]
    forged = certificate.model_copy(update={"edits": ()})
    others = FakeFiles({PATH: TEXT + "x"})
    for wrong, at in ((certificate, others), (forged, files)):
        (fresh,) = replay([wrong], at, rescan, rules=(rule,))
        assert fresh.verdict == ProofVerdict.REFUTED
        assert [check.name for check in fresh.checks if not check.passed] == ["replayable"]
    assert [c.verdict for c in replay([forged, certificate], files, rescan, rules=(rule,))] == [
        ProofVerdict.REFUTED,
        ProofVerdict.PROVEN,
    ]
    (unknown,) = replay([certificate], files, rescan, rules=())
    assert unknown.verdict == ProofVerdict.REFUTED
    absent = FakeRescanner(BAD, absent=frozenset({"bandit"}))
    (fresh,) = replay([certificate], files, absent, rules=(rule,))
    assert fresh.verdict == ProofVerdict.UNPROVEN


def test_proofs_about_files_of_their_own_are_replayed_in_one_scan() -> None:
    rule, rescan = replacing("good"), FakeRescanner(BAD)
    certificate = run(rule, rescan, target()).fixes[0].certificate
    longer = run(rule, rescan, target(), texts={PATH: TEXT + "more = 1\n"}).fixes[0].certificate
    assert longer.base_sha256 != certificate.base_sha256
    here, there = Texts({PATH: TEXT}), Texts({PATH: TEXT + "more = 1\n"})
    once = FakeRescanner(BAD)
    proofs = [(certificate, here), (longer, there), (certificate, there)]
    first, second, swapped = replay_each(proofs, once, rules=(rule,))
    assert (first, second) == (certificate, longer)
    assert swapped.verdict == ProofVerdict.REFUTED
    assert len(once.calls) == 1
    assert here.paths() == (PATH,)


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": ProofVerdict.REFUTED},
        {"checks": (ProofCheck(name="finding_gone", passed=False),)},
        {"checks": ()},
        {"method": ProofMethod.ADVISORY},
        {"edits": (Edit(path=PATH, start=22, end=25, replacement="worse"),)},
        {"base_sha256": {PATH: "0" * 64}},
        {"fixed_sha256": {PATH: "0" * 64}},
        {"base_sha256": {}},
        {"finding": target(line=6)},
        {"finding": target(rule="bad-other")},
        {"finding": target(tool="zizmor")},
    ],
)
def test_a_tampered_certificate_does_not_hold(change: dict[str, object]) -> None:
    rule, rescan = replacing("good"), FakeRescanner(BAD)
    certificate = run(rule, rescan, target()).fixes[0].certificate
    forged = certificate.model_copy(update=change)
    (fresh,) = replay([forged], FakeFiles({PATH: TEXT}), rescan, rules=(rule,))
    assert fresh.verdict != ProofVerdict.PROVEN
    assert any(check.detail for check in fresh.checks if not check.passed)


def test_a_certificate_of_another_commit_says_so() -> None:
    rule, rescan = replacing("good"), FakeRescanner(BAD)
    certificate = run(rule, rescan, target()).fixes[0].certificate
    (fresh,) = replay([certificate], FakeFiles({PATH: "x\n" + TEXT}), rescan, rules=(rule,))
    (check,) = fresh.checks
    assert not check.passed and "cccccccccccc" in check.detail and PATH in check.detail
