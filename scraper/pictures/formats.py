"""The structure of picture files: where they start, how large they are, and whether their end is there. Pure bytes.

Sources: ITU-T T.81 (JPEG), https://www.w3.org/TR/png/, https://www.w3.org/Graphics/GIF/spec-gif89a.txt and
https://developers.google.com/speed/webp/docs/riff_container. Whatever stands behind the end is let be: cameras append
films and editors notes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNATURES: Final = (
    ("JPEG", re.compile(rb"\xff\xd8\xff")),
    ("PNG", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("GIF", re.compile(rb"GIF8[79]a")),
    ("WEBP", re.compile(rb"RIFF....WEBP", re.DOTALL)),
)
_PNG_END: Final = b"\x00\x00\x00\x00IEND\xaeB`\x82"

_START_OF_SCAN: Final = 0xDA
_PRECISION: Final = 8
"""Bits of a sample; other precisions are of medical pictures, which common decoders refuse."""
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PICTURE_SEGMENTS: Final = frozenset({*range(0xC0, 0xD0), 0xDB, 0xDC, 0xDD, 0xEE}) - {0xC8}
"""Frame, Huffman and quantisation tables, restart interval, and Adobe's note on colours (T.81, table B.1)."""
_OTHER_SEGMENTS: Final = frozenset({*range(0xE0, 0xF0), 0xFE}) - {0xEE}
"""Application data and comments."""


def format_of(start: bytes) -> str | None:
    """The format whose signature the bytes begin with, as Pillow names it; None for any that is not kept."""
    return next((name for name, signature in _SIGNATURES if signature.match(start)), None)


def ends(name: str, body: bytes) -> bool:
    """Whether the end that the format prescribes is there."""
    match name:
        case "JPEG":
            scan = next((place for marker, place, _ in jpeg_segments(body) if marker == _START_OF_SCAN), None)
            # Within scans a byte 0xFF is always stuffed, so an end marker behind the first scan is no picture data.
            return scan is not None and body.rfind(b"\xff\xd9", scan) != -1
        case "PNG":
            return _PNG_END in body
        case "GIF":
            return _gif_ends(body)
        case _:
            return len(body) >= 8 + int.from_bytes(body[4:8], "little")


def jpeg_segments(body: bytes) -> Iterator[tuple[int, int, int]]:
    """The segments of a JPEG's header as (marker, start, end), up to the first scan; junk between them is stepped over.

    The last one is the start of scan, and its end that of the body.
    """
    place = 2
    while (place := body.find(b"\xff", place)) != -1 and place + 4 <= len(body):
        marker = body[place + 1]
        end = place + 2 + int.from_bytes(body[place + 2 : place + 4], "big")
        if marker == _START_OF_SCAN:
            yield marker, place, len(body)
            return
        if marker in _PICTURE_SEGMENTS or marker in _OTHER_SEGMENTS:
            yield marker, place, end
            place = end
        elif 0x00 < marker < 0xC0:
            return  # no marker of any standard: Pillow and others give up here
        else:
            place += 1


def jpeg_size(body: bytes) -> tuple[int, int] | None:
    """Width and height in pixels as a JPEG's frame declares them, None where there is no frame."""
    for marker, start, end in jpeg_segments(body):
        if marker in _FRAMES and end <= len(body) and end - start >= 9 and body[start + 4] == _PRECISION:
            return int.from_bytes(body[start + 7 : start + 9], "big"), int.from_bytes(
                body[start + 5 : start + 7], "big"
            )
    return None


def without_header_junk(body: bytes) -> bytes:
    """A JPEG without what stands between its segments and without application data, from its first scan on as it is.

    Editors leave stray bytes and broken metadata in headers; the picture behind them is whole.
    """
    kept = (body[start:end] for marker, start, end in jpeg_segments(body) if marker not in _OTHER_SEGMENTS)
    return b"\xff\xd8" + b"".join(kept)


def _gif_ends(body: bytes) -> bool:
    """Walk a GIF's blocks to its trailer."""
    place = 13 + _colour_table(body[10:11])
    while place < len(body):
        introducer = body[place]
        if introducer == 0x3B:
            return True
        if introducer == 0x21:  # an extension: its label, then sub-blocks
            place = _past_sub_blocks(body, place + 2)
        elif introducer == 0x2C:  # a picture: its descriptor, perhaps colours, the code size, then sub-blocks
            place = _past_sub_blocks(body, place + 11 + _colour_table(body[place + 9 : place + 10]))
        else:
            return False
    return False


def _colour_table(flags: bytes) -> int:
    """Bytes of the colour table that a GIF's packed flags announce."""
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _past_sub_blocks(body: bytes, place: int) -> int:
    while place < len(body) and body[place]:
        place += 1 + body[place]
    return place + 1
