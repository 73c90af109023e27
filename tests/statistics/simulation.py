"""Worlds whose truth is known, fetched by the real scheduler in virtual time; no network and no manifest.

A world is some classes with their lists. How likely a URL of a class is dead is drawn for each class from a beta
distribution with mean `dead` and intraclass correlation `rho`. Answers take their time, pictures longer than refusals,
so that they come in another order than the lists have.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from scraper.fetching.deciding import Limits
from scraper.fetching.scheduler import Scheduler
from scraper.model import DECIDED_KINDS, Form, Kind, Outcome, State, Wnid
from scraper.records import Attempt, Candidate, ClassState
from scraper.running.retry import Policy
from scraper.statistics.inverse import Seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scraper.records import Decision

AT_ONCE: Final = 64
"""Classes that take turns at a time, as in a fetch."""
FOREVER: Final = 1000
_RANKS: Final = 10_000_000
_PICTURE_SECONDS: Final = 1.0
_REFUSAL_SECONDS: Final = 0.25


class Fate(NamedTuple):
    """What a URL answers: `outcome` after `failures` tries that told nothing, `live` in its other form."""

    outcome: Outcome
    failures: int = 0
    live: Outcome = Outcome.GONE

    @property
    def dead(self) -> bool:
        return self.outcome.kind is Kind.DEAD


@dataclass(frozen=True, slots=True)
class Kinds:
    """How a URL's fate is drawn. Shares are of the URLs that are not dead, but for the last two.

    Attributes:
        unusable: that are no usable pictures.
        duplicate: that bring bytes which the class has.
        failing: of all, that tell nothing at first, once or twice.
        silent: of all, that tell nothing ever.
        silent_dead: of the dead, that tell nothing ever.
        live: of the dead, that are there in their other form.
    """

    unusable: float = 0.0
    duplicate: float = 0.0
    failing: float = 0.0
    silent: float = 0.0
    silent_dead: float = 0.0
    live: float = 0.0

    def draw(self, rng: random.Random, dead: float) -> Fate:
        """The fate of one URL that is dead with this probability."""
        if rng.random() < dead:
            return self._dead(rng)
        outcome = Outcome.SAVED
        if self.unusable and rng.random() < self.unusable:
            outcome = Outcome.NOT_IMAGE
        elif self.duplicate and rng.random() < self.duplicate:
            outcome = Outcome.DUPLICATE
        return Fate(outcome, self._failures(rng, self.silent))

    def _dead(self, rng: random.Random) -> Fate:
        outcome = Outcome.PLACEHOLDER if rng.random() < 0.3 else Outcome.GONE
        live = Outcome.SAVED if self.live and rng.random() < self.live else Outcome.GONE
        return Fate(outcome, self._failures(rng, max(self.silent, self.silent_dead)), live)

    def _failures(self, rng: random.Random, silent: float) -> int:
        if silent and rng.random() < silent:
            return FOREVER
        return rng.randint(1, 2) if self.failing and rng.random() < self.failing else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is fetched, and how.

    Attributes:
        n: images wanted for each class.
        dead: mean shares of dead URLs; where there are several, each class has one of them by chance.
        rho: intraclass correlation around it; 0 where classes do not differ.
        lengths: the lengths of lists that are drawn from.
        skew: by how much longer the lists of classes with more dead URLs are; 0 for not at all.
        kinds: how fates are drawn.
        oversample: budget for each image wanted.
        top_up: whether budgets are raised.
        threads: requests at once.
        second_try: whether dead URLs are asked for in their other form.
        cut: requests after which the run is cut short, for each image wanted; None for never.
        killed: whether it is cut by a kill, so that what is under way is lost; else it is let finish.
    """

    n: int = 10
    dead: tuple[float, ...] = (0.25,)
    rho: float = 0.05
    lengths: tuple[int, ...] = (60,)
    skew: float = 0.0
    kinds: Kinds = field(default_factory=Kinds)
    oversample: float = 1.33
    top_up: bool = True
    threads: int = 32
    second_try: bool = False
    cut: float | None = None
    killed: bool = False

    def limits(self) -> Limits:
        """As the scheduler takes them."""
        policy = Policy(3, Form.LIVE if self.second_try else None)
        return Limits(self.threads, policy, top_up=self.top_up)

    def lists(self, rng: random.Random, classes: int) -> list[list[Fate]]:
        """What the URLs of so many classes answer, in the order of their lists."""
        return [self._list(rng) for _ in range(classes)]

    def _list(self, rng: random.Random) -> list[Fate]:
        dead = rng.choice(self.dead)
        if self.rho:
            scale = (1 - self.rho) / self.rho
            dead = rng.betavariate(dead * scale, (1 - dead) * scale)
        length = round(rng.choice(self.lengths) * (1 + self.skew * dead))
        return [self.kinds.draw(rng, dead) for _ in range(length)]


@dataclass(slots=True)
class Class:
    """A class after a fetch: what its URLs answer in truth, and what the manifest says of those asked for, by rank."""

    truth: list[Fate]
    decisions: dict[int, Decision] = field(default_factory=dict)
    killed: bool = False
    """Whether requests that were under way were lost."""

    @property
    def dead(self) -> float:
        """The true share of its list."""
        return sum(fate.dead for fate in self.truth) / len(self.truth)

    def seen(self, kinds: frozenset[Kind] = frozenset({Kind.DEAD})) -> Iterator[Seen]:
        """What was seen, in the order of the list."""
        for _, decision in sorted(self.decisions.items()):
            own = decision.fate or decision.outcome
            yield Seen(own.kind in DECIDED_KINDS, decision.state is State.SAVED, own.kind in kinds)


def fetch(plan: Plan, lists: Sequence[list[Fate]], rng: random.Random) -> list[Class]:
    """Fetch all classes of a world at once, as `scraper fetch` does, in virtual time."""
    return _Fetch(plan, lists, rng).run()


class _Fetch:
    def __init__(self, plan: Plan, lists: Sequence[list[Fate]], rng: random.Random) -> None:
        self._plan = plan
        self._rng = rng
        wnids = (Wnid(f"n{number:08d}") for number in itertools.count(1))
        self._classes = {wnid: Class(truth, killed=plan.killed) for wnid, truth in zip(wnids, lists, strict=False)}
        self._to_come = list(reversed(self._classes))
        self._scheduler = Scheduler((), plan.limits(), rng, to_come=len(lists))
        self._flying: list[tuple[float, int, float, Candidate]] = []
        self._order = itertools.count()

    def run(self) -> list[Class]:
        now, left = 1000.0, math.inf
        if self._plan.cut is not None:
            left = self._plan.cut * self._plan.n * len(self._classes)
        while left > 0:
            self._load()
            while (candidate := self._scheduler.next(now)) is not None:
                ends = now + self._seconds(candidate)
                heapq.heappush(self._flying, (ends, next(self._order), now, candidate))
            if self._flying:
                now, _, began, candidate = heapq.heappop(self._flying)
                self._end(candidate, began, now)
                left -= 1
            elif (due := self._scheduler.next_due(now)) is not None:
                now = due
            else:
                break
        while self._flying and not self._plan.killed:
            now, _, began, candidate = heapq.heappop(self._flying)
            self._end(candidate, began, now)
        return list(self._classes.values())

    def _load(self) -> None:
        while True:
            wants = self._scheduler.wants(AT_ONCE)
            for want in wants:
                last = min(want.last, want.first + want.count - 1, len(self._classes[want.wnid].truth))
                self._scheduler.supply(want, [self._candidate(want.wnid, r) for r in range(want.first, last + 1)])
            if self._to_come and self._scheduler.in_turn < AT_ONCE:
                self._take_in(self._to_come.pop())
            elif not wants:
                return

    def _take_in(self, wnid: Wnid) -> None:
        budget = math.ceil(self._plan.n * self._plan.oversample)
        self._scheduler.add(ClassState(wnid, self._plan.n, budget, len(self._classes[wnid].truth), 0, 1))

    @staticmethod
    def _candidate(wnid: Wnid, rank: int) -> Candidate:
        return Candidate(int(wnid[1:]) * _RANKS + rank, wnid, rank, f"http://static.flickr.com/1/{rank}_a.jpg", "a.jpg")

    def _seconds(self, candidate: Candidate) -> float:
        fate = self._classes[candidate.wnid].truth[candidate.rank - 1]
        usual = _PICTURE_SECONDS if fate.outcome is Outcome.SAVED else _REFUSAL_SECONDS
        return 0.05 + self._rng.expovariate(1 / usual)

    def _end(self, candidate: Candidate, began: float, now: float) -> None:
        found = self._classes[candidate.wnid]
        fate = found.truth[candidate.rank - 1]
        if candidate.form is not None:
            outcome = fate.live
        else:
            outcome = Outcome.TIMEOUT if candidate.tries < fate.failures else fate.outcome
        attempt = Attempt(candidate, began, now - began, outcome)
        found.decisions[candidate.rank] = self._scheduler.done(attempt, now)


def pool(plan: Plan, classes: int, seed: int, *, together: int = 2 * AT_ONCE) -> list[Class]:
    """Many classes, fetched so many together: worlds are drawn from them."""
    rng = random.Random(seed)
    found: list[Class] = []
    while len(found) < classes:
        found += fetch(plan, plan.lists(rng, min(together, classes - len(found))), rng)
    return found
