"""Pictures as models want them: upright, in RGB, of the size asked for, and with nothing beside the pixels."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageChops, ImageStat

from scraper.pictures.conversion import Conversion, Encode, Resize
from scraper.pictures.converting import ConversionError, convert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scraper.pictures.converting import Converted

PHOTOS = sorted((Path(__file__).parents[1] / "photos").glob("*.jpg"))
LEVELS = 3.0
"""Mean levels of 255 by which a picture decoded at a reduced scale may differ from the full way."""


def wish(
    size: int | None = None,
    resize: Resize = Resize.SHORTER,
    *,
    enlarge: bool = False,
    encode: Encode = Encode.PNG,
) -> Conversion:
    return Conversion(size=size, resize=resize, enlarge=enlarge, encode=encode, quality=90)


def written(image: Image.Image, name: str, **given: object) -> bytes:
    out = io.BytesIO()
    image.save(out, name, **given)
    return out.getvalue()


def opened(made: Converted) -> Image.Image:
    image = Image.open(io.BytesIO(made.body))
    image.load()
    assert (image.format, image.size, image.mode) == (made.format, (made.width, made.height), "RGB")
    return image


def halves(image: Image.Image) -> tuple[Sequence[float], Sequence[float]]:
    """The mean colours of the left and the right half."""
    middle = image.width // 2
    left = image.crop((0, 0, middle, image.height))
    return ImageStat.Stat(left).mean, ImageStat.Stat(image.crop((middle, 0, *image.size))).mean


@pytest.mark.parametrize(
    ("resize", "size", "came", "becomes"),
    [
        (Resize.SHORTER, 50, (300, 100), (150, 50)),
        (Resize.LONGER, 50, (300, 100), (50, 17)),
        (Resize.CROP, 50, (300, 100), (50, 50)),
        (Resize.PAD, 50, (300, 100), (50, 50)),
        (Resize.SHORTER, 50, (40, 30), (40, 30)),
        (Resize.LONGER, 50, (40, 30), (40, 30)),
        (Resize.CROP, 50, (40, 30), (30, 30)),
        (Resize.PAD, 50, (40, 30), (50, 50)),
        (Resize.SHORTER, 1, (300, 1), (300, 1)),
    ],
)
@pytest.mark.parametrize("name", ["JPEG", "PNG"])
def test_sizes(name: str, resize: Resize, size: int, came: tuple[int, int], becomes: tuple[int, int]) -> None:
    body = written(Image.new("RGB", came, (200, 100, 50)), name)
    assert opened(convert(body, name, wish(size, resize))).size == becomes


def test_smaller_pictures_are_enlarged_only_where_asked_for() -> None:
    body = written(Image.new("RGB", (40, 30)), "PNG")
    assert opened(convert(body, "PNG", wish(60, enlarge=True))).size == (80, 60)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_upright(orientation: int) -> None:
    upright = Image.new("RGB", (160, 80), (250, 0, 0))
    upright.paste((0, 0, 250), (80, 0, 160, 80))
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(orientation)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright if turn is None else upright.transpose(turn)
    made = opened(convert(written(stored, "JPEG", exif=exif, quality=95), "JPEG", wish(40, encode=Encode.JPEG)))
    assert made.size == (80, 40)
    left, right = halves(made)
    assert left[0] > 200
    assert left[2] < 60
    assert right[2] > 200
    assert right[0] < 60
    assert dict(made.getexif()) == {}


def test_gps_and_all_other_metadata_are_gone() -> None:
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    exif.get_ifd(0x8825)[1] = "N"
    body = written(Image.new("RGB", (64, 64)), "JPEG", exif=exif, comment=b"at home")
    for encode in (Encode.JPEG, Encode.PNG, Encode.WEBP, Encode.KEEP):
        made = convert(body, "JPEG", wish(encode=encode))
        assert b"camera" not in made.body
        assert b"home" not in made.body
        assert not Image.open(io.BytesIO(made.body)).getexif()


def test_transparent_parts_become_white() -> None:
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    clear.paste((255, 0, 0, 255), (0, 0, 20, 40))
    for image in (clear, clear.convert("P")):
        left, right = halves(opened(convert(written(image, "PNG"), "PNG", wish())))
        assert (left, right) == ([255, 0, 0], [255, 255, 255])


def test_deep_grey_keeps_its_levels() -> None:
    deep = Image.new("I;16", (40, 40), 32768)
    assert ImageStat.Stat(opened(convert(written(deep, "PNG"), "PNG", wish()))).mean == pytest.approx([128] * 3, abs=1)


def test_ink_becomes_light() -> None:
    body = written(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG", quality=95)
    red, green, blue = ImageStat.Stat(opened(convert(body, "JPEG", wish()))).mean
    assert red > 200
    assert max(green, blue) < 80


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (40, 40), colour) for colour in ((255, 0, 0), (0, 255, 0))]
    body = written(frames[0], "GIF", save_all=True, append_images=frames[1:])
    made = convert(body, "GIF", wish(encode=Encode.KEEP))
    assert made.format == "PNG"
    assert ImageStat.Stat(opened(made)).mean == [255, 0, 0]


@pytest.mark.parametrize("photo", PHOTOS, ids=lambda path: path.stem)
def test_a_reduced_decode_is_close_to_the_full_one(photo: Path) -> None:
    body = photo.read_bytes()
    with Image.open(io.BytesIO(body)) as image:
        full = written(image.convert("RGB"), "PNG")
    quick, slow = opened(convert(body, "JPEG", wish(48))), opened(convert(full, "PNG", wish(48)))
    assert quick.size == slow.size
    assert max(ImageStat.Stat(ImageChops.difference(quick, slow)).mean) < LEVELS


@pytest.mark.parametrize("body", [b"", b"\xff\xd8\xff\xe0", b"not a picture", PHOTOS[0].read_bytes()[:400]])
def test_what_is_no_picture_is_said(body: bytes) -> None:
    with pytest.raises(ConversionError, match="cannot be converted"):
        convert(body, "JPEG", wish(32))
