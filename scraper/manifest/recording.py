"""Writing what is learnt: the list of a class; a batch of attempts and all that follows from it, counts included."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

from scraper.flickr import host_of
from scraper.manifest.schema import COUNTS, STATES, candidate_id, wnid_of
from scraper.model import Outcome

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    from scraper.model import Attempt, BudgetRaise, Decision, Listed, Listing, OddLines, Revision


def iso(unix: float) -> str:
    """Unix seconds as the manifest writes times: UTC, ISO 8601, milliseconds."""
    seconds, microseconds = divmod(round(unix * 1e6), 1_000_000)
    return f"{_second(seconds)}.{microseconds // 1000:03d}Z"


@functools.lru_cache(maxsize=64)
def _second(unix: int) -> str:
    # A batch has few different seconds in it.
    return dt.datetime.fromtimestamp(unix, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")


@dataclass(frozen=True, slots=True)
class Settled:
    """One attempt and what it means: what becomes of the candidate, and the image's path where it was saved."""

    attempt: Attempt
    decision: Decision
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """What is recorded in one transaction: attempts, states that changed without a request, raises of budget.

    `placeholders` are digests of pictures found to stand for deleted photos, each with the number of photos that it
    came for.
    """

    settled: Sequence[Settled] = ()
    revisions: Sequence[Revision] = ()
    raises: Sequence[BudgetRaise] = ()
    placeholders: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True, slots=True)
class Recheck:
    """One answer of a wave: what was known of a candidate before, and what is answered now."""

    candidate_id: int
    asked_at: float
    seconds: float
    before: Outcome
    outcome: Outcome
    status: int | None
    final_url: str
    error: str | None


def write_wave(connection: sqlite3.Connection, run_id: int, rows: Sequence[Recheck]) -> None:
    """Write answers of a wave within the transaction that is open."""
    connection.executemany(
        "INSERT INTO rechecks (candidate_id, run_id, asked_at, seconds, outcome_before, outcome, status, final_url, "
        "error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (r.candidate_id, run_id, iso(r.asked_at), r.seconds, r.before, r.outcome, r.status, r.final_url, r.error)
            for r in rows
        ],
    )


def write_listing(
    connection: sqlite3.Connection,
    run_id: int,
    wnid: str,
    listing: Listing,
    *,
    source: str,
    hosts: str,
    shuffle: str | None,
    now: float,
) -> None:
    """Write what a source said of a class within the transaction that is open."""
    _insert(connection, listing.candidates, candidate_id(wnid, 1))
    connection.execute(
        "UPDATE classes SET source = ?, hosts = ?, shuffle = ?, resolved_at = ?, resolve_outcome = ?, "
        "resolve_error = ?, http_status = ?, listed = ?, candidates = ?, malformed = ?, repeated = ?, "
        "listing_sha256 = ?, listing_form = ? WHERE wnid = ?",
        (
            source,
            hosts,
            shuffle,
            iso(now),
            listing.outcome,
            listing.error,
            listing.http_status,
            listing.listed,
            len(listing.candidates),
            listing.malformed,
            listing.duplicates,
            listing.sha256,
            listing.form,
            wnid,
        ),
    )
    if listing.odd:
        write_odd_lines(connection, run_id, source, listing.odd, wnid=wnid)


def write_odd_lines(
    connection: sqlite3.Connection, run_id: int, source: str, odd: Iterable[OddLines], *, wnid: str | None = None
) -> None:
    """Write what was odd about a source's lines, of one class or of none, within the transaction that is open."""
    connection.executemany(
        "INSERT INTO odd_lines (run_id, source, wnid, kind, lines, example) VALUES (?, ?, ?, ?, ?, ?)",
        [(run_id, source, wnid, *each) for each in odd],
    )


@dataclass(frozen=True, slots=True)
class WholeList:
    """A list of many classes that was read from its beginning to its end.

    Attributes:
        source: as it was named.
        url: where it was downloaded from; None where it was on this machine already.
        form: of its lines, by its short name.
        bytes: size of the file.
        sha256: of a file that was downloaded.
        classes: how many it gave a list in this run.
        odd: lines that are odd and of no class.
    """

    source: str
    url: str | None
    form: str
    bytes: int
    sha256: str | None
    classes: int
    odd: tuple[OddLines, ...] = ()


def write_whole_list(connection: sqlite3.Connection, run_id: int, read: WholeList, now: float) -> None:
    """Write that a whole list was read, within the transaction that is open."""
    connection.execute(
        "INSERT INTO whole_lists (run_id, read_at, source, url, form, bytes, sha256, classes) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (run_id, iso(now), read.source, read.url, read.form, read.bytes, read.sha256, read.classes),
    )
    write_odd_lines(connection, run_id, read.source, read.odd)


_INSERT: Final = "INSERT INTO candidate (id, url, photo_id) VALUES "
_AT_ONCE: Final = 50
"""Rows of one INSERT, by which a row costs a third of what it does alone; parameters of any SQLite suffice for it."""


def _insert(connection: sqlite3.Connection, candidates: Sequence[Listed], first: int) -> None:
    """Insert candidates under ids from `first` on. A file name is kept only where the URL does not say it."""
    rows = [(number, found[0], found[1]) for number, found in enumerate(candidates, start=first)]
    for start in range(0, len(rows), _AT_ONCE):
        some = rows[start : start + _AT_ONCE]
        places = ", ".join(["(?, ?, ?)"] * len(some))
        connection.execute(_INSERT + places, list(chain.from_iterable(some)))
    connection.executemany(
        "UPDATE candidate SET filename = ? WHERE id = ?",
        [(found.filename, number) for number, found in enumerate(candidates, start=first) if not found.usual],
    )


def write_batch(connection: sqlite3.Connection, run_id: int, batch: Batch, now: float) -> None:
    """Write a batch within the transaction that is open."""
    _insert_attempts(connection, run_id, batch.settled)
    _move_counts(connection, batch.settled)
    connection.executemany(
        "UPDATE candidate SET state = ?, outcome = ?, tries = tries + 1, not_before = ?, form = ?, fate = ? "
        "WHERE id = ?",
        [
            (STATES.index(d.state), d.outcome, d.not_before or None, d.form, d.fate, s.attempt.candidate.id)
            for s in batch.settled
            for d in (s.decision,)
        ],
    )
    _insert_images(connection, batch.settled, now)
    _insert_raises(connection, run_id, batch.raises, now)
    _revise(connection, run_id, batch.revisions, now)
    connection.executemany(
        "INSERT OR IGNORE INTO placeholders (sha256, run_id, found_at, photos) VALUES (?, ?, ?, ?)",
        [(sha256, run_id, iso(now), photos) for sha256, photos in batch.placeholders],
    )


def _insert_images(connection: sqlite3.Connection, settled: Sequence[Settled], now: float) -> None:
    connection.executemany(
        "INSERT INTO image (candidate_id, path, sha256, bytes, format, width, height, saved_at, checked) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (s.attempt.candidate.id, s.path, p.sha256, p.bytes, p.format, p.width, p.height, iso(now), p.checked)
            for s in settled
            if (p := s.attempt.picture) is not None and s.path is not None
        ],
    )


def _insert_raises(connection: sqlite3.Connection, run_id: int, raises: Iterable[BudgetRaise], now: float) -> None:
    for raised in raises:
        connection.execute("UPDATE classes SET budget = ? WHERE wnid = ?", (raised.after, raised.wnid))
        connection.execute(
            "INSERT INTO raises (wnid, run_id, raised_at, budget_before, budget_after, survival) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (raised.wnid, run_id, iso(now), raised.before, raised.after, raised.survival),
        )


def _insert_attempts(connection: sqlite3.Connection, run_id: int, settled: Sequence[Settled]) -> None:
    rows = []
    for attempt in (s.attempt for s in settled):
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


def _move_counts(connection: sqlite3.Connection, settled: Sequence[Settled]) -> None:
    """Bring the counts that reports read up to date; must run before the candidates' rows change."""
    counts = _Counts()
    before: dict[int, tuple[str | None, str | None]] = {}
    for candidate in (s.attempt.candidate for s in settled if s.attempt.candidate.tries):
        row = connection.execute("SELECT outcome, fate FROM candidate WHERE id = ?", (candidate.id,)).fetchone()
        before[candidate.id] = row
    for attempt, decision, path in ((s.attempt, s.decision, s.path) for s in settled):
        candidate = attempt.candidate
        counts.add_status(attempt.status)
        if attempt.picture is not None and path is not None:
            counts.add_bytes(candidate.wnid, attempt.picture.bytes)
        counts.add(candidate.wnid, candidate.url, *before.get(candidate.id, (None, None)), -1)
        counts.add(candidate.wnid, candidate.url, decision.outcome, decision.fate, 1)
        before[candidate.id] = (decision.outcome, decision.fate)
    counts.write(connection)


def _revise(connection: sqlite3.Connection, run_id: int, revisions: Sequence[Revision], now: float) -> None:
    counts = _Counts()
    for revision in revisions:
        number = revision.candidate_id
        url, outcome, fate, tries = connection.execute(
            "SELECT url, outcome, fate, tries FROM candidate WHERE id = ?", (number,)
        ).fetchone()
        wnid = wnid_of(number)
        if tries:
            counts.add(wnid, url, outcome, fate, -1)
            counts.add(wnid, url, revision.outcome, revision.fate, 1)
        else:
            counts.add_unasked(wnid, outcome, -1)
            counts.add_unasked(wnid, revision.outcome, 1)
        for (size,) in connection.execute("SELECT bytes FROM image WHERE candidate_id = ?", (number,)).fetchall():
            counts.add_bytes(wnid, -size)
        connection.execute(
            "UPDATE candidate SET state = ?, outcome = ?, not_before = NULL, form = ?, fate = ? WHERE id = ?",
            (STATES.index(revision.state), revision.outcome, revision.form, revision.fate, number),
        )
        connection.execute("DELETE FROM image WHERE candidate_id = ?", (number,))
        connection.execute(
            "INSERT INTO revisions (candidate_id, run_id, revised_at, outcome_before, outcome_after, state_after, "
            "reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, run_id, iso(now), outcome, revision.outcome, revision.state, revision.reason),
        )
    counts.write(connection)
