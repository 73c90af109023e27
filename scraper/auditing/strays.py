"""What is in the classes' folders that a manifest does not know: somebody's own files, another manifest's, or nobody's.

None of it is this manifest's to remove, so none of it is, unless the user says so by a flag; and then neither what the
journal of another manifest's run claims, nor anything but ordinary files.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from scraper.errors import ManifestBusyError
from scraper.files.leftovers import claims_in, forget, remove_ordinary, sessions, stands
from scraper.files.looking import others_in
from scraper.files.names import PARTIAL
from scraper.manifest.access.audit import class_names
from scraper.manifest.access.candidates import images
from scraper.running.unfinished import unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from scraper.files.journal import Session
    from scraper.manifest.core import Manifest


@dataclass(frozen=True, slots=True)
class Strays:
    """What a manifest does not know.

    Attributes:
        names: in each class's folder, whatever is neither an image nor a folder, and whether it is an ordinary file.
        abandoned: with their owners, runs that were cut short of other manifests, and gave no names, or of another
            copy of this manifest, as where an older one was put back.
    """

    names: Mapping[str, Mapping[str, bool]]
    abandoned: tuple[tuple[str, Session], ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """All of it, relative to the output folder."""
        temporary = (f"{PARTIAL}/{owner}/{name}" for owner, session in self.abandoned for name in session.files)
        return tuple(chain((f"{wnid}/{name}" for wnid, names in self.names.items() for name in names), temporary))


def find_strays(book: Manifest, out: Path) -> Strays:
    """What there is in an output folder that a manifest does not know."""
    begun = unfinished(book, out)
    ours, sessions_begun = {str(claim.place) for one in begun for claim in one.names}, {one.session for one in begun}
    found = {}
    for wnid in class_names(book):
        if there := others_in(out, wnid):
            known = ours.union(path for _, path, _ in images(book, wnid))
            found[str(wnid)] = {name: there[name] for name in sorted(there) if f"{wnid}/{name}" not in known}
    abandoned = tuple(
        (owner, session)
        for owner, theirs in sessions(out).items()
        for session in theirs
        if session.over
        and (
            session not in sessions_begun
            if owner == book.owner
            else not any(stands(out, claim) for claim in session.claims)
        )
    )
    return Strays(found, abandoned)


def remove_strays(out: Path, strays: Strays, notice: Callable[[str], None]) -> tuple[str, ...]:
    """Remove what may be removed of strays, and say how many there are before; returns the paths that are gone.

    Raises:
        ManifestBusyError: a run of another manifest is writing to the folder, and may have more there by now.
        StoppedEarlyError: the file system refused.
    """
    if any(not session.over for theirs in sessions(out).values() for session in theirs):
        raise ManifestBusyError(f"another run is writing to {out}; wait for it or stop it")
    going = {claim for _, session in strays.abandoned for claim in session.claims}
    claimed = {str(claim.place) for claim in claims_in(out) if claim not in going and stands(out, claim)}
    chosen = {
        wnid: {name for name, ordinary in names.items() if ordinary and f"{wnid}/{name}" not in claimed}
        for wnid, names in strays.names.items()
    }
    count = sum(map(len, chosen.values())) + sum(len(session.files) for _, session in strays.abandoned)
    notice(f"removing {count:,} {'file' if count == 1 else 'files'} that the manifest does not know from {out}")
    removed = [f"{wnid}/{name}" for wnid, names in chosen.items() for name in remove_ordinary(out, wnid, names)]
    for owner, session in strays.abandoned:
        forget(out, owner, session)
        removed += [f"{PARTIAL}/{owner}/{name}" for name in session.files]
    return tuple(removed)
