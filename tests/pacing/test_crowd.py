"""Whether a host refuses for the number of requests at once."""

from __future__ import annotations

import pytest

from scraper.pacing.crowd import Crowd


def asked(crowd: Crowd, most: int, now: float = 0.0) -> None:
    """Answer requests of up to so many at once."""
    for _ in range(10):
        for at_once in range(1, most + 1):
            crowd.answered(at_once, now)


def test_what_is_refused_in_a_larger_crowd_than_what_is_answered_bounds_it() -> None:
    crowd = Crowd()
    asked(crowd, 10)
    crowd.refused(11)
    assert crowd.opened(0.5, 1.0)
    assert crowd.limit == 10


def test_what_is_refused_in_any_crowd_is_refused_for_its_rate() -> None:
    crowd = Crowd()
    asked(crowd, 10)
    crowd.refused(6)
    assert not crowd.opened(0.5, 1.0)
    assert crowd.limit is None


def test_few_answers_tell_nothing() -> None:
    crowd = Crowd()
    for at_once in (1, 2, 3):
        crowd.answered(at_once, 0.0)
    crowd.refused(4)
    assert not crowd.opened(0.5, 1.0)


def test_the_last_of_a_first_burst_is_in_the_largest_crowd_whatever_it_is_refused_for() -> None:
    crowd = Crowd()
    asked(crowd, 10)
    crowd.refused(11)
    assert not crowd.opened(10.0, 10.0)
    asked(crowd, 10)
    crowd.refused(11)
    assert crowd.opened(10.0, 20.0)


def test_the_first_of_several_refusals_is_the_one_that_tells() -> None:
    crowd = Crowd()
    asked(crowd, 10)
    crowd.suspect(11)
    crowd.refused(3)
    assert crowd.opened(0.5, 1.0)
    asked(crowd, 10)
    crowd.refused(3)
    assert not crowd.opened(0.5, 1.0), "what was suspected before is over"


@pytest.mark.parametrize("closed", [0.5, 5.0])
def test_one_more_is_tried_after_a_while_and_later_each_time_that_is_refused(closed: float) -> None:
    crowd, now, waited = Crowd(), 0.0, []
    asked(crowd, 10)
    crowd.refused(11)
    crowd.opened(0.5, now)
    for _ in range(3):
        asked(crowd, 10, now)
        crowd.refused(11)
        assert crowd.opened(closed, now)
        began = now
        while crowd.limit == 10:
            now += 1.0
            crowd.answered(10, now)
        waited.append(now - began)
        assert crowd.limit == 11
    assert waited == sorted(waited)
    assert waited[0] >= 20 * closed
    assert waited[-1] <= max(180.0, 20 * closed * 2)


def test_a_crowd_that_is_not_reached_does_not_grow() -> None:
    crowd = Crowd()
    asked(crowd, 10)
    crowd.refused(11)
    crowd.opened(0.5, 0.0)
    for second in range(1000):
        crowd.answered(5, float(second))
    assert crowd.limit == 10
