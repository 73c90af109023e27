"""Lines of image URLs to the list of one class: its candidates, each with its name, and what was odd.

The lists were made around 2011 and are not clean: CRLF ends, blank lines, bytes that are not UTF-8, spaces inside
URLs, lines that are no URL at all. Nothing of that is an error; it is counted.
"""

from __future__ import annotations

import hashlib
import io
import random
import re
from itertools import repeat
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from scraper.flickr import distinct_name, file_name, photo_id
from scraper.model import ListingOutcome, Oddity
from scraper.planning.forms.detecting import NotAListError, detect
from scraper.planning.forms.interface import Hints
from scraper.planning.lines.encodings import BOM, decode
from scraper.planning.lines.listedurls import find_url
from scraper.planning.lines.oddities import Oddities
from scraper.planning.lines.plainlines import read_plain
from scraper.planning.lines.streams import Stream
from scraper.records import Columns, Listed, Listing
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scraper.planning.lines.plainlines import PlainLine

_TAG: Final = re.compile(rb"<\s*(?:!doctype|html|head|body|\?xml)", re.IGNORECASE)

_LONE_RETURN: Final = re.compile(rb"\r(?!\n)(?!\x00)")
"""Ends of lines of old Macs; not those in UTF-16."""

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
        self.odd = Oddities()
        """What is odd about the lines; readers of forms count theirs here too."""
        self._duplicates = 0
        self._digest = hashlib.sha256()

    def add_lines(self, lines: bytes) -> None:
        r"""Take in whole lines, each of which ends in `\n`, except perhaps the last, and begins with its URL."""
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
        found = find_url(text, self._hosts)
        if isinstance(found, Oddity):
            self.odd.add(found, text)
            self._listed += found is Oddity.NOT_A_PHOTO
            return
        self._listed += 1
        if not found.wanted:
            return
        if found.rest.strip(_QUOTES):
            self.odd.add(Oddity.LEFT_OFF, text)
        if found.url in self._found:
            self._duplicates += 1
        else:
            self._found[found.url] = None

    @property
    def empty(self) -> bool:
        """Whether no line was a URL."""
        return not self._listed

    def build(
        self, *, form: str, shuffle: str | None = None, sha256: str | None = None, http_status: int | None = None
    ) -> Listing:
        """The listing: ranks in list order, or in an order drawn from the seed `shuffle`.

        Args:
            form: short name of the form that the lines had.
            shuffle: the seed.
            sha256: of the list as it came; None where the lines are all there was.
            http_status: of the answer.
        """
        urls = list(self._found)
        if shuffle is not None:
            random.Random(shuffle).shuffle(urls)  # noqa: S311 - a repeatable order is wanted, not a secret
        return Listing(
            ListingOutcome.LISTED,
            candidates=tuple(named(urls, self._found)),
            listed=self._listed,
            duplicates=self._duplicates,
            odd=self.odd.lines(),
            form=form,
            sha256=sha256 or self._digest.hexdigest(),
            http_status=http_status,
        )


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


def parse_answer(
    body: bytes,
    *,
    hosts: tuple[str, ...],
    shuffle: str | None = None,
    status: int | None = None,
    wnid: str | None = None,
    columns: Columns | None = None,
) -> Listing:
    """Read the whole list of one class, in any form: what an API answered, or a file that bears the class's name.

    An answer that is not a list makes a failed listing, never an empty class: ImageNet's failure texts and the pages
    of whatever stands before it come with a status of 200.

    Args:
        body: the list as it came.
        hosts: domains whose URLs become candidates.
        shuffle: seed of their order.
        status: of the answer.
        wnid: the class; lines that name another one are set aside.
        columns: what the user said of them.
    """
    start = body[:2048].strip().lower()
    for text, outcome in _FAILURES:
        if start.startswith(text):
            return Listing(outcome, http_status=status, error=one_line(decode(body[:100].strip())))
    if not body.strip():
        return Listing(ListingOutcome.EMPTY, http_status=status, error="an empty answer")
    if _TAG.match(start):
        return Listing(ListingOutcome.NOT_A_LIST, http_status=status, error="a page, not a list of URLs")
    stream = Stream(io.BytesIO(_LONE_RETURN.sub(b"\n", body) if b"\r" in body else body))
    try:
        form = detect(stream, Hints(columns or Columns(), of_one_class=True))
    except NotAListError as error:
        return Listing(ListingOutcome.NOT_A_LIST, http_status=status, error=str(error))
    builder = ListingBuilder(hosts)
    for name, lines in form.pieces(stream, builder.odd):
        if name is None or wnid is None or name == wnid.encode():
            builder.add_lines(form.urls(lines))
        else:
            builder.odd.add(Oddity.OTHER_CLASS, decode(lines.partition(b"\n")[0]), lines.count(b"\n"))
    if builder.empty:
        said = one_line(decode(start[:80]))
        return Listing(ListingOutcome.NOT_A_LIST, http_status=status, error=f"no URL in it: {said}")
    digest = hashlib.sha256(body.removeprefix(BOM)).hexdigest()
    return builder.build(form=form.name, shuffle=shuffle, sha256=digest, http_status=status)


_QUOTES: Final = " \t\"'>"
"""What closes a URL; nothing of note was left off."""
