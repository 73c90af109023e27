"""One run at a time on a manifest."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from typing import TYPE_CHECKING, Final

from scraper.errors import ManifestBusyError, ManifestError
from scraper.texts import one_line

if TYPE_CHECKING:
    from pathlib import Path

_KINDLY: Final = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
"""No link is followed, and no FIFO waited for."""
_LOOK: Final = 0.05
"""Seconds, far more than a look at the lock takes."""


class RunLock:
    """Keeps a second run off a manifest: a lock on a file beside it, which the system frees when its holder dies."""

    def __init__(self, manifest: Path) -> None:
        manifest = manifest.resolve()  # one file, one lock, by whatever links it is reached
        self._path = manifest.with_name(manifest.name + ".lock")
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            ManifestBusyError: another run holds it.
            ManifestError: the lock file cannot be made.
        """
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | _KINDLY, 0o644)
        except OSError as error:
            raise ManifestError(f"cannot make the lock file {self._path}: {error.strerror}") from error
        try:
            self._lock(file)
        except BlockingIOError:
            holder = one_line(os.pread(file, 200, 0).decode(errors="replace"), 100)
            os.close(file)
            raise ManifestBusyError(
                f"another run is using this manifest ({holder or 'unknown process'}); wait for it or stop it"
            ) from None
        self._file = file
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same, only its holder is not named
            os.ftruncate(file, 0)
            os.pwrite(file, f"process {os.getpid()}".encode(), 0)

    @staticmethod
    def _lock(file: int) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOOK)  # it may be one who only looks, as `held` does
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def held(self) -> bool:
        """Whether a run holds the lock. Nothing is made or changed to find out, and others who look do not count.

        Raises:
            ManifestError: the lock file cannot be read.
        """
        try:
            file = os.open(self._path, os.O_RDONLY | _KINDLY)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise ManifestError(f"cannot read the lock file {self._path}: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    def release(self) -> None:
        """Give the lock back; the file stays, since removing it would race with the next run."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None
