"""The structure of a JPEG: its segments, its frame, its scans, and what may be left out of it. Pure bytes.

Source: ITU-T T.81 (https://www.w3.org/Graphics/JPEG/itu-t81.pdf).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from scraper.pictures.bounds import MOST_PIECES, MOST_SAMPLES, MOST_SCANS, Outline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

START_OF_SCAN: Final = 0xDA
HUFFMAN_TABLES: Final = 0xC4
RESTART_INTERVAL: Final = 0xDD
_COEFFICIENT: Final = 2
"""Bytes that a decoder keeps for each sample where the scans do not give a block at once."""
_ROWS: Final = 256
"""Bytes for each pixel of the width, at most, where they do."""
_ARITHMETIC_WORK: Final = 20
"""How many times the work of Huffman's codes arithmetic ones can cost, a dozen decisions for each sample."""
_PRECISION: Final = 8
"""Bits of a sample; other precisions are of medical pictures, which common decoders refuse."""
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {HUFFMAN_TABLES, 0xC8, 0xCC}
_PROGRESSIVE: Final = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_ARITHMETIC: Final = frozenset(range(0xC9, 0xD0)) - {0xCC}
_LOSSLESS: Final = frozenset({0xC3, 0xC7, 0xCB, 0xCF})
_PICTURE_SEGMENTS: Final = _FRAMES | {HUFFMAN_TABLES, 0xCC, 0xDB, 0xDC, RESTART_INTERVAL}
"""Frame, Huffman, arithmetic and quantisation tables, lines, restart interval (T.81, table B.1)."""
_OTHER_SEGMENTS: Final = frozenset({*range(0xE0, 0xF0), 0xFE})
"""Application data and comments."""
_MARKER: Final = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
"""What ends a scan's data: neither a byte 0xFF of the data itself, which is stuffed, nor a restart marker."""
_END_MARKER: Final = b"\xff\xd9"


class Component(NamedTuple):
    """One component of a frame: its number, and its sampling factors across (h) and down (v)."""

    number: int
    h: int
    v: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What a JPEG's frame declares.

    Attributes:
        marker: its start-of-frame marker, which names the coding process (T.81, table B.1).
        width: in pixels, as `height` is.
        components: at least one, with factors of 1 to 4.
    """

    marker: int
    width: int
    height: int
    components: tuple[Component, ...]

    @property
    def progressive(self) -> bool:
        """Whether its scans each hold a part of all coefficients."""
        return self.marker in _PROGRESSIVE

    @property
    def arithmetic(self) -> bool:
        """Whether it is coded arithmetically and not with Huffman's codes."""
        return self.marker in _ARITHMETIC

    @property
    def lossless(self) -> bool:
        """Whether it has no coefficients, but samples."""
        return self.marker in _LOSSLESS

    @property
    def most(self) -> tuple[int, int]:
        """The largest sampling factors, across and down."""
        _, across, down = zip(*self.components, strict=True)
        return max(across), max(down)

    @property
    def mcus(self) -> tuple[int, int]:
        """Minimum coded units of an interleaved scan, across and down (T.81, A.2)."""
        most_h, most_v = self.most
        return -(-self.width // (8 * most_h)), -(-self.height // (8 * most_v))

    def grid(self, component: Component) -> tuple[int, int]:
        """Blocks of a component across and down, without those that only fill up the last MCUs (T.81, A.1.1)."""
        width, height = self.size(component)
        return -(-width // 8), -(-height // 8)

    def size(self, component: Component) -> tuple[int, int]:
        """Samples of a component across and down."""
        most_h, most_v = self.most
        return -(-self.width * component.h // most_h), -(-self.height * component.v // most_v)

    def samples(self, components: Iterable[Component]) -> int:
        """Samples that a decoder keeps for components, those that fill up the last MCUs included."""
        across, down = self.mcus
        return 64 * across * down * sum(h * v for _, h, v in components)


@dataclass(frozen=True, slots=True)
class Header:
    """A JPEG up to its first scan: its frame, None where none can be read, and where the scan's header starts."""

    frame: Frame | None
    scan: int


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan of a JPEG.

    Attributes:
        components: the numbers of the components in it, with the DC and AC tables of each.
        first: the first coefficient of its band, as `last` is the last.
        high: the bits of them that earlier scans gave, 0 for none.
        low: the lowest bit that this one gives.
        start: where its entropy-coded data starts in the file, as `end` is where they end.
    """

    components: tuple[tuple[int, int, int], ...]
    first: int
    last: int
    high: int
    low: int
    start: int
    end: int


def header(body: bytes) -> Header | None:
    """Read a JPEG up to its first scan; None where it has none."""
    frame: Frame | None = None
    for marker, start, end in segments(body):
        if marker == START_OF_SCAN:
            return Header(frame, start)
        if frame is None and marker in _FRAMES:
            frame = _frame(marker, body[start + 4 : end])
    return None


def outline_of(body: bytes) -> Outline:
    """What the structure of a JPEG says of its picture."""
    head = header(body)
    if head is None:
        return Outline()
    # Within scans a byte 0xFF is always stuffed, so an end marker behind the first scan is no picture data.
    ended = body.rfind(_END_MARKER, head.scan) != -1
    frame = head.frame
    if frame is None:
        return Outline(ended=ended)
    samples = frame.samples(frame.components)
    memory, work, excess = _ROWS * frame.width, samples, None
    if frame.progressive or body[head.scan + 4 : head.scan + 5] < bytes((len(frame.components),)):
        memory += _COEFFICIENT * samples
        work, excess = _work(body, head.scan, frame, samples)
    if frame.arithmetic:
        work *= _ARITHMETIC_WORK
    return Outline(size=(frame.width, frame.height), ended=ended, memory=memory, samples=work, excess=excess)


def _work(body: bytes, place: int, frame: Frame, samples: int) -> tuple[int, str | None]:
    """The samples that all scans go over, and what is wrong with the number of scans.

    They are walked only where a count of what may be one, which is at least theirs, does not settle it: a walk takes
    as long as a third of the decoding.
    """
    limit = MOST_SAMPLES // (_ARITHMETIC_WORK if frame.arithmetic else 1)
    most = body.count(b"\xff\xda", place)
    if most <= MOST_SCANS and most * samples <= limit:
        return most * samples, None
    parts = {one.number: frame.samples((one,)) for one in frame.components}
    work = 0
    for number, scan in enumerate(scans(body, place), 1):
        work += sum(parts.get(one, 0) for one, _, _ in scan.components)
        if number > MOST_SCANS:
            return work, f"more than {MOST_SCANS} scans"
        if work > limit:
            break
    return work, None


def _frame(marker: int, payload: bytes) -> Frame | None:
    if len(payload) < 9 or payload[0] != _PRECISION or len(payload) < 6 + 3 * payload[5]:
        return None
    end = 6 + 3 * payload[5]
    parts = zip(payload[6:end:3], payload[7:end:3], strict=False)
    components = tuple(Component(number, sides >> 4, sides & 15) for number, sides in parts)
    if not components or not all(1 <= h <= 4 and 1 <= v <= 4 for _, h, v in components):
        return None
    return Frame(marker, int.from_bytes(payload[3:5], "big"), int.from_bytes(payload[1:3], "big"), components)


def segments(body: bytes) -> Iterator[tuple[int, int, int]]:
    """The segments of a JPEG's header as (marker, start, end), up to the first scan; junk between them is stepped over.

    The last one is the start of scan, and its end that of the body.
    """
    place = 2
    for _ in range(MOST_PIECES):
        place = body.find(b"\xff", place)
        if place == -1 or place + 4 > len(body):
            return
        marker = body[place + 1]
        end = place + 2 + int.from_bytes(body[place + 2 : place + 4], "big")
        if marker == START_OF_SCAN:
            yield marker, place, len(body)
            return
        if marker in _PICTURE_SEGMENTS or marker in _OTHER_SEGMENTS:
            yield marker, place, end
            place = end
        elif 0x00 < marker < 0xC0:
            return  # no marker of any standard: Pillow and others give up here
        else:
            place += 1


def later_segments(body: bytes, place: int) -> Iterator[tuple[int, int, int]]:
    """The segments from the first scan on as (marker, start, end), up to the end of the picture.

    Args:
        body: the file.
        place: where the first scan's header starts.

    The end of a scan is that of its header; its data lie between that and the next segment.
    """
    for _ in range(MOST_PIECES):
        found = _MARKER.search(body, place)
        if found is None or found[1] == _END_MARKER[1:]:
            return
        start = found.end() - 2
        end = start + 2 + int.from_bytes(body[start + 2 : start + 4], "big")
        yield found[1][0], start, end
        place = max(end, start + 4)


def scans(body: bytes, place: int) -> Iterator[Scan]:
    """The scans of a JPEG whose first one's header starts at `place`; one with a header that cannot be is left out."""
    for marker, start, end in later_segments(body, place):
        if marker == START_OF_SCAN and (scan := scan_at(body, start, end)) is not None:
            yield scan


def scan_at(body: bytes, start: int, end: int) -> Scan | None:
    """The scan whose header stands there, None where it cannot be one."""
    payload = body[start + 4 : end]
    if len(payload) < 6 or len(payload) < 4 + 2 * payload[0]:
        return None
    parts = [payload[at : at + 2] for at in range(1, 1 + 2 * payload[0], 2)]
    components = tuple((number, tables >> 4, tables & 15) for number, tables in parts)
    first, last, bits = payload[1 + 2 * payload[0] : 4 + 2 * payload[0]]
    following = _MARKER.search(body, end)
    stop = len(body) if following is None else following.start()
    return Scan(components, first, last, bits >> 4, bits & 15, end, stop)


def all_segments(body: bytes, place: int) -> Iterator[tuple[int, int, int]]:
    """The segments of a JPEG as (marker, start, end), up to its end; those from `place` on are `later_segments`."""
    yield from (one for one in segments(body) if one[0] != START_OF_SCAN)
    yield from later_segments(body, place)


def without_notes(body: bytes) -> bytes:
    """A JPEG without application data, comments, and what stands between its header's segments and is none.

    Editors leave stray bytes and broken metadata in headers; the picture behind them is whole.
    """
    kept = (body[start:end] for marker, start, end in segments(body) if marker not in _OTHER_SEGMENTS)
    return b"\xff\xd8" + b"".join(kept)


def without_zeros(body: bytes, keep: int) -> bytes:
    """A JPEG without the zero bytes, but for `keep`, between a scan's data and the marker behind them.

    Programs leave such bytes there, and a few at the end of the data may be its own.
    """
    head = header(body)
    if head is None:
        return body
    out = [body[: head.scan]]
    place = head.scan
    for _, start, end in later_segments(body, place):
        out += [_shortened(body[place:start], keep), body[start:end]]
        place = end
    last = body.find(_END_MARKER, place)
    return b"".join([*out, _shortened(body[place:last], keep), body[last:]]) if last != -1 else body


def _shortened(data: bytes, keep: int) -> bytes:
    full = data.rstrip(b"\x00")
    stuffed = full.endswith(b"\xff")
    return data[: len(full) + stuffed + keep]
