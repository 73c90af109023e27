"""Reading a lock: text from a stranger, judged as strictly as a list. What writes it says how it looks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.config import MOST_PER_CLASS
from scraper.errors import InputError
from scraper.model import Wnid
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEADER: Final = re.compile(r"# scraper lock ([0-9]{1,6})")
_VERSION: Final = 1
_CLASS: Final = re.compile(r"# class (n[0-9]{8})\t([^\t\x00-\x1f\x7f]{1,300})\t([0-9a-f]{64}|-)")
_IMAGE: Final = re.compile(
    r"(n[0-9]{8})\t([1-9][0-9]{0,6})\t(https?://[!-~\x80-\U0010ffff][^\x00-\x1f\x7f]{0,8000})\t([1-9][0-9]{0,17}|-)\t"
    r"([0-9a-f]{64})\t([1-9][0-9]{0,9})\t([1-9][0-9]{0,5})x([1-9][0-9]{0,5})"
)
_SHOWN: Final = 60
_LARGEST: Final = 2**31
LONGEST_LINE: Final = 9000


@dataclass(frozen=True, slots=True)
class LockedImage:
    """One image of a lock: the place of its URL in the list of its class, and the bytes that are to be had there."""

    rank: int
    url: str
    photo_id: int | None
    sha256: str
    bytes: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class LockedClass:
    """One class of a lock: its label, the digest of its list (None where it had none), and its images by rank."""

    wnid: Wnid
    label: str
    listing_sha256: str | None
    images: tuple[LockedImage, ...]


def read_lock(lines: Iterable[str], *, origin: str) -> tuple[LockedClass, ...]:
    """Read a lock.

    Args:
        lines: of the file, without their ends.
        origin: its name, for messages.

    Raises:
        InputError: it is no lock, of a newer format, or has lines that are wrong; every one is named.
    """
    every = iter(lines)
    _check_header(next(every, ""), origin)
    reading = _Reading()
    for number, line in enumerate(every, start=2):
        if line.strip():
            problem = reading.take(line)
            if problem is not None:
                reading.bad.append(f"  line {number}: {problem}: {one_line(line, _SHOWN)}")
    if reading.bad:
        raise InputError(f"{len(reading.bad)} lines of the lock {origin} are wrong:\n" + "\n".join(reading.bad))
    classes = reading.classes()
    if not any(cls.images for cls in classes):
        raise InputError(f"the lock {origin} has no image in it")
    return classes


def _check_header(line: str, origin: str) -> None:
    found = _HEADER.fullmatch(line.strip().strip("\ufeff"))
    if found is None:
        raise InputError(f"{origin} is no lock: it does not begin with `# scraper lock {_VERSION}`")
    if int(found[1]) > _VERSION:
        raise InputError(f"the lock {origin} is of format {found[1]}, made by a newer scraper: upgrade scraper")


class _Reading:
    """What was read so far, and the lines that are wrong."""

    def __init__(self) -> None:
        self.bad: list[str] = []
        self._heads: dict[Wnid, tuple[str, str | None]] = {}
        self._images: dict[Wnid, list[LockedImage]] = {}
        self._seen: set[tuple[Wnid, int | str]] = set()

    def take(self, line: str) -> str | None:
        """Take in one line; returns what is wrong with it."""
        if len(line) > LONGEST_LINE:
            return "too long"
        if line.startswith("#"):
            return self._take_class(line)
        found = _IMAGE.fullmatch(line)
        return self._take_image(found) if found else "neither a class nor an image"

    def _take_class(self, line: str) -> str | None:
        found = _CLASS.fullmatch(line)
        if found is None:
            return "no class"
        wnid = Wnid(found[1])
        if wnid in self._heads:
            return "a class twice"
        self._heads[wnid] = (found[2], None if found[3] == "-" else found[3])
        return None

    def _take_image(self, found: re.Match[str]) -> str | None:
        wnid, rank, url = Wnid(found[1]), int(found[2]), found[3]
        if wnid not in self._heads:
            return "an image of no class of the lock"
        if {(wnid, rank), (wnid, url)} & self._seen:
            return "a rank or a URL twice in its class"
        if rank > MOST_PER_CLASS * 9 or int(found[6]) > _LARGEST:
            return "a number that cannot be"
        self._seen |= {(wnid, rank), (wnid, url)}
        photo = None if found[4] == "-" else int(found[4])
        image = LockedImage(rank, url, photo, found[5], int(found[6]), int(found[7]), int(found[8]))
        self._images.setdefault(wnid, []).append(image)
        return None

    def classes(self) -> tuple[LockedClass, ...]:
        """All that was read, classes and images in order."""
        return tuple(
            LockedClass(wnid, label, listing, tuple(sorted(self._images.get(wnid, ()), key=lambda image: image.rank)))
            for wnid, (label, listing) in sorted(self._heads.items())
        )
