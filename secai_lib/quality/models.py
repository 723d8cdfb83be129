"""Is a model the one that was asked for, whole, and may it be used?"""

from secai_lib.core.model import Model
from secai_lib.core.verdict import Verdict
from secai_lib.quality.limits import at_most

UNKNOWN = "unknown"


def sha256(model: Model, fault: str) -> Verdict:
    """Every file has the hash it had when it was delivered; `fault` says which has not."""
    return at_most(
        "sha256",
        int(bool(fault)),
        0,
        good=f"All {len(model.files)} files of {model.name} have their SHA-256.",
        bad=fault,
    )


def loads(model: Model, parameters: int, fault: str) -> Verdict:
    """Config, tokenizer and headers can be read and hold as many weights as were delivered."""
    missing = abs(model.parameters - parameters)
    return at_most(
        "loads",
        missing,
        0,
        good=f"{model.name} ({model.architecture}) has {parameters:,} weights, as delivered.",
        bad=fault
        or f"{model.name} has {parameters:,} weights and was delivered with {model.parameters:,}: "
        "materialize it again",
    )


def licence(model: Model) -> Verdict:
    """Somebody says under which licence the model may be used."""
    return at_most(
        "licence",
        int(model.licence == UNKNOWN),
        0,
        good=f"{model.name} is under {model.licence}, says {model.licence_origin}.",
        bad=f"Nothing says under which licence {model.name} is: read its card and write the SPDX "
        "identifier into config/models.yaml",
    )
