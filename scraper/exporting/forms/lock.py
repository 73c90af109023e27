"""A lock: the text that lets anyone make the same dataset again, or know exactly what has become of it.

    # scraper lock 1
    # class n01440764 <TAB> tench <TAB> SHA-256 of its list
    n01440764 <TAB> rank <TAB> URL <TAB> photo id or - <TAB> SHA-256 <TAB> bytes <TAB> WIDTHxHEIGHT

One line an image, sorted by class and rank, so that two locks can be compared line by line. The digests are the
defence against pictures that changed since (https://arxiv.org/abs/2302.10149).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scraper.texts import one_line

if TYPE_CHECKING:
    from scraper.exporting.forms.interface import Picture, Target

HEADER: Final = "# scraper lock 1"


class LockWriter:
    """Writes a lock; nothing of the images is read."""

    def __init__(self, target: Target) -> None:
        """For a file to write."""
        self._file = target.path.open("w", encoding="utf-8", newline="")
        self._file.write(HEADER + "\n")
        for cls in target.selection.classes:
            label = one_line(cls.label) or cls.wnid
            self._file.write(f"# class {cls.wnid}\t{label}\t{cls.listing_sha256 or '-'}\n")

    def add(self, picture: Picture) -> None:
        """Write its line."""
        image = picture.item.image
        photo = "-" if image.photo_id is None else str(image.photo_id)
        known = (picture.item.cls.wnid, str(image.rank), image.url, photo, image.sha256, str(image.bytes))
        self._file.write("\t".join(known) + f"\t{image.width}x{image.height}\n")

    def finish(self) -> None:
        """Nothing is left to write."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()
