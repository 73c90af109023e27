"""A URL a line, as ImageNet's API gives a class's list; and what may stand before and behind it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scraper.planning.forms.interface import BEGINS, Gatherer, wnid_in
from scraper.planning.lines.encodings import decode
from scraper.planning.lines.streams import blocks, first_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scraper.planning.forms.interface import Form, Hints, Piece
    from scraper.planning.lines.oddities import Oddities
    from scraper.planning.lines.streams import Readable, Stream

_LATER: Final = re.compile(rb"[ \t,;|\"'>=]https?://", re.IGNORECASE)
_BREAK: Final = re.compile(rb"<br ?/?>", re.IGNORECASE)
_NOT_AT_ONCE: Final = re.compile(rb"^(?!https?://)[^\n]*?[ \t,;|\"'>=]https?://", re.IGNORECASE | re.MULTILINE)
_HEADS: Final = frozenset({b"url", b"urls", b"image_url", b"link"})
_LOOKED_AT: Final = 200


class Urls:
    """Lines that begin with a URL."""

    name = "urls"
    told = "a URL a line"

    def __init__(self, *, broken: bool = False) -> None:
        """With `broken`, HTML breaks end lines too."""
        self._broken = broken

    def pieces(self, stream: Readable, odd: Oddities) -> Iterator[Piece]:  # noqa: ARG002 - whoever takes them in counts
        """The lines, many at a time. Those with something before their URL have its class, if that names one."""
        first = True
        for given in blocks(stream):
            block = _BREAK.sub(b"\n", given) if self._broken else given
            if first and block.partition(b"\n")[0].strip().lower() in _HEADS:
                block = block.partition(b"\n")[2]
            first = False
            if _NOT_AT_ONCE.search(block):
                yield from self._apart(block)
            else:
                yield None, block

    @staticmethod
    def _apart(block: bytes) -> Iterator[Piece]:
        gatherer = Gatherer()
        for line in block.removesuffix(b"\n").split(b"\n"):
            later = None if BEGINS.match(line) else _LATER.search(line)
            if later is None:
                yield from gatherer.add(None, line)
            else:
                yield from gatherer.add(wnid_in(decode(line[: later.start()])), line[later.start() + 1 :])
        yield from gatherer.rest()

    def urls(self, lines: bytes) -> bytes:
        """The lines as they are."""
        return lines


def recognise(stream: Stream, hints: Hints) -> tuple[Form, float] | None:
    """Whether the first lines are of this form."""
    if hints.columns:
        return None
    seen = first_lines(stream, _LOOKED_AT)
    matching = sum(BEGINS.match(line) is not None for line in seen)
    if not matching:
        return None
    return Urls(broken=_BREAK.search(stream.sample) is not None), matching / len(seen)
