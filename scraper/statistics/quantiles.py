"""Quantiles of the beta and the t distribution, in plain Python: a report needs few of them, and no numpy for those."""

from __future__ import annotations

import functools
import math
from typing import Final

_STEPS: Final = 300
"""Terms of the continued fraction at most; some twenty suffice unless the parameters are in the ten thousands."""
_TINY: Final = 1e-300
_ENOUGH: Final = 1e-15
_MANY: Final = 200.0
"""Degrees of freedom above which the expansion of t has nine digits."""


def incomplete_beta(a: float, b: float, x: float) -> float:
    """The regularized incomplete beta function I_x(a, b), for a, b > 0 (https://dlmf.nist.gov/8.17).

    >>> round(incomplete_beta(2.0, 3.0, 0.4), 6)
    0.5248
    """
    if x <= 0.0 or x >= 1.0:
        return float(x >= 1.0)
    if x > (a + 1) / (a + b + 2):
        return 1.0 - incomplete_beta(b, a, 1.0 - x)  # where the continued fraction converges soon
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(front) * _continued_fraction(a, b, x) / a


def _continued_fraction(a: float, b: float, x: float) -> float:
    """The fraction of https://dlmf.nist.gov/8.17.E22, by Lentz's algorithm (https://doi.org/10.1364/AO.15.000668)."""
    c, d = 1.0, 1.0 / _apart(1.0 - (a + b) * x / (a + 1.0))
    value = d
    for m in range(1, _STEPS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 / _apart(1.0 + term * d)
            c = _apart(1.0 + term / c)
            value *= c * d
        if abs(c * d - 1.0) < _ENOUGH:
            break
    return value


def _apart(value: float) -> float:
    """The value, kept off zero, by which it is to be divided."""
    return value if abs(value) > _TINY else _TINY


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = `probability`, by bisection."""
    low, high = 0.0, 1.0
    while True:
        middle = (low + high) / 2
        if middle in (low, high):
            return middle
        if incomplete_beta(a, b, middle) < probability:
            low = middle
        else:
            high = middle


def normal(probability: float) -> float:
    """The quantile of the standard normal distribution, by bisection.

    >>> round(normal(0.975), 6)
    1.959964
    """
    low, high = -40.0, 40.0
    while low < (middle := (low + high) / 2) < high:
        if math.erfc(-middle / math.sqrt(2)) / 2 < probability:
            low = middle
        else:
            high = middle
    return middle


@functools.lru_cache(maxsize=1024)
def student_t(probability: float, df: float) -> float:
    """The quantile of Student's t distribution, for probabilities above a half; `df` need not be whole.

    By its relation to the beta distribution (Abramowitz and Stegun 26.7.1), or, for many degrees of freedom, by the
    expansion around the normal distribution (26.7.5).

    >>> round(student_t(0.975, 11), 6)
    2.200985
    """
    if df > _MANY:
        z = normal(probability)
        first = (z**3 + z) / 4
        second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
        third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
        return z + first / df + second / df**2 + third / df**3
    x = beta_quantile(2 * (1 - probability), df / 2, 0.5)
    return math.sqrt(df * (1 - x) / x)
