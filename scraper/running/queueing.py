"""Items to be asked for until each is settled: new ones in order, failed ones when they are due, under one brake."""

from __future__ import annotations

import heapq
import itertools
import random
from typing import TYPE_CHECKING, Generic, TypeVar

from scraper.errors import StoppedEarlyError
from scraper.pacing.brake import Brake
from scraper.running.retry import LONGEST_RETRY_AFTER, backoff

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scraper.model import Outcome

Item = TypeVar("Item")


class RetryQueue(Generic[Item]):
    """The simpler sibling of `scheduler`, for requests without quotas. Times are Unix seconds, given by the caller."""

    def __init__(self, items: Iterable[Item], *, threads: int, tries: int) -> None:
        """For `items`, asked for by `threads` requests at once, each up to `tries` times."""
        self._fresh: Iterator[Item] = iter(items)
        self._tries = tries
        self._due: list[tuple[float, int, Item, int]] = []
        self._order = itertools.count()
        self._brake = Brake(threads)
        self._exhausted = False
        self._rng = random.Random()  # noqa: S311 - jitter

    @property
    def finished(self) -> bool:
        """Whether every item was settled."""
        return self._exhausted and not self._due and not self._brake.in_flight

    def take(self, now: float) -> Iterator[tuple[Item, int]]:
        """The items to ask for now, each with the number of this try."""
        while self._brake.allows(now):
            if self._due and self._due[0][0] <= now:
                _, _, item, number = heapq.heappop(self._due)
            else:
                try:
                    item, number = next(self._fresh), 1
                except StopIteration:
                    self._exhausted = True
                    return
            self._brake.in_flight += 1
            yield item, number

    def patience(self, now: float, most: float) -> float:
        """Seconds to wait for an answer before looking again, up to `most`."""
        times = [entry[0] for entry in self._due[:1]] + [self._brake.resume_at]
        return min([most, *(time - now for time in times if time > now)])

    def again(
        self,
        item: Item,
        number: int,
        outcome: Outcome,
        *,
        retryable: bool,
        started_at: float,
        retry_after: float | None,
        now: float,
    ) -> bool:
        """Take in how try `number` of an item ended; whether it will be asked for again."""
        self._brake.in_flight -= 1
        self._brake.record(outcome, started_at=started_at, retry_after=retry_after, now=now)
        asked = retry_after or 0.0
        if not retryable or number >= self._tries or asked > LONGEST_RETRY_AFTER:
            return False
        heapq.heappush(self._due, (now + max(backoff(number, self._rng), asked), next(self._order), item, number + 1))
        return True

    def check_blocked(self, name: str, now: float) -> None:
        """Give up where the host has refused for too long.

        Raises:
            StoppedEarlyError: it has.
        """
        if self._brake.blocked:
            raise StoppedEarlyError(self._brake.explain(name, now))
