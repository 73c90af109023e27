"""The formats of pictures: how they start, how large they are, and whether their end is there. Pure bytes.

Sources: https://www.w3.org/TR/png/, https://www.w3.org/Graphics/GIF/spec-gif89a.txt and
https://developers.google.com/speed/webp/docs/riff_container; `jpeg` has its own. Whatever stands behind the end is let
be: cameras append films and editors notes.
"""

from __future__ import annotations

import re
from typing import Final

from scraper.pictures import jpeg
from scraper.pictures.bounds import MOST_BLOCKS, MOST_PIECES, Outline

_SIGNATURES: Final = (
    ("JPEG", re.compile(rb"\xff\xd8\xff")),
    ("PNG", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("GIF", re.compile(rb"GIF8[79]a")),
    ("WEBP", re.compile(rb"RIFF....WEBP", re.DOTALL)),
)
_PNG_END: Final = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_PNG_NOTES: Final = frozenset({b"zTXt", b"iTXt", b"iCCP"})
_NOTE: Final = 2**20
"""Bytes that Pillow unpacks of one compressed note at most."""
_MOST_NOTES: Final = 64
"""Times as much are all notes of a picture."""
_WEBP_BYTES: Final = 16
"""Bytes for each pixel: libwebp keeps two canvases, and Pillow copies one twice."""


def format_of(start: bytes) -> str | None:
    """The format whose signature the bytes begin with, as Pillow names it; None for any that is not kept."""
    return next((name for name, signature in _SIGNATURES if signature.match(start)), None)


def outline_of(name: str, body: bytes) -> Outline:
    """What the structure of a file of this format says of its picture."""
    match name:
        case "JPEG":
            return jpeg.outline_of(body)
        case "PNG":
            return _png(body)
        case "GIF":
            return _gif(body)
        case _:
            return _webp(body)


def _png(body: bytes) -> Outline:
    """Walk the chunks of a PNG to its end."""
    size: tuple[int, int] | None = None
    notes = 0
    if body[12:16] == b"IHDR" and len(body) >= 33:
        size = int.from_bytes(body[16:20], "big"), int.from_bytes(body[20:24], "big")
    place = 8
    for _ in range(MOST_PIECES):
        kind = body[place + 4 : place + 8]
        if len(kind) < 4 or kind == b"IEND":
            break
        notes += kind in _PNG_NOTES
        place += 12 + int.from_bytes(body[place : place + 4], "big")
    else:
        return Outline(size=size, excess=f"more than {MOST_PIECES:,} chunks")
    pixels = size[0] * size[1] if size else 0
    memory = pixels * _png_bytes(body[24], body[25]) if size else 0
    memory += min(notes, _MOST_NOTES) * _NOTE
    return Outline(size=size, ended=_PNG_END in body, memory=memory, samples=pixels)


def _png_bytes(depth: int, colour_type: int) -> int:
    """Bytes that Pillow takes for a pixel of a PNG."""
    if colour_type in (0, 3):
        return 2 if depth == 16 else 1
    return 4


def _gif(body: bytes) -> Outline:
    """Walk a GIF's blocks to its trailer."""
    place = 13 + _colour_table(body[10:11])
    width, height = int.from_bytes(body[6:8], "little"), int.from_bytes(body[8:10], "little")
    ended, framed = False, False
    left = MOST_BLOCKS
    while place < len(body) and left > 0:
        introducer = body[place]
        if introducer == 0x21:  # an extension: its label, then sub-blocks
            # Pillow puts a comment together block by block, each time anew.
            most = left if framed else min(left, MOST_PIECES // 4)
            place, used = _past_sub_blocks(body, place + 2, most)
            left -= left if used == most else used + 1
        elif introducer == 0x2C:  # a picture: its descriptor, perhaps colours, the code size, then sub-blocks
            if not framed:  # Pillow lets the first one grow the screen
                width, height = _grown(body[place + 1 : place + 9], width, height)
            framed = True
            place, used = _past_sub_blocks(body, place + 11 + _colour_table(body[place + 9 : place + 10]), left)
            left -= used + 1
        else:
            ended = introducer == 0x3B
            break
    size = (width, height) if len(body) >= 13 else None
    excess = f"more than {MOST_BLOCKS:,} blocks, or very long notes" if left <= 0 else None
    return Outline(size=size, ended=ended, memory=2 * width * height, samples=width * height, excess=excess)


def _grown(place: bytes, width: int, height: int) -> tuple[int, int]:
    left, top, across, down = (int.from_bytes(place[at : at + 2], "little") for at in range(0, 8, 2))
    return max(width, left + across), max(height, top + down)


def _colour_table(flags: bytes) -> int:
    """Bytes of the colour table that a GIF's packed flags announce."""
    return 3 << ((flags[0] & 7) + 1) if flags and flags[0] & 0x80 else 0


def _past_sub_blocks(body: bytes, place: int, most: int) -> tuple[int, int]:
    """The place behind a chain of sub-blocks, and how many there were, no more than `most`."""
    for used in range(most):
        if place >= len(body) or not body[place]:
            return place + 1, used
        place += 1 + body[place]
    return place, most


def _webp(body: bytes) -> Outline:
    size = _webp_size(body)
    pixels = size[0] * size[1] if size else 0
    ended = len(body) >= 8 + int.from_bytes(body[4:8], "little")
    return Outline(size=size, ended=ended, memory=_WEBP_BYTES * pixels, samples=pixels)


def _webp_size(body: bytes) -> tuple[int, int] | None:
    """Width and height of a WEBP by its first chunk, in each of the three forms that it can have."""
    kind, start = body[12:16], body[20:30]
    if len(start) < 10:
        return None
    if kind == b"VP8X":
        return 1 + int.from_bytes(start[4:7], "little"), 1 + int.from_bytes(start[7:10], "little")
    if kind == b"VP8L":
        sides = int.from_bytes(start[1:5], "little")
        return 1 + (sides & 0x3FFF), 1 + (sides >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        return int.from_bytes(start[6:8], "little") & 0x3FFF, int.from_bytes(start[8:10], "little") & 0x3FFF
    return None
