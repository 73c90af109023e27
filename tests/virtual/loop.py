"""The real scheduler against a host in virtual time: what a fetch of endless lists would get of it."""

from __future__ import annotations

import functools
import heapq
import itertools
import random
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from scraper.fetching.deciding import Limits
from scraper.fetching.scheduler import Scheduler
from scraper.model import Outcome, Wnid, outcome_of_status
from scraper.records import Attempt, Candidate, ClassState
from scraper.running.retry import Policy
from scraper.urls import host_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scraper.pacing.pacer import Pace
    from tests.virtual.hosts import Answer, Host

WARM_UP: Final = 600.0
"""Seconds after which throughput and refusals count."""
_ENDLESS: Final = 9_000_000


@dataclass
class Course:
    """What came of a run.

    Attributes:
        saved: times of the pictures.
        refused: times of the answers that were a refusal to everybody, or would have been one.
        asked: times of all requests' ends.
        ended_at: when the run was over: it gave up, or the time was.
        requests: for each URL.
    """

    saved: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    ended_at: float = 0.0
    gave_up: bool = False
    paces: dict[str, Pace] = field(default_factory=dict)

    def throughput(self, since: float = WARM_UP) -> float:
        """Pictures a second after the first minutes."""
        return sum(time > since for time in self.saved) / (self.ended_at - since)

    def refusals(self, since: float = WARM_UP) -> float:
        """Share of the requests after the first minutes that the host refused for the pace."""
        asked = sum(time > since for time in self.asked)
        return sum(time > since for time in self.refused) / max(asked, 1)


class Loop:
    """What the coordinator and its threads do, with hosts in the place of the network, and a clock that jumps ahead."""

    def __init__(
        self,
        hosts: Mapping[str, Host],
        *,
        threads: int = 32,
        classes: int = 40,
        listed: int = _ENDLESS,
        wanted: int = _ENDLESS,
        patience: float = 10 * 24 * 3600.0,
        deadline: float = 30.0,
        known: Mapping[str, Pace] | None = None,
        tries: int = 3,
        seed: int = 1,
    ) -> None:
        self._hosts = hosts
        self._threads = threads
        self._deadline = deadline
        self._names = list(hosts)
        self._listed = listed
        limits = Limits(threads, Policy(tries=tries), patience=patience, deadline=deadline)
        states = [ClassState(Wnid(f"n{n:08d}"), wanted, listed, listed, 0, 1) for n in range(1, classes + 1)]
        self.scheduler = Scheduler(states, limits, random.Random(seed), known=known)
        self._order = itertools.count()
        self._events: list[tuple[float, int, Candidate, float, Answer]] = []
        self._queued: deque[Candidate] = deque()
        self._asking = dict.fromkeys(hosts, 0)
        self.course = Course()
        self.now = 0.0

    def run(self, seconds: float) -> Course:
        """Go on for so many seconds, or until there is nothing left to do or to wait for."""
        while self.now < seconds and not self.scheduler.finished:
            self._start()
            times = [event[0] for event in self._events[:1]]
            due = self.scheduler.next_due(self.now)
            if due is not None:
                times.append(max(due, self.now))
            if not times:
                break
            self.now = min(times)
            while self._events and self._events[0][0] <= self.now:
                self._end(*heapq.heappop(self._events)[2:])
            if self.scheduler.given_up() is not None:
                self.course.gave_up = True
                break
        self.course.ended_at = self.now
        self.course.paces = {group: pacer.pace for group, pacer in self.scheduler.held().items()}
        return self.course

    def _start(self) -> None:
        for want in self.scheduler.wants(1000):
            last = min(want.last, want.first + want.count - 1, self._listed)
            host = self._names[int(want.wnid[1:]) % len(self._names)]
            self.scheduler.supply(want, _candidates(host, want.wnid, want.first, last))
        while (candidate := self.scheduler.next(self.now)) is not None:
            self._queued.append(candidate)
        while self._queued and len(self._events) < self._threads:
            self._ask(self._queued.popleft())

    def _ask(self, candidate: Candidate) -> None:
        name = host_of(candidate.url) or ""
        self._asking[name] += 1
        answer = self._hosts[name].ask(candidate.id, self.now, self._asking[name])
        if answer.status is None or answer.seconds > self._deadline:
            answer = answer._replace(status=None, seconds=self._deadline)
        heapq.heappush(self._events, (self.now + answer.seconds, next(self._order), candidate, self.now, answer))

    def _end(self, candidate: Candidate, began: float, answer: Answer) -> None:
        host = host_of(candidate.url) or ""
        self._asking[host] -= 1
        self.course.asked.append(self.now)
        attempt = Attempt(
            candidate,
            began,
            answer.seconds,
            _outcome(answer),
            status=answer.status,
            retry_after=answer.retry_after,
        )
        if attempt.outcome is Outcome.SAVED:
            self.course.saved.append(self.now)
        elif not self._hosts[host].owned(candidate.id):
            self.course.refused.append(self.now)
        self.scheduler.done(attempt, self.now)


@functools.lru_cache(maxsize=80)
def _candidates(host: str, wnid: Wnid, first: int, last: int) -> list[Candidate]:
    """Part of a list; every loop begins with the same ones, and there are many loops."""
    numbers = [(int(wnid[1:]) * 10_000_000 + rank, rank) for rank in range(first, last + 1)]
    return [Candidate(n, wnid, rank, f"http://{host}/1/{n}_a.jpg", f"{n}_a.jpg") for n, rank in numbers]


def _outcome(answer: Answer) -> Outcome:
    if answer.status is None:
        return Outcome.TIMEOUT
    return Outcome.SAVED if answer.status == 200 else outcome_of_status(answer.status)
