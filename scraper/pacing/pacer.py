"""How a group of hosts is asked: at full speed until it refuses, then at the rate that it allows.

Two limits, of which the tighter one binds: requests at once, by additive increase and multiplicative decrease as in
TCP (https://doi.org/10.1109/65.244797), and requests a second (`pace`). A group that refuses is left alone for a while
(`closure`), and then asked for one thing only until it answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from scraper.model import Outcome
from scraper.pacing.closure import Closure
from scraper.pacing.crowd import Crowd
from scraper.pacing.pace import Rate, period
from scraper.pacing.refusals import Meaning, Refusals

FIRST_AT_ONCE: Final = 4
"""Requests at once to begin with; each answer adds one, so that a host of small bursts is not met with all threads."""
AHEAD: Final = 2
"""Requests handed out for each thread while the group is not held back, so that no thread waits for its next one."""
LATE: Final = 0.05
"""Seconds by which requests may be late without the next ones being put off: the coordinator does other things too."""
HOUR: Final = 3600.0
UNREACHED: Final = 30.0
"""Seconds after which a host counts as out of reach that never answered in this run, whatever the patience.

Someone has begun the run, and still looks at it. A host that says 429 is there.
"""
_SOON: Final = 2.0
"""Seconds within which a host that refused one request alone answers again, if it was not for the pace."""
_CUT: Final = 0.7
BELIEVED: Final = 120.0
"""Seconds of Retry-After up to which a refusal speaks for the host where nothing else is under way."""
_SLOWLY: Final = 2.0
"""Requests a second below which each refusal counts."""
_SLOW: Final = 3
"""An answer that took more than the deadline divided by this came from a host with too much to do."""

_NO_FAULT_OF_THE_PACE: Final = frozenset({Outcome.DNS_ERROR, Outcome.TLS_ERROR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What is known of a group's pace: kept in the manifest, and shown.

    Attributes:
        rate: requests a second, None where nothing holds the group back.
        at_once: requests at once, None where that is as many as the user allows.
        usually_closed: seconds for which the group is closed after a refusal, None where it never was.
        closed_until: when it is asked again, None where it is open.
        refusal: what it refused with last.
    """

    rate: float | None = None
    at_once: int | None = None
    usually_closed: float | None = None
    closed_until: float | None = None
    refusal: Outcome | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a request of a group ended.

    Attributes:
        number: of its URL.
        outcome: what came.
        status: of the answer, None where none came.
        seconds: it took.
        retry_after: seconds that the host asked to wait.
        first: whether it was the first try of its URL in this run.
        left_over: whether an earlier run has asked for the URL, and it is asked for again all the same.
    """

    number: int
    outcome: Outcome
    status: int | None
    seconds: float
    retry_after: float | None = None
    first: bool = True
    left_over: bool = False


class Pacer:
    """The pacer of one group of hosts. Times are seconds on a clock that does not jump, given by the caller."""

    def __init__(
        self, most: int, *, patience: float = HOUR, deadline: float = 30.0, known: Pace | None = None, now: float = 0.0
    ) -> None:
        """For up to `most` requests at once of `deadline` seconds, beginning near what is `known` of the group.

        Args:
            most: requests at once that the user allows.
            patience: seconds without one answer after which waiting on is of no use.
            deadline: seconds that a request may take.
            known: what an earlier run has learnt.
            now: the time.
        """
        known = known or Pace()
        self.in_flight = 0
        self.asked = False
        """Whether a request has started in this run."""
        self.refusal = known.refusal if known.closed_until else None
        self._most = most
        self._patience = patience
        self._deadline = deadline
        self._at_once = float(min(most, FIRST_AT_ONCE if known.at_once is None else known.at_once))
        self._held = False
        self._rate = Rate() if known.rate is None else Rate.near(known.rate, known.usually_closed or 0.0)
        self._closure = Closure(known.usually_closed)
        self._over = False
        self._inherited = False
        self._refusals = Refusals()
        self._crowd = Crowd()
        self._begun: dict[int, tuple[float, int]] = {}
        self._woke_at = -math.inf
        self._next_start = -math.inf
        self._opened_at = now
        self._answers = 0
        self._answered_at = now
        self._ever = False
        self._cut_at = -math.inf
        self._asked_to_wait_until = -math.inf
        self._before: Rate | None = None
        self._undone = False
        self._refused_by = 0
        if known.closed_until is not None and known.closed_until > now:
            self._closure.close(now, known.closed_until - now)
            self._inherited = True
            if known.closed_until > now + patience:  # longer than any run waits: the host has named that time
                self._asked_to_wait_until, self._over = known.closed_until, True

    # --- requests out ----------------------------------------------------------------------------------------------

    def allows(self, now: float) -> bool:
        """Whether one more request may start."""
        if self._closure.closed:
            return now >= self._closure.until and not self.in_flight
        return self.in_flight < self._room and now >= self._next_start

    @property
    def _room(self) -> int:
        if self._crowd.limit is not None:
            return int(min(self._most, self._crowd.limit))
        if self._rate.value is None and self._at_once >= self._most:
            return self._most * AHEAD
        return int(self._at_once)

    def start(self, number: int, now: float) -> None:
        """Take in that a request for the URL of this number starts."""
        self.in_flight += 1
        self.asked = True
        self._begun[number] = (now, min(self.in_flight, self._most))
        if self._rate.value is not None:
            self._next_start = max(now, self._next_start, now - LATE) + period(self._rate.value)
            self._next_start = max(self._next_start, now)

    def due(self) -> float:
        """When a request may start again, as far as time alone decides it."""
        return self._closure.until if self._closure.closed else self._next_start

    # --- outcomes in -----------------------------------------------------------------------------------------------

    def record(self, ended: Ended, now: float) -> Meaning:
        """Take in how a request ended; what it says of the group."""
        self.in_flight -= 1
        begun, at_once = self._begun.pop(ended.number, (now, 1))
        meaning = self._refusals.judge(
            ended.number,
            ended.outcome,
            ended.status,
            first=ended.first,
            left_over=ended.left_over,
            plain=self._is_plain(ended.retry_after or 0.0),
        )
        if meaning is Meaning.ANSWER:
            self._crowd.answered(at_once, now)
            self._answered(ended, begun, now)
        elif meaning is Meaning.REFUSAL and ended.status is None and begun < self._woke_at:
            return Meaning.NOTHING  # the machine slept in the middle: neither the host nor the pace is to be blamed
        elif meaning is Meaning.REFUSAL:
            if not self._closure.closed:
                self._crowd.refused(at_once)
            self._refused(ended, begun, now)
        elif meaning is Meaning.OWN:
            self._crowd.suspect(at_once)
            self._answers += 1  # it took its share of what the host allows
            self._rate.answered()
            if self._refusals.mostly_own and not self._undone:
                self._undo(now)
        return meaning

    def _is_plain(self, retry_after: float) -> bool:
        """Whether one refusal is enough: no other answer is near that could tell whether it is the URL's own."""
        slow = self._rate.value is not None and self._rate.value < _SLOWLY
        return slow or (not self.in_flight and 0 < retry_after <= BELIEVED)

    def woke(self, now: float) -> None:
        """Take in that the machine has slept, so that requests under way say nothing by their failure."""
        self._woke_at = self._answered_at = now

    def _answered(self, ended: Ended, begun: float, now: float) -> None:
        self._answered_at, self._ever = now, True
        if self._closure.closed and begun > self._cut_at:
            self._open(now)
        self._answers += 1
        slow = self._deadline / _SLOW
        if ended.seconds > slow and begun > self._cut_at:
            self._cut_at = now
            self._at_once = max(1.0, min(self._at_once, self.in_flight + 1.0) * _CUT)
        elif ended.seconds <= slow / 2:
            self._at_once = min(float(self._most), self._at_once + (1 / self._at_once if self._held else 1.0))
        self._rate.answered()

    def _open(self, now: float) -> None:
        closed = self._closure.open(now)
        blameless = self._inherited or self.refusal in _NO_FAULT_OF_THE_PACE
        self._inherited = False
        if not self._crowd.opened(closed, now) and not blameless:
            alone = self._refused_by == 1 and closed <= _SOON
            self._rate.cut(self._answers, now - self._opened_at, closed, alone=alone)
        self._opened_at, self._answers, self._over = now, 0, False
        self._next_start = now + period(self._rate.value) if self._rate.value else now

    def _refused(self, ended: Ended, begun: float, now: float) -> None:
        self.refusal = ended.outcome
        wait = ended.retry_after
        if wait:
            self._asked_to_wait_until = max(self._asked_to_wait_until, now + wait)
        self._refused_by = self._refused_by + 1 if self._closure.closed else 1
        if not self._closure.closed:
            if self._before is None and not self._undone:
                self._before = replace(self._rate)
            self._held = True
            self._at_once = max(1.0, min(self._at_once, self.in_flight + 1.0) * _CUT)
            self._closure.close(now, wait)
            self._cut_at = now
        elif begun > self._cut_at:
            self._closure.refused(now, wait)
            self._cut_at = now
        else:
            self._closure.extend(now, wait)
        self._over = now >= self.gives_up_at or self._asked_to_wait_until > self.gives_up_at
        if not self._over:
            self._closure.at_most(max(self.gives_up_at, self._asked_to_wait_until))

    def _undo(self, now: float) -> None:
        """Forget cuts for refusals that were the URLs' own."""
        self._undone = True
        if self._before is not None:
            self._rate = self._before
            self._held = False
            if self._closure.closed:
                self._closure.open(now)
            self._opened_at, self._answers, self._next_start = now, 0, now

    # --- how it stands ---------------------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        """Whether the group has refused, and not answered since."""
        return self._closure.closed

    @property
    def held(self) -> bool:
        """Whether the group is asked less hard than the user allowed, for what it answered."""
        return self._held or self._rate.value is not None

    @property
    def settled(self) -> bool:
        """Whether the rate has been found, and is not only guessed."""
        return self._rate.ceiling is not None

    @property
    def silent_since(self) -> float:
        """When the group answered last, or was first asked."""
        return self._answered_at

    @property
    def gives_up_at(self) -> float:
        """When patience with a closed group ends."""
        unreached = not self._ever and self.refusal is not Outcome.THROTTLED
        return self._answered_at + (min(self._patience, UNREACHED) if unreached else self._patience)

    @property
    def exhausted(self) -> bool:
        """Whether waiting on is of no use: patience is over, or the host wants more of it than there is."""
        return self._over

    @property
    def back_at(self) -> float:
        """When the host would be looked at next."""
        return self._closure.until

    @property
    def named_until(self) -> float:
        """Until when the host has asked to be left alone, by its own word; long ago where it has not."""
        return self._asked_to_wait_until

    @property
    def pace(self) -> Pace:
        """What is known of the group now."""
        return Pace(
            rate=self._rate.value,
            at_once=int(self._at_once) if self._held else None,
            usually_closed=self._closure.usual,
            closed_until=self._closure.until if self._closure.closed else None,
            refusal=self.refusal,
        )
