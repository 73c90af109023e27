"""A share over many classes, with an interval that comes from how the classes differ.

The URLs of a class are not independent: they were found by the same search, many by the same people. So the classes
are what is resampled. The share is a ratio of sums over classes, the mean where each class counts alike; its variance
is the jackknife's, which leaves out one class at a time (R. G. Miller, The jackknife, a review, Biometrika 61 (1974),
1-15, https://doi.org/10.1093/biomet/61.1.1) and for a mean is the classical s^2 / k.

The interval is Student's on the logit scale, so that it stays within 0 and 1 and holds near the ends too (E. L. Korn
and B. I. Graubard, Confidence intervals for proportions with small expected number of positive counts estimated from
survey data, Survey Methodology 24 (1998), 193-201). Where classes do not differ at all there is no variance to see:
then each counts as one trial (C. J. Clopper and E. S. Pearson, Biometrika 26 (1934), 404-413,
https://doi.org/10.1093/biomet/26.4.404), which is wide, and true however alike the URLs of a class are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.statistics.quantiles import beta_quantile, student_t

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_CLASSES: Final = 2
"""Classes below which there is no interval: one alone does not tell how classes differ."""
_TAIL: Final = 0.025
_SAME: Final = 1e-9
"""Standard error below which classes do not differ but by rounding."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its 95 % interval.

    Attributes:
        rate: None where nothing is known.
        low: None, with `high`, where there are too few classes for an interval.
        classes: how many classes it rests on.
    """

    rate: float | None
    low: float | None
    high: float | None
    classes: int


def ratio(parts: Sequence[float], wholes: Sequence[float], *, least: int = LEAST_CLASSES) -> Estimate:
    """The sum of parts over the sum of wholes, one of each for a class; a part is between 0 and its whole.

    A class with nothing of the whole says nothing and does not count. With wholes that differ, the classes count as
    fewer: by L. Kish, Survey Sampling (1965), as (sum of wholes)^2 / sum of squared wholes.

    Args:
        parts: of each class, such as the weight of its dead URLs.
        wholes: of each class, such as the weight of all its URLs.
        least: classes, counted so, below which no interval is given.

    >>> found = ratio([1.0, 3.0, 2.0], [10.0, 10.0, 10.0])
    >>> round(found.rate, 3), round(found.low, 3), round(found.high, 3), found.classes
    (0.2, 0.05, 0.541, 3)
    """
    if 0.0 in wholes:
        parts = [part for part, whole in zip(parts, wholes, strict=True) if whole]
        wholes = [whole for whole in wholes if whole]
    if not wholes:
        return Estimate(None, None, None, 0)
    total, whole = math.fsum(parts), math.fsum(wholes)
    rate = min(1.0, max(0.0, total / whole))
    count = whole**2 / math.fsum([each * each for each in wholes])
    if len(parts) < least or count < least - _SAME:
        return Estimate(rate, None, None, len(parts))
    without = [(total - part) / (whole - each) for part, each in zip(parts, wholes, strict=True)]
    error = _standard_error(without) * (len(without) - 1)
    return Estimate(rate, *_interval(rate, error, count), len(parts))


def mean(shares: Sequence[float]) -> Estimate:
    """The mean of the classes' shares, each counting alike: their `ratio` to one."""
    if len(shares) < LEAST_CLASSES:
        return ratio(shares, [1.0] * len(shares))
    rate = min(1.0, max(0.0, math.fsum(shares) / len(shares)))
    return Estimate(rate, *_interval(rate, _standard_error(shares), len(shares)), len(shares))


def _standard_error(values: Sequence[float]) -> float:
    """Of the mean of some values."""
    centre = math.fsum(values) / len(values)
    return math.sqrt(math.fsum([(value - centre) ** 2 for value in values]) / (len(values) - 1) / len(values))


def _interval(rate: float, error: float, count: float) -> tuple[float, float]:
    scale = rate * (1 - rate)
    if error < _SAME or scale < _SAME:
        return _of_whole_classes(rate, count)
    half = student_t(1 - _TAIL, count - 1) * error / scale
    centre = math.log(rate / (1 - rate))
    return _expit(centre - half), _expit(centre + half)


def _of_whole_classes(rate: float, count: float) -> tuple[float, float]:
    hits = rate * count
    low = beta_quantile(_TAIL, hits, count - hits + 1) if hits > _SAME else 0.0
    high = beta_quantile(1 - _TAIL, hits + 1, count - hits) if count - hits > _SAME else 1.0
    return low, high


def _expit(x: float) -> float:
    """1 / (1 + e^-x), for any x."""
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
