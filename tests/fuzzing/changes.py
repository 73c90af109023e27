"""Ways to change a manifest at random: values, rows, tables, pages, bytes, and the files beside it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from tests.manifest.doctoring import doctor

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

PAGE: Final = 4096
"""Bytes of a page."""


ODD: Final = (
    *("", "\0", "{}", "[" * 9000, "%s%n", "'; DROP TABLE runs", "\x1b[31m", "\x1b]0;x\x07", "\u202e\u2028"),
    *("../../victim.txt", "/etc/hostname", "n01440764/../../victim.txt", "n01440764/mine.jpg", "mine.jpg", "con.jpg"),
    *(".partial/x", "a" * 300 + ".jpg", "file:///etc/hostname", "http://user:pw@flickr.com/1.jpg", "http://"),
    *("https://live.staticflickr.com/1/1_a.jpg", "=cmd|' /C calc'!A0", "<script>alert(1)</script>"),
    *("saved", "gone", "listed", "eaten", "live", "none", "200", "header", "n01440764", "n99999999", "0" * 64),
    *("2026-01-31T12:00:00.000Z", "9999-99-99"),
)
"""Texts to put anywhere: names that lead elsewhere, what steers a terminal, words of the closed sets."""


def _tables(database: sqlite3.Connection) -> dict[str, list[str]]:
    names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {name: [row[1] for row in database.execute(f"PRAGMA table_info({name})")] for name in names}


class Changes:
    """Ways to change the manifest at `path`; what is drawn comes from `rng` alone."""

    def __init__(self, path: Path, rng: random.Random, urls: list[str]) -> None:
        self._path = path
        self._rng = rng
        self._urls = urls

    def make(self) -> list[str]:
        """Change something; returns what, in words."""
        ways: list[tuple[int, Callable[[], str]]] = [
            (12, self.value),
            (3, self.rows),
            (3, self.swap),
            (2, self.schema),
            (2, self.pages),
            (3, self.bytes),
            (1, self.header),
            (1, self.beside),
            (1, self.length),
        ]
        weights, makers = zip(*ways, strict=True)
        drawn = self._rng.choices(makers, weights, k=self._rng.choice((1, 1, 1, 2, 4)))
        drawn.sort(key=self.beside.__eq__)  # last, since SQLite would wait for a FIFO without end
        return [way() for way in drawn[: len(drawn) - max(0, drawn.count(self.beside) - 1)]]

    def _doctor(self, *changes: str | tuple[str, list[Any]]) -> str:
        said = "; ".join(change if isinstance(change, str) else f"{change[0]} {change[1]!r:.200}" for change in changes)
        try:
            doctor(self._path, *changes)
        except (
            sqlite3.Error,
            ValueError,
            OverflowError,
            AttributeError,
        ) as error:  # not any more such a file, or no such row
            return f"({said}: {error})"
        return said

    def _column(self) -> tuple[str, str]:
        try:
            with closing(sqlite3.connect(self._path)) as database:
                tables = _tables(database)
        except (sqlite3.Error, UnicodeDecodeError):
            tables = {}
        table = self._rng.choice(sorted(tables) or ["candidate"])
        return table, self._rng.choice(tables.get(table) or ["id"])

    def _some(self) -> str:
        return self._rng.choice(("", "", f" WHERE abs(random()) % {self._rng.randrange(1, 9)} = 0"))

    def value(self) -> str:
        """Another value, drawn or taken from elsewhere, in one row or in many."""
        table, column = self._column()
        other, theirs = self._column()
        update = f"UPDATE OR {self._rng.choice(('REPLACE', 'IGNORE'))} {table} SET {column} = "  # noqa: S608 - on purpose
        match self._rng.randrange(4):
            case 0:
                taken = f"(SELECT {theirs} FROM {other} ORDER BY random() LIMIT 1)"  # noqa: S608 - random on purpose
                return self._doctor(update + taken + self._some())
            case 1:
                turned = f"CAST({column} AS {self._rng.choice(('TEXT', 'BLOB', 'REAL', 'INTEGER'))})"
                return self._doctor(update + turned + self._some())
            case 2:
                return self._doctor((f"{update}{column} || ?{self._some()}", [self._text()]))
            case _:
                return self._doctor((update + "?" + self._some(), [self._any()]))

    def _text(self) -> str:
        return self._rng.choice([*ODD, *self._urls, *self._urls])

    def _any(self) -> object:
        rng = self._rng
        numbers = [-1, 0, 1, 2, 3, 4, 99, 2**31, 2**63 - 1, -(2**63), 14407640000001, 10**15, 1e308, -0.5, 9e999, None]
        return rng.choice([rng.choice(numbers), self._text(), rng.randbytes(rng.randrange(5)), rng.randrange(10**9)])

    def rows(self) -> str:
        """Rows fewer, or once more."""
        table, column = self._column()
        if self._rng.randrange(2):
            return self._doctor(f"DELETE FROM {table}{self._some()}")  # noqa: S608 - random on purpose
        shifted = f"INSERT OR IGNORE INTO {table} SELECT * FROM {table}{self._some()}"  # noqa: S608 - random on purpose
        return self._doctor(f"UPDATE OR REPLACE {table} SET {column} = {column} + 1{self._some()}", shifted)  # noqa: S608

    def swap(self) -> str:
        """Values of one column in other rows."""
        table, column = self._column()
        other = f"(SELECT t.{column} FROM {table} AS t ORDER BY random() LIMIT 1)"  # noqa: S608 - random on purpose
        return self._doctor(f"UPDATE OR IGNORE {table} SET {column} = {other}{self._some()}")  # noqa: S608 - on purpose

    def schema(self) -> str:
        """Tables, views, triggers and the marks of a manifest otherwise."""
        table, column = self._column()
        return self._plainly(
            self._rng.choice(
                (
                    f"PRAGMA user_version = {self._rng.choice((-1, 0, 1, 2, 3, 99))}",
                    f"PRAGMA application_id = {self._rng.randrange(9)}",
                    f"ALTER TABLE {table} RENAME COLUMN {column} TO other",
                    f"ALTER TABLE {table} ADD COLUMN note TEXT",
                    f"DROP TABLE {table}",
                    "DROP VIEW candidates",
                    "CREATE TABLE manifest (note)",
                    "CREATE VIEW mine AS SELECT * FROM candidates",
                    f"CREATE INDEX mine ON {table} ({column})",
                    f"CREATE UNIQUE INDEX mine ON {table} ({column})",
                    f"CREATE TRIGGER mine AFTER INSERT ON {table} BEGIN DELETE FROM runs; END",  # noqa: S608 - random on purpose
                    "PRAGMA journal_mode = DELETE",
                    "ANALYZE",
                )
            )
        )

    def _plainly(self, statement: str) -> str:
        try:
            with closing(sqlite3.connect(self._path, isolation_level=None)) as database:
                database.execute(statement)
        except (sqlite3.Error, UnicodeDecodeError) as error:
            return f"({statement}: {error})"
        return statement

    def _edit(self, edit: Callable[[bytearray], str]) -> str:
        data = bytearray(self._path.read_bytes())
        said = edit(data) if data else "nothing is left"
        self._path.write_bytes(data)
        return said

    def pages(self) -> str:
        """A page empty, or in the place of another."""

        def edit(data: bytearray) -> str:
            count = max(1, len(data) // PAGE)
            one, two = self._rng.randrange(count) * PAGE, self._rng.randrange(count) * PAGE
            data[one : one + PAGE] = bytes(PAGE) if self._rng.randrange(3) == 0 else data[two : two + PAGE]
            return f"page at {one} from {two}"

        return self._edit(edit)

    def bytes(self) -> str:
        """Some bytes otherwise."""

        def edit(data: bytearray) -> str:
            places = [self._rng.randrange(len(data)) for _ in range(self._rng.choice((1, 1, 2, 9, 99)))]
            for place in places:
                data[place] = self._rng.choice((0, 1, 0x7F, 0x80, 0xFF, data[place] ^ (1 << self._rng.randrange(8))))
            return f"bytes at {places[:9]}"

        return self._edit(edit)

    def header(self) -> str:
        """A byte of the file's header otherwise."""

        def edit(data: bytearray) -> str:
            place = self._rng.randrange(min(100, len(data)))
            data[place] = self._rng.randrange(256)
            return f"header at {place}"

        return self._edit(edit)

    def length(self) -> str:
        """The file shorter, or longer."""

        def edit(data: bytearray) -> str:
            if self._rng.randrange(3):
                del data[self._rng.randrange(len(data)) :]
            else:
                data.extend(self._rng.randbytes(self._rng.randrange(2 * PAGE)))
            return f"length {len(data)}"

        return self._edit(edit)

    def beside(self) -> str:
        """Something in the place of a file beside it, or with other bytes in it."""
        path = self._path.with_name(self._path.name + self._rng.choice(("-wal", "-shm", "-journal", ".lock")))
        data = bytearray(path.read_bytes() if path.is_file() else b"")
        path.unlink(missing_ok=True)
        match self._rng.randrange(5):
            case 0:
                path.symlink_to(self._path.parents[1] / "victim.txt")
                return f"{path.name} a link"
            case 1:
                os.mkfifo(path)
                return f"{path.name} a FIFO"
            case 2:
                path.write_bytes(self._rng.randbytes(self._rng.randrange(9000)))
                return f"{path.name} at random"
            case _:
                for _ in range(9 if data else 0):
                    data[self._rng.randrange(len(data))] = self._rng.randrange(256)
                path.write_bytes(data)
                return f"{path.name} changed"
