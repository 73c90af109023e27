"""Where a picture is from: when and how it was asked for, its photo page, its classes, with every request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.config import DEFAULT_MANIFEST
from scraper.errors import InputError
from scraper.flickr import photo_id
from scraper.manifest.access import withdrawing
from scraper.manifest.access.locks import locked_digest
from scraper.manifest.access.withdrawing import Withdrawal
from scraper.manifest.core import Manifest
from scraper.model import Withdrawn
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scraper.manifest.access.withdrawing import Change, Known, KnownImage, Origin, Request

_DIGEST: Final = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}")
PHOTO_PAGE: Final = "https://www.flickr.com/photo.gne?id={}"
"""Redirects to the page of a photo, with its licence and its owner."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """All that is known of one candidate; `locked` is the SHA-256 that it must have, where a lock names it."""

    known: Known
    origin: Origin | None
    image: KnownImage | None
    requests: tuple[Request, ...]
    changes: tuple[Change, ...]
    locked: str | None = None

    @property
    def page(self) -> str | None:
        """The page of its photo; None where the URL does not tell which photo it is."""
        return None if self.known.photo_id is None else PHOTO_PAGE.format(self.known.photo_id)


def trace(what: str, *, manifest: Path | str = DEFAULT_MANIFEST) -> tuple[Trace, ...]:
    """Tell all that a manifest knows of a picture.

    Args:
        what: the path of an image, the SHA-256 of its bytes, a Flickr photo id or a URL.
        manifest: path of the manifest; a run may be writing to it.

    Raises:
        InputError: the manifest knows nothing of the kind.
        ManifestError: the manifest cannot be used.
    """
    with Manifest.open(Path(manifest)) as book, book.snapshot():
        found = find(book, what)
        if not found:
            raise InputError(f"the manifest {manifest} knows nothing of {one_line(what, 100)}")
        return tuple(_trace(book, known) for known in found)


def find(book: Manifest, what: str) -> list[Known]:
    """The candidates that a person may mean."""
    named = named_by(what)
    return withdrawing.by_path(book, _path(what)) if named is None else withdrawing.matching(book, named)


def named_by(what: str) -> Sequence[Withdrawal] | None:
    """What a digest, a photo id or a URL names; None for a path.

    >>> named_by("2737866473")
    [Withdrawal(kind=<Withdrawn.PHOTO: 'photo'>, value='2737866473')]
    """
    text = what.strip()
    if _DIGEST.fullmatch(text):
        return [Withdrawal(Withdrawn.SHA256, text.lower())]
    if _NUMBER.fullmatch(text):
        return [Withdrawal(Withdrawn.PHOTO, text)]
    if "://" in text:
        photo = photo_id(text)
        url = Withdrawal(Withdrawn.URL, text)
        return [url] if photo is None else [url, Withdrawal(Withdrawn.PHOTO, str(photo))]
    return None


def _path(what: str) -> str:
    """The last two parts of a path, which are what a manifest has."""
    return "/".join(Path(what.strip()).parts[-2:])


def _trace(book: Manifest, known: Known) -> Trace:
    number = known.candidate_id
    return Trace(
        known=known,
        origin=withdrawing.origin_of(book, known.wnid),
        image=withdrawing.image_of(book, number),
        requests=tuple(withdrawing.requests_of(book, number)),
        changes=tuple(withdrawing.changes_of(book, number)),
        locked=locked_digest(book, number),
    )
