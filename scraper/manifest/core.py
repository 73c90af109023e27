"""The manifest: the SQLite file of every class, candidate, image and request.

One process writes (`lock.RunLock` sees to it), through one connection; others may read at any time, since the file is
in WAL mode. What a batch of outcomes changes, counts included, is one transaction.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import sqlite_utils

from scraper.config import LOCK_WAIT
from scraper.errors import (
    InputError,
    ManifestError,
    ManifestForeignError,
    ManifestMissingError,
)
from scraper.flickr import file_name
from scraper.manifest.database import check, connect, connect_reader, make, translated
from scraper.manifest.recording import iso, write_batch, write_listing, write_wave, write_whole_list
from scraper.manifest.schema import RANKS, candidate_id, wnid_of
from scraper.model import DECIDED_KINDS, Candidate, ClassState, Form, Outcome, Wnid

if TYPE_CHECKING:
    import random
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from scraper.manifest.recording import Batch, Recheck, WholeList
    from scraper.model import (
        ClassRequest,
        Listing,
        ListingOutcome,
    )


@dataclass(frozen=True, slots=True)
class ListingTry:
    """One request for the list of a class, for the record."""

    wnid: Wnid
    number: int
    started_at: float
    seconds: float
    status: int | None
    outcome: ListingOutcome | Outcome
    url: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Twin:
    """A candidate that given bytes came for: an image with its path, or a duplicate without."""

    candidate_id: int
    url: str
    photo_id: int | None
    path: str | None
    form: Form | None = None
    fate: Outcome | None = None

    @property
    def wnid(self) -> str:
        """The candidate's class."""
        return wnid_of(self.candidate_id)


@dataclass(frozen=True, slots=True)
class Settlement:
    """A candidate that was answered for good, and the outcome of its own URL."""

    candidate_id: int
    url: str
    outcome: Outcome


class Manifest:
    """An open manifest. Use it as a context manager; methods raise `ManifestError` where the file cannot be used."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """For `open` and `create`: takes a connection that is known to be to a manifest."""
        self.path = path
        self._identity = _identity(path)
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
            connection = connect(path, "rwc")
            try:
                fresh = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
                if fresh and connection.execute("PRAGMA application_id").fetchone()[0] == 0:
                    make(connection)
                check(path, connection, write=True)
            except BaseException:
                connection.close()
                raise
            return cls(path, connection)

    @classmethod
    def open(cls, path: Path, *, write: bool = False, lock_wait: float = LOCK_WAIT) -> Self:
        """Open an existing manifest; to write, waiting `lock_wait` seconds where another program keeps it locked.

        Raises:
            ManifestMissingError: there is none.
            ManifestForeignError: it is not one of ours, newer, or damaged.
        """
        if path.is_dir():
            raise ManifestForeignError(f"{path} is a folder, not a manifest; give another --manifest")
        if not path.exists():
            raise ManifestMissingError(f"there is no manifest at {path}: run `scraper plan` first, or give --manifest")
        with translated(path):
            connection = connect(path, "rw", lock_wait=lock_wait) if write else connect_reader(path)
            try:
                check(path, connection, write=write)
            except BaseException:
                connection.close()
                raise
            return cls(path, connection)

    @staticmethod
    def unmade(path: Path) -> bool:
        """Whether the file is what is left of a manifest whose making was cut short: no more than an empty database."""
        try:
            with contextlib.closing(connect(path, "ro")) as connection:
                marks = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                return bool(marks[0] == 0 and connection.execute("PRAGMA application_id").fetchone()[0] == 0)
        except sqlite3.DatabaseError:
            return False

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
            self._check_in_place()

    def _check_in_place(self) -> None:
        # SQLite would go on writing to a file that no longer has a name, and all of it would be lost at the end.
        if _identity(self.path) != self._identity:
            raise ManifestError(
                f"the manifest {self.path} was removed, moved or replaced during the run: put it back and run again"
            )

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
            self._check_in_place()
            self._db["runs"].update(run_id, {"ended_at": iso(now), "exit_code": exit_code})  # type: ignore[union-attr]

    # --- plan ------------------------------------------------------------------------------------------------------

    def want(self, requests: Iterable[ClassRequest], *, n: int, budget: int) -> None:
        """Set the target of each class, adding those that are new; lists and outcomes stay as they are."""
        rows = [(request.wnid, request.label, n, budget) for request in requests]
        with self.transaction() as connection:
            connection.executemany(
                "INSERT INTO classes (wnid, label, n, budget) VALUES (?, ?, ?, ?) ON CONFLICT (wnid) DO UPDATE SET "
                "label = coalesce(excluded.label, label), n = excluded.n, "
                "budget = CASE WHEN n <= excluded.n THEN max(budget, excluded.budget) ELSE excluded.budget END",
                rows,
            )

    def resolved(self) -> set[str]:
        """The classes whose list is in the manifest."""
        return {row["wnid"] for row in self.rows("SELECT wnid FROM classes WHERE resolve_outcome = 'listed'")}

    def classes(self) -> list[dict[str, Any]]:
        """Every class, as rows."""
        return self.rows("SELECT * FROM classes")

    def save_listing(
        self, run_id: int, wnid: Wnid, listing: Listing, *, source: str, hosts: str, shuffle: str | None, now: float
    ) -> None:
        """Record what a source said of a class: its candidates, or why there are none.

        Raises:
            InputError: the list is longer than the manifest can number.
        """
        if len(listing.candidates) >= RANKS:
            raise InputError(f"the list of {wnid} has {len(listing.candidates)} candidates; {RANKS - 1} is the most")
        with self.transaction() as connection:
            write_listing(connection, run_id, wnid, listing, source=source, hosts=hosts, shuffle=shuffle, now=now)

    def save_whole_list(self, run_id: int, read: WholeList, now: float) -> None:
        """Record that a list of many classes was read to its end."""
        with self.transaction() as connection:
            write_whole_list(connection, run_id, read, now)

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

    def count_wanted(self) -> int:
        """Images wanted in all classes together."""
        return int(self.rows("SELECT coalesce(sum(n), 0) AS wanted FROM classes")[0]["wanted"])

    def class_states(self) -> list[ClassState]:
        """Every class that has a list, in the order of their ids."""
        rows = self.rows("SELECT * FROM class_progress WHERE resolve_outcome = 'listed'")
        return [
            ClassState(Wnid(row["wnid"]), row["n"], row["budget"], row["candidates"], row["saved"], 1) for row in rows
        ]

    def waiting(self, wnid: Wnid, first: int, last: int, count: int) -> list[Candidate]:
        """Up to `count` candidates of a class with ranks from `first` to `last`, in rank order.

        They wait, or are unknown. A class's list is read once in each run, from its start, so that those are of an
        earlier run; and they come before what was never asked for, since ranks are used in order.
        """
        with translated(self.path):
            rows = self._connection.execute(
                f"{_CANDIDATE} WHERE id BETWEEN ? AND ? AND state IN (0, 3) ORDER BY id LIMIT ?",
                (candidate_id(wnid, first), candidate_id(wnid, min(last, RANKS - 1)), count),
            ).fetchall()
        return [_candidate(wnid, row) for row in rows]

    def images(self, wnid: Wnid) -> list[tuple[int, str, int]]:
        """The images of a class: candidate id, path and size in bytes."""
        with self.reading() as connection:
            return connection.execute(
                "SELECT candidate_id, path, bytes FROM image WHERE candidate_id BETWEEN ? AND ? ORDER BY candidate_id",
                (candidate_id(wnid, 1), candidate_id(wnid, RANKS - 1)),
            ).fetchall()

    def photos(self, wnid: Wnid) -> list[int]:
        """The Flickr photo ids of the images of a class."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT photo_id FROM candidate JOIN image ON image.candidate_id = candidate.id "
                "WHERE candidate.id BETWEEN ? AND ? AND photo_id IS NOT NULL",
                (candidate_id(wnid, 1), candidate_id(wnid, RANKS - 1)),
            ).fetchall()
        return [row[0] for row in rows]

    def file_names(self, wnid: Wnid) -> set[str]:
        """The names that files of a class's candidates have or would have."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT url, filename FROM candidate WHERE id BETWEEN ? AND ?",
                (candidate_id(wnid, 1), candidate_id(wnid, RANKS - 1)),
            )
            return {filename or file_name(url) for url, filename in rows}

    def same_bytes(self, digests: Iterable[str]) -> dict[str, list[Twin]]:
        """The candidates, images and duplicates, that bytes with these digests came for, by digest."""
        found: dict[str, list[Twin]] = {}
        with self.reading() as connection:
            rows = connection.execute(
                "WITH wanted AS (SELECT value AS digest FROM json_each(?)) "
                "SELECT digest, candidate.id, url, photo_id, path, form, fate FROM wanted "
                # The index has no more than the beginning of a digest, by which it stays small.
                "CROSS JOIN image ON substr(sha256, 1, 12) = substr(digest, 1, 12) AND sha256 = digest "
                "JOIN candidate ON candidate.id = candidate_id UNION ALL "
                "SELECT digest, candidate.id, url, photo_id, NULL, form, fate FROM wanted "
                "CROSS JOIN attempt ON sha256 = digest AND attempt.outcome = 'duplicate' "
                "JOIN candidate ON candidate.id = candidate_id WHERE candidate.outcome = 'duplicate'",
                (json.dumps(list(digests)),),
            ).fetchall()
        for digest, number, url, photo, path, form, fate in rows:
            twin = Twin(number, url, photo, path, Form(form) if form else None, Outcome(fate) if fate else None)
            found.setdefault(digest, []).append(twin)
        return found

    def placeholders(self) -> set[str]:
        """Digests of pictures that were found to stand for deleted photos."""
        return {row["sha256"] for row in self.rows("SELECT sha256 FROM placeholders")}

    def lost(self, wnid: Wnid, outcomes: Iterable[str]) -> list[tuple[int, str, str]]:
        """Candidates of a class lost with one of these outcomes, in no other form yet: id, URL, outcome."""
        names = frozenset(outcomes)
        if not names:
            return []
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT id, url, outcome, photo_id FROM candidate "
                "WHERE id BETWEEN ? AND ? AND state = 2 AND form IS NULL",
                (candidate_id(wnid, 1), candidate_id(wnid, RANKS - 1)),
            ).fetchall()
        there = set(self.photos(wnid))  # by another URL, so that nothing is to be gained
        return [row[:3] for row in rows if row[2] in names and row[3] not in there]

    # --- recheck ---------------------------------------------------------------------------------------------------

    def sample_settled(self, size: int, outcomes: Iterable[Outcome], rng: random.Random) -> list[Settlement]:
        """A random sample of the candidates answered for good with one of `outcomes`, of any answer if empty."""
        names = frozenset(outcomes) or frozenset(o for o in Outcome if o.kind in DECIDED_KINDS)
        chosen: list[tuple[int, str, str]] = []
        seen = 0
        with self.reading() as connection:
            for row in connection.execute(
                "SELECT id, url, coalesce(fate, outcome) FROM candidate WHERE tries > 0 AND state IN (1, 2)"
            ):
                if row[2] not in names:
                    continue
                seen += 1
                # Reservoir sampling: each row is kept with the same chance, in memory for the sample only.
                place = len(chosen) if len(chosen) < size else rng.randrange(seen)
                if place < size:
                    chosen[place : place + 1] = [row]
        return [Settlement(number, url, Outcome(name)) for number, url, name in chosen]

    def record_wave(self, run_id: int, rows: Sequence[Recheck]) -> None:
        """Record answers of a wave."""
        with self.transaction() as connection:
            write_wave(connection, run_id, rows)

    # --- verify ----------------------------------------------------------------------------------------------------

    @property
    def owner(self) -> str:
        """A name for what this manifest's runs have under way, which it keeps wherever it is moved."""
        rows = self.rows("SELECT identity FROM manifest")
        if not rows:
            raise ManifestForeignError(f"{self.path} is not as scraper made it: its table `manifest` is empty")
        return str(rows[0]["identity"])

    def class_names(self) -> list[Wnid]:
        """The wnids in the manifest."""
        return [Wnid(row["wnid"]) for row in self.rows("SELECT wnid FROM classes")]

    def count_images(self) -> int:
        """Images on record."""
        return int(self.rows("SELECT count(*) AS images FROM image")[0]["images"])

    def classes_with_images(self) -> list[Wnid]:
        """The classes that have images, in the order of their ids."""
        return [Wnid(row["wnid"]) for row in self.rows("SELECT wnid FROM class_progress WHERE saved > 0")]

    def image_digests(self) -> Iterator[tuple[str, int, str]]:
        """Every image: path, size in bytes, SHA-256."""
        with translated(self.path):
            yield from self._connection.execute("SELECT path, bytes, sha256 FROM image ORDER BY candidate_id")

    # --- recording -------------------------------------------------------------------------------------------------

    def record(self, run_id: int, batch: Batch, now: float) -> None:
        """Record a batch of attempts and what follows from them, in one transaction."""
        with self.transaction() as connection:
            write_batch(connection, run_id, batch, now)


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells the file at `path` from any other, None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


_CANDIDATE: Final = "SELECT id, url, photo_id, filename, tries, not_before, form, fate FROM candidate"


def _candidate(wnid: Wnid, row: tuple[Any, ...]) -> Candidate:
    number, url, photo, filename, tries, not_before, form, fate = row
    return Candidate(
        number,
        wnid,
        number % RANKS,
        url,
        filename or file_name(url),
        photo,
        tries,
        not_before or 0.0,
        Form(form) if form else None,
        Outcome(fate) if fate else None,
    )
