"""What a plan can give, known before a photo is asked for.

A class asks down its list until it has its n images or the list ends. If each photo were there with the same
probability, that would be a binomial experiment stopped at its n-th success; where survival varies between classes it
is taken to be drawn for each from a beta distribution, which makes it beta-binomial (Skellam 1948,
https://doi.org/10.1111/j.2517-6161.1948.tb00014.x). What a class has shown of itself already is made use of: a beta
distribution stays one when successes and failures are counted into it.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.config import USUAL_SURVIVAL

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scraper.model import Wnid

USUAL_BYTES: Final = 100_000
"""Size of an image: Flickr's 500 pixel form has about 100 kB."""
ENOUGH: Final = 20
"""Decided URLs from which survival is measured; fewer say less than what is usual."""

_ALIKE: Final = 1e-7
"""Correlation within a class that stands for none at all."""
_CORRELATIONS: Final = (0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5)
_NEVER: Final = 1e-12
"""Probability below which a class counts as done."""
_TINY: Final = -690.0
"""Logarithm of what is nearly too small for a float."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survival:
    """How many of the photos are still there.

    Attributes:
        mean: share of decided URLs that give an image, over all classes.
        correlation: of two photos of the same class; 0 where survival does not vary between classes.
        decided: URLs it was measured on; 0 where it is an assumption.
    """

    mean: float
    correlation: float = 0.0
    decided: int = 0

    @property
    def measured(self) -> bool:
        """Whether it was measured, and is not assumed."""
        return self.decided > 0

    @property
    def shape(self) -> tuple[float, float]:
        """The parameters of the beta distribution that a class's survival is drawn from."""
        size = 1 / max(self.correlation, _ALIKE) - 1
        mean = min(max(self.mean, _ALIKE), 1 - _ALIKE)  # what is certain has no shape
        return mean * size, (1 - mean) * size


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a class stands: `left` candidates were not decided yet; of `decided` ones `saved` gave an image."""

    wnid: Wnid
    n: int
    left: int
    saved: int = 0
    decided: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassForecast:
    """What a class can be expected to come to.

    Attributes:
        reach: probability that it gets its n images.
        images: those to come, beside those it has.
        requests: those to come, retries not counted.
    """

    wnid: Wnid
    n: int
    reach: float
    images: float
    requests: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What all classes together can be expected to come to.

    Attributes:
        survival: by which it was made.
        wanted: images wanted in all.
        have: those that are there already, up to n of each class.
        images: those to come.
        requests: those to come.
        bytes: of the images to come.
        short: classes that will not reach their n.
        rate: requests a second that the host is known to allow; None where it is not known.
        seconds: at that pace.
        classes: each by itself.
    """

    survival: Survival
    wanted: int
    have: int
    images: float
    requests: float
    bytes: float
    short: float
    rate: float | None
    seconds: float | None
    classes: tuple[ClassForecast, ...]


def forecast(
    classes: Iterable[Standing], survival: Survival, *, bytes_each: float = USUAL_BYTES, rate: float | None = None
) -> Forecast:
    """What classes can be expected to come to.

    Args:
        classes: how each stands.
        survival: over all classes.
        bytes_each: mean size of an image.
        rate: requests a second that the host allows, where that is known.
    """
    standings = list(classes)
    found = tuple(_forecasts(standings, survival))
    images, requests = sum(each.images for each in found), sum(each.requests for each in found)
    return Forecast(
        survival=survival,
        wanted=sum(standing.n for standing in standings),
        have=sum(min(standing.n, standing.saved) for standing in standings),
        images=images,
        requests=requests,
        bytes=images * bytes_each,
        short=sum(1 - each.reach for each in found),
        rate=rate,
        seconds=requests / rate if rate else None,
        classes=found,
    )


def _forecasts(standings: Iterable[Standing], survival: Survival) -> Iterable[ClassForecast]:
    known: dict[tuple[int, int, float, float], tuple[float, float, float]] = {}
    alpha, beta = survival.shape
    for standing in standings:
        wanted = max(0, standing.n - standing.saved)
        a, b = alpha + standing.saved, beta + standing.decided - standing.saved
        key = (wanted, standing.left, a, b)
        if key not in known:
            known[key] = until(wanted, standing.left, a, b)
        reach, images, requests = known[key]
        yield ClassForecast(wnid=standing.wnid, n=standing.n, reach=reach, images=images, requests=requests)


def until(wanted: int, left: int, alpha: float, beta: float) -> tuple[float, float, float]:
    """Ask until `wanted` successes came, of `left` candidates whose survival is drawn from Beta(alpha, beta).

    Returns:
        The probability of getting them all, the expected number of successes, that of requests.

    >>> [round(number, 4) for number in until(1, 2, 1.0, 1.0)]
    [0.6667, 0.6667, 1.5]
    """
    if wanted <= 0:
        return 1.0, 0.0, 0.0
    mean, size = alpha / (alpha + beta), alpha + beta
    if left < wanted:
        return 0.0, left * mean, float(left)
    # Until `wanted - 1` requests were made it goes on for certain. From there on, for each request: the probability
    # of going on, the expected successes where it goes on, the probability of lacking exactly one.
    asked = almost = wanted - 1
    going, successes, images = 1.0, asked * mean, asked * mean
    requests = float(asked)
    lacking_one = sum(math.log((alpha + i) / (size + i)) for i in range(asked))
    while asked < left and going > _NEVER:
        success = (alpha * going + successes) / (size + asked)
        images += success
        requests += going
        finish = math.exp(lacking_one) * (alpha + almost) / (size + asked) if lacking_one > _TINY else 0.0
        going = max(0.0, going - finish)
        successes += success - wanted * finish
        failed = asked + 1 - almost
        lacking_one += math.log((asked + 1) / failed * (beta + failed - 1) / (size + asked))
        asked += 1
    return 1 - going, images, requests


def measured(counts: Iterable[tuple[int, int]], assumed: float = USUAL_SURVIVAL) -> Survival:
    """Survival as classes have shown it, by the largest likelihood; `assumed` where they have shown too little.

    That a class stops asking once it has its images does not matter to a likelihood.

    Args:
        counts: for each class how many URLs gave an image, and how many were decided.
        assumed: what is taken where fewer than `ENOUGH` were decided.
    """
    seen = Counter((saved, decided) for saved, decided in counts if decided)
    saved = sum(times * count for (count, _), times in seen.items())
    decided = sum(times * count for (_, count), times in seen.items())
    if decided < ENOUGH:
        return Survival(mean=assumed)
    # Neither nothing nor everything survives for certain, however the first few turned out.
    pooled = min(max(saved / decided, 0.5 / decided), 1 - 0.5 / decided)
    # One parameter more must be worth it (Akaike 1974, https://doi.org/10.1109/TAC.1974.1100705).
    best, mean, correlation = _likelihood_alike(seen, pooled) + 1, pooled, 0.0
    for each in _CORRELATIONS if sum(seen.values()) > 1 else ():
        found = _best_mean(seen, each)
        likelihood = _likelihood(seen, found, each)
        if likelihood > best:
            best, mean, correlation = likelihood, found, each
    return Survival(mean=mean, correlation=correlation, decided=decided)


def _best_mean(seen: Mapping[tuple[int, int], int], correlation: float) -> float:
    low, high = 0.001, 0.999
    while high - low > 0.001:  # the likelihood has one top
        left, right = low + (high - low) / 3, high - (high - low) / 3
        if _likelihood(seen, left, correlation) < _likelihood(seen, right, correlation):
            low = left
        else:
            high = right
    return (low + high) / 2


def _likelihood_alike(seen: Mapping[tuple[int, int], int], mean: float) -> float:
    alive, dead = math.log(mean), math.log(1 - mean)
    return sum(times * (saved * alive + (decided - saved) * dead) for (saved, decided), times in seen.items())


def _likelihood(seen: Mapping[tuple[int, int], int], mean: float, correlation: float) -> float:
    """The logarithm of the beta-binomial likelihood, without what does not depend on the parameters."""
    a, b = Survival(mean=mean, correlation=correlation).shape
    log = math.lgamma
    at_all = log(a + b) - log(a) - log(b)
    return sum(
        times * (at_all + log(a + saved) + log(b + decided - saved) - log(a + b + decided))
        for (saved, decided), times in seen.items()
    )
