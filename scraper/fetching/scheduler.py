"""Which candidate is asked for next: quotas per class, due times of retries, a pacer per host group, top-up.

Pure of sockets, files and clocks: `now` is given in Unix seconds. What happens to a class:

    supply -> ready -> (next) in flight -> (done) saved | lost | unknown
                 ^                            |
                 +------- due again <---------+  a retry

A class has at most n - saved requests in flight, so it never gets more than n images and nothing is fetched that is
not needed. Classes take turns, so that one with a long list does not hold up the others.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from scraper.fetching.classqueue import ClassQueue
from scraper.fetching.deciding import Decider
from scraper.flickr import host_group
from scraper.model import DECIDED_KINDS, Outcome, State

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping

    from scraper.fetching.deciding import Limits
    from scraper.model import Wnid
    from scraper.pacing.pacer import Pace, Pacer
    from scraper.records import Attempt, BudgetRaise, Candidate, ClassState, Decision

_AHEAD: Final = 8
"""Candidates loaded beyond the room of a class, so that failures do not each cost a query."""
_LOADED: Final = 131_072
"""Candidates that all classes together have loaded, or `_AHEAD` each if that is more: memory does not grow with n."""
_DEEPEST: Final = 128
"""Candidates of a class that are loaded at most in looking for one of a host that does not refuse."""


@dataclass(frozen=True, slots=True)
class Want:
    """A class that needs more candidates: those with a rank from `first` to `last`, up to `count` of them.

    They wait, or an earlier run left them unknown.
    """

    wnid: Wnid
    first: int
    last: int
    count: int


class Scheduler:
    """Decides what is asked for next; the coordinator does it and tells how it went."""

    def __init__(
        self,
        classes: Iterable[ClassState],
        limits: Limits,
        rng: random.Random,
        *,
        to_come: int = 0,
        known: Mapping[str, Pace] | None = None,
        mixed: bool = False,
    ) -> None:
        """For `classes`, and for as many as are `to_come`, which `add` tells of.

        `known` is what an earlier run has learnt of the pace of groups of hosts, `mixed` whether a class may list
        several of them.
        """
        self._limits = limits
        self._decider = Decider(limits, rng, known or {})
        self._classes: dict[Wnid, ClassQueue] = {}
        self._turns: deque[ClassQueue] = deque()
        self._hungry: dict[Wnid, ClassQueue] = {}
        self._parked: dict[str, deque[ClassQueue]] = {}
        self._delayed: list[tuple[float, int, Candidate]] = []
        self._order = itertools.count()
        self._mixed = mixed
        self._raises: list[BudgetRaise] = []
        self._skipped: list[Candidate] = []
        self._next_start = 0.0
        self._decided = 0
        self._kept = 0
        self.in_flight = 0
        for state in classes:
            self.add(state)
        self._most_each = max(_AHEAD, _LOADED // (len(self._classes) + to_come or 1))

    def add(self, state: ClassState) -> None:
        """Take in a class; nothing follows where it has its images."""
        if state.saved < state.n:
            cls = ClassQueue(state.wnid, state.n, state.budget, state.candidates, state.saved, state.next_rank)
            self._classes[cls.wnid] = cls
            self._feed(cls)

    # --- candidates in ---------------------------------------------------------------------------------------------

    def wants(self, most: int) -> list[Want]:
        """Up to `most` classes that need candidates; each must be answered by `supply` before it is named again."""
        wants = []
        for wnid in list(itertools.islice(self._hungry, most)):
            cls = self._hungry.pop(wnid)
            wants.append(Want(wnid, cls.cursor, cls.budget, min(cls.room + _AHEAD, self._most_each)))
        return wants

    def supply(self, want: Want, candidates: Iterable[Candidate]) -> None:
        """Give a class the candidates it wanted, in rank order; fewer than `want.count` means the budget is spent."""
        cls = self._classes[want.wnid]
        found = list(candidates)
        cls.cursor = found[-1].rank + 1 if len(found) >= want.count else want.last + 1
        for candidate in found:
            if candidate.not_before:
                self._delay(cls, candidate, candidate.not_before)
            else:
                cls.ready.append(candidate)
        self._feed(cls)

    def know_photos(self, wnid: Wnid, photos: Iterable[int]) -> None:
        """Tell which Flickr photos a class has images of, so that none is fetched again under another URL."""
        if wnid in self._classes:
            self._classes[wnid].photos.update(dict.fromkeys(photos, True))

    def take_back(self, state: ClassState, photos: Iterable[int | None]) -> None:
        """Take images back from a class, which is then short again; `state` is the class without them."""
        cls = self._classes.get(state.wnid)
        if cls is None:
            self.add(state)
            return
        cls.saved = state.saved
        for photo in photos:
            if photo is not None:
                cls.photos.pop(photo, None)
        while cls.aside:
            self._delay(cls, *cls.aside.pop())
        self._feed(cls)

    # --- requests out ----------------------------------------------------------------------------------------------

    def next(self, now: float) -> Candidate | None:
        """The next candidate to ask for, None where there is none at this moment."""
        if now < self._next_start:
            return None
        self._release_due(now)
        while (cls := self._next_parked(now) or self._next_turn(now)) is not None:
            candidate = cls.ready.popleft()
            if not cls.begin(candidate, self._skipped):
                self._feed(cls)
                continue
            cls.in_flight += 1
            self.in_flight += 1
            self._decider.pacer(candidate, now).start(candidate.id, now)
            if self._limits.rate is not None:
                self._next_start = max(now, self._next_start) + 1 / self._limits.rate
            self._feed(cls)
            return candidate
        return None

    def next_due(self, now: float) -> float | None:
        """When `next`, which has nothing now, may have something; None where only an answer can change that."""
        times = [entry[0] for entry in self._delayed[:1]]
        times += [self._decider.pacers[group].due() for group, parked in self._parked.items() if parked]
        if self._turns:
            times.append(self._next_start)
        return min((max(time, self._next_start) for time in times if max(time, self._next_start) > now), default=None)

    def done(self, attempt: Attempt, now: float) -> Decision:
        """Take in how a request ended; returns what becomes of its candidate."""
        candidate = attempt.candidate
        cls = self._classes[candidate.wnid]
        cls.in_flight -= 1
        self.in_flight -= 1
        decision = self._decide(attempt, now)
        if decision.state is not State.WAITING or decision.form is not candidate.form:
            cls.count(attempt.outcome)
            self._decided += attempt.outcome.kind in DECIDED_KINDS
            self._kept += attempt.outcome is Outcome.SAVED
        cls.end(candidate, self._skipped, saved=decision.state is State.SAVED)
        if decision.state is State.WAITING:
            again = replace(candidate, form=decision.form, fate=decision.fate, tries=candidate.tries + 1)
            self._delay(cls, again, decision.not_before)
        if cls.saved >= cls.n and not cls.in_flight:
            cls.photos.clear()  # of no use to a full class, and a long run has many
        self._feed(cls)
        return decision

    def _decide(self, attempt: Attempt, now: float) -> Decision:
        pacer = self._decider.pacer(attempt.candidate, now)
        was_closed = pacer.closed
        decision = self._decider.decide(attempt, now)
        if self._mixed and pacer.closed and not was_closed:
            # Their lists may name other hosts.
            self._turns.extend(self._parked.pop(host_group(attempt.candidate.url), ()))
        return decision

    # --- how it stands ---------------------------------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """Whether nothing is in flight and nothing is left that could be asked for."""
        return not (self.in_flight or self._turns or self._hungry or any(self._parked.values()) or self._awaited())

    def _awaited(self) -> bool:
        # A class that has its n images needs no retry; what waits stays waiting in the manifest.
        while self._delayed and (cls := self._classes[self._delayed[0][2].wnid]).saved >= cls.n:
            not_before, _, candidate = heapq.heappop(self._delayed)
            cls.delayed -= 1
            cls.aside.append((candidate, not_before))
        return bool(self._delayed)

    @property
    def in_turn(self) -> int:
        """Classes that have a candidate ready and wait for their turn, or for their host."""
        return len(self._turns) + sum(map(len, self._parked.values()))

    def take_skipped(self) -> list[Candidate]:
        """The candidates since the last call that are not asked for, since their photo is there by another URL."""
        skipped, self._skipped = self._skipped, []
        return skipped

    def take_raises(self) -> list[BudgetRaise]:
        """The raises of budget since the last call, to be recorded."""
        raises, self._raises = self._raises, []
        return raises

    @property
    def delayed(self) -> int:
        """Candidates that wait for their time to be tried again."""
        return len(self._delayed)

    def held(self) -> dict[str, Pacer]:
        """The host groups that are asked less hard than the user allowed."""
        return {group: pacer for group, pacer in self._decider.pacers.items() if pacer.held or pacer.closed}

    def given_up(self) -> str | None:
        """A host group that has refused beyond patience, where all that is left is for such groups."""
        over = {group for group, pacer in self._decider.pacers.items() if pacer.exhausted}
        if not over or self.in_flight or self._hungry or self.finished:
            return None
        waiting = {group for group, parked in self._parked.items() if parked}
        waiting |= {host_group(cls.ready[0].url) for cls in self._turns if cls.room > 0}
        if waiting - over:
            return None
        return None if {host_group(candidate.url) for _, _, candidate in self._delayed} - over else min(over)

    def woke(self, now: float) -> None:
        """Take in that the machine has slept."""
        for pacer in self._decider.pacers.values():
            pacer.woke(now)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _feed(self, cls: ClassQueue) -> None:
        """Put a class where it belongs: in turn, among those that need candidates, or nowhere."""
        if cls.room <= 0 or cls.queued or cls.wnid in self._hungry:
            return
        if cls.ready:
            cls.queued = True
            self._turns.append(cls)
        elif cls.cursor <= cls.budget or self._top_up(cls):
            self._hungry[cls.wnid] = cls

    def _top_up(self, cls: ClassQueue) -> bool:
        raised = cls.top_up((self._kept + 1) / (self._decided + 2)) if self._limits.top_up else None
        if raised is not None:
            self._raises.append(raised)
        return raised is not None

    def _next_parked(self, now: float) -> ClassQueue | None:
        for group in list(self._parked):
            while self._parked[group] and self._decider.pacers[group].allows(now):
                if (cls := self._admit(self._parked[group].popleft(), now)) is not None:
                    return cls
        return None

    def _next_turn(self, now: float) -> ClassQueue | None:
        while self._turns:
            if (cls := self._admit(self._turns.popleft(), now)) is not None:
                return cls
        return None

    def _admit(self, cls: ClassQueue, now: float) -> ClassQueue | None:
        """The class if it may start a request now; else it is parked with its host group, or dropped if full."""
        if cls.room > 0 and self._mixed and any(pacer.closed for pacer in self._decider.pacers.values()):
            self._look_elsewhere(cls, now)
        if cls.room > 0 and not self._decider.pacer(cls.ready[0], now).allows(now):
            self._wait(cls, now)
            return None
        cls.queued = False
        return cls if cls.room > 0 else None

    def _look_elsewhere(self, cls: ClassQueue, now: float) -> None:
        """Put first what a host that refuses is due to be asked for, or else what is of a host that does not."""
        found = None
        for place, candidate in enumerate(cls.ready):
            pacer = self._decider.pacer(candidate, now)
            if pacer.closed and pacer.allows(now):
                found = place
                break
            if found is None and not pacer.closed:
                found = place
        if found:
            candidate = cls.ready[found]
            del cls.ready[found]
            cls.ready.appendleft(candidate)

    def _wait(self, cls: ClassQueue, now: float) -> None:
        """Park a class with the host group of its next candidate, unless its list may name other hosts further on."""
        deeper = self._mixed and len(cls.ready) < _DEEPEST and cls.cursor <= cls.budget
        if deeper and self._decider.pacer(cls.ready[0], now).closed:
            cls.queued = False
            self._hungry[cls.wnid] = cls
        else:
            self._parked.setdefault(host_group(cls.ready[0].url), deque()).append(cls)

    def _release_due(self, now: float) -> None:
        while self._delayed and self._delayed[0][0] <= now:
            _, _, candidate = heapq.heappop(self._delayed)
            cls = self._classes[candidate.wnid]
            cls.delayed -= 1
            if self._decider.lets_others_first(candidate):
                cls.ready.insert(1, candidate)
            else:
                cls.ready.appendleft(candidate)
            self._feed(cls)

    def _delay(self, cls: ClassQueue, candidate: Candidate, not_before: float) -> None:
        cls.delayed += 1
        heapq.heappush(self._delayed, (not_before, next(self._order), candidate))
