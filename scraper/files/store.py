"""The output folder: bytes go to a temporary file, are synced, and get a name that nobody has, in one step.

    OUT/.partial/<owner>/<session>-<number>    while a picture is being written, see `journal`
    OUT/<wnid>/<file name>                     once it is whole

A folder may be shared by manifests, people and other tools. So no name is taken from a file that has it: a name is
passed over where it has other bytes, and shared where it has the same. A file is removed only if it is proven to be
this manifest's own: in full detail by the journal of a run that was cut short, or by the mark that it had when it was
written, which any change to it takes away, and so does another manifest that shares it.

Names are on disk, and so are the bytes and the folder, before their rows are committed; so after a power cut a row
never lacks its file. Folders are opened without following links, so nothing is written outside OUT.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.errors import InputError
from scraper.files._opening import (
    TRANSIENT,
    descend,
    locked,
    make,
    make_folder,
    open_file,
    open_folder,
    open_root,
    stopped,
    stopping,
)
from scraper.files.journal import Claim, Journal, claimed
from scraper.files.looking import digest
from scraper.files.names import PARTIAL, Place, checked, names_for
from scraper.records import Temporary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FOLDERS: Final = 32
"""Folders of classes that are kept open for giving names in them."""
_NO_LINKS: Final = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EINVAL)
"""What file systems without hard links (exFAT, some network shares) answer to one."""
_TIMES: Final = 5
"""How often folders are opened anew that a run which ends at the same moment removes."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A temporary file that is to be an image of a class, and what it holds.

    Attributes:
        temporary: as `write` gave it.
        folder: the class's.
        filename: the name it would best have.
        url: of the image, which tells further names where that is taken.
        bytes: in the file.
        sha256: of them, in hex.
    """

    temporary: Temporary
    folder: str
    filename: str
    url: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An image that has its name.

    Attributes:
        place: it has.
        mark: what told the file from any other once it was written; None where a file with the same bytes was there.
    """

    place: Place
    mark: str | None


class Folder:
    """The output folder of one manifest.

    Temporary files may be written from many threads; everything else is for the one coordinator.
    """

    def __init__(self, path: Path, *, owner: str) -> None:
        """Open `path`, making it where there is none.

        Raises:
            InputError: the folder cannot be made or written to.
            StoppedEarlyError: it cannot at this moment, since the disk is full for instance.
            UnsafeNameError: `owner` cannot be a folder's name.
        """
        self.path = path
        self._owner = checked(owner)
        self._dirty: set[str] = set()
        self._numbers = itertools.count()
        self._folders: dict[str, int] = {}
        self._links = True
        try:
            make(path)
            self._root = open_root(path)
            self._partials, self._partial, self._journal = self._begin()
            self.discard(self._write(b""))
        except OSError as error:
            if error.errno in TRANSIENT:
                raise stopped(path, error) from error
            raise InputError(
                f"cannot write to the output folder {path}: {error.strerror}; give another --out"
            ) from error

    def _begin(self) -> tuple[int, int, Journal]:
        for _ in range(_TIMES):
            with contextlib.suppress(FileNotFoundError):
                return self._open_partial()
        return self._open_partial()

    def _open_partial(self) -> tuple[int, int, Journal]:
        with contextlib.ExitStack() as stack:
            partials = make_folder(self._root, PARTIAL)
            stack.callback(os.close, partials)
            partial = make_folder(partials, self._owner)
            stack.callback(os.close, partial)
            journal = Journal(partial)
            stack.pop_all()
            return partials, partial, journal

    def close(self) -> None:
        """Remove what this run has under way, and its folders where nobody else uses them."""
        with contextlib.suppress(OSError):
            for folder in self._dirty:
                os.fsync(self._folder(folder))
        self._journal.close()
        with contextlib.suppress(OSError):
            os.rmdir(self._owner, dir_fd=self._partials)
            os.rmdir(PARTIAL, dir_fd=self._root)
        for opened in (*self._folders.values(), self._partial, self._partials, self._root):
            os.close(opened)

    # --- temporary files ---------------------------------------------------------------------------------------------

    def write(self, body: bytes) -> Temporary:
        """Write `body` to a new temporary file and sync it.

        Raises:
            StoppedEarlyError: the file system refused.
        """
        with stopping(self.path):
            return self._write(body)

    def _write(self, body: bytes) -> Temporary:
        name = f"{self._journal.session}-{next(self._numbers)}"
        file = os.open(name, _NEW_FILE, 0o644, dir_fd=self._partial)
        try:
            view = memoryview(body)
            while view:
                view = view[os.write(file, view) :]
            os.fsync(file)
            written = os.fstat(file)
        except OSError:
            os.unlink(name, dir_fd=self._partial)
            raise
        finally:
            os.close(file)
        return Temporary(name, written.st_ino, written.st_mtime_ns)

    def discard(self, temporary: Temporary) -> None:
        """Remove a temporary file that is not wanted."""
        with contextlib.suppress(OSError):
            os.unlink(temporary.name, dir_fd=self._partial)

    # --- names -------------------------------------------------------------------------------------------------------

    def keep(self, wanted: Sequence[Wanted], words: Sequence[str], leaving: Sequence[Claim] = ()) -> list[Kept]:
        """Give temporary files their final names, safe from a power cut; what each has now, in order.

        Args:
            wanted: the files.
            words: of the batches that were recorded last and will be next, by which the next run knows these names.
            leaving: names whose rows the next batch removes.

        Raises:
            StoppedEarlyError: the file system refused.
            UnsafeNameError: a name would lead out of the folder; none was given.
        """
        names = [names_for(one.filename, one.url) for one in wanted]
        kept: dict[int, Kept] = {}
        claims: list[Claim] = []
        while waiting := [number for number in range(len(wanted)) if number not in kept]:
            tries = [_claim(wanted[number], next(names[number])) for number in waiting]
            with stopping(self.path, PARTIAL):
                self._journal.write(words, [*leaving, *claims, *tries])
            for number, claim in zip(waiting, tries, strict=True):
                if (given := self._give(wanted[number].temporary, claim)) is not None:
                    kept[number] = given
                    claims += [claim] if given.mark is not None else []
        self.sync()
        return [kept[number] for number in range(len(wanted))]

    def claim(self, place: Place, *, size: int, sha256: str) -> Claim | None:
        """What tells the file at a place from any other; None where none of this size in bytes and digest is there."""
        try:
            with descend(self.path, place.folder) as folder, open_file(folder, place.name) as (file, found):
                if found.st_size != size or digest(file, size) != sha256:
                    return None
                return Claim(place, found.st_ino, found.st_mtime_ns, size, sha256)
        except OSError:
            return None

    def announce(self, found: Mapping[Claim, str | None], words: Sequence[str]) -> list[Claim]:
        """Put names into the journal that are unfinished work where they have no rows, as long as one of `words` holds.

        Args:
            found: the names, each with what told its file from any other when it was written; with None it does not
                matter whether another manifest shares it.
            words: of the batches that were recorded last and will be next.

        Returns:
            Those that nobody else shares. The journal holds no others.

        Raises:
            StoppedEarlyError: the file system refused.
        """
        with stopping(self.path, PARTIAL):
            self._journal.write(words, list(found))
            # From here on no other manifest begins to share them; some may have before.
            own = [claim for claim, mark in found.items() if mark is None or self._unshared(claim.place, mark)]
            if len(own) < len(found):
                self._journal.write(words, own)
        return own

    def _unshared(self, place: Place, mark: str) -> bool:
        """Whether no other manifest has begun to share the file at a place since it was written, or is about to.

        Of a copy of the file, as in a folder that was moved to another disk, that cannot be told: none has.
        """
        try:
            with descend(self.path, place.folder) as folder, open_file(folder, place.name) as (file, found):
                moved = not mark.startswith(f"{found.st_ino}-")
                return locked(file, fcntl.LOCK_EX) and (moved or _mark(os.fstat(file)) == mark)
        except OSError:
            return False

    def names_recorded(self) -> None:
        """Say that all names that were given are on record."""
        with stopping(self.path, PARTIAL):
            self._journal.clear()

    def _give(self, temporary: Temporary, claim: Claim) -> Kept | None:
        """Let a file have a name, or share the file that has it; None where that is another."""
        place = claim.place
        with stopping(self.path, place.folder):
            folder = self._folder(place.folder)
            self._dirty.add(place.folder)
            try:
                self._link(temporary.name, folder, place.name)
            except FileExistsError:
                if not self._share(folder, claim):
                    return None
                self.discard(temporary)
                return Kept(place, None)
            return Kept(place, _mark(os.stat(place.name, dir_fd=folder, follow_symlinks=False)))

    def _link(self, temporary: str, folder: int, name: str) -> None:
        """Move a temporary file to a name that nobody has.

        Raises:
            FileExistsError: somebody has it.
        """
        if self._links:
            try:
                os.link(temporary, name, src_dir_fd=self._partial, dst_dir_fd=folder, follow_symlinks=False)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                self._links = False
            else:
                os.unlink(temporary, dir_fd=self._partial)
                return
        # An empty file of ours holds the place for the moment.
        os.close(os.open(name, _NEW_FILE, 0o644, dir_fd=folder))
        os.rename(temporary, name, src_dir_fd=self._partial, dst_dir_fd=folder)

    def _share(self, folder: int, claim: Claim) -> bool:
        """Whether the file that has a name holds the same bytes, and will stay: nobody removes it from now on."""
        name = claim.place.name
        try:
            with open_file(folder, name) as (file, found):
                if not locked(file, fcntl.LOCK_SH):
                    return False
                if found.st_size != claim.bytes or digest(file, claim.bytes) != claim.sha256:
                    return False
                claims = claimed(self._partials, but=self._journal.session)
                if any(other.place == claim.place and other.inode == found.st_ino for other in claims):
                    return False
                # This changes nothing but the time of change, which is in the mark by which its writer knows it.
                os.fchmod(file, stat.S_IMODE(found.st_mode))
                os.fsync(file)
                now = os.stat(name, dir_fd=folder, follow_symlinks=False)
                return now.st_ino == found.st_ino and now.st_ctime_ns != found.st_ctime_ns
        except OSError as error:
            if error.errno in TRANSIENT:
                raise
            return False

    def sync(self) -> None:
        """Make what changed in folders since the last call safe from a power cut: one sync for each of them."""
        for wnid in self._dirty:
            with stopping(self.path, wnid):
                os.fsync(self._folder(wnid))
        self._dirty.clear()

    def _folder(self, wnid: str, *, create: bool = True) -> int:
        """A descriptor of the folder of a class; those used last are kept open."""
        folder = self._folders.pop(wnid, None)
        if folder is None:
            if len(self._folders) >= _OPEN_FOLDERS:
                os.close(self._folders.pop(next(iter(self._folders))))
            folder = make_folder(self._root, wnid) if create else open_folder(self._root, wnid)
        self._folders[wnid] = folder  # the last place: used most recently
        return folder

    def remove(self, place: Place, mark: str | None) -> bool:
        """Remove an image that is no longer wanted, if it is as it was when it was written; whether it is gone.

        Its folder is synced with the next batch.

        Raises:
            StoppedEarlyError: the file system refused.
        """
        with stopping(self.path, place):
            try:
                folder = self._folder(place.folder, create=False)
                with open_file(folder, place.name) as (file, _):
                    # Whoever begins to share it at this moment has locked it, and then changes its mark.
                    if not locked(file, fcntl.LOCK_EX) or _mark(os.fstat(file)) != mark:
                        return False
                    os.unlink(place.name, dir_fd=folder)
            except (FileNotFoundError, NotADirectoryError):
                return True
            except OSError as error:
                if error.errno in TRANSIENT:
                    raise
                return False
        self._dirty.add(place.folder)
        return True


def _mark(found: os.stat_result) -> str:
    """What tells a file from any other and from itself after a change: its number, and when it was changed."""
    return f"{found.st_ino}-{found.st_ctime_ns}"


def _claim(wanted: Wanted, name: str) -> Claim:
    its = wanted.temporary
    return Claim(Place(wanted.folder, name), its.inode, its.modified, wanted.bytes, wanted.sha256)
