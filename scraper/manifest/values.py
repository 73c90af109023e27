"""What may stand in each column: the one way by which values leave SQLite.

A manifest is a file that anybody can write to, so what it says is judged as strictly as bytes from the net. A query
names each of its columns after one of `COLUMNS`, as in `SELECT url AS "candidate.url"`, and `Rows.select` gives no
value away that is not what that entry says. The schema's own checks hold for those who write by SQL; these hold for
whatever stands in the file.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import sqlite3
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from scraper.config import MOST_PER_CLASS
from scraper.errors import ManifestForeignError
from scraper.manifest.schema import FORMATS, RANKS, STATES
from scraper.model import LISTING_OUTCOMES, Check, Form, Oddity, Outcome, State, Withdrawn
from scraper.texts import one_line

if TYPE_CHECKING:
    import enum
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")

_MOST: Final = 2**53
"""What no count, size or number of seconds in a manifest comes near; JSON still has it exactly."""
_LONGEST_URL: Final = 8192
_AT_ONCE: Final = 128
"""Rows that are judged together; more of them alive at a time cost more than they save."""
_SHOWN: Final = 80
"""Characters of a wrong value that an error shows."""


class UnfitError(Exception):
    """Beside the rest of its row, a value is not what its column may hold. `Rows.select` says where it stands."""

    def __init__(self, column: str) -> None:
        super().__init__(column)
        self.column = column


@dataclass(frozen=True, slots=True)
class Kind:
    """What a column may hold.

    Many values are judged at a time, by functions that loop in C: a report of a large manifest reads a million.

    Attributes:
        meaning: of a value, for errors.
        right: whether all of some values, none of them NULL, are such.
        words: what each value of a closed set becomes; None where values stay as they are.
        null: whether NULL may stand for a value.
    """

    meaning: str
    right: Callable[[Sequence[Any]], bool]
    words: Mapping[Any, Any] | None = None
    null: bool = False

    def read(self, values: Sequence[Any]) -> Sequence[Any]:
        """Values of the column as our own.

        Raises:
            ValueError, KeyError, TypeError: one of them is not what the column may hold.
        """
        if self.words is not None:
            return list(map(self.words.__getitem__, values))
        there = [value for value in values if value is not None] if self.null else values
        if there and not self.right(there):
            raise ValueError
        return values

    def fits(self, value: object) -> bool:
        """Whether a value may stand in the column."""
        try:
            self.read([value])
        except _WRONG:
            return False
        return True


_WRONG: Final = (ValueError, KeyError, TypeError)


def _all_are(kind: type, values: Iterable[Any]) -> bool:
    return set(map(type, values)) == {kind}


def _whole(low: int, high: int, what: str = "a whole number") -> Kind:
    def right(values: Sequence[int]) -> bool:
        return _all_are(int, values) and low <= min(values) and max(values) <= high

    return Kind(f"{what} from {low:,} to {high:,}", right)


def _number(low: float, high: float) -> Kind:
    def right(values: Sequence[float]) -> bool:
        return _all_are(float, values) and low <= min(values) and max(values) <= high

    return Kind(f"a number from {low:g} to {high:g}", right)


def _matching(pattern: str, meaning: str) -> Kind:
    matches = re.compile(pattern, re.ASCII).fullmatch
    return Kind(meaning, lambda values: _all_are(str, values) and all(map(matches, values)))


def _one_of(words: Iterable[Any], values: Iterable[Any]) -> Kind:
    """A closed set: `values` as SQLite has them, and the words that they become."""
    known = dict(zip(values, words, strict=True))
    return Kind(f"one of {', '.join(map(str, known))}", lambda found: set(found) <= known.keys(), known)


def _word(words: Iterable[enum.StrEnum]) -> Kind:
    every = list(words)
    return _one_of(every, [word.value for word in every])


def _or_null(kind: Kind) -> Kind:
    words = None if kind.words is None else {**kind.words, None: None}
    return Kind(f"{kind.meaning}, or NULL", kind.right, words, null=True)


def _are_candidates(values: Sequence[int]) -> bool:
    if not _all_are(int, values) or min(values) <= 0 or max(values) >= 10**8 * RANKS:
        return False
    return all(map(RANKS.__rmod__, values))  # a rank is never 0


_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,249}"

ID = _whole(1, _MOST)
COUNT = _whole(0, _MOST)
SIGNED = _whole(-_MOST, _MOST)
TEXT = Kind("text", lambda values: _all_are(str, values))
WNID = _matching(r"n[0-9]{8}", "a wnid such as n01440764")
CANDIDATE = Kind("a class's number times 10,000,000, plus a rank", _are_candidates)
TIME = _matching(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "a time such as 2026-01-31T12:00:00.000Z")
URL = _matching(rf"[^\x00-\x1f\x7f\ud800-\udfff]{{1,{_LONGEST_URL}}}", "a URL")
DIGEST = _matching(r"[0-9a-f]{64}", "a SHA-256 in hex")
STATUS = _whole(100, 999, "an HTTP status")
SECONDS = _number(0, _MOST)
OUTCOME = _word(Outcome)
LISTING = _word(LISTING_OUTCOMES)

COLUMNS: Final[dict[str, Kind]] = {
    "manifest.id": _whole(1, 1),
    "manifest.identity": _matching(r"[0-9a-f]{12,64}", "an identity in hex"),
    "manifest.made_at": TIME,
    "manifest.made_by": TEXT,
    "manifest.batch": _matching(r"[0-9a-f]*", "a word in hex"),
    "classes.wnid": WNID,
    "classes.label": _or_null(TEXT),
    "classes.n": _whole(1, MOST_PER_CLASS),
    "classes.budget": _whole(1, 10**9),
    "classes.source": _or_null(TEXT),
    "classes.hosts": _or_null(TEXT),
    "classes.shuffle": _or_null(TEXT),
    "classes.resolved_at": _or_null(TIME),
    "classes.resolve_outcome": _or_null(LISTING),
    "classes.resolve_error": _or_null(TEXT),
    "classes.http_status": _or_null(STATUS),
    "classes.listed": COUNT,
    "classes.candidates": _whole(0, RANKS - 1),
    "classes.malformed": COUNT,
    "classes.repeated": COUNT,
    "classes.listing_sha256": _or_null(DIGEST),
    "classes.listing_form": _or_null(TEXT),
    "candidate.id": CANDIDATE,
    "candidate.url": URL,
    "candidate.photo_id": _or_null(_whole(0, 10**18)),
    "candidate.filename": _or_null(_matching(_NAME, "a file name of letters, digits, `.`, `_` and `-`")),
    "candidate.state": _one_of(map(State, STATES), range(len(STATES))),
    "candidate.outcome": _or_null(OUTCOME),
    "candidate.tries": _whole(0, 10**6),
    "candidate.not_before": _or_null(_number(0, 1e12)),
    "candidate.form": _or_null(_word(Form)),
    "candidate.fate": _or_null(OUTCOME),
    "image.candidate_id": CANDIDATE,
    "image.path": _matching(rf"n[0-9]{{8}}/{_NAME}", "`wnid/file name`, the folder being that of its class"),
    "image.sha256": DIGEST,
    "image.bytes": COUNT,
    "image.format": _one_of(FORMATS, FORMATS),
    "image.width": ID,
    "image.height": ID,
    "image.saved_at": TIME,
    "image.checked": _word(Check),
    "image.adopted": _whole(0, 1),
    "image.mark": _or_null(_matching(r"[0-9]+--?[0-9]+", "a file's number and time of change")),
    "runs.id": ID,
    "runs.command": TEXT,
    "runs.argv": TEXT,
    "runs.version": TEXT,
    "runs.started_at": TIME,
    "runs.ended_at": _or_null(TIME),
    "runs.exit_code": _or_null(_whole(0, 255)),
    "attempt.id": ID,
    "attempt.candidate_id": CANDIDATE,
    "attempt.run_id": ID,
    "attempt.try": ID,
    "attempt.started_at": TIME,
    "attempt.seconds": SECONDS,
    "attempt.status": _or_null(STATUS),
    "attempt.outcome": OUTCOME,
    "attempt.final_url": _or_null(TEXT),
    "attempt.bytes": COUNT,
    "attempt.content_type": _or_null(TEXT),
    "attempt.retry_after": _or_null(SECONDS),
    "attempt.error": _or_null(TEXT),
    "attempt.hops": _or_null(TEXT),
    "attempt.sha256": _or_null(DIGEST),
    "revisions.id": ID,
    "revisions.candidate_id": CANDIDATE,
    "revisions.run_id": ID,
    "revisions.revised_at": TIME,
    "revisions.outcome_before": _or_null(OUTCOME),
    "revisions.outcome_after": _or_null(OUTCOME),
    "revisions.state_after": _word(State),
    "revisions.reason": TEXT,
    "withdrawals.id": ID,
    "withdrawals.kind": _word(Withdrawn),
    "withdrawals.value": TEXT,
    "withdrawals.run_id": ID,
    "withdrawals.withdrawn_at": TIME,
    "locked.candidate_id": CANDIDATE,
    "locked.rank": ID,
    "locked.sha256": DIGEST,
    "locked.bytes": ID,
    "placeholders.sha256": DIGEST,
    "placeholders.run_id": ID,
    "placeholders.found_at": TIME,
    "placeholders.photos": ID,
    "rechecks.id": ID,
    "rechecks.candidate_id": CANDIDATE,
    "rechecks.run_id": ID,
    "rechecks.asked_at": TIME,
    "rechecks.seconds": SECONDS,
    "rechecks.outcome_before": OUTCOME,
    "rechecks.outcome": OUTCOME,
    "rechecks.status": _or_null(STATUS),
    "rechecks.final_url": _or_null(TEXT),
    "rechecks.error": _or_null(TEXT),
    "listings.id": ID,
    "listings.wnid": WNID,
    "listings.run_id": ID,
    "listings.try": ID,
    "listings.started_at": TIME,
    "listings.seconds": SECONDS,
    "listings.status": _or_null(STATUS),
    "listings.outcome": LISTING,
    "listings.url": TEXT,
    "listings.error": _or_null(TEXT),
    "whole_lists.id": ID,
    "whole_lists.run_id": ID,
    "whole_lists.read_at": TIME,
    "whole_lists.source": TEXT,
    "whole_lists.url": _or_null(TEXT),
    "whole_lists.form": TEXT,
    "whole_lists.bytes": COUNT,
    "whole_lists.sha256": _or_null(DIGEST),
    "whole_lists.classes": COUNT,
    "odd_lines.id": ID,
    "odd_lines.run_id": ID,
    "odd_lines.source": TEXT,
    "odd_lines.wnid": _or_null(WNID),
    "odd_lines.kind": _word(Oddity),
    "odd_lines.lines": ID,
    "odd_lines.example": TEXT,
    "raises.id": ID,
    "raises.wnid": WNID,
    "raises.run_id": ID,
    "raises.raised_at": TIME,
    "raises.budget_before": COUNT,
    "raises.budget_after": COUNT,
    "raises.survival": SECONDS,
    "class_outcomes.wnid": WNID,
    "class_outcomes.outcome": OUTCOME,
    "class_outcomes.candidates": COUNT,
    "class_outcomes.unasked": COUNT,
    "class_outcomes.repaired": COUNT,
    "class_outcomes.bytes": COUNT,
    "host_outcomes.host": TEXT,
    "host_outcomes.outcome": OUTCOME,
    "host_outcomes.candidates": COUNT,
    "statuses.status": _matching(r"none|[1-9][0-9]{2}", "an HTTP status, or none"),
    "statuses.requests": COUNT,
    # What is computed from several values.
    "count": COUNT,
    "signed": SIGNED,
    "text": TEXT,
    "expected": _or_null(DIGEST),
}
"""What each column of every table may hold, whatever its type in SQL is."""

_KEYS: Final = {
    "classes": "wnid",
    "placeholders": "sha256",
    "statuses": "status",
    "image": "candidate_id",
    "locked": "candidate_id",
}
"""The columns that tell a row from others, where that is not `id`."""


def columns(*names: str) -> str:
    """The beginning of a query: these columns, each under its full name."""
    return "SELECT " + ", ".join(f'{name} AS "{name}"' for name in names)


def image_path(candidate: int, path: str) -> str:
    """The path of a candidate's image, whose folder must be that of its class."""
    if path.startswith(f"n{candidate // RANKS:08d}/"):
        return path
    raise UnfitError("image.path")


def iso(unix: float) -> str:
    """Unix seconds as the manifest writes times: UTC, ISO 8601, milliseconds."""
    seconds, microseconds = divmod(round(unix * 1e6), 1_000_000)
    return f"{_second(seconds)}.{microseconds // 1000:03d}Z"


@lru_cache(maxsize=64)
def _second(unix: int) -> str:
    # A batch has few different seconds in it.
    return dt.datetime.fromtimestamp(unix, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _wrong(names: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """The columns that hold what they may not, in the first such row."""
    for row in rows:
        if wrong := [name for name, value in zip(names, row, strict=True) if not COLUMNS[name].fits(value)]:
            return wrong
    return []


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
        names = [column[0] for column in cursor.description]
        kinds = [COLUMNS[name] for name in names]
        try:
            while rows := cursor.fetchmany(_AT_ONCE):
                try:
                    judged = [kind.read(values) for kind, values in zip(kinds, zip(*rows, strict=True), strict=True)]
                except _WRONG as error:
                    raise self._foreign(_wrong(names, rows)) from error
                yield from map(make, *judged)
        except UnfitError as error:
            raise self._foreign([error.column]) from error
        except sqlite3.OperationalError as error:
            if "decode" in str(error):  # text that is not UTF-8
                raise self._foreign(names) from error
            raise

    def _foreign(self, names: Iterable[str]) -> ManifestForeignError:
        """The error for the first value that is wrong in some columns: table, column, row and value."""
        for name in names:
            for found in _wrong_in(self._connection, name):
                return ManifestForeignError(f"{self._path} is not as scraper made it: {found}; restore it from a copy")
        return ManifestForeignError(f"{self._path} is not as scraper made it: a value of {', '.join(names)} is wrong")

    def judge(self) -> str | None:
        """What is wrong with the first value that is, in all tables; None where none is."""
        return next((found for name in COLUMNS if "." in name for found in _wrong_in(self._connection, name)), None)


def _wrong_in(connection: sqlite3.Connection, name: str) -> Iterator[str]:
    """What is wrong in a column, a line for each row; nothing for what is computed."""
    table, dot, column = name.partition(".")
    key = _KEYS.get(table, "id")
    if table in ("class_outcomes", "host_outcomes"):
        key = f"{'wnid' if table == 'class_outcomes' else 'host'} || ' ' || outcome"
    kind = COLUMNS[name]
    with _any_text(connection):
        sql = f"SELECT {key}, {column} FROM {table}"  # noqa: S608 - names of ours
        for row, value in connection.execute(sql) if dot else ():
            astray = name == "image.path" and type(row) is int and not str(value).startswith(f"n{row // RANKS:08d}/")
            if astray or not kind.fits(value):
                where = one_line(str(row), _SHOWN)
                yield f"{table}.{column} of row {where} is {shown(value)}, not {kind.meaning}"


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
