"""The forecast against exact enumeration, and against worlds in which the same is done at random."""

from __future__ import annotations

import math
import random
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.config import USUAL_SURVIVAL
from scraper.model import Wnid
from scraper.planning.forecasting.forecast import Standing, Survival, forecast, measured, until


def enumerated(wanted: int, left: int, alpha: float, beta: float) -> tuple[float, float, float]:
    """The same by going through every way it can go, photo by photo: Polya's urn, in which beta draws are counted."""

    @cache
    def ways(had: int, lost: int) -> tuple[float, float, float]:
        if had == wanted:
            return 1.0, 0.0, 0.0
        if had + lost == left:
            return 0.0, 0.0, 0.0
        alive = (alpha + had) / (alpha + beta + had + lost)
        well, ill = ways(had + 1, lost), ways(had, lost + 1)
        reach, images, requests = (alive * a + (1 - alive) * b for a, b in zip(well, ill, strict=True))
        return reach, images + alive, requests + 1

    return ways(0, 0)


@given(
    st.integers(0, 12),
    st.integers(0, 40),
    st.floats(0.02, 0.98),
    st.sampled_from([0.0, 0.01, 0.1, 0.4, 0.9]),
)
def test_it_equals_enumeration(wanted: int, left: int, mean: float, correlation: float) -> None:
    shape = Survival(mean=mean, correlation=correlation).shape
    assert until(wanted, left, *shape) == pytest.approx(enumerated(wanted, left, *shape), abs=1e-6)


@given(st.integers(1, 3000), st.integers(0, 9000), st.floats(0.01, 0.99), st.floats(0, 0.9))
def test_it_stays_within_what_can_be(wanted: int, left: int, mean: float, correlation: float) -> None:
    reach, images, requests = until(wanted, left, *Survival(mean=mean, correlation=correlation).shape)
    assert -1e-9 <= reach <= 1 + 1e-9
    assert 0 <= images <= min(wanted, left) + 1e-6
    assert images - 1e-6 <= requests <= left + 1e-6


def test_numbers_that_floats_cannot_hold_do_not_matter() -> None:
    reach, images, requests = until(1000, 100_000, *Survival(mean=0.05).shape)  # 0.05 to the thousandth is no float
    assert (reach, images, requests) == pytest.approx((1, 1000, 20_000), rel=1e-3)
    assert until(1000, 15_000, *Survival(mean=0.05).shape)[0] < 1e-6
    assert until(1000, 20_000, *Survival(mean=0.05).shape)[0] == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(("surplus", "short"), [(13, 0.4157), (14, 0.2585), (100, 0.0)])
def test_a_fixed_surplus(surplus: int, short: float) -> None:
    """The binomial sums that anyone can look up."""
    binomial = sum(math.comb(surplus, k) * 0.75**k * 0.25 ** (surplus - k) for k in range(10))
    assert binomial == pytest.approx(short, abs=1e-4)
    assert 1 - until(10, surplus, *Survival(mean=0.75).shape)[0] == pytest.approx(binomial, abs=1e-4)


def world(
    rng: random.Random, survival: Survival, *, classes: int, n: int, lists: tuple[int, int]
) -> tuple[list[Standing], list[tuple[int, int]]]:
    """Classes before, and what became of them: how many images each got, of how many requests."""
    before, after = [], []
    for number in range(classes):
        alive = rng.betavariate(*survival.shape)
        left = rng.randint(*lists)
        saved = asked = 0
        while saved < n and asked < left:
            asked += 1
            saved += rng.random() < alive
        before.append(Standing(wnid=Wnid(f"n{number:08}"), n=n, left=left))
        after.append((saved, asked))
    return before, after


WORLDS = [
    (Survival(mean=0.75), 2000, 10, (5, 40)),
    (Survival(mean=0.75, correlation=0.05), 2000, 10, (5, 40)),
    (Survival(mean=0.4, correlation=0.1), 800, 50, (40, 300)),
    (Survival(mean=0.25, correlation=0.2), 2000, 8, (20, 80)),
]


@pytest.mark.parametrize(("survival", "classes", "n", "lists"), WORLDS)
def test_a_simulated_world_comes_out_as_forecast(
    survival: Survival, classes: int, n: int, lists: tuple[int, int]
) -> None:
    before, after = world(random.Random(7), survival, classes=classes, n=n, lists=lists)
    told = forecast(before, survival)
    found = (
        sum(saved for saved, _ in after),
        sum(asked for _, asked in after),
        sum(saved < n for saved, _ in after),
    )
    for (expected, came), spread in zip(
        zip((told.images, told.requests, told.short), found, strict=True),
        (_spread([saved for saved, _ in after]), _spread([asked for _, asked in after]), math.sqrt(classes) / 2),
        strict=True,
    ):
        assert abs(expected - came) < 4 * spread
    assert (told.wanted, told.have, told.seconds) == (classes * n, 0, None)


def _spread(values: list[int]) -> float:
    """The standard error of their sum."""
    mean = sum(values) / len(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values))


@pytest.mark.parametrize(("survival", "classes", "n", "lists"), WORLDS)
def test_survival_is_measured_though_classes_stop_at_n(
    survival: Survival, classes: int, n: int, lists: tuple[int, int]
) -> None:
    _, after = world(random.Random(3), survival, classes=classes, n=n, lists=lists)
    found = measured(after)
    assert found.mean == pytest.approx(survival.mean, abs=0.02)
    assert found.correlation == pytest.approx(survival.correlation, abs=0.05)
    assert found.decided == sum(asked for _, asked in after)


def test_too_little_is_no_measurement() -> None:
    assert measured([]) == measured([(3, 3), (0, 0), (9, 16)]) == Survival(mean=USUAL_SURVIVAL)
    assert measured([(1, 3)], assumed=0.4) == Survival(mean=0.4)
    assert not measured([(1, 3)]).measured


@pytest.mark.parametrize("saved", [0, 40])
def test_all_or_nothing_is_not_taken_for_certain(saved: int) -> None:
    found = measured([(saved, 40)])
    assert 0 < found.mean < 1
    assert found.measured


def test_what_a_class_has_shown_counts_for_it() -> None:
    """Of two classes alike but for what was asked so far, the one that lost more is less likely to get there."""
    survival = Survival(mean=0.6, correlation=0.2)
    well = Standing(wnid=Wnid("n00000001"), n=20, left=25, saved=9, decided=10)
    ill = Standing(wnid=Wnid("n00000002"), n=20, left=36, saved=9, decided=30)
    told = forecast([well, ill], survival)
    assert told.classes[0].reach > 0.9
    assert told.classes[1].reach < told.classes[0].reach
    assert told.have == 18


def test_a_class_that_has_its_images_needs_nothing() -> None:
    done = Standing(wnid=Wnid("n00000001"), n=5, left=100, saved=9, decided=12)
    told = forecast([done], Survival(mean=0.5), bytes_each=10, rate=2)
    assert (told.have, told.images, told.requests, told.bytes, told.short, told.seconds) == (5, 0, 0, 0, 0, 0)


def test_time_and_size() -> None:
    told = forecast([Standing(wnid=Wnid("n00000001"), n=10, left=1000)], Survival(mean=0.5), bytes_each=1000, rate=0.5)
    assert told.requests == pytest.approx(20, abs=1e-4)
    assert told.bytes == pytest.approx(10_000, rel=1e-6)
    assert told.seconds == pytest.approx(40, abs=1e-3)
