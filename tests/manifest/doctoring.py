"""Putting values into a manifest that no table of ours would take, and leaving its schema as it was."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def doctor(path: Path, *changes: str | tuple[str, Sequence[object]]) -> None:
    """Run statements on tables whose kinds, checks and NOT NULLs are off for that while; a file, no WAL, remains."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        made = database.execute("SELECT sql, name FROM sqlite_master WHERE type = 'table'").fetchall()
        _write(database, [(_lax(sql), name) for sql, name in made])
        for change in changes:
            database.execute(*((change, ()) if isinstance(change, str) else change))
        _write(database, made)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _write(database: sqlite3.Connection, statements: list[tuple[str, str]]) -> None:
    database.execute("PRAGMA writable_schema = ON")
    database.executemany("UPDATE sqlite_master SET sql = ? WHERE name = ? AND type = 'table'", statements)
    database.execute("PRAGMA writable_schema = RESET")


def _lax(sql: str) -> str:
    """The same table without types, checks and NOT NULLs; keys stay, since what is on disk follows them."""
    name, body, options = re.fullmatch(r"CREATE TABLE (\w+) \((.*)\)([^()]*)", sql, re.DOTALL).groups()  # type: ignore[union-attr]  # every table of ours
    parts = []
    for part in _split(body):
        column = part.split()[0]
        key = " PRIMARY KEY" if re.search(r"\bPRIMARY KEY\b", part) else ""
        kind = " INTEGER" if key and " INTEGER" in part else ""
        parts.append(part if column in ("PRIMARY", "UNIQUE") else f"{column}{kind}{key}")
    return f"CREATE TABLE {name} ({', '.join(parts)}){options.replace('STRICT', '').replace(',', '')}"


def _split(body: str) -> list[str]:
    """The parts of a table's body, by the commas outside of parentheses and quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for place, character in enumerate(body):
        quoted ^= character == "'"
        depth += 0 if quoted else (character == "(") - (character == ")")
        if character == "," and not depth and not quoted:
            parts.append(body[start:place].strip())
            start = place + 1
    return [*parts, body[start:].strip()]
