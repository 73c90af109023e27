"""The one way by which values leave SQLite.

A manifest is a file that anybody can write to, so what it says is judged as strictly as bytes from the net. A query
names each of its columns after one of `COLUMNS`, as in `SELECT url AS "candidate.url"`, and `Rows.select` gives no
value away that is not what that entry says, nor one that contradicts its row by one of `RULES`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from scraper.errors import ManifestForeignError
from scraper.manifest.columns import COLUMNS, RULES, WRONG
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

T = TypeVar("T")

_AT_ONCE: Final = 128
"""Rows that are judged together; more of them alive at a time cost more than they save."""
_SHOWN: Final = 80
"""Characters of a wrong value that an error shows."""


_KEYS: Final = {
    "classes": "wnid",
    "placeholders": "sha256",
    "statuses": "status",
    "image": "candidate_id",
    "locked": "candidate_id",
    "locked_classes": "wnid",
    "class_outcomes": "wnid || ' ' || outcome",
    "host_outcomes": "host || ' ' || outcome",
    "surveys": "run_id",
}
"""What tells a row from others, where that is not `id`."""


def columns(*names: str) -> str:
    """The beginning of a query: these columns, each under its full name."""
    return "SELECT " + ", ".join(f'{name} AS "{name}"' for name in names)


def iso(unix: float) -> str:
    """Unix seconds as the manifest writes times: UTC, ISO 8601, milliseconds."""
    seconds, microseconds = divmod(round(unix * 1e6), 1_000_000)
    return f"{_second(seconds)}.{microseconds // 1000:03d}Z"


@lru_cache(maxsize=64)
def _second(unix: int) -> str:
    # A batch has few different seconds in it.
    return dt.datetime.fromtimestamp(unix, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")


@lru_cache(maxsize=256)
def _rules(names: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """The columns of a query that have rules, each with its place and that of the column it must agree with.

    Raises:
        LookupError: the query lacks that other column.
    """
    found = []
    for name in RULES.keys() & set(names):
        others = [names.index(other) for other in RULES[name].beside if other in names]
        if not others:
            raise LookupError(f"whoever reads {name} must read {' or '.join(RULES[name].beside)} too")
        found.append((name, names.index(name), others[0]))
    return found


def _judged(names: tuple[str, ...], rows: Sequence[Sequence[object]]) -> list[Sequence[Any]]:
    """The values of some rows as our own, column by column.

    Raises:
        ValueError, KeyError, TypeError: one is not what its column may hold.
    """
    found = [COLUMNS[name].read(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)]
    for name, one, other in _rules(names):
        if not all(map(RULES[name].holds, found[one], found[other])):
            raise ValueError
    return found


class Rows:
    """The rows of a manifest, through an open connection."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    def select(
        self, make: Callable[..., T], sql: str, parameters: Sequence[object] | dict[str, object] = ()
    ) -> Iterator[T]:
        """What `make` makes of each row of a query, whose columns are named after those of `COLUMNS`.

        Raises:
            ManifestForeignError: a value is not what its column may hold.
        """
        cursor = self._connection.execute(sql, parameters)
        names = tuple(column[0] for column in cursor.description)
        try:
            while rows := cursor.fetchmany(_AT_ONCE):
                try:
                    judged = _judged(names, rows)
                except WRONG as error:
                    raise self._foreign(names) from error
                yield from map(make, *judged)
        except sqlite3.OperationalError as error:
            if "decode" in str(error):  # text that is not UTF-8
                raise self._foreign(names) from error
            raise

    def _foreign(self, names: Iterable[str]) -> ManifestForeignError:
        """The error for the first value that is wrong in some columns: table, column, row and value."""
        every = (found for name in names for found in _wrong_in(self._connection, name))
        why = next(every, f"a value of {', '.join(names)} is wrong")
        return ManifestForeignError(f"{self._path} is not as scraper made it: {why}; restore it from a copy")

    def judge(self) -> str | None:
        """What is wrong with the first value that is, in all tables; None where none is."""
        return next((found for name in COLUMNS if "." in name for found in _wrong_in(self._connection, name)), None)


def _wrong_in(connection: sqlite3.Connection, name: str) -> Iterator[str]:
    """What is wrong in a column, a line for each row; nothing for what is computed."""
    table, dot, column = name.partition(".")
    kind, rule = COLUMNS[name], RULES.get(name)
    key = _KEYS.get(table, "id")
    other = rule.beside[0].partition(".")[2] if rule else key
    with _any_text(connection):
        sql = f"SELECT {key}, {column}, {other} FROM {table}"  # noqa: S608 - names of ours
        for row, value, beside in connection.execute(sql) if dot else ():
            if not kind.fits(value):
                yield _said(name, row, value, kind.meaning)
            elif rule and COLUMNS[rule.beside[0]].fits(beside) and not rule.holds(value, beside):
                yield _said(name, row, value, rule.meaning)


def _said(column: str, row: object, value: object, meaning: str) -> str:
    return f"{column} of row {one_line(str(row), _SHOWN)} is {shown(value)}, not {meaning}"


@contextlib.contextmanager
def _any_text(connection: sqlite3.Connection) -> Iterator[None]:
    """Let text be read that is not UTF-8, to show it."""
    before = connection.text_factory
    connection.text_factory = lambda text: text.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        connection.text_factory = before


def shown(value: object) -> str:
    r"""A value of any kind for an error: on one line, printable, not long.

    >>> shown("../../evil"), shown(b"\xff"), shown("a\x00b"), shown(None)
    ("'../../evil'", "b'\\xff'", "'a\\x00b'", 'NULL')
    """
    some = value[: 2 * _SHOWN] if isinstance(value, str | bytes) else value
    return "NULL" if some is None else one_line(ascii(some), _SHOWN)
