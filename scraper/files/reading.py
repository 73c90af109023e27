"""Reading images of an output folder for others: ordinary files only, reached without following a link."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from scraper.files._opening import descend, open_file
from scraper.files.names import Place

if TYPE_CHECKING:
    from pathlib import Path


def read_image(root: Path, place: Place, max_bytes: int) -> bytes | None:
    """The bytes of the file at a place, None where there is no such ordinary file of at most `max_bytes` bytes."""
    try:
        with (
            descend(root, place.folder) as folder,
            open_file(folder, place.name) as (file, found),
            open(file, "rb", closefd=False) as stream,
        ):
            return stream.read() if found.st_size <= max_bytes else None
    except OSError:
        return None


class Folders:
    """The folders below `root`, to ask for many files what the system knows of them."""

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._linked: dict[str, bool] = {}

    def stat(self, path: str) -> os.stat_result | None:
        """What is known of `<folder>/<name>`, None where there is no such ordinary file.

        Raises:
            UnsafeNameError: the path leads elsewhere.
        """
        folder = Place.of(path).folder
        try:
            if folder not in self._linked:
                self._linked[folder] = stat.S_ISLNK(os.lstat(f"{self._root}/{folder}").st_mode)
            found = os.lstat(f"{self._root}/{path}")
        except OSError:
            return None
        return found if stat.S_ISREG(found.st_mode) and not self._linked[folder] else None
