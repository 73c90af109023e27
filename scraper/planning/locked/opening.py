"""The file of a lock: opened, bounded, read, and told what is wrong with it."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.errors import InputError
from scraper.planning.lines.encodings import BOM
from scraper.planning.locked.reading import LONGEST_LINE, read_lock

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from scraper.model import Wnid
    from scraper.planning.locked.reading import LockedClass

_LONGEST: Final = 4 * LONGEST_LINE + 2
"""Bytes of the longest line that may be a good one: none is read further than that."""


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that was read, all of it good.

    Attributes:
        name: its path, for messages and the record.
        classes: by id.
        bytes: size of the file.
        sha256: of the file.
    """

    name: str
    classes: dict[Wnid, LockedClass]
    bytes: int
    sha256: str

    @property
    def images(self) -> int:
        """How many images it names."""
        return sum(len(cls.images) for cls in self.classes.values())


def open_lock(path: Path, hosts: tuple[str, ...]) -> Lock:
    """Read the lock at `path`, whose URLs must be on `hosts`.

    Raises:
        InputError: it cannot be read, is no lock, or has lines that are wrong; every one is named.
    """
    if not path.exists():
        raise InputError(f"--lock {path}: no such file")
    if not path.is_file():
        raise InputError(f"--lock {path}: not an ordinary file; write what comes through a pipe to a file first")
    lines = _Lines(path)
    try:
        with contextlib.closing(lines.read()) as read:
            classes = read_lock(read, origin=str(path), hosts=hosts)
    except OSError as error:
        raise InputError(f"--lock {path}: cannot be read: {error.strerror}") from error
    return Lock(str(path), {cls.wnid: cls for cls in classes}, lines.bytes, lines.sha256)


class _Lines:
    """The lines of a file, without their ends, each up to where it is too long; and what all of it is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self.bytes = 0

    @property
    def sha256(self) -> str:
        """Of what was read."""
        return self._digest.hexdigest()

    def read(self) -> Generator[str, None, None]:
        """The lines. What is not UTF-8 is in them as `surrogateescape` has it."""
        with self._path.open("rb") as file:
            within = False
            while piece := file.readline(_LONGEST):
                self._digest.update(piece)
                line = piece if self.bytes else piece.removeprefix(BOM)
                self.bytes += len(piece)
                if not within:
                    yield line.rstrip(b"\r\n").decode("utf-8", "surrogateescape")
                within = not piece.endswith(b"\n")
