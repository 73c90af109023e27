"""Opening the manifest's file: making it, refusing what is not one, and SQLite's errors as ours."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.config import LOCK_WAIT
from scraper.errors import InterruptedRunError, ManifestError, ManifestForeignError, StoppedEarlyError
from scraper.manifest.migrating import as_made, check_room, check_rows, dress, introduce, migrate
from scraper.manifest.schema import APPLICATION_ID, VERSION, schema_sql
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHECKED_WHOLE: Final = 64 * 2**20
"""Bytes up to which a manifest is checked page by page when it is opened; above, damage shows when it is read."""
_JOURNAL: Final = "-journal"
_NAMES_ANOTHER: Final = bytes.fromhex("d9d505f920a163d7")
"""How a journal ends that names the journal of several databases, which SQLite deletes when it has undone its part,
whatever file that is (https://www.sqlite.org/fileformat2.html#the_rollback_journal). No run of ours leaves such."""
_STEPS: Final = 1_000_000
"""Steps of a statement, some hundredths of a second, after which whoever wants to interrupt it can."""
_OLDEST_SQLITE: Final = (3, 37)
"""The first that has strict tables."""


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours: the file is unusable, or the machine made the run stop."""
    try:
        yield
    except sqlite3.OperationalError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_INTERRUPT:
            raise InterruptedRunError("interrupted; run the same command again to go on") from error
        if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
            raise StoppedEarlyError(
                f"the manifest {path} could not be written ({one_line(str(error))}): free some space and run again"
            ) from error
        if code == sqlite3.SQLITE_BUSY:
            raise StoppedEarlyError(f"another program keeps {path} locked: close it and run again") from error
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            raise ManifestError(
                f"cannot open the manifest {path} ({one_line(str(error))}): check the path and its permissions"
            ) from error
        raise ManifestForeignError(f"cannot read the manifest {path}: {one_line(str(error))}") from error
    except sqlite3.DatabaseError as error:
        raise ManifestForeignError(f"{path} is not a usable manifest: {one_line(str(error))}") from error
    except UnicodeDecodeError as error:  # of an error of SQLite's that repeats what stands in the file
        raise ManifestForeignError(f"{path} is not a usable manifest: a table or view was changed") from error


def check_ordinary(path: Path) -> None:
    """Refuse a path at which there is something that is no ordinary file, or beside which SQLite would meet such.

    A FIFO would be waited for without end, a device read or written; and a link in the place of a file that SQLite
    keeps beside a manifest leads it to a file of somebody's.

    Raises:
        ManifestForeignError: there is.
        ManifestError: nobody can tell, since the path leads nowhere.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise ManifestForeignError(f"{path} is {_what(mode)}, not a manifest; give another --manifest")
    except FileNotFoundError:
        pass  # there is none yet
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ManifestError(f"cannot open the manifest {path}: {why}; give another --manifest") from error
    for beside in (Path(f"{os.path.realpath(path)}{end}") for end in ("-wal", "-shm", _JOURNAL, ".lock")):
        with contextlib.suppress(OSError):
            mode = beside.lstat().st_mode
            if not stat.S_ISREG(mode):
                raise ManifestForeignError(f"{beside} is {_what(mode)}, no file that belongs to a manifest; remove it")
            if beside.name.endswith(_JOURNAL) and _end(beside, len(_NAMES_ANOTHER)) == _NAMES_ANOTHER:
                raise ManifestForeignError(f"{beside} names another file, which SQLite would remove; remove {beside}")


def _end(path: Path, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - length))
        return file.read(length)


def _what(mode: int) -> str:
    kinds = {
        stat.S_ISDIR: "a folder",
        stat.S_ISLNK: "a link",
        stat.S_ISFIFO: "a FIFO",
        stat.S_ISSOCK: "a socket",
    }
    return next((name for is_one, name in kinds.items() if is_one(mode)), "a device")


def connect(path: Path, mode: str, *, lock_wait: float = LOCK_WAIT) -> sqlite3.Connection:
    """A connection to the file at `path`; `mode` as in SQLite's URIs, `lock_wait` in seconds.

    Raises:
        ManifestError: it is no ordinary file, or SQLite is too old.
    """
    check_ordinary(path)
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise ManifestError(f"this Python has SQLite {sqlite3.sqlite_version}; 3.37 or a later one is needed")
    uri = path.resolve().as_uri() + f"?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, timeout=lock_wait, isolation_level=None)
    # A signal is told of when Python runs, and so now and then within a long statement.
    connection.set_progress_handler(lambda: 0, _STEPS)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """A connection that only reads. It is opened for writing where that is allowed, so as to tidy up after itself."""
    if os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        connection = connect(path, "rw")
        connection.execute("PRAGMA query_only = ON")
        return connection
    # In a folder that cannot be written to, WAL mode needs to be told that nobody else writes either.
    waiting = path.with_name(path.name + "-wal").exists()
    return connect(path, "ro" if waiting else "ro&immutable=1")


def working_folder() -> str:
    """The path of the working folder; empty where it is no more."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""


def make(connection: sqlite3.Connection) -> None:
    """Make an empty manifest, all of it or none."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("BEGIN IMMEDIATE")
    for statement in schema_sql():
        connection.execute(statement)
    introduce(connection)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def check(path: Path, connection: sqlite3.Connection, *, write: bool) -> None:
    """Refuse what is not a manifest, with exactly our tables and views and nobody's triggers; know older versions.

    A manifest of version 1 is brought up to this one where it is opened to be written, and else read as if it were.
    """
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise ManifestForeignError(f"{path} is not a scraper manifest; give another --manifest")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise ManifestForeignError(
            f"{path} is of version {version}, made by a newer scraper (this one knows {VERSION}): upgrade scraper"
        )
    found = connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL")
    if not as_made(version, (sql for (sql,) in found)):
        raise ManifestForeignError(f"{path} is not as scraper made it: a table or view was changed")
    trigger = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchone()
    if trigger:
        raise ManifestForeignError(
            f"{path} has a trigger ({one_line(str(trigger[0]), 80)}), which could rewrite what is fetched; remove it"
        )
    if path.stat().st_size <= _CHECKED_WHOLE:
        check_rows(path, connection)
    if version < VERSION:
        check_room(path, connection)
        if write:
            migrate(path, connection, folder=working_folder())
        else:
            dress(path, connection)
