"""Reading many lines at once says what reading them one by one says, for any bytes."""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from scraper.flickr import FLICKR_DOMAINS
from scraper.model import Oddity
from scraper.planning.forms.index import Index
from scraper.planning.lines.encodings import decode
from scraper.planning.lines.listedurls import find_url
from scraper.planning.lines.oddities import Oddities
from scraper.planning.lines.plainlines import read_plain
from scraper.planning.lines.streams import LONGEST_LINE
from scraper.planning.listings import ListingBuilder, named

if TYPE_CHECKING:
    from scraper.records import Listed, Listing

CALM = settings(
    derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow], max_examples=300
)

PLAIN = "http://farm4.static.flickr.com/3175/2737866473_7958dc8760.jpg"
HOSTS = st.sampled_from(
    [
        FLICKR_DOMAINS,
        ("flickr.com",),
        ("static.flickr.com",),
        ("farm1.static.flickr.com", "example.com"),
        ("com",),
        ("example.com",),
        ("FLICKR.com",),
    ]
)

# --- lines that are plain, nearly, or not at all ---------------------------------------------------------------------

SCHEMES = st.sampled_from(["http://", "https://", "HTTP://", "http:/", "ftp://", "://", "", " http://", "\x0bhttp://"])
NAMED_HOSTS = st.sampled_from(
    [
        "farm1.static.flickr.com",
        "static.flickr.com",
        "flickr.com",
        "Farm1.Static.Flickr.com",
        "staticflickr.com",
        "notflickr.com",
        "flickr.com.",
        "flickr.com..",
        ".flickr.com",
        "..flickr.com",
        "-.flickr.com",
        "flickr.com.example.com",
        "flickrxcom",
        "www.example.com",
        "example.com.",
        "EXAMPLE.com",
        "a_b.example.com",
        "me@flickr.com",
        "example.com\\.flickr.com",
        "",
        "x" * 300 + ".flickr.com",
        "x" * 300 + ".example.com",
        "[::1]",
    ]
)
PORTS = st.sampled_from(["", "", "", ":80", ":99999", ":123456", ":x", ":"])
FOLDERS = st.lists(
    st.sampled_from(["1", "3175", "a-b_c", "A", "%20", "a.b", "1_a.jpg", "", "..", "x" * 60, "x" * 5000]), max_size=11
).map(lambda parts: "".join("/" + part for part in parts) + "/")
FILES = st.sampled_from(
    [
        "2737866473_7958dc8760.jpg",
        "2737866473_7958dc8760_m.jpg",
        "2737866473_7958dc8760_o_d.jpg",
        "2737866473_7958dc8760_z.png",
        "2737866473_7958dc8760.jpeg",
        "2737866473_7958dc8760.gif",
        "2737866473_7958DC8760.JPG",
        "2737866473_7958dc8760.jpgx",
        "2737866473_7958dc8760.jpg.gif",
        "2737866473_7958dc8760_mmm.jpg",
        "2737866473_7958dc8760__m.jpg",
        "2737866473_.jpg",
        "_7958dc8760.jpg",
        "0_0.jpg",
        "1" * 19 + "_a.jpg",
        "1_" + "a" * 110 + ".jpg",
        "1_" + "a" * 200 + ".jpg",
        "caf\xe9.jpg",
        "\u5199\u771f.jpg",
        "my photo.jpg",
        "con.jpg",
        "%2e%2e",
        "x" * 8200,
        "",
    ]
)
QUERIES = st.sampled_from(
    ["", "", "", "?v=0", "?", "#x", "?a/9_9.jpg", "?a?b#c/1_a.jpg", "? ", "?\xe9", "?" + "x" * 3000, "\t", "\x1b"]
)
URLS = st.tuples(SCHEMES, NAMED_HOSTS, PORTS, FOLDERS, FILES, QUERIES).map("".join).map(str.encode)
USUAL_URLS = st.builds(
    "http://farm{}.static.flickr.com/1/{}_{}.jpg{}".format,
    st.integers(1, 3),
    st.integers(1, 9),
    st.sampled_from("ab"),
    st.sampled_from(["", "", "?v=0"]),
).map(str.encode)


def damaged(url: bytes, place: int, byte: bytes) -> bytes:
    at = place % (len(url) + 1)
    return url[:at] + byte + url[at + (place & 1) :]


DAMAGED = st.builds(damaged, st.one_of(URLS, USUAL_URLS), st.integers(0, 2**16), st.binary(min_size=1, max_size=2))
LINES = st.one_of(USUAL_URLS, URLS, DAMAGED, st.binary(max_size=30)).map(lambda line: line.replace(b"\n", b"\r"))
ENDS = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r\r\n", b" \n", b"\n\n"])
TEXTS = st.tuples(st.lists(st.tuples(LINES, ENDS).map(b"".join), max_size=12), st.one_of(st.just(b""), LINES)).map(
    lambda drawn: b"".join(drawn[0]) + drawn[1]
)


def one_by_one(data: bytes, hosts: tuple[str, ...]) -> tuple[list[Listed], int, int, dict[Oddity, int]]:
    """Candidates, URLs listed, duplicates and odd lines of a list, by the rules for one line."""
    urls: dict[str, None] = {}
    listed = duplicates = 0
    odd: Counter[Oddity] = Counter()
    for line in filter(None, (decode(line.strip()) for line in io.BytesIO(data))):
        found = find_url(line, hosts)
        if isinstance(found, Oddity):
            odd[found] += 1
            listed += found is Oddity.NOT_A_PHOTO
            continue
        listed += 1
        if found.wanted:
            odd[Oddity.LEFT_OFF] += bool(found.rest.strip(" \t\"'>"))
            duplicates += found.url in urls
            urls[found.url] = None
    return list(named(urls)), listed, duplicates, {kind: count for kind, count in odd.items() if count}


def at_once(listing: Listing) -> tuple[list[Listed], int, int, dict[Oddity, int]]:
    """The same of a listing."""
    odd = {one.kind: one.lines for one in listing.odd}
    return list(listing.candidates), listing.listed, listing.duplicates, odd


@CALM
@given(TEXTS, HOSTS)
@example(f"{PLAIN}\n{PLAIN}\n\x0b{PLAIN}\n{PLAIN}".encode(), FLICKR_DOMAINS)
@example(f"http://a.example/\n{PLAIN}\nhttp://a.example/\n".encode(), FLICKR_DOMAINS)
@example(f"{PLAIN}?v=0,n01440764\n{PLAIN};\n{PLAIN} tench\n{PLAIN}?v=0\n".encode(), FLICKR_DOMAINS)
def test_lines_at_once_say_what_each_says(data: bytes, hosts: tuple[str, ...]) -> None:
    builder = ListingBuilder(hosts)
    builder.add_lines(data)
    assert at_once(builder.build(form="urls")) == one_by_one(data, hosts)


@CALM
@given(st.lists(TEXTS, max_size=3))
def test_a_list_may_come_in_parts(parts: list[bytes]) -> None:
    whole = [part if part.endswith(b"\n") else part + b"\n" for part in parts]
    builder = ListingBuilder(FLICKR_DOMAINS)
    for part in whole:
        builder.add_lines(part)
    listing = builder.build(form="urls")
    assert at_once(listing) == one_by_one(b"".join(whole), FLICKR_DOMAINS)
    assert listing.sha256 == hashlib.sha256(b"".join(whole)).hexdigest()


@pytest.mark.parametrize(
    "url",
    [
        PLAIN,
        "https://farm4.staticflickr.com/3175/2737866473_7958dc8760_o_d.png",
        "https://c1.staticflickr.com/1/3175/2737866473_7958dc8760_z.jpg?zz=1",
        "http://photos1.flickr.com/2737866473_7958dc8760.jpg",
        "http://static.flickr.com/3175/2737866473_7958dc8760.jpg",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_common_lines_are_plain(url: str, end: str) -> None:
    elsewhere = "http://img.99118.com/Big2/1024768/20101211/1700013.jpg"
    found, passed = read_plain(f"{elsewhere}{end}{url}{end}{elsewhere}{end}", FLICKR_DOMAINS)
    assert [(image[0], image[3]) for image in found] == [(url, "")]
    assert passed == 2


# --- index files -----------------------------------------------------------------------------------------------------

NAMES = st.sampled_from([b"n00004475", b"n00004475", b"n01440764", b"n0144076", b"N01440764", b""])
NUMBERS = st.sampled_from([b"_1", b"_6590", b"_", b"", b"_1x", b"_" + b"1" * 30, b"_" + b"1" * 9000])
GAPS = st.sampled_from([b"\t", b"\t", b"\t", b" ", b" \t ", b"", b" " * 20, b" " * 9000, b"\x0b"])
LONG = st.tuples(LINES, st.sampled_from([8000, 8150, *range(8225, 8262), 9000, 20_000])).map(
    lambda drawn: drawn[0] + b"x" * (drawn[1] - len(drawn[0]))
)
INDEX_LINES = st.one_of(
    st.tuples(NAMES, st.just(b"_1\t"), USUAL_URLS, st.just(b"\n")).map(b"".join),
    st.tuples(NAMES, NUMBERS, GAPS, st.one_of(LINES, LINES, LONG), ENDS).map(b"".join),
    st.tuples(st.one_of(LINES, LONG), ENDS).map(b"".join),
)
INDEXES = st.tuples(st.lists(INDEX_LINES, max_size=8), st.integers(0, 2)).map(
    lambda drawn: b"".join(drawn[0])[: -drawn[1] or None]
)


class Trickle(io.BytesIO):
    """A file that gives no more than so many bytes at a time."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self._most = most

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(self._most if size is None or size < 0 else min(size, self._most))


ALIKE = re.compile(
    rb"[\s\"']*[nN]([0-9]{8})(?:_[0-9]+)?(?:\.[A-Za-z]{2,5})?[\"']?(?:[ \t]+|[ \t]*[,;|][ \t]*)(.*)", re.DOTALL
)


def line_by_line(data: bytes) -> tuple[list[tuple[bytes, bytes]], int]:
    """What each line of an index says: its class and the rest; and how many lines name no class."""
    found: list[tuple[bytes, bytes]] = []
    odd = 0
    for whole in io.BytesIO(data):
        match = ALIKE.fullmatch(whole[:LONGEST_LINE])
        if match:
            found.append((b"n" + match[1], match[2].removesuffix(b"\n")))
        else:
            odd += bool(whole[:LONGEST_LINE].strip())
    return found, odd


@CALM
@given(INDEXES, st.sampled_from([1, 7, 100, 8255, 8256, 8257, 10_000, 2**20]))
def test_pieces_of_an_index_say_what_its_lines_say(data: bytes, most: int) -> None:
    expected, lost = line_by_line(data)
    for file in (io.BufferedReader(Trickle(data, most)), Trickle(data, most)):  # the first fills its own buffer
        form, odd = Index(followed=False), Oddities()
        found = [
            (name, rest)
            for name, lines in form.pieces(file, odd)
            if lines
            for rest in form.urls(lines).removesuffix(b"\n").split(b"\n")
        ]
        assert found == expected
        assert {one.kind: one.lines for one in odd.lines()} == ({Oddity.NO_CLASS: lost} if lost else {})
