"""On which side of a split a photo is. Pure: a hash decides, so that nothing that comes later moves anything.

A photo is the same in another size, in another class and on another host: images with one Flickr id, or with the same
bytes, are one photo. Splitting near-duplicates apart leaks test pictures into training
(https://doi.org/10.3390/jimaging6060041).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scraper.kinds import Kind, items

if TYPE_CHECKING:
    from collections.abc import Iterable

Shares = tuple[tuple[str, float], ...]
"""Names of splits with the share of photos each gets; the shares sum to 1."""

WHOLE: Final[Shares] = (("train", 1.0),)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")
_NEAR: Final = 1e-6
_SPACE: Final = 2**64


class SplitShares(Kind[Shares]):
    """Splits with their shares, as in `train=0.8,validation=0.1,test=0.1`."""

    metavar = "SPLITS"

    def take(self, given: object) -> Shares:
        """Read text, or take pairs.

        >>> SplitShares().take("train=0.9, test=.1")
        (('train', 0.9), ('test', 0.1))
        """
        if isinstance(given, tuple) and all(isinstance(pair, tuple) for pair in given):
            given = [f"{name}={share}" for name, share in given]
        shares = tuple(self._share(part) for part in items(given))
        names = [name for name, _ in shares]
        if not shares or len(set(names)) < len(names):
            raise ValueError("must name each split once, as in train=0.8,validation=0.1,test=0.1")
        if abs(sum(share for _, share in shares) - 1) > _NEAR:
            raise ValueError(f"must have shares that sum to 1, not {sum(share for _, share in shares):g}")
        return shares

    @staticmethod
    def _share(part: str) -> tuple[str, float]:
        name, _, share = part.partition("=")
        name = name.strip()
        if not _NAME.fullmatch(name) or not re.fullmatch(r"\s*(?:[0-9]+\.?[0-9]*|\.[0-9]+)\s*", share):
            raise ValueError(f"must be as in train=0.8,validation=0.1,test=0.1; {part!r} is no NAME=SHARE")
        if not 0 < float(share) <= 1:
            raise ValueError(f"must have shares above 0 and up to 1; {name} has {share.strip()}")
        return name, float(share)

    def text(self, value: Shares) -> str:
        """As `take` reads it."""
        return ",".join(f"{name}={share:g}" for name, share in value)


def split_of(photo: str, shares: Shares, seed: str) -> str:
    """The split of a photo: where the hash of its identity and the seed falls among the shares.

    The shares are approximate: each photo falls by itself, and no image added later moves one that was there.

    >>> split_of("flickr 2737866473", (("train", 0.5), ("test", 0.5)), "0")
    'test'
    """
    if len(shares) == 1:
        return shares[0][0]
    place = int.from_bytes(hashlib.sha256(f"{seed}\n{photo}".encode()).digest()[:8], "big") / _SPACE
    reached = 0.0
    for name, share in shares:
        reached += share
        if place < reached:
            return name
    return shares[-1][0]


@dataclass(slots=True)
class _Photos:
    """Photo ids that turned out to be one photo, since the same bytes came for them; each leads to a smaller one."""

    known: dict[int, int]

    def find(self, photo: int) -> int:
        while (smaller := self.known.get(photo)) is not None:
            photo = smaller
        return photo

    def join(self, one: int, other: int) -> None:
        first, second = sorted((self.find(one), self.find(other)))
        if first != second:
            self.known[second] = first


def photos_of(images: Iterable[tuple[int | None, str]]) -> list[str]:
    """Which photo each image is of, given its Flickr id (None where it has none) and SHA-256.

    Images with the same id or the same bytes are of one photo, which is called by the smallest id among them, or by
    the digest where there is none.

    >>> photos_of([(7, "aa"), (5, "aa"), (None, "bb"), (None, "aa")])
    ['flickr 5', 'flickr 5', 'sha256 bb', 'flickr 5']
    """
    every = list(images)
    photos = _Photos({})
    by_bytes: dict[str, int] = {}
    for photo, sha256 in every:
        if photo is not None and (first := by_bytes.setdefault(sha256, photo)) != photo:
            photos.join(first, photo)
    named = []
    for photo, sha256 in every:
        known = by_bytes.get(sha256) if photo is None else photo
        named.append(f"sha256 {sha256}" if known is None else f"flickr {photos.find(known)}")
    return named
