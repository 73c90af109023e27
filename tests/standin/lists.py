"""Lists of URLs as ImageNet gives them: mostly old Flickr addresses, other hosts, repeats and a few odd lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random

# (weight, form); weights follow 820 real URLs.
FLICKR_FORMS: Final = (
    (74.0, "http://farm{farm}.static.flickr.com/{server}/{id}_{secret}.jpg"),
    (6.0, "http://static.flickr.com/{server}/{id}_{secret}.jpg"),
    (7.0, "http://farm{farm}.staticflickr.com/{server}/{id}_{secret}.jpg"),
    (3.0, "https://farm{farm}.staticflickr.com/{server}/{id}_{secret}.jpg"),
    (2.0, "http://farm{farm}.static.flickr.com/{server}/{id}_{secret}_m.jpg"),
    (2.0, "https://farm{farm}.staticflickr.com/{server}/{id}_{secret}_o.jpg"),
    (2.0, "https://c{farm}.staticflickr.com/{farm}/{server}/{id}_{secret}_z.jpg?zz=1"),
    (1.5, "http://farm{farm}.static.flickr.com/{server}/{id}_{secret}.jpg?v=0"),
    (1.0, "http://photos{farm}.flickr.com/{id}_{secret}.jpg"),
    (0.5, "http://farm{farm}.static.flickr.com/{server}/{id}_{secret}_o_d.jpg"),
    (0.5, "http://farm{farm}.static.flickr.com/{server}/{id}_{secret}_o.png"),
    (0.5, "http://farm{farm}.static.flickr.com/{server}/{id}_{secret}_o.gif"),
)
# Invented hosts only, so that a test that goes astray reaches nobody. Several of them only look like Flickr.
OTHER_FORMS: Final = (
    (40.0, "http://www.example.com/images/{word}_{number}.jpg"),
    (20.0, "http://images.example.net/{word}/{number}/large.jpg"),
    (10.0, "http://shop.example.com/catalog/{number}.gif"),
    (8.0, "http://blog.example.net/wp-content/uploads/2008/08/{word}-{number}.JPG"),
    (4.0, "http://flickr-photos.example.net/{number}/{word}.jpg"),
    (4.0, "http://img.example.com/?u=static.flickr.com/{number}/{id}_{secret}.jpg"),
    (3.0, "http://farm3.static.flickr.com.example.net/{number}/{id}_{secret}.jpg"),
    (3.0, "http://www.example.com/farm3.static.flickr.com/{number}/{id}_{secret}.jpg"),
    (2.0, "http://www.example.com/image.php?id={number}&size=big"),
)
ODD_LINES: Final = (
    b"http://www.example.com/caf\xe9/%d.jpg",  # Latin-1, not UTF-8
    b"http://images.example.net/my photos/picture %d.jpg",
    b"www.example.com/no-scheme/%d.jpg",
    "http://www.example.com/größe/%d.jpg".encode(),
    b"http://images.example.net/%d",
)
WORDS: Final = ("dog", "garden", "clock", "holiday", "dsc", "img", "summer", "front")
REPEATS: Final = 0.03  # share of lines that occur twice
ODD: Final = 0.04  # share of the other hosts' lines that are odd


def _filled(form: str, rng: random.Random) -> str:
    return form.format(
        farm=rng.randint(1, 8),
        server=rng.randint(1, 9999),
        id=rng.randrange(10**6, 5 * 10**10),
        secret=f"{rng.getrandbits(40):010x}",
        word=rng.choice(WORDS),
        number=rng.randrange(10**6),
    )


def _forms(forms: tuple[tuple[float, str], ...], rng: random.Random, count: int) -> list[str]:
    return rng.choices([form for _, form in forms], [weight for weight, _ in forms], k=count)


def flickr_urls(rng: random.Random, count: int) -> list[str]:
    """URLs of `count` different photos on Flickr."""
    return [_filled(form, rng) for form in _forms(FLICKR_FORMS, rng, count)]


def other_lines(rng: random.Random, count: int) -> list[bytes]:
    """`count` lines that are not on Flickr, a few of them hardly URLs."""
    lines = [_filled(form, rng).encode() for form in _forms(OTHER_FORMS, rng, count)]
    for at in range(count):
        if rng.random() < ODD:
            lines[at] = rng.choice(ODD_LINES) % rng.randrange(10**6)
    return lines


def mixed(rng: random.Random, flickr: list[str], other: list[bytes]) -> list[bytes]:
    """Both, well stirred (each kind keeps its own order), with some lines repeated further down."""
    sides = [True] * len(flickr) + [False] * len(other)
    rng.shuffle(sides)
    ours, others = iter(flickr), iter(other)
    lines = [next(ours).encode() if side else next(others) for side in sides]
    for line in rng.sample(lines, round(len(lines) * REPEATS)):
        lines.insert(rng.randint(lines.index(line) + 1, len(lines)), line)
    return lines
