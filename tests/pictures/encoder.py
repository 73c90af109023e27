"""A small JPEG encoder for what others do not make: any sampling factors, colour spaces, scans and restart intervals.

The pictures are noise of a seed, given as coefficients, so that nothing is lost between them and the file. Source:
ITU-T T.81. Not for pictures of use to anyone.
"""

from __future__ import annotations

import itertools
import random
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Factors = tuple[int, int]
Block = list[int]

JFIF: Final = b"\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"
_DC_BITS: Final = 4
_AC_BITS: Final = 8
_DC_SYMBOLS: Final = range(12)
_AC_SYMBOLS: Final = (0x00, 0xF0, *(run << 4 | size for run in range(16) for size in range(1, 11)))
_DC_CODES: Final = {symbol: format(code, f"0{_DC_BITS}b") for code, symbol in enumerate(_DC_SYMBOLS)}
_AC_CODES: Final = {symbol: format(code, f"0{_AC_BITS}b") for code, symbol in enumerate(_AC_SYMBOLS)}


def segment(marker: int, payload: bytes) -> bytes:
    """A marker segment."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(payload) + 2) + payload


def adobe(transform: int) -> bytes:
    """Adobe's note on colours: 0 for RGB or CMYK as they are, 1 for YCbCr, 2 for YCCK."""
    return segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes((transform,)))


@dataclass(frozen=True, kw_only=True)
class Picture:
    """What is to be encoded.

    Attributes:
        width: in pixels, as `height` is.
        factors: horizontal and vertical sampling factors of each component, 1 to 4.
        colours: the segment that says how the components are meant.
        restart: MCUs between restart markers, 0 for none.
        interleaved: whether all components share one scan.
        progressive: whether there are scans of DC and of AC coefficients in turn.
        seed: of the noise.
    """

    width: int = 70
    height: int = 50
    factors: tuple[Factors, ...] = ((1, 1),)
    colours: bytes = JFIF
    restart: int = 0
    interleaved: bool = True
    progressive: bool = False
    seed: int = 1
    ids: tuple[int, ...] = field(default=(1, 2, 3, 4))


@dataclass(frozen=True)
class _Scan:
    """The components of one scan, by index, and its band of coefficients and bits."""

    components: tuple[int, ...]
    first: int = 0
    last: int = 63
    high: int = 0
    low: int = 0


def encode(picture: Picture) -> bytes:
    """The JPEG file."""
    blocks = _noise(picture)
    out = [b"\xff\xd8", picture.colours, segment(0xDB, bytes((0,)) + bytes([16] * 64)), _frame(picture), _tables()]
    if picture.restart:
        out.append(segment(0xDD, struct.pack(">H", picture.restart)))
    for scan in _scans(picture):
        out += [_scan_header(picture, scan), _scan_data(picture, scan, blocks)]
    return b"".join([*out, b"\xff\xd9"])


def _frame(picture: Picture) -> bytes:
    parts = (bytes((number, h << 4 | v, 0)) for number, (h, v) in zip(picture.ids, picture.factors, strict=False))
    head = struct.pack(">BHHB", 8, picture.height, picture.width, len(picture.factors))
    return segment(0xC2 if picture.progressive else 0xC0, head + b"".join(parts))


def _tables() -> bytes:
    """Codes of one length for each class: simple, and many of them unused, so that damage is seen."""
    counts = bytes((0,) * (_DC_BITS - 1) + (len(_DC_SYMBOLS),) + (0,) * (16 - _DC_BITS))
    dc = segment(0xC4, b"\x00" + counts + bytes(_DC_SYMBOLS))
    counts = bytes((0,) * (_AC_BITS - 1) + (len(_AC_SYMBOLS),) + (0,) * (16 - _AC_BITS))
    return dc + segment(0xC4, b"\x10" + counts + bytes(_AC_SYMBOLS))


def _scans(picture: Picture) -> Iterator[_Scan]:
    every = tuple(range(len(picture.factors)))
    groups = [every] if picture.interleaved else [(one,) for one in every]
    if not picture.progressive:
        yield from (_Scan(group) for group in groups)
        return
    yield from (_Scan(group, 0, 0, 0, 1) for group in groups)
    yield from (_Scan((one,), first, last) for one in every for first, last in ((1, 5), (6, 63)))
    yield from (_Scan(group, 0, 0, 1, 0) for group in groups)


def _scan_header(picture: Picture, scan: _Scan) -> bytes:
    parts = b"".join(bytes((picture.ids[one], 0)) for one in scan.components)
    return segment(
        0xDA, bytes((len(scan.components),)) + parts + bytes((scan.first, scan.last, scan.high << 4 | scan.low))
    )


def _grid(picture: Picture, component: int) -> tuple[int, int]:
    """Blocks of a component across and down, without what only fills up the last MCUs."""
    h, v = picture.factors[component]
    most_h, most_v = (max(side) for side in zip(*picture.factors, strict=True))
    return _ceil(_ceil(picture.width * h, most_h), 8), _ceil(_ceil(picture.height * v, most_v), 8)


def _mcus(picture: Picture) -> tuple[int, int]:
    most_h, most_v = (max(side) for side in zip(*picture.factors, strict=True))
    return _ceil(picture.width, 8 * most_h), _ceil(picture.height, 8 * most_v)


def _ceil(number: int, divisor: int) -> int:
    return -(-number // divisor)


def _noise(picture: Picture) -> list[dict[tuple[int, int], Block]]:
    """The coefficients of each block of each component, by column and row."""
    rng = random.Random(picture.seed)
    across, down = _mcus(picture)
    found: list[dict[tuple[int, int], Block]] = []
    for h, v in picture.factors:
        places = itertools.product(range(across * h), range(down * v))
        found.append({place: _block(rng) for place in places})
    return found


def _block(rng: random.Random) -> Block:
    block = [rng.randint(-60, 60)] + [0] * 63
    for place in rng.sample(range(1, 64), 5):
        block[place] = rng.choice((-9, -3, -2, -1, 1, 2, 3, 9))
    return block


def _scan_data(picture: Picture, scan: _Scan, blocks: list[dict[tuple[int, int], Block]]) -> bytes:
    units = list(_units(picture, scan, blocks))
    size = picture.restart or len(units)
    parts = [_packed(_entropy(scan, units[at : at + size])) for at in range(0, len(units), size)]
    out = parts[0]
    for number, part in enumerate(parts[1:]):
        out += bytes((0xFF, 0xD0 + number % 8)) + part
    return out


def _units(
    picture: Picture, scan: _Scan, blocks: list[dict[tuple[int, int], Block]]
) -> Iterator[list[tuple[int, Block]]]:
    """The MCUs of a scan: each a list of (component, block)."""
    if len(scan.components) == 1:
        one = scan.components[0]
        across, down = _grid(picture, one)
        yield from ([(one, blocks[one][x, y])] for y in range(down) for x in range(across))
        return
    across, down = _mcus(picture)
    for y, x in itertools.product(range(down), range(across)):
        unit: list[tuple[int, Block]] = []
        for one in scan.components:
            h, v = picture.factors[one]
            unit += [(one, blocks[one][x * h + i, y * v + j]) for j in range(v) for i in range(h)]
        yield unit


def _entropy(scan: _Scan, units: Iterable[list[tuple[int, Block]]]) -> Iterator[str]:
    before = dict.fromkeys(scan.components, 0)
    for one, block in itertools.chain.from_iterable(units):
        if scan.first == 0 and scan.high:
            yield str(block[0] >> scan.low & 1)
        elif scan.first == 0:
            value = block[0] >> scan.low
            size, bits = _magnitude(value - before[one])
            before[one] = value
            yield _DC_CODES[size] + bits
        if scan.last:
            yield from _ac(block, max(1, scan.first), scan.last)


def _ac(block: Block, first: int, last: int) -> Iterator[str]:
    run = 0
    for value in block[first : last + 1]:
        if not value:
            run += 1
            continue
        yield _AC_CODES[0xF0] * (run // 16)
        size, bits = _magnitude(value)
        yield _AC_CODES[run % 16 << 4 | size] + bits
        run = 0
    if run:
        yield _AC_CODES[0x00]


def _magnitude(value: int) -> tuple[int, str]:
    """A value's category and its bits (T.81, F.1.2.1)."""
    size = abs(value).bit_length()
    return size, format(value if value > 0 else value + (1 << size) - 1, f"0{size}b") if size else ""


def _packed(codes: Iterable[str]) -> bytes:
    bits = "".join(codes)
    bits += "1" * (-len(bits) % 8)
    return int(bits or "1" * 8, 2).to_bytes(max(1, len(bits) // 8), "big").replace(b"\xff", b"\xff\x00")


def samplings(components: int, *, interleaved: bool = True) -> list[tuple[Factors, ...]]:
    """Every choice of sampling factors that T.81 allows: 1 to 4, and at most ten blocks in an interleaved MCU."""
    sides: list[Factors] = [(h, v) for h in range(1, 5) for v in range(1, 5)]
    every = itertools.product(sides, repeat=components)
    return [one for one in every if not interleaved or sum(h * v for h, v in one) <= 10]
