"""Descriptors: folders are opened step by step without following links, and of files only ordinary ones.

Whatever else stands in a file's place (a FIFO, which would hang; a device, which would do something; a link, which
leads elsewhere) is not opened.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
from typing import TYPE_CHECKING, Final

from scraper.errors import StoppedEarlyError
from scraper.files.names import PARTIAL, checked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ROOT: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FOLDER: Final = _ROOT | os.O_NOFOLLOW
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
TRANSIENT: Final = (*_FULL, errno.EIO, errno.EMFILE, errno.ENFILE)
"""Failures of the machine, which pass; others of a folder that is opened are the fault of who named it."""
_TIMES: Final = 5
"""How often a folder is made anew that another run, which has ended, removes at the same moment."""


class stopping:  # noqa: N801 - used as contextlib's own are, which cost five times as much
    """Turn a failure of the file system into the end of the run, which can be resumed once it is mended."""

    __slots__ = ("_parts",)

    def __init__(self, *parts: object) -> None:
        self._parts = parts

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise stopped("/".join(str(part) for part in self._parts), error) from error


def stopped(path: object, error: OSError) -> StoppedEarlyError:
    """The end of a run that could not write to `path`."""
    why = "the disk is full" if error.errno in _FULL else (error.strerror or str(error))
    return StoppedEarlyError(f"cannot write to {path}: {why}; mend that and run `scraper fetch` again")


def open_root(path: Path) -> int:
    """A descriptor of the output folder itself, by whatever links the user leads there."""
    return os.open(path, _ROOT)


def open_folder(parent: int, name: str) -> int:
    """A descriptor of the folder `name` in `parent`."""
    return os.open(name if name == PARTIAL else checked(name), _FOLDER, dir_fd=parent)


def make_folder(parent: int, name: str) -> int:
    """The same, made where there is none."""
    for _ in range(_TIMES):
        with contextlib.suppress(FileNotFoundError):
            return open_folder(parent, name)
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, 0o755, dir_fd=parent)
            os.fsync(parent)
    return open_folder(parent, name)


def make(path: Path) -> None:
    """Make a folder and those above it where there are none, with their names safe from a power cut."""
    if path.is_dir():
        return
    if not path.parent.exists():
        make(path.parent)
    path.mkdir(exist_ok=True)
    parent = open_root(path.parent)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


@contextlib.contextmanager
def descend(root: Path, *folders: str) -> Iterator[int]:
    """A descriptor of a folder below `root`."""
    opened = open_root(root)
    try:
        for name in folders:
            below = open_folder(opened, name)
            os.close(opened)
            opened = below
        yield opened
    finally:
        os.close(opened)


@contextlib.contextmanager
def open_file(folder: int, name: str) -> Iterator[tuple[int, os.stat_result]]:
    """A descriptor of the ordinary file `name` in a folder, to be read, and what the system says of it.

    Raises:
        OSError: there is none; what is there may be something else.
    """
    _ordinary(os.stat(name, dir_fd=folder, follow_symlinks=False))  # since to open some devices does something
    file = os.open(name, _FILE, dir_fd=folder)
    try:
        yield file, _ordinary(os.fstat(file))
    finally:
        os.close(file)


def _ordinary(found: os.stat_result) -> os.stat_result:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not an ordinary file")
    return found


def locked(file: int, how: int) -> bool:
    """Take a lock; whether it was to be had. A file system without locks has all of them free."""
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
