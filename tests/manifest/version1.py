"""Manifests of version 1, made of those that the command makes now."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

SCHEMA: Final = Path(__file__).with_name("version1.sql").read_text(encoding="utf-8")


def downgrade(path: Path) -> None:
    """Make the manifest at `path` one of version 1, with the same rows as far as that had them."""
    new = path.with_name("version2.db")
    path.rename(new)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA application_id = 0x73637270")
        database.execute("PRAGMA user_version = 1")
        database.executescript(SCHEMA)
        database.execute("ATTACH ? AS new", (str(new),))
        database.execute("BEGIN")
        for (table,) in database.execute("SELECT name FROM main.sqlite_master WHERE type = 'table'").fetchall():
            columns = ", ".join(name for _, name, *_ in database.execute(f"PRAGMA main.table_info({table})"))
            database.execute(f"INSERT INTO main.{table} ({columns}) SELECT {columns} FROM new.{table}")  # noqa: S608
        database.execute("COMMIT")
    for leftover in path.parent.glob("version2.db*"):
        leftover.unlink()
