"""Reading lists of image URLs: one class's answer of ImageNet's API, and lines of its `fall11_urls.txt`.

The lists were made around 2011 and are not clean: CRLF ends, blank lines, bytes that are not UTF-8, spaces inside
URLs, lines that are no URL at all. Nothing of that is an error; it is counted.
"""

from __future__ import annotations

import hashlib
import random
import re
from itertools import repeat
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from urllib3.exceptions import LocationParseError
from urllib3.util import parse_url

from scraper.flickr import distinct_name, file_name, on_domain, photo_id
from scraper.model import Listed, Listing, ListingOutcome, Oddity
from scraper.planning.encodings import BOM, decode
from scraper.planning.oddities import Oddities
from scraper.planning.plainlines import read_plain
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scraper.planning.plainlines import PlainLine

LONGEST_URL: Final = 8192
"""Characters; no host of the lists serves longer ones, and hostile lists should cost nothing."""

_PLAIN: Final = re.compile(r"https?://([a-z0-9.-]+)(?::[0-9]{1,5})?(?:/[!-~]*)?", re.IGNORECASE | re.ASCII)
_LINE: Final = re.compile(rb"[^\r\n]*(?:\r\n?|\n|$)")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_TAG: Final = re.compile(rb"<\s*(?:!doctype|html|head|body|\?xml)", re.IGNORECASE)

_FAILURES: Final = (
    # Bodies that the API gave with a status of 200, as users quote them.
    (b"invalid url", ListingOutcome.INVALID_WNID),
    (b"the synset is not ready", ListingOutcome.NOT_READY),
)


class ListingBuilder:
    """Takes in the lines of one class's list, in order, and makes its `Listing`."""

    def __init__(self, hosts: tuple[str, ...]) -> None:
        """For the list of a class whose URLs on `hosts` become candidates."""
        self._hosts = hosts
        self._found: dict[str, PlainLine | None] = {}
        self._listed = 0
        self._odd = Oddities()
        self._duplicates = 0
        self._digest = hashlib.sha256()

    def add(self, line: bytes) -> None:
        """Take in one line, with or without its end."""
        self._digest.update(line)
        self._judge(line)

    def add_lines(self, lines: bytes) -> None:
        r"""Take in whole lines that end in `\n`, as `add` would one by one, but in a fraction of the time."""
        self._digest.update(lines)
        found, elsewhere = read_plain(lines.decode("latin-1"), self._hosts)
        self._listed += elsewhere
        start = 0
        for at in [at for at, line in enumerate(found) if not line[0]]:
            self._keep(found[start:at])
            self._judge(found[at][3].encode("latin-1"))
            start = at + 1
        self._keep(found[start:])

    def _keep(self, images: list[PlainLine]) -> None:
        before = len(self._found)
        self._found.update({image[0]: image for image in images})
        self._listed += len(images)
        self._duplicates += before + len(images) - len(self._found)

    def _judge(self, line: bytes) -> None:
        text = decode(line.strip())
        if not text:
            return
        host = host_in(text)
        if host is None:
            self._odd.add(Oddity.NO_URL, text)
            return
        self._listed += 1
        if not on_domain(host, self._hosts):
            return
        if text in self._found:
            self._duplicates += 1
        else:
            self._found[text] = None

    @property
    def empty(self) -> bool:
        """Whether no line was a URL."""
        return not self._listed

    def build(self, *, shuffle: str | None = None, http_status: int | None = None) -> Listing:
        """The listing: ranks in list order, or in an order drawn from the seed `shuffle`."""
        urls = list(self._found)
        if shuffle is not None:
            random.Random(shuffle).shuffle(urls)  # noqa: S311 - a repeatable order is wanted, not a secret
        return Listing(
            ListingOutcome.LISTED,
            candidates=tuple(named(urls, self._found)),
            listed=self._listed,
            duplicates=self._duplicates,
            odd=self._odd.lines(),
            sha256=self._digest.hexdigest(),
            http_status=http_status,
        )


def host_in(url: str) -> str | None:
    """The host of an http or https URL, None where the text is not one. Spaces inside do occur and are let pass."""
    plain = _PLAIN.fullmatch(url)
    if plain:
        return plain[1].lower() if len(url) <= LONGEST_URL else None
    if len(url) > LONGEST_URL or _CONTROL.search(url) or not url.lower().startswith(("http://", "https://")):
        return None
    try:
        return parse_url(url).host or None
    except (LocationParseError, ValueError):
        return None


def named(urls: Iterable[str], plain: Mapping[str, PlainLine | None] = MappingProxyType({})) -> Iterator[Listed]:
    """Give each URL of a class its file name; of two that differ in case at most, the later one gets a digest.

    Args:
        urls: each once.
        plain: what is known of some of them already.
    """
    listed = [(url, plain.get(url)) for url in urls]
    names = [image[1] if image else file_name(url) for url, image in listed]
    photos = [int(image[2]) if image else photo_id(url) for url, image in listed]
    if len(set(map(str.lower, names))) == len(names):  # as in most classes, so that none need be looked at
        yield from map(Listed, (url for url, _ in listed), photos, names, repeat(True))
        return
    taken: set[str] = set()
    for (url, _), photo, usual in zip(listed, photos, names, strict=True):
        name, salt = usual, ""
        while name.lower() in taken:
            name, salt = distinct_name(usual, url + salt), salt + "#"
        taken.add(name.lower())
        yield Listed(url, photo, name, name == usual)


def parse_answer(body: bytes, *, hosts: tuple[str, ...], shuffle: str | None, status: int | None = None) -> Listing:
    """Read a whole list: what the API answered, or a `<wnid>.txt` file.

    An answer that is not a list makes a failed listing, never an empty class: ImageNet's failure texts and the pages
    of whatever stands before it come with a status of 200.
    """
    start = body[:2048].strip().lower()
    for text, outcome in _FAILURES:
        if start.startswith(text):
            return Listing(outcome, http_status=status, error=one_line(decode(body[:100].strip())))
    if not body.strip():
        return Listing(ListingOutcome.EMPTY, http_status=status, error="an empty answer")
    if _TAG.match(start):
        return Listing(ListingOutcome.NOT_A_LIST, http_status=status, error="a page, not a list of URLs")
    builder = ListingBuilder(hosts)
    for line in _LINE.finditer(body.removeprefix(BOM)):
        builder.add(line[0])
    if builder.empty:
        return Listing(
            ListingOutcome.NOT_A_LIST, http_status=status, error=f"no URL in it: {one_line(decode(start[:80]))}"
        )
    return builder.build(shuffle=shuffle, http_status=status)


def split_index_line(line: bytes) -> tuple[bytes, bytes] | None:
    r"""The wnid and the URL of a line of `fall11_urls.txt`, None where it has another form.

    >>> split_index_line(b"n00004475_6590\thttp://farm4.static.flickr.com/3175/2737866473_7958dc8760.jpg\n")
    (b'n00004475', b'http://farm4.static.flickr.com/3175/2737866473_7958dc8760.jpg\n')
    """
    match = _INDEX_LINE.match(line)
    return (match[1], line[match.end() :]) if match else None


_INDEX_LINE: Final = re.compile(rb"(n[0-9]{8})_[0-9]+[\t ]+")
