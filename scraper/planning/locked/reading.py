"""Reading a lock: text from a stranger, judged as strictly as a list. What writes it says how it looks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.config import MOST_PER_CLASS
from scraper.errors import InputError
from scraper.flickr import FLICKR_DOMAINS, photo_id
from scraper.model import Oddity, Wnid
from scraper.planning.lines.listedurls import find_url
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEADER: Final = re.compile(r"# scraper lock ([0-9]{1,6})")
_VERSION: Final = 1
_CLASS: Final = re.compile(r"# class (n[0-9]{8})\t([^\t\x00-\x1f\x7f]{1,300})\t([0-9a-f]{64}|-)")
_IMAGE: Final = re.compile(
    r"(n[0-9]{8})\t([1-9][0-9]{0,6})\t((?i:https?)://[!-~\x80-\U0010ffff][^\x00-\x1f\x7f]{0,8185})\t"
    r"(0|[1-9][0-9]{0,17}|-)\t([0-9a-f]{64})\t([1-9][0-9]{0,9})\t([1-9][0-9]{0,5})x([1-9][0-9]{0,5})"
)
_BROKEN: Final = re.compile(r"[\ud800-\udfff]")
"""What stands for bytes that are not UTF-8."""
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


def read_lock(lines: Iterable[str], *, origin: str, hosts: tuple[str, ...] = FLICKR_DOMAINS) -> tuple[LockedClass, ...]:
    """Read a lock.

    Args:
        lines: of the file, without their ends.
        origin: its name, for messages.
        hosts: domains that URLs of the lock may be of.

    Raises:
        InputError: it is no lock, of a newer format, or has lines that are wrong; every one is named.
    """
    every = iter(lines)
    _check_header(next(every, ""), origin)
    reading = _Reading(hosts)
    for number, line in enumerate(every, start=2):
        if line.strip():
            reading.take(number, line)
    if not reading.bad and not reading.any:
        raise InputError(f"the lock {origin} has no image in it")
    problems = sorted([*reading.bad, *reading.empty()])
    if problems:
        what = (
            "1 line of the lock {} is wrong"
            if len(problems) == 1
            else f"{len(problems):,} lines of the lock {{}} are wrong"
        )
        raise InputError(what.format(origin) + ":\n" + "\n".join(f"  line {at:,}: {told}" for at, told in problems))
    return reading.classes()


def _check_header(line: str, origin: str) -> None:
    found = _HEADER.fullmatch(line.strip().strip("\ufeff"))
    if found is None:
        raise InputError(f"{origin} is no lock: it does not begin with `# scraper lock {_VERSION}`")
    if int(found[1]) > _VERSION:
        raise InputError(f"the lock {origin} is of format {found[1]}, made by a newer scraper: upgrade scraper")
    if int(found[1]) < _VERSION:
        raise InputError(f"the lock {origin} is of format {found[1]}, which there never was")


class _Reading:
    """What was read so far, and the lines that are wrong: `bad` has the number of each, and why."""

    def __init__(self, hosts: tuple[str, ...]) -> None:
        self.bad: list[tuple[int, str]] = []
        self._hosts = hosts
        self._heads: dict[Wnid, tuple[int, str, str | None]] = {}
        self._images: dict[Wnid, list[LockedImage]] = {}
        self._seen: set[tuple[Wnid, int | str]] = set()

    @property
    def any(self) -> bool:
        """Whether there was an image."""
        return bool(self._images)

    def empty(self) -> list[tuple[int, str]]:
        """The lines of classes of which no line is an image, as far as they could be told."""
        if self.bad:  # lines of their images may be among these
            return []
        missing = ((number, wnid) for wnid, (number, _, _) in self._heads.items() if wnid not in self._images)
        return [(number, f"a class without an image: {wnid}") for number, wnid in missing]

    def take(self, number: int, line: str) -> None:
        """Take in one line, the `number`th."""
        problem = self._problem(number, line)
        if problem is not None:
            self.bad.append((number, f"{problem}: {one_line(line, _SHOWN)}"))

    def _problem(self, number: int, line: str) -> str | None:
        if len(line) > LONGEST_LINE:
            return "too long"
        if not line.isascii() and _BROKEN.search(line):
            return "not UTF-8"
        if line.startswith("#"):
            return self._take_class(number, line)
        found = _IMAGE.fullmatch(line)
        return self._take_image(found) if found else "neither a class nor an image"

    def _take_class(self, number: int, line: str) -> str | None:
        found = _CLASS.fullmatch(line)
        if found is None:
            return "no class"
        wnid = Wnid(found[1])
        if wnid in self._heads:
            return "a class twice"
        self._heads[wnid] = (number, found[2], None if found[3] == "-" else found[3])
        return None

    def _take_image(self, found: re.Match[str]) -> str | None:
        wnid, rank, url, sha256 = Wnid(found[1]), int(found[2]), found[3], found[5]
        if wnid not in self._heads:
            return "an image of no class of the lock"
        photo = None if found[4] == "-" else int(found[4])
        wrong = self._wrong_url(url, photo) or self._again(wnid, rank, url, sha256)
        if wrong is not None:
            return wrong
        if rank > MOST_PER_CLASS * 9 or int(found[6]) > _LARGEST:
            return "a number that cannot be"
        self._seen |= {(wnid, rank), (wnid, url), (wnid, sha256)}
        image = LockedImage(rank, url, photo, sha256, int(found[6]), int(found[7]), int(found[8]))
        self._images.setdefault(wnid, []).append(image)
        return None

    def _again(self, wnid: Wnid, rank: int, url: str, sha256: str) -> str | None:
        """What of an image its class has had already."""
        if {(wnid, rank), (wnid, url)} & self._seen:
            return "a rank or a URL twice in its class"
        if (wnid, sha256) in self._seen:
            return "the same bytes twice in its class"
        full = len(self._images.get(wnid, ())) >= MOST_PER_CLASS
        return "more images than a class may have" if full else None

    def _wrong_url(self, url: str, photo: int | None) -> str | None:
        """What is wrong with a URL, which is to be one that a list could have given."""
        listed = find_url(url, self._hosts)
        if isinstance(listed, Oddity):
            return "no URL of an image"
        if not listed.wanted:
            return "on none of --hosts"
        if listed.url != url:
            return "no URL of an image"
        return None if photo_id(url) == photo else "another photo than that of its URL"

    def classes(self) -> tuple[LockedClass, ...]:
        """All that was read, classes and images in order."""
        return tuple(
            LockedClass(wnid, label, listing, tuple(sorted(self._images.get(wnid, ()), key=lambda image: image.rank)))
            for wnid, (_, label, listing) in sorted(self._heads.items())
        )
