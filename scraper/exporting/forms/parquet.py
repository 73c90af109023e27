"""Parquet files as Hugging Face's datasets write them: pictures as bytes, labels as numbers with names.

The features stand in the files' metadata (https://huggingface.co/docs/datasets/about_dataset_features), so that
`load_dataset("parquet", …)` shows pictures. pyarrow is an extra: `pip install 'scraper[parquet]'`.
"""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from scraper.errors import InputError
from scraper.exporting.forms.tables import CONVERTED, columns, row, write_classes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scraper.exporting.forms.interface import Picture, Target

_GROUP_ROWS: Final = 100
_GROUP_BYTES: Final = 16 * 2**20
"""A row group has so many rows or bytes, whichever comes first: a reader holds one in memory, the writer several."""


def _features(names: list[str], *, converted: bool) -> dict[str, Any]:
    def value(dtype: str) -> dict[str, str]:
        return {"dtype": dtype, "_type": "Value"}

    features: dict[str, Any] = {
        "image": {"_type": "Image"},
        "label": {"names": names, "_type": "ClassLabel"},
        "wnid": value("string"),
        "photo_id": value("int64"),
        "url": value("string"),
        "sha256": value("string"),
        "width": value("int32"),
        "height": value("int32"),
    }
    return features | ({CONVERTED: value("string")} if converted else {})


@dataclass(slots=True)
class _Shard:
    """One file under way: its writer, the rows that wait to become a group, and bytes written and waiting."""

    path: Path
    writer: Any
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    waiting: int = 0
    bytes: int = 0


class ParquetWriter:
    """Writes `data/<split>-00000-of-00003.parquet`, of about `shard_size` bytes each, and the table of classes."""

    def __init__(self, target: Target) -> None:
        """For an empty folder.

        Raises:
            InputError: pyarrow is not installed.
        """
        try:
            import pyarrow as pa  # noqa: PLC0415 - an extra, and slow to import
            from pyarrow import parquet as pq  # noqa: PLC0415
        except ImportError:
            raise InputError(
                "parquet needs pyarrow: run `python -m pip install 'scraper[parquet]'`, or choose another form"
            ) from None
        self._pa, self._pq = pa, pq
        self._target = target
        self._converted = target.options.converts
        self._schema = self._make_schema([cls.name for cls in target.selection.classes])
        self._shards: dict[str, list[_Shard]] = {}
        (target.path / "data").mkdir()

    def _make_schema(self, names: list[str]) -> Any:
        pa = self._pa
        image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        fields = [("image", image), ("label", pa.int64()), ("wnid", pa.string()), ("photo_id", pa.int64())]
        fields += [("url", pa.string()), ("sha256", pa.string()), ("width", pa.int32()), ("height", pa.int32())]
        fields += [(CONVERTED, pa.string())] if self._converted else []
        info = {"info": {"features": _features(names, converted=self._converted)}}
        return pa.schema(fields, metadata={"huggingface": json.dumps(info, ensure_ascii=False)})

    def add(self, picture: Picture) -> None:
        """Add a row to the file of its split, or to a new one where that is full."""
        name = f"{picture.item.cls.wnid}_{picture.item.image.rank}{picture.extension}"
        known = row(picture, name, converted=self._converted)
        shard = self._shard(picture.item.split, picture.bytes)
        shard.rows.append((picture.body, picture.item.cls.index, *known))
        shard.waiting += picture.bytes
        shard.bytes += picture.bytes
        if len(shard.rows) >= _GROUP_ROWS or shard.waiting >= _GROUP_BYTES:
            self._write_group(shard)

    def _shard(self, split: str, more: int) -> _Shard:
        shards = self._shards.setdefault(split, [])
        if not shards or shards[-1].bytes + more > self._target.options.shard_size:
            if shards:
                self._end(shards[-1])
            path = self._target.path / "data" / f"{split}-{len(shards):05d}"
            # Pictures are compressed already.
            compression = {name: "none" if name == "image" else "snappy" for name in self._schema.names}
            compression |= {"image.bytes": "none", "image.path": "snappy"}
            del compression["image"]
            writer = self._pq.ParquetWriter(path, self._schema, compression=compression, write_statistics=False)
            shards.append(_Shard(path, writer))
        return shards[-1]

    def _write_group(self, shard: _Shard) -> None:
        bodies, numbers, *known = zip(*shard.rows, strict=True)
        values = dict(zip(columns(converted=self._converted), known, strict=True))
        image = [self._binary(bodies), self._pa.array(values["file_name"])]
        values |= {"image": self._pa.StructArray.from_arrays(image, ["bytes", "path"]), "label": numbers}
        shard.writer.write_table(self._pa.table({name: values[name] for name in self._schema.names}, self._schema))
        shard.rows.clear()
        shard.waiting = 0

    def _binary(self, bodies: Sequence[bytes]) -> Any:
        """An array as Arrow lays it out, made at once: grown body by body, it would be moved again and again."""
        ends = array("i", accumulate(map(len, bodies), initial=0))
        buffers = [None, self._pa.py_buffer(ends), self._pa.py_buffer(b"".join(bodies))]
        return self._pa.BinaryArray.from_buffers(self._pa.binary(), len(bodies), buffers)

    def _end(self, shard: _Shard) -> None:
        if shard.rows:
            self._write_group(shard)
        shard.writer.close()

    def finish(self) -> None:
        """End the files, which are named by how many there are, and write the table of classes."""
        for split, shards in self._shards.items():
            self._end(shards[-1])
            for number, shard in enumerate(shards):
                shard.path.rename(shard.path.with_name(f"{split}-{number:05d}-of-{len(shards):05d}.parquet"))
        write_classes(self._target.path / "classes.csv", self._target.selection.classes)

    def close(self) -> None:
        """Close the files."""
        for shards in self._shards.values():
            shards[-1].writer.close()
