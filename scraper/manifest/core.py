"""The manifest: the SQLite file of every class, candidate, image and request.

One process writes (`lock.RunLock` sees to it), through one connection; others may read at any time, since the file is
in WAL mode. What a batch of outcomes changes, counts included, is one transaction.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING, Any, Self, TypeVar

import sqlite_utils

from scraper.config import LOCK_WAIT
from scraper.discretion import discreet_words
from scraper.errors import ManifestError, ManifestForeignError, ManifestMissingError
from scraper.manifest.database import check, check_ordinary, connect, connect_reader, make, translated, working_folder
from scraper.manifest.values import Rows, columns, iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

T = TypeVar("T")


class Manifest:
    """An open manifest. Use it as a context manager; methods raise `ManifestError` where the file cannot be used."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """For `open` and `create`: takes a connection that is known to be to a manifest."""
        self.path = path
        self._identity = _identity(path)
        self._connection = connection
        self._rows = Rows(path, connection)
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
        check_ordinary(path)
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
        except (sqlite3.DatabaseError, UnicodeDecodeError):
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
    def snapshot(self) -> Iterator[None]:
        """Read several things as they were at one moment, whatever a run writes meanwhile."""
        with translated(self.path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                self._connection.execute("ROLLBACK")

    def select(
        self, make: Callable[..., T], sql: str, parameters: Sequence[object] | dict[str, object] = ()
    ) -> Iterator[T]:
        """What `make` makes of each row of a query whose columns are named after those of `columns.COLUMNS`.

        Raises:
            ManifestForeignError: a value is not what its column may hold.
        """
        with translated(self.path):
            yield from self._rows.select(make, sql, parameters)

    def column(self, name: str, rest: str, parameters: Sequence[object] = ()) -> Iterator[Any]:
        """The values of one column; `rest` is the query from its FROM on."""
        return self.select(lambda value: value, f"{columns(name)} {rest}", parameters)

    def count(self, rest: str, parameters: Sequence[object] = ()) -> int:
        """How many rows a query gives, of which `rest` is what begins with FROM."""
        return sum(self.select(int, f'SELECT count(*) AS "count" {rest}', parameters))

    # --- runs ------------------------------------------------------------------------------------------------------

    def start_run(self, command: str, argv: Sequence[str], version: str, now: float) -> int:
        """Record that a run begins; returns its id. What the command line says of its user is left out."""
        words = json.dumps(discreet_words(argv, working_folder()))
        row = {"command": command, "argv": words, "version": version, "started_at": iso(now)}
        with translated(self.path):
            return int(self._db["runs"].insert(row).last_pk)  # type: ignore[union-attr, arg-type]  # a table with a pk

    def end_run(self, run_id: int, exit_code: int, now: float) -> None:
        """Record how a run ended."""
        with translated(self.path):
            self._check_in_place()
            self._db["runs"].update(run_id, {"ended_at": iso(now), "exit_code": exit_code})  # type: ignore[union-attr]

    @property
    def owner(self) -> str:
        """A name for what this manifest's runs have under way, which it keeps wherever it is moved."""
        found = list(self.column("manifest.identity", "FROM manifest"))
        if not found:
            raise ManifestForeignError(f"{self.path} is not as scraper made it: its table `manifest` is empty")
        return str(found[0])


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells the file at `path` from any other, None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
