"""Hosts that limit the rate, each in its own way, in virtual time.

What is publicly told of Flickr's image hosts, and what rate limiters in common use do: token buckets, fixed and sliding
windows, penalties that begin anew with each refusal, limits at once, quotas, limits that change, refusals in other
codes than 429, slowness instead of refusals.
"""

from __future__ import annotations

import math
import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

HOUR: Final = 3600.0
DAY: Final = 24 * HOUR


class Answer(NamedTuple):
    """What a host answers: the status, None where it is silent until the deadline; the seconds; what it asks for."""

    status: int | None
    seconds: float
    retry_after: float | None = None


class Limiter(Protocol):
    """Whether a host lets a request pass."""

    def passes(self, now: float, at_once: int) -> bool:
        """Take in a request, with how many are under way with it."""


@dataclass
class Bucket:
    """A token bucket: `rate` a second, `burst` at once. The rate may depend on the time."""

    rate: float | Callable[[float], float]
    burst: float
    _tokens: float = -1.0
    _at: float = 0.0

    def passes(self, now: float, at_once: int) -> bool:
        del at_once
        rate = self.rate(now) if callable(self.rate) else self.rate
        self._tokens = self.burst if self._tokens < 0 else min(self.burst, self._tokens + (now - self._at) * rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


@dataclass
class FixedWindow:
    """`most` requests in each window of `seconds`, such as a quota a day."""

    most: int
    seconds: float
    _window: int = -1
    _count: int = 0

    def passes(self, now: float, at_once: int) -> bool:
        del at_once
        window = int(now // self.seconds)
        if window != self._window:
            self._window, self._count = window, 0
        self._count += 1
        return self._count <= self.most


@dataclass
class SlidingWindow:
    """`most` requests that passed in any `seconds`."""

    most: int
    seconds: float
    _passed: deque[float] = field(default_factory=deque)

    def passes(self, now: float, at_once: int) -> bool:
        del at_once
        while self._passed and self._passed[0] <= now - self.seconds:
            self._passed.popleft()
        if len(self._passed) >= self.most:
            return False
        self._passed.append(now)
        return True


@dataclass
class AtOnce:
    """`most` requests at once."""

    most: int

    def passes(self, now: float, at_once: int) -> bool:
        del now
        return at_once <= self.most


@dataclass
class Penalty:
    """Closed for `seconds` after a refusal; with `extended`, each request while it is closed begins that anew."""

    inner: Limiter
    seconds: float
    extended: bool = False
    _until: float = -math.inf

    def passes(self, now: float, at_once: int) -> bool:
        if now < self._until:
            if self.extended:
                self._until = now + self.seconds
            return False
        if self.inner.passes(now, at_once):
            return True
        self._until = now + self.seconds
        return False


@dataclass
class Open:
    """No limit at all."""

    def passes(self, now: float, at_once: int) -> bool:
        del now, at_once
        return True


@dataclass
class Host:
    """A host in virtual time.

    Attributes:
        limiter: which requests pass.
        status: of a refusal.
        latency: seconds of an answer, on average.
        own: share of URLs that are refused whoever asks, whenever.
        once: share of URLs that are refused when they are asked for first.
        served: answers a second at most; what is asked beyond that waits in line.
        retry_after: seconds told with a refusal.
    """

    limiter: Limiter
    status: int = 429
    latency: float = 0.1
    own: float = 0.0
    once: float = 0.0
    served: float = math.inf
    retry_after: float | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)
        self._free_at = 0.0
        self._seen: set[int] = set()

    def ask(self, number: int, now: float, at_once: int) -> Answer:
        """Answer a request for a URL, with how many are under way with it."""
        seconds = self.latency * self._rng.uniform(0.8, 1.2)
        if not self.limiter.passes(now, at_once):
            return Answer(self.status, seconds / 2, self.retry_after)
        if self.owned(number):
            return Answer(429, seconds / 2)
        if self.once and number not in self._seen:
            self._seen.add(number)
            if self._rng.random() < self.once:
                return Answer(429, seconds / 2)
        if self.served < math.inf:
            self._free_at = max(now, self._free_at) + 1 / self.served
            seconds += self._free_at - now
        return Answer(200, seconds)

    def owned(self, number: int) -> bool:
        """Whether a URL is refused whoever asks."""
        return self.own > 0 and random.Random(number).random() < self.own
