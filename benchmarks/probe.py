"""One measurement inside a process of its own: `python probe.py open|claim|record MANIFEST`; prints JSON."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.manifest import Manifest
from scraper.model import Attempt, Outcome, Picture, State
from scraper.recording import Batch, Settled
from scraper.retry import Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scraper.model import Candidate, Wnid

CLASSES: Final = 300
"""Classes that claims are measured on, chosen at random."""
AT_ONCE: Final = 18
"""Candidates of a claim: the room of a class that wants ten, and the few beyond."""
BATCHES: Final = 16
ROWS: Final = 200
DEEP: Final = 1000
"""Candidates from which a class counts as deep; a worked manifest has used half of it."""


def opening(path: Path) -> dict[str, float]:
    """Milliseconds to open the manifest."""
    began = time.perf_counter()
    Manifest.open(path).close()
    return {"ms": 1000 * (time.perf_counter() - began)}


def claim(path: Path) -> dict[str, float]:
    """Microseconds per candidate claimed from the start of its class's list, for all classes and for the deep ones."""
    rng = random.Random(1)
    with Manifest.open(path) as book:
        states = book.class_states()
        deep = [state for state in states if state.candidates >= DEEP]
        costs = {}
        for name, among in (("all", states), ("deep", deep)):
            chosen = rng.choices(among, k=CLASSES)
            took = []
            for state in chosen:
                began = time.perf_counter()
                found = book.waiting(state.wnid, 1, state.budget, AT_ONCE)
                took.append((time.perf_counter() - began) / len(found))
            costs[name] = 1e6 * statistics.median(took)
        return costs


def _turns(book: Manifest) -> Iterator[Candidate]:
    """Candidates in the order in which the scheduler hands them out: one of each class in turn, by rank."""
    wnids = [state.wnid for state in book.class_states()]
    cursors = dict.fromkeys(wnids, 1)
    lists: dict[Wnid, list[Candidate]] = {}
    for wnid in itertools.cycle(wnids):
        if not lists.get(wnid):
            lists[wnid] = book.waiting(wnid, cursors[wnid], 1000, 8)[::-1]
            cursors[wnid] = lists[wnid][0].rank + 1
        yield lists[wnid].pop()


def _settled(candidate: Candidate, number: int) -> Settled:
    """Two in five candidates become images, the others are gone."""
    sha256 = hashlib.sha256(str(candidate.id).encode()).hexdigest()
    alive = number % 5 < 2
    outcome = Outcome.SAVED if alive else Outcome.GONE
    picture = Picture("", sha256, 100_000, "JPEG", 500, 375) if alive else None
    attempt = Attempt(
        candidate,
        started_at=1.8e9,
        seconds=0.1,
        outcome=outcome,
        status=200 if alive else 404,
        final_url=candidate.url,
        bytes=100_000 if alive else 0,
        content_type="image/jpeg",
        sha256=sha256 if alive else None,
        picture=picture,
    )
    path = f"{candidate.wnid}/{candidate.filename}" if alive else None
    return Settled(attempt, Decision(State.SAVED if alive else State.LOST, outcome), path)


def record(path: Path) -> dict[str, float]:
    """Microseconds per attempt to record batches; the syncs, which depend on the disk alone, are apart."""
    wall, cpu = [], []
    with Manifest.open(path, write=True) as book:
        run = book.start_run("fetch", [], "0", time.time())
        candidates = _turns(book)
        for _ in range(BATCHES):
            batch = Batch([_settled(one, number) for number, one in enumerate(itertools.islice(candidates, ROWS))])
            began, processor = time.perf_counter(), time.process_time()
            book.record(run, batch, time.time())
            cpu.append((time.process_time() - processor) / ROWS)
            wall.append((time.perf_counter() - began) / ROWS)
    return {"wall": 1e6 * statistics.mean(wall), "cpu": 1e6 * statistics.mean(cpu)}


def main() -> None:
    """Measure what is named on the command line."""
    probes: dict[str, Callable[[Path], dict[str, float]]] = {"open": opening, "claim": claim, "record": record}
    print(json.dumps(probes[sys.argv[1]](Path(sys.argv[2]))))


if __name__ == "__main__":
    main()
