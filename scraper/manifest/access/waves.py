"""For recheck: a sample of what was answered for good, and the answers of a wave."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.manifest.values import columns, iso
from scraper.model import DECIDED_KINDS, Outcome

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Sequence

    from scraper.manifest.core import Manifest


@dataclass(frozen=True, slots=True)
class Settlement:
    """A candidate that was answered for good, and the outcome of its own URL."""

    candidate_id: int
    url: str
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Recheck:
    """One answer of a wave: what was known of a candidate before, and what is answered now; times in seconds."""

    candidate_id: int
    asked_at: float
    seconds: float
    before: Outcome
    outcome: Outcome
    status: int | None
    final_url: str
    error: str | None


_SETTLED: Final = (
    columns("candidate.id")
    + ', coalesce(fate, outcome) AS "candidate.outcome" FROM candidate WHERE tries > 0 AND state IN (1, 2)'
)
_URLS: Final = (
    columns("candidate.id", "candidate.url")
    + " FROM json_each(?) AS wanted CROSS JOIN candidate ON candidate.id = wanted.value"
)
_AT_ONCE: Final = 10_000


def sample_settled(book: Manifest, size: int, outcomes: Iterable[Outcome], rng: random.Random) -> list[Settlement]:
    """A random sample of the candidates answered for good with one of `outcomes`, of any answer if empty."""
    names = frozenset(outcomes) or frozenset(o for o in Outcome if o.kind in DECIDED_KINDS)
    chosen: list[tuple[int, Outcome]] = []
    seen = 0
    for row in book.select(lambda *row: row, _SETTLED):
        if row[1] not in names:
            continue
        seen += 1
        # Reservoir sampling: each row is kept with the same chance, in memory for the sample only.
        place = len(chosen) if len(chosen) < size else rng.randrange(seen)
        if place < size:
            chosen[place : place + 1] = [row]
    urls: dict[int, str] = {}
    for start in range(0, len(chosen), _AT_ONCE):
        wanted = json.dumps([number for number, _ in chosen[start : start + _AT_ONCE]])
        urls.update(book.select(lambda *row: row, _URLS, (wanted,)))
    return [Settlement(number, urls[number], outcome) for number, outcome in chosen]


def record_wave(book: Manifest, run_id: int, rows: Sequence[Recheck]) -> None:
    """Record answers of a wave."""
    with book.transaction() as connection:
        connection.executemany(
            "INSERT INTO rechecks (candidate_id, run_id, asked_at, seconds, outcome_before, outcome, status, "
            "final_url, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    r.candidate_id,
                    run_id,
                    iso(r.asked_at),
                    r.seconds,
                    r.before,
                    r.outcome,
                    r.status,
                    r.final_url,
                    r.error,
                )
                for r in rows
            ],
        )
