"""What a fetch finds of earlier runs: images that are gone or changed, candidates given another chance.

A class is looked at when its turn comes, before anything of it is asked for, so that a fetch begins at once however
many images there are.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scraper.files.looking import sizes_in
from scraper.files.names import Place
from scraper.flickr import live_url
from scraper.manifest.access.candidates import images, lost, resting_in
from scraper.model import Kind, Outcome, State
from scraper.records import Revision
from scraper.running.removing import check_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scraper.fetching.options import FetchOptions
    from scraper.manifest.core import Manifest
    from scraper.records import ClassState


def check_out(book: Manifest, options: FetchOptions) -> None:
    """Refuse an output folder that has nothing of the manifest's images.

    Raises:
        InputError: it has not; another folder is meant.
    """
    check_folder(book, options.out, "to fetch all of them again")


@dataclass(frozen=True, slots=True)
class Found:
    """How a class stands.

    Attributes:
        images: on record, whatever the counts say.
        missing: of these, images whose file is not there.
        changed: those whose file is of another size.
        revisions: what becomes of candidates thereby, and by the options.
    """

    images: int
    missing: int
    changed: int
    revisions: list[Revision]

    @property
    def left(self) -> int:
        """Images that are there."""
        return self.images - self.missing - self.changed


class Losses:
    """What was found of lost images, to be told at the first and of all others together."""

    def __init__(self) -> None:
        self._missing = 0
        self._changed = 0
        self._miscounted = 0
        self._told = False

    def add(self, found: Found, counted: int) -> None:
        """Note how a class stands, that was counted to have so many images."""
        self._missing += found.missing
        self._changed += found.changed
        self._miscounted += found.images != counted

    def lines(self, *, last: bool) -> list[str]:
        """What is to be told now, or after the `last` class."""
        lines = []
        lost = self._missing + self._changed
        if lost and (last or not self._told):
            more = " more" if self._told else ""
            what, they = ("image was", "it") if lost == 1 else ("images were", "they")
            stay = "; what was changed stays as it is" if self._changed else ""
            lines.append(f"{lost}{more} {what} missing or of the wrong size; {they} will be fetched again{stay}")
            self._missing = self._changed = 0
            self._told = True
        if self._miscounted and last:
            what = "1 class was" if self._miscounted == 1 else f"{self._miscounted} classes were"
            lines.append(f"the images of {what} counted wrong: `scraper verify --repair` counts again")
            self._miscounted = 0
        return lines


def look_at(book: Manifest, state: ClassState, options: FetchOptions) -> Found:
    """Compare the files of a class with its images, by name and size; nothing is read of them."""
    recorded = images(book, state.wnid)
    sizes = sizes_in(options.out, state.wnid) if recorded else {}
    revisions = []
    changed = 0
    for number, path, size in recorded:
        there = sizes.get(Place.of(path).name)
        if there != size:
            changed += there is not None
            revisions.append(Revision(number, State.WAITING, None, "the file was missing or of another size"))
    gone = len(revisions)
    if len(recorded) - gone < state.n:
        revisions += _reopened(book, state, options)
    return Found(len(recorded), gone - changed, changed, revisions)


def _reopened(book: Manifest, state: ClassState, options: FetchOptions) -> Iterator[Revision]:
    """Candidates that are lost, or rest, and that the options give another chance."""
    for number, _, outcome in lost(book, state.wnid, options.retry):
        yield Revision(number, State.WAITING, None, f"--retry {outcome}")
    if unknown := frozenset(outcome for outcome in options.retry if outcome.kind is Kind.UNKNOWN):
        for number, _, outcome in resting_in(book, state.wnid, unknown, time.time()):
            yield Revision(number, State.WAITING, None, f"--retry {outcome}")
    if options.second_try is not None:
        why = f"--second-try {options.second_try}"
        dead = frozenset(outcome for outcome in Outcome if outcome.kind is Kind.DEAD) - options.retry
        for number, url, name in lost(book, state.wnid, dead):
            if live_url(url) is not None:
                yield Revision(number, State.WAITING, Outcome(name), why, options.second_try, Outcome(name))
