"""The pacer against hosts that limit the rate each in its own way, with the real scheduler, in virtual time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scraper.pacing.pacer import Pace
from tests.virtual.hosts import DAY, HOUR, AtOnce, Bucket, Host, Open, Penalty
from tests.virtual.loop import Loop
from tests.virtual.table import CASES

if TYPE_CHECKING:
    from tests.virtual.table import Case

FLICKR = "static.flickr.com"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_most_of_what_a_host_allows_is_had_and_little_is_refused(case: Case) -> None:
    course = case.run()
    assert case.reached(course) >= 0.85
    assert course.refusals() <= 0.05


@pytest.mark.parametrize("seed", range(3))
def test_a_third_of_the_hosts_that_limit_is_found_alike_with_other_chances(seed: int) -> None:
    for case in CASES[7 + seed : 10 + seed]:
        course = Loop({FLICKR: case.make()}, seed=seed + 7).run(case.seconds)
        assert case.reached(course) >= 0.85


@pytest.mark.parametrize(
    ("host", "pictures", "best", "refused"),
    [
        (Host(Penalty(Bucket(3, 10), 5)), 60, 17, 12),
        (Host(Penalty(Bucket(2, 1), 10)), 80, 45, 12),
        (Host(Penalty(Bucket(0.1, 25), 30)), 40, 150, 24),
    ],
)
def test_from_the_first_minute_on_there_are_few_refusals(host: Host, pictures: int, best: float, refused: int) -> None:
    course = Loop({FLICKR: host}).run(1000)
    assert course.saved[pictures - 1] <= 2.2 * best
    assert sum(time <= course.saved[pictures - 1] for time in course.refused) <= refused


def test_a_group_that_refuses_starves_no_other() -> None:
    slow, open_host = Host(Penalty(Bucket(0.1, 5), 60)), Host(Open())
    course = Loop({FLICKR: slow, "images.example.org": open_host}, threads=8).run(200)
    assert len(course.saved) >= 0.9 * 200 * 8 / 0.1


def test_what_was_learnt_is_where_the_next_run_begins() -> None:
    limited = Host(Penalty(Bucket(2, 1), 10))
    first = Loop({FLICKR: limited}).run(HOUR)
    pace = first.paces["flickr"]
    assert pace.rate is not None
    assert 1.5 <= pace.rate <= 2.2
    again = Loop({FLICKR: Host(Penalty(Bucket(2, 1), 10))}, known=first.paces).run(120)
    assert len(again.saved) >= 0.8 * 120 * 2
    assert len(again.refused) <= 2


def test_a_pace_that_is_far_too_low_or_too_high_is_soon_another() -> None:
    for rate in (1e-9, 0.01, 1e6):
        course = Loop({FLICKR: Host(Bucket(3, 10))}, known={"flickr": Pace(rate=rate)}).run(1.5 * HOUR)
        assert course.throughput(HOUR) >= 0.85 * 3, rate


def test_an_outage_of_an_hour_costs_no_more_than_that() -> None:
    class Out(Open):
        def passes(self, now: float, at_once: int) -> bool:
            del at_once
            return not 300 <= now < 3900

    course = Loop({FLICKR: Host(Out(), status=503)}, threads=4).run(5000)
    assert sum(time > 4600 for time in course.saved) >= 0.85 * 40 * 400
    assert len(course.refused) <= 60


def test_patience_ends_and_not_before() -> None:
    for patience in (60.0, HOUR, 12 * HOUR):
        course = Loop({FLICKR: Host(Bucket(1e-9, 20))}, patience=patience).run(3 * DAY)
        assert course.gave_up
        assert patience <= course.ended_at - course.saved[-1] <= patience + 5
        assert len(course.asked) <= 100


def test_a_handful_that_stays_refused_ends_by_its_tries() -> None:
    course = Loop({FLICKR: Host(Open(), own=1.0)}, classes=1, listed=3, wanted=3).run(DAY)
    assert len(course.asked) == 9
    assert not course.gave_up
    assert course.ended_at < 2 * HOUR


def test_the_requests_at_once_of_a_host_are_found_and_kept_to() -> None:
    course = Loop({FLICKR: Host(AtOnce(6))}).run(HOUR / 8)
    assert course.refusals(60) <= 0.01
