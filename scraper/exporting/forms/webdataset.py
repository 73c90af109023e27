"""Shards of pictures for webdataset (https://github.com/webdataset/webdataset): tar files read from start to end.

A sample is the files that share a name up to its first dot: `n01440764_3.jpg`, `.cls` with the number of the class,
`.json` with what is known. `<split>.csv` lists the samples. Headers hold nothing of this machine or this day.
"""

from __future__ import annotations

import json
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO, Final

from scraper.exporting.forms.tables import CsvTable, columns, row, write_classes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scraper.exporting.forms.interface import Picture, Target

_BLOCK: Final = tarfile.BLOCKSIZE
_END: Final = bytes(2 * _BLOCK)
_TOGETHER: Final = 2**19
"""Bytes that are written at a time: each time, the threads that read take the interpreter, and it must be had back."""


@dataclass(slots=True)
class _Shard:
    """One file under way: its bytes with those that wait to be written, which are counted too."""

    file: BinaryIO
    size: int = 0
    waiting: list[bytes] = field(default_factory=list)
    unwritten: int = 0

    def add(self, parts: Iterable[bytes], size: int) -> None:
        self.waiting += parts
        self.size += size
        self.unwritten += size
        if self.unwritten >= _TOGETHER:
            self.write()

    def write(self) -> None:
        self.file.write(b"".join(self.waiting))
        self.waiting.clear()
        self.unwritten = 0


class WebDatasetWriter:
    """Writes shards of about `shard_size` bytes, `<split>-000000.tar` and so on, and the table of classes."""

    def __init__(self, target: Target) -> None:
        """For an empty folder."""
        self._target = target
        self._converted = target.options.converts
        self._columns = columns(converted=self._converted)
        self._shards: dict[str, _Shard] = {}
        self._numbers: dict[str, int] = {}
        self._tables: dict[str, CsvTable] = {}

    def add(self, picture: Picture) -> None:
        """Add a sample to the shard of its split, or to a new one where that is full."""
        key = f"{picture.item.cls.wnid}_{picture.item.image.rank}"
        known = row(picture, key + picture.extension, converted=self._converted)
        sample = (
            *_member(key + picture.extension, picture.body),
            *_member(key + ".cls", str(picture.item.cls.index).encode()),
            *_member(key + ".json", json.dumps(dict(zip(self._columns, known, strict=True))).encode()),
        )
        size = sum(map(len, sample))
        self._shard(picture.item.split, size).add(sample, size)
        self._table(picture.item.split).add(known)

    def _table(self, split: str) -> CsvTable:
        if split not in self._tables:
            self._tables[split] = CsvTable(self._target.path / f"{split}.csv", self._columns)
        return self._tables[split]

    def _shard(self, split: str, more: int) -> _Shard:
        shard = self._shards.get(split)
        if shard is not None and shard.size + more > self._target.options.shard_size:
            self._end(shard)
            shard = None
        if shard is None:
            number = self._numbers.get(split, 0)
            self._numbers[split] = number + 1
            path = self._target.path / f"{split}-{number:06d}.tar"
            shard = self._shards[split] = _Shard(path.open("wb"))
        return shard

    @staticmethod
    def _end(shard: _Shard) -> None:
        shard.waiting.append(_END)
        shard.write()
        shard.file.close()

    def finish(self) -> None:
        """End the shards, and write the table of classes."""
        for shard in self._shards.values():
            self._end(shard)
        self.close()
        write_classes(self._target.path / "classes.csv", self._target.selection.classes)

    def close(self) -> None:
        """Close the shards and the tables."""
        for shard in self._shards.values():
            shard.file.close()
        for table in self._tables.values():
            table.close()


_HEADER: Final = tarfile.TarInfo("").tobuf(tarfile.USTAR_FORMAT)
_SIZE: Final = slice(124, 135)
_SUM: Final = slice(148, 156)
"""Places in the header of a file, https://www.gnu.org/software/tar/manual/html_node/Standard.html."""
_REST: Final = sum(_HEADER) - sum(_HEADER[_SIZE]) - sum(_HEADER[_SUM]) + sum(b" " * 8)
"""The sum of all but name and size, with blanks in place of the sum."""


def _member(name: str, body: bytes) -> tuple[bytes, bytes, bytes]:
    """A file of a tar archive: its header, its bytes, and zeros up to a whole block.

    The header is what `tarfile` makes of a short name, in a tenth of the time; there are three for each picture.
    """
    called, size = name.encode("ascii"), b"%011o" % len(body)
    header = bytearray(_HEADER)
    header[: len(called)] = called
    header[_SIZE] = size
    header[_SUM] = b"%06o\x00 " % (_REST + sum(called) + sum(size))
    return bytes(header), body, bytes(-len(body) % _BLOCK)
