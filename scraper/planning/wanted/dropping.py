"""Taking classes out of what is wanted."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scraper.config import DEFAULT_MANIFEST
from scraper.errors import InputError
from scraper.files.store import Folder
from scraper.kinds import several
from scraper.manifest.access import lists, withdrawing
from scraper.model import State
from scraper.naming.shipped import wordnet
from scraper.naming.taking import planned, told
from scraper.planning.classlists import ClassList, read_classes
from scraper.planning.wanted.options import DropOptions
from scraper.records import Revision
from scraper.running.removing import check_folder, remove_images
from scraper.running.session import exclusive, recorded
from scraper.running.unfinished import clear_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scraper.manifest.access.lists import ClassEntry
    from scraper.manifest.access.withdrawing import Recorded
    from scraper.manifest.core import Manifest
    from scraper.model import Wnid

_WHY = "its class was dropped with its images"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropSummary:
    """What was dropped.

    Attributes:
        classes: those that are out of what is wanted now.
        before: how many of them were already.
        deleted: images that are gone.
        bytes: of them.
        stayed: paths of files that were let be, since they are not as recorded or somebody else's too.
    """

    manifest: Path
    classes: tuple[Wnid, ...]
    before: int
    deleted: int = 0
    bytes: int = 0
    stayed: tuple[str, ...] = ()


def drop(
    classes: Iterable[str] | ClassList,
    options: DropOptions | None = None,
    *,
    manifest: Path | str = DEFAULT_MANIFEST,
    argv: Sequence[str] = (),
) -> DropSummary:
    """Take classes out of what is wanted: they leave the report and are not fetched; `plan` takes them up again.

    Args:
        classes: ids, names or labels of classes that are planned, or a list that was read.
        options: what to do.
        manifest: path of the manifest.
        argv: the command line, for the record.

    Raises:
        InputError: a class is not planned or not clear, or the folder of the images is missing; nothing was changed.
        ManifestError: the manifest cannot be used, or another run holds it.
        StoppedEarlyError: the file system refused; the same command goes on.
    """
    options, path = DropOptions.or_default(options), Path(manifest)
    read = classes if isinstance(classes, ClassList) else read_classes(several(classes), place="item")
    with exclusive(path, create=False) as book:
        known = {entry.wnid: entry for entry in lists.classes(book)}
        wnids = _meant(read, known)
        before = sum(known[wnid].dropped_at is not None for wnid in wnids)
        images = (
            [image for wnid in wnids for image in withdrawing.images_of(book, wnid)] if options.delete_images else []
        )
        if images and not options.out.is_dir():
            raise InputError(f"there is no folder {options.out}: give the --out that fetch wrote to")
        if images:
            check_folder(book, options.out, "if they are gone")
            Folder(options.out, owner=book.owner).close()  # whether it can be written to, before anything is changed
        with recorded(book, "drop", argv) as run:
            withdrawing.drop(book, wnids, time.time())
            stayed = _delete(book, run.id, options.out, images) if images else ()
            if options.delete_images:
                clear_up(book, options.out)  # what a drop that was cut short left
        return DropSummary(
            manifest=path,
            classes=tuple(wnids),
            before=before,
            deleted=len(images) - len(stayed),
            bytes=_bytes(images, stayed),
            stayed=tuple(sorted(stayed)),
        )


def _meant(read: ClassList, known: Mapping[Wnid, ClassEntry]) -> list[Wnid]:
    said = [*((0, str(request.wnid)) for request in read.classes), *read.unread]
    if not said:
        raise InputError("no class was given: name some that are planned")
    place = "" if read.place == "argument" else read.place
    wnids, problems = planned(wordnet, said, {wnid: entry.label for wnid, entry in known.items()}, place=place)
    if problems:
        raise InputError(told(problems, len(problems)))
    return wnids


def _delete(book: Manifest, run_id: int, out: Path, images: Sequence[Recorded]) -> tuple[str, ...]:
    """Delete images, files and rows together; returns the paths of files that stay."""
    theirs = [image.path for image in images if image.adopted]
    ours = [(image.path, image.bytes, image.sha256) for image in images if not image.adopted]
    revisions = [Revision(image.candidate_id, State.WAITING, None, _WHY) for image in images]
    marks = {image.path: image.mark for image in images if not image.adopted and image.mark is not None}
    return (*theirs, *remove_images(book, run_id, out, ours, revisions, marks=marks))


def _bytes(images: Sequence[Recorded], stayed: Sequence[str]) -> int:
    return sum(image.bytes for image in images if image.path not in set(stayed))
