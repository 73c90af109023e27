"""A command's hold on a manifest: one writer at a time, and a row in `runs` for each run however it ends."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scraper.config import LOCK_WAIT
from scraper.errors import InputError, ManifestError, ScraperError
from scraper.manifest.core import Manifest
from scraper.manifest.database import check_ordinary
from scraper.manifest.lock import RunLock
from scraper.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path


@dataclass
class Run:
    """A run under way: its id in the manifest, and the exit code it will be recorded with."""

    id: int
    exit_code: int = 0


@contextlib.contextmanager
def exclusive(path: Path, *, create: bool, lock_wait: float = LOCK_WAIT) -> Iterator[Manifest]:
    """Open the manifest at `path` for the only writer.

    Args:
        path: of the manifest.
        create: whether to make one where there is none.
        lock_wait: seconds to wait where another program keeps an existing one locked.

    Raises:
        ManifestError: it cannot be used, or another run holds it.
    """
    check_ordinary(path)
    new = not path.exists()
    fresh = create and (new or Manifest.unmade(path))
    if not fresh:
        Manifest.open(path).close()  # before anything is made beside a file that is not ours
    else:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ManifestError(f"cannot make the folder {path.parent}: {error.strerror}") from error
    lock = RunLock(path)
    lock.acquire()
    try:
        with Manifest.create(path) if create else Manifest.open(path, write=True, lock_wait=lock_wait) as manifest:
            yield manifest
    except InputError:
        if new:  # wrong input leaves nothing behind
            for leftover in (path, *(path.with_name(path.name + suffix) for suffix in ("-wal", "-shm", ".lock"))):
                leftover.unlink(missing_ok=True)
        raise
    finally:
        lock.release()


@contextlib.contextmanager
def recorded(manifest: Manifest, command: str, argv: Sequence[str]) -> Iterator[Run]:
    """Record a run, and how it ended; what is raised inside passes through."""
    run = Run(manifest.start_run(command, argv, __version__, time.time()))
    try:
        yield run
    except BaseException as error:
        with contextlib.suppress(ScraperError):  # the manifest may be what failed; the first error is the one to show
            manifest.end_run(run.id, _exit_code(error), time.time())
        raise
    manifest.end_run(run.id, run.exit_code, time.time())


@contextlib.contextmanager
def recorded_whole(manifest: Manifest, command: str, argv: Sequence[str]) -> Iterator[Run]:
    """Record a run that is one transaction: all of it counts, or nothing was changed.

    Of a run that was cut short only its row is kept; of one whose input was wrong, nothing.
    """
    started_at = time.time()
    try:
        with manifest.transaction():
            run = Run(manifest.start_run(command, argv, __version__, started_at))
            yield run
            manifest.end_run(run.id, run.exit_code, time.time())
    except InputError:
        raise
    except BaseException as error:
        with contextlib.suppress(ScraperError):
            run_id = manifest.start_run(command, argv, __version__, started_at)
            manifest.end_run(run_id, _exit_code(error), time.time())
        raise


def _exit_code(error: BaseException) -> int:
    return error.exit_code if isinstance(error, ScraperError) else 1
