"""How much of what a host allows is had, and how much it refuses: the pacer beside other ways, in virtual time."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from typing import TYPE_CHECKING, Final

from benchmarks.brakes import Adaptive, AtOnce, additive
from benchmarks.measuring import table
from scraper.model import Outcome
from tests.virtual.loop import WARM_UP
from tests.virtual.table import CASES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.brakes import Way
    from tests.virtual.hosts import Host
    from tests.virtual.table import Case

WAYS: Final[dict[str, Callable[[int], Way]]] = {
    "requests at once (first version)": AtOnce,
    "AIMD on the rate": additive,
    "CUBIC on the rate (botocore)": Adaptive,
}
_DEADLINE: Final = 30.0
_MOST_EVENTS: Final = 400_000


def run(folder: Path, *, quick: bool) -> str:
    """The table of hosts."""
    del folder
    rows = []
    for case in CASES[:4] if quick else CASES:
        course = case.run()
        shares = [_cell(case.reached(course), course.refusals())]
        shares += [_cell(*_measured(case, way)) for way in WAYS.values()]
        rows.append([case.name, *shares])
    return (
        "## Pace\n\nThe share of the best throughput after the first ten minutes, and of the requests that the host "
        "refuses for their rate, in virtual time; the pacer with the real scheduler.\n\n"
        + table(["the host allows", "scraper", *WAYS], rows)
    )


def _cell(reached: float, refused: float) -> str:
    return f"{reached:.0%}, {refused:.1%}"


def _measured(case: Case, way: Callable[[int], Way]) -> tuple[float, float]:
    """What another way gets of a host: share of the best, share refused."""
    saved, refused, seconds = _ask(case.make(), way(case.threads), case.seconds, case.threads)
    return saved / max(seconds - WARM_UP, 1.0) / case.best, refused / max(saved + refused, 1)


def _ask(host: Host, way: Way, seconds: float, threads: int) -> tuple[int, int, float]:
    now, saved, refused, asking = 0.0, 0, 0, 0
    events: list[tuple[float, int, float, Outcome, bool]] = []
    queued: deque[int] = deque()
    numbers = itertools.count(1)
    while now < seconds and saved + refused < _MOST_EVENTS:
        while way.allows(now):
            way.started(now)
            queued.append(next(numbers))
        while queued and asking < threads:
            number = queued.popleft()
            asking += 1
            answer = host.ask(number, now, asking)
            outcome = Outcome.SAVED if answer.status == 200 and answer.seconds <= _DEADLINE else Outcome.THROTTLED
            after = min(answer.seconds, _DEADLINE)
            heapq.heappush(events, (now + after, number, now, outcome, host.owned(number)))
        times = [events[0][0]] if events else []
        if way.due() > now:
            times.append(way.due())
        now = min(times)
        while events and events[0][0] <= now:
            _, _, began, outcome, own = heapq.heappop(events)
            asking -= 1
            way.ended(outcome, began, now)
            if now > WARM_UP:
                saved += outcome is Outcome.SAVED
                refused += outcome is not Outcome.SAVED and not own
    return saved, refused, now
