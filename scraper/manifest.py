"""The manifest: the SQLite file of every class, candidate, image and request.

One process writes (`lock.RunLock` sees to it), through one connection; others may read at any time, since the file is
in WAL mode. What a batch of outcomes changes, counts included, is one transaction.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import sqlite3
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import sqlite_utils

from scraper.errors import (
    InputError,
    ManifestError,
    ManifestForeignError,
    ManifestMissingError,
    StoppedEarlyError,
)
from scraper.flickr import file_name, host_of
from scraper.model import (
    Candidate,
    ClassState,
    State,
    Wnid,
)
from scraper.schema import APPLICATION_ID, RANKS, STATES, VERSION, candidate_id, class_number, schema_sql, wnid_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from scraper.model import (
        Attempt,
        BudgetRaise,
        ClassRequest,
        Listing,
        ListingOutcome,
    )

_CHECKED_WHOLE: Final = 64 * 2**20
"""Bytes up to which a manifest is checked page by page when it is opened; above, damage shows when it is read."""
_BUSY: Final = 30.0
"""Seconds to wait for another program that holds the file, a backup or a browser for instance."""


def iso(unix: float) -> str:
    """Unix seconds as the manifest writes times: UTC, ISO 8601, milliseconds."""
    return dt.datetime.fromtimestamp(unix, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class ListingTry:
    """One request for the list of a class, for the record."""

    wnid: Wnid
    number: int
    started_at: float
    seconds: float
    status: int | None
    outcome: ListingOutcome
    url: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Settled:
    """One attempt and what it means: the candidate's state, and the image's path where it was saved."""

    attempt: Attempt
    state: State
    not_before: float = 0.0
    path: str | None = None


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours: the file is unusable, or the machine made the run stop."""
    try:
        yield
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            raise StoppedEarlyError(
                f"the manifest {path} could not be written ({error}): free some space and run again"
            ) from error
        if code == sqlite3.SQLITE_BUSY:
            raise StoppedEarlyError(f"another program keeps {path} locked: close it and run again") from error
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            raise ManifestError(
                f"cannot open the manifest {path} ({error}): check the path and its permissions"
            ) from error
        raise ManifestForeignError(f"cannot read the manifest {path}: {error}") from error
    except sqlite3.DatabaseError as error:
        raise ManifestForeignError(f"{path} is not a usable manifest: {error}") from error


class Manifest:
    """An open manifest. Use it as a context manager; methods raise `ManifestError` where the file cannot be used."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """For `open` and `create`: takes a connection that is known to be to a manifest."""
        self.path = path
        self._connection = connection
        self._db = sqlite_utils.Database(connection, execute_plugins=False)

    # --- opening ---------------------------------------------------------------------------------------------------

    @classmethod
    def create(cls, path: Path) -> Self:
        """Open the manifest at `path` for writing, making it and its folder where there is none.

        Raises:
            ManifestError: there is a file that is not a usable manifest, or none can be made there.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ManifestError(f"cannot make the folder {path.parent}: {error.strerror}") from error
        with translated(path):
            connection = _connect(path, "rwc")
            try:
                fresh = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
                if fresh and connection.execute("PRAGMA application_id").fetchone()[0] == 0:
                    _make(connection)
                _check(path, connection)
            except BaseException:
                connection.close()
                raise
            return cls(path, connection)

    @classmethod
    def open(cls, path: Path, *, write: bool = False) -> Self:
        """Open an existing manifest.

        Raises:
            ManifestMissingError: there is none.
            ManifestForeignError: it is not one of ours, newer, or damaged.
        """
        if not path.exists():
            raise ManifestMissingError(f"there is no manifest at {path}: run `scraper plan` first, or give --manifest")
        with translated(path):
            connection = _connect(path, "rw") if write else _connect_reader(path)
            try:
                _check(path, connection)
            except BaseException:
                connection.close()
                raise
            return cls(path, connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: what is done inside is committed at the end, or not at all."""
        with translated(self.path), self._db.atomic():
            yield self._connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection, for queries of many rows; SQLite's errors become ours."""
        with translated(self.path):
            yield self._connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read several things as they were at one moment, whatever a run writes meanwhile."""
        with translated(self.path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("ROLLBACK")

    def rows(self, sql: str, parameters: Sequence[object] | dict[str, object] = ()) -> list[dict[str, Any]]:
        """The rows of a query, as dictionaries."""
        with translated(self.path):
            return list(self._db.query(sql, parameters))

    # --- runs ------------------------------------------------------------------------------------------------------

    def start_run(self, command: str, argv: Sequence[str], version: str, now: float) -> int:
        """Record that a run begins; returns its id."""
        row = {"command": command, "argv": json.dumps(list(argv)), "version": version, "started_at": iso(now)}
        with translated(self.path):
            return int(self._db["runs"].insert(row).last_pk)  # type: ignore[union-attr, arg-type]  # a table with a pk

    def end_run(self, run_id: int, exit_code: int, now: float) -> None:
        """Record how a run ended."""
        with translated(self.path):
            self._db["runs"].update(run_id, {"ended_at": iso(now), "exit_code": exit_code})  # type: ignore[union-attr]

    # --- plan ------------------------------------------------------------------------------------------------------

    def want(self, requests: Iterable[ClassRequest], *, n: int, budget: int) -> None:
        """Set the target of each class, adding those that are new; lists and outcomes stay as they are."""
        rows = [(request.wnid, request.label, n, budget) for request in requests]
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO classes (wnid, label, n, budget) VALUES (?, ?, ?, ?) ON CONFLICT (wnid) DO UPDATE SET "
                "label = coalesce(excluded.label, label), n = excluded.n, "
                "budget = CASE WHEN n = excluded.n THEN max(budget, excluded.budget) ELSE excluded.budget END",
                rows,
            )

    def resolved(self) -> set[str]:
        """The classes whose list is in the manifest."""
        return {row["wnid"] for row in self.rows("SELECT wnid FROM classes WHERE resolve_outcome = 'listed'")}

    def save_listing(
        self, wnid: Wnid, listing: Listing, *, source: str, hosts: str, shuffle: str | None, now: float
    ) -> None:
        """Record what a source said of a class: its candidates, or why there are none.

        Raises:
            InputError: the list is longer than the manifest can number.
        """
        if len(listing.candidates) >= RANKS:
            raise InputError(f"the list of {wnid} has {len(listing.candidates)} candidates; {RANKS - 1} is the most")
        first = class_number(wnid) * RANKS
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO candidate (id, url, photo_id, filename) VALUES (?, ?, ?, ?)",
                (
                    (
                        first + rank,
                        found.url,
                        found.photo_id,
                        found.filename if found.filename != file_name(found.url) else None,
                    )
                    for rank, found in enumerate(listing.candidates, start=1)
                ),
            )
            connection.execute(
                "UPDATE classes SET source = ?, hosts = ?, shuffle = ?, resolved_at = ?, resolve_outcome = ?, "
                "resolve_error = ?, http_status = ?, listed = ?, candidates = ?, malformed = ?, repeated = ?, "
                "listing_sha256 = ? WHERE wnid = ?",
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
                    wnid,
                ),
            )

    def save_listing_tries(self, run_id: int, tries: Iterable[ListingTry]) -> None:
        """Record requests for lists."""
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO listings (wnid, run_id, try, started_at, seconds, status, outcome, url, error) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (t.wnid, run_id, t.number, iso(t.started_at), t.seconds, t.status, t.outcome, t.url, t.error)
                    for t in tries
                ],
            )

    # --- fetch -----------------------------------------------------------------------------------------------------

    def count_classes(self) -> int:
        """Classes in the manifest, with a list or not."""
        return int(self.rows("SELECT count(*) AS classes FROM classes")[0]["classes"])

    def class_states(self) -> list[ClassState]:
        """Every class that has a list, in the order of their ids."""
        rows = self.rows("SELECT * FROM class_progress WHERE resolve_outcome = 'listed'")
        return [
            ClassState(Wnid(row["wnid"]), row["n"], row["budget"], row["candidates"], row["saved"], 1) for row in rows
        ]

    def waiting(self, wnid: Wnid, first: int, last: int, count: int) -> list[Candidate]:
        """Up to `count` candidates of a class that wait, with ranks from `first` to `last`, in rank order."""
        with translated(self.path):
            rows = self._connection.execute(
                f"{_CANDIDATE} WHERE id BETWEEN ? AND ? AND state = 0 ORDER BY id LIMIT ?",
                (candidate_id(wnid, first), candidate_id(wnid, min(last, RANKS - 1)), count),
            ).fetchall()
        return [_candidate(row) for row in rows]

    def unknown(self) -> list[Candidate]:
        """The candidates of classes still short that an earlier run left unknown, in rank order."""
        with translated(self.path):
            rows = self._connection.execute(f"{_CANDIDATE} WHERE state = 3 ORDER BY id % {RANKS}").fetchall()
        return [_candidate(row) for row in rows]

    def images(self) -> Iterator[tuple[int, str, int]]:
        """Every image: candidate id, path and size in bytes, in the order of the candidates."""
        with translated(self.path):
            yield from self._connection.execute("SELECT candidate_id, path, bytes FROM image ORDER BY candidate_id")

    def reopen(self, candidates: Sequence[int]) -> None:
        """Put saved candidates whose file is lost back to waiting; their attempts stay on record."""
        with self.transaction() as connection:
            for candidate in candidates:
                url = connection.execute("SELECT url FROM candidate WHERE id = ?", (candidate,)).fetchone()[0]
                for table, key, value in (
                    ("class_outcomes", "wnid", wnid_of(candidate)),
                    ("host_outcomes", "host", host_of(url) or ""),
                ):
                    connection.execute(
                        f"UPDATE {table} SET candidates = candidates - 1 WHERE {key} = ? AND outcome = 'saved'",  # noqa: S608 - both names are ours
                        (value,),
                    )
                connection.execute("DELETE FROM image WHERE candidate_id = ?", (candidate,))
                connection.execute(
                    "UPDATE candidate SET state = 0, outcome = NULL, not_before = NULL WHERE id = ?", (candidate,)
                )

    def paths(self, wnid: Wnid) -> dict[str, str]:
        """The images of a class: path to SHA-256."""
        with translated(self.path):
            rows = self._connection.execute(
                "SELECT path, sha256 FROM image WHERE candidate_id BETWEEN ? AND ?",
                (candidate_id(wnid, 1), candidate_id(wnid, RANKS - 1)),
            ).fetchall()
        return dict(rows)

    # --- verify ----------------------------------------------------------------------------------------------------

    @property
    def owner(self) -> str:
        """A name for the temporary files of this manifest's runs, so that two manifests may share a folder."""
        return hashlib.sha256(str(self.path.resolve()).encode()).hexdigest()[:12]

    def class_names(self) -> list[str]:
        """The wnids in the manifest."""
        return [row["wnid"] for row in self.rows("SELECT wnid FROM classes")]

    def image_digests(self) -> list[tuple[str, int, str]]:
        """Every image: path, size in bytes, SHA-256."""
        with translated(self.path):
            return self._connection.execute("SELECT path, bytes, sha256 FROM image ORDER BY candidate_id").fetchall()

    # --- recording -------------------------------------------------------------------------------------------------

    def record(self, run_id: int, settled: Sequence[Settled], raises: Iterable[BudgetRaise], now: float) -> None:
        """Record a batch of attempts and what follows from them, in one transaction."""
        with self.transaction() as connection:
            _insert_attempts(connection, run_id, settled)
            _move_counts(connection, settled)
            connection.executemany(
                "UPDATE candidate SET state = ?, outcome = ?, tries = tries + 1, not_before = ? WHERE id = ?",
                [
                    (STATES.index(s.state), s.attempt.outcome, s.not_before or None, s.attempt.candidate.id)
                    for s in settled
                ],
            )
            connection.executemany(
                "INSERT INTO image (candidate_id, path, sha256, bytes, format, width, height, saved_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (s.attempt.candidate.id, s.path, p.sha256, p.bytes, p.format, p.width, p.height, iso(now))
                    for s in settled
                    if (p := s.attempt.picture) is not None and s.state is State.SAVED
                ],
            )
            self._insert_raises(connection, run_id, raises, now)

    @staticmethod
    def _insert_raises(connection: sqlite3.Connection, run_id: int, raises: Iterable[BudgetRaise], now: float) -> None:
        for raised in raises:
            connection.execute("UPDATE classes SET budget = ? WHERE wnid = ?", (raised.after, raised.wnid))
            connection.execute(
                "INSERT INTO raises (wnid, run_id, raised_at, budget_before, budget_after, survival) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                (raised.wnid, run_id, iso(now), raised.before, raised.after, raised.survival),
            )


_CANDIDATE: Final = "SELECT id, url, photo_id, filename, tries, not_before FROM candidate"


def _candidate(row: tuple[Any, ...]) -> Candidate:
    number, url, photo, filename, tries, not_before = row
    wnid = Wnid(wnid_of(number))
    return Candidate(number, wnid, number % RANKS, url, filename or file_name(url), photo, tries, not_before or 0.0)


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
            )
        )
    connection.executemany(
        "INSERT INTO attempt (candidate_id, run_id, try, started_at, seconds, status, outcome, final_url, bytes, "
        "content_type, retry_after, error, hops) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )


def _move_counts(connection: sqlite3.Connection, settled: Sequence[Settled]) -> None:
    """Bring the counts that reports read up to date; must run before the candidates' rows change."""
    classes: Counter[tuple[str, str]] = Counter()
    hosts: Counter[tuple[str, str]] = Counter()
    statuses: Counter[str] = Counter()
    for attempt in (s.attempt for s in settled):
        candidate, host = attempt.candidate, host_of(attempt.candidate.url) or ""
        statuses[str(attempt.status) if attempt.status is not None else "none"] += 1
        classes[candidate.wnid, attempt.outcome] += 1
        hosts[host, attempt.outcome] += 1
        before = connection.execute("SELECT outcome FROM candidate WHERE id = ?", (candidate.id,)).fetchone()[0]
        if before is not None:
            classes[candidate.wnid, before] -= 1
            hosts[host, before] -= 1
    for table, key, counts in (("class_outcomes", "wnid", classes), ("host_outcomes", "host", hosts)):
        connection.executemany(
            f"INSERT INTO {table} ({key}, outcome, candidates) VALUES (?, ?, ?) "  # noqa: S608 - both names are ours
            f"ON CONFLICT ({key}, outcome) DO UPDATE SET candidates = candidates + excluded.candidates",
            [(*name, count) for name, count in counts.items() if count],
        )
    connection.executemany(
        "INSERT INTO statuses (status, requests) VALUES (?, ?) "
        "ON CONFLICT (status) DO UPDATE SET requests = requests + excluded.requests",
        list(statuses.items()),
    )


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = path.resolve().as_uri() + f"?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY, isolation_level=None)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads. It is opened for writing where that is allowed, so as to tidy up after itself."""
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        connection = _connect(path, "rw")
        connection.execute("PRAGMA query_only = ON")
        return connection
    # In a folder that cannot be written to, WAL mode needs to be told that nobody else writes either.
    waiting = path.with_name(path.name + "-wal").exists()
    return _connect(path, "ro" if waiting else "ro&immutable=1")


def _make(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    for statement in schema_sql():
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def _check(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse what is not a manifest of this version, with exactly our tables and views and nobody's triggers."""
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise ManifestForeignError(f"{path} is not a scraper manifest; give another --manifest")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise ManifestForeignError(
            f"{path} is of version {version}, made by a newer scraper (this one knows {VERSION}): upgrade scraper"
        )
    found = {" ".join(sql.split()) for (sql,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL")}
    if not found.issuperset(" ".join(statement.split()) for statement in schema_sql()):
        raise ManifestForeignError(f"{path} is not as scraper made it: a table or view was changed")
    trigger = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchone()
    if trigger:
        raise ManifestForeignError(
            f"{path} has a trigger ({trigger[0]}), which could rewrite what is fetched; remove it"
        )
    if path.stat().st_size <= _CHECKED_WHOLE:
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise ManifestForeignError(f"{path} is damaged ({verdict}); restore it from a copy")
