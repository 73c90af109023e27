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
from scraper.manifest.access.audit import classes_with_images, count_images
from scraper.manifest.access.candidates import file_names, images, lost
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
    there = classes_with_images(book)
    if there and not any(sizes_in(options.out, wnid) for wnid in there):
        raise InputError(
            f"none of the {count_images(book)} images of this manifest are in {options.out}: give the --out of the "
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
    for number, path, size in images(book, state.wnid) if state.saved else ():
        name = path.rpartition("/")[2]
        if sizes.get(name) == size:
            del sizes[name]
        else:  # a file of another size stays among the others: it is not the image
            revisions.append(Revision(number, State.WAITING, None, "the file was missing or of another size"))
    gone = len(revisions)
    # The next try for such a candidate would replace the file. Any other file is somebody's own and is let be.
    strays = [f"{state.wnid}/{name}" for name in sorted(file_names(book, state.wnid) & sizes.keys())] if sizes else []
    if state.saved - gone < state.n:
        revisions += _reopened(book, state, options)
    return Found(gone, revisions, strays)


def _reopened(book: Manifest, state: ClassState, options: FetchOptions) -> Iterator[Revision]:
    """Lost candidates that the options give another chance."""
    for number, _, outcome in lost(book, state.wnid, options.retry):
        yield Revision(number, State.WAITING, None, f"--retry {outcome}")
    if options.second_try is not None:
        why = f"--second-try {options.second_try}"
        dead = frozenset(outcome for outcome in Outcome if outcome.kind is Kind.DEAD) - options.retry
        for number, url, name in lost(book, state.wnid, dead):
            if live_url(url) is not None:
                yield Revision(number, State.WAITING, Outcome(name), why, options.second_try, Outcome(name))
