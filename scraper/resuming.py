"""What a fetch finds of earlier runs: images that are gone, files left behind, candidates given another chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scraper.errors import InputError
from scraper.flickr import live_url
from scraper.model import Kind, Outcome, Revision, State, Wnid
from scraper.store import compare, folders_in, sizes_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scraper.config import FetchOptions
    from scraper.manifest import Manifest


def compare_files(book: Manifest, out: Path) -> tuple[list[int], list[str]]:
    """Images whose file is lost, and files that a run cut short left behind.

    Those have the name of a candidate but no row: the next try for it would replace them. Any other file in the
    folder is somebody's own and is let be.
    """
    lost, others = compare(out, book.images())
    if lost and not any(others.values()) and len(lost) == book.count_images():
        raise InputError(
            f"none of the {len(lost)} images of this manifest are in {out}: give the --out of the earlier run "
            "(to fetch all of them again, run `scraper verify --repair` first)"
        )
    for folder in book.resolved().intersection(folders_in(out)).difference(others):
        others[folder] = set(sizes_in(out, folder))
    strays = [
        f"{folder}/{name}"
        for folder, names in others.items()
        if names
        for name in sorted(names & book.file_names(Wnid(folder)))
    ]
    return lost, strays


def reopened(book: Manifest, options: FetchOptions) -> Iterator[Revision]:
    """Lost candidates of short classes that the options give another chance. They may be recorded meanwhile."""
    for number, _, outcome in book.lost(options.retry):
        yield Revision(number, State.WAITING, None, f"--retry {outcome}")
    if options.repair is not None:
        why = f"--repair {options.repair}"
        dead = frozenset(outcome for outcome in Outcome if outcome.kind is Kind.DEAD) - options.retry
        for number, url, name in book.lost(dead):
            if live_url(url) is not None:
                yield Revision(number, State.WAITING, Outcome(name), why, options.repair, Outcome(name))
