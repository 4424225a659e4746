"""The mean of a few runs and how sure it is: Student's confidence interval, without SciPy."""

from collections.abc import Sequence
from math import atan, cos, pi, sin, sqrt
from typing import NamedTuple

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """The mean of n runs; the truth lies within `half_width` of it with 95 % confidence (None for a single run)."""

    mean: float
    half_width: float | None
    n: int


def confidence_interval(values: Sequence[float]) -> Interval:
    """Compute the mean and its 95 % confidence interval by Student's t, as if the runs were drawn from a normal.

    Raises
    ------
    ValueError
        There are no values.
    """
    n = len(values)
    if n == 0:
        raise ValueError("values must hold at least 1 number: the mean of none is undefined")
    mean = sum(values) / n
    if n == 1:
        return Interval(mean, None, 1)
    deviation = sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    return Interval(mean, _student_quantile(n - 1) * deviation / sqrt(n), n)


def _student_quantile(freedom: int) -> float:
    """Find t with P(|T| <= t) = CONFIDENCE, by halving."""
    low, high = 0.0, 16.0  # 12.7 for one degree of freedom, falling to 1.96
    while high - low > 1e-12:
        middle = (low + high) / 2
        low, high = (middle, high) if _student_within(middle, freedom) < CONFIDENCE else (low, middle)
    return high


def _student_within(t: float, freedom: int) -> float:
    """P(|T| <= t) for whole degrees of freedom, a finite sum (Abramowitz and Stegun, 26.7.3 and 26.7.4)."""
    angle = atan(t / sqrt(freedom))
    odd = freedom % 2
    term = total = cos(angle) if odd else 1.0
    for k in range(2 + odd, freedom, 2):
        term *= (k - 1) / k * cos(angle) ** 2
        total += term
    if not odd:
        return sin(angle) * total
    return 2 / pi * (angle + (sin(angle) * total if freedom > 1 else 0.0))
