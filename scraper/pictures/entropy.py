"""Whether the entropy-coded data of a JPEG is complete, block by block, for those that no strict decoder takes. Pure.

libjpeg decodes any sampling factors, but TurboJPEG's interface, which simplejpeg is made of, only those that have a
name (4:2:0 and so on), and Pillow hides what libjpeg finds wrong. So the scans of one component are given to the strict
decoder as grey pictures of their own, and those of several are read here: each block takes the codes that it must, and
when the last is read nothing is left. Source: ITU-T T.81, annexes B, C and F.
"""

from __future__ import annotations

import re
import struct
from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

from scraper.pictures.jpeg import HUFFMAN_TABLES, RESTART_INTERVAL, START_OF_SCAN, all_segments, scan_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scraper.pictures.jpeg import Component, Frame, Scan

MOST_BYTES: Final = 4 * 2**20
"""Bytes that are read here, and 4 for each block: a second or so. Beyond, what Pillow says must do."""
_RESTART: Final = re.compile(rb"\xff+([\xd0-\xd7])")
_WINDOW: Final = 16
"""Bits of the longest code."""
_MOST_BITS: Final = 32
"""More than the bits of a code and the value behind it."""
_LAST: Final = 63
"""The last coefficient of a block."""
_PAD: Final = b"\xff" * 16
_SHORT: Final = "its data stops before its last block"
_ONE_CODE: Final = bytes((0, 1, *(0,) * 15, 0))
"""A table for DC coefficients with one code: a bit of 0 for the same value as before."""

_Table = list[int]
"""For each 16 bits that data may go on with: bits of the code and of the value behind it, and 32 times the step."""
_Tables = dict[tuple[int, int], _Table]
"""By class (0 for DC, 1 for AC) and number."""
_Plan = list[tuple[_Table, _Table | None]]
"""For each block of an MCU the table of its first code and, unless that is all, of the others."""


class _BrokenError(Exception):
    """The data is not what the header promises; the message says how."""


def flaw_of(body: bytes, frame: Frame, place: int) -> str | None:
    """What is wrong with the scans that several components share, or with what there is of them, None where nothing is.

    Args:
        body: the file.
        frame: its frame.
        place: where the header of the first scan starts.
    """
    if frame.arithmetic or frame.lossless:
        return None
    left = MOST_BYTES
    lacking = {one.number for one in frame.components}
    try:
        for scan, tables, interval in _with_tables(body, place):
            if not scan.first:
                lacking -= {number for number, _, _ in scan.components}
            left -= scan.end - scan.start + frame.samples(frame.components) // 16
            if len(scan.components) > 1 and left >= 0:
                _check(body[scan.start : scan.end], scan, frame, tables, interval)
    except _BrokenError as error:
        return str(error)
    return "one of its components has no data" if lacking else None


def _with_tables(body: bytes, place: int) -> Iterator[tuple[Scan, _Tables, int]]:
    """Each scan with the tables and the restart interval that hold for it."""
    tables: _Tables = {}
    interval = 0
    for marker, start, end in all_segments(body, place):
        payload = body[start + 4 : end]
        if marker == HUFFMAN_TABLES:
            tables.update(_tables(payload))
        elif marker == RESTART_INTERVAL:
            interval = int.from_bytes(payload[:2], "big")
        elif marker == START_OF_SCAN and (scan := scan_at(body, start, end)) is not None:
            yield scan, tables, interval


def _tables(payload: bytes) -> Iterator[tuple[tuple[int, int], _Table]]:
    """The tables of a segment (T.81, B.2.4.2)."""
    place = 0
    while place + 17 <= len(payload):
        kind, number = payload[place] >> 4, payload[place] & 15
        counts = payload[place + 1 : place + 17]
        symbols = payload[place + 17 : place + 17 + sum(counts)]
        if kind > 1 or len(symbols) < sum(counts):
            raise _BrokenError("a code table cannot be read")
        yield (kind, number), _table(counts, symbols, ac=kind == 1)
        place += 17 + len(symbols)


def _table(counts: bytes, symbols: bytes, *, ac: bool) -> _Table:
    """The codes of a table, as their lengths give them (T.81, C.2)."""
    table = [0] * (1 << _WINDOW)
    place = 0
    left = iter(symbols)
    for length, count in enumerate(counts, 1):
        span = 1 << (_WINDOW - length)
        for _ in range(count):
            if place + span > len(table):
                raise _BrokenError("a code table holds more codes than there are")
            table[place : place + span] = [_entry(length, next(left), ac=ac)] * span
            place += span
    return table


def _entry(length: int, symbol: int, *, ac: bool) -> int:
    if not ac:
        return length + (symbol & 15)
    run, size = symbol >> 4, symbol & 15
    if size or run == 15:
        return (run + 1) << 5 | length + size
    return length if not run else 0  # the end of the block; other runs are of progressive scans


def _check(data: bytes, scan: Scan, frame: Frame, tables: _Tables, interval: int) -> None:
    """Read a scan that several components share."""
    across, down = frame.mcus
    plan = _plan(scan, frame, tables)
    pieces = _RESTART.split(data)
    left = across * down
    for number, piece in enumerate(pieces[::2]):
        if number and pieces[2 * number - 1][0] != 0xD0 + (number - 1) % 8:
            raise _BrokenError("its restart markers are out of order")
        units = min(left, interval or left)
        left -= units
        stuffed = piece.replace(b"\xff\x00", b"\xff")
        # A scan that adds a bit to each DC coefficient holds nothing but these.
        taken = -(-len(plan) * units // 8) if scan.high else _read(stuffed, repeat(plan, units))
        if taken > len(stuffed):
            raise _BrokenError(_SHORT)
        if taken < len(stuffed):
            raise _BrokenError(f"{len(stuffed) - taken} bytes of its data belong to no block")
    if left:
        raise _BrokenError(_SHORT)


def _plan(scan: Scan, frame: Frame, tables: _Tables) -> _Plan:
    """The tables of each block of an MCU, in order (T.81, A.2.3)."""
    known = {one.number: one for one in frame.components}
    plan: _Plan = []
    for number, dc, ac in scan.components:
        component, first, second = known.get(number), tables.get((0, dc)), tables.get((1, ac))
        if component is None or (first is None and not scan.high) or (second is None and scan.last):
            raise _BrokenError("a scan names what there is not")
        plan += [(first or [], second if scan.last else None)] * (component.h * component.v)
    return plan


def _read(data: bytes, units: Iterable[_Plan]) -> int:
    """Read the codes of some MCUs; returns how many bytes they took."""
    stream = data + _PAD
    bits = held = place = 0
    for table, ac in chain.from_iterable(units):
        at = -1
        while at < _LAST:
            if held < _MOST_BITS:
                if 8 * place - held > 8 * len(data):
                    raise _BrokenError(_SHORT)
                bits = (bits & (1 << held) - 1) << 64 | int.from_bytes(stream[place : place + 8], "big")
                held += 64
                place += 8
            entry = table[bits >> held - _WINDOW & 0xFFFF]
            if not entry:
                raise _BrokenError("a code that is in no table")
            held -= entry & 31
            step = entry >> 5
            at += step or 1
            if ac is None or (at and not step):
                break
            table = ac  # noqa: PLW2901 - the first code of a block is of the one table, all others are of the other
        if at > _LAST:
            raise _BrokenError("a block with more coefficients than it can have")
    return place - held // 8


def alone(body: bytes, frame: Frame, component: Component, place: int) -> bytes | None:
    """The scans that a component does not share, as a grey JPEG; None where there are none.

    Where it shares those of its DC coefficients, these are zero there.
    """
    if frame.arithmetic or frame.lossless:
        return None
    own = list(_own(body, component, place))
    firsts = [scan.first for scan, _ in own if scan is not None]
    if not firsts:
        return None
    width, height = frame.size(component)
    shape = struct.pack(">BHHB", 8, height, width, 1) + bytes((component.number, 0x11, 0))
    out = [b"\xff\xd8", _segment(0xDB, bytes((0,)) + bytes((1,) * 64)), _segment(frame.marker, shape)]
    if firsts[0]:
        across, down = frame.grid(component)
        zeros = bytes(-(-across * down // 8))
        out += [_segment(HUFFMAN_TABLES, _ONE_CODE), _scan_header(component.number), zeros]
    return b"".join([*out, *(part for _, part in own), b"\xff\xd9"])


def _own(body: bytes, component: Component, place: int) -> Iterator[tuple[Scan | None, bytes]]:
    """The tables of a file, and the scans of one component alone, in order."""
    for marker, start, end in all_segments(body, place):
        if marker in (HUFFMAN_TABLES, RESTART_INTERVAL):
            yield None, body[start:end]
            continue
        scan = scan_at(body, start, end) if marker == START_OF_SCAN else None
        if scan is not None and [number for number, _, _ in scan.components] == [component.number]:
            yield scan, body[start : scan.end]


def _scan_header(number: int) -> bytes:
    """That of a scan with the DC coefficients of one component."""
    return _segment(START_OF_SCAN, bytes((1, number, 0, 0, 0, 0)))


def _segment(marker: int, payload: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload
