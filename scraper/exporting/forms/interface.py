"""What a form of dataset is: a `Writer` that is given pictures in order, and may describe itself.

A new form is one module with a writer, one member of `options.ExportForm` and one line in `dataset.WRITERS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from scraper.exporting.options import ExportOptions
    from scraper.exporting.selecting import Item, Selection

EXTENSIONS = {"JPEG": ".jpg", "PNG": ".png", "GIF": ".gif", "WEBP": ".webp"}
"""File name extensions by what a picture is: a PNG under the name of a JPEG breaks TensorFlow and some viewers."""


class UnlinkableError(Exception):
    """The file of a picture that came without its bytes cannot be linked."""


class Picture(NamedTuple):
    """A picture of a dataset as it is written.

    Attributes:
        item: the image, its class and its split.
        body: its bytes; empty where the writer takes the file itself.
        format: as Pillow names it.
        sha256: of the bytes as they are written.
        bytes: their number.
        width: in pixels.
        height: in pixels.
    """

    item: Item
    body: bytes
    format: str
    sha256: str
    bytes: int
    width: int
    height: int

    @property
    def extension(self) -> str:
        """Of its file, with the dot."""
        return EXTENSIONS[self.format]


@dataclass(frozen=True, slots=True)
class Target:
    """What every writer is made with: the folder (or file) to write, the selection, the options, the images' folder."""

    path: Path
    selection: Selection
    options: ExportOptions
    images: Path


class Writer(Protocol):
    """Writes one dataset. One thread calls `add` for each picture, by class and rank, `finish`, and `close` always."""

    def add(self, picture: Picture) -> None:
        """Take in one picture.

        Raises:
            UnlinkableError: it must come with its bytes; nothing of it was written.
            OSError: it cannot be written.
        """
        ...

    def finish(self) -> None:
        """Write what only the end tells.

        Raises:
            OSError: it cannot be written.
        """
        ...

    def close(self) -> None:
        """Close what is open, however it ended."""
        ...
