"""Removing images and their rows together, safe against a kill at any moment.

It is the journal's rule turned round: the names to be removed stand in it under a word that the manifest does not have
yet, and the transaction that removes their rows gives the manifest this word. Before it, the files have their rows and
stay; from it on they are unfinished work of ours, which this run, or the next one, clears up.
"""

from __future__ import annotations

import contextlib
import time
from itertools import chain
from typing import TYPE_CHECKING

from scraper.errors import InputError
from scraper.files.looking import sizes_in
from scraper.files.names import Place
from scraper.files.store import Folder
from scraper.manifest.access.audit import classes_with_images, count_images
from scraper.manifest.access.candidates import images as images_of
from scraper.manifest.access.recording import Batch, record, record_removal
from scraper.running.unfinished import clear_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from scraper.manifest.access.withdrawing import Withdrawal
    from scraper.manifest.core import Manifest
    from scraper.model import Wnid
    from scraper.records import Revision


def check_folder(book: Manifest, out: Path, why: str) -> None:
    """Refuse an output folder that has nothing of the manifest's images; `why` one may want it all the same.

    Raises:
        InputError: it has not; another folder is meant.
    """
    classes = classes_with_images(book)
    first = next(classes, None)
    if first is not None and not any(_any_there(book, wnid, out) for wnid in chain((first,), classes)):
        raise InputError(
            f"none of the {count_images(book)} images of this manifest are in {out}: give the --out of the earlier run "
            f"({why}, run `scraper verify --repair --missing-anyway` first)"
        )


def _any_there(book: Manifest, wnid: Wnid, out: Path) -> bool:
    sizes = sizes_in(out, wnid)
    return bool(sizes) and any(sizes.get(Place.of(path).name) == size for _, path, size in images_of(book, wnid))


def remove_images(
    book: Manifest,
    run_id: int,
    out: Path,
    images: Iterable[tuple[str, int, str]],
    revisions: Sequence[Revision],
    *,
    withdrawals: Sequence[Withdrawal] = (),
    marks: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """Remove images, their files where they are as recorded; returns the paths of files that are not and stay.

    Args:
        book: the manifest, open for writing.
        run_id: the run.
        out: the output folder.
        images: path, size in bytes and SHA-256 of each.
        revisions: what becomes of their candidates, whose rows in `image` go; others may be among them.
        withdrawals: what is left out from now on, recorded with them.
        marks: by path, what told files from any others when they were written. On those that have another one now
            another manifest that shares the folder may count, and they stay.

    Raises:
        InputError: the folder cannot be written to; nothing was changed.
        StoppedEarlyError: the file system refused; the next run goes on where the manifest says so.
    """
    images, batch = tuple(images), Batch(revisions=revisions, withdrawals=withdrawals)
    clear_up(book, out)  # what an earlier run was killed over, which nobody would know for ours under another word
    if not images:
        record(book, run_id, batch, time.time())
        return ()
    with contextlib.closing(Folder(out, owner=book.owner)) as folder:
        found = {path: folder.claim(Place.of(path), size=size, sha256=sha256) for path, size, sha256 in images}
        marked = {claim: (marks or {}).get(path) for path, claim in found.items() if claim is not None}
        removed = set(folder.announce(marked, [batch.word]))
        record_removal(book, run_id, batch, time.time())
    clear_up(book, out)
    return tuple(path for path, claim in found.items() if claim not in removed)
