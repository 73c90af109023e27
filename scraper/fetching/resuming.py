"""What a fetch finds of earlier runs: images that are gone, files left behind, candidates given another chance.

A class is looked at when its turn comes, before anything of it is asked for, so that a fetch begins at once however
many images there are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scraper.errors import InputError
from scraper.files.store import sizes_in
from scraper.flickr import live_url
from scraper.model import Kind, Outcome, Revision, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scraper.config import FetchOptions
    from scraper.manifest.core import Manifest
    from scraper.model import ClassState


def check_out(book: Manifest, options: FetchOptions) -> None:
    """Refuse an output folder that has nothing of the manifest's images.

    Raises:
        InputError: it has not; another folder is meant.
    """
    there = book.classes_with_images()
    if there and not any(sizes_in(options.out, wnid) for wnid in there):
        raise InputError(
            f"none of the {book.count_images()} images of this manifest are in {options.out}: give the --out of the "
            "earlier run (to fetch all of them again, run `scraper verify --repair` first)"
        )


@dataclass(frozen=True, slots=True)
class Found:
    """How a class stands.

    Attributes:
        lost: images whose file is not there or of another size.
        revisions: what becomes of candidates thereby, and by the options.
        strays: files of its candidates that have no row, since the run that made them was cut short.
    """

    lost: int
    revisions: list[Revision]
    strays: list[str]


def look_at(book: Manifest, state: ClassState, options: FetchOptions) -> Found:
    """Compare the files of a class with its images, by name and size; nothing is read of them."""
    sizes = sizes_in(options.out, state.wnid)
    revisions = []
    for number, path, size in book.images(state.wnid) if state.saved else ():
        name = path.rpartition("/")[2]
        if sizes.get(name) == size:
            del sizes[name]
        else:  # a file of another size stays among the others: it is not the image
            revisions.append(Revision(number, State.WAITING, None, "the file was missing or of another size"))
    lost = len(revisions)
    # The next try for such a candidate would replace the file. Any other file is somebody's own and is let be.
    strays = [f"{state.wnid}/{name}" for name in sorted(book.file_names(state.wnid) & sizes.keys())] if sizes else []
    if state.saved - lost < state.n:
        revisions += _reopened(book, state, options)
    return Found(lost, revisions, strays)


def _reopened(book: Manifest, state: ClassState, options: FetchOptions) -> Iterator[Revision]:
    """Lost candidates that the options give another chance."""
    for number, _, outcome in book.lost(state.wnid, options.retry):
        yield Revision(number, State.WAITING, None, f"--retry {outcome}")
    if options.second_try is not None:
        why = f"--second-try {options.second_try}"
        dead = frozenset(outcome for outcome in Outcome if outcome.kind is Kind.DEAD) - options.retry
        for number, url, name in book.lost(state.wnid, dead):
            if live_url(url) is not None:
                yield Revision(number, State.WAITING, Outcome(name), why, options.second_try, Outcome(name))
