"""Manifests of any size, made in bulk in the exact schema: fresh from `plan`, or worked on by a long `fetch`.

A class in 20 is deep: 1,000 candidates, of which a fetch has used 500. The others have 430 and 117.

    python bulk.py FOLDER CLASSES    # makes fresh.db, worked.db and worked-images; prints the sizes as JSON
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.manifest.access.audit import recount
from scraper.manifest.core import Manifest
from scraper.manifest.database import connect
from scraper.manifest.schema import RANKS

if TYPE_CHECKING:
    import sqlite3

DEEP_EVERY: Final = 20
_STEP: Final = 677
"""Between the numbers of two wnids, so that they are spread as WordNet's are."""
_WANTED: Final = 100

_CLASSES: Final = f"""
INSERT INTO classes (wnid, label, n, budget, source, hosts, resolved_at, resolve_outcome, listed, candidates)
WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < ?)
SELECT printf('n%08d', i * {_STEP}), 'label ' || i, {_WANTED}, length, 'lists', 'flickr.com staticflickr.com',
  '2026-01-31T12:00:00.000Z', 'listed', 2 * length, length
FROM (SELECT i, iif(i % {DEEP_EVERY} = 0, 1000, 430) AS length FROM c)
"""  # noqa: S608 - constants of ours
_CANDIDATES: Final = f"""
INSERT INTO candidate (id, url, photo_id)
WITH RECURSIVE r(rank) AS (SELECT 1 UNION ALL SELECT rank + 1 FROM r WHERE rank < 1000)
SELECT CAST(substr(wnid, 2) AS INTEGER) * {RANKS} + rank,
  'http://farm' || (1 + rank % 4) || '.static.flickr.com/' || (1000 + rank) || '/' || photo || '_'
    || printf('%010x', photo * 7919) || '.jpg',
  photo
FROM (SELECT wnid, rank, 100000000 + CAST(substr(wnid, 2) AS INTEGER) * 1000 + rank AS photo
  FROM classes JOIN r ON rank <= candidates ORDER BY wnid, rank)
"""  # noqa: S608 - constants of ours
_USED: Final = f"id % {RANKS} <= iif((id / {RANKS}) / {_STEP} % {DEEP_EVERY} = 0, 500, 117)"
_SKIPPED: Final = f"id % {RANKS} <= iif((id / {RANKS}) / {_STEP} % {DEEP_EVERY} = 0, 510, 127)"
_WORKED: Final = (
    f"""
UPDATE candidate SET tries = 1,
  outcome = CASE id % 20 WHEN 0 THEN 'saved' WHEN 10 THEN 'saved' WHEN 11 THEN 'server_error' WHEN 12 THEN 'forbidden'
    WHEN 13 THEN 'not_image' WHEN 5 THEN 'placeholder' ELSE 'gone' END,
  state = CASE id % 20 WHEN 0 THEN 1 WHEN 10 THEN 1 WHEN 11 THEN 3 ELSE 2 END,
  form = iif(id % 20 = 10, 'live', NULL), fate = iif(id % 20 = 10, 'gone', NULL)
WHERE {_USED}
""",  # noqa: S608 - constants of ours
    f"UPDATE candidate SET state = 2, outcome = 'duplicate' WHERE tries = 0 AND {_SKIPPED}",  # noqa: S608 - constants
    (
        "INSERT INTO runs (command, argv, version, started_at, ended_at, exit_code) VALUES "
        "('fetch', '[]', '0', '2026-01-31T12:00:00.000Z', '2026-01-31T22:00:00.000Z', 130)"
    ),
    f"""
INSERT INTO attempt (candidate_id, run_id, try, started_at, seconds, status, outcome, final_url, bytes, content_type)
SELECT id, 1, 1, '2026-01-31T12:00:00.000Z', 0.123456, CASE outcome WHEN 'saved' THEN 200 WHEN 'server_error' THEN 503
  WHEN 'forbidden' THEN 403 WHEN 'not_image' THEN 200 WHEN 'placeholder' THEN 302 ELSE 404 END,
  iif(fate IS NULL, outcome, 'saved'), replace(url, 'http:', 'https:'), 20000, 'image/jpeg'
FROM candidate WHERE tries > 0 ORDER BY id % {RANKS}, id
""",  # noqa: S608 - constants of ours
)


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows a manifest has."""

    classes: int
    candidates: int
    attempts: int
    images: int


def fresh(path: Path, classes: int) -> Size:
    """A manifest that `plan` could have left: nothing was asked for yet."""
    Manifest.create(path).close()
    with closing(connect(path, "rw")) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        connection.execute(_CLASSES, (classes,))
        connection.execute(_CANDIDATES)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return _size(connection)


def work(path: Path, out: Path) -> Size:
    """Make a fresh manifest what a long fetch leaves, with a small file in `out` for each image."""
    with closing(connect(path, "rw")) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        for statement in _WORKED:
            connection.execute(statement)
        _save_images(connection, out)
        connection.execute("COMMIT")
        size = _size(connection)
    with Manifest.open(path, write=True) as book:
        recount(book)
    with closing(connect(path, "rw")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return size


def _save_images(connection: sqlite3.Connection, out: Path) -> None:
    rows = []
    folder = ""
    for number, url in connection.execute("SELECT id, url FROM candidate WHERE state = 1 ORDER BY id"):
        path = f"n{number // RANKS:08d}/{url.rsplit('/', 1)[1]}"
        if path[:9] != folder:
            folder = path[:9]
            (out / folder).mkdir(parents=True)
        body = path.encode()
        (out / path).write_bytes(body)
        digest = hashlib.sha256(body).hexdigest()
        rows.append((number, path, digest, len(body), "JPEG", 500, 375, "2026-01-31T12:00:00.000Z", "decode"))
    columns = "candidate_id, path, sha256, bytes, format, width, height, saved_at, checked"
    connection.executemany(f"INSERT INTO image ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)  # noqa: S608 - ours


def _size(connection: sqlite3.Connection) -> Size:
    tables = ("classes", "candidate", "attempt", "image")
    return Size(*(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables))  # noqa: S608 - names of ours


def main() -> None:
    """Make both in a folder."""
    folder = Path(sys.argv[1])
    sizes = {"fresh": fresh(folder / "fresh.db", int(sys.argv[2]))}
    shutil.copy(folder / "fresh.db", folder / "worked.db")
    sizes["worked"] = work(folder / "worked.db", folder / "worked-images")
    print(json.dumps({stage: asdict(size) for stage, size in sizes.items()}))


if __name__ == "__main__":
    main()
