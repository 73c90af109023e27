"""Is it a whole picture? Bytes to format and size, or to the reason why not.

A picture counts as whole when its signature is that of a format we keep, its end is where the format says, and a
decoder reads it to the end without complaint. Pillow's `verify()` alone passes every truncated JPEG.
"""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass
from typing import Final

from PIL import Image

from scraper.model import Outcome

MOST_PIXELS: Final = 89_000_000
"""Decoding more would take hundreds of megabytes; Pillow warns above 89,478,485."""
LEAST_SIDE: Final = 16
"""Pixels of the shorter side; Flickr's smallest thumbnail is 75 square, tracking pixels are 1."""

_SIGNATURES: Final = (
    ("JPEG", re.compile(rb"\xff\xd8\xff")),
    ("PNG", re.compile(rb"\x89PNG\r\n\x1a\n")),
    ("GIF", re.compile(rb"GIF8[79]a")),
    ("WEBP", re.compile(rb"RIFF....WEBP", re.DOTALL)),
)


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """A whole picture: its format as Pillow names it, and its size in pixels."""

    format: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Flaw:
    """Why the bytes are not a whole picture."""

    outcome: Outcome
    error: str


def examine(body: bytes, *, decode: bool) -> PictureInfo | Flaw:
    """Judge the bytes of an answer.

    Args:
        body: all of it.
        decode: whether to decode the picture to its end; without, only signature, size and end marker are checked.
    """
    name = next((name for name, signature in _SIGNATURES if signature.match(body)), None)
    if name is None:
        return Flaw(Outcome.NOT_IMAGE, _describe(body))
    if not _ends_well(name, body):
        return Flaw(Outcome.TRUNCATED, f"the {name} stops before its end")
    return _opened(name, body, decode=decode)


def _opened(name: str, body: bytes, *, decode: bool) -> PictureInfo | Flaw:
    try:
        with Image.open(io.BytesIO(body), formats=(name,)) as image:
            info = PictureInfo(name, *image.size)
            flaw = _size_flaw(info)
            if flaw is None and decode:
                image.load()
            return flaw or info
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        return Flaw(Outcome.TOO_LARGE, str(error))
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error) as error:
        # Pillow's readers let out whatever a damaged field leads to; all of it means the same here.
        return Flaw(Outcome.CORRUPT, f"{name}: {' '.join(str(error).split())[:200]}")


def _size_flaw(info: PictureInfo) -> Flaw | None:
    if info.width * info.height > MOST_PIXELS:
        return Flaw(Outcome.TOO_LARGE, f"{info.width} x {info.height} pixels")
    if min(info.width, info.height) < LEAST_SIDE:
        return Flaw(Outcome.TOO_SMALL, f"{info.width} x {info.height} pixels")
    return None


def _ends_well(name: str, body: bytes) -> bool:
    """Whether the end that the format prescribes is there; cameras and editors may have padded behind it."""
    if name == "JPEG":
        return body.rfind(b"\xff\xd9") > body.rfind(b"\xff\xda")  # an end of image after the last start of scan
    if name == "PNG":
        return b"IEND" in body[-64 * 1024 :]
    if name == "GIF":
        return body.rstrip(b"\x00").endswith(b";")
    return len(body) >= 8 + int.from_bytes(body[4:8], "little")


def _describe(body: bytes) -> str:
    if not body:
        return "empty body"
    start = body[:512].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")) or b"<html" in start:
        return "an HTML page"
    if b"<svg" in start:
        return "an SVG drawing"
    return f"starts with {body[:8].hex(' ')}"
