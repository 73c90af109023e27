"""How hard a group of hosts may be asked: full speed until it refuses, then a cut, then step by step back.

Additive increase and multiplicative decrease, as in TCP's congestion control (https://doi.org/10.1109/65.244797):
a refusal halves the number of requests at once, each answer adds a little. Refusals with no answer between them also
pause the group, each time for twice as long; when that goes on beyond patience, the group counts as blocked.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from typing import Final

from scraper.model import Kind, Outcome

BURST: Final = 16
"""Suspicious outcomes in a row that count as a refusal: some hosts throttle without saying 429."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0
_REMEMBERED: Final = 8
"""First tries whose failure or success tells whether repeated failures speak of the group or of their URLs."""
PATIENCE: Final = 6
"""Refusals with no answer between them after which the group counts as blocked: about half a minute of pauses."""
COME_BACK: Final = 900.0
"""Seconds to advise waiting for, where the host names no time."""
AHEAD: Final = 2
"""Requests handed out for each thread while the group is not braked, so that no thread waits for its next one."""

_SUSPICIOUS: Final = frozenset(
    {
        Outcome.FORBIDDEN,
        Outcome.SERVER_ERROR,
        Outcome.TIMEOUT,
        Outcome.DNS_ERROR,
        Outcome.CONNECTION_ERROR,
        Outcome.TLS_ERROR,
    }
)


class Brake:
    """The brake of one group of hosts. Times are Unix seconds, given by the caller."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self.in_flight = 0
        self.resume_at = 0.0
        self.refusals = 0
        self.last_refusal: Outcome | None = None
        self.retry_after = 0.0
        self._cut_at = float("-inf")
        self._suspicious = 0
        self._first_tries: deque[bool] = deque(maxlen=_REMEMBERED)

    @property
    def braked(self) -> bool:
        """Whether the group is asked less hard than the user allowed."""
        return self.limit < self.most or self.refusals > 0

    @property
    def blocked(self) -> bool:
        """Whether the group has refused for so long that asking on would be rude and useless."""
        return self.refusals >= PATIENCE

    def explain(self, name: str, now: float) -> str:
        """One line for people on why the run stops and when to come back."""
        if self.last_refusal in (Outcome.DNS_ERROR, Outcome.CONNECTION_ERROR, Outcome.TIMEOUT):
            return f"{name} cannot be reached ({self.last_refusal}): check the network, then run the same command again"
        back = dt.datetime.fromtimestamp(now + max(self.retry_after, COME_BACK)).astimezone()
        return (
            f"{name} keeps refusing ({self.last_refusal}): everything so far is kept; "
            f"run the same command again after {back:%H:%M on %d %B %Y}, perhaps with fewer --threads or a --rate"
        )

    def allows(self, now: float) -> bool:
        """Whether one more request may start."""
        room = int(self.limit) if self.braked else self.most * AHEAD
        return now >= self.resume_at and self.in_flight < room

    def record(
        self, outcome: Outcome, *, started_at: float, retry_after: float | None, now: float, first: bool = True
    ) -> bool:
        """Take in how a request ended; returns whether the group was cut by it.

        Args:
            outcome: of the request.
            started_at: when it began.
            retry_after: seconds the server asked to wait.
            now: the time.
            first: whether it was the first try of its URL in this run. That a URL which failed fails again says
                little of the group: the last ones of a run are all such, and must not pass for a blocked host
                unless the first tries before them failed too.
        """
        if outcome.kind is Kind.REFUSED:
            return False  # by us: the group was not asked
        if first:
            self._first_tries.append(outcome is Outcome.THROTTLED or outcome in _SUSPICIOUS)
        telling = first or 2 * sum(self._first_tries) > len(self._first_tries)
        if outcome is Outcome.THROTTLED or (telling and self._is_burst(outcome)):
            return self._refused(outcome, started_at, retry_after or 0.0, now, telling=telling)
        if outcome.kind is not Kind.UNKNOWN and outcome is not Outcome.FORBIDDEN:
            self._answered()
        return False

    def _is_burst(self, outcome: Outcome) -> bool:
        self._suspicious = self._suspicious + 1 if outcome in _SUSPICIOUS else 0
        return self._suspicious >= BURST

    def _refused(self, outcome: Outcome, started_at: float, retry_after: float, now: float, *, telling: bool) -> bool:
        self.last_refusal = outcome
        self.retry_after = max(retry_after, self.retry_after if self.refusals else 0.0)
        if started_at < self._cut_at:
            return False  # it was under way when the group was cut; one overload is one refusal
        self._cut_at = now
        self._suspicious = 0
        self.limit = max(1.0, min(self.limit, self.in_flight + 1.0) / 2)
        self.refusals += telling
        if self.refusals > 1:
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self.refusals - 2))
            self.resume_at = now + max(pause, min(retry_after, LONGEST_PAUSE))
        return True

    def _answered(self) -> None:
        self.refusals = 0
        self.limit = min(float(self.most), self.limit + 1 / self.limit)
