"""Whether a group of hosts refuses for the number of requests at once, and how many those may be.

What is refused for its rate is refused whether few or many are under way. What is refused for the crowd is what was
begun in a larger one than that which was answered.
"""

from __future__ import annotations

from collections import deque
from typing import Final

_REMEMBERED: Final = 128
_SURE: Final = 0.97
_LEAST_ANSWERS: Final = 4
_SPAN: Final = 20.0
_LONGEST_SPAN: Final = 180.0
_COST: Final = 20.0
_SOON: Final = 2.0
_GROWTH: Final = 1.1


class Crowd:
    """The requests at once that a group allows; `limit` is None where that is not what it refuses for."""

    def __init__(self) -> None:
        self.limit: float | None = None
        self._answered: deque[int] = deque(maxlen=_REMEMBERED)
        self._refused = 0
        self._suspected = 0
        self._before = False
        self._stretch = 1.0
        self._span = _SPAN
        self._since = 0.0

    def answered(self, at_once: int, now: float) -> None:
        """Take in an answer to a request that was begun as one of `at_once`."""
        self._answered.append(at_once)
        if self.limit is not None and now - self._since >= self._span and at_once >= int(self.limit):
            self.limit = max(self.limit + 1, self.limit * _GROWTH)
            self._since = now

    def refused(self, at_once: int) -> None:
        """Take in likewise the refusal that closed the group: others may follow from that alone."""
        self._refused = max(at_once, self._suspected)

    def suspect(self, at_once: int) -> None:
        """Take in a refusal that may be the URL's own, or the first of several."""
        self._suspected = at_once

    def opened(self, closed: float, now: float) -> bool:
        """Take in that the group answers again after so many seconds; whether it had refused for the crowd."""
        bound, self._before = self._bound(closed), True
        self._answered.clear()
        self._suspected = 0
        if bound is None:
            self.limit, self._stretch = None, 1.0
            return False
        self._stretch = 1.0 if self.limit is None else self._stretch * 2
        self.limit = float(bound)
        least = max(_SPAN, _COST * closed)
        self._span, self._since = min(least * self._stretch, max(least, _LONGEST_SPAN)), now
        return True

    def _bound(self, closed: float) -> int | None:
        """Up to how many at once were answered, where that tells what was answered from what was refused."""
        if len(self._answered) < _LEAST_ANSWERS:
            return None
        if not self._before and closed > _SOON:
            return (
                None  # while more and more are begun at once, the last ones of a burst are those of the largest crowd
            )
        within = [number for number in self._answered if number < self._refused]
        return max(within) if len(within) >= _SURE * len(self._answered) else None
