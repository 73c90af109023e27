"""Folders of pictures: `train/<class>/<file>`, with `metadata.csv` in each split and `classes.csv` beside.

torchvision's ImageFolder reads a split as it stands, Hugging Face's imagefolder
(https://huggingface.co/docs/datasets/image_load) the whole.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from scraper.exporting.forms.interface import UnlinkableError
from scraper.exporting.forms.tables import CsvTable, columns, row, write_classes

if TYPE_CHECKING:
    from scraper.exporting.forms.interface import Picture, Target


class ImageFolderWriter:
    """Writes folders of pictures; files are linked where nothing was converted and the disk allows, else copied."""

    def __init__(self, target: Target) -> None:
        """For an empty folder."""
        self._target = target
        self._converted = target.options.converts
        self._link = target.options.links
        # Plain text for paths: their parts are known to be clean, and a million path objects cost more than the links.
        self._images = str(target.images)
        self._path = str(target.path)
        self._tables: dict[str, CsvTable] = {}
        self._names: dict[str, set[str]] = {}

    def add(self, picture: Picture) -> None:
        """Put the picture into the folder of its class, and its row into the table of its split."""
        split, folder = picture.item.split, picture.item.cls.folder
        taken = self._taken(f"{split}/{folder}")
        name = _free_name(picture, taken)
        self._put(picture, f"{self._path}/{split}/{folder}/{name}")
        taken.add(name.casefold())
        self._table(split).add(row(picture, f"{folder}/{name}", converted=self._converted))

    def _taken(self, folder: str) -> set[str]:
        """The names in a folder, which is made where there is none; in lower case, as some disks see them."""
        taken = self._names.get(folder)
        if taken is None:
            (self._target.path / folder).mkdir(parents=True)
            taken = self._names[folder] = set()
        return taken

    def _put(self, picture: Picture, path: str) -> None:
        if self._link:
            with contextlib.suppress(OSError):  # another disk, or one that knows no links
                os.link(f"{self._images}/{picture.item.image.path}", path, follow_symlinks=False)
                return
        if len(picture.body) < picture.bytes:
            raise UnlinkableError
        Path(path).write_bytes(picture.body)

    def _table(self, split: str) -> CsvTable:
        if split not in self._tables:
            path = self._target.path / split / "metadata.csv"
            self._tables[split] = CsvTable(path, columns(converted=self._converted))
        return self._tables[split]

    def finish(self) -> None:
        """End the tables, and write that of the classes."""
        self.close()
        write_classes(self._target.path / "classes.csv", self._target.selection.classes)

    def close(self) -> None:
        """Close the tables."""
        for table in self._tables.values():
            table.close()


def _free_name(picture: Picture, taken: set[str]) -> str:
    """The name of the image with the extension of what it is; with its rank where that is taken."""
    image = picture.item.image
    stem = image.path.rpartition("/")[2].rpartition(".")[0] or "image"
    name = stem + picture.extension
    return name if name.casefold() not in taken else f"{stem}-{image.rank}{picture.extension}"
