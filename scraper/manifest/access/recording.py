"""For whoever learns something of candidates: a batch of attempts and all that follows from it, counts included."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from scraper.manifest.access.withdrawing import withdraw
from scraper.manifest.schema import COUNTS, STATES, wnid_of
from scraper.manifest.values import columns, iso
from scraper.model import Outcome
from scraper.urls import host_of

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from scraper.manifest.access.withdrawing import Withdrawal
    from scraper.manifest.core import Manifest
    from scraper.records import Attempt, BudgetRaise, Decision, Revision


@dataclass(frozen=True, slots=True)
class DecidedAttempt:
    """One attempt and what it means.

    Attributes:
        decision: what becomes of the candidate.
        path: of its image, relative to the output folder, where it was saved.
        mark: by which the image's file is known for one that we wrote; None where it was there before.
    """

    attempt: Attempt
    decision: Decision
    path: str | None = None
    mark: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What is recorded in one transaction: attempts, states that changed without a request, raises of budget.

    `placeholders` are digests of pictures found to stand for deleted photos, each with the number of photos that it
    came for; `withdrawals` what is left out from now on. `word` is the manifest's once its images are on record.
    """

    decided: Sequence[DecidedAttempt] = ()
    revisions: Sequence[Revision] = ()
    raises: Sequence[BudgetRaise] = ()
    placeholders: Sequence[tuple[str, int]] = ()
    withdrawals: Sequence[Withdrawal] = ()
    word: str = field(default_factory=lambda: secrets.token_hex(8))


def record(book: Manifest, run_id: int, batch: Batch, now: float) -> None:
    """Record a batch of attempts and what follows from them, in one transaction; `now` is Unix time in seconds."""
    with book.transaction() as connection:
        _insert_attempts(connection, run_id, batch.decided)
        _move_counts(book, connection, batch.decided)
        _decide(connection, batch.decided, now)
        if _insert_images(connection, batch.decided, now):
            _set_word(connection, batch.word)
        _insert_raises(connection, run_id, batch.raises, now)
        _revise(book, connection, run_id, batch.revisions, now)
        withdraw(book, run_id, batch.withdrawals, now)
        connection.executemany(
            "INSERT OR IGNORE INTO placeholders (sha256, run_id, found_at, photos) VALUES (?, ?, ?, ?)",
            [(sha256, run_id, iso(now), photos) for sha256, photos in batch.placeholders],
        )


def is_recorded(book: Manifest, batch: Batch) -> bool:
    """Whether the attempts of a batch are on record, where it was cut short and nobody knows."""
    if not batch.decided:
        return False
    first = batch.decided[0].attempt.candidate
    known = _known(book, first.id)
    return known is not None and known[3] > first.tries


_DECIDE: Final = (
    "UPDATE candidate SET state = ?1, outcome = ?2, tries = tries + 1, not_before = ?3, form = ?4, fate = ?5, "
    "unknown_runs = CASE ?1 WHEN 3 THEN coalesce(unknown_runs, 0) + 1 WHEN 0 THEN unknown_runs END, "
    "unknown_since = CASE ?1 WHEN 3 THEN coalesce(unknown_since, ?7) WHEN 0 THEN unknown_since END WHERE id = ?6"
)


def _decide(connection: sqlite3.Connection, decided: Sequence[DecidedAttempt], now: float) -> None:
    connection.executemany(
        _DECIDE,
        [
            (STATES.index(d.state), d.outcome, d.not_before or None, d.form, d.fate, s.attempt.candidate.id, now)
            for s in decided
            for d in (s.decision,)
        ],
    )


def _insert_images(connection: sqlite3.Connection, decided: Sequence[DecidedAttempt], now: float) -> int:
    """Insert the images of a batch; how many."""
    saved_at = iso(now)
    rows = [
        (s.attempt.candidate.id, s.path, p.sha256, p.bytes, p.format, p.width, p.height, saved_at, p.checked, *known)
        for s in decided
        if (p := s.attempt.picture) is not None and s.path is not None
        for known in ((int(s.mark is None), s.mark),)
    ]
    connection.executemany(
        "INSERT INTO image (candidate_id, path, sha256, bytes, format, width, height, saved_at, checked, adopted, "
        "mark) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    return len(rows)


def record_removal(book: Manifest, run_id: int, batch: Batch, now: float) -> None:
    """Record that images go, in one transaction that gives the manifest the batch's word; `now` is Unix time."""
    with book.transaction() as connection:
        record(book, run_id, batch, now)
        _set_word(connection, batch.word)


def word(book: Manifest) -> str:
    """The random word of the last batch that had images: names that were given under it are not on record."""
    return "".join(book.column("manifest.batch", "FROM manifest"))


def renew_word(book: Manifest) -> None:
    """Give the manifest another word: what names were given before is settled."""
    with book.transaction() as connection:
        _set_word(connection, secrets.token_hex(8))


def _set_word(connection: sqlite3.Connection, word: str) -> None:
    connection.execute("UPDATE manifest SET batch = ?", (word,))


def _insert_raises(connection: sqlite3.Connection, run_id: int, raises: Iterable[BudgetRaise], now: float) -> None:
    for raised in raises:
        connection.execute("UPDATE classes SET budget = ? WHERE wnid = ?", (raised.after, raised.wnid))
        connection.execute(
            "INSERT INTO raises (wnid, run_id, raised_at, budget_before, budget_after, survival) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (raised.wnid, run_id, iso(now), raised.before, raised.after, raised.survival),
        )


def _insert_attempts(connection: sqlite3.Connection, run_id: int, decided: Sequence[DecidedAttempt]) -> None:
    rows = []
    for attempt in (s.attempt for s in decided):
        hops = json.dumps([asdict(hop) for hop in attempt.hops]) if attempt.hops else None
        rows.append(
            (
                attempt.candidate.id,
                run_id,
                attempt.candidate.tries + 1,
                iso(attempt.started_at),
                round(attempt.seconds, 6),
                attempt.status,
                attempt.outcome,
                attempt.final_url,
                attempt.bytes,
                attempt.content_type,
                attempt.retry_after,
                attempt.error,
                hops,
                attempt.sha256,
            )
        )
    connection.executemany(
        "INSERT INTO attempt (candidate_id, run_id, try, started_at, seconds, status, outcome, final_url, bytes, "
        "content_type, retry_after, error, hops, sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


class _Counts:
    """Changes to the counts that reports read. A host's counts keep the fate of the URL itself, whatever form won."""

    def __init__(self) -> None:
        self._classes: defaultdict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        self._hosts: defaultdict[tuple[str, ...], list[int]] = defaultdict(lambda: [0])
        self._statuses: defaultdict[tuple[str, ...], list[int]] = defaultdict(lambda: [0])

    def add(self, wnid: str, url: str, outcome: str | None, fate: str | None, change: int) -> None:
        """Count a candidate that was asked for."""
        if outcome is not None:
            numbers = self._classes[wnid, outcome]
            numbers[0] += change
            if outcome == Outcome.SAVED and fate is not None:
                numbers[2] += change
            self._hosts[host_of(url) or "", fate or outcome][0] += change

    def add_unasked(self, wnid: str, outcome: str | None, change: int) -> None:
        """Count a candidate that has an outcome and was never asked for."""
        if outcome is not None:
            self._classes[wnid, outcome][1] += change

    def add_bytes(self, wnid: str, change: int) -> None:
        """Count the bytes of an image."""
        self._classes[wnid, Outcome.SAVED][3] += change

    def add_status(self, status: int | None) -> None:
        """Count a request."""
        self._statuses[str(status) if status is not None else "none",][0] += 1

    def write(self, connection: sqlite3.Connection) -> None:
        changed = {"class_outcomes": self._classes, "host_outcomes": self._hosts, "statuses": self._statuses}
        for table, (keys, numbers) in COUNTS.items():
            marks = ", ".join("?" * (len(keys) + len(numbers)))
            sums = ", ".join(f"{number} = {number} + excluded.{number}" for number in numbers)
            connection.executemany(
                f"INSERT INTO {table} ({', '.join((*keys, *numbers))}) VALUES ({marks}) "  # noqa: S608 - the names are ours
                f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {sums}",
                [(*key, *changes) for key, changes in changed[table].items() if any(changes)],
            )


_Known: TypeAlias = tuple[str, Outcome | None, Outcome | None, int]
"""What is on record for a candidate: its URL, its outcome, its fate, its tries."""
_KNOWN: Final = (
    columns("candidate.url", "candidate.outcome", "candidate.fate", "candidate.tries") + " FROM candidate WHERE id = ?"
)


def _known(book: Manifest, number: int) -> _Known | None:
    return next(iter(list(book.select(lambda *known: known, _KNOWN, (number,)))), None)


def _move_counts(book: Manifest, connection: sqlite3.Connection, decided: Sequence[DecidedAttempt]) -> None:
    """Bring the counts that reports read up to date; must run before the candidates' rows change."""
    counts = _Counts()
    before: dict[int, tuple[Outcome | None, Outcome | None]] = {}
    for candidate in (s.attempt.candidate for s in decided if s.attempt.candidate.tries):
        if known := _known(book, candidate.id):
            before[candidate.id] = known[1:3]
    for attempt, decision, path in ((s.attempt, s.decision, s.path) for s in decided):
        candidate = attempt.candidate
        counts.add_status(attempt.status)
        if attempt.picture is not None and path is not None:
            counts.add_bytes(candidate.wnid, attempt.picture.bytes)
        counts.add(candidate.wnid, candidate.url, *before.get(candidate.id, (None, None)), -1)
        counts.add(candidate.wnid, candidate.url, decision.outcome, decision.fate, 1)
        before[candidate.id] = (decision.outcome, decision.fate)
    counts.write(connection)


def _revise(
    book: Manifest, connection: sqlite3.Connection, run_id: int, revisions: Sequence[Revision], now: float
) -> None:
    counts = _Counts()
    for revision in revisions:
        number = revision.candidate_id
        known = _known(book, number)
        if known is not None:
            _move(counts, number, known, revision)
        for size in list(book.column("image.bytes", "FROM image WHERE candidate_id = ?", (number,))):
            counts.add_bytes(wnid_of(number), -size)
        connection.execute(
            "UPDATE candidate SET state = ?, outcome = ?, not_before = NULL, form = ?, fate = ?, unknown_runs = NULL, "
            "unknown_since = NULL WHERE id = ?",
            (STATES.index(revision.state), revision.outcome, revision.form, revision.fate, number),
        )
        connection.execute("DELETE FROM image WHERE candidate_id = ?", (number,))
        connection.execute(
            "INSERT INTO revisions (candidate_id, run_id, revised_at, outcome_before, outcome_after, state_after, "
            "reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, run_id, iso(now), known and known[1], revision.outcome, revision.state, revision.reason),
        )
    counts.write(connection)


def _move(counts: _Counts, number: int, known: _Known, revision: Revision) -> None:
    """Count a candidate as what a revision makes of it, no longer as what it was."""
    wnid = wnid_of(number)
    url, outcome, fate, tries = known
    if tries:
        counts.add(wnid, url, outcome, fate, -1)
        counts.add(wnid, url, revision.outcome, revision.fate, 1)
    else:
        counts.add_unasked(wnid, outcome, -1)
        counts.add_unasked(wnid, revision.outcome, 1)
