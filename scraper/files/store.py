"""The output folder: bytes go to a temporary file, are synced, and take their final name in one step.

    OUT/.partial/<owner>/<random>    while a picture is being written
    OUT/<wnid>/<file name>           once it is whole

A name is taken before its row is committed, and the bytes and the folder are on disk before that; so after a power
cut a row never lacks its file. Folders are opened without following links, so nothing is written outside OUT.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import secrets
from typing import TYPE_CHECKING, Final

from scraper.errors import InputError, StoppedEarlyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PARTIAL: Final = ".partial"
_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FOLDERS: Final = 32
"""Folders of classes that are kept open for renaming files into them."""
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_TRANSIENT: Final = (*_FULL, errno.EIO, errno.EMFILE, errno.ENFILE)
"""Failures of the machine, which pass; others of a folder that is opened are the fault of who named it."""


class _stopping:  # noqa: N801 - used as contextlib's own are, which cost five times as much
    """Turn a failure of the file system into the end of the run, which can be resumed once it is mended."""

    __slots__ = ("_parts",)

    def __init__(self, *parts: object) -> None:
        self._parts = parts

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError):
            raise _stopped("/".join(str(part) for part in self._parts), error) from error


def _stopped(path: object, error: OSError) -> StoppedEarlyError:
    why = "the disk is full" if error.errno in _FULL else (error.strerror or str(error))
    return StoppedEarlyError(f"cannot write to {path}: {why}; mend that and run `scraper fetch` again")


def _subfolder(parent: int, name: str) -> int:
    """A descriptor of the folder `name` in `parent`, which is made where there is none; a link is refused."""
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        os.mkdir(name, 0o755, dir_fd=parent)
        os.fsync(parent)
        return os.open(name, _FOLDER, dir_fd=parent)


def _make(path: Path) -> None:
    """Make a folder and those above it where there are none, with their names safe from a power cut."""
    if path.is_dir():
        return
    if not path.parent.exists():
        _make(path.parent)
    path.mkdir(exist_ok=True)
    parent = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


class Folder:
    """The output folder of one manifest.

    Temporary files may be written from many threads; everything else is for the one coordinator.
    """

    def __init__(self, path: Path, *, owner: str) -> None:
        """Open `path`, making it where there is none, and remove the temporary files an earlier run of `owner` left.

        Raises:
            InputError: the folder cannot be made or written to.
            StoppedEarlyError: it cannot at this moment, since the disk is full for instance.
        """
        self.path = path
        self._owner = owner
        self._dirty: set[str] = set()
        self._session = secrets.token_hex(4)
        self._numbers = itertools.count()
        self._folders: dict[str, int] = {}
        try:
            _make(path)
            self._root = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._partials = _subfolder(self._root, PARTIAL)
            self._partial = _subfolder(self._partials, owner)
            self.discard(self._write(b""))
        except OSError as error:
            if error.errno in _TRANSIENT:
                raise _stopped(path, error) from error
            raise InputError(
                f"cannot write to the output folder {path}: {error.strerror}; give another --out"
            ) from error
        for name in os.listdir(self._partial):
            self.discard(name)

    def close(self) -> None:
        """Remove the temporary files that are left, and their folders where nobody else uses them."""
        for name in os.listdir(self._partial):
            self.discard(name)
        with contextlib.suppress(OSError):
            os.rmdir(self._owner, dir_fd=self._partials)
            os.rmdir(PARTIAL, dir_fd=self._root)
        for folder in (*self._folders.values(), self._partial, self._partials, self._root):
            os.close(folder)

    def write(self, body: bytes) -> str:
        """Write `body` to a new temporary file and sync it; returns the file's name.

        Raises:
            StoppedEarlyError: the file system refused.
        """
        with _stopping(self.path):
            return self._write(body)

    def _write(self, body: bytes) -> str:
        name = f"{self._session}-{next(self._numbers)}"
        file = os.open(name, _NEW_FILE, 0o644, dir_fd=self._partial)
        try:
            view = memoryview(body)
            while view:
                view = view[os.write(file, view) :]
            os.fsync(file)
        except OSError:
            os.unlink(name, dir_fd=self._partial)
            raise
        finally:
            os.close(file)
        return name

    def discard(self, temporary: str) -> None:
        """Remove a temporary file that is not wanted."""
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=self._partial)

    def keep(self, temporary: str, wnid: str, filename: str) -> str:
        """Give a temporary file its final name; returns the path relative to the output folder.

        The name is not safe from a power cut before `sync`.

        Raises:
            StoppedEarlyError: the file system refused.
        """
        with _stopping(self.path, wnid):
            os.rename(temporary, filename, src_dir_fd=self._partial, dst_dir_fd=self._folder(wnid))
        self._dirty.add(wnid)
        return f"{wnid}/{filename}"

    def sync(self) -> None:
        """Make the names given since the last call safe from a power cut: one sync for each folder touched."""
        for wnid in self._dirty:
            with _stopping(self.path, wnid):
                os.fsync(self._folder(wnid))
        self._dirty.clear()

    def _folder(self, wnid: str) -> int:
        """A descriptor of the folder of a class; those used last are kept open."""
        folder = self._folders.pop(wnid, None)
        if folder is None:
            if len(self._folders) >= _OPEN_FOLDERS:
                os.close(self._folders.pop(next(iter(self._folders))))
            folder = _subfolder(self._root, wnid)
        self._folders[wnid] = folder  # the last place: used most recently
        return folder

    def remove(self, path: str) -> None:
        """Remove an image that is no longer wanted; its folder is synced with the next batch."""
        remove(self.path, path)
        self._dirty.add(path.partition("/")[0])


def sizes_in(root: Path, folder: str) -> dict[str, int]:
    """The size in bytes of each ordinary file in a folder below `root`, by name; none where there is no such folder."""
    try:
        with _descend(root, folder) as opened, os.scandir(opened) as entries:
            files = (entry for entry in entries if entry.is_file(follow_symlinks=False))
            return {entry.name: entry.stat(follow_symlinks=False).st_size for entry in files}
    except OSError:
        return {}


def digest(root: Path, path: str) -> tuple[int, str] | None:
    """Size in bytes and SHA-256 of the file at `path` below `root`; None where there is no such ordinary file."""
    folder, _, name = path.partition("/")
    try:
        with _descend(root, folder) as parent:
            file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        with open(file, "rb") as stream:
            sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            return os.fstat(file).st_size, sha256
    except OSError:
        return None


@contextlib.contextmanager
def _descend(root: Path, folder: str) -> Iterator[int]:
    """A descriptor of a folder below `root`, opened step by step so that no link on the way is followed."""
    opened = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in folder.split("/"):
            below = os.open(name, _FOLDER, dir_fd=opened)
            os.close(opened)
            opened = below
        yield opened
    finally:
        os.close(opened)


def files_in(root: Path, folder: str) -> set[str]:
    """Whatever is no folder in a folder below `root`, links too; paths below `root`."""
    try:
        with _descend(root, folder) as opened, os.scandir(opened) as entries:
            return {f"{folder}/{entry.name}" for entry in entries if not entry.is_dir(follow_symlinks=False)}
    except OSError:
        return set()


def remove(root: Path, path: str) -> None:
    """Remove the file at `path` below `root`, where there is one: the folder may be gone, or the name be a folder's.

    Raises:
        StoppedEarlyError: the file system refused.
    """
    folder, _, name = path.rpartition("/")
    absent = contextlib.suppress(FileNotFoundError, IsADirectoryError)
    with _stopping(root, path), absent, _descend(root, folder) as parent:
        os.unlink(name, dir_fd=parent)
