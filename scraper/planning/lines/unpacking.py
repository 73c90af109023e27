"""Files of lists, opened and unpacked: plain, gzip, bzip2, xz, and what is in a zip or a tar. Names do not matter."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from scraper.planning.lines.streams import Stream

if TYPE_CHECKING:
    import tarfile
    import zipfile
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_TAR_AT: Final = 257
_HEAD: Final = 512
_DEEPEST: Final = 3
"""Packings in each other that are opened: a `.txt.gz` in a `.tar.gz` has three."""


def damaged() -> tuple[type[Exception], ...]:
    """What opening or reading a packed file may raise where it cannot be read."""
    # Here and below: imported when they are needed, since most lists are not packed, and a command should start fast.
    import lzma
    import tarfile
    import zipfile
    import zlib

    return (OSError, EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, NotImplementedError)


def _gzip(file: BinaryIO) -> BinaryIO:
    import gzip

    return cast("BinaryIO", gzip.GzipFile(fileobj=file))


def _bzip2(file: BinaryIO) -> BinaryIO:
    import bz2

    return cast("BinaryIO", bz2.BZ2File(file))


def _xz(file: BinaryIO) -> BinaryIO:
    import lzma

    return cast("BinaryIO", lzma.LZMAFile(file))


_PACKED: Final[tuple[tuple[bytes, str, Callable[[BinaryIO], BinaryIO]], ...]] = (
    (b"\x1f\x8b", "gzip", _gzip),
    (b"BZh", "bzip2", _bzip2),
    (b"\xfd7zXZ\x00", "xz", _xz),
)


@dataclass(frozen=True, slots=True)
class Member:
    """One list in a file, or the file itself: its name, how it was packed, and its bytes, to be read at once."""

    name: str
    packing: str
    stream: Stream


def members(path: Path) -> Generator[Member, None, None]:
    """What is in a file, one after the other; the file itself where it is no archive. Hidden files are passed over.

    Closing it closes the file.

    Raises:
        Exception: one of `damaged()`: it cannot be opened, now or when it is read on; a NotImplementedError where it is
            encrypted or packed in a way that is not known.
    """
    with path.open("rb") as file:
        yield from _opened(file, path.name, (), _DEEPEST)


def _opened(file: BinaryIO, name: str, packings: tuple[str, ...], deep: int) -> Iterator[Member]:
    head = _Head(file)
    if deep and head.seen.startswith(_ZIP) and not packings:
        import zipfile

        with zipfile.ZipFile(file) as archive:
            yield from _zipped(archive, deep - 1)
        return
    for magic, packing, unpack in _PACKED if deep else ():
        if head.seen.startswith(magic):
            with contextlib.closing(unpack(cast("BinaryIO", head))) as inner:
                yield from _opened(inner, name, (*packings, packing), deep - 1)
            return
    if deep and head.seen[_TAR_AT:].startswith(b"ustar"):
        import tarfile

        with tarfile.open(fileobj=cast("BinaryIO", head), mode="r|") as archive:
            yield from _archived(archive, packings, deep - 1)
        return
    yield Member(name, " ".join(packings), Stream(head))


def _archived(archive: tarfile.TarFile, packings: tuple[str, ...], deep: int) -> Iterator[Member]:
    for entry in archive:
        inner = archive.extractfile(entry) if entry.isfile() and _is_shown(entry.name) else None
        if inner is not None:
            yield from _opened(cast("BinaryIO", inner), entry.name, (*packings, "tar"), deep)


def _zipped(archive: zipfile.ZipFile, deep: int) -> Iterator[Member]:
    for entry in archive.infolist():
        if entry.flag_bits & 1:
            raise NotImplementedError(f"{entry.filename} is encrypted")
        if not entry.is_dir() and _is_shown(entry.filename):
            with archive.open(entry) as inner:
                yield from _opened(cast("BinaryIO", inner), entry.filename, ("zip",), deep)


def _is_shown(name: str) -> bool:
    """Whether a name in an archive is that of a list and not of what a system keeps beside it."""
    parts = name.split("/")
    return not any(part.startswith(".") and part not in (".", "..") for part in parts) and "__MACOSX" not in parts


class _Head:
    """A file whose first bytes were looked at. Seeks, which readers of gzip try, are refused."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seen = b""
        while len(self.seen) < _HEAD and (piece := file.read(_HEAD - len(self.seen))):
            self.seen += piece
        self._left = self.seen

    def read(self, size: int = -1) -> bytes:
        if not self._left:
            return self._file.read(size)
        if size < 0:
            given, self._left = self._left, b""
            return given + self._file.read()
        given, self._left = self._left[:size], self._left[size:]
        return given

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing: the file is closed by who opened it."""
