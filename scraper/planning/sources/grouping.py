"""Lines of many classes in any order, brought together by class in bounded memory.

As a Grace hash join does it (https://doi.org/10.1007/BF03037022): what does not fit in memory is written into some
temporary files by class, each of which then does.
"""

from __future__ import annotations

import contextlib
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final, Self, cast

from scraper.errors import StoppedEarlyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BUCKETS: Final = 64
"""Files; with the 14 million lines of ImageNet's whole list, each holds some 20 MB."""
_MOST: Final = 32 * 2**20
"""Bytes that are held in memory before they are written out."""


class Groups:
    """Takes in lines of classes and gives them out class by class. Its files have no names and go with it."""

    def __init__(self, folder: Path) -> None:
        """With room for its files in `folder`."""
        self._folder = folder
        self._stack = contextlib.ExitStack()
        self._files: list[BinaryIO] = []
        self._held: dict[bytes, list[bytes]] = {}
        self._size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def add(self, name: bytes, lines: bytes) -> None:
        """Take in lines of a class.

        Raises:
            StoppedEarlyError: they cannot be written.
        """
        self._held.setdefault(name, []).append(lines)
        self._size += len(lines)
        if self._size >= _MOST:
            self._write()

    def _write(self) -> None:
        try:
            self._spill()
        except OSError as error:
            raise StoppedEarlyError(f"no room for temporary files in {self._folder}: {error.strerror}") from error

    def _spill(self) -> None:
        import tempfile  # only where there is more than fits in memory

        while len(self._files) < _BUCKETS:
            file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed with the groups
            self._stack.callback(file.close)
            self._files.append(cast("BinaryIO", file))
        for name, parts in self._held.items():
            lines = b"".join(parts)
            self._files[zlib.crc32(name) % _BUCKETS].write(b"%s %d\n%s" % (name, len(lines), lines))
        self._held.clear()
        self._size = 0

    def __iter__(self) -> Iterator[tuple[bytes, list[bytes]]]:
        """Each class with its lines, in the order in which they came."""
        if not self._files:
            yield from self._held.items()
            return
        self._write()
        for file in self._files:
            yield from self._read(file)

    @staticmethod
    def _read(file: BinaryIO) -> Iterator[tuple[bytes, list[bytes]]]:
        file.seek(0)
        found: dict[bytes, list[bytes]] = {}
        while head := file.readline():
            name, size = head.split()
            found.setdefault(name, []).append(file.read(int(size)))
        yield from found.items()
