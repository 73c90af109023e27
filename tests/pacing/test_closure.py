"""How long a host that refuses is left alone."""

from __future__ import annotations

import math

import pytest

from scraper.pacing.closure import FIRST_WAIT, LONGEST_WAIT, Closure


def looked_at_until(closure: Closure, opens_at: float, now: float = 0.0) -> tuple[int, float]:
    """Close at `now`, look whenever it is time: how many looks were refused, and how long it was closed."""
    closure.close(now, None)
    looks = 0
    while closure.until < opens_at:
        closure.refused(closure.until, None)
        looks += 1
    return looks, closure.open(closure.until)


def test_waits_double_until_it_opens() -> None:
    closure = Closure()
    closure.close(0.0, None)
    waits: list[float] = []
    for _ in range(5):
        waits.append(closure.until - (closure.since or 0.0) - sum(waits))
        closure.refused(closure.until, None)
    assert waits == [FIRST_WAIT * 2**n for n in range(5)]
    assert closure.closed


def test_no_wait_is_longer_than_the_longest() -> None:
    closure, now = Closure(), 0.0
    closure.close(now, None)
    for _ in range(40):
        now = closure.until
        closure.refused(now, None)
        assert closure.until - now <= LONGEST_WAIT


@pytest.mark.parametrize("closed", [2.0, 5.0, 10.0, 30.0, 60.0, 600.0])
def test_how_long_a_host_is_closed_is_learnt(closed: float) -> None:
    closure = Closure()
    looked_at_until(closure, closed)
    found = []
    for round_ in range(1, 12):
        now = round_ * 10_000.0
        found.append(looked_at_until(closure, now + closed, now))
    looks = [looks for looks, _ in found]
    assert sum(looks) <= 4
    assert found[-1][1] <= 1.7 * closed


def test_a_time_that_the_host_names_is_kept_to_in_full() -> None:
    closure = Closure()
    closure.close(100.0, 1800.0)
    assert closure.until == 1900.0
    closure.refused(1900.0, 50.0)
    assert closure.until == 1950.0
    closure.extend(1901.0, 7200.0)
    assert closure.until == 9101.0


def test_an_earlier_run_says_how_long_to_wait() -> None:
    closure = Closure(30.0)
    closure.close(0.0, None)
    assert 5.0 <= closure.until <= 30.0


def test_open_and_closed() -> None:
    closure = Closure()
    states = [closure.closed]
    assert closure.until == -math.inf
    closure.close(5.0, None)
    states.append(closure.closed)
    assert closure.open(8.0) == 3.0
    assert [*states, closure.closed] == [False, True, False]
