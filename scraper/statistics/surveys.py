"""A random sample of all listed URLs, drawn from every class by the length of its list, and what it says of the lists.

Each URL has the same chance to be drawn, so that the share in the sample estimates the share in the lists, each URL
counting alike. What is random is the draw alone, so that the interval is about these lists (W. G. Cochran, Sampling
Techniques, 3rd edition, 1977, chapters 5 and 5A).
"""

from __future__ import annotations

import heapq
import math
from typing import TYPE_CHECKING, Final, NamedTuple

from scraper.statistics.clusters import Estimate
from scraper.statistics.quantiles import student_t

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator, Sequence

Z95: Final = 1.959963984540054
"""The 97.5 % quantile of the standard normal distribution: two-sided 95 %."""
_TAIL: Final = 0.025
_LEAST: Final = 2


def stratified_order(lengths: Sequence[int], rng: random.Random) -> Iterator[tuple[int, int]]:
    """All URLs in a random order of which every beginning is a sample stratified by class.

    The j-th URL drawn of a class with N is due at (j - u) / N, with one random u from 0 to 1 for the class: at any time
    t, N t have come of it, rounded up or down by chance, and each with the same chance.

    Args:
        lengths: of the classes' lists.
        rng: whose seed makes the order; the same seed and more of it go on with the same sample.

    Yields:
        The place of the class in `lengths`, and the rank of the URL in its list, from 1.
    """
    orders = [_shuffled(length, rng) for length in lengths]
    due = [((1 - rng.random()) / length, place, 1) for place, length in enumerate(lengths) if length]
    heapq.heapify(due)
    while due:
        time, place, drawn = due[0]
        yield place, next(orders[place])
        if drawn < lengths[place]:
            heapq.heapreplace(due, (time + 1 / lengths[place], place, drawn + 1))
        else:
            heapq.heappop(due)


def _shuffled(length: int, rng: random.Random) -> Iterator[int]:
    """The numbers from 1 to `length` in random order; memory is used for those that were drawn only.

    R. Durstenfeld, Algorithm 235, Communications of the ACM 7 (1964), 420 (https://doi.org/10.1145/364520.364540).
    """
    moved: dict[int, int] = {}
    for taken in range(length):
        place = rng.randrange(taken, length)
        yield moved.get(place, place) + 1
        moved[place] = moved.pop(taken, taken)


class Stratum(NamedTuple):
    """What was drawn of one class: the length of its list, URLs decided, those of the kind in question, and unknown."""

    listed: int
    decided: int
    hits: int
    unknown: int = 0


class Found(NamedTuple):
    """The share of a kind among all URLs that could be drawn, with its 95 % interval.

    Attributes:
        rate: None where nothing is decided.
        low: None, with `high` and the bounds, where too little is decided for an interval.
        low_if_unknown_alive: what `low` is if no URL that is unknown were of the kind.
        high_if_unknown_dead: what `high` is if all were.
        classes: of which URLs were decided.
        decided: URLs that it rests on.
        unknown: URLs that told nothing.
    """

    rate: float | None
    low: float | None
    high: float | None
    low_if_unknown_alive: float | None
    high_if_unknown_dead: float | None
    classes: int
    decided: int
    unknown: int


def share_of(strata: Sequence[Stratum]) -> Found:
    """The estimate, with its bounds if all that is unknown were of the kind, or none of it."""
    found = low = high = estimate(strata)
    unknown = sum(one.unknown for one in strata)
    if unknown and found.low is not None:
        low = estimate([Stratum(n, m + u, x) for n, m, x, u in strata])
        high = estimate([Stratum(n, m + u, x + u) for n, m, x, u in strata])
    decided = sum(one.decided for one in strata)
    return Found(found.rate, found.low, found.high, low.low, high.high, found.classes, decided, unknown)


def needed(rate: float | None, half_width: float) -> int:
    """About how many URLs must be drawn for half the width of an interval; at worst, if the rate is not known yet.

    >>> needed(None, 0.02)
    2401
    """
    share = 0.5 if rate is None else min(max(rate, 0.02), 0.98)
    return math.ceil(share * (1 - share) * (Z95 / half_width) ** 2)


def estimate(classes: Iterable[Stratum]) -> Estimate:
    """The share of a kind among all listed URLs, with its 95 % interval.

    Classes of which few were drawn are put together with their neighbours until there are two, which makes the interval
    a little wide, never narrow ("collapsed strata", Cochran 5A.12). The interval is Wilson's with the size of the
    simple random sample that would tell as much (C. Franco et al., Comparative study of confidence intervals for
    proportions in complex sample surveys, Journal of Survey Statistics and Methodology 7 (2019), 334-364,
    https://doi.org/10.1093/jssam/smy019). A sample of all URLs has no interval but the share itself.

    Args:
        classes: all that could be drawn from, in a fixed order, those of which nothing was drawn among them.
    """
    strata = _collapsed(classes)
    decided = sum(stratum.decided for stratum in strata)
    if not decided:
        return Estimate(None, None, None, 0)
    rate = sum(stratum.hits for stratum in strata) / decided
    left = 1 - decided / sum(stratum.listed for stratum in strata)
    drawn_from = sum(stratum.classes for stratum in strata)
    if left <= 0:
        return Estimate(rate, rate, rate, drawn_from)
    if decided < _LEAST:
        return Estimate(rate, None, None, drawn_from)
    simple = rate * (1 - rate) / (decided - 1) * left
    variance = math.fsum(_variance(stratum) for stratum in strata) / decided**2
    size = (decided - 1) / left
    if 0 < variance < simple:
        size *= simple / variance
    z = student_t(1 - _TAIL, decided - len(strata))
    return Estimate(rate, *wilson(rate * size, size, z), drawn_from)


class _Together(NamedTuple):
    listed: int
    decided: int
    hits: int
    classes: int


def _collapsed(classes: Iterable[Stratum]) -> list[_Together]:
    """Neighbours put together, so that of each stratum at least two URLs are decided, if there are two at all."""
    strata: list[_Together] = []
    for listed, decided, hits, _ in classes:
        one = _Together(listed, decided, hits, int(decided > 0))
        if strata and (strata[-1].decided < _LEAST):
            one = _together(strata.pop(), one)
        strata.append(one)
    if len(strata) > 1 and strata[-1].decided < _LEAST:
        strata[-2:] = [_together(strata[-2], strata[-1])]
    return strata


def _together(one: _Together, other: _Together) -> _Together:
    return _Together(*(a + b for a, b in zip(one, other, strict=True)))


def _variance(stratum: _Together) -> float:
    """Of the number of hits in it."""
    share = stratum.hits / stratum.decided
    of_one = share * (1 - share) * stratum.decided / (stratum.decided - 1)
    return stratum.decided * of_one * max(0.0, 1 - stratum.decided / stratum.listed)


def wilson(hits: float, trials: float, z: float = Z95) -> tuple[float, float]:
    """The Wilson score interval of a rate in a simple random sample (https://doi.org/10.1080/01621459.1927.10502953).

    Unlike the normal approximation it stays within 0 and 1 and holds for few trials and for rates near the ends. It is
    not for samples that stop at their n-th success, nor for URLs of classes that differ.

    Args:
        hits: need not be whole, nor `trials`, where the sample tells as much as one of that size.
        trials: above 0.
        z: quantile for the confidence that is wanted.

    >>> [round(bound, 4) for bound in wilson(1, 10)]
    [0.0179, 0.4042]
    """
    rate = hits / trials
    spread = z * math.sqrt(rate * (1 - rate) / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    centre = rate + z * z / (2 * trials)
    # Rounding must not put the rate itself outside.
    return max(0.0, min(rate, (centre - spread) / scale)), min(1.0, max(rate, (centre + spread) / scale))
