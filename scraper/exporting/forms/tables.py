"""The rows that describe pictures, and the forms that are nothing but rows: csv and jsonl."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any, Final

from scraper.texts import FORMULAS, defused, printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from scraper.exporting.forms.interface import Picture, Target
    from scraper.exporting.selecting import ExportedClass

COLUMNS: Final = ("file_name", "wnid", "label", "photo_id", "url", "sha256", "width", "height")
"""Of `metadata.csv`, which Hugging Face's imagefolder reads; `file_name` is relative to it."""
CONVERTED: Final = "source_sha256"
"""A column more where pictures were converted: the digest of the bytes as they came."""
LIST_COLUMNS: Final = (*COLUMNS, "bytes", "rank", "split")
_SIGNS: Final = frozenset(FORMULAS)
CLASS_COLUMNS: Final = ("index", "wnid", "label", "name", "folder", "images")


def columns(*, converted: bool) -> tuple[str, ...]:
    """Of a table of pictures."""
    return (*COLUMNS, CONVERTED) if converted else COLUMNS


def row(picture: Picture, file_name: str, *, converted: bool) -> tuple[Any, ...]:
    """What is known of a picture, in the order of `columns`."""
    (image, cls, _), _, _, sha256, _, width, height = picture
    known = (file_name, cls.wnid, cls.label, image.photo_id, image.url, sha256, width, height)
    return (*known, image.sha256) if converted else known


class CsvTable:
    """A CSV file with a header, written row by row. Cells that spreadsheets would take for formulas are defused."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        """Begin the file at `path`."""
        self._file = path.open("w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(columns)

    def add(self, values: Iterable[Any]) -> None:
        """Write one row, whose values are in the order of the columns."""
        self._writer.writerow([_cell(value) if type(value) is str else value for value in values])

    def close(self) -> None:
        """End the file."""
        self._file.close()


def _cell(text: str) -> str:
    # Nearly all are plain, and there are five in each row.
    plain = text.isprintable() and text[:1] not in _SIGNS
    return text if plain else defused(printable(text, keep=""))


def write_classes(path: Path, classes: tuple[ExportedClass, ...]) -> None:
    """Write the table of classes: their numbers as labels, ids and names."""
    table = CsvTable(path, CLASS_COLUMNS)
    for cls in classes:
        table.add(getattr(cls, column) for column in CLASS_COLUMNS)
    table.close()


def listed(picture: Picture) -> tuple[Any, ...]:
    """What a list says of a picture, by `LIST_COLUMNS`; `file_name` is relative to the output folder of fetch."""
    image = picture.item.image
    return (*row(picture, image.path, converted=False), image.bytes, image.rank, picture.item.split)


class CsvWriter:
    """The list alone, as one CSV file."""

    def __init__(self, target: Target) -> None:
        """For a file to write."""
        self._table = CsvTable(target.path, LIST_COLUMNS)

    def add(self, picture: Picture) -> None:
        """Write its row."""
        self._table.add(listed(picture))

    def finish(self) -> None:
        """Nothing is left to write."""

    def close(self) -> None:
        """Close the file."""
        self._table.close()


class JsonlWriter:
    """The list alone, one JSON object a line."""

    def __init__(self, target: Target) -> None:
        """For a file to write."""
        self._file = target.path.open("w", encoding="utf-8", newline="")

    def add(self, picture: Picture) -> None:
        """Write its object."""
        self._file.write(json.dumps(dict(zip(LIST_COLUMNS, listed(picture), strict=True))) + "\n")

    def finish(self) -> None:
        """Nothing is left to write."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()
