"""Manifests of version 1: brought up to this version where a run may write, read as if they were where it may not.

What is new stands in `schema` alone: a table or view that version 1 lacks is made, a column at the end of a table gets
its default (NULL without one), and checks begin to hold. Only the schema's text changes in tables that were there, by
the procedure of https://www.sqlite.org/lang_altertable.html#otheralter, so that no row is written again; all rows are
then read, since each must be what the checks allow. One transaction: the file is of the one version or of the other.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import sqlite3
import time
from typing import TYPE_CHECKING, Final

from scraper.discretion import discreet, discreet_words, without_secrets
from scraper.errors import ManifestForeignError
from scraper.manifest.schema import VERSION, schema_sql
from scraper.manifest.values import Rows, iso
from scraper.texts import one_line
from scraper.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_VERSION_1: Final = {
    "classes": "f0c955a4c8ae85bb",
    "candidate": "648be9b2f1dbc20f",
    "image": "6a383fb8590c94f1",
    "image_digest": "ded959b62a2f059f",
    "runs": "10317724f72cb355",
    "attempt": "8d04f94300e8f626",
    "attempt_duplicate": "7ca3974c1dcd8e2d",
    "revisions": "94298375148aad34",
    "placeholders": "b550a653aa50a9ae",
    "rechecks": "d5c67b40b520798b",
    "recheck_run": "562d3386ea6e21fd",
    "listings": "335190709895626e",
    "raises": "55ee00a4537ac8e7",
    "class_outcomes": "984df010cca70464",
    "host_outcomes": "bbedc7e943c7add7",
    "statuses": "de1d26339cb241fe",
    "candidates": "500aa9377ec98f74",
    "images": "fc93033d8cf1e3ab",
    "attempts": "28129b03708288d0",
    "class_progress": "87611ff471f549ae",
    "shortfall": "c2da95032349e3ca",
    "shared_images": "f6dc34e051e54180",
    "waves": "f83baaf47858f777",
}
"""The tables, indexes and views of version 1, each with the beginning of the SHA-256 of its statement on one line."""


def plain(statement: str) -> str:
    """A statement on one line, which is how two are compared."""
    return " ".join(statement.split())


def as_made(version: int, statements: Iterable[str]) -> bool:
    """Whether all tables, indexes and views of a version are among some statements, each as `scraper` made it."""
    found = {plain(statement) for statement in statements}
    if version == VERSION:
        return found.issuperset(map(plain, schema_sql()))
    digests = {hashlib.sha256(statement.encode()).hexdigest()[:16] for statement in found}
    return version == 1 and digests.issuperset(_VERSION_1.values())


def check_room(path: Path, connection: sqlite3.Connection) -> None:
    """Refuse a manifest of version 1 to which someone has added what has the name of something new of ours.

    Raises:
        ManifestForeignError: there is such a thing.
    """
    for name in _names(connection).keys() & {name for name, _, _ in _ours()} - _VERSION_1.keys():
        raise ManifestForeignError(f"{path} has a table or view {name}, which scraper did not make: rename it")


def former_owner(path: Path) -> str:
    """The name that runs of version 1 had for their temporary files."""
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]


def introduce(connection: sqlite3.Connection, *, identity: str | None = None) -> None:
    """Give a manifest its identity, within the transaction that is open: one that no other has, if none is given."""
    connection.execute(
        "INSERT INTO manifest (id, identity, made_at, made_by) VALUES (1, ?, ?, ?)",
        (identity or secrets.token_hex(8), iso(time.time()), __version__),
    )


def check_rows(path: Path, connection: sqlite3.Connection) -> None:
    """Read the whole file, and refuse it where its pages are damaged or a row is not what its table's checks allow.

    Raises:
        ManifestForeignError: it is not sound.
    """
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        with contextlib.suppress(sqlite3.DatabaseError):  # its pages may be what is damaged
            verdict = Rows(path, connection).judge() or verdict
        raise ManifestForeignError(f"{path} is not as scraper made it ({one_line(verdict)}); restore it from a copy")


def migrate(path: Path, connection: sqlite3.Connection, *, folder: str) -> None:
    """Bring a manifest of version 1 up to this version, all of it or nothing.

    Args:
        path: of the file.
        connection: one that may write.
        folder: the working folder, whose paths may stay on record.

    Raises:
        ManifestForeignError: it holds what no run of ours has written.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] == 1:  # another may have been quicker
            _renew(connection)
            check_rows(path, connection)
            introduce(connection)
            _tidy(connection, folder)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _renew(connection: sqlite3.Connection) -> None:
    """Give the tables their new statements, and make what is lacking."""
    there = _names(connection)
    views = [name for name, kind in there.items() if kind == "view" and name in _VERSION_1]
    for name in views:
        connection.execute(f"DROP VIEW {name}")
    made = {name: sql for name, _, sql in _ours()}
    connection.execute("PRAGMA writable_schema = ON")
    connection.executemany(
        "UPDATE sqlite_master SET sql = ? WHERE name = ? AND type = 'table'",
        [(made[name], name) for name, kind in there.items() if kind == "table" and name in made],
    )
    connection.execute("PRAGMA writable_schema = RESET")
    for name, sql in made.items():
        if name not in there or name in views:
            connection.execute(sql)


def _tidy(connection: sqlite3.Connection, folder: str) -> None:
    """Take out of a manifest what says something of its user: runs of version 1 put it there.

    What is written over is wiped, since whoever publishes a manifest publishes its pages.
    """
    connection.execute("PRAGMA secure_delete = ON")
    connection.create_function("discreet", 1, lambda text: text and discreet(text, folder))
    connection.create_function("discreet_words", 1, lambda argv: _discreet_words(argv, folder))
    connection.create_function("plain", 1, lambda text: text and without_secrets(text))
    connection.execute("UPDATE runs SET argv = discreet_words(argv)")
    connection.execute("UPDATE classes SET source = discreet(source), resolve_error = plain(resolve_error)")
    connection.execute("UPDATE listings SET url = discreet(url), error = plain(error)")


def _discreet_words(argv: str, folder: str) -> str:
    try:
        words = json.loads(argv)
    except (ValueError, RecursionError):
        words = None
    known = isinstance(words, list) and all(isinstance(word, str) for word in words)
    return json.dumps(discreet_words(words, folder) if known else [])


def dress(path: Path, connection: sqlite3.Connection) -> None:
    """Let a connection that only reads find in a manifest of version 1 all that this version has; nothing is written.

    Temporary tables and views, which only this connection sees, go before those of the file.
    """
    there = _names(connection)
    connection.execute("PRAGMA temp_store = MEMORY")
    with _writing(connection):
        for name, kind, sql in _ours():
            if kind != "index":
                connection.execute(sql.replace("CREATE ", "CREATE TEMP ", 1))
            if kind == "table" and name in there:
                _extend(connection, name)
        introduce(connection, identity=former_owner(path))


def _extend(connection: sqlite3.Connection, table: str) -> None:
    """Put a view of the file's own table in the place of a temporary table, with the columns that the file lacks."""
    columns = "SELECT name, dflt_value FROM pragma_table_info(?, ?)"
    theirs = {name for name, _ in connection.execute(columns, (table, "main"))}
    ours = connection.execute(columns, (table, "temp")).fetchall()
    connection.execute(f"DROP TABLE temp.{table}")
    lacking = "".join(f", {default or 'NULL'} AS {name}" for name, default in ours if name not in theirs)
    if lacking:
        connection.execute(f"CREATE TEMP VIEW {table} AS SELECT *{lacking} FROM main.{table}")  # noqa: S608 - names of ours


@contextlib.contextmanager
def _writing(connection: sqlite3.Connection) -> Iterator[None]:
    before = connection.execute("PRAGMA query_only").fetchone()[0]
    connection.execute("PRAGMA query_only = OFF")
    try:
        yield
    finally:
        connection.execute(f"PRAGMA query_only = {before}")


def _names(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, type FROM main.sqlite_master"))


def _ours() -> list[tuple[str, str, str]]:
    """What this version is made of: names, kinds and statements."""
    found = []
    for sql in schema_sql():
        _, kind, name, *_ = sql.split()
        found.append((name, kind.lower(), sql))
    return found
