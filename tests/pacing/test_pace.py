"""The rate at which a host is asked."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.pacing.pace import CUT, FASTEST, SLOWEST, Rate


def asked(rate: Rate, answers: int) -> float:
    """Answer so many requests at the rate; the seconds that takes."""
    seconds = 0.0
    for _ in range(answers):
        seconds += 1 / (rate.value or math.inf)
        rate.answered()
    return seconds


def test_nothing_refused_is_no_rate() -> None:
    rate = Rate()
    asked(rate, 1000)
    assert rate.value is None


def test_after_a_first_refusal_the_rate_is_what_was_delivered_and_doubles() -> None:
    rate = Rate()
    rate.cut(100, 50.0, 10.0)
    assert rate.value == 2.0
    asked(rate, 8)
    assert rate.value == pytest.approx(4.0)


def test_a_refusal_after_many_answers_cuts_a_little_and_its_rate_is_come_near_to_slowly() -> None:
    rate = Rate(4.0, 100.0)
    rate.cut(400, 130.0, 5.0)
    assert rate.value == 4.0 * CUT
    assert rate.ceiling == 4.0
    seconds = 0.0
    while (rate.value or 0.0) < 4.0 * 0.999:
        seconds += asked(rate, 1)
    assert seconds >= 0.8 * 20 * 5.0, "a closure of 5 s is to cost a twentieth of the time"


def test_a_rate_refused_twice_alike_is_believed() -> None:
    rate = Rate(4.0, 100.0)
    rate.cut(400, 110.0, 1.0)
    first = rate.span
    rate.value = 4.1
    rate.cut(400, 110.0, 1.0)
    assert rate.value == pytest.approx(4.1 * 0.95)
    assert rate.span == 2 * first


def test_past_the_rate_that_was_refused_it_grows_ever_faster() -> None:
    rate = Rate(4.0, 100.0)
    rate.cut(400, 110.0, 1.0)
    asked(rate, 1000)
    before = rate.value or 0.0
    seconds = asked(rate, 1000)
    assert (rate.value or 0.0) > before * 2 ** (2 * seconds / rate.span)


def test_a_burst_that_is_used_up_tells_the_rate() -> None:
    rate = Rate(1.0, 5.0)
    rate.cut(4, 40.0, 30.0)
    assert 0.1 <= (rate.value or 0.0) <= 0.5
    asked(rate, 4)
    rate.cut(4, 40.0, 30.0)
    assert (rate.value or 0.0) <= 0.25


def test_a_quota_is_no_reason_to_ask_more_slowly() -> None:
    rate = Rate(2.0, 2.5)
    rate.cut(2000, 2000 / 2.0 + 80_000.0, 80_000.0)
    assert rate.value == pytest.approx(2.0)


def test_a_quota_brings_a_rate_down_to_what_was_asked_and_leaves_its_ceiling() -> None:
    rate = Rate(10.0, 12.0)
    rate.cut(2000, 1000.0 + 80_000.0, 80_000.0)
    assert rate.value == pytest.approx(2.0)
    assert rate.ceiling == 12.0
    first = Rate()
    first.cut(2000, 1000.0 + 80_000.0, 80_000.0)
    assert first.value == pytest.approx(2.0)


def test_a_first_refusal_of_one_request_alone_costs_no_more_than_the_time() -> None:
    rate = Rate()
    rate.cut(50, 12.0, 2.0, alone=True)
    assert rate.value == pytest.approx(5.0)
    other = Rate()
    other.cut(50, 12.0, 2.0)
    assert other.value == pytest.approx(50 / 12)


@pytest.mark.parametrize(("closed", "begins"), [(1.0, 1.0), (16.0, 0.5), (80.0, 0.1)])
def test_where_next_to_nothing_was_answered_it_is_seen_what_comes_next(closed: float, begins: float) -> None:
    rate = Rate()
    rate.cut(0, closed + 0.1, closed)
    assert rate.value == pytest.approx(begins)


def test_a_rate_far_above_what_was_delivered_comes_down_by_more() -> None:
    rate = Rate(20.0, 40.0)
    rate.cut(60, 64.0, 60.0)
    assert rate.value == pytest.approx((60 / 64 * 20 * CUT) ** 0.5)
    assert rate.ceiling == pytest.approx(2 * (rate.value or 0.0))


def test_one_refused_alone_after_few_answers_is_a_small_cut() -> None:
    rate = Rate(4.0, 100.0)
    rate.cut(3, 1.5, 0.5, alone=True)
    assert rate.value == pytest.approx(4.0 * CUT)


def test_what_was_delivered_is_the_least_that_a_host_allows() -> None:
    rate = Rate(4.0, 100.0)
    rate.cut(390, 100.0, 1.0)
    assert rate.value == pytest.approx(3.9)


def test_a_rate_refused_otherwise_than_before_is_no_longer_believed() -> None:
    rate = Rate(4.0, 100.0)
    for value in (4.0, 4.1, 4.1):
        rate.value = value
        rate.cut(400, 130.0, 1.0)
    believed = rate.span
    rate.value = 9.0
    rate.cut(900, 130.0, 1.0)
    assert rate.span < believed
    assert rate.value == pytest.approx(9.0 * CUT)


def test_it_is_fast_at_first_and_slow_near_the_ceiling() -> None:
    rate = Rate(4.0, 100.0)
    rate.cut(400, 130.0, 5.0)
    start, seconds = rate.value or 0.0, 0.0
    while seconds < rate.span / 2:
        seconds += asked(rate, 1)
    assert rate.value == pytest.approx(start + (4.0 - start) * 0.875, rel=0.01)


def test_a_rate_that_is_not_used_does_not_grow() -> None:
    rate = Rate(4.0, 100.0)
    rate.cut(400, 110.0, 1.0)
    before = rate.value
    assert rate.value == before


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.floats(0, 1e6), st.floats(0, 1e6), st.booleans(), st.integers(0, 50)),
        max_size=20,
    )
)
def test_whatever_happens_the_rate_is_one(cuts: list[tuple[int, float, float, bool, int]]) -> None:
    rate = Rate()
    for answers, open_for, closed, alone, then in cuts:
        rate.cut(answers, open_for + closed, closed, alone=alone)
        asked(rate, then)
        assert rate.value is not None
        assert SLOWEST <= rate.value <= FASTEST
        assert rate.span > 0


def test_one_answer_does_not_make_a_very_slow_pace_the_fastest_of_all() -> None:
    rate = Rate.near(1 / 3600, 0.0)
    rate.answered()
    assert rate.value is not None
    assert 1 / 3600 < rate.value <= 16 / 3600
