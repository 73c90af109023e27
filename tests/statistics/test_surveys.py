"""Samples of all listed URLs: how they are drawn, and what they say of the lists."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scraper.statistics.clusters import Estimate
from scraper.statistics.quantiles import student_t
from scraper.statistics.surveys import Z95, Found, Stratum, estimate, needed, share_of, stratified_order, wilson

LENGTHS = st.lists(st.integers(0, 30), max_size=12)


@given(LENGTHS, st.integers())
def test_every_url_is_drawn_once(lengths: list[int], seed: int) -> None:
    drawn = list(stratified_order(lengths, random.Random(seed)))
    every = {(place, rank) for place, length in enumerate(lengths) for rank in range(1, length + 1)}
    assert len(drawn) == len(every)
    assert set(drawn) == every


@given(LENGTHS, st.integers(), st.integers(0, 400))
def test_every_beginning_is_spread_over_the_classes_by_their_lengths(lengths: list[int], seed: int, size: int) -> None:
    drawn = Counter(place for place, _ in itertools.islice(stratified_order(lengths, random.Random(seed)), size))
    total = sum(lengths)
    for place, length in enumerate(lengths):
        assert abs(drawn[place] - length * min(size, total) / max(1, total)) < 2


def test_every_url_has_the_same_chance() -> None:
    lengths, size, times = (3, 40, 7, 150), 20, 12_000
    rng = random.Random(1)
    found = Counter(pair for _ in range(times) for pair in itertools.islice(stratified_order(lengths, rng), size))
    expected = times * size / sum(lengths)
    for place, length in enumerate(lengths):
        of_class = [found[place, rank] for rank in range(1, length + 1)]
        assert sum(of_class) / length == pytest.approx(expected, rel=0.05)
        assert all(abs(count - expected) < 6 * expected**0.5 for count in of_class)


def test_a_seed_is_one_order_and_a_larger_sample_goes_on_with_it() -> None:
    lengths = (30, 300, 7)
    small, large = (list(itertools.islice(stratified_order(lengths, random.Random(9)), size)) for size in (20, 90))
    assert large[:20] == small
    assert small != list(itertools.islice(stratified_order(lengths, random.Random(10)), 20))


@pytest.mark.parametrize(
    ("lengths", "dead", "rho", "size"),
    [
        ((40,) * 12, 0.25, 0.05, 100),
        ((400,) * 12, 0.25, 0.3, 100),
        ((40, 100, 400) * 60, 0.25, 0.1, 100),
        ((40, 100, 400) * 60, 0.02, 0.1, 100),
        ((40, 100, 400) * 60, 0.97, 0.3, 400),
        ((100,) * 3, 0.4, 0.3, 10),
    ],
)
def test_the_interval_holds_the_lists_true_share(lengths: tuple[int, ...], dead: float, rho: float, size: int) -> None:
    rng = random.Random(4)
    held, bias, worlds = 0, 0.0, 300
    for _ in range(worlds):
        rates = [rng.betavariate(dead * (1 - rho) / rho, (1 - dead) * (1 - rho) / rho) for _ in lengths]
        lists = [[rng.random() < rate for _ in range(length)] for rate, length in zip(rates, lengths, strict=True)]
        truth = sum(map(sum, lists)) / sum(lengths)
        found = asked(lists, size, rng)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= truth <= found.high
        bias += (found.rate or 0) - truth
    assert held / worlds > 0.92
    assert abs(bias / worlds) < 0.012


def asked(lists: list[list[bool]], size: int, rng: random.Random) -> Estimate:
    """What a sample of this size says."""
    decided, hits = [0] * len(lists), [0] * len(lists)
    for place, rank in itertools.islice(stratified_order([len(one) for one in lists], rng), size):
        decided[place] += 1
        hits[place] += lists[place][rank - 1]
    return estimate(Stratum(len(one), m, x) for one, m, x in zip(lists, decided, hits, strict=True))


def test_going_on_to_a_half_width_keeps_the_coverage() -> None:
    rng = random.Random(6)
    held, worlds, wanted = 0, 150, 0.04
    for _ in range(worlds):
        lists = [[rng.random() < 0.25 for _ in range(60)] for _ in range(60)]
        order = stratified_order([60] * 60, rng)
        decided, hits = [0] * 60, [0] * 60
        found = Estimate(None, None, None, 0)
        while found.low is None or found.high is None or (found.high - found.low) / 2 > wanted:
            for place, rank in itertools.islice(order, 50):
                decided[place] += 1
                hits[place] += lists[place][rank - 1]
            found = estimate(Stratum(60, m, x) for m, x in zip(decided, hits, strict=True))
        held += found.low <= sum(map(sum, lists)) / 3600 <= found.high
    assert held / worlds > 0.92


def test_strata_make_it_narrower_where_classes_differ() -> None:
    differ = estimate([Stratum(100, 20, 1), Stratum(100, 20, 19)])
    alike = estimate([Stratum(100, 20, 10), Stratum(100, 20, 10)])
    assert differ.rate == alike.rate == 0.5
    assert (differ.high or 0) - (differ.low or 0) < 0.6 * ((alike.high or 0) - (alike.low or 0))


def test_a_census_is_exact_and_nothing_is_nothing() -> None:
    assert estimate([Stratum(4, 4, 1), Stratum(6, 6, 0)]) == Estimate(0.1, 0.1, 0.1, 2)
    assert estimate([]) == estimate([Stratum(9, 0, 0)]) == Estimate(None, None, None, 0)
    assert estimate([Stratum(9, 1, 1)]) == Estimate(1.0, None, None, 1)
    found = estimate([Stratum(90, 30, 0), Stratum(90, 30, 0)])
    assert (found.rate, found.low) == (0.0, 0.0)
    assert 0.02 < (found.high or 0) < 0.08


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1), st.floats(0, 1)), max_size=12))
@settings(deadline=None)
def test_bounds_hold_the_rate(classes: list[tuple[int, float, float]]) -> None:
    drawn = [Stratum(n, round(n * part), round(round(n * part) * hit)) for n, part, hit in classes]
    found = estimate(drawn)
    decided = sum(one.decided for one in drawn)
    assert found.rate == (sum(one.hits for one in drawn) / decided if decided else None)
    if found.low is not None and found.high is not None and found.rate is not None:
        assert 0 <= found.low <= found.rate <= found.high <= 1


# --- Wilson ---------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("trials", [1, 3, 7, 50, 333])
def test_wilsons_bounds_stay_within_0_and_1_hold_the_rate_and_mirror(trials: int) -> None:
    for hits in range(trials + 1):
        low, high = wilson(hits, trials)
        assert 0.0 <= low < high <= 1.0
        assert low - 1e-12 <= hits / trials <= high + 1e-12
        other_low, other_high = wilson(trials - hits, trials)
        assert (1 - other_high, 1 - other_low) == pytest.approx((low, high), abs=1e-12)


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.floats(0.1, 5))
@example(0, 3, Z95)
@example(10, 10, Z95)
def test_wilsons_bounds_hold_the_rate_exactly(one: int, other: int, z: float) -> None:
    hits, trials = sorted((one, other))
    low, high = wilson(hits, trials, z)
    assert 0 <= low <= hits / trials <= high <= 1


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_the_interval_by_cochrans_formulas() -> None:
    """Two classes of 100 and 300, of which 10 and 30 are decided and 2 and 18 dead."""
    found = estimate([Stratum(100, 10, 2), Stratum(300, 30, 18)])
    rate, left = 0.5, 0.9
    variance = (10 * 0.2 * 0.8 * 10 / 9 * left + 30 * 0.6 * 0.4 * 30 / 29 * left) / 40**2
    simple = rate * (1 - rate) / 39 * left
    assert variance < simple
    size = 39 / left * simple / variance
    low, high = wilson(rate * size, size, student_t(0.975, 38))
    assert (found.rate, found.low, found.high, found.classes) == pytest.approx((rate, low, high, 2))


def test_classes_that_are_more_alike_than_chance_would_have_it_tell_no_less_than_a_simple_sample() -> None:
    found = estimate([Stratum(100, 10, 5), Stratum(300, 30, 15)])
    size = 39 / 0.9
    assert (found.low, found.high) == pytest.approx(wilson(0.5 * size, size, student_t(0.975, 38)))
    assert estimate([Stratum(100, 2, 0)]).low == 0.0


@pytest.mark.parametrize(
    ("strata", "together"),
    [
        ([(9, 1, 1), (9, 1, 0)], [(18, 2, 1)]),
        ([(9, 0, 0), (9, 2, 0), (9, 2, 2)], [(18, 2, 0), (9, 2, 2)]),
        ([(9, 2, 0), (9, 2, 2), (9, 1, 1)], [(9, 2, 0), (18, 3, 3)]),
        ([(9, 2, 0), (9, 1, 1)], [(18, 3, 1)]),
        ([(9, 1, 0), (9, 1, 0), (9, 1, 1), (9, 1, 1)], [(18, 2, 0), (18, 2, 2)]),
    ],
)
def test_classes_of_which_one_was_drawn_stand_with_their_neighbours(
    strata: list[tuple[int, int, int]], together: list[tuple[int, int, int]]
) -> None:
    alone, joined = estimate([Stratum(*one) for one in strata]), estimate([Stratum(*one) for one in together])
    assert (alone.rate, alone.low, alone.high) == (joined.rate, joined.low, joined.high)
    assert alone.classes == sum(decided > 0 for _, decided, _ in strata)


@pytest.mark.parametrize(("decided", "interval"), [(0, False), (1, False), (2, True)])
def test_one_url_has_no_interval(decided: int, interval: bool) -> None:
    found = estimate([Stratum(100, decided, 0)])
    assert (found.rate is not None) is (decided > 0)
    assert (found.low is not None) is (found.high is not None) is interval


def test_of_all_urls_the_share_is_exact() -> None:
    assert estimate([Stratum(4, 4, 1), Stratum(6, 6, 1)]) == Estimate(0.2, 0.2, 0.2, 2)


def test_bounds_are_the_ends_if_all_that_is_unknown_were_one_or_the_other() -> None:
    strata = [Stratum(100, 10, 2, 3), Stratum(300, 30, 18), Stratum(50, 5, 1, 4)]
    alive = estimate([Stratum(100, 13, 2), Stratum(300, 30, 18), Stratum(50, 9, 1)])
    dead = estimate([Stratum(100, 13, 5), Stratum(300, 30, 18), Stratum(50, 9, 5)])
    one = estimate(strata)
    assert share_of(strata) == Found(one.rate, one.low, one.high, alive.low, dead.high, 3, 45, 7)


def test_without_unknown_urls_the_bounds_are_the_interval() -> None:
    found = share_of([Stratum(100, 10, 2)])
    assert (found.low_if_unknown_alive, found.high_if_unknown_dead) == (found.low, found.high)
    assert (found.decided, found.unknown) == (10, 0)


def test_where_too_little_is_decided_there_are_no_bounds() -> None:
    assert share_of([Stratum(100, 1, 0, 9)]) == Found(0.0, None, None, None, None, 1, 1, 9)
    assert share_of([Stratum(100, 0, 0, 9)]) == Found(None, None, None, None, None, 0, 0, 9)


@pytest.mark.parametrize(
    ("rate", "half_width", "urls"),
    [
        (None, 0.02, 2401),
        (0.5, 0.02, 2401),
        (0.2, 0.02, 1537),
        (0.8, 0.02, 1537),
        (0.0, 0.02, 189),  # as of 2 %: few dead ones were seen by chance
        (1.0, 0.02, 189),
        (None, 0.1, 97),
    ],
)
def test_about_how_many_urls_are_needed(rate: float | None, half_width: float, urls: int) -> None:
    assert needed(rate, half_width) == urls
