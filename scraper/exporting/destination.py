"""Where a dataset goes: built beside its place and put there in one step, so that a kill leaves the old one or the new.

    .DEST.scraper-<random>    while it is built, locked by its builder
    DEST                      once it is whole

What stands at the place is replaced only where an export wrote it and nothing was added since: a folder tells by the
list of its files in `.scraper-export`, which has the digests of those that people edit, a file by its first line.
Nothing is synced: an export that a power cut damaged is made again from the images, which are.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.errors import InputError, StoppedEarlyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MARK: Final = ".scraper-export"
_MARK_HEAD: Final = "scraper export 1"
_EDITED: Final = (".md", ".json", ".csv")
"""Endings of what people may have worked on since."""
_BUILDING: Final = ".scraper-"
_AT_FDCWD: Final = -100
_EXCHANGE: Final = 2
"""RENAME_EXCHANGE of renameat2(2), https://man7.org/linux/man-pages/man2/rename.2.html."""
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True, slots=True)
class Site:
    """A dataset under construction: write to `path`."""

    path: Path


@contextlib.contextmanager
def building(dest: Path, *, is_folder: bool, first_line: str, overwrite: bool) -> Iterator[Site]:
    """Build a dataset and put it in its place, all or nothing.

    Args:
        dest: its place.
        is_folder: whether it is a folder or one file.
        first_line: how a file of this form begins, by which an older one is known; empty for any JSON line of ours.
        overwrite: whether an older export may be replaced.

    Raises:
        InputError: there is something at the place that may not be replaced, or nothing can be written there.
        StoppedEarlyError: the disk is full; nothing is left behind.
    """
    _refuse_foreign(dest, is_folder=is_folder, first_line=first_line, overwrite=overwrite)
    _clear_abandoned(dest)
    holder = dest.parent / f".{dest.name}{_BUILDING}{secrets.token_hex(6)}"
    try:
        dest.parent.mkdir(parents=True, exist_ok=True)
        holder.mkdir()
        lock = os.open(holder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise (
            _stopped(dest, error)
            if error.errno in _FULL
            else InputError(f"cannot write to {dest}: {error.strerror}; give another DEST")
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        site = Site(holder / "dataset")
        if is_folder:
            site.path.mkdir()
        yield site
        _finish(site.path, is_folder=is_folder)
        _put(site.path, dest)
    except OSError as error:
        raise _stopped(dest, error) from error
    finally:
        shutil.rmtree(holder, ignore_errors=True)
        os.close(lock)


def _stopped(dest: Path, error: OSError) -> StoppedEarlyError:
    why = "the disk is full" if error.errno in _FULL else (error.strerror or str(error))
    return StoppedEarlyError(f"cannot write to {dest}: {why}; nothing was left there, mend that and export again")


def _refuse_foreign(dest: Path, *, is_folder: bool, first_line: str, overwrite: bool) -> None:
    if dest.is_symlink() or (dest.exists() and not (dest.is_dir() or dest.is_file())):
        raise InputError(f"{dest} is neither a folder nor a file: give another DEST")
    if not dest.exists() or (dest.is_dir() and is_folder and not any(dest.iterdir())):
        return
    if not overwrite:
        raise InputError(f"{dest} is there already: give another DEST, or --overwrite to replace an export")
    foreign = _foreign_in(dest) if dest.is_dir() else _foreign_file(dest, first_line)
    if foreign is not None or dest.is_dir() is not is_folder:
        raise InputError(f"{dest} is not replaced: {foreign or 'it is of another kind'}; give another DEST")


def _foreign_in(folder: Path) -> str | None:
    """What in a folder no export wrote; None where all is an export's."""
    try:
        head, *listed = (folder / MARK).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError, ValueError):
        return "no export wrote it"
    if head != _MARK_HEAD:
        return "no export of this version wrote it"
    known = {MARK: "", **{name: digest for name, _, digest in (line.partition("\t") for line in listed)}}
    for name in _files(folder):
        if name not in known:
            return f"no export wrote {name} in it"
        if known[name] and known[name] != _digest(folder / name):
            return f"someone changed {name} in it"
    return None


def _digest(path: Path) -> str | None:
    """The SHA-256 of a file, None where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _foreign_file(path: Path, first_line: str) -> str | None:
    with path.open("rb") as file:
        start = file.read(200)
    begins = start.startswith(first_line.encode()) if first_line else start.startswith(b'{"file_name": ')
    return None if begins or not start else "no export wrote it"


def _files(folder: Path) -> Iterator[str]:
    """Whatever is no folder below a folder, links too, by relative path in a fixed order."""
    root = str(folder)
    for where, folders, names in os.walk(root):
        folders.sort()
        below = where[len(root) + 1 :] + "/" * (where != root)
        for name in sorted([*names, *(one for one in folders if stat.S_ISLNK(os.lstat(f"{where}/{one}").st_mode))]):
            yield below + name


def _clear_abandoned(dest: Path) -> None:
    """Remove what exports to the same place left when they were killed: those that nobody holds the lock of."""
    for holder in dest.parent.glob(f".{dest.name}{_BUILDING}*") if dest.parent.is_dir() else ():
        with contextlib.suppress(OSError):
            lock = os.open(holder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(holder, ignore_errors=True)
            finally:
                os.close(lock)


def _finish(path: Path, *, is_folder: bool) -> None:
    """Write down what a folder holds."""
    if is_folder:
        lines = (f"{name}\t{_digest(path / name)}" if name.endswith(_EDITED) else name for name in _files(path))
        (path / MARK).write_text("\n".join([_MARK_HEAD, *lines]) + "\n", encoding="utf-8")


def _put(path: Path, dest: Path) -> None:
    """Give the dataset its name in one step; what had the name before goes where it was built, to be removed."""
    if not dest.exists() or (dest.is_dir() and not any(dest.iterdir())) or dest.is_file():
        path.replace(dest)
        return
    if _exchanged(path, dest):
        return
    # A system that cannot exchange names: for a moment there is neither, and the old one stands beside.
    old = path.with_name("old")
    dest.rename(old)
    path.rename(dest)


def _exchanged(path: Path, dest: Path) -> bool:
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return bool(rename(_AT_FDCWD, os.fsencode(path), _AT_FDCWD, os.fsencode(dest), _EXCHANGE) == 0)
