"""Re-reading what was saved: every image against its recorded size and SHA-256, and the manifest against itself."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scraper.config import DEFAULT_MANIFEST
from scraper.errors import InputError, InterruptedRunError
from scraper.files.store import PARTIAL, digest, files_in, remove
from scraper.manifest.access import audit
from scraper.manifest.access.candidates import images
from scraper.manifest.access.recording import Batch, record
from scraper.manifest.core import Manifest
from scraper.manifest.lock import RunLock
from scraper.model import Revision, State, Wnid
from scraper.running.crew import Stop
from scraper.running.session import exclusive, recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


@dataclass(frozen=True, slots=True)
class VerifyProgress:
    """How far a verification is: images read, of all."""

    done: int
    images: int


@dataclass(frozen=True, slots=True)
class VerifySummary:
    """What a verification found.

    Attributes:
        images: images on record.
        missing: paths whose file is not there.
        damaged: paths whose file has another size or SHA-256 than recorded.
        strays: files in the classes' folders, and temporary files, that the manifest does not speak of; not looked
            for while a run is writing.
        inconsistent: what in the manifest contradicts itself, a line each.
        repaired: whether all of this was mended.
    """

    manifest: Path
    images: int
    missing: tuple[str, ...]
    damaged: tuple[str, ...]
    strays: tuple[str, ...]
    inconsistent: tuple[str, ...]
    repaired: bool

    @property
    def sound(self) -> bool:
        """Whether nothing was wrong."""
        return not (self.missing or self.damaged or self.strays or self.inconsistent)


def _ignore(_: object) -> None:
    pass


def verify(
    *,
    out: Path | str = "images",
    repair: bool = False,
    manifest: Path | str = DEFAULT_MANIFEST,
    progress: Callable[[VerifyProgress], None] = _ignore,
    stop: Stop | None = None,
    argv: Sequence[str] = (),
) -> VerifySummary:
    """Re-read every saved image and compare it with the manifest.

    Args:
        out: folder of the images.
        repair: put missing and damaged images back to waiting, remove strays and temporary files, and recount.
        manifest: path of the manifest.
        progress: called from time to time, in this thread.
        stop: lets another thread or a signal handler stop it.
        argv: the command line, for the record.

    Raises:
        InputError: there is no such folder.
        ManifestError: the manifest cannot be used, or `repair` is asked for while a run is writing.
        InterruptedRunError: `stop` was asked.
    """
    path, folder, stop = Path(manifest), Path(out), stop or Stop()
    if not repair:
        with Manifest.open(path) as book, book.snapshot():
            return _examine(book, folder, progress, stop, repair=False, running=RunLock(path).held())
    with exclusive(path, create=False) as book, recorded(book, "verify", argv) as run:
        found = _examine(book, folder, progress, stop, repair=True, running=False)
        _repair(book, run.id, folder, found)
        return VerifySummary(
            path, found.images, found.missing, found.damaged, found.strays, found.inconsistent, repaired=True
        )


def _examine(
    book: Manifest, folder: Path, progress: Callable[[VerifyProgress], None], stop: Stop, *, repair: bool, running: bool
) -> VerifySummary:
    count = audit.count_images(book)
    if count and not repair and not folder.is_dir():
        raise InputError(f"there is no folder {folder}: give the --out that fetch wrote to")
    missing, damaged = [], []
    for number, (path, size, sha256) in enumerate(audit.image_digests(book), start=1):
        found = digest(folder, path)
        if found is None:
            missing.append(path)
        elif found != (size, sha256):
            damaged.append(path)
        progress(VerifyProgress(number, count))
        if stop.asked:
            raise InterruptedRunError("interrupted; nothing was changed")
    strays = [] if running else list(_strays(book, folder))
    return VerifySummary(
        book.path,
        count,
        tuple(missing),
        tuple(damaged),
        tuple(strays),
        tuple(audit.contradictions(book)),
        repaired=False,
    )


def _strays(book: Manifest, folder: Path) -> Iterator[str]:
    """Files in the classes' folders that are no image's, and temporary files."""
    for wnid in audit.class_names(book):
        if files := files_in(folder, wnid):
            yield from sorted(files.difference(path for _, path, _ in images(book, wnid)))
    yield from sorted(files_in(folder, f"{PARTIAL}/{book.owner}"))


def _repair(book: Manifest, run_id: int, folder: Path, found: VerifySummary) -> None:
    lost = {*found.missing, *found.damaged}
    revisions = [
        Revision(number, State.WAITING, None, "the file was missing or damaged")
        for wnid in sorted({path.partition("/")[0] for path in lost})
        for number, path, _ in images(book, Wnid(wnid))
        if path in lost
    ]
    record(book, run_id, Batch(revisions=revisions), time.time())
    audit.recount(book)
    for path in (*found.damaged, *found.strays):
        remove(folder, path)
