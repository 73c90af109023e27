"""`n00004475_6590<TAB>http://…`, a line an image, as in ImageNet's `fall11_urls.txt`; and what may follow the URL.

Reading is by large blocks, and runs of lines of one class are found by one regular expression, so that the lines of
classes that nobody wants cost next to nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scraper.model import Oddity
from scraper.planning.forms.interface import BEGINS, Gatherer
from scraper.planning.lines.encodings import decode
from scraper.planning.lines.streams import LONGEST_LINE, blocks, first_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scraper.planning.forms.interface import Form, Hints, Piece
    from scraper.planning.lines.oddities import Oddities
    from scraper.planning.lines.streams import Readable, Stream

# Shorter than the longest line by all its bounds: what is longer must be cut, and is taken by itself.
_LINE: Final = rb"[0-9]{1,20}+[\t ][^\n]{0,8000}+\n"
# A group repeated possessively (`*+`) fails to match in Python before 3.11.5.
_RUN: Final = re.compile(rb"(n[0-9]{8})_" + _LINE + rb"(?:\1_" + _LINE + rb")*")
_RESTS: Final = re.compile(rb"n[0-9]{8}_[0-9]+[\t ]+([^\n]*\n?)")
_BEFORE_TABS: Final = re.compile(rb"n[0-9]{8}_[0-9]+[\t ]+([^\t\n]*)")
# A line that has been through other hands: no number, a capital, quotes, a comma.
_ALIKE: Final = re.compile(rb"[\s\"']*[nN]([0-9]{8})(?:_[0-9]+)?(?:\.[A-Za-z]{2,5})?[\"']?(?:[ \t]+|[ \t]*[,;|][ \t]*)")
_LOOKED_AT: Final = 200


class Index:
    """Lines of `wnid_number URL`."""

    name = "index"
    told = "lines of `wnid_number URL`"

    def __init__(self, *, followed: bool) -> None:
        """Where the URLs are `followed` by tabs and more, that is left off."""
        self._followed = followed

    def pieces(self, stream: Readable, odd: Oddities) -> Iterator[Piece]:
        """Runs of lines of one class."""
        gatherer = Gatherer()
        for block in blocks(stream):
            at = 0
            while at < len(block):
                run = _RUN.match(block, at)
                if run:
                    yield from gatherer.rest()
                    yield run[1], run[0]
                    at = run.end()
                else:
                    end = block.find(b"\n", at) + 1 or len(block)
                    yield from self._alone(block[at : min(end, at + LONGEST_LINE)], gatherer, odd)
                    at = end
            yield from gatherer.rest()
            yield None, b""

    @staticmethod
    def _alone(line: bytes, gatherer: Gatherer, odd: Oddities) -> Iterator[Piece]:
        """A line that is in no run: its class and the rest in the usual form, if it has a class."""
        alike = _ALIKE.match(line)
        if alike:
            name = b"n" + alike[1]
            yield from gatherer.add(name, name + b"_0\t" + line[alike.end() :].removesuffix(b"\n"))
        elif line.strip():
            odd.add(Oddity.NO_CLASS, decode(line))

    def urls(self, lines: bytes) -> bytes:
        """What stands on the lines after the name and number; where the lines go on behind the URL, up to there."""
        if self._followed:
            return b"\n".join(_BEFORE_TABS.findall(lines)) + b"\n"
        return rests(lines)


def recognise(stream: Stream, hints: Hints) -> tuple[Form, float] | None:
    """Whether the first lines are of this form."""
    if hints.columns:
        return None
    seen = first_lines(stream, _LOOKED_AT)
    alike = [line[match.end() :] for line in seen if (match := _ALIKE.match(line)) and match[0][-1:] in b"\t "]
    good = [rest for rest in alike if BEGINS.match(rest)]
    if not good:
        return None
    followed = sum(b"\t" in rest for rest in good)
    return Index(followed=2 * followed > len(good)), len(good) / len(seen)


def rests(lines: bytes) -> bytes:
    r"""What stands on the lines of a class after its name and their numbers.

    >>> rests(b"n00004475_1\thttp://a.example/1.jpg\nn00004475_2\thttp://a.example/2.jpg")
    b'http://a.example/1.jpg\nhttp://a.example/2.jpg'
    """
    return b"".join(_RESTS.findall(lines))
