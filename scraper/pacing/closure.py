"""How long a group of hosts is left alone when it refuses, which is learnt from when it answered again.

The first wait is short and each one after is twice as long, as hosts want it that close for longer when they are asked
while closed. What was long enough once is waited for the next time, and what is shorter is tried now and then.
"""

from __future__ import annotations

import math
from typing import Final

FIRST_WAIT: Final = 1.0
SHORTEST_WAIT: Final = 0.25
LONGEST_WAIT: Final = 3600.0
"""Seconds between two looks at a host that is closed, unless it names a time."""
_NEAR: Final = 1.3


class Closure:
    """Whether a group is closed, until when, and how long that usually is. Times are seconds on the caller's clock."""

    def __init__(self, usual: float | None = None) -> None:
        """For a group that was closed for `usual` seconds in an earlier run."""
        self.since: float | None = None
        self.until = -math.inf
        self.usual = usual
        self._too_short = 0.0
        self._wait = 0.0
        self._looks = 0

    @property
    def closed(self) -> bool:
        """Whether the group has refused, and not answered since."""
        return self.since is not None

    def close(self, now: float, retry_after: float | None) -> None:
        """Take in a refusal of an open group; `retry_after` in seconds where the host named a time."""
        self.since, self._looks = now, 0
        self._wait = self._first()
        self._set(now, retry_after)

    def refused(self, now: float, retry_after: float | None) -> None:
        """Take in that a look at the closed group was refused."""
        self._too_short = now - (now if self.since is None else self.since)
        self._looks += 1
        self._wait = min(LONGEST_WAIT, self._wait * 2)
        self._set(now, retry_after)

    def extend(self, now: float, retry_after: float | None) -> None:
        """Take in a refusal of what was asked for before the group closed: a closed time may begin anew with it."""
        self._set(now, retry_after)

    def open(self, now: float) -> float:
        """Take in an answer; returns for how many seconds the group was closed."""
        since, self.since = self.since, None
        length = 0.0 if since is None else now - since
        if self._looks:
            self.usual = min(LONGEST_WAIT, length)
        else:
            self.usual = self._wait if self.usual is None else min(self.usual, self._wait)
        return length

    def at_most(self, time: float) -> None:
        """Look at `time` at the latest."""
        self.until = min(self.until, time)

    def _first(self) -> float:
        if self.usual is None:
            return FIRST_WAIT
        if self.usual <= _NEAR * self._too_short or self.usual < FIRST_WAIT:
            return self.usual
        return max(SHORTEST_WAIT, math.sqrt(self.usual * max(self._too_short, self.usual / 4)))

    def _set(self, now: float, retry_after: float | None) -> None:
        self.until = max(self.until, now + max(self._wait, retry_after or 0.0))
