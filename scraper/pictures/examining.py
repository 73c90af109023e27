"""Is it a whole picture? Bytes to format and size, or to the reason why not.

A picture counts as whole when its signature is that of a format we keep, its end is where the format says, and a
decoder reads it to the end without complaint: simplejpeg for JPEG, Pillow for the rest.
"""

from __future__ import annotations

import io
import struct
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import simplejpeg
from PIL import Image, UnidentifiedImageError

from scraper.errors import StoppedEarlyError
from scraper.model import Outcome
from scraper.pictures import entropy, jpeg
from scraper.pictures.bounds import MOST_MEMORY
from scraper.pictures.formats import format_of, outline_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from scraper.pacing.room import Room
    from scraper.pictures.bounds import Outline

_SMALL = 1 / 128
"""The share of a picture that is decoded without asking whether there is room: those of 32 threads are a quarter."""
_OWN_ZEROS = 4
"""Zero bytes that a scan's data may end in, where more follow that are junk."""
_COPIES = 3
"""Copies of a JPEG that a second look makes at most."""
_BROKEN = (
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    struct.error,
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


def examine(body: bytes, *, decode: bool, room: Room | None = None) -> PictureInfo | Flaw:
    """Judge the bytes of an answer.

    Args:
        body: all of it.
        decode: whether to decode the picture to its end; without, only signature, size and end marker are checked.
        room: of size 1, shared by all threads that decode at once; None where there is one.
    """
    name = format_of(body)
    if name is None:
        return Flaw(Outcome.NOT_IMAGE, _describe(body))
    outline = outline_of(name, body)
    flaw = _flaw(name, body, outline)
    if flaw is not None:
        return flaw
    if name == "JPEG":
        problem = _damage(body, outline, room) if decode else None
    else:
        problem = _opened(name, body, outline, room, decode=decode)
    width, height = outline.size or (0, 0)
    return PictureInfo(name, width, height) if problem is None else Flaw(Outcome.CORRUPT, f"{name}: {problem}")


def _flaw(name: str, body: bytes, outline: Outline) -> Flaw | None:
    """What is wrong with a picture by its structure alone."""
    if outline.excess is None and not outline.ended:
        if name == "JPEG" and body.endswith(b"\xff\xd9"):
            return Flaw(Outcome.CORRUPT, "JPEG: its header cannot be read")
        return Flaw(Outcome.TRUNCATED, f"the {name} stops before its end")
    if (problem := outline.too_large) is not None:
        return Flaw(Outcome.TOO_LARGE, problem)
    if outline.size is None:
        return Flaw(Outcome.CORRUPT, f"{name}: its size cannot be read")
    if (problem := outline.too_small) is not None:
        return Flaw(Outcome.TOO_SMALL, problem)
    return None


def _taken(room: Room | None, share: float) -> AbstractContextManager[None]:
    return nullcontext() if room is None or share <= _SMALL else room.taken(share)


def _damage(body: bytes, outline: Outline, room: Room | None) -> str | None:
    """What a strict decoder says of a JPEG; junk that leaves the picture whole is forgiven, damage inside is not.

    libjpeg only warns of damage to the picture data, and Pillow hides the warnings: it passes 92 % of photos with
    flipped bytes. simplejpeg raises them, and at an eighth of the size is the cheaper decode of the two.
    """
    with _taken(room, outline.share):
        problem = _strict(body)
    if problem is None:
        return None
    with _taken(room, max(outline.share, _COPIES * len(body) / MOST_MEMORY)):
        return _second_look(body, problem)


def _strict(body: bytes) -> str | None:
    try:
        simplejpeg.decode_jpeg(body, colorspace="GRAY", min_height=1, min_width=1, min_factor=8, strict=True)
    except ValueError as error:
        return _line(error)
    return None


def _second_look(body: bytes, problem: str) -> str | None:
    """What is wrong with a JPEG that the strict decoder refused, None if that was for junk or for want of a name."""
    clean = jpeg.without_notes(body)
    if any(_strict(form) is None for form in _forms(clean)):
        return None
    try:
        simplejpeg.decode_jpeg_header(clean, strict=False)
    except ValueError:
        # Its sampling factors have no name, or it is broken at once.
        if any((_by_parts(form) or _loaded("JPEG", form, eighth=True)) is None for form in _forms(clean)):
            return None
    return problem


def _forms(body: bytes) -> Iterator[bytes]:
    """The JPEG as it is, and then with fewer of the zero bytes that stand before its markers.

    Where a part of the picture was overwritten by zeros, these are taken for more of its data than what is kept.
    """
    yield body
    for keep in range(_OWN_ZEROS + 1):
        form = jpeg.without_zeros(body, keep)
        if len(form) == len(body):
            return
        yield form


def _by_parts(body: bytes) -> str | None:
    """What is wrong with the scans of a JPEG, each looked at for itself."""
    head = jpeg.header(body)
    if head is None or head.frame is None:
        return "its header cannot be read"
    for component in head.frame.components:
        own = entropy.alone(body, head.frame, component, head.scan)
        if own is not None and (problem := _strict(own)) is not None:
            return problem
    return entropy.flaw_of(body, head.frame, head.scan)


def _opened(name: str, body: bytes, outline: Outline, room: Room | None, *, decode: bool) -> str | None:
    with _taken(room, outline.share):
        return _loaded(name, body, outline.size, decode=decode)


def _loaded(
    name: str, body: bytes, size: tuple[int, int] | None = None, *, decode: bool = True, eighth: bool = False
) -> str | None:
    """What Pillow says of a picture; one that turns out to be larger than `size` is not decoded."""
    try:
        with Image.open(io.BytesIO(body), formats=(name,)) as image:
            if size is not None and image.size != size:
                return f"{image.width} x {image.height} pixels where its header says {size[0]} x {size[1]}"
            if eighth:
                image.draft(None, (image.width // 8, image.height // 8))
            if decode:
                image.load()
    except MemoryError as error:
        raise StoppedEarlyError("not enough memory to decode a picture: use fewer --threads") from error
    except UnidentifiedImageError:  # whose message names an object in memory
        return "its header cannot be read"
    except _BROKEN as error:
        # Pillow's readers let out whatever a damaged field leads to; all of it means the same here.
        return _line(error)
    return None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


def _describe(body: bytes) -> str:
    if not body:
        return "empty body"
    start = body[:512].lstrip().lower()
    if b"<html" in start or start.startswith(b"<!doctype html"):
        return "an HTML page"
    if b"<svg" in start:
        return "an SVG drawing"
    return f"starts with {body[:8].hex(' ')}"
