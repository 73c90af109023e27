"""Pictures as models want them: of one size and one encoding, upright, in RGB, and with nothing beside the pixels.

Where a JPEG is to become much smaller, it is decoded at a reduced scale that is still at least twice the size wanted,
and resampled from there: libjpeg computes such scales from the same coefficients
(https://libjpeg-turbo.org/Documentation/Documentation), and the pixels stay within a few levels of the full way.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import simplejpeg
from PIL import Image, ImageCms, ImageFile, ImageOps

from scraper.pictures.conversion import Encode, Resize

if TYPE_CHECKING:
    from collections.abc import Callable

    from scraper.pictures.conversion import Conversion

_GAP: Final = 2.0
"""How many times larger than wanted a picture is decoded at least before it is resampled."""
_ORIENTATION: Final = 0x0112
_TURNED: Final = frozenset({5, 6, 7, 8})
"""EXIF orientations that exchange width and height."""
_PAPER: Final = (255, 255, 255)
_FAILURES: Final = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, MemoryError)


class ConversionError(Exception):
    """A picture that cannot be converted; the message says why."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A converted picture: its bytes, its format as Pillow names it, and its size in pixels."""

    body: bytes
    format: str
    width: int
    height: int


def convert(body: bytes, name: str, conversion: Conversion) -> Converted:
    """Convert a picture.

    Args:
        body: its bytes.
        name: its format.
        conversion: what it becomes.

    Raises:
        ConversionError: it cannot be read or written.
    """
    try:
        with Image.open(io.BytesIO(body), formats=(name,)) as image:
            came = _seen_size(image)
            wanted = _target(came, conversion)
            found = _resized(_upright(image, body, wanted), came, wanted, conversion)
            return _encoded(found, _format(name, conversion.encode), conversion.quality)
    except (*_FAILURES, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ConversionError(
            f"cannot be converted: {' '.join(str(error).split())[:200] or type(error).__name__}"
        ) from error


def _format(name: str, encode: Encode) -> str:
    if encode is not Encode.KEEP:
        return encode.value.upper()
    return name if name in ("JPEG", "PNG") else "PNG"


def _upright(image: Image.Image, body: bytes, wanted: tuple[int, int]) -> Image.Image:
    """The picture in RGB as it is to be looked at, decoded no larger than is needed."""
    orientation = image.getexif().get(_ORIENTATION, 1)
    width, height = wanted[::-1] if orientation in _TURNED else wanted
    least = (round(width * _GAP), round(height * _GAP))
    found = _decoded(image, body, least)
    if orientation != 1:  # which would copy what is upright, too
        found = ImageOps.exif_transpose(found)
    return _in_srgb(_in_rgb(found), image.info.get("icc_profile"), found)


def _decoded(image: Image.Image, body: bytes, least: tuple[int, int]) -> Image.Image:
    """The pixels, in a size of at least `least` where the picture has it.

    A JPEG in colour that is wanted in full is decoded by the cheaper decoder, unless that finds something wrong which
    Pillow lets pass.
    """
    if image.format == "JPEG":
        plain = image.mode == "RGB" and image.getexif().get(_ORIENTATION, 1) == 1
        if plain and (least[0] * 2 > image.width or least[1] * 2 > image.height):
            with contextlib.suppress(ValueError):
                return Image.fromarray(simplejpeg.decode_jpeg(body))
        image.draft(image.mode, least)
    image.load()  # the first frame of an animation
    return image


def _seen_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    return (height, width) if image.getexif().get(_ORIENTATION) in _TURNED else (width, height)


def _in_rgb(image: Image.Image) -> Image.Image:
    """RGB whatever it was: 16 bits scaled to 8, transparent parts on white."""
    if image.mode.startswith("I") or image.mode == "F":
        deep = image.convert("I") if image.mode != "F" else image
        return deep.point(lambda level: level * (1 / 256)).convert("L").convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        clear = image.convert("RGBA")
        paper = Image.new("RGB", clear.size, _PAPER)
        paper.paste(clear, mask=clear.getchannel("A"))
        return paper
    return image if image.mode == "RGB" else image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None, before: Image.Image) -> Image.Image:
    """The colours of another profile as sRGB, which is what is assumed once the profile is gone."""
    if not profile or before.mode not in ("RGB", "RGBA", "P"):
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return image
        return ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB") or image
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image  # a profile that cannot be read says nothing


def _target(size: tuple[int, int], conversion: Conversion) -> tuple[int, int]:
    """The size to which a picture is scaled, before anything is cut off or filled up."""
    if conversion.size is None:
        return size
    side = min(size) if conversion.resize in (Resize.SHORTER, Resize.CROP) else max(size)
    factor = conversion.size / side
    if factor > 1 and not conversion.enlarge:
        return size
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _resized(image: Image.Image, came: tuple[int, int], wanted: tuple[int, int], conversion: Conversion) -> Image.Image:
    # What is not much smaller, and so was decoded in full, is scaled by the filter that Pillow made for it: within half
    # a level of 255 of BICUBIC, in two thirds of the time.
    little = wanted[0] <= came[0] < _GAP * wanted[0]
    way = Image.Resampling.HAMMING if little else Image.Resampling.BICUBIC
    scaled = image if image.size == wanted else image.resize(wanted, way, reducing_gap=_GAP)
    finish = _FINISHES.get(conversion.resize)
    return finish(scaled, conversion.size) if finish and conversion.size else scaled


def _cropped(image: Image.Image, size: int) -> Image.Image:
    """The square in the middle, as large as wanted or as there is."""
    side = min(size, *image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _padded(image: Image.Image, size: int) -> Image.Image:
    """The picture in the middle of a black square."""
    square = Image.new("RGB", (size, size))
    square.paste(image, ((size - image.width) // 2, (size - image.height) // 2))
    return square


_FINISHES: Final[dict[Resize, Callable[[Image.Image, int], Image.Image]]] = {
    Resize.CROP: _cropped,
    Resize.PAD: _padded,
}


def _encoded(image: Image.Image, name: str, quality: int) -> Converted:
    bare = image.copy() if isinstance(image, ImageFile.ImageFile) else image
    bare.info = {}  # where Pillow has comments, profiles and whatever else it would write again
    out = io.BytesIO()
    if name == "PNG":
        bare.save(out, "PNG", compress_level=6)
    elif name == "JPEG":
        bare.save(out, "JPEG", quality=quality, subsampling="4:2:0" if quality < 90 else "4:4:4")
    else:
        bare.save(out, name, quality=quality)
    return Converted(out.getvalue(), name, bare.width, bare.height)
