"""Pictures as models want them: of one size and one encoding, upright, in RGB, and with nothing beside the pixels.

Where a JPEG is to become much smaller, it is decoded at a reduced scale that is still at least twice the size wanted,
and resampled from there: libjpeg computes such scales from the same coefficients
(https://libjpeg-turbo.org/Documentation/Documentation), and the pixels stay within a few levels of the full way.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageCms, ImageOps

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
            wanted = _target(_seen_size(image), conversion)
            found = _resized(_upright(image, wanted), wanted, conversion)
            return _encoded(found, _format(name, conversion.encode), conversion.quality)
    except (*_FAILURES, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ConversionError(
            f"cannot be converted: {' '.join(str(error).split())[:200] or type(error).__name__}"
        ) from error


def _format(name: str, encode: Encode) -> str:
    if encode is not Encode.KEEP:
        return encode.value.upper()
    return name if name in ("JPEG", "PNG") else "PNG"


def _upright(image: Image.Image, wanted: tuple[int, int]) -> Image.Image:
    """The picture in RGB as it is to be looked at, decoded no larger than is needed."""
    if image.format == "JPEG":
        width, height = wanted
        if image.getexif().get(_ORIENTATION) in _TURNED:
            width, height = height, width
        image.draft(image.mode, (round(width * _GAP), round(height * _GAP)))
    image.load()  # the first frame of an animation
    turned = ImageOps.exif_transpose(image)
    return _in_srgb(_in_rgb(turned), image.info.get("icc_profile"), turned)


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


def _resized(image: Image.Image, wanted: tuple[int, int], conversion: Conversion) -> Image.Image:
    scaled = image if image.size == wanted else image.resize(wanted, Image.Resampling.BICUBIC, reducing_gap=_GAP)
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
    bare = Image.frombuffer(
        "RGB", image.size, image.tobytes(), "raw", "RGB", 0, 1
    )  # pixels alone: no metadata goes along
    out = io.BytesIO()
    if name == "PNG":
        bare.save(out, "PNG", compress_level=6)
    elif name == "JPEG":
        bare.save(out, "JPEG", quality=quality, subsampling="4:2:0" if quality < 90 else "4:4:4")
    else:
        bare.save(out, name, quality=quality)
    return Converted(out.getvalue(), name, bare.width, bare.height)
