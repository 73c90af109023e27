"""For export: the classes, and every image with where it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from scraper.manifest.schema import RANKS
from scraper.manifest.values import columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scraper.manifest.core import Manifest
    from scraper.model import Wnid


class ListedClass(NamedTuple):
    """A class: how many images are wanted, and which list it was planned from."""

    wnid: Wnid
    label: str | None
    n: int
    candidates: int
    source: str | None
    listing_sha256: str | None
    resolved_at: str | None


class StoredImage(NamedTuple):
    """An image on record: `path` below the output folder, `bytes` its size, `width` and `height` in pixels.

    `rank` is its place in the list of its class, from 1. Where the class was planned from a lock, it is that of the
    lock, and what the lock does not name (`locked`) comes behind it.
    """

    candidate_id: int
    url: str
    photo_id: int | None
    path: str
    sha256: str
    bytes: int
    format: str
    width: int
    height: int
    saved_at: str
    rank: int
    locked: bool


_CLASS: Final = columns(
    "classes.wnid",
    "classes.label",
    "classes.n",
    "classes.candidates",
    "classes.source",
    "classes.listing_sha256",
    "classes.resolved_at",
)
_IMAGE: Final = columns(
    "image.candidate_id",
    "candidate.url",
    "candidate.photo_id",
    "image.path",
    "image.sha256",
    "image.bytes",
    "image.format",
    "image.width",
    "image.height",
    "image.saved_at",
)


def listed_classes(book: Manifest) -> list[ListedClass]:
    """Every class that is wanted, in the order of their ids."""
    return list(book.select(ListedClass, f"{_CLASS} FROM classes WHERE dropped_at IS NULL ORDER BY wnid"))


def stored_images(book: Manifest) -> Iterator[StoredImage]:
    """Every image, by class and rank."""
    ends = {last // RANKS: (last, rank) for last, rank in book.select(lambda *row: row, _ENDS)}

    def image(*row: Any) -> StoredImage:
        number, locked_rank = row[0], row[-1]
        rank = locked_rank or number % RANKS
        if locked_rank is None and number // RANKS in ends:
            last, last_rank = ends[number // RANKS]
            rank = last_rank + number - last
        return StoredImage._make((*row[:-1], rank, locked_rank is not None))

    return book.select(image, _STORED)


_STORED: Final = (
    _IMAGE + ', locked.rank AS "locked_rank" FROM image JOIN candidate ON candidate.id = image.candidate_id '
    "LEFT JOIN locked ON locked.candidate_id = image.candidate_id ORDER BY image.candidate_id"
)
_ENDS: Final = f"""
SELECT max(candidate_id) AS "locked.candidate_id", max(rank) AS "locked.rank" FROM locked
GROUP BY candidate_id / {RANKS}
"""  # noqa: S608 - a number of ours
"""The last candidate of each lock's class, and the last rank in the lock."""
