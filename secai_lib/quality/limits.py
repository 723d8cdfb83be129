"""The two ways a number can be judged."""

from secai_lib.core.verdict import Verdict


def at_most(name: str, value: float, threshold: float, *, good: str, bad: str) -> Verdict:
    """Passed when `value` does not exceed `threshold`; the sentence is `good` or `bad`."""
    return Verdict(
        name=name,
        passed=(passed := value <= threshold),
        value=value,
        threshold=threshold,
        sentence=good if passed else bad,
    )


def at_least(name: str, value: float, threshold: float, *, good: str, bad: str) -> Verdict:
    """Passed when `value` reaches `threshold`; the sentence is `good` or `bad`."""
    return Verdict(
        name=name,
        passed=(passed := value >= threshold),
        value=value,
        threshold=threshold,
        sentence=good if passed else bad,
    )
