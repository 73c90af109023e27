"""From bytes and the facts of a reply to a verdict, with real photographs whole and damaged."""

from __future__ import annotations

import hashlib
import io
import random
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from scraper.model import Check, Outcome
from scraper.pictures.examining import Flaw, PictureInfo, examine
from scraper.pictures.judge import PLACEHOLDER_SHA256, Rules, judge
from scraper.records import Hop, Reply
from tests.standin import photos

PHOTOS = sorted((Path(__file__).parents[1] / "photos").glob("*.jpg"))
URL = "https://live.staticflickr.com/1/2_a.jpg"
UNAVAILABLE = "https://s.yimg.com/pw/images/en-us/photo_unavailable.png"
NOT_WHOLE = {Outcome.NOT_IMAGE, Outcome.TRUNCATED, Outcome.CORRUPT}


def encoded(form: str, mode: str = "RGB", size: tuple[int, int] = (120, 90), **options: object) -> bytes:
    """One of the photographs, scaled and saved in another form."""
    with Image.open(PHOTOS[0], formats=("JPEG",)) as image:
        scaled = image.resize(size).convert(mode)
    out = io.BytesIO()
    scaled.save(out, form, **options)
    return out.getvalue()


def rotated(orientation: int) -> bytes:
    """A JPEG whose EXIF says how to turn it."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded("JPEG", exif=exif)


def with_thumbnail() -> bytes:
    """A JPEG with a whole small JPEG inside its first segments, as cameras write them."""
    inner = encoded("JPEG", size=(16, 16))
    segment = b"Exif\0\0" + inner
    body = encoded("JPEG")
    return body[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + body[2:]


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_claiming(width: int, height: int) -> bytes:
    """A small PNG that says it is this large."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")


def jpeg_claiming(width: int, height: int) -> bytes:
    """A small JPEG that says it is this large."""
    body = bytearray(encoded("JPEG"))
    at = body.index(b"\xff\xc0") + 5
    body[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(body)


def gif_claiming(width: int, height: int) -> bytes:
    """A small GIF that says it is this large."""
    return b"GIF89a" + struct.pack("<HH", width, height) + encoded("GIF", "P")[10:]


def outcome(body: bytes, *, decode: bool = True) -> Outcome:
    """The outcome of an answer of 200 with this body."""
    rules = Rules(check=Check.DECODE if decode else Check.HEADER)
    return judge(Reply(URL, 200, body, len(body)), rules).outcome


# --- whole pictures ---------------------------------------------------------------------------------------------------

WHOLE = {
    "baseline": (encoded("JPEG"), "JPEG"),
    "progressive": (encoded("JPEG", progressive=True), "JPEG"),
    "optimized": (encoded("JPEG", optimize=True, quality=30), "JPEG"),
    "grey": (encoded("JPEG", "L"), "JPEG"),
    "cmyk": (encoded("JPEG", "CMYK"), "JPEG"),
    "restart markers": (encoded("JPEG", restart_marker_blocks=4), "JPEG"),
    "rotated": (rotated(6), "JPEG"),
    "thumbnail": (with_thumbnail(), "JPEG"),
    "comment": (encoded("JPEG", comment=b"\xff\xda <html> \xff\xd9"), "JPEG"),
    "png": (encoded("PNG"), "PNG"),
    "png grey": (encoded("PNG", "L"), "PNG"),
    "png palette": (encoded("PNG", "P"), "PNG"),
    "png alpha": (encoded("PNG", "RGBA"), "PNG"),
    "gif": (encoded("GIF", "P"), "GIF"),
    "webp": (encoded("WEBP"), "WEBP"),
    "webp lossless": (encoded("WEBP", lossless=True), "WEBP"),
}


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.stem)
def test_real_photographs_are_whole(path: Path) -> None:
    with Image.open(path, formats=("JPEG",)) as image:
        width, height = image.size
    assert examine(path.read_bytes(), decode=True) == PictureInfo("JPEG", width, height)


@pytest.mark.parametrize("number", range(photos.VARIANTS))
def test_every_photo_of_the_stand_in_is_whole(number: int) -> None:
    body = photos.bank()[number].stamped(f"photo {number}")
    found = examine(body, decode=True)
    assert isinstance(found, PictureInfo)
    assert (found.format, max(found.width, found.height)) == ("JPEG", 500)


@pytest.mark.parametrize("decode", [True, False])
@pytest.mark.parametrize("name", WHOLE)
def test_every_form_of_picture_is_whole(name: str, decode: bool) -> None:
    body, form = WHOLE[name]
    assert examine(body, decode=decode) == PictureInfo(form, 120, 90)


def test_a_verdict_holds_the_picture_and_the_digest_of_its_bytes() -> None:
    body = encoded("JPEG")
    verdict = judge(Reply(URL, 200, body, len(body)), Rules())
    assert verdict.outcome is Outcome.SAVED
    assert verdict.picture == PictureInfo("JPEG", 120, 90)
    assert verdict.sha256 == hashlib.sha256(body).hexdigest()
    assert verdict.error is None


@pytest.mark.parametrize("tail", [b"\0" * 512, b"\n", b"\r\n", b"appended by an editor", bytes(range(200))])
@pytest.mark.parametrize("name", ["baseline", "progressive", "cmyk", "thumbnail", "restart markers"])
def test_padding_behind_a_whole_jpeg_is_let_pass(name: str, tail: bytes) -> None:
    assert outcome(WHOLE[name][0] + tail) is Outcome.SAVED


def test_a_second_jpeg_behind_the_first_is_let_pass() -> None:
    assert outcome(encoded("JPEG") + encoded("JPEG", "L")) is Outcome.SAVED


@pytest.mark.parametrize("name", ["png", "gif", "webp"])
def test_zeros_behind_other_whole_pictures_are_let_pass(name: str) -> None:
    assert outcome(WHOLE[name][0] + b"\0" * 64) is Outcome.SAVED


@pytest.mark.parametrize("kind", ["text/html", "application/octet-stream", "image/png", None])
def test_the_bytes_decide_and_not_the_content_type(kind: str | None) -> None:
    assert judge(Reply(URL, 200, encoded("JPEG"), content_type=kind), Rules()).outcome is Outcome.SAVED
    assert judge(Reply(URL, 200, photos.HTML, content_type="image/jpeg"), Rules()).outcome is Outcome.NOT_IMAGE


# --- pictures that are not whole --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["baseline", "progressive", "optimized", "grey", "cmyk", "restart markers", "rotated"])
def test_a_jpeg_cut_anywhere_is_truncated(name: str) -> None:
    body = WHOLE[name][0]
    for cut in {*range(3, 64), *range(64, len(body), 61), *range(len(body) - 40, len(body))}:
        assert outcome(body[:cut]) is Outcome.TRUNCATED, cut


@pytest.mark.parametrize("name", [name for name, (_, form) in WHOLE.items() if form != "PNG"])
def test_no_cut_of_a_picture_passes_for_whole(name: str) -> None:
    body = WHOLE[name][0]
    for cut in {*range(0, len(body), 37), *range(64), *range(len(body) - 64, len(body))}:
        assert outcome(body[:cut]) in NOT_WHOLE, cut


@pytest.mark.parametrize("name", [name for name, (_, form) in WHOLE.items() if form == "PNG"])
def test_no_cut_of_a_png_before_its_last_chunk_passes_for_whole(name: str) -> None:
    body = WHOLE[name][0]
    end = body.rindex(b"IEND") + 4
    for cut in {*range(0, end, 37), *range(64), *range(end - 64, end)}:
        assert outcome(body[:cut]) in NOT_WHOLE, cut


@pytest.mark.parametrize("share", [1, 5, 25, 50, 75, 95, 99])
def test_real_photographs_cut_short_are_truncated_at_every_share(share: int) -> None:
    for path in PHOTOS:
        body = path.read_bytes()
        assert outcome(body[: len(body) * share // 100]) is Outcome.TRUNCATED, path.name


def test_the_end_marker_of_a_thumbnail_is_not_that_of_the_picture() -> None:
    body = with_thumbnail()
    for cut in range(body.index(b"\xff\xd9") + 2, len(body) - 1, 53):
        assert outcome(body[:cut]) in NOT_WHOLE, cut


@pytest.mark.parametrize("kind", ["jpg", "png", "gif"])
def test_a_picture_damaged_inside_is_corrupt(kind: str) -> None:
    for number, picture in enumerate(photos.bank(kind)[:4]):
        damaged = photos.corrupt(picture.stamped(f"photo {number}"))
        assert outcome(damaged) is Outcome.CORRUPT, number


@pytest.mark.parametrize("name", WHOLE)
def test_random_damage_never_raises(name: str) -> None:
    rng = random.Random(name)
    whole = WHOLE[name][0]
    for _ in range(300):
        body = bytearray(whole)
        for _ in range(rng.choice((1, 3, 20))):
            # EXIF is left alone: Pillow warns of damage there, and warnings are errors here.
            body[rng.randrange(len(body) // 2, len(body))] = rng.randrange(256)
        if rng.random() < 0.2:
            del body[rng.randrange(len(body) // 2, len(body))]
        found = examine(bytes(body), decode=True)
        assert isinstance(found, PictureInfo) or found.outcome in {*NOT_WHOLE, Outcome.TOO_LARGE, Outcome.TOO_SMALL}


# --- no pictures ------------------------------------------------------------------------------------------------------

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="500" height="500"><rect width="9" height="9"/></svg>'
NO_PICTURES = {
    "empty": b"",
    "html": photos.HTML,
    "html with a bom": b"\xef\xbb\xbf" + photos.HTML,
    "html upper case": b"  \n<HTML><BODY>gone</BODY></HTML>",
    "text": b"This photo is not available\n",
    "json": b'{"stat": "fail"}',
    "svg": SVG,
    "svg with a head": b'<?xml version="1.0"?>\n' + SVG,
    "one byte": b"\xff",
    "jpeg start only": b"\xff\xd8",
    "bmp": encoded("BMP"),
    "tiff": encoded("TIFF"),
    "eps": encoded("EPS"),
    "pdf": encoded("PDF"),
    "ico": encoded("ICO"),
    "zip": b"PK\x03\x04" + bytes(100),
    "gzip of a jpeg": zlib.compress(encoded("JPEG"), wbits=31),
    "space before a jpeg": b" " + encoded("JPEG"),
    "html before a jpeg": photos.HTML + encoded("JPEG"),
    "riff that is a sound": b"RIFF" + struct.pack("<I", 4) + b"WAVE",
    "zeros": bytes(5000),
}


@pytest.mark.parametrize("name", NO_PICTURES)
@pytest.mark.parametrize("decode", [True, False])
def test_what_is_no_picture_of_a_kept_format_is_not_an_image(name: str, decode: bool) -> None:
    assert outcome(NO_PICTURES[name], decode=decode) is Outcome.NOT_IMAGE


@pytest.mark.parametrize(
    ("name", "word"), [("empty", "empty"), ("html", "HTML"), ("svg with a head", "SVG"), ("zeros", "00 00")]
)
def test_the_error_says_what_it_was(name: str, word: str) -> None:
    found = examine(NO_PICTURES[name], decode=True)
    assert isinstance(found, Flaw)
    assert word in found.error


SIGNATURES_ONLY = {
    "jpeg": b"\xff\xd8\xff\xe0 text \xff\xd9",
    "png": b"\x89PNG\r\n\x1a\n text IEND",
    "gif and script": b"GIF89a/*" + b" " * 400 + b"*/=1;alert(1);",
    "webp": b"RIFF" + struct.pack("<I", 4) + b"WEBP",
    "webp of length 0": b"RIFF\0\0\0\0WEBP",
    "png around a jpeg": b"\x89PNG\r\n\x1a\n" + encoded("JPEG") + b"IEND\xaeB`\x82",
    "jpeg around html": b"\xff\xd8\xff\xfe" + photos.HTML + b"\xff\xd9",
    "jpeg markers only": b"\xff\xd8\xff\xd9",
}


@pytest.mark.parametrize("name", SIGNATURES_ONLY)
def test_a_signature_and_an_end_do_not_make_a_picture(name: str) -> None:
    assert outcome(SIGNATURES_ONLY[name]) in {Outcome.CORRUPT, Outcome.TOO_SMALL, Outcome.TRUNCATED}


def test_a_whole_jpeg_with_a_page_in_its_comment_is_still_a_photo() -> None:
    assert outcome(encoded("JPEG", comment=photos.HTML)) is Outcome.SAVED


# --- sizes ------------------------------------------------------------------------------------------------------------


def test_a_tracking_pixel_is_too_small() -> None:
    found = examine(photos.tiny("gif"), decode=True)
    assert isinstance(found, Flaw)
    assert (found.outcome, found.error) == (Outcome.TOO_SMALL, "1 x 1 pixels")


@pytest.mark.parametrize("form", ["GIF", "JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(400, 15), (15, 400), (8, 8)])
def test_a_narrow_picture_is_too_small(form: str, size: tuple[int, int]) -> None:
    assert outcome(encoded(form, size=size)) is Outcome.TOO_SMALL


def test_the_smallest_thumbnail_of_flickr_is_large_enough() -> None:
    assert outcome(encoded("JPEG", size=(75, 75))) is Outcome.SAVED


@pytest.mark.parametrize(
    "body",
    [
        png_claiming(30_000, 30_000),
        png_claiming(2**31 - 1, 2**31 - 1),
        png_claiming(100_000, 1_000),
        jpeg_claiming(65_500, 65_500),
        jpeg_claiming(9_500, 9_500),
        jpeg_claiming(9_440, 9_440),
        gif_claiming(65_535, 65_535),
    ],
    ids=["png", "png of the most", "png wide", "jpeg", "jpeg just over", "jpeg just below what Pillow warns of", "gif"],
)
@pytest.mark.parametrize("decode", [True, False])
def test_a_small_file_that_claims_to_be_huge_is_refused_before_it_is_decoded(body: bytes, decode: bool) -> None:
    assert outcome(body, decode=decode) is Outcome.TOO_LARGE


@pytest.mark.parametrize(("width", "height"), [(0, 100), (100, 0), (0, 0)])
def test_a_picture_without_pixels_is_no_photo(width: int, height: int) -> None:
    assert outcome(png_claiming(width, height)) in {Outcome.CORRUPT, Outcome.TOO_SMALL}


def test_a_body_over_the_limit_is_too_large() -> None:
    assert judge(Reply(URL, 200, oversize=True, received=20_000_001), Rules()).outcome is Outcome.TOO_LARGE


# --- placeholders -----------------------------------------------------------------------------------------------------


def test_flickrs_placeholder_is_known_by_its_digest() -> None:
    assert {"6f38049c08670c05cf14fc02d1fbcc84d80fc91f8178c86c7cecb588cc1b6f88"} <= PLACEHOLDER_SHA256


def test_a_given_digest_makes_a_placeholder_and_without_it_the_same_bytes_are_a_photo() -> None:
    body = photos.placeholder()
    rules = Rules(placeholders=frozenset({hashlib.sha256(body).hexdigest()}))
    assert judge(Reply(URL, 200, body, len(body)), rules).outcome is Outcome.PLACEHOLDER
    assert judge(Reply(URL, 200, body, len(body)), Rules()).outcome is Outcome.SAVED


@pytest.mark.parametrize("status", [200, 302, 404, 403, 410, 503])
def test_the_name_of_the_last_url_makes_a_placeholder_whatever_the_answer(status: int) -> None:
    reply = Reply(UNAVAILABLE, status, encoded("JPEG"))
    assert judge(reply, Rules()).outcome is Outcome.PLACEHOLDER


@pytest.mark.parametrize("name", ["photo_unavailable.png", "photo_unavailable_l.gif", "photo_unavailable_m.png?v=1"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_name_in_any_redirect_makes_a_placeholder(name: str, place: int) -> None:
    stops = [URL, "https://a.example/1", "https://b.example/2", "https://c.example/3.png"]
    stops[place + 1] = f"https://s.yimg.com/pw/images/{name}"
    hops = tuple(Hop(stops[at], 302, stops[at + 1]) for at in range(3))
    reply = Reply("https://c.example/3.png", 200, encoded("JPEG"), hops=hops)
    assert judge(reply, Rules()).outcome is Outcome.PLACEHOLDER


def test_other_redirects_do_not_make_a_placeholder() -> None:
    hops = (Hop(URL, 302, "https://live.staticflickr.com/9/9_b.jpg"),)
    assert judge(Reply(hops[0].location, 200, encoded("JPEG"), hops=hops), Rules()).outcome is Outcome.SAVED


# --- the order of reasons ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [outcome for outcome in Outcome if not outcome.final])
def test_without_a_whole_answer_nothing_else_counts(failure: Outcome) -> None:
    hops = (Hop(URL, 302, UNAVAILABLE),)
    reply = Reply(UNAVAILABLE, 200, encoded("JPEG"), robots=("noai",), hops=hops, failure=failure, error="cut")
    verdict = judge(reply, Rules())
    assert (verdict.outcome, verdict.error, verdict.picture) == (failure, "cut", None)


@pytest.mark.parametrize("status", [201, 202, 203, 204, 206, 226, 300, 302, 304, 400, 418])
def test_only_200_is_an_image(status: int) -> None:
    assert judge(Reply(URL, status, encoded("JPEG")), Rules()).outcome is Outcome.BAD_STATUS


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (404, Outcome.GONE),
        (410, Outcome.GONE),
        (403, Outcome.FORBIDDEN),
        (429, Outcome.THROTTLED),
        (None, "bad_status"),
    ],
)
def test_the_status_counts_before_the_body(status: int | None, expected: Outcome | str) -> None:
    assert judge(Reply(URL, status, encoded("JPEG"), oversize=True, robots=("noai",)), Rules()).outcome == expected


def test_a_photo_that_opts_out_is_not_kept_unless_the_rules_say_so() -> None:
    reply = Reply(URL, 200, encoded("JPEG"), robots=("noai, noimageai",))
    verdict = judge(reply, Rules())
    assert (verdict.outcome, verdict.picture) == (Outcome.OPTED_OUT, None)
    assert "noimageai" in (verdict.error or "")
    assert judge(reply, Rules(honour_opt_out=False)).outcome is Outcome.SAVED


def test_an_error_made_from_a_header_stays_short() -> None:
    verdict = judge(Reply(URL, 200, encoded("JPEG"), robots=("noai" + ", x" * 100_000,)), Rules())
    assert len(verdict.error or "") <= 200


@pytest.mark.parametrize("name", [name for name, (_, form) in WHOLE.items() if form == "PNG"])
def test_a_png_without_its_last_bytes_is_truncated(name: str) -> None:
    for missing in (1, 2, 3, 4):
        assert not isinstance(examine(WHOLE[name][0][:-missing], decode=True), PictureInfo), missing


@pytest.mark.parametrize("seed", range(6))
def test_a_film_behind_a_whole_jpeg_is_let_pass(seed: int) -> None:
    body = encoded("JPEG") + random.Random(seed).randbytes(300_000)
    assert isinstance(examine(body, decode=True), PictureInfo)


def test_anything_behind_a_whole_gif_is_let_pass() -> None:
    assert isinstance(examine(encoded("GIF", "P") + b"garbage", decode=True), PictureInfo)


def test_no_cut_of_an_animated_gif_passes_for_whole() -> None:
    frames = [Image.effect_noise((60, 60), 50 + n).convert("P") for n in range(4)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    body = out.getvalue()
    passed = [cut for cut in range(len(body)) if isinstance(examine(body[:cut], decode=True), PictureInfo)]
    assert passed == []


def test_damaged_exif_neither_raises_nor_matters() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    body = bytearray(encoded("JPEG", exif=exif))
    at = body.index(b"Exif") + 6
    body[at + 8 : at + 10] = b"\xff\xff"
    assert isinstance(examine(bytes(body), decode=True), PictureInfo)
