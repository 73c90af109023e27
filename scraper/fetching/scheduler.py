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
import math
from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from scraper.flickr import host_group
from scraper.model import DECIDED_KINDS, Outcome, State
from scraper.pacing.pacer import HOUR, Ended, Pacer
from scraper.pacing.refusals import Meaning
from scraper.records import BudgetRaise
from scraper.running.interception import OWN_ANSWER
from scraper.running.retry import Policy, decide, put_off

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Mapping

    from scraper.model import Wnid
    from scraper.pacing.pacer import Pace
    from scraper.records import Attempt, Candidate, ClassState, Decision

_AHEAD: Final = 8
"""Candidates loaded beyond the room of a class, so that failures do not each cost a query."""
_LOADED: Final = 131_072
"""Candidates that all classes together have loaded, or `_AHEAD` each if that is more: memory does not grow with n."""
_AFTER_OTHERS: Final = 1.0
"""Seconds that a host that refused is asked for other photos first: it may be this one that it refuses."""
_DEEPEST: Final = 128
"""Candidates of a class that are loaded at most in looking for one of a host that does not refuse."""
_LEAST_SURVIVAL: Final = 0.02


@dataclass(frozen=True, slots=True)
class Want:
    """A class that needs more candidates: those with a rank from `first` to `last`, up to `count` of them.

    They wait, or an earlier run left them unknown.
    """

    wnid: Wnid
    first: int
    last: int
    count: int


@dataclass(slots=True, eq=False)
class _Class:
    wnid: Wnid
    n: int
    budget: int
    listed: int
    saved: int
    cursor: int
    ready: deque[Candidate] = field(default_factory=deque)
    in_flight: int = 0
    delayed: int = 0
    decided: int = 0
    kept: int = 0
    queued: bool = False
    photos: dict[int, bool] = field(default_factory=dict)
    """Flickr photos of the class by id: True where an image is saved, False while one is in flight."""
    twins: dict[int, list[Candidate]] = field(default_factory=dict)
    """Candidates of a photo that is in flight under another URL; asked for only if that fails."""
    aside: list[tuple[Candidate, float]] = field(default_factory=list)
    """Retries that the full class does not need, each with its due time; needed again if an image is taken back."""

    @property
    def room(self) -> int:
        return self.n - self.saved - self.in_flight


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
        self._rng = rng
        self._classes: dict[Wnid, _Class] = {}
        self._turns: deque[_Class] = deque()
        self._hungry: dict[Wnid, _Class] = {}
        self._parked: dict[str, deque[_Class]] = {}
        self._delayed: list[tuple[float, int, Candidate]] = []
        self._order = itertools.count()
        self._tries: dict[int, _Tries] = {}
        self._last: set[int] = set()
        """Candidates whose next try lets others of their class go first."""
        self._known = known or {}
        self._mixed = mixed
        self._pacers: dict[str, Pacer] = {}
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
            cls = _Class(state.wnid, state.n, state.budget, state.candidates, state.saved, state.next_rank)
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
            if self._is_twin(cls, candidate):
                self._feed(cls)
                continue
            cls.in_flight += 1
            self.in_flight += 1
            self._pacer(candidate, now).start(candidate.id, now)
            if self._limits.rate is not None:
                self._next_start = max(now, self._next_start) + 1 / self._limits.rate
            self._feed(cls)
            return candidate
        return None

    def _is_twin(self, cls: _Class, candidate: Candidate) -> bool:
        """Whether the photo is there, or on its way, under another URL; else it is on its way from now on."""
        photo = candidate.photo_id
        if photo is None:
            return False
        if photo not in cls.photos:
            cls.photos[photo] = False
            return False
        if cls.photos[photo]:
            self._skipped.append(candidate)
        else:
            cls.twins.setdefault(photo, []).append(candidate)
        return True

    def next_due(self, now: float) -> float | None:
        """When `next`, which has nothing now, may have something; None where only an answer can change that."""
        times = [entry[0] for entry in self._delayed[:1]]
        times += [self._pacers[group].due() for group, parked in self._parked.items() if parked]
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
            self._count(cls, attempt.outcome)
        self._settle_photo(cls, candidate, saved=decision.state is State.SAVED)
        if decision.state is State.WAITING:
            again = replace(candidate, form=decision.form, fate=decision.fate, tries=candidate.tries + 1)
            self._delay(cls, again, decision.not_before)
        if cls.saved >= cls.n and not cls.in_flight:
            cls.photos.clear()  # of no use to a full class, and a long run has many
        self._feed(cls)
        return decision

    def _decide(self, attempt: Attempt, now: float) -> Decision:
        candidate = attempt.candidate
        tries = self._tries.pop(candidate.id, None) or _Tries()
        tries.made += 1
        pacer = self._pacer(candidate, now)
        was_closed = pacer.closed
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
        if self._mixed and pacer.closed and not was_closed:
            self._turns.extend(self._parked.pop(_group(candidate), ()))  # their lists may name other hosts
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

    def _settle_photo(self, cls: _Class, candidate: Candidate, *, saved: bool) -> None:
        if candidate.photo_id is None:
            return
        twins = cls.twins.pop(candidate.photo_id, [])
        if saved:
            cls.photos[candidate.photo_id] = True
            self._skipped.extend(twins)
        else:
            cls.photos.pop(candidate.photo_id, None)
            cls.ready.extendleft(reversed(twins))

    def _count(self, cls: _Class, outcome: Outcome) -> None:
        if outcome.kind in DECIDED_KINDS:
            cls.decided += 1
            self._decided += 1
        if outcome is Outcome.SAVED:
            cls.saved += 1
            cls.kept += 1
            self._kept += 1

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
        return {group: pacer for group, pacer in self._pacers.items() if pacer.held or pacer.closed}

    def given_up(self) -> str | None:
        """A host group that has refused beyond patience, where all that is left is for such groups."""
        over = {group for group, pacer in self._pacers.items() if pacer.exhausted}
        if not over or self.in_flight or self._hungry or self.finished:
            return None
        waiting = {group for group, parked in self._parked.items() if parked}
        waiting |= {_group(cls.ready[0]) for cls in self._turns if cls.room > 0}
        if waiting - over:
            return None
        return None if {_group(candidate) for _, _, candidate in self._delayed} - over else min(over)

    def woke(self, now: float) -> None:
        """Take in that the machine has slept."""
        for pacer in self._pacers.values():
            pacer.woke(now)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _feed(self, cls: _Class) -> None:
        """Put a class where it belongs: in turn, among those that need candidates, or nowhere."""
        if cls.room <= 0 or cls.queued or cls.wnid in self._hungry:
            return
        if cls.ready:
            cls.queued = True
            self._turns.append(cls)
        elif cls.cursor <= cls.budget or self._top_up(cls):
            self._hungry[cls.wnid] = cls

    def _top_up(self, cls: _Class) -> bool:
        # A retry that is still to come may yet succeed, and fresh candidates are not to pay for a slow host.
        if not self._limits.top_up or cls.delayed or cls.budget >= cls.listed:
            return False
        overall = (self._kept + 1) / (self._decided + 2)
        survival = max(_LEAST_SURVIVAL, (cls.kept + 2 * overall) / (cls.decided + 2))
        before = cls.budget
        cls.budget = min(cls.listed, before + math.ceil(cls.room / survival))
        self._raises.append(BudgetRaise(cls.wnid, before, cls.budget, round(survival, 4)))
        return True

    def _next_parked(self, now: float) -> _Class | None:
        for group in list(self._parked):
            while self._parked[group] and self._pacers[group].allows(now):
                if (cls := self._admit(self._parked[group].popleft(), now)) is not None:
                    return cls
        return None

    def _next_turn(self, now: float) -> _Class | None:
        while self._turns:
            if (cls := self._admit(self._turns.popleft(), now)) is not None:
                return cls
        return None

    def _admit(self, cls: _Class, now: float) -> _Class | None:
        """The class if it may start a request now; else it is parked with its host group, or dropped if full."""
        if cls.room > 0 and self._mixed and any(pacer.closed for pacer in self._pacers.values()):
            self._look_elsewhere(cls, now)
        if cls.room > 0 and not self._pacer(cls.ready[0], now).allows(now):
            self._wait(cls, now)
            return None
        cls.queued = False
        return cls if cls.room > 0 else None

    def _look_elsewhere(self, cls: _Class, now: float) -> None:
        """Put first what a host that refuses is due to be asked for, or else what is of a host that does not."""
        found = None
        for place, candidate in enumerate(cls.ready):
            pacer = self._pacer(candidate, now)
            if pacer.closed and pacer.allows(now):
                found = place
                break
            if found is None and not pacer.closed:
                found = place
        if found:
            candidate = cls.ready[found]
            del cls.ready[found]
            cls.ready.appendleft(candidate)

    def _wait(self, cls: _Class, now: float) -> None:
        """Park a class with the host group of its next candidate, unless its list may name other hosts further on."""
        deeper = self._mixed and len(cls.ready) < _DEEPEST and cls.cursor <= cls.budget
        if deeper and self._pacer(cls.ready[0], now).closed:
            cls.queued = False
            self._hungry[cls.wnid] = cls
        else:
            self._parked.setdefault(_group(cls.ready[0]), deque()).append(cls)

    def _release_due(self, now: float) -> None:
        while self._delayed and self._delayed[0][0] <= now:
            _, _, candidate = heapq.heappop(self._delayed)
            cls = self._classes[candidate.wnid]
            cls.delayed -= 1
            if candidate.id in self._last:
                self._last.discard(candidate.id)
                cls.ready.insert(1, candidate)
            else:
                cls.ready.appendleft(candidate)
            self._feed(cls)

    def _delay(self, cls: _Class, candidate: Candidate, not_before: float) -> None:
        cls.delayed += 1
        heapq.heappush(self._delayed, (not_before, next(self._order), candidate))

    def _pacer(self, candidate: Candidate, now: float) -> Pacer:
        group = _group(candidate)
        pacer = self._pacers.get(group)
        if pacer is None:
            limits = self._limits
            pacer = self._pacers[group] = Pacer(
                limits.threads,
                patience=limits.patience,
                deadline=limits.deadline,
                known=self._known.get(group),
                now=now,
            )
        return pacer


def _group(candidate: Candidate) -> str:
    return host_group(candidate.url)
