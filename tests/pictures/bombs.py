"""Small files that ask for much: work, memory or patience. Each is what its format allows, or nearly so."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Final

from PIL import Image

from tests.pictures.encoder import segment

_LONGEST_RUN: Final = 32767
"""Blocks that one code of a progressive JPEG can pass over."""


def _bits(bits: str) -> bytes:
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\x00")


def _table(kind: int, symbol: int) -> bytes:
    """A table with one code, a bit of 0."""
    return segment(0xC4, bytes((kind << 4, 1, *[0] * 15, symbol)))


def scans(width: int, height: int, again: int) -> bytes:
    """A grey progressive JPEG, and then a scan of a hundred bytes that says nothing, again and again."""
    blocks = -(-width // 8) * -(-height // 8)
    head = b"\xff\xd8" + segment(0xDB, bytes((0,)) + bytes([16] * 64))
    head += segment(0xC2, struct.pack(">BHHB", 8, height, width, 1) + bytes((1, 0x11, 0)))
    head += _table(0, 0) + segment(0xDA, bytes((1, 1, 0, 0, 0, 1))) + _bits("0" * blocks)
    run = "0" + "1" * 14
    nothing = segment(0xDA, bytes((1, 1, 0, 1, 63, 0x10))) + _bits(run * -(-blocks // _LONGEST_RUN))
    return head + _table(1, 0xE0) + nothing * again + b"\xff\xd9"


def segments(marker: int, number: int) -> bytes:
    """A JPEG with so many empty segments before its picture's data, or for a comment behind them."""
    out = io.BytesIO()
    Image.new("L", (64, 64)).save(out, "JPEG")
    body = out.getvalue()
    many = bytes((0xFF, marker, 0, 2)) * number
    return body[:-2] + many + body[-2:] if marker == 0xFE else body[:2] + many + body[2:]


def arithmetic(width: int, height: int) -> bytes:
    """The head of a JPEG that is coded arithmetically: a bit can stand for dozens of samples."""
    frame = segment(0xC9, struct.pack(">BHHB", 8, height, width, 1) + bytes((1, 0x11, 0)))
    scan = segment(0xDA, bytes((1, 1, 0, 0, 63, 0)))
    return b"\xff\xd8" + segment(0xDB, bytes((0,)) + bytes([16] * 64)) + frame + scan + bytes(64) + b"\xff\xd9"


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *, colour: int = 2, before: bytes = b"") -> bytes:
    """A black PNG of 8 bits a sample, with chunks before its data."""
    row = bytes(1 + width * {0: 1, 2: 3, 3: 1, 6: 4}[colour])
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + before + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def notes(number: int) -> bytes:
    """A PNG with compressed notes, each of which unpacks to a megabyte."""
    return png(64, 64, before=chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(2**20 - 16), 9)) * number)


def chunks(number: int) -> bytes:
    """A PNG of so many chunks that say next to nothing."""
    return png(64, 64, before=chunk(b"tEXt", b"k\0v") * number)


def gif_comment(blocks: int) -> bytes:
    """A GIF with a comment of so many blocks of a letter."""
    out = io.BytesIO()
    Image.new("P", (64, 64)).save(out, "GIF")
    body = out.getvalue()
    at = 13 + (3 << (body[10] & 7) + 1 if body[10] & 0x80 else 0)
    return b"GIF89a" + body[6:at] + b"!\xfe" + b"\x01x" * blocks + b"\0" + body[at:]


def gif_blocks(blocks: int) -> bytes:
    """A GIF whose picture comes in so many blocks of a byte."""
    head = b"GIF89a" + struct.pack("<HH", 64, 64) + b"\0\0\0"
    return head + b",\0\0\0\0\x40\0\x40\0\0\x08" + b"\x01x" * blocks + b"\0;"


def gif_beyond_its_screen(width: int, height: int) -> bytes:
    """A small screen, and a picture on it that is not: readers let the screen grow."""
    head = b"GIF89a" + struct.pack("<HH", 64, 64) + b"\0\0\0"
    return head + b"," + struct.pack("<HHHH", 0, 0, width, height) + b"\0\x08\x01x\0;"


def webp(width: int, height: int) -> bytes:
    """A lossless WEBP that says it is this large."""
    out = io.BytesIO()
    Image.new("RGB", (64, 64)).save(out, "WEBP", lossless=True)
    body = bytearray(out.getvalue())
    sides = int.from_bytes(body[21:25], "little") & ~0x0FFFFFFF
    body[21:25] = (sides | (height - 1) << 14 | width - 1).to_bytes(4, "little")
    return bytes(body)
