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

from scraper.manifest.access.candidates import class_states, waiting
from scraper.manifest.access.recording import Batch, DecidedAttempt
from scraper.manifest.access.recording import record as record_batch
from scraper.manifest.core import Manifest
from scraper.model import Outcome, State
from scraper.records import Attempt, Decision, Picture, Temporary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scraper.records import Candidate

CLASSES: Final = 300
"""Classes that claims are measured on, in their order from one chosen at random."""
AT_ONCE: Final = 18
"""Candidates of a claim: the room of a class that wants ten, and the few beyond."""
TURNS: Final = 64
"""Classes that take turns in a fetch."""
BATCHES: Final = 15
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
    _warm(path)
    rng = random.Random(1)
    with Manifest.open(path) as book:
        states = class_states(book)
        deep = [state for state in states if state.candidates >= DEEP]
        costs = {}
        for name, among in (("all", states), ("deep", deep)):
            first = rng.randrange(len(among))  # neighbours, as a fetch takes them
            chosen = [among[(first + number) % len(among)] for number in range(CLASSES)]
            took = []
            for state in chosen:
                began = time.perf_counter()
                found = waiting(book, state.wnid, 1, state.budget, AT_ONCE, now=time.time())
                took.append((time.perf_counter() - began) / len(found))
            costs[name] = 1e6 * statistics.median(took)
        return costs


def _turns(book: Manifest) -> Iterator[Candidate]:
    """Candidates in the order in which a fetch asks for them: some classes take turns until they have their images."""
    wnids = [state.wnid for state in class_states(book)]
    ranks = dict.fromkeys(wnids, 1)
    for start in itertools.count(0, TURNS):
        some = [wnids[number % len(wnids)] for number in range(start, start + min(TURNS, len(wnids)))]
        lists = [waiting(book, wnid, ranks[wnid], DEEP, AT_ONCE, now=time.time()) for wnid in some]
        ranks.update((found[-1].wnid, found[-1].rank + 1) for found in lists if found)
        yield from (one for turn in itertools.zip_longest(*lists) for one in turn if one is not None)


def _decided(candidate: Candidate, number: int) -> DecidedAttempt:
    """Two in five candidates become images, the others are gone."""
    sha256 = hashlib.sha256(str(candidate.id).encode()).hexdigest()
    alive = number % 5 < 2
    outcome = Outcome.SAVED if alive else Outcome.GONE
    picture = Picture(Temporary("", 1, 1), sha256, 100_000, "JPEG", 500, 375) if alive else None
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
    return DecidedAttempt(attempt, Decision(State.SAVED if alive else State.LOST, outcome), path)


def _warm(path: Path) -> None:
    """Have the whole file in the system's cache: what the disk takes is not the question."""
    with path.open("rb") as file:
        while file.read(1 << 20):
            pass


def record(path: Path) -> dict[str, float]:
    """Microseconds per attempt to record batches; the syncs, which depend on the disk alone, are apart."""
    _warm(path)
    wall, cpu = [], []
    with Manifest.open(path, write=True) as book:
        run = book.start_run("fetch", [], "0", time.time())
        candidates = _turns(book)
        for _ in range(BATCHES):
            batch = Batch([_decided(one, number) for number, one in enumerate(itertools.islice(candidates, ROWS))])
            began, processor = time.perf_counter(), time.process_time()
            record_batch(book, run, batch, time.time())
            cpu.append((time.process_time() - processor) / ROWS)
            wall.append((time.perf_counter() - began) / ROWS)
    return {"wall": 1e6 * statistics.mean(wall), "cpu": 1e6 * statistics.mean(cpu)}


def main() -> None:
    """Measure what is named on the command line."""
    probes: dict[str, Callable[[Path], dict[str, float]]] = {"open": opening, "claim": claim, "record": record}
    print(json.dumps(probes[sys.argv[1]](Path(sys.argv[2]))))


if __name__ == "__main__":
    main()
