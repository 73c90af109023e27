"""For drop: classes out of what is wanted, and their images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from scraper.manifest.schema import RANKS, candidate_id
from scraper.manifest.values import columns, iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scraper.manifest.core import Manifest
    from scraper.model import Wnid


class Recorded(NamedTuple):
    """An image as recorded.

    Attributes:
        adopted: whether its file was there before, so that it is somebody else's too.
        mark: what told its file from any other when it was written; None where an earlier version wrote it.
    """

    candidate_id: int
    path: str
    bytes: int
    sha256: str
    adopted: int
    mark: str | None


_IMAGE: Final = (
    columns("image.candidate_id", "image.path", "image.bytes", "image.sha256", "image.adopted", "image.mark")
    + " FROM image WHERE candidate_id BETWEEN ? AND ? ORDER BY candidate_id"
)


def drop(book: Manifest, wnids: Iterable[Wnid], now: float) -> None:
    """Take classes out of what is wanted; `now` is Unix time in seconds. Their rows stay."""
    with book.transaction() as connection:
        connection.executemany(
            "UPDATE classes SET dropped_at = coalesce(dropped_at, ?) WHERE wnid = ?",
            [(iso(now), wnid) for wnid in wnids],
        )


def images_of(book: Manifest, wnid: Wnid) -> list[Recorded]:
    """The images of a class."""
    return list(book.select(Recorded, _IMAGE, (candidate_id(wnid, 1), candidate_id(wnid, RANKS - 1))))
