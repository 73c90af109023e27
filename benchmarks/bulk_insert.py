"""A yardstick: put COUNT rows into a table equal to the manifest's candidates, in one transaction, and nothing else.

`python benchmarks/bulk_insert.py DATABASE SAMPLE COUNT`; SAMPLE has a URL and its photo id a line, used over and over.
"""

from __future__ import annotations

import sqlite3
import sys
from itertools import count, cycle, islice, repeat
from pathlib import Path

from scraper.manifest.schema import candidate_id, schema_sql


def main(database: str, sample: str, rows: int) -> None:
    """Make the table and fill it."""
    pairs = [line.split("\t") for line in Path(sample).read_text(encoding="ascii").splitlines()]
    urls, photos = [url for url, _ in pairs], [int(photo) for _, photo in pairs]
    connection = sqlite3.connect(database, isolation_level=None)
    for statement in schema_sql():
        if statement.startswith(("CREATE TABLE candidate ", "CREATE INDEX candidate_")):
            connection.execute(statement)
    connection.execute("BEGIN")
    connection.executemany(
        "INSERT INTO candidate (id, url, photo_id, filename) VALUES (?, ?, ?, ?)",
        islice(zip(count(candidate_id("n00004475", 1)), cycle(urls), cycle(photos), repeat(None)), rows),
    )
    connection.execute("COMMIT")
    connection.close()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
