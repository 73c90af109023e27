"""How many requests a second a group of hosts is asked: below what it refused, and gently up again.

The rate after a refusal follows what was answered between two of them, the delivery rate that BBR paces by
(https://doi.org/10.1145/3009824): whatever burst a host allows, between two moments at which it is used up there are as
many answers as the host's rate gives. From there the rate grows as CUBIC's window does
(https://doi.org/10.1145/1400097.1400105): towards the rate that was refused, slowly near it, and past it ever faster
where nothing refuses. How long that takes is chosen so that refusals cost a twentieth of the time at most. A rate that
is refused twice alike is believed, and tried less often.

All growth is counted in answers and not in time, so that a rate that is not used does not grow (RFC 7661).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

FASTEST: Final = 10_000.0
"""Requests a second that no pace goes beyond."""
SLOWEST: Final = 1 / 3600
DOUBLING_SECONDS: Final = 2.0
DOUBLING_ANSWERS: Final = 8
"""While nothing is known the rate doubles in this time, or with so many answers if that takes longer."""
LEAST_SPAN: Final = 20.0
LONGEST_SPAN: Final = 180.0
"""Seconds from a cut until the rate that was refused is tried again; longer only where a refusal costs minutes."""
COST: Final = 20.0
"""Times as long as a closure that the rate which led to it is let alone."""
ANSWERS_PER_REFUSAL: Final = 50.0
ENOUGH: Final = 30
"""Answers between two refusals that make them tell of the host, and not of the burst that it allows."""
CUT: Final = 0.85
BELIEVED_CUT: Final = 0.95
ALIKE: Final = 0.25
_MOST_DOUBLINGS: Final = 4.0
"""That one answer gives: a pace of one request an hour, which an earlier run has left, is tried step by step too."""
LONG_CLOSED: Final = 900.0
"""A host closed for longer than this has a quota, and not a rate that was too high."""


@dataclass(slots=True)
class Rate:
    """The requests a second of one group; None where there is no reason to hold back.

    Attributes:
        value: requests a second now.
        ceiling: that were refused last.
        span: seconds of asking from the last cut to the ceiling.
    """

    value: float | None = None
    ceiling: float | None = None
    span: float = LEAST_SPAN
    _start: float = 0.0
    _grown: float = 0.0
    _stretch: float = 1.0
    _seeking: bool = False

    @classmethod
    def near(cls, known: float, closed: float) -> Rate:
        """The rate to begin with where an earlier run came to `known`, and each refusal cost `closed` seconds."""
        start = max(SLOWEST, min(FASTEST, known * CUT))
        span = max(LEAST_SPAN, min(LONGEST_SPAN, COST * closed))
        return cls(start, max(start, min(FASTEST, known)), span, start)

    def answered(self) -> None:
        """Take in one answer: the rate grows."""
        if self.value is None:
            return
        if self._seeking or self.ceiling is None:
            grown = self.value * 2.0 ** (1 / max(DOUBLING_SECONDS * self.value, DOUBLING_ANSWERS))
        else:
            self._grown += 1 / self.value
            if self._grown <= self.span:
                grown = self._start + (self.ceiling - self._start) * _ease(self._grown / self.span)
            else:
                grown = self.value * 2.0 ** min(_MOST_DOUBLINGS, 3 / (self.span * self.value))
        self.value = min(FASTEST, max(self.value, grown))

    def cut(self, answers: int, seconds: float, closed: float, *, alone: bool = False) -> None:
        """Take in that the host refused, and answers again.

        Args:
            answers: since it opened the last time, or since the beginning.
            seconds: since then, the time that it was closed for now included.
            closed: seconds of that time.
            alone: whether one request alone was refused, and the next one answered: perhaps for another reason.
        """
        delivered = answers / seconds if seconds > 0 else 0.0
        if closed > LONG_CLOSED and answers >= ENOUGH:
            before = answers / max(seconds - closed, 1.0)
            self._begin(before if self.value is None else min(self.value, before), self.ceiling)
            return
        if self.value is None:
            self._seeking = True
            open_for = seconds - closed if alone else seconds
            self._begin(
                max(
                    answers / max(open_for, 0.1) if alone else delivered, min(1.0, DOUBLING_ANSWERS / max(closed, 1.0))
                ),
                None,
            )
            return
        refused, self._seeking = self.value, False
        alike = self.ceiling is not None and abs(refused / self.ceiling - 1) <= ALIKE
        self._stretch = self._stretch * 2 if alike else 1.0
        value = refused * (BELIEVED_CUT if alike else CUT)
        if not alone and (answers < ENOUGH or delivered < refused / 2):
            value = min(value, math.sqrt(max(delivered, SLOWEST) * value))
            refused = min(refused, 2 * value)
        elif not alike:
            value = max(delivered, value)
        self._begin(min(value, refused), refused)
        least = max(LEAST_SPAN, COST * closed, ANSWERS_PER_REFUSAL / max(value, SLOWEST))
        self.span = min(least * self._stretch, max(least, LONGEST_SPAN))

    def _begin(self, value: float, ceiling: float | None) -> None:
        self._start = self.value = max(SLOWEST, min(FASTEST, value))
        self.ceiling = ceiling
        self._grown = 0.0


def _ease(share: float) -> float:
    """CUBIC's concave half: fast at first, and slow near the ceiling."""
    return 1 - (1 - share) ** 3


def period(rate: float) -> float:
    """Seconds from one request to the next."""
    return 1 / rate if rate > 0 else math.inf
