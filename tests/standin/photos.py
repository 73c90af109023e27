"""A bank of real photographs: a few dozen encoded once, from which every photo id gets its own bytes for nothing.

The trick: a comment that holds the photo id is put into a ready file, so ten thousand different photos cost no
encoding. The "no longer available" picture is drawn here; it is not Flickr's file.
"""

from __future__ import annotations

import hashlib
import io
import random
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageOps

FOLDER: Final = Path(__file__).resolve().parent.parent / "photos"
VARIANTS: Final = 48  # JPEG files in the bank
# Flickr's default size has 500 pixels on the long side; (width, height) in pixels.
SHAPES: Final = ((500, 375), (375, 500), (500, 333), (500, 375), (333, 500), (500, 500))
CMYK: Final = frozenset({14, 31})
ROTATED: Final = {11: 6, 23: 8, 37: 3}  # variant: EXIF orientation
PROGRESSIVE_EVERY: Final = 6
ORIENTATION: Final = 0x0112  # the EXIF tag


@dataclass(frozen=True, slots=True)
class Picture:
    """A ready file, cut where a comment may be put in."""

    head: bytes
    tail: bytes
    kind: str  # "jpg", "png" or "gif"

    def stamped(self, text: str) -> bytes:
        """The file with a comment in it: another file, the same picture."""
        return b"".join((self.head, _comment(self.kind, text.encode()), self.tail))


def _comment(kind: str, text: bytes) -> bytes:
    """A comment of at most 255 bytes as the file format writes it."""
    if kind == "jpg":
        return b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text
    if kind == "gif":
        return b"\x21\xfe" + bytes((len(text),)) + text + b"\0"
    chunk = b"tEXtComment\0" + text
    return (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")


def _after_app_segments(data: bytes) -> int:
    """Offset in bytes behind a JPEG's APPn segments: JFIF and EXIF want to come first."""
    at = 2
    while data[at] == 0xFF and 0xE0 <= data[at + 1] <= 0xEF:
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return at


def _picture(data: bytes, kind: str) -> Picture:
    if kind == "jpg":
        at = _after_app_segments(data)
    elif kind == "png":
        at = 8 + 25  # the signature and the IHDR chunk
    else:
        data = b"GIF89a" + data[6:]  # comments came with the 1989 version
        at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)  # the screen and its palette
    return Picture(data[:at], data[at:], kind)


@cache
def _base() -> tuple[Image.Image, ...]:
    """The decoded photographs, in a fixed order."""
    pictures = []
    for path in sorted(FOLDER.glob("*.jpg")):
        with Image.open(path, formats=("JPEG",)) as image:
            pictures.append(image.copy())
    return tuple(pictures)


def _varied(number: int) -> Image.Image:
    """A crop of one of the photographs, mirrored or tinted by chance, in one of Flickr's usual shapes."""
    rng = random.Random(f"variant {number}")
    image = _base()[number % len(_base())]
    width, height = SHAPES[number // len(_base()) % len(SHAPES)]
    share = rng.uniform(0.8, 1.0)
    scale = share * min(image.width / width, image.height / height)
    left = rng.uniform(0, image.width - scale * width)
    top = rng.uniform(0, image.height - scale * height)
    box = (left, top, left + scale * width, top + scale * height)
    image = image.resize((width, height), Image.Resampling.BILINEAR, box=box)
    if rng.random() < 0.5:
        image = ImageOps.mirror(image)
    if image.mode == "RGB" and rng.random() < 0.5:
        gains = [rng.uniform(0.75, 1.0) for _ in range(3)]
        image = image.point([round(value * gain) for gain in gains for value in range(256)])
    return image


def _jpeg(number: int) -> Picture:
    image = _varied(number)
    exif = Image.Exif()
    if number in ROTATED:
        exif[ORIENTATION] = ROTATED[number]
    if number in CMYK:
        image = image.convert("CMYK")
    out = io.BytesIO()
    progressive = number % PROGRESSIVE_EVERY == 5
    image.save(out, "JPEG", quality=97, subsampling=0, progressive=progressive, exif=exif)
    return _picture(out.getvalue(), "jpg")


def _other(number: int, kind: str) -> Picture:
    """A smaller PNG or GIF, for the few URLs that end so."""
    image = _varied(number).convert("RGB").resize((240, 180))
    out = io.BytesIO()
    (image.quantize(128) if kind == "gif" else image).save(out, {"png": "PNG", "gif": "GIF"}[kind])
    return _picture(out.getvalue(), kind)


@cache
def bank(kind: str = "jpg") -> tuple[Picture, ...]:
    """Every ready picture of a kind; made at the first call, then kept."""
    if kind == "jpg":
        return tuple(_jpeg(number) for number in range(VARIANTS))
    return tuple(_other(number, kind) for number in range(4))


def photo(name: str) -> bytes:
    """The bytes of the photo with this file name: always the same, and unlike those of any other name."""
    kind = name.rpartition(".")[2].lower()
    pictures = bank(kind if kind in {"png", "gif"} else "jpg")
    number = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "big")
    return pictures[number % len(pictures)].stamped(f"photo {name}"[:255])


@cache
def placeholder() -> bytes:
    """The stand-in's own "no longer available" picture: a grey PNG of 500 x 374 pixels."""
    image = Image.new("L", (500, 374), 0xEE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((150, 110, 350, 240), outline=0xAA, width=3)
    draw.line((150, 110, 350, 240), fill=0xAA, width=3)
    draw.text((172, 262), "photo no longer available", fill=0x66)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@cache
def tiny(kind: str) -> bytes:
    """A picture too small to be a photo: a GIF of 1 x 1 or a JPEG of 20 x 20 pixels."""
    side, form = (1, "GIF") if kind == "gif" else (20, "JPEG")
    out = io.BytesIO()
    Image.new("L", (side, side), 0x80).save(out, form)
    return out.getvalue()


def truncated(data: bytes) -> bytes:
    """The first 60 % of a file."""
    return data[: len(data) * 6 // 10]


def corrupt(data: bytes) -> bytes:
    """The file with its inside damaged: length and both ends stay, but no decoder can make a picture of it.

    A Huffman table of a JPEG becomes impossible (a strict walk over the segments still passes), and a stretch
    of the picture is overwritten, in other formats too.
    """
    damaged = bytearray(data)
    table = data.find(b"\xff\xc4")
    if data[:2] == b"\xff\xd8" and table > 0:
        damaged[table + 5 : table + 21] = b"\xf0" * 16
    middle = len(data) // 2
    damaged[middle : middle + 64] = bytes(64)
    return bytes(damaged)


HTML: Final = (
    b"<!DOCTYPE html>\n<html><head><title>Flickr</title></head>"
    b"<body><h1>Oops!</h1><p>This page is not a photo.</p></body></html>\n"
)
