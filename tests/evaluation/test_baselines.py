"""Answers without a model: learnt from the training part alone, in the form of an answer."""

import json

from secai_lib.core.finding import Category, Severity
from secai_lib.core.training import Split, TrainingExample
from secai_lib.evaluation.baselines import Lookup, edit_answers, label_answers, training_part
from secai_lib.evaluation.transfer import carried_over
from tests.fakes.training_rows import make_metadata, make_training_row

MEDIUM = '{"category":"infrastructure","severity":"medium","type":"other"}'
HIGH = '{"category":"web","severity":"high","type":"injection"}'
PIN = "<<<\n  - uses: actions/cache@v3\n===\n  - uses: actions/cache@COMMIT # v3\n>>>"
OFF = "<<<\nverify=False\n===\nverify=True\n>>>"


def taught(rule: str, body: str, response: str, *, stage: int = 1) -> TrainingExample:
    return make_training_row(
        stage=1 if stage == 1 else 2,
        body=body,
        response=response,
        metadata=make_metadata(rule=rule),
    )


TRAIN = [
    taught("pin", "an action without a commit", MEDIUM),
    taught("pin", "an action with a tag", MEDIUM),
    taught("sql", "a query made of strings by concatenation", HIGH),
]


def labels(answer: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(answer)
    return found


def test_labels_by_frequency_by_rule_and_by_likeness() -> None:
    known = Lookup(TRAIN)
    asked = taught("sql", "some tag of an action without a commit", MEDIUM)
    answers = {name: labels(text) for name, text in label_answers(known, asked).items()}
    assert answers["majority"]["severity"] == "medium"
    assert answers["rule_lookup"]["type"] == "injection"
    assert answers["nearest"]["severity"] == "medium"
    assert answers["copy"] == {}


def test_an_unknown_rule_gets_what_is_most_frequent() -> None:
    asked = taught("new", "a query made of strings by concatenation", MEDIUM)
    answers = label_answers(Lookup(TRAIN), asked)
    assert answers["rule_lookup"] == answers["majority"]
    assert labels(answers["nearest"]) == labels(HIGH)


def test_copy_names_what_the_prompt_states() -> None:
    asked = taught("x", "Severity: High, see CWE-79, class: injection", HIGH)
    copied = labels(label_answers(Lookup(TRAIN), asked)["copy"])
    assert copied["cwe"] == "CWE-79"
    assert copied["severity"] == "high"
    assert copied["type"] == "injection"


def test_test_answers_and_rewordings_are_never_learnt() -> None:
    secret = taught("sql", "x", HIGH).model_copy(update={"split": Split.TEST})
    twice = TRAIN[0].model_copy(
        update={"metadata": TRAIN[0].metadata.model_copy(update={"augmented": True})}
    )
    assert training_part([*TRAIN, secret, twice]) == sorted(TRAIN, key=lambda row: row.id)


def test_edits_by_frequency_by_rule_and_by_likeness() -> None:
    train = [
        taught("pin", "pin this one", PIN, stage=2),
        taught("tls", "off with it", OFF, stage=2),
        taught("tls", "off again now", OFF, stage=2),
    ]
    window = ("steps:", "  - uses: actions/checkout@v3", "  - run: make")
    answers = edit_answers(Lookup(train), taught("pin", "pin that", PIN, stage=2), window)
    assert answers["majority"] == OFF
    assert answers["nearest"] in (PIN, OFF)
    assert answers["copy"].count("  - run: make") == 2
    assert answers["rule_lookup"] == (
        "<<<\n  - uses: actions/checkout@v3\n===\n  - uses: actions/checkout@COMMIT # v3\n>>>"
    )
    unknown = edit_answers(Lookup(train), taught("new", "x", PIN, stage=2), window)
    assert unknown["rule_lookup"] == OFF


def test_an_edit_is_carried_over_word_by_word() -> None:
    learnt = "<<<\nget(url, verify=False)\n===\nget(url, verify=True)\n>>>"
    window = ("import x", "answer = post(f'{HOST}/a', json=b, verify=False)", "return answer")
    assert carried_over(learnt, window) == (
        "<<<\nanswer = post(f'{HOST}/a', json=b, verify=False)\n===\n"
        "answer = post(f'{HOST}/a', json=b, verify=True)\n>>>"
    )
    assert carried_over("<<<\ndebug: true\n===\n>>>", ("a: 1", "debug: true")) == (
        "<<<\ndebug: true\n===\n>>>"
    )


def test_severity_and_category_of_the_lists_are_those_of_the_records() -> None:
    train = [taught("a", "b", f'{{"category":"{c.value}","severity":"{s.value}"}}')
             for c in Category for s in Severity if s is not Severity.UNKNOWN]  # fmt: skip
    frequent = Lookup(train).frequent()
    assert frequent == {"category": min(c.value for c in Category), "severity": "critical"}
