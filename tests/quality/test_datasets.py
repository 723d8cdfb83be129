"""Every check of a data set passes on a good row and fails on the fault planted in it."""

from typing import Literal

import pytest

from secai_lib.core.finding import Severity
from secai_lib.core.settings import DatasetSettings, Quality
from secai_lib.core.training import Split, TrainingExample
from secai_lib.quality import datasets
from tests.fakes.records import PATH
from tests.fakes.training_rows import BODY, RESPONSE, make_metadata, make_training_row

QUALITY, SETTINGS = Quality(), DatasetSettings()
EDIT = "<<<\nrun: a\n===\nrun: b\nenv: c\n>>>"
TOKEN = "ghp_" + "aB3dE6gH9jK2" * 3


def planted(
    stage: Literal[1, 2] = 1, *, body: str = BODY, response: str = ""
) -> list[TrainingExample]:
    answer = response or (RESPONSE if stage == 1 else EDIT)
    return [make_training_row(stage=stage, body=body, response=answer)]


def good(name: str, row: list[TrainingExample]) -> bool:
    return datasets.fault(name, row, QUALITY).passed


@pytest.mark.parametrize("name", list(datasets.FAULTS))
@pytest.mark.parametrize("stage", [1, 2])
def test_a_good_row_has_no_fault(name: str, stage: Literal[1, 2]) -> None:
    verdict = datasets.fault(name, planted(stage), QUALITY)
    assert verdict.passed, verdict.sentence


@pytest.mark.parametrize(
    "answer",
    ["Remediation: TODO", "Impact: ...", "Impact: lorem ipsum dolor", "token: <your token>",
     "Here is an example fix", "insert the code here", "run: echo …", "password: changeme", " "],
)  # fmt: skip
def test_placeholders(answer: str) -> None:
    assert not good("placeholder", planted(response=answer))


def test_a_placeholder_of_the_scanned_code_may_stay_and_a_spread_is_none() -> None:
    assert good(
        "placeholder", planted(2, body="run: a # TODO", response="<<<\na # TODO\n===\nb\n>>>")
    )
    assert good("placeholder", planted(2, response="<<<\nf(a)\n===\nf({...a, b})\n>>>"))


def test_a_placeholder_in_the_readable_answer_is_found() -> None:
    row = planted(2)[0]
    assert row.readable
    readable = row.readable.model_copy(update={"alternatives": ("TODO",)})
    assert not good("placeholder", [row.model_copy(update={"readable": readable})])


@pytest.mark.parametrize(
    "body",
    [f"{BODY}\nSeverity: medium", f"{BODY}\nCVSS:3.1/AV:N/AC:L", f"{BODY} a medium-severity issue",
     f"{BODY}\ncategory: infrastructure", f"{BODY} with excessive privileges",
     f"{BODY}\nWhoever takes it over gains those rights too."],
)  # fmt: skip
def test_answers_in_the_prompt(body: str) -> None:
    response = RESPONSE.replace("Impact: ", "Impact:\n")
    assert good("answer_in_prompt", planted(response=response))
    assert not good("answer_in_prompt", planted(body=body, response=response))


def test_a_field_that_is_not_scored_may_be_stated() -> None:
    response = RESPONSE.replace('"severity":"medium",', "")
    assert good("answer_in_prompt", planted(body=f"{BODY}\nSeverity: medium", response=response))


def test_the_edit_in_the_prompt() -> None:
    assert not good("answer_in_prompt", planted(2, body="make it\nrun: b\nenv: c\nplease"))


@pytest.mark.parametrize(
    ("body", "response"),
    [
        (BODY, RESPONSE.replace("medium", "high")),
        (BODY, RESPONSE.replace("excessive_privileges", "injection")),
        (BODY, f"{RESPONSE}\nRisk: Rated critical."),
        (f"{BODY}\nSeverity: low", RESPONSE),
        (f"{BODY} CWE-79", f"{RESPONSE} See CWE-89."),
        (BODY, f"{RESPONSE}\nRoot cause: in deploy.yaml"),
        (BODY, f"{RESPONSE}\nRisk: trivy sees it."),
    ],
)
def test_contradictions(body: str, response: str) -> None:
    assert good("contradiction", planted())
    assert not good("contradiction", planted(body=body, response=response))


def test_the_code_may_speak_of_severities_and_the_advice_of_other_files() -> None:
    code = f"{BODY}\nCode:\nseverity: low"
    assert good("contradiction", planted(body=code))
    assert good("contradiction", planted(response=f"{RESPONSE}\nRemediation: edit pom.xml"))


def test_a_severity_that_the_evidence_does_not_have() -> None:
    row = make_training_row(metadata=make_metadata(severity=Severity.LOW))
    assert not good("contradiction", [row])


@pytest.mark.parametrize("stage", [1, 2])
def test_secrets(stage: Literal[1, 2]) -> None:
    assert not good("secret", planted(stage, body=f"{BODY}\nkey: {TOKEN}"))
    assert not good("secret", planted(stage, response=f"{EDIT} {TOKEN}"))
    verdict = datasets.fault("secret", planted(body=TOKEN), QUALITY)
    assert TOKEN not in verdict.sentence


@pytest.mark.parametrize("name", ["CVE-2024-99999", "GHSA-aaaa-bbbb-cccc", "CWE-79"])
def test_invented_ids(name: str) -> None:
    assert not good("invented_id", planted(response=f"{RESPONSE} See {name}."))
    assert good("invented_id", planted(body=f"{BODY} {name}", response=f"{RESPONSE} See {name}."))


def test_an_id_of_the_evidence_is_not_invented() -> None:
    row = make_training_row(response='{"cwe":"CWE-79"}', metadata=make_metadata(cwes=("CWE-79",)))
    assert good("invented_id", [row])


def leaky(
    second: str, *, group: str = "other", problem: str = "other", file: str = "other.yml"
) -> list[TrainingExample]:
    train = make_training_row()
    test = make_training_row(body=second, response="no", group=group,
                             metadata=make_metadata(problem=problem, file=file))  # fmt: skip
    return [train, test.model_copy(update={"split": Split.TEST})]


def test_leaks() -> None:
    def passed(rows: list[TrainingExample]) -> bool:
        return datasets.no_leak(rows, SETTINGS, QUALITY).passed

    far = "words of which none stands in the first of the rows"
    assert passed(leaky(far))
    assert not passed(leaky(far, group="group"))
    assert not passed(leaky(far, problem="0123456789abcdef"))
    assert not passed(leaky(far, file=PATH))
    assert passed(leaky(f"{far}\nPackage: npm a 1, fixed: 2", file=PATH))
    twin = leaky(far)[1].model_copy(
        update={"instruction": leaky(far)[0].instruction + " now", "response": RESPONSE}
    )
    assert not passed([leaky(far)[0], twin])
    assert passed([make_training_row(), make_training_row(body=f"{BODY} now")])


def test_rows_weights_diversity_and_lengths() -> None:
    rows = [make_training_row(body=f"{n}", response=f"answer {n}") for n in range(5)]
    assert datasets.min_rows(rows, QUALITY).passed
    assert not datasets.min_rows([], QUALITY).passed
    assert datasets.weights(rows, SETTINGS).passed
    assert "infrastructure 100%" in datasets.weights(rows, SETTINGS).sentence
    light = make_training_row(metadata=make_metadata(training_weight=1.0))
    assert not datasets.weights([light], SETTINGS).passed
    assert datasets.diversity(rows, SETTINGS).passed
    same = [make_training_row(body=f"{n}", response="same") for n in range(5)]
    assert not datasets.diversity(same, SETTINGS).passed
    assert datasets.diversity(same[:4], SETTINGS).passed
    assert datasets.token_length({"a": 512}, SETTINGS).passed
    assert not datasets.token_length({"a": 513}, SETTINGS).passed
    assert datasets.token_length({}, SETTINGS).passed
