"""A manifest against itself: what in it contradicts what, and its counts made anew. The third place that knows SQL."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from scraper.flickr import host_of
from scraper.schema import wnid_of

if TYPE_CHECKING:
    import sqlite3

    from scraper.manifest import Manifest

_CONTRADICTIONS: Final = (
    (
        (
            "SELECT 1 FROM candidate LEFT JOIN image ON image.candidate_id = candidate.id "
            "WHERE state = 1 AND image.candidate_id IS NULL"
        ),
        "candidates are saved but have no image",
    ),
    (
        "SELECT 1 FROM image LEFT JOIN candidate ON candidate.id = image.candidate_id WHERE candidate.state IS NOT 1",
        "images belong to no saved candidate",
    ),
    (
        (
            "SELECT 1 FROM (SELECT candidate_id, count(*) AS made FROM attempt GROUP BY candidate_id) "
            "JOIN candidate ON candidate.id = candidate_id WHERE tries <> made"
        ),
        "candidates have another number of tries than attempts on record",
    ),
)


def _recounted(connection: sqlite3.Connection) -> dict[str, Counter[tuple[str, ...]]]:
    """The counts that reports read, counted from the candidates and attempts."""
    classes: Counter[tuple[str, ...]] = Counter()
    hosts: Counter[tuple[str, ...]] = Counter()
    tried = connection.execute("SELECT id, url, outcome, fate FROM candidate WHERE outcome NOT NULL AND tries > 0")
    for number, url, outcome, fate in tried:
        classes[wnid_of(number), outcome] += 1
        hosts[host_of(url) or "", fate or outcome] += 1
    made = connection.execute("SELECT coalesce(status, 'none'), count(*) FROM attempt GROUP BY status")
    statuses: Counter[tuple[str, ...]] = Counter({(str(status),): count for status, count in made})
    return {"class_outcomes": classes, "host_outcomes": hosts, "statuses": statuses}


def contradictions(book: Manifest) -> list[str]:
    """What in the manifest contradicts itself, a line each; empty where all is well."""
    found = []
    for sql, meaning in _CONTRADICTIONS:
        count = book.rows(f"SELECT count(*) AS n FROM ({sql})")[0]["n"]  # noqa: S608 - the queries are ours
        if count:
            found.append(f"{count} {meaning}")
    with book.reading() as connection:
        for table, counts in _recounted(connection).items():
            rows = connection.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - the names are ours
            if {row[:-1]: row[-1] for row in rows if row[-1]} != counts:
                found.append(f"the counts in {table} are not those of the rows they count")
    return found


def recount(book: Manifest) -> None:
    """Make the counts that reports read anew from the rows they count."""
    with book.transaction() as connection:
        for table, counts in _recounted(connection).items():
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are ours
            marks = "?, ?" if table == "statuses" else "?, ?, ?"
            connection.executemany(
                f"INSERT INTO {table} VALUES ({marks})",  # noqa: S608 - the names are ours
                [(*key, count) for key, count in counts.items()],
            )
