"""The Wilson interval against values of the literature."""

from __future__ import annotations

import pytest

from scraper.reporting.intervals import wilson


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, table I, method 3.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_published_intervals_are_met_to_four_places(hits: int, trials: int, low: float, high: float) -> None:
    assert wilson(hits, trials) == pytest.approx((low, high), abs=0.00005)


@pytest.mark.parametrize("trials", [1, 2, 10, 1000])
def test_none_and_all_have_the_closed_form(trials: int) -> None:
    # With no hit the upper bound is z^2 / (n + z^2), z^2 = 3.841459 (chi square, 1 degree of freedom, 95 %).
    bound = 3.841459 / (trials + 3.841459)
    assert wilson(0, trials) == pytest.approx((0.0, bound), abs=1e-6)
    assert wilson(trials, trials) == pytest.approx((1 - bound, 1.0), abs=1e-6)


def test_half_of_many_is_the_textbook_margin() -> None:
    # n = 1000, p = 0.5: 0.5 +- 0.030932, from z / 2 / sqrt(n + z^2) = 0.979982 / sqrt(1003.841459).
    assert wilson(500, 1000) == pytest.approx((0.469070, 0.530930), abs=2e-6)


def test_nothing_tried_says_nothing() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize("trials", [1, 3, 7, 50, 333])
def test_bounds_stay_within_0_and_1_hold_the_rate_and_mirror(trials: int) -> None:
    for hits in range(trials + 1):
        low, high = wilson(hits, trials)
        assert 0.0 <= low < high <= 1.0
        assert low - 1e-12 <= hits / trials <= high + 1e-12
        other_low, other_high = wilson(trials - hits, trials)
        assert (1 - other_high, 1 - other_low) == pytest.approx((low, high), abs=1e-12)


def test_more_trials_make_it_narrower() -> None:
    widths = [high - low for low, high in (wilson(trials // 4, trials) for trials in (4, 40, 400, 4000))]
    assert widths == sorted(widths, reverse=True)
    assert len(set(widths)) == 4
