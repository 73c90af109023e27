"""What a whole picture is to its class: a new image, bytes it has already, or what a host shows for a deleted photo.

The same bytes under several Flickr photo ids are no photograph of anything: hosts answer so for what they no longer
have, and the known digests are not all there are. When that shows, every image of those bytes is taken back.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from scraper.manifest.access.candidates import Twin, placeholders, same_bytes
from scraper.model import Outcome, Revision, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scraper.files.store import Folder
    from scraper.manifest.core import Manifest
    from scraper.model import Attempt

SUSPICIOUS_PHOTOS: Final = 3
"""Different photo ids with the same bytes from which these count as a placeholder. People do upload a photo twice."""


@dataclass(frozen=True, slots=True)
class Placed:
    """An attempt after its picture was looked at among the others.

    Attributes:
        attempt: with the outcome it has now.
        path: of the image, relative to the output folder, where it was kept.
        taken_back: images and duplicates that turned out to be the same placeholder.
    """

    attempt: Attempt
    path: str | None = None
    taken_back: tuple[Twin, ...] = ()


class Placer:
    """Gives pictures their names. For the one coordinator."""

    def __init__(self, book: Manifest, folder: Folder) -> None:
        self._book = book
        self._folder = folder
        self._known = placeholders(book)
        self._unrecorded: defaultdict[str, list[Twin]] = defaultdict(list)
        self._looked_up: dict[str, list[Twin]] = {}
        self._found: list[tuple[str, int]] = []
        self._removals: list[str] = []

    def look_up(self, attempts: Iterable[Attempt]) -> None:
        """Ask the manifest in one go for what `place` must know of these attempts, which come next."""
        digests = {attempt.picture.sha256 for attempt in attempts if attempt.picture is not None}
        found = same_bytes(self._book, digests) if digests else {}
        self._looked_up = {digest: found.get(digest, []) for digest in digests}

    def _recorded(self, sha256: str) -> list[Twin]:
        known = self._looked_up.get(sha256)
        return same_bytes(self._book, [sha256]).get(sha256, []) if known is None else known

    def place(self, attempt: Attempt) -> Placed:
        """Keep the attempt's picture, or throw it away and say what it is."""
        picture, candidate = attempt.picture, attempt.candidate
        if picture is None:
            return Placed(attempt)
        if picture.sha256 in self._known:
            return self._refuse(attempt, Outcome.PLACEHOLDER, "the same bytes came for several photos")
        twins = [*self._recorded(picture.sha256), *self._unrecorded[picture.sha256]]
        photos = {twin.photo_id for twin in twins} | {candidate.photo_id}
        if len(photos - {None}) >= SUSPICIOUS_PHOTOS:
            return self._expose(attempt, picture.sha256, twins, len(photos))
        if any(twin.path is not None and twin.wnid == candidate.wnid for twin in twins):
            placed = self._refuse(attempt, Outcome.DUPLICATE, "the same bytes as another image of the class")
        else:
            path = self._folder.keep(picture.temporary, candidate.wnid, candidate.filename)
            placed = Placed(attempt, path)
        twin = Twin(candidate.id, candidate.url, candidate.photo_id, placed.path, candidate.form, candidate.fate)
        self._unrecorded[picture.sha256].append(twin)
        return placed

    def _refuse(self, attempt: Attempt, outcome: Outcome, why: str) -> Placed:
        if attempt.picture is not None:
            self._folder.discard(attempt.picture.temporary)
        return Placed(replace(attempt, outcome=outcome, picture=None, error=why))

    def _expose(self, attempt: Attempt, sha256: str, twins: list[Twin], photos: int) -> Placed:
        self._known.add(sha256)
        self._found.append((sha256, photos))
        self._unrecorded.pop(sha256, None)
        self._removals += [twin.path for twin in twins if twin.path is not None]
        refused = self._refuse(attempt, Outcome.PLACEHOLDER, f"the same bytes came for {photos} photos")
        return replace(refused, taken_back=tuple(twins))

    def take_found(self) -> list[tuple[str, int]]:
        """Digests found since the last call, each with the photos it came for, to be recorded."""
        found, self._found = self._found, []
        return found

    def take_removals(self) -> list[str]:
        """Paths of images taken back since the last call, whose files must go once the manifest says so."""
        removals, self._removals = self._removals, []
        return removals

    def recorded(self) -> None:
        """Say that all that was placed is in the manifest."""
        self._unrecorded.clear()
        self._looked_up.clear()


def revisions_of(taken_back: Iterable[Twin]) -> list[Revision]:
    """The revisions that make placeholders of images and duplicates."""
    why = "the same bytes came for several photos"
    return [
        Revision(twin.candidate_id, State.LOST, Outcome.PLACEHOLDER, why, twin.form, twin.fate) for twin in taken_back
    ]
