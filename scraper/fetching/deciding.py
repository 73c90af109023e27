"""What becomes of a candidate by how a request for it ended, and how hard its group of hosts is asked. Pure.

Times are Unix seconds, given by the caller.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from scraper.flickr import host_group
from scraper.model import State
from scraper.pacing.pacer import HOUR, Ended, Pacer
from scraper.pacing.refusals import Meaning
from scraper.running.interception import OWN_ANSWER
from scraper.running.retry import Policy, decide, put_off

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from scraper.pacing.pacer import Pace
    from scraper.records import Attempt, Candidate, Decision

_AFTER_OTHERS: Final = 1.0
"""Seconds that a host that refused is asked for other photos first: it may be this one that it refuses."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the scheduler keeps to.

    Attributes:
        threads: requests at once.
        policy: retries and second tries.
        top_up: whether a class may use more of its list than its budget.
        rate: requests a second in all, at most.
        patience: seconds to wait for a host that refuses without one answer.
        deadline: seconds that a request may take.
    """

    threads: int
    policy: Policy = field(default_factory=Policy)
    top_up: bool = True
    rate: float | None = None
    patience: float = HOUR
    deadline: float = 30.0


@dataclass(slots=True)
class _Tries:
    """The requests for a candidate in this run: all, and those that count as its tries."""

    made: int = 0
    counted: int = 0


class Decider:
    """Decides on candidates, with a pacer for each group of hosts.

    Attributes:
        pacers: by group, of those that were asked or are to be.
    """

    def __init__(self, limits: Limits, rng: random.Random, known: Mapping[str, Pace]) -> None:
        """With what an earlier run has learnt of the pace of groups of hosts."""
        self._limits = limits
        self._rng = rng
        self._known = known
        self._tries: dict[int, _Tries] = {}
        self._last: set[int] = set()
        self.pacers: dict[str, Pacer] = {}

    def pacer(self, candidate: Candidate, now: float) -> Pacer:
        """The pacer of the group that a candidate's host is of."""
        group = host_group(candidate.url)
        pacer = self.pacers.get(group)
        if pacer is None:
            limits = self._limits
            pacer = self.pacers[group] = Pacer(
                limits.threads,
                patience=limits.patience,
                deadline=limits.deadline,
                known=self._known.get(group),
                now=now,
            )
        return pacer

    def lets_others_first(self, candidate: Candidate) -> bool:
        """Whether others of its class go before the next try for a candidate, which is due; asked once for each try."""
        last = candidate.id in self._last
        self._last.discard(candidate.id)
        return last

    def decide(self, attempt: Attempt, now: float) -> Decision:
        """Take in how a request ended; what becomes of its candidate."""
        candidate = attempt.candidate
        tries = self._tries.pop(candidate.id, None) or _Tries()
        tries.made += 1
        pacer = self.pacer(candidate, now)
        meaning = pacer.record(
            Ended(
                number=candidate.id,
                outcome=attempt.outcome,
                status=attempt.status,
                seconds=attempt.seconds,
                retry_after=attempt.retry_after,
                first=tries.made == 1 and candidate.form is None,
                left_over=candidate.tries >= tries.made and candidate.form is None,
            ),
            now,
        )
        if meaning is Meaning.OWN and attempt.outcome.final and tries.made < OWN_ANSWER:
            # The host has refused everybody in these words before: only said again and again are they for this photo.
            decision = put_off(attempt, now + _AFTER_OTHERS)
            self._last.add(candidate.id)
        elif meaning is not Meaning.REFUSAL:
            tries.counted += 1
            decision = decide(attempt, self._limits.policy, tries=tries.counted, now=now, rng=self._rng)
            if meaning is Meaning.OWN and decision.state is State.WAITING:
                self._last.add(candidate.id)
        else:
            decision = self._refused(attempt, tries, pacer, now)
        if decision.state is State.WAITING and decision.form is candidate.form:
            self._tries[candidate.id] = tries
        return decision

    def _refused(self, attempt: Attempt, tries: _Tries, pacer: Pacer, now: float) -> Decision:
        """Decide what follows where the host refuses everybody, and may name a time that is for everybody too."""
        if attempt.outcome.final:
            decision = put_off(attempt, now + 1)
        else:
            tries.counted += 1
            once = replace(attempt, retry_after=None)
            decision = decide(once, self._limits.policy, tries=tries.counted, now=now, rng=self._rng)
        if decision.state is not State.WAITING:
            return replace(decision, everybodys=True)
        self._last.add(attempt.candidate.id)
        due = max(decision.not_before, pacer.due() + _AFTER_OTHERS)
        return replace(decision, not_before=due, everybodys=True)
