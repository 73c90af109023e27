"""Re-reading what was saved: every image against its recorded size and SHA-256, and the manifest against itself."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from scraper.auditing.options import VerifyOptions
from scraper.auditing.strays import find_strays, remove_strays
from scraper.config import DEFAULT_MANIFEST
from scraper.errors import InputError, InterruptedRunError
from scraper.files.looking import Condition, condition
from scraper.files.names import Place
from scraper.manifest.access import audit
from scraper.manifest.access.candidates import images
from scraper.manifest.access.recording import Batch, record
from scraper.manifest.core import Manifest
from scraper.manifest.lock import RunLock
from scraper.model import State, Wnid
from scraper.records import Revision
from scraper.running.crew import Stop
from scraper.running.session import exclusive, recorded
from scraper.running.unfinished import clear_up, unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scraper.auditing.strays import Strays


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyProgress:
    """How far a verification is: images read, of all."""

    done: int
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySummary:
    """What a verification found.

    Attributes:
        images: images on record.
        missing: paths that no ordinary file has.
        damaged: paths whose file has another size or SHA-256 than recorded, be it damaged or changed by someone.
        strays: what there is in the classes' folders that the manifest does not speak of, and what runs of others
            that were cut short have in the folder for unfinished work; not looked for while a run is writing.
        unfinished: files that runs of this manifest which were cut short left, and the next fetch removes.
        inconsistent: what in the manifest contradicts itself, a line each.
        repaired: whether all of this but the strays was mended.
        removed: strays that were removed; `strays` are then those that stay.
    """

    manifest: Path
    images: int
    missing: tuple[str, ...]
    damaged: tuple[str, ...]
    strays: tuple[str, ...]
    unfinished: tuple[str, ...]
    inconsistent: tuple[str, ...]
    repaired: bool = False
    removed: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.missing or self.damaged or self.strays or self.inconsistent)


def _ignore(_: object) -> None:
    pass


def verify(
    options: VerifyOptions | None = None,
    *,
    manifest: Path | str = DEFAULT_MANIFEST,
    progress: Callable[[VerifyProgress], None] = _ignore,
    notice: Callable[[str], None] = _ignore,
    stop: Stop | None = None,
    argv: Sequence[str] = (),
) -> VerifySummary:
    """Re-read every saved image and compare it with the manifest.

    Args:
        options: what to do.
        manifest: path of the manifest.
        progress: called from time to time, in this thread.
        notice: called with a line that a person watching should see.
        stop: lets another thread or a signal handler stop it.
        argv: the command line, for the record.

    Raises:
        InputError: the folder is missing, or seems to be another than that of the images; nothing was changed.
        ManifestError: the manifest cannot be used, or something is to be changed while a run is writing.
        InterruptedRunError: `stop` was asked; nothing was changed.
    """
    path, options, stop = Path(manifest), VerifyOptions.or_default(options), stop or Stop()
    if options.missing_anyway and not options.repair:
        raise InputError("--missing-anyway says which images to put back to waiting, and so goes with --repair")
    if not (options.repair or options.remove_strays):
        with Manifest.open(path) as book, book.snapshot():
            running = RunLock(path).held()
            return _examine(book, options, progress, stop, None if running else find_strays(book, options.out))
    with exclusive(path, create=False) as book:
        strays = find_strays(book, options.out)
        found = _examine(book, options, progress, stop, strays)
        _check_out(found, options)
        with recorded(book, "verify", argv) as run:
            if options.repair:
                found = _repair(book, run.id, options.out, found)
            if options.remove_strays:
                removed = remove_strays(options.out, strays, notice)
                found = replace(found, strays=tuple(sorted(set(found.strays) - set(removed))), removed=removed)
        return found


def _examine(
    book: Manifest,
    options: VerifyOptions,
    progress: Callable[[VerifyProgress], None],
    stop: Stop,
    strays: Strays | None,
) -> VerifySummary:
    count, out = audit.count_images(book), options.out
    if count and not out.is_dir() and not options.missing_anyway:
        raise InputError(f"there is no folder {out}: give the --out that fetch wrote to{_gone(options)}")
    missing, damaged = [], []
    for number, (path, size, sha256) in enumerate(audit.image_digests(book), start=1):
        match condition(out, Place.of(path), size=size, sha256=sha256):
            case Condition.MISSING:
                missing.append(path)
            case Condition.OTHER:
                damaged.append(path)
            case Condition.SOUND:
                pass
        progress(VerifyProgress(done=number, images=count))
        if stop.asked:
            raise InterruptedRunError("interrupted; nothing was changed")
    return VerifySummary(
        manifest=book.path,
        images=count,
        missing=tuple(missing),
        damaged=tuple(damaged),
        strays=strays.paths if strays else (),
        unfinished=tuple(path for one in unfinished(book, out) for path in one.paths) if strays else (),
        inconsistent=tuple(audit.contradictions(book)),
    )


def _gone(options: VerifyOptions) -> str:
    return "; if they are gone, `scraper verify --repair --missing-anyway` says so" if options.repair else ""


def _check_out(found: VerifySummary, options: VerifyOptions) -> None:
    """Refuse to change anything by a folder that seems to be another than that of the images."""
    lost = len(found.missing) + len(found.damaged)
    if options.remove_strays and found.images == lost:
        raise InputError(f"no image of this manifest is in {options.out} as recorded, so nothing there is left over")
    if options.repair and 2 * lost > found.images and not options.missing_anyway:
        some = "the one image is" if found.images == 1 else f"{lost:,} of {found.images:,} images are"
        raise InputError(f"{some} not in {options.out} as recorded: give the --out that fetch wrote to{_gone(options)}")


def _repair(book: Manifest, run_id: int, out: Path, found: VerifySummary) -> VerifySummary:
    lost = {*found.missing, *found.damaged}
    revisions = [
        Revision(number, State.WAITING, None, "the file was missing or damaged")
        for wnid in sorted({Wnid(Place.of(path).folder) for path in lost})
        for number, path, _ in images(book, wnid)
        if path in lost
    ]
    record(book, run_id, Batch(revisions=revisions), time.time())
    audit.recount(book)
    clear_up(book, out)
    return replace(found, unfinished=(), repaired=True)
