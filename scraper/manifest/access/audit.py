"""For verify: every image on record, what in a manifest contradicts what, and its counts made anew."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from scraper.manifest.schema import COUNTS, RANKS, candidate_id, wnid_of
from scraper.manifest.values import columns
from scraper.model import Wnid
from scraper.urls import host_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scraper.manifest.core import Manifest

_Counted: TypeAlias = dict[tuple[str, ...], tuple[int, ...]]
"""The rows of a table of counts: what is told apart, and what is counted."""


class Recorded(NamedTuple):
    """An image as it is on record: path below the output folder, size in bytes, SHA-256."""

    path: str
    bytes: int
    sha256: str


def class_names(book: Manifest) -> list[Wnid]:
    """The wnids in the manifest."""
    return list(book.column("classes.wnid", "FROM classes"))


def count_images(book: Manifest) -> int:
    """Images on record."""
    return book.count("FROM image")


def classes_with_images(book: Manifest) -> Iterator[Wnid]:
    """The classes that have images, in the order of their ids, by the images themselves and not by any count."""
    after = 0
    while found := list(book.column("image.candidate_id", "FROM image WHERE candidate_id > ? LIMIT 1", (after,))):
        wnid = Wnid(wnid_of(found[0]))
        yield wnid
        after = candidate_id(wnid, RANKS - 1)


def image_digests(book: Manifest) -> Iterator[Recorded]:
    """Every image, class by class."""
    sql = columns("image.candidate_id", "image.path", "image.bytes", "image.sha256")
    return book.select(lambda _, *rest: Recorded(*rest), f"{sql} FROM image ORDER BY candidate_id")


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
SELECT printf('n%08d', id / {RANKS}) AS "classes.wnid", outcome AS "candidate.outcome", sum(tries > 0) AS "count",
  sum(tries = 0) AS "count", sum(tries > 0 AND state = 1 AND fate IS NOT NULL) AS "count",
  coalesce(sum(bytes), 0) AS "count"
FROM candidate LEFT JOIN image ON candidate_id = id WHERE outcome IS NOT NULL GROUP BY id / {RANKS}, outcome
"""  # noqa: S608 - the number is ours
_BY_ORIGIN: Final = """
SELECT iif(slash, substr(url, 1, slash + 7), url) AS "candidate.url", ended AS "candidate.outcome", count(*) AS "count"
FROM (SELECT url, instr(substr(url, 9), '/') AS slash, coalesce(fate, outcome) AS ended
  FROM candidate WHERE outcome IS NOT NULL AND tries > 0)
GROUP BY 1, 2
"""
"""Grouped by the URL without its path, so that Python, which alone can tell a host, sees few rows."""
_BY_STATUS: Final = """
SELECT CAST(coalesce(status, 'none') AS TEXT) AS "statuses.status", count(*) AS "count" FROM attempt GROUP BY status
"""


def _recounted(book: Manifest) -> dict[str, _Counted]:
    """The counts that reports read, counted from the candidates, images and attempts."""
    hosts: Counter[tuple[str, ...]] = Counter()
    for origin, ended, candidates in book.select(lambda *row: row, _BY_ORIGIN):
        hosts[host_of(origin) or "", ended] += candidates
    return {
        "class_outcomes": dict(book.select(lambda *row: (row[:2], row[2:]), _BY_CLASS)),
        "host_outcomes": {key: (candidates,) for key, candidates in hosts.items()},
        "statuses": dict(book.select(lambda *row: (row[:1], row[1:]), _BY_STATUS)),
    }


def _kept(book: Manifest, table: str) -> _Counted:
    """The counts as they are kept, whatever they are; without those that count nothing."""
    keys, numbers = COUNTS[table]
    chosen = ", ".join([f'{key} AS "{table}.{key}"' for key in keys] + [f'{number} AS "signed"' for number in numbers])
    width = len(keys)
    rows = book.select(lambda *row: (row[:width], row[width:]), f"SELECT {chosen} FROM {table}")  # noqa: S608 - ours
    return {key: counts for key, counts in rows if any(counts)}


def contradictions(book: Manifest) -> list[str]:
    """What in the manifest contradicts itself, a line each; empty where all is well."""
    found = []
    for sql, meaning in _CONTRADICTIONS:
        if count := book.count(f"FROM ({sql})"):
            found.append(f"{count} {meaning}")
    for table, counts in _recounted(book).items():
        if _kept(book, table) != counts:
            found.append(f"the counts in {table} are not those of the rows they count")
    return found


def recount(book: Manifest) -> None:
    """Make the counts that reports read anew from the rows they count."""
    with book.transaction() as connection:
        for table, counts in _recounted(book).items():
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - the names are ours
            marks = ", ".join("?" * sum(map(len, COUNTS[table])))
            connection.executemany(
                f"INSERT INTO {table} VALUES ({marks})",  # noqa: S608 - the names are ours
                [(*key, *numbers) for key, numbers in counts.items()],
            )
