"""Is it a whole picture? Bytes to format and size, or to the reason why not.

A picture counts as whole when its signature is that of a format we keep, its end is where the format says, and a
decoder reads it to the end without complaint: simplejpeg for JPEG, Pillow for the rest.
"""

from __future__ import annotations

import io
import struct
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

import simplejpeg
from PIL import Image

from scraper.model import Outcome
from scraper.pictures.formats import ends, format_of, jpeg_size, without_header_junk

if TYPE_CHECKING:
    from collections.abc import Callable

_Result = TypeVar("_Result")

MOST_PIXELS: Final = 89_000_000
"""Decoding more would take hundreds of megabytes; Pillow warns above 89,478,485."""
_LARGE_PIXELS: Final = 12_000_000
_LARGE: Final = ThreadPoolExecutor(1, thread_name_prefix="scraper-large-pictures")
LEAST_SIDE: Final = 32
"""Pixels of the shorter side; Flickr's smallest thumbnail is 75 square, icons are 16 and tracking pixels 1."""


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
    name = format_of(body)
    if name is None:
        return Flaw(Outcome.NOT_IMAGE, _describe(body))
    if not ends(name, body):
        if name == "JPEG" and body.endswith(b"\xff\xd9"):
            return Flaw(Outcome.CORRUPT, "JPEG: its header cannot be read")
        return Flaw(Outcome.TRUNCATED, f"the {name} stops before its end")
    return _jpeg(body, decode=decode) if name == "JPEG" else _opened(name, body, decode=decode)


def _jpeg(body: bytes, *, decode: bool) -> PictureInfo | Flaw:
    """What a strict decoder says of a JPEG; junk between the segments of its header is forgiven, damage inside is not.

    libjpeg only warns of damage to the picture data, and Pillow hides the warnings: it passes 92 % of photos with
    flipped bytes. simplejpeg raises them, and at an eighth of the size is the cheaper decode of the two.
    """
    size = jpeg_size(body)
    if size is None:
        return Flaw(Outcome.CORRUPT, "JPEG: no frame in it")
    info = PictureInfo("JPEG", *size)
    flaw = _size_flaw(info)
    if flaw is None and decode:
        problem = _apart(info, lambda: _damage(body))
        if problem is not None:
            return Flaw(Outcome.CORRUPT, f"JPEG: {problem}")
    return flaw or info


def _apart(info: PictureInfo, work: Callable[[], _Result]) -> _Result:
    """Do work on a picture; large ones are all done by one thread.

    So no more than one is decoded at a time, and the memory that the allocator keeps for it is kept for one thread.
    """
    if info.width * info.height <= _LARGE_PIXELS:
        return work()
    return _LARGE.submit(work).result()


def _damage(body: bytes) -> str | None:
    problem = _strict(body)
    return None if problem is None or _strict(without_header_junk(body)) is None else problem


def _strict(body: bytes) -> str | None:
    try:
        simplejpeg.decode_jpeg(body, colorspace="GRAY", min_height=1, min_width=1, min_factor=8, strict=True)
    except ValueError as error:
        return " ".join(str(error).split())[:200]
    return None


def _opened(name: str, body: bytes, *, decode: bool) -> PictureInfo | Flaw:
    try:
        with Image.open(io.BytesIO(body), formats=(name,)) as image:
            info = PictureInfo(name, *image.size)
            flaw = _size_flaw(info)
            if flaw is None and decode:
                _apart(info, lambda: _load(image))
            return flaw or info
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        return Flaw(Outcome.TOO_LARGE, str(error))
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error) as error:
        # Pillow's readers let out whatever a damaged field leads to; all of it means the same here.
        return Flaw(Outcome.CORRUPT, f"{name}: {' '.join(str(error).split())[:200]}")


def _load(image: Image.Image) -> None:
    image.load()
    image.close()


def _size_flaw(info: PictureInfo) -> Flaw | None:
    if info.width * info.height > MOST_PIXELS:
        return Flaw(Outcome.TOO_LARGE, f"{info.width} x {info.height} pixels")
    if min(info.width, info.height) < LEAST_SIDE:
        return Flaw(Outcome.TOO_SMALL, f"{info.width} x {info.height} pixels")
    return None


def _describe(body: bytes) -> str:
    if not body:
        return "empty body"
    start = body[:512].lstrip().lower()
    if b"<html" in start or start.startswith(b"<!doctype html"):
        return "an HTML page"
    if b"<svg" in start:
        return "an SVG drawing"
    return f"starts with {body[:8].hex(' ')}"
