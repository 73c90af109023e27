"""A manifest against itself: what in it contradicts what, and its counts made anew. The third place that knows SQL."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from scraper.flickr import host_of
from scraper.manifest.schema import COUNTS, RANKS

if TYPE_CHECKING:
    import sqlite3

    from scraper.manifest.core import Manifest

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
    ("SELECT 1 FROM image GROUP BY path HAVING count(*) > 1", "paths are those of several images"),
    (
        (
            "SELECT 1 FROM (SELECT candidate_id, count(*) AS made FROM attempt GROUP BY candidate_id) "
            "JOIN candidate ON candidate.id = candidate_id WHERE tries <> made"
        ),
        "candidates have another number of tries than attempts on record",
    ),
)


_BY_CLASS: Final = f"""
SELECT printf('n%08d', id / {RANKS}), outcome, sum(tries > 0), sum(tries = 0),
  sum(tries > 0 AND state = 1 AND fate IS NOT NULL), coalesce(sum(bytes), 0)
FROM candidate LEFT JOIN image ON candidate_id = id WHERE outcome IS NOT NULL GROUP BY id / {RANKS}, outcome
"""  # noqa: S608 - the number is ours
_BY_ORIGIN: Final = """
SELECT iif(slash, substr(url, 1, slash + 7), url) AS origin, ended, count(*)
FROM (SELECT url, instr(substr(url, 9), '/') AS slash, coalesce(fate, outcome) AS ended
  FROM candidate WHERE outcome IS NOT NULL AND tries > 0)
GROUP BY origin, ended
"""
"""Grouped by the URL without its path, so that Python, which alone can tell a host, sees few rows."""


def _recounted(connection: sqlite3.Connection) -> dict[str, dict[tuple[str, ...], tuple[int, ...]]]:
    """The counts that reports read, counted from the candidates, images and attempts."""
    classes: dict[tuple[str, ...], tuple[int, ...]] = {
        (wnid, outcome): tuple(numbers) for wnid, outcome, *numbers in connection.execute(_BY_CLASS)
    }
    hosts: Counter[tuple[str, ...]] = Counter()
    for origin, ended, candidates in connection.execute(_BY_ORIGIN):
        hosts[host_of(origin) or "", ended] += candidates
    made = connection.execute("SELECT coalesce(status, 'none'), count(*) FROM attempt GROUP BY status")
    return {
        "class_outcomes": classes,
        "host_outcomes": {key: (candidates,) for key, candidates in hosts.items()},
        "statuses": {(str(status),): (requests,) for status, requests in made},
    }


def contradictions(book: Manifest) -> list[str]:
    """What in the manifest contradicts itself, a line each; empty where all is well."""
    found = []
    for sql, meaning in _CONTRADICTIONS:
        count = book.rows(f"SELECT count(*) AS n FROM ({sql})")[0]["n"]  # noqa: S608 - the queries are ours
        if count:
            found.append(f"{count} {meaning}")
    with book.reading() as connection:
        for table, counts in _recounted(connection).items():
            width = len(COUNTS[table][0])
            rows = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - the names are ours
            if {row[:width]: row[width:] for row in rows if any(row[width:])} != counts:
                found.append(f"the counts in {table} are not those of the rows they count")
    return found


def recount(book: Manifest) -> None:
    """Make the counts that reports read anew from the rows they count."""
    with book.transaction() as connection:
        for table, counts in _recounted(connection).items():
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are ours
            marks = ", ".join("?" * sum(map(len, COUNTS[table])))
            connection.executemany(
                f"INSERT INTO {table} VALUES ({marks})",  # noqa: S608 - the names are ours
                [(*key, *numbers) for key, numbers in counts.items()],
            )
