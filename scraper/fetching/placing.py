"""What a whole picture is to its class: a new image, bytes it has already, or what a host shows for a deleted photo.

The same bytes under several Flickr photo ids are no photograph of anything: hosts answer so for what they no longer
have, and the known digests are not all there are. When that shows, every image of those bytes is taken back.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from scraper.files.names import Place
from scraper.files.store import Wanted
from scraper.manifest.access.candidates import Twin, placeholders, same_bytes
from scraper.manifest.access.recording import word
from scraper.manifest.access.withdrawing import withdrawals
from scraper.model import Outcome, State, Withdrawn
from scraper.records import Revision

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from scraper.files.journal import Claim
    from scraper.files.store import Folder, Kept
    from scraper.manifest.access.recording import DecidedAttempt
    from scraper.manifest.core import Manifest
    from scraper.records import Attempt, Candidate, Picture

SUSPICIOUS_PHOTOS: Final = 3
"""Different photo ids with the same bytes from which these count as a placeholder. People do upload a photo twice."""


@dataclass(frozen=True, slots=True)
class _Removal:
    """An image that is to be taken back, and its bytes."""

    twin: Twin
    sha256: str
    bytes: int

    def claim(self, folder: Folder) -> Claim | None:
        """What tells its file; None where it is not the one that was written, or somebody else's."""
        claim = folder.claim(Place.of(self.twin.path or ""), size=self.bytes, sha256=self.sha256)
        return claim if claim is not None and (self.twin.mark or "").startswith(f"{claim.inode}-") else None


@dataclass(frozen=True, slots=True)
class Placed:
    """An attempt after its picture was looked at among the others.

    Attributes:
        attempt: with the outcome it has now; its picture stays with it where it is to be kept.
        taken_back: images and duplicates that turned out to be the same placeholder.
    """

    attempt: Attempt
    taken_back: tuple[Twin, ...] = ()


class Placer:
    """Tells pictures apart, and gives them their names with the batch they are recorded in. For the one coordinator.

    Attributes:
        found: images whose files were there already, with the same bytes.
        renamed: images that did not get the name they would have had, since other files had it.
    """

    def __init__(self, book: Manifest, folder: Folder) -> None:
        self._book = book
        self._folder = folder
        self._known = placeholders(book)
        self._withdrawn = {one.value for one in withdrawals(book) if one.kind is Withdrawn.SHA256}
        self._unrecorded: defaultdict[str, list[Twin]] = defaultdict(list)
        self._looked_up: dict[str, list[Twin]] = {}
        self._found: list[tuple[str, int]] = []
        self._removals: list[_Removal] = []
        self._kept: dict[int, Kept] = {}
        self.found = 0
        self.renamed = 0

    def look_up(self, attempts: Iterable[Attempt]) -> None:
        """Ask the manifest in one go for what `place` must know of these attempts, which come next."""
        digests = {attempt.sha256 for attempt in attempts if attempt.sha256 and _is_compared(attempt)}
        found = same_bytes(self._book, digests) if digests else {}
        self._looked_up = {digest: found.get(digest, []) for digest in digests}

    def _recorded(self, sha256: str) -> list[Twin]:
        known = self._looked_up.get(sha256)
        return same_bytes(self._book, [sha256]).get(sha256, []) if known is None else known

    def place(self, attempt: Attempt) -> Placed:
        """Decide that the attempt's picture is kept, or throw it away and say what it is."""
        picture, candidate = attempt.picture, attempt.candidate
        if picture is None:
            return (
                self._changed(attempt, attempt.sha256) if attempt.sha256 and _is_compared(attempt) else Placed(attempt)
            )
        if picture.sha256 in self._withdrawn:
            return self._refuse(attempt, Outcome.WITHDRAWN, "someone asked for this picture to be left out")
        if picture.sha256 in self._known:
            return self._refuse(attempt, Outcome.PLACEHOLDER, "the same bytes came for several photos")
        twins = [*self._recorded(picture.sha256), *self._unrecorded[picture.sha256]]
        photos = {twin.photo_id for twin in twins} | {candidate.photo_id}
        if len(photos - {None}) >= SUSPICIOUS_PHOTOS:
            return self._expose(attempt, picture.sha256, twins, len(photos))
        if any(twin.path is not None and twin.wnid == candidate.wnid for twin in twins):
            placed = self._refuse(attempt, Outcome.DUPLICATE, "the same bytes as another image of the class")
        else:
            placed = Placed(attempt)
        path = f"{candidate.wnid}/{candidate.filename}" if placed.attempt.picture is not None else None
        twin = Twin(candidate.id, candidate.url, candidate.photo_id, path, candidate.form, candidate.fate)
        self._unrecorded[picture.sha256].append(twin)
        return placed

    def _changed(self, attempt: Attempt, sha256: str) -> Placed:
        """Look at a picture that is not that of the lock: alike for several photos, it is a placeholder."""
        candidate = attempt.candidate
        if sha256 in self._known:
            return self._refuse(attempt, Outcome.PLACEHOLDER, "the same bytes came for several photos")
        twins = [*self._recorded(sha256), *self._unrecorded[sha256]]
        photos = {twin.photo_id for twin in twins} | {candidate.photo_id}
        if len(photos - {None}) >= SUSPICIOUS_PHOTOS:
            return self._expose(attempt, sha256, twins, len(photos))
        twin = Twin(candidate.id, candidate.url, candidate.photo_id, None, candidate.form, candidate.fate)
        self._unrecorded[sha256].append(twin)
        return Placed(attempt)

    def _refuse(self, attempt: Attempt, outcome: Outcome, why: str) -> Placed:
        if attempt.picture is not None:
            self._folder.discard(attempt.picture.temporary)
        return Placed(replace(attempt, outcome=outcome, picture=None, error=why))

    def _expose(self, attempt: Attempt, sha256: str, twins: list[Twin], photos: int) -> Placed:
        self._known.add(sha256)
        self._found.append((sha256, photos))
        self._unrecorded.pop(sha256, None)
        self._removals += [_Removal(twin, sha256, attempt.bytes) for twin in twins if twin.path is not None]
        refused = self._refuse(attempt, Outcome.PLACEHOLDER, f"the same bytes came for {photos} photos")
        return replace(refused, taken_back=tuple(twins))

    def take_found(self) -> list[tuple[str, int]]:
        """Digests found since the last call, each with the photos it came for, to be recorded."""
        found, self._found = self._found, []
        return found

    def name(self, decided: Sequence[DecidedAttempt], after: str) -> list[DecidedAttempt]:
        """Give the pictures of a batch their names, safe from a power cut; `after` is the word it gives the manifest.

        Raises:
            StoppedEarlyError: the file system refused.
        """
        pictures = {a.candidate: a.picture for a in (one.attempt for one in decided) if a.picture is not None}
        words = [word(self._book), after]
        leaving = self._announce({one.id for one in pictures}, words)
        if not pictures:
            return list(decided)
        kept = self._folder.keep([_wanted(*each) for each in pictures.items()], words, leaving)
        self._kept = {one.id: its for one, its in zip(pictures, kept, strict=True)}
        self.found += sum(its.mark is None for its in kept)
        self.renamed += sum(its.place.name != one.filename for one, its in zip(pictures, kept, strict=True))
        return [self._named(one) for one in decided]

    def _announce(self, new: AbstractSet[int], words: Sequence[str]) -> list[Claim]:
        """Let the journal have the images that are taken back, but for the `new` ones, which get their names first.

        So that those whose files a kill leaves, and whose rows are gone, are known for ours.
        """
        removals = [one for one in self._removals if one.twin.candidate_id not in new]
        found = {claim: one.twin.mark for one in removals if (claim := one.claim(self._folder)) is not None}
        return self._folder.announce(found, words) if found else []

    def _named(self, one: DecidedAttempt) -> DecidedAttempt:
        its = self._kept.get(one.attempt.candidate.id)
        return one if its is None else replace(one, path=str(its.place), mark=its.mark)

    def recorded(self) -> list[str]:
        """Say that all that was placed is in the manifest: the files of images that were taken back can go now.

        Returns:
            Paths of such files that stay, since they are not proven to be this manifest's alone.

        Raises:
            StoppedEarlyError: the file system refused.
        """
        removals, self._removals = [one.twin for one in self._removals], []
        stay = [str(place) for place, mark in map(self._whereabouts, removals) if not self._folder.remove(place, mark)]
        self._folder.names_recorded()
        self._unrecorded.clear()
        self._looked_up.clear()
        self._kept = {}
        return stay

    def _whereabouts(self, twin: Twin) -> tuple[Place, str | None]:
        if (kept := self._kept.get(twin.candidate_id)) is not None:
            return kept.place, kept.mark
        return Place.of(twin.path or ""), twin.mark


def _is_compared(attempt: Attempt) -> bool:
    """Whether a whole picture came, to be kept or not."""
    return attempt.picture is not None or attempt.outcome is Outcome.CHANGED


def _wanted(candidate: Candidate, picture: Picture) -> Wanted:
    return Wanted(picture.temporary, candidate.wnid, candidate.filename, candidate.url, picture.bytes, picture.sha256)


def revisions_of(taken_back: Iterable[Twin]) -> list[Revision]:
    """The revisions that make placeholders of images and duplicates."""
    why = "the same bytes came for several photos"
    return [
        Revision(twin.candidate_id, State.LOST, Outcome.PLACEHOLDER, why, twin.form, twin.fate) for twin in taken_back
    ]
