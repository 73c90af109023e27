"""The bytes of an index file: opened, unpacked, and cut where the class changes.

Reading is by large blocks, and runs of lines of one class are found by one regular expression, so that the lines of
classes that nobody wants cost next to nothing.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
from typing import TYPE_CHECKING, BinaryIO, Final

from scraper.planning.listings import LONGEST_URL, split_index_line

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_LINE: Final = LONGEST_URL + 64
"""Bytes; what a line has beyond is thrown away, so that an endless one costs time, not memory."""

_BLOCK: Final = 2**20
_GZIP: Final = b"\x1f\x8b"
# Shorter than the longest line by all its bounds: what is longer must be cut, and is taken by itself.
_LINE: Final = rb"[0-9]{1,20}+[\t ][^\n]{0,8000}+\n"
_RUN: Final = re.compile(rb"(n[0-9]{8})_" + _LINE + rb"(?:\1_" + _LINE + rb")*+")
_RESTS: Final = re.compile(rb"n[0-9]{8}_[0-9]+[\t ]+([^\n]*\n?)")


def stretches(file: BinaryIO) -> Iterator[tuple[bytes | None, bytes]]:
    """The lines of an index file, many at a time: consecutive ones of one class with its name, others with None."""
    for block in _blocks(file):
        at = 0
        while at < len(block):
            run = _RUN.match(block, at)
            if run:
                yield run[1], run[0]
                at = run.end()
            else:
                end = block.find(b"\n", at) + 1 or len(block)
                line = block[at : min(end, at + LONGEST_LINE)]
                parts = split_index_line(line)
                yield parts[0] if parts else None, line
                at = end


def rests(lines: bytes) -> bytes:
    r"""What stands on the lines of a class after its name and their numbers.

    >>> rests(b"n00004475_1\thttp://a.example/1.jpg\nn00004475_2\thttp://a.example/2.jpg")
    b'http://a.example/1.jpg\nhttp://a.example/2.jpg'
    """
    return b"".join(_RESTS.findall(lines))


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    """The file in blocks of whole lines. Of a line that is too long, a part in the middle may be missing."""
    rest = b""
    while block := file.read(_BLOCK):
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
            rest = block[end : end + LONGEST_LINE]
        else:
            rest = (rest + block)[:LONGEST_LINE]
    if rest:
        yield rest


def open_index(path: Path) -> io.BufferedReader:
    """Open an index file: plain, gzip, or the first file in a tar, gzip or not.

    Raises:
        OSError, EOFError, zlib.error, tarfile.TarError: it cannot be read; reading on may raise them too.
    """
    with path.open("rb") as file:
        start = file.read(512)
    if start.startswith(_GZIP):
        with gzip.open(path) as unpacked:
            packed_start = unpacked.read(512)
        return _member(path, "r|gz") if _is_tar(packed_start) else io.BufferedReader(gzip.open(path))
    return _member(path, "r|") if _is_tar(start) else path.open("rb")


def _is_tar(start: bytes) -> bool:
    return start[257:262] == b"ustar"


def _member(path: Path, mode: str) -> io.BufferedReader:
    """The first file in an archive, as a stream; the archive has but one."""
    archive = tarfile.open(path, mode)  # type: ignore[call-overload]  # noqa: SIM115 - closed with the member
    for member in archive:
        if member.isfile():
            inner: io.BufferedReader = archive.extractfile(member)
            return inner
    raise tarfile.TarError("no file in the archive")
