"""The world the stand-in shows: classes, their lists, and what became of every photo. Pure: no sockets, no clock."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from tests.standin import lists, photos
from tests.standin.fates import DEFAULT_MIX, EXPECTED, Fate, ListingFate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from tests.standin.fates import Expected


@dataclass(frozen=True, slots=True)
class ClassSpec:
    """A class: how many Flickr URLs (all different) and other lines it lists, and how its list is answered.

    `mix` is from what its photos' fates are drawn, where that is not the world's.
    """

    wnid: str
    label: str
    flickr: int = 40
    other: int = 30
    listing: ListingFate = ListingFate.LISTED
    mix: Mapping[Fate, float] | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """A Flickr URL of the world. `name` decides the bytes: its own file name, or that of its twin."""

    url: str
    wnid: str
    fate: Fate
    name: str

    @property
    def moved_to(self) -> str:
        """Where the photo lives once it has moved: the same server and file name on live.staticflickr.com."""
        folders = urlsplit(self.url).path.split("/")[1:-1]
        return f"https://live.staticflickr.com/{folders[-1] if folders else '65535'}/{file_name(self.url)}"


def address(url: str) -> str:
    """Host, path and query of a URL: what it has in common over http and https."""
    parts = urlsplit(url)
    return f"{(parts.hostname or '').lower()}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")


def file_name(url: str) -> str:
    """The last part of a URL's path, such as `2951149311_c0840a2e55.jpg`."""
    return urlsplit(url).path.rpartition("/")[2]


class World:
    """Everything that can be asked of the stand-in, the same at every start from the same seed.

    A URL's fate is drawn from `mix` (weights, of any sum) by a hash of seed and URL, so neither the order nor
    the number of classes matters. `throttle_times` is how often a THROTTLED_ONCE photo answers 429;
    `placeholder` replaces the picture of the stand-in's own making by other bytes.
    """

    def __init__(
        self,
        seed: int,
        classes: Sequence[ClassSpec],
        *,
        mix: Mapping[Fate, float] = DEFAULT_MIX,
        throttle_times: int = 1,
        placeholder: bytes | None = None,
    ) -> None:
        self.seed = seed
        self.classes = {spec.wnid: spec for spec in classes}
        self.throttle_times = throttle_times
        self.placeholder = photos.placeholder() if placeholder is None else placeholder
        self._mix = mix
        self._lines: dict[str, list[bytes]] = {}
        self._urls: dict[str, tuple[str, ...]] = {}
        self._photos: dict[str, Photo] = {}
        self._moved: dict[str, Photo] = {}
        self._bodies: dict[str, bytes] = {}
        for spec in self.classes.values():
            self._settle(spec)

    @classmethod
    def of(
        cls,
        seed: int,
        labelled: Iterable[tuple[str, str]],
        *,
        flickr: int = 40,
        other: int = 30,
        listing: Mapping[str, ListingFate] | None = None,
        mix: Mapping[Fate, float] = DEFAULT_MIX,
        throttle_times: int = 1,
        placeholder: bytes | None = None,
    ) -> Self:
        """A world of equal classes from (wnid, label) pairs; `listing` names those that answer otherwise."""
        fates = listing or {}
        specs = [ClassSpec(wnid, label, flickr, other, fates.get(wnid, ListingFate.LISTED)) for wnid, label in labelled]
        return cls(seed, specs, mix=mix, throttle_times=throttle_times, placeholder=placeholder)

    def _settle(self, spec: ClassSpec) -> None:
        """Make a class's list and decide every photo's fate."""
        rng = random.Random(f"{self.seed} {spec.wnid}")
        urls = lists.flickr_urls(rng, spec.flickr)
        self._urls[spec.wnid] = tuple(urls)
        self._lines[spec.wnid] = lists.mixed(rng, urls, lists.other_lines(rng, spec.other))
        fates = [self._drawn(url, self._mix if spec.mix is None else spec.mix) for url in urls]
        model = next((file_name(url) for url, fate in zip(urls, fates, strict=True) if fate is Fate.ALIVE), None)
        for url, fate in zip(urls, fates, strict=True):
            name = model if fate is Fate.SAME_BYTES and model else file_name(url)
            photo = Photo(url, spec.wnid, fate, name)
            self._photos[address(url)] = photo
            if fate is Fate.MOVED:
                self._moved[address(photo.moved_to)] = photo

    def _drawn(self, url: str, mix: Mapping[Fate, float]) -> Fate:
        fates = [fate for fate in Fate if mix.get(fate, 0) > 0]
        bounds = list(accumulate(mix[fate] for fate in fates))
        digest = hashlib.blake2b(f"{self.seed} {url}".encode(), digest_size=8).digest()
        point = int.from_bytes(digest, "big") / 2**64 * bounds[-1]
        return next(fate for fate, bound in zip(fates, bounds, strict=True) if point < bound)

    def find(self, where: str) -> Photo | None:
        """The photo listed at this host, path and query, if there is one."""
        return self._photos.get(where)

    def find_moved(self, where: str) -> Photo | None:
        """The photo that has moved to this host, path and query, if there is one."""
        return self._moved.get(where)

    def fate(self, url: str) -> Fate:
        """What became of a listed Flickr URL (http and https are one); KeyError for any other."""
        return self._photos[address(url)].fate

    def expected(self, url: str) -> Expected:
        """What a fetcher must find a listed Flickr URL to be, given enough retries; KeyError for any other."""
        return EXPECTED[self.fate(url)]

    def photo_bytes(self, url: str) -> bytes:
        """The bytes with which a listed Flickr URL answers when it is alive."""
        return self.bytes_of(self._photos[address(url)].name)

    def bytes_of(self, name: str) -> bytes:
        """The bytes of the photo with this file name."""
        return self._bodies.get(name) or photos.photo(name)

    def put(self, url: str, body: bytes) -> None:
        """Let a listed Flickr URL answer with these bytes in place of a photo's, as long as it is alive."""
        self._bodies[self._photos[address(url)].name] = body

    def flickr_urls(self, wnid: str) -> tuple[str, ...]:
        """A class's different Flickr URLs, in the order of its list."""
        return self._urls[wnid]

    def urls(self, *fates: Fate) -> tuple[str, ...]:
        """Every Flickr URL with one of these fates (any fate if none is given)."""
        return tuple(photo.url for photo in self._photos.values() if not fates or photo.fate in fates)

    def lines(self, wnid: str) -> tuple[bytes, ...]:
        """A class's list, line by line, repeats and odd lines included."""
        return tuple(self._lines[wnid])

    def listing(self, wnid: str) -> bytes:
        """A class's list as ImageNet answers it: CRLF line ends and a blank last line."""
        return b"".join(line + b"\r\n" for line in self._lines[wnid]) + b"\n"

    def resolves(self, wnid: str) -> bool:
        """Whether a patient client gets this class's list."""
        return wnid in self.classes and self.classes[wnid].listing.resolves

    def write_index(self, path: Path) -> None:
        """Write all lists in the format of fall11_urls.txt, whatever the API would answer for them."""
        with path.open("wb") as file:
            for wnid, lines in self._lines.items():
                rng = random.Random(f"{self.seed} index {wnid}")
                number = 0
                for line in lines:
                    number += rng.randint(1, 12)  # the real numbers have gaps
                    file.write(b"%s_%d\t%s\n" % (wnid.encode(), number, line))

    def write_folder(self, path: Path) -> None:
        """Write all lists as `<wnid>.txt` files into a folder, which is made if missing."""
        path.mkdir(parents=True, exist_ok=True)
        for wnid in self._lines:
            (path / f"{wnid}.txt").write_bytes(self.listing(wnid))
