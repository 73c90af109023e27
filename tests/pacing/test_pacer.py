"""The pacer of one group of hosts, with time given by hand."""

from __future__ import annotations

import itertools

import pytest

from scraper.model import Outcome
from scraper.pacing.pacer import AHEAD, FIRST_AT_ONCE, UNREACHED, Ended, Pace, Pacer
from scraper.pacing.refusals import Meaning

STATUS = {Outcome.SAVED: 200, Outcome.GONE: 404, Outcome.THROTTLED: 429, Outcome.SERVER_ERROR: 503}


class Bench:
    """A pacer, its clock, and the requests under way."""

    def __init__(self, pacer: Pacer, now: float = 1000.0) -> None:
        self.pacer = pacer
        self.now = now
        self.numbers = itertools.count(1)
        self.flying: list[int] = []

    def start(self) -> int:
        """Start all that may start now; how many that were."""
        before = len(self.flying)
        while self.pacer.allows(self.now):
            number = next(self.numbers)
            self.pacer.start(number, self.now)
            self.flying.append(number)
        return len(self.flying) - before

    def end(self, outcome: Outcome, *, seconds: float = 0.1, retry_after: float | None = None) -> Meaning:
        """End the request that was begun first."""
        number = self.flying.pop(0)
        ended = Ended(
            number=number, outcome=outcome, status=STATUS.get(outcome), seconds=seconds, retry_after=retry_after
        )
        return self.pacer.record(ended, self.now)

    def end_all(self, outcome: Outcome) -> None:
        while self.flying:
            self.end(outcome)


def warm(threads: int = 8) -> Bench:
    """A group that has answered for a while."""
    bench = Bench(Pacer(threads, now=1000.0))
    for _ in range(6):
        bench.start()
        bench.now += 0.1
        bench.end_all(Outcome.SAVED)
    return bench


def closed(retry_after: float | None = None) -> Bench:
    """The same, which has just refused all that was under way."""
    bench = warm()
    bench.start()
    bench.now += 0.1
    while bench.flying:
        bench.end(Outcome.THROTTLED, retry_after=retry_after)
    assert bench.pacer.closed
    return bench


@pytest.mark.parametrize("threads", [1, 2, 4, 32])
def test_it_begins_with_few_at_once_and_comes_to_all_threads(threads: int) -> None:
    bench = Bench(Pacer(threads, now=1000.0))
    assert bench.start() == (min(FIRST_AT_ONCE, threads) if threads > FIRST_AT_ONCE else threads * AHEAD)
    for _ in range(10):
        bench.now += 0.1
        bench.end_all(Outcome.GONE)
        bench.start()
    assert len(bench.flying) == threads * AHEAD
    assert not bench.pacer.held


def test_closed_it_lets_one_look_at_a_time_pass_when_it_is_time() -> None:
    bench = closed()
    assert bench.start() == 0
    bench.now = bench.pacer.due() - 0.01
    assert bench.start() == 0
    bench.now = bench.pacer.due()
    assert bench.start() == 1
    assert bench.start() == 0
    bench.now += 0.1
    bench.end(Outcome.SAVED)
    assert not bench.pacer.closed
    assert bench.pacer.pace.rate is not None


def test_answers_to_what_was_asked_before_do_not_open_it() -> None:
    bench = warm()
    bench.start()
    bench.now += 0.1
    bench.end(Outcome.THROTTLED)
    bench.end(Outcome.THROTTLED)
    bench.end_all(Outcome.SAVED)
    assert bench.pacer.closed


def test_a_time_that_the_host_names_is_waited_for_by_everybody() -> None:
    bench = closed(retry_after=600.0)
    bench.now += 599.9
    assert bench.start() == 0
    bench.now += 0.2
    assert bench.start() == 1


def test_more_patience_than_there_is_ends_it_at_once() -> None:
    bench = closed(retry_after=3700.0)
    assert bench.pacer.exhausted
    assert bench.pacer.back_at == bench.now + 3700.0


def test_one_answer_begins_patience_anew() -> None:
    bench = Bench(Pacer(2, patience=100.0, now=1000.0))
    bench.start()
    bench.end_all(Outcome.SAVED)
    for _ in range(3):
        bench.now += 90.0
        bench.start()
        bench.end_all(Outcome.SERVER_ERROR)
        assert not bench.pacer.exhausted
        bench.now = max(bench.now, bench.pacer.due())
        bench.start()
        bench.end_all(Outcome.SAVED)


def test_a_host_that_says_429_is_there_and_one_that_never_answered_may_not_be() -> None:
    throttled, silent = Bench(Pacer(2, now=1000.0)), Bench(Pacer(2, now=1000.0))
    for bench, outcome in ((throttled, Outcome.THROTTLED), (silent, Outcome.CONNECTION_ERROR)):
        while not bench.pacer.closed:
            bench.start()
            bench.end_all(outcome)
    assert throttled.pacer.gives_up_at == 1000.0 + 3600.0
    assert silent.pacer.gives_up_at == 1000.0 + UNREACHED


def test_what_fails_since_the_machine_slept_is_nobodys_fault() -> None:
    bench = warm(threads=32)
    bench.start()
    bench.now += 60.0
    bench.pacer.woke(bench.now)
    meanings = set()
    while bench.flying:
        meanings.add(bench.end(Outcome.CONNECTION_ERROR))
    assert meanings == {Meaning.NOTHING}
    assert not bench.pacer.closed
    assert not bench.pacer.held


def test_an_answer_that_takes_long_makes_room_smaller() -> None:
    bench = warm(threads=32)
    bench.start()
    bench.now += 20.0
    while bench.flying:
        bench.end(Outcome.SAVED, seconds=20.0)
    assert bench.start() < 32 * AHEAD


def test_what_is_known_is_where_it_begins() -> None:
    known = Pace(rate=2.0, at_once=3, usually_closed=10.0, closed_until=1030.0, refusal=Outcome.THROTTLED)
    bench = Bench(Pacer(32, known=known, now=1000.0))
    assert bench.pacer.closed
    bench.now = 1029.9
    assert bench.start() == 0
    bench.now = 1030.0
    assert bench.start() == 1
    bench.end(Outcome.SAVED)
    assert 1.0 <= (bench.pacer.pace.rate or 0.0) <= 2.0


@pytest.mark.parametrize("until", [1061.0, 1e12, 1000.0 + 1e9])
def test_a_closure_beyond_patience_that_an_earlier_run_was_told_of_is_not_waited_for(until: float) -> None:
    bench = Bench(Pacer(32, patience=60.0, known=Pace(closed_until=until), now=1000.0))
    assert bench.pacer.exhausted
    assert bench.pacer.named_until == until
    assert bench.start() == 0


def test_a_closure_that_is_over_is_none() -> None:
    bench = Bench(Pacer(4, known=Pace(closed_until=999.0, usually_closed=5.0), now=1000.0))
    assert not bench.pacer.closed
    assert bench.start() > 0


def test_paced_requests_are_even_and_make_up_for_little() -> None:
    bench = Bench(Pacer(32, known=Pace(rate=4.0), now=1000.0))
    starts = []
    while bench.now < 1005.0:
        starts += [bench.now] * bench.start()
        bench.now += 0.01
        bench.end_all(Outcome.GONE)
    gaps = [later - sooner for sooner, later in itertools.pairwise(starts)]
    assert max(gaps) <= 0.32
    assert min(gaps) >= 0.2
    bench.now += 60.0
    assert bench.start() == 1
