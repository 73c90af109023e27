"""The bytes of a list as its readers want them: UTF-8 with LF at the ends of lines, looked at before they are read."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final, Protocol

from scraper.planning.lines.encodings import BOM, utf16
from scraper.urls import LONGEST_URL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONGEST_LINE: Final = LONGEST_URL + 64
"""Bytes; what a line has beyond is thrown away, so that an endless one costs time, not memory."""
SAMPLE: Final = 64 * 2**10
"""Bytes at the beginning of a list by which its form is known."""
_BLOCK: Final = 2**20


class Readable(Protocol):
    """Whatever bytes can be read from, in order."""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""
        ...


class Stream:
    """Bytes that can be looked at before they are read, in UTF-8 and with LF whatever they were in."""

    def __init__(self, file: Readable) -> None:
        """For a file that stands at its beginning.

        Raises:
            Exception: what reading the file does, now or later.
        """
        self._file = file
        self._ahead = b""
        self._recode: Callable[[bytes], bytes] | None = None
        self._fill(SAMPLE)
        encoding = utf16(self._ahead)
        if encoding is not None:
            self._recode = _from_utf16(encoding)
        elif b"\r" in self._ahead and b"\n" not in self._ahead:
            self._recode = lambda data: data.replace(b"\r", b"\n")
        if self._recode is not None:
            self._ahead = self._recode(self._ahead)
        self._ahead = self._ahead.removeprefix(BOM)

    @property
    def sample(self) -> bytes:
        """The beginning, some 64 kB of it, without reading it away."""
        return self._ahead

    @property
    def whole(self) -> bool:
        """Whether the sample is all there is."""
        before = len(self._ahead)
        self._fill(before + 1)
        return len(self._ahead) == before

    def _fill(self, size: int) -> None:
        while len(self._ahead) < size and (piece := self._piece(size - len(self._ahead))):
            self._ahead += piece

    def _piece(self, size: int) -> bytes:
        piece = self._file.read(size)
        if self._recode is None:
            return piece
        recoded = self._recode(piece)
        while piece and not recoded:  # half a character
            piece = self._file.read(size)
            recoded = self._recode(piece)
        return recoded

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes, or a few more; none at the end."""
        if self._ahead:
            given, self._ahead = self._ahead[:size], self._ahead[size:]
            return given
        return self._piece(size)

    def read_all(self, max_bytes: int) -> bytes:
        """What is left, or its first `max_bytes` bytes."""
        parts = []
        while max_bytes > 0 and (part := self.read(max_bytes)):
            parts.append(part[:max_bytes])
            max_bytes -= len(part)
        return b"".join(parts)


def _from_utf16(encoding: str) -> Callable[[bytes], bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    return lambda data: decoder.decode(data, final=not data).replace("\r\n", "\n").encode()


def blocks(stream: Readable) -> Iterator[bytes]:
    """The stream in blocks of whole lines. Of a line that is too long, a part in the middle may be missing."""
    rest = b""
    while block := stream.read(_BLOCK):
        end = block.rfind(b"\n") + 1
        if end:
            yield rest + block[:end]
            rest = block[end : end + LONGEST_LINE]
        else:
            rest = (rest + block)[:LONGEST_LINE]
    if rest:
        yield rest


def lines(stream: Readable) -> Iterator[bytes]:
    """The lines, each without its end and no longer than the longest that is looked at."""
    for block in blocks(stream):
        for line in block.removesuffix(b"\n").split(b"\n"):
            yield line[:LONGEST_LINE].removesuffix(b"\r")


def first_lines(stream: Stream, count: int) -> list[bytes]:
    """The first lines that are not blank, without reading them away; the last of a long list may not be whole."""
    found = [line.removesuffix(b"\r") for line in stream.sample.split(b"\n")]
    if len(found) > 1 and not stream.whole:
        found.pop()
    return [line[:LONGEST_LINE] for line in found if line.strip()][:count]
