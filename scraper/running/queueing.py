"""Items to be asked for until each is settled: new ones in order, failed ones when they are due, under one pacer."""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from scraper.pacing.pacer import Ended, Pacer
from scraper.pacing.refusals import Meaning
from scraper.running.interception import OWN_ANSWER
from scraper.running.retry import LONGEST_RETRY_AFTER, backoff

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator

    from scraper.model import Outcome
    from scraper.running.clock import Clock
    from scraper.running.crew import Crew

Item = TypeVar("Item")
Result = TypeVar("Result")

TICK: Final = 0.25
"""Seconds between looks at whether someone asked the run to stop."""


@dataclass(slots=True)
class Task(Generic[Item]):
    """An item to ask for.

    Attributes:
        item: the item.
        order: of the item among all.
        number: of this request for it, from 1; those that were put off are not counted.
        refused: whether the host refused everybody with what it answered last.
        put_off: how often it was asked for beside that.
    """

    item: Item
    order: int
    number: int = 1
    refused: bool = False
    put_off: int = 0


class RetryQueue(Generic[Item]):
    """The simpler sibling of `scheduler`, for requests without quotas. Times are seconds, given by the caller."""

    def __init__(
        self,
        items: Iterable[Item],
        *,
        threads: int,
        tries: int,
        patience: float,
        deadline: float,
        rng: random.Random,
        now: float,
        puts_off: bool = False,
    ) -> None:
        """For `items`, asked for by `threads` requests at once, each up to `tries` times.

        Args:
            items: in the order in which they are asked for.
            threads: requests at once.
            tries: of each item.
            patience: seconds to wait for a host that refuses without one answer.
            deadline: seconds that a request may take.
            rng: for jitter.
            now: the time.
            puts_off: whether what would be final is asked for again where the host refuses everybody with it.
        """
        self._fresh: Iterator[Item] = iter(items)
        self._tries = tries
        self._puts_off = puts_off
        self._due: list[tuple[float, int, Task[Item]]] = []
        self._order = itertools.count()
        self._numbers = itertools.count(1)
        self.pacer = Pacer(threads, patience=patience, deadline=deadline, now=now)
        self._exhausted = False
        self._rng = rng

    @property
    def finished(self) -> bool:
        """Whether every item was settled."""
        return self._exhausted and not self._due and not self.pacer.in_flight

    def take(self, now: float) -> Iterator[Task[Item]]:
        """The items to ask for now."""
        while self.pacer.allows(now):
            task = self._next(now)
            if task is None:
                return
            self.pacer.start(task.order, now)
            yield task

    def _next(self, now: float) -> Task[Item] | None:
        # A host that refuses is asked for something else, in case that it refuses for the one thing alone.
        if self._due and self._due[0][0] <= now and (not self.pacer.closed or self._exhausted):
            return heapq.heappop(self._due)[2]
        for item in self._fresh:
            return Task(item, next(self._numbers))
        self._exhausted = True
        return heapq.heappop(self._due)[2] if self._due and self._due[0][0] <= now else None

    def wait(self, now: float, longest: float) -> float:
        """Seconds to wait for an answer before looking again, up to `longest`."""
        times = [entry[0] for entry in self._due[:1]] + [self.pacer.due()]
        return min([longest, *(time - now for time in times if time > now)])

    def again(
        self,
        task: Task[Item],
        outcome: Outcome,
        *,
        status: int | None,
        retryable: bool,
        seconds: float,
        retry_after: float | None,
        now: float,
    ) -> bool:
        """Take in how the request for an item ended; whether it will be asked for again."""
        meaning = self.pacer.record(
            Ended(
                number=task.order,
                outcome=outcome,
                status=status,
                seconds=seconds,
                retry_after=retry_after,
                first=task.number == 1 and not task.put_off,
            ),
            now,
        )
        task.refused = meaning is Meaning.REFUSAL
        due = self._due_again(task, meaning, retryable=retryable, retry_after=retry_after or 0.0, now=now)
        if due is not None:
            heapq.heappush(self._due, (due, next(self._order), task))
        return due is not None

    def _due_again(
        self, task: Task[Item], meaning: Meaning, *, retryable: bool, retry_after: float, now: float
    ) -> float | None:
        everybodys = meaning is Meaning.REFUSAL
        in_doubt = everybodys or (meaning is Meaning.OWN and task.put_off + 1 < OWN_ANSWER)
        if in_doubt and self._puts_off and not retryable:
            task.put_off += 1
            return max(now + backoff(task.number, self._rng), self.pacer.due() if everybodys else 0.0)
        # A time that the host names for everybody is waited for however long it is: patience alone ends that.
        if not retryable or task.number >= self._tries or (retry_after > LONGEST_RETRY_AFTER and not everybodys):
            return None
        due = now + max(backoff(task.number, self._rng), 0.0 if everybodys else retry_after)
        task.number += 1
        return max(due, self.pacer.due()) if everybodys else due


def results(queue: RetryQueue[Item], crew: Crew[Task[Item], Result], clock: Clock) -> Iterator[list[Result]]:
    """Ask for all that is in a queue, and give out what comes, some at a time and now and then nothing.

    What was given out is to be told to `again` before the next is taken.
    """
    while not queue.finished:
        now = clock.now()
        if clock.slept():
            queue.pacer.woke(now)
        for task in queue.take(now):
            crew.submit(task)
        yield crew.collect(queue.wait(now, TICK))
