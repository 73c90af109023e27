"""What runs of a manifest that were cut short left in an output folder: which of it is proven to be its own, and gone.

A journal tells which names a run gave and whose bytes have them; the manifest tells whether they are on record, by its
word. An older copy of the manifest has another word, and so has a newer one; neither takes a name back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scraper.files.leftovers import forget, sessions_of, stands, take_back, tidy
from scraper.files.names import PARTIAL
from scraper.manifest.access.audit import class_names
from scraper.manifest.access.candidates import images
from scraper.manifest.access.recording import word
from scraper.model import Wnid

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from scraper.files.journal import Claim, Session
    from scraper.manifest.core import Manifest


@dataclass(frozen=True, slots=True)
class Unfinished:
    """One run's unfinished work.

    Attributes:
        session: what it left in the folder for unfinished work.
        names: files that have their final names and no rows.
    """

    session: Session
    names: tuple[Claim, ...]
    owner: str

    @property
    def paths(self) -> tuple[str, ...]:
        """All of it, relative to the output folder."""
        temporary = (f"{PARTIAL}/{self.owner}/{name}" for name in self.session.files)
        return (*(str(claim.place) for claim in self.names), *temporary)


def unfinished(book: Manifest, out: Path) -> list[Unfinished]:
    """What earlier runs of this manifest left unfinished in an output folder, and nobody else can want."""
    found = []
    for session in sessions_of(out, book.owner):
        names = tuple(claim for claim in _unrecorded(book, session.claims) if stands(out, claim))
        # Names under another word are those of a copy of this manifest, which may have their rows.
        if session.over and (not names or word(book) in session.words):
            found.append(Unfinished(session, names, book.owner))
    return found


def clear_up(book: Manifest, out: Path) -> None:
    """Remove what earlier runs of this manifest left unfinished.

    Raises:
        StoppedEarlyError: the file system refused.
    """
    for one in unfinished(book, out):
        take_back(out, one.names)
        forget(out, book.owner, one.session)
    tidy(out, book.owner)


def _unrecorded(book: Manifest, claims: Iterable[Claim]) -> list[Claim]:
    claims = list(claims)
    classes = {claim.place.folder for claim in claims} & set(class_names(book)) if claims else set()
    recorded = {path for wnid in classes for _, path, _ in images(book, Wnid(wnid))}
    return [claim for claim in claims if str(claim.place) not in recorded]
