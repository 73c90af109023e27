"""Shares over classes: against SciPy, by leaving classes out by hand, and in the cases that have no figure."""

from __future__ import annotations

import math
import random
import statistics
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from scraper.statistics.clusters import Estimate, mean, ratio

if TYPE_CHECKING:
    from collections.abc import Sequence

SHARES = st.lists(st.floats(0, 1), min_size=2, max_size=40)
PARTS = st.lists(
    st.tuples(st.floats(0, 1), st.floats(0.01, 500)).map(lambda pair: (pair[0] * pair[1], pair[1])), max_size=40
)


def over(parts: Sequence[tuple[float, float]]) -> Estimate:
    """The ratio over classes that are given as (part, whole)."""
    return ratio([part for part, _ in parts], [whole for _, whole in parts])


@given(SHARES)
@settings(deadline=None)
def test_a_mean_has_students_interval_on_the_logit_scale(shares: list[float]) -> None:
    found, rate, error = mean(shares), statistics.fmean(shares), statistics.stdev(shares) / math.sqrt(len(shares))
    assert found.rate == pytest.approx(rate)
    assert found.classes == len(shares)
    if error > 1e-6 and 1e-6 < rate < 1 - 1e-6:
        scale = rate * (1 - rate)
        low, high = stats.t.interval(0.95, len(shares) - 1, loc=math.log(rate / (1 - rate)), scale=error / scale)
        assert (found.low, found.high) == pytest.approx((1 / (1 + math.exp(-low)), 1 / (1 + math.exp(-high))), abs=1e-6)


def test_a_ratio_is_jackknifed_by_leaving_each_class_out() -> None:
    rng = random.Random(1)
    parts = [(rng.random() * whole, whole) for whole in (3, 5, 8, 13, 21, 34)]
    found = over(parts)
    rest = [over(parts[:place] + parts[place + 1 :]).rate or 0.0 for place in range(len(parts))]
    error = math.sqrt(statistics.pvariance(rest) * (len(parts) - 1))
    assert found.rate is not None
    assert found.low is not None
    assert found.high is not None
    kish = sum(whole for _, whole in parts) ** 2 / sum(whole**2 for _, whole in parts)
    half = (math.log(found.high / (1 - found.high)) - math.log(found.low / (1 - found.low))) / 2
    assert half == pytest.approx(stats.t.ppf(0.975, kish - 1) * error / (found.rate * (1 - found.rate)), rel=1e-6)


def test_a_bootstrap_of_the_classes_agrees() -> None:
    """SciPy draws classes anew, 4,000 times: the same interval, up to what is left of chance."""
    rng = random.Random(2)
    parts = [(rng.betavariate(2, 6) * whole, whole) for whole in (rng.uniform(5, 30) for _ in range(150))]
    drawn = stats.bootstrap(
        list(zip(*parts, strict=True)),
        lambda part, whole, axis: part.sum(axis=axis) / whole.sum(axis=axis),
        n_resamples=4000,
        paired=True,
        vectorized=True,
        method="percentile",
        rng=3,
    ).confidence_interval
    found = over(parts)
    assert (found.low, found.high) == pytest.approx((drawn.low, drawn.high), abs=0.006)


@pytest.mark.parametrize(("shares", "hits"), [([0.0] * 12, 0), ([1.0] * 12, 12), ([0.0, 0.0], 0), ([1.0] * 200, 200)])
def test_where_classes_do_not_differ_each_is_one_trial(shares: list[float], hits: int) -> None:
    exact = stats.binomtest(hits, len(shares)).proportion_ci(0.95, method="exact")
    found = mean(shares)
    assert found.rate == hits / len(shares)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_no_rate_is_said_to_be_certain() -> None:
    """149,631 dead URLs in 100 classes are not "100.0 % to 100.0 %"."""
    found = mean([1.0] * 100)
    assert found.low is not None
    assert 0.95 < found.low < 0.97
    low, high = mean([0.25, 0.25]).low, mean([0.25, 0.25]).high
    assert low is not None
    assert high is not None
    assert high - low > 0.5


def test_too_few_classes_have_no_interval() -> None:
    assert over([]) == Estimate(None, None, None, 0)
    assert mean([0.3]) == Estimate(0.3, None, None, 1)
    assert over([(0, 0), (0, 0)]) == Estimate(None, None, None, 0)
    assert over([(3, 10), (0, 0)]) == Estimate(0.3, None, None, 1)
    assert mean([0.2, 0.4]).low is not None
    assert ratio([1.0, 2.0, 3.0], [10.0] * 3, least=5).low is None
    # A list of a thousand beside one of ten: they count as hardly more than one class.
    found = over([(300.0, 1000.0), (5.0, 10.0)])
    assert (found.low, found.high, found.classes) == (None, None, 2)


@given(PARTS)
@settings(deadline=None)
def test_intervals_stay_within_0_and_1_and_hold_the_rate(parts: list[tuple[float, float]]) -> None:
    found = over(parts)
    assert (found.rate is None) == (not parts)
    assert (found.low is None) == (found.high is None)
    if found.low is not None and found.high is not None and found.rate is not None:
        assert 0 <= found.low <= found.rate + 1e-9
        assert found.rate - 1e-9 <= found.high <= 1


@given(PARTS)
@settings(deadline=None)
def test_what_is_not_the_kind_mirrors_it(parts: list[tuple[float, float]]) -> None:
    found, other = over(parts), over([(whole - part, whole) for part, whole in parts])
    if found.low is not None and found.high is not None:
        assert other.low == pytest.approx(1 - found.high, abs=1e-6)
        assert other.high == pytest.approx(1 - found.low, abs=1e-6)


@pytest.mark.parametrize(
    ("least", "wholes", "interval"), [(3, [1.0] * 3, True), (4, [1.0] * 3, False), (3, [1, 1, 2], False)]
)
def test_so_many_classes_counted_alike_give_an_interval(least: int, wholes: list[float], interval: bool) -> None:
    found = ratio([0.1, 0.2, 0.3], wholes, least=least)
    assert (found.low is not None) is interval
    assert found.classes == 3
