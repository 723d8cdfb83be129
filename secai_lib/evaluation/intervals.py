"""How sure a measured share is, and a ratio of two shares of the same rows."""

from math import sqrt
from statistics import NormalDist


def quantile(confidence: float) -> float:
    """The two-sided quantile of the normal distribution: 1.96 for 0.95."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def wilson(passed: int, rows: int, z: float) -> tuple[float, float]:
    """Wilson's score interval of the share `passed / rows`; 0 to 1 without rows."""
    if not rows:
        return 0.0, 1.0
    share, spread = passed / rows, z * z / rows
    middle = share + spread / 2
    half = z * sqrt(share * (1 - share) / rows + spread / (4 * rows))
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    return (low if passed else 0.0), (high if passed < rows else 1.0)


def paired_ratio(after: int, before: int, both: int, z: float) -> tuple[float, float]:
    """The interval of `after / before`, two counts over the same rows, of which `both` share some.

    Bonett and Price (2006): two Wilson intervals over the rows that either has right, with a
    quantile that is made smaller for what the pairing tells. Without a right row before, anything
    is possible: 0 to infinity.
    """
    either = after + before - both
    if not before:
        return 0.0, float("inf")
    apart = either - both
    first = sqrt((1 - (after + 1) / (either + 2)) / (after + 1))
    second = sqrt((1 - (before + 1) / (either + 2)) / (before + 1))
    own = z * sqrt((apart + 2) / ((after + 1) * (before + 1))) / (first + second)
    low_after, high_after = wilson(after, either, own)
    low_before, high_before = wilson(before, either, own)
    return low_after / high_before, high_after / low_before if low_before else float("inf")
