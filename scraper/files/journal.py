"""What runs have under way in an output folder, so that the next one knows for its own what a kill left there.

    OUT/.partial/<owner>/<session>-<number>    a picture that is being written
    OUT/.partial/<owner>/<session>.journal     the names that such files are about to get

A session is one run's. Its journal is locked as long as the run lives. Before a batch of names is given the journal
holds them, safe from a power cut, with two words: the manifest's, and the one that it has once the batch is recorded.
Names without rows are the session's to take back while the manifest has one of these: under the first the batch was
not recorded, under the second the images were taken back with it. Under any other it is a copy, which knows nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.errors import UnsafeNameError
from scraper.files._opening import locked, open_file, open_folder
from scraper.files.names import Place, checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NEW: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ENDING: Final = ".journal"
_OURS: Final = re.compile(r"([0-9a-f]{12})(?:-[0-9]+|\.journal)")
"""Names of our own in an owner's folder; whatever has another is somebody else's."""
_LARGEST: Final = 16 * 2**20
"""Bytes of a journal that are read: far more than a batch has names."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A name that is about to be given, and what tells the file that gets it from any other.

    Attributes:
        inode: its number.
        modified: when its bytes were last changed, in nanoseconds of Unix time.
        bytes: how many there are.
        sha256: of them, in hex.
    """

    place: Place
    inode: int
    modified: int
    bytes: int
    sha256: str

    def line(self) -> str:
        """The claim in a journal, as JSON: neither a place nor a digest has what would have to be escaped."""
        return f'["{self.place}", {self.inode}, {self.modified}, {self.bytes}, "{self.sha256}"]'

    @classmethod
    def read(cls, line: str) -> Claim | None:
        """The claim in a line of a journal; None where there is none, as after a power cut or from another hand."""
        try:
            path, inode, modified, size, sha256 = json.loads(line)
            claim = cls(Place.of(path), int(inode), int(modified), int(size), str(sha256))
        except (ValueError, TypeError, AttributeError, RecursionError, OverflowError, UnsafeNameError):
            return None
        return claim


@dataclass(frozen=True, slots=True)
class Session:
    """What a run has in its owner's folder.

    Attributes:
        name: of the session.
        words: in its journal; none where it has given no names since the last batch that was recorded.
        claims: the names in its journal.
        files: its own files, by name.
        over: whether the run has ended, so that nothing more comes of it.
    """

    name: str
    words: tuple[str, ...]
    claims: tuple[Claim, ...]
    files: tuple[str, ...]
    over: bool


class Journal:
    """The journal of a run under way."""

    def __init__(self, folder: int) -> None:
        """Begin a session in an owner's folder, given by its descriptor."""
        self._folder = folder
        while True:
            self.session = secrets.token_hex(6)
            self._file = os.open(self._name, _NEW, 0o644, dir_fd=folder)
            # A run of a copy of this manifest may look at it before it is locked, or have removed it.
            if locked(self._file, fcntl.LOCK_EX) and self._in_place():
                break
            os.close(self._file)
        os.fsync(folder)
        self._clear = True

    @property
    def _name(self) -> str:
        return self.session + _ENDING

    def _in_place(self) -> bool:
        try:
            return os.stat(self._name, dir_fd=self._folder, follow_symlinks=False).st_ino == os.fstat(self._file).st_ino
        except FileNotFoundError:
            return False

    def write(self, words: Sequence[str], claims: Sequence[Claim]) -> None:
        """Put claims in the place of those that are there, safe from a power cut."""
        text = "\n".join([json.dumps(words), *(claim.line() for claim in claims), ""]).encode()
        self._clear = False
        done = 0
        while done < len(text):
            done += os.pwrite(self._file, text[done:], done)
        os.ftruncate(self._file, len(text))
        os.fsync(self._file)

    def clear(self) -> None:
        """Say that the names are on record. No sync: the manifest has another word now, which says the same."""
        if not self._clear:
            os.ftruncate(self._file, 0)
            self._clear = True

    def close(self) -> None:
        """End the session. Names that may lack their rows stay on file, for the next run to look at."""
        for name in os.listdir(self._folder):
            if name.startswith(self.session) and (self._clear or name != self._name):
                with contextlib.suppress(OSError):
                    os.unlink(name, dir_fd=self._folder)
        os.close(self._file)


def sessions_in(folder: int) -> list[Session]:
    """The sessions in an owner's folder."""
    found: dict[str, list[str]] = {}
    for name in sorted(os.listdir(folder)):
        if match := _OURS.fullmatch(name):
            found.setdefault(match[1], []).append(name)
    return [_session(folder, name, tuple(files)) for name, files in found.items()]


def _session(folder: int, name: str, files: tuple[str, ...]) -> Session:
    if name + _ENDING not in files:
        return Session(name, (), (), files, over=True)
    try:
        with open_file(folder, name + _ENDING) as (file, _):
            over = locked(file, fcntl.LOCK_SH)
            return Session(name, *_read(file), files, over=over)
    except OSError:  # gone at this moment, or not for us to read
        return Session(name, (), (), files, over=False)


def _read(file: int) -> tuple[tuple[str, ...], tuple[Claim, ...]]:
    text = os.pread(file, min(os.fstat(file).st_size, _LARGEST), 0).decode(errors="replace")
    first, *lines = text.split("\n")
    try:
        words = tuple(map(str, json.loads(first)))
    except (ValueError, TypeError, RecursionError):
        return (), ()
    return words, tuple(claim for line in lines if (claim := Claim.read(line)) is not None)


def claimed(partials: int, *, but: str = "") -> Iterator[Claim]:
    """The names that the journals of all owners hold, but for one session: their rows may be yet to come.

    Raises:
        OSError: a journal cannot be read.
    """
    for owner in owners(partials):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            folder = open_folder(partials, owner)
            try:
                yield from _claims_in(folder, but)
            finally:
                os.close(folder)


def owners(partials: int) -> list[str]:
    """The owners that have folders here."""
    found = []
    for name in sorted(os.listdir(partials)):
        with contextlib.suppress(UnsafeNameError):
            found.append(checked(name))
    return found


def _claims_in(folder: int, but: str) -> Iterator[Claim]:
    with os.scandir(folder) as entries:
        files = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]  # nothing else is of ours
    for name in files:
        if _OURS.fullmatch(name) and name.endswith(_ENDING) and name != but + _ENDING:
            with contextlib.suppress(FileNotFoundError), open_file(folder, name) as (file, _):
                yield from _read(file)[1]
