"""Other ways to meet a host that limits the rate, as yardsticks for the pacer; each has what the loop needs of one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Protocol

from scraper.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

CLOSED: Final = 30.0


class Way(Protocol):
    """A way to ask a host; times in seconds."""

    in_flight: int

    def allows(self, now: float) -> bool:
        """Whether one more request may start."""

    def started(self, now: float) -> None:
        """Take in that one does."""

    def ended(self, outcome: Outcome, started_at: float, now: float) -> None:
        """Take in how one ended."""

    def due(self) -> float:
        """When one may start, as far as time decides."""


class AtOnce:
    """Requests at once alone: halved at a refusal, one more with each answer; pauses of 1 to 30 s between refusals.

    Without a bound on refusals, which the first version of this tool had.
    """

    def __init__(self, threads: int) -> None:
        self.in_flight = 0
        self._threads = threads
        self._limit = float(threads)
        self._cut_at = -math.inf
        self._refusals = 0
        self._resume_at = 0.0

    def allows(self, now: float) -> bool:
        """Whether there is room."""
        return now >= self._resume_at and self.in_flight < int(self._limit)

    def started(self, now: float) -> None:
        """Count it."""
        del now
        self.in_flight += 1

    def ended(self, outcome: Outcome, started_at: float, now: float) -> None:
        """Additive increase, multiplicative decrease."""
        self.in_flight -= 1
        if outcome is Outcome.SAVED:
            self._refusals = 0
            self._limit = min(self._threads, self._limit + 1 / self._limit)
        elif started_at >= self._cut_at:
            self._cut_at = now
            self._limit = max(1.0, min(self._limit, self.in_flight + 1.0) / 2)
            self._refusals += 1
            if self._refusals > 1:
                self._resume_at = now + min(CLOSED, 2.0 ** min(self._refusals - 2, 16))

    def due(self) -> float:
        """After the pause."""
        return self._resume_at


class Rate:
    """A rate alone, by some rule for what follows a refusal and an answer; a pause of a second after a refusal."""

    def __init__(self, threads: int, cut: Callable[[float], float], grow: Callable[[float, float], float]) -> None:
        self.in_flight = 0
        self._threads = threads
        self._cut = cut
        self._grow = grow
        self._rate = 10.0
        self._next = 0.0
        self._cut_at = -math.inf
        self._grown_at = 0.0

    def allows(self, now: float) -> bool:
        """Whether it is time."""
        return now >= self._next and self.in_flight < self._threads

    def started(self, now: float) -> None:
        """Pace the next one."""
        self.in_flight += 1
        self._next = max(self._next, now) + 1 / self._rate

    def ended(self, outcome: Outcome, started_at: float, now: float) -> None:
        """Cut or grow."""
        self.in_flight -= 1
        if outcome is Outcome.SAVED:
            self._rate = min(1e4, self._grow(self._rate, now - self._cut_at))
        elif started_at >= self._cut_at:
            self._rate = max(1 / 3600, self._cut(self._rate))
            self._cut_at, self._next = now, now + 1.0

    def due(self) -> float:
        """The next turn."""
        return self._next


def additive(threads: int) -> Rate:
    """Additive increase and multiplicative decrease of the rate (https://doi.org/10.1109/65.244797)."""
    return Rate(threads, lambda rate: rate / 2, lambda rate, _: rate + 0.1 / rate)


class Adaptive(Rate):
    """CUBIC on the rate, as botocore's adaptive retry mode has it: cut by 0.7, no closures, no memory of bursts.

    https://github.com/boto/botocore/blob/develop/botocore/retries/throttling.py
    """

    def __init__(self, threads: int) -> None:
        self._most = 10.0
        super().__init__(threads, self._lower, self._cubic)

    def _lower(self, rate: float) -> float:
        self._most = rate
        return rate * 0.7

    def _cubic(self, rate: float, since: float) -> float:
        if not math.isfinite(since):
            return rate * 1.1
        back = math.cbrt(self._most * 0.3 / 0.4)
        return max(0.001, min(2 * rate, 0.4 * (since - back) ** 3 + self._most))
