"""The queue of requests without quotas, with time given by hand."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from scraper.model import Outcome
from scraper.running.queueing import RetryQueue

if TYPE_CHECKING:
    from scraper.running.queueing import Task


class Bench:
    """A queue and its clock."""

    def __init__(
        self, items: int, *, threads: int = 4, tries: int = 3, patience: float = 60.0, puts_off: bool = False
    ) -> None:
        self.now = 1000.0
        self.queue: RetryQueue[int] = RetryQueue(
            range(items),
            threads=threads,
            tries=tries,
            patience=patience,
            deadline=30.0,
            rng=random.Random(1),
            now=self.now,
            puts_off=puts_off,
        )

    def take(self) -> list[Task[int]]:
        return list(self.queue.take(self.now))

    def end(self, task: Task[int], outcome: Outcome, retry_after: float | None = None) -> bool:
        return self.queue.again(
            task,
            outcome,
            status=429 if outcome is Outcome.THROTTLED else None,
            retryable=outcome.retryable,
            seconds=0.1,
            retry_after=retry_after,
            now=self.now,
        )

    def wait(self) -> None:
        self.now += max(self.queue.wait(self.now, 1e9), 0.001)


def test_all_are_asked_once_in_order() -> None:
    bench, seen = Bench(50), []
    while not bench.queue.finished:
        for task in bench.take():
            seen.append(task.item)
            bench.now += 0.01
            assert not bench.end(task, Outcome.SAVED)
    assert seen == list(range(50))


def test_nothing_is_finished_at_once_and_only_once_it_was_looked_for() -> None:
    bench = Bench(0)
    assert bench.take() == []
    assert bench.queue.finished


@pytest.mark.parametrize("tries", [1, 2, 5])
def test_a_failure_is_asked_again_as_often_as_allowed(tries: int) -> None:
    bench = Bench(1, tries=tries)
    asked = 0
    while not bench.queue.finished:
        for task in bench.take():
            asked += 1
            assert bench.end(task, Outcome.CONNECTION_ERROR) is (asked < tries)
        if not bench.queue.finished:
            bench.wait()
    assert asked == tries


def test_a_failure_waits_before_it_is_asked_again_and_others_go_first() -> None:
    bench = Bench(9)
    first, *others = bench.take()
    bench.end(first, Outcome.CONNECTION_ERROR)
    for task in others:
        bench.end(task, Outcome.SAVED)
    assert 0 not in [task.item for task in bench.take()]
    assert 0.5 <= bench.queue.wait(bench.now, 100.0) <= 1.0


def test_a_retry_after_is_waited_for_in_full() -> None:
    bench = Bench(1)
    (task,) = bench.take()
    bench.end(task, Outcome.SERVER_ERROR, retry_after=77.0)
    assert bench.queue.wait(bench.now, 1000.0) == 77.0
    bench.now += 76.9
    assert bench.take() == []
    bench.now += 0.1
    assert [task.number for task in bench.take()] == [2]


def test_a_retry_after_that_is_too_long_is_the_end_of_an_item() -> None:
    bench = Bench(1)
    (task,) = bench.take()
    assert not bench.end(task, Outcome.SERVER_ERROR, retry_after=121.0)


def test_what_cannot_be_asked_again_is_settled() -> None:
    bench = Bench(1)
    (task,) = bench.take()
    assert not bench.end(task, Outcome.REDIRECT_ERROR)
    assert bench.take() == []
    assert bench.queue.finished


def test_a_host_that_refuses_is_left_alone_for_a_while_and_then_asked_for_something_else() -> None:
    bench = Bench(20)
    tasks = bench.take()
    for task in tasks:
        assert bench.end(task, Outcome.THROTTLED)
    assert bench.take() == []
    bench.now += 1.0
    (look,) = bench.take()
    assert look.item == len(tasks)


def test_a_host_that_only_refuses_is_given_up_when_patience_ends() -> None:
    bench = Bench(1000, patience=60.0)
    asked = 0
    while not bench.queue.pacer.exhausted:
        for task in bench.take():
            asked += 1
            bench.end(task, Outcome.THROTTLED)
        if not bench.queue.pacer.exhausted:
            bench.wait()
    assert 1060.0 <= bench.now <= 1062.0
    assert asked <= 20


def test_a_time_that_is_named_to_everybody_is_waited_for_however_long() -> None:
    bench = Bench(20, patience=10_000.0)
    first, *others = bench.take()
    bench.end(first, Outcome.THROTTLED, retry_after=900.0)  # which one alone may be for itself
    for task in others:
        assert bench.end(task, Outcome.THROTTLED, retry_after=900.0)
    assert bench.queue.wait(bench.now, 1e6) == 900.0


@pytest.mark.parametrize("puts_off", [False, True])
def test_a_final_answer_that_everybody_gets_is_asked_for_again_where_it_matters(*, puts_off: bool) -> None:
    bench = Bench(40, patience=1e6, puts_off=puts_off)
    for task in bench.take():
        bench.end(task, Outcome.SAVED)
    settled = 0
    while not bench.queue.finished and bench.now < 500_000:
        for task in (tasks := bench.take()):
            settled += not bench.end(task, Outcome.FORBIDDEN)
        if not tasks:
            bench.wait()
    assert settled == (11 if puts_off else 32), "the first ones in a row may be the photos' own"
