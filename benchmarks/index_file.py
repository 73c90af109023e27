"""An index file in the shape of ImageNet's `fall11_urls.txt`, made up from a seed: the same bytes each time."""

from __future__ import annotations

import bisect
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLASSES: Final = 21_841
WITHOUT_FLICKR: Final = 1_628
"""Classes of the real file without a single Flickr URL; they are small ones."""
ODD_LINES: Final = 20_000
"""Lines of the real file, at most, that are malformed or have spaces."""

# Share of the classes that have at most so many URLs, in the real file.
_SIZES: Final = (
    (0.0, 1), (0.05, 7), (0.10, 27), (0.25, 145), (0.50, 530), (0.75, 1168), (0.90, 1328), (0.95, 1458), (0.99, 1798),
    (1.0, 3047),
)  # fmt: skip
# (weight, form with the places of farm, server, photo id and secret)
_FLICKR: Final = (
    (74, "http://farm%d.static.flickr.com/%d/%d_%010x.jpg"),
    (7, "http://farm%d.staticflickr.com/%d/%d_%010x.jpg"),
    (3, "https://farm%d.staticflickr.com/%d/%d_%010x.jpg"),
    (6, "http://static.flickr.com/%d%d/%d_%010x.jpg"),
    (2, "http://farm%d.static.flickr.com/%d/%d_%010x_m.jpg"),
    (2, "https://farm%d.staticflickr.com/%d/%d_%010x_o.jpg"),
    (2, "https://c1.staticflickr.com/%d/%d/%d_%010x_z.jpg?zz=1"),
    (2, "http://farm%d.static.flickr.com/%d/%d_%010x.jpg?v=0"),
    (1, "http://farm%d.static.flickr.com/%d/%d_%010x_o_d.jpg"),
    (1, "http://farm%d.static.flickr.com/%d/%d_%010x_o.png"),
)
# (weight, form with the places of three numbers and a hexadecimal one)
_OTHER: Final = (
    (40, "http://www.example%d.com/images/%d/DSC_%d%x.jpg"),
    (30, "http://images.example%d.net/%d/holiday%d/large-%x.jpg"),
    (15, "http://blog%d.example.net/wp-content/uploads/%d/08/%d-%x.JPG"),
    (10, "http://shop.example%d.com/catalog.php?id=%d&picture=%d&key=%x"),
    (5, "http://www.example%d.com/~user%d/farm3.static.flickr.com/%d_%x.gif"),
)
_ODD: Final = (
    b"http://images.example.net/my photos/picture %d.jpg",
    b"http://www.example.com/caf\xe9/%d.jpg",
    b"www.example.com/no-scheme/%d.jpg",
    b"http://farm1.static.flickr.com/my photo %d.jpg",
)
_REPEATED: Final = 0.01
"""Share of a class's lines that stand in it twice."""


@dataclass(frozen=True, slots=True)
class Made:
    """What was made: lines in all, of which on Flickr, and the classes."""

    lines: int
    flickr: int
    wnids: tuple[str, ...]


def make(path: Path, sample: Path, *, classes: int) -> Made:
    """Write the index file, and beside it a sample of its Flickr URLs, each with its photo id."""
    rng = random.Random(2011)
    wnids = tuple(f"n{number:08d}" for number in sorted(rng.sample(range(4475, 15_300_000), classes)))
    lines = flickr = 0
    with path.open("wb") as file, sample.open("w", encoding="ascii") as pairs:
        for wnid, (ours, others) in zip(wnids, _counts(rng, classes), strict=True):
            urls = list(_filled(rng, _FLICKR, ours))
            if len(urls) > 3 and flickr < 100_000:
                pairs.writelines(f"{url}\t{url.rpartition('/')[2].partition('_')[0]}\n" for url in urls)
            found = [url.encode() for url in (*urls, *_filled(rng, _OTHER, others))]
            found += _odd(rng, len(found) * ODD_LINES / (650 * CLASSES)) + found[: round(len(found) * _REPEATED)]
            rng.shuffle(found)
            file.write(b"".join([b"%s_%d\t%s\n" % (wnid.encode(), at * 3, url) for at, url in enumerate(found, 1)]))
            lines += len(found)
            flickr += ours
    return Made(lines, flickr, wnids)


def _counts(rng: random.Random, classes: int) -> Iterator[tuple[int, int]]:
    """URLs on Flickr and elsewhere of each class."""
    chance = 4 * WITHOUT_FLICKR / CLASSES  # among the smaller quarter
    for _ in range(classes):
        place = rng.random()
        at = bisect.bisect(_SIZES, (place,)) or 1
        (low, few), (high, many) = _SIZES[at - 1], _SIZES[at]
        size = round(few + (many - few) * (place - low) / (high - low))
        ours = 0 if place < 0.25 and rng.random() < chance else round(size * rng.betavariate(1.3, 1.3))
        yield ours, size - ours


def _filled(rng: random.Random, forms: tuple[tuple[int, str], ...], count: int) -> Iterator[str]:
    weights = [weight for weight, _ in forms]
    for form in rng.choices([form for _, form in forms], weights, k=count):
        bits = rng.getrandbits(90)  # one draw a URL
        yield form % (bits & 7, bits >> 3 & 4095, 10**8 + (bits >> 15) % 6_000_000_000, bits >> 50)


def _odd(rng: random.Random, mean: float) -> list[bytes]:
    count = int(mean) + (rng.random() < mean % 1)
    return [rng.choice(_ODD) % rng.randrange(10**6) for _ in range(count)]
