"""The verdicts on exports."""

from secai_lib.core.settings import Quality
from secai_lib.quality.exports import (
    adapter_survives,
    complete,
    fused_loads,
    loads,
    logit_parity,
    size,
)

QUALITY = Quality()


def test_every_module_has_to_be_loaded() -> None:
    assert loads(7, 7, "PEFT").passed and not loads(6, 7, "PEFT").passed
    assert not loads(0, 0, "PEFT").passed, "an adapter without a module is none"


def test_either_library_may_fail_parity() -> None:
    assert logit_parity(9e-5, 9e-5, 0.0, QUALITY).passed
    assert not logit_parity(2e-4, 0.0, 0.0, QUALITY).passed
    assert not logit_parity(0.0, 2e-4, 0.0, QUALITY).passed


def test_between_two_engines_what_the_base_differs_by_is_no_fault_of_the_export() -> None:
    assert logit_parity(0.0, 2e-4, 1e-4, QUALITY).passed
    assert not logit_parity(2e-4, 0.0, 1e-4, QUALITY).passed, "PEFT and the trainer are one engine"
    assert logit_parity(2e-4, 0.0, 1e-4, QUALITY, trainer="mlx").passed
    assert not logit_parity(4e-4, 0.0, 1e-4, QUALITY, trainer="mlx").passed


def test_a_base_that_is_another_model_in_mlx_excuses_nothing() -> None:
    assert logit_parity(0.0, 1.5e-3, 1e-3, QUALITY).passed
    assert not logit_parity(0.0, 0.5, 0.5, QUALITY).passed
    assert not logit_parity(0.5, 0.0, 0.5, QUALITY, trainer="mlx").passed


def test_a_missing_file_or_a_doubt_is_named() -> None:
    assert complete(["a", "b"], ["a"], "").passed
    missing, doubted = complete(["a"], ["a", "b"], ""), complete(["a"], ["a"], "it changed")
    assert not missing.passed and "b is missing" in missing.sentence
    assert not doubted.passed and "it changed" in doubted.sentence


def test_the_fused_model_has_to_be_whole_and_to_keep_the_adapter() -> None:
    assert fused_loads(True, 0.01).passed and not fused_loads(False, 0.01).passed
    assert adapter_survives("float16", 0.999, 0.991, "m", QUALITY).passed
    assert not adapter_survives("4-bit", 0.999, 0.98, "m", QUALITY).passed, "the worst decides"
    assert size(270_000_000, QUALITY).passed and not size(2_000_000_000, QUALITY).passed
