"""What a verdict says word for word, what a glance at the first bytes makes of an answer, and what structure costs."""

from __future__ import annotations

import hashlib
import io
import struct
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from scraper.model import Check, Outcome
from scraper.pictures import bounds, jpeg
from scraper.pictures.bounds import Outline
from scraper.pictures.examining import Flaw, PictureInfo, examine
from scraper.pictures.formats import format_of, outline_of
from scraper.pictures.judge import PLACEHOLDER_SHA256, Rules, Verdict, glance, judge, opts_out
from scraper.records import Hop, Reply
from tests.pictures import bombs
from tests.pictures.encoder import Picture, encode
from tests.pictures.test_pictures import chunk, encoded, png_claiming

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

URL = "https://live.staticflickr.com/1/2_a.jpg"
UNAVAILABLE = "https://s.yimg.com/pw/images/en-us/photo_unavailable.png"
PAGE = b"<!DOCTYPE html><html><title>Sign in</title></html>"
JPEG, PNG, GIF, WEBP = encoded("JPEG"), encoded("PNG"), encoded("GIF", "P"), encoded("WEBP")
NOISE = encode(Picture(width=640, height=480, factors=((2, 2), (1, 1), (1, 1))))
"""Some 250 kB, so that a part of it is much less than all."""


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


class Watched:
    """Room that tells what was asked of it."""

    def __init__(self) -> None:
        self.shares: list[float] = []

    def taken(self, share: float) -> AbstractContextManager[None]:
        self.shares.append(share)
        return nullcontext()


# --- a whole answer ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(UNAVAILABLE, 200, PNG), (Outcome.PLACEHOLDER, "redirected to the picture for deleted photos", None)),
        (
            Reply(URL, 200, JPEG, hops=(Hop(URL, 302, UNAVAILABLE),)),
            (Outcome.PLACEHOLDER, "redirected to the picture for deleted photos", None),
        ),
        (Reply(URL, 404, PAGE), (Outcome.GONE, None, None)),
        (Reply(URL, 206, JPEG), (Outcome.BAD_STATUS, None, None)),
        (Reply(URL, 200, JPEG, robots=("noai", "nofollow")), (Outcome.OPTED_OUT, "X-Robots-Tag: noai, nofollow", None)),
        (Reply(URL, 200, oversize=True), (Outcome.TOO_LARGE, "more bytes than --max-bytes", None)),
        (Reply(URL, 200, b""), (Outcome.NOT_IMAGE, "empty body", digest(b""))),
        (Reply(URL, 200, PAGE), (Outcome.NOT_IMAGE, "an HTML page", digest(PAGE))),
        (Reply(URL, 200, b"  <svg>"), (Outcome.NOT_IMAGE, "an SVG drawing", digest(b"  <svg>"))),
        (
            Reply(URL, 200, b"Not Found"),
            (Outcome.NOT_IMAGE, "starts with 4e 6f 74 20 46 6f 75 6e", digest(b"Not Found")),
        ),
        (Reply(URL, 200, PNG[:-4]), (Outcome.TRUNCATED, "the PNG stops before its end", digest(PNG[:-4]))),
        (
            Reply(URL, failure=Outcome.TIMEOUT, error="no answer"),
            (Outcome.TIMEOUT, "no answer", None),
        ),
    ],
)
def test_a_verdict_says_why_and_of_which_bytes(reply: Reply, verdict: tuple[Outcome, str | None, str | None]) -> None:
    found = judge(reply, Rules())
    assert (found.outcome, found.error, found.sha256) == verdict
    assert found.picture is None


def test_a_picture_comes_with_its_digest() -> None:
    assert judge(Reply(URL, 200, JPEG), Rules()) == Verdict(
        Outcome.SAVED, picture=PictureInfo("JPEG", 120, 90), sha256=digest(JPEG)
    )


def test_the_picture_for_deleted_photos_is_known_by_its_digest() -> None:
    found = judge(Reply(URL, 200, PNG), Rules(placeholders=PLACEHOLDER_SHA256 | {digest(PNG)}))
    assert found == Verdict(Outcome.PLACEHOLDER, "the picture for deleted photos", sha256=digest(PNG))


def test_an_opt_out_may_be_ignored_and_a_long_one_is_cut() -> None:
    assert judge(Reply(URL, 200, JPEG, robots=("noai",)), Rules(honour_opt_out=False)).outcome is Outcome.SAVED
    error = judge(Reply(URL, 200, JPEG, robots=("noai", "x" * 900)), Rules()).error
    assert error is not None
    assert len(error) == 200


@pytest.mark.parametrize(
    ("values", "asks"),
    [
        ((), False),
        (("all",), False),
        (("noindex",), True),
        (("NoIndex ",), True),
        (("none",), True),
        (("nofollow, noimageai",), True),
        (("nofollow",), False),
        (("otherbot: noindex",), False),
        (("otherbot: noindex", "noai"), True),  # the second is for all
        (("noai", "otherbot: all"), True),
        (("*: noindex",), True),
        (("scraper: noindex",), True),
        (("Scraper: noindex",), True),
        (("scraper: all",), False),
        (("otherbot: scraper: noindex",), False),
        (("max-snippet: 5, noai",), True),
        (("max-image-preview: large",), False),
        (("unavailable_after: 25 Jun 2030 15:00:00 PST, noindex",), True),
        (("max-video-preview: 3, noindex",), True),
        (("nofollow, otherbot: noindex",), False),
        (("noindex, otherbot: all",), True),
        (("no index",), False),
    ],
)
def test_who_asks_to_be_left_out(values: tuple[str, ...], asks: bool) -> None:
    assert opts_out(values) is asks


@pytest.mark.parametrize("glanced", [False, True])
def test_large_pictures_are_decoded_where_there_is_room(glanced: bool) -> None:
    out = io.BytesIO()
    Image.new("L", (4000, 3000)).save(out, "PNG")
    room = Watched()
    (glance if glanced else judge)(Reply(URL, 200, out.getvalue()), Rules(), room)  # type: ignore[arg-type]
    assert room.shares == [pytest.approx(12_000_000 / bounds.MOST_MEMORY)]


# --- decoded or not ---------------------------------------------------------------------------------------------------


def damaged(form: str) -> bytes:
    """A picture whose header and end are there, and whose data are no data."""
    body = bytearray({"PNG": PNG, "GIF": GIF, "WEBP": encoded("WEBP", lossless=True), "JPEG": NOISE}[form])
    start, length = {
        "PNG": (body.find(b"IDAT") + 4, 40),
        "GIF": (body.find(b"\x2c", 13 + 3 * 256) + 12, 60),
        "WEBP": (25, 60),
        "JPEG": (len(body) // 3, len(body) // 6),
    }[form]
    body[start : start + length] = (b"\0" if form in ("PNG", "JPEG") else b"\xff") * length
    return bytes(body)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP"])
def test_data_are_decoded_or_not_as_is_asked(form: str) -> None:
    """`--check header` looks at no data, in any format."""
    body = damaged(form)
    found = examine(body, decode=False)
    assert isinstance(found, PictureInfo), found
    assert found.format == form
    decoded = examine(body, decode=True)
    assert isinstance(decoded, Flaw), decoded
    assert decoded.outcome is Outcome.CORRUPT
    assert judge(Reply(URL, 200, body), Rules(Check.HEADER)).outcome is Outcome.SAVED
    assert judge(Reply(URL, 200, body), Rules(Check.DECODE)).outcome is Outcome.CORRUPT


# --- a glance ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "outcome", "error"),
    [
        (Reply(URL, 416, PAGE), Outcome.NOT_IMAGE, "empty body"),
        (Reply(URL, 417), Outcome.BAD_STATUS, None),
        (Reply(URL, 206, NOISE[:16_384]), Outcome.SAVED, None),
        (Reply(URL, 206, NOISE), Outcome.SAVED, None),
        (Reply(URL, 200, NOISE[:16_384], oversize=True), Outcome.SAVED, None),
        (Reply(URL, 206, PAGE), Outcome.NOT_IMAGE, "an HTML page"),
        (Reply(URL, 200, PAGE, oversize=True), Outcome.NOT_IMAGE, "an HTML page"),
        (Reply(URL, 206, png_claiming(8, 8)), Outcome.SAVED, None),
        (Reply(URL, 200, NOISE[:16_384]), Outcome.TRUNCATED, "the JPEG stops before its end"),  # it is all there is
        (Reply(URL, 200, NOISE), Outcome.SAVED, None),
        (Reply(URL, 404, NOISE), Outcome.GONE, None),
        (Reply(URL, 404, NOISE, oversize=True), Outcome.SAVED, None),
        (Reply(URL, 206, NOISE[:16_384], robots=("noai",)), Outcome.OPTED_OUT, "X-Robots-Tag: noai"),
        (Reply(UNAVAILABLE, 206, PNG), Outcome.PLACEHOLDER, "redirected to the picture for deleted photos"),
        (Reply(URL, failure=Outcome.TIMEOUT, error="no answer"), Outcome.TIMEOUT, "no answer"),
    ],
)
def test_a_glance_at_the_first_bytes_tells_whether_the_photo_is_there(
    reply: Reply, outcome: Outcome, error: str | None
) -> None:
    found = glance(reply, Rules())
    assert (found.outcome, found.error) == (outcome, error)


# --- what structure tells ---------------------------------------------------------------------------------------------


def png(mode: str, width: int = 300, height: int = 70_000, notes: bytes = b"") -> bytes:
    """The start of a PNG of this mode and size."""
    depth, colours = {"1": (1, 0), "L": (8, 0), "I;16": (16, 0), "P": (8, 3), "LA": (8, 4), "RGB": (8, 2)}[mode]
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + notes + chunk(b"IEND", b"")


@pytest.mark.parametrize(("mode", "each"), [("1", 1), ("L", 1), ("I;16", 2), ("P", 1), ("LA", 4), ("RGB", 4)])
def test_what_a_png_takes_to_decode(mode: str, each: int) -> None:
    assert outline_of("PNG", png(mode)) == Outline(
        size=(300, 70_000), ended=True, memory=21_000_000 * each, samples=21_000_000
    )


@pytest.mark.parametrize(("width", "height"), [(2**24 + 5, 7), (7, 2**31 - 1), (258, 770)])
def test_every_byte_of_a_pngs_size_counts(width: int, height: int) -> None:
    assert outline_of("PNG", png("L", width, height)).size == (width, height)


@pytest.mark.parametrize("kind", [b"zTXt", b"iTXt", b"iCCP"])
@pytest.mark.parametrize(("number", "counted"), [(1, 1), (3, 3), (64, 64), (70, 64)])
def test_compressed_notes_of_a_png_are_counted(kind: bytes, number: int, counted: int) -> None:
    notes = chunk(b"tEXt", b"free") + chunk(kind, b"x" * 300) * number
    assert outline_of("PNG", png("L", 100, 100, notes)).memory == 10_000 + counted * 2**20


def test_a_png_is_walked_to_its_end_and_no_further() -> None:
    """Whatever stands behind is let be; what lies about its length is left alone."""
    behind = chunk(b"zTXt", b"") * 3
    assert outline_of("PNG", png("L", 100, 100) + behind).memory == 10_000
    many = png("L", 100, 100, chunk(b"tEXt", b"") * 60_000)
    assert outline_of("PNG", many) == Outline(size=(100, 100), excess="more than 50,000 chunks")
    assert outline_of("PNG", png("L")[:33]) == Outline(
        size=(300, 70_000), ended=False, memory=21_000_000, samples=21_000_000
    )
    assert outline_of("PNG", png("L")[:32]) == Outline()


GIF_HEAD = b"GIF89a" + struct.pack("<HH", 40, 50) + bytes((0x80, 0, 0)) + bytes(6)
GIF_FRAME = b"\x2c" + struct.pack("<HHHH", 0, 0, 40, 50) + b"\0" + b"\2" + b"\x03abc\0"


@pytest.mark.parametrize(
    ("body", "size", "ended"),
    [
        (GIF_HEAD + GIF_FRAME + b";", (40, 50), True),
        (GIF_HEAD + GIF_FRAME + b";behind", (40, 50), True),
        (GIF_HEAD + GIF_FRAME, (40, 50), False),
        (GIF_HEAD + GIF_FRAME[:-1], (40, 50), False),
        (GIF_HEAD + b"!\xfe\x03;;;\0" + GIF_FRAME + b";", (40, 50), True),
        (GIF_HEAD + b"?" + GIF_FRAME + b";", (40, 50), False),
        (GIF_HEAD[:13] + b";", (40, 50), False),  # its colours are missing
        (GIF_HEAD[:13], (40, 50), False),
        (GIF_HEAD[:12], None, False),
        (GIF_HEAD[:10] + b"\x01\0\0" + GIF_FRAME + b";", (40, 50), True),  # without colours of its own
        (GIF_HEAD[:10] + b"\x81\0\0" + bytes(12) + GIF_FRAME + b";", (40, 50), True),
        # The first picture may be larger than the screen, later ones not; a picture may have colours of its own.
        (GIF_HEAD + b"\x2c" + struct.pack("<HHHH", 5, 6, 60, 70) + b"\x81" + bytes(12) + b"\2\0;", (65, 76), True),
        (GIF_HEAD + GIF_FRAME + b"\x2c" + struct.pack("<HHHH", 5, 6, 60, 70) + b"\0\2\0;", (40, 50), True),
    ],
)
def test_a_gif_is_walked_to_its_trailer(body: bytes, size: tuple[int, int] | None, ended: bool) -> None:
    found = outline_of("GIF", body)
    assert (found.size, found.ended, found.excess) == (size, ended, None)
    width, height = size or (40, 50)
    assert (found.memory, found.samples) == (2 * width * height, width * height)


def test_blocks_of_a_gif_are_counted_together() -> None:
    """A million in all, a twentieth of a hundredth of that in a note before the first picture."""
    block, few, many = b"\1x", 12_000, 13_000
    note, frame = b"!\xfe%b\0", GIF_FRAME[:11] + b"%b\0"
    excess = "more than 1,000,000 blocks, or very long notes"
    assert outline_of("GIF", GIF_HEAD + note % (block * few) + GIF_FRAME + b";").excess is None
    assert outline_of("GIF", GIF_HEAD + note % (block * many) + GIF_FRAME + b";").excess == excess
    assert outline_of("GIF", GIF_HEAD + GIF_FRAME + note % (block * many) + b";").excess is None
    assert outline_of("GIF", GIF_HEAD + frame % (block * 999_990) + b";").excess is None
    assert outline_of("GIF", GIF_HEAD + (frame % (block * 499_999)) * 2 + b";").excess == excess
    assert outline_of("GIF", GIF_HEAD + GIF_FRAME + (b"!\xfe\0" * 999_990) + b";").excess is None
    assert outline_of("GIF", GIF_HEAD + (b"!\xfe\0" * 1_000_001) + b";").excess == excess


def webp(kind: bytes, start: bytes, *, cut: int = 0) -> bytes:
    data = kind + struct.pack("<I", len(start)) + start + bytes(20)
    body = b"RIFF" + struct.pack("<I", len(data) + 4) + b"WEBP" + data
    return body[: len(body) - cut]


@pytest.mark.parametrize(
    ("body", "size"),
    [
        (webp(b"VP8X", bytes(4) + struct.pack("<I", 299)[:3] + struct.pack("<I", 70_000)[:3]), (300, 70_001)),
        (webp(b"VP8X", bytes(4) + struct.pack("<I", 99_999)[:3] + struct.pack("<I", 49)[:3]), (100_000, 50)),
        (webp(b"VP8L", b"\x2f" + struct.pack("<I", 299 | 399 << 14 | 1 << 28) + bytes(5)), (300, 400)),
        (webp(b"VP8 ", bytes(3) + b"\x9d\x01\x2a" + struct.pack("<HH", 300 | 1 << 14, 400 | 2 << 14)), (300, 400)),
        (webp(b"ALPH", bytes(20)), None),
        (b"RIFF\x0a\0\0\0WEBPVP8X", None),
    ],
)
def test_the_size_of_a_webp_in_each_of_its_forms(body: bytes, size: tuple[int, int] | None) -> None:
    width, height = size or (0, 0)
    found = outline_of("WEBP", body)
    assert (found.size, found.memory, found.samples) == (size, 16 * width * height, width * height)


@pytest.mark.parametrize(("cut", "ended"), [(0, True), (1, False), (20, False)])
def test_a_webp_ends_where_it_says(cut: int, ended: bool) -> None:
    start = bytes(4) + struct.pack("<I", 299)[:3] + struct.pack("<I", 9)[:3]
    assert outline_of("WEBP", webp(b"VP8X", start, cut=cut)).ended is ended
    assert outline_of("WEBP", webp(b"VP8X", start, cut=cut) + b"behind").ended is (cut <= 6)


def test_a_webp_with_metadata_is_whole() -> None:
    body = encoded("WEBP", "RGBA", exif=b"Exif\0\0II*\0")
    assert body[12:16] == b"VP8X"
    assert examine(body, decode=True) == PictureInfo("WEBP", 120, 90)


# --- JPEG -------------------------------------------------------------------------------------------------------------


def parts(body: bytes) -> Iterator[tuple[int, int]]:
    for marker, start, end in jpeg.segments(body):
        yield marker, end - start


def test_what_a_jpeg_takes_to_decode() -> None:
    """A scan of all components row by row; several ones keep every coefficient; arithmetic codes take long."""
    factors = ((2, 2), (1, 1), (1, 1))
    plain = encode(Picture(width=70, height=50, factors=factors))
    samples = 64 * 5 * 4 * 6
    assert outline_of("JPEG", plain) == Outline(size=(70, 50), ended=True, memory=256 * 70, samples=samples)
    apart = encode(Picture(width=70, height=50, factors=factors, interleaved=False))
    assert outline_of("JPEG", apart) == Outline(
        size=(70, 50), ended=True, memory=256 * 70 + 2 * samples, samples=3 * samples
    )
    progressive = encode(Picture(width=70, height=50, factors=factors, progressive=True))
    many = progressive.count(b"\xff\xda")
    assert outline_of("JPEG", progressive) == Outline(
        size=(70, 50), ended=True, memory=256 * 70 + 2 * samples, samples=many * samples
    )
    arithmetic = plain.replace(b"\xff\xc0", b"\xff\xc9")
    assert outline_of("JPEG", arithmetic).samples == 20 * samples


def test_scans_are_walked_where_a_count_of_them_does_not_settle_it() -> None:
    found = outline_of("JPEG", bombs.scans(64, 64, 499))
    assert found.excess is None
    assert outline_of("JPEG", bombs.scans(64, 64, 500)).excess == "more than 500 scans"
    assert found.samples == 500 * 64 * 64


def test_only_real_scans_of_known_components_are_counted_where_they_are_walked() -> None:
    """Notes behind the first scan hold what looks like hundreds more; and a scan of no component takes nothing."""
    body = bombs.scans(64, 64, 499)
    note = b"\xff\xfe" + struct.pack(">H", 2 + 1400) + b"\xff\xda" * 700
    strange = b"\xff\xda" + struct.pack(">H", 8) + bytes((1, 77, 0, 0, 63, 0)) + b"x"
    assert outline_of("JPEG", body[:-2] + note + body[-2:]) == outline_of("JPEG", body)
    fewer = bombs.scans(64, 64, 400)
    assert outline_of("JPEG", fewer[:-2] + note + strange + fewer[-2:]) == outline_of("JPEG", fewer)


def test_a_frame_that_cannot_be_is_none() -> None:
    body = encode(Picture())
    at = body.index(b"\xff\xc0")

    def changed(offset: int, value: int) -> Outline:
        return outline_of("JPEG", body[: at + offset] + bytes((value,)) + body[at + offset + 1 :])

    assert changed(4, 8).size == (70, 50)
    for offset, value in ((4, 12), (9, 0), (9, 2), (11, 0x01), (11, 0x10), (11, 0x51), (11, 0x15)):
        assert changed(offset, value) == Outline(ended=True), (offset, value)
    assert changed(11, 0x44).size == (70, 50)


def test_junk_between_segments_is_stepped_over_and_no_picture_is_behind_what_is_no_marker() -> None:
    body = encode(Picture())
    known = list(parts(body))
    assert known[-1][0] == jpeg.START_OF_SCAN
    assert list(parts(body[:2] + b"junk" + body[2:])) == [*known[:-1], known[-1]]
    assert list(parts(body[:2] + b"\xff" + body[2:])) == known
    assert list(parts(body[:2] + b"\xff\xff" + body[2:])) == known
    assert list(parts(body[:2] + b"\xff\x00" + body[2:])) == known
    assert list(parts(body[:2] + b"\xff\xd8" + body[2:])) == known
    assert list(parts(body[:2] + b"\xff\x01" + body[2:])) == []
    assert list(parts(body[:2] + b"\xff\xbf" + body[2:])) == []
    assert list(parts(body[:5])) == []
    assert jpeg.header(body[:20]) is None


def test_notes_and_junk_are_left_out_and_the_picture_is_not() -> None:
    plain = encode(Picture(colours=b""))
    noted = encode(Picture(colours=b"\xff\xe1\0\4ab" + b"\xff\xef\0\3x" + b"\xff\xfe\0\5abc" + b"junk"))
    assert jpeg.without_notes(noted) == jpeg.without_notes(plain) == plain


def test_zeros_before_markers_are_left_out_but_for_some() -> None:
    body = encode(Picture(interleaved=False, factors=((1, 1), (1, 1)), seed=3))
    filled = body.replace(b"\xff\xda", bytes(9) + b"\xff\xda").replace(b"\xff\xd9", bytes(300) + b"\xff\xd9")
    first = jpeg.header(filled)
    assert first is not None
    head = jpeg.without_zeros(filled, 0)
    # In the header nothing is left out.
    assert head == jpeg.without_zeros(body, 0).replace(b"\xff\xda", bytes(9) + b"\xff\xda", 1)
    assert jpeg.without_zeros(head, 0) == head
    assert len(jpeg.without_zeros(filled, 4)) == len(head) + 2 * 4
    assert jpeg.without_zeros(filled, 300) == filled
    assert jpeg.without_zeros(filled[: first.scan], 0) == filled[: first.scan]
    assert jpeg.without_zeros(filled.replace(b"\xff\xd9", b""), 0) == filled.replace(b"\xff\xd9", b"")


def sos(*payload: int) -> bytes:
    """A scan's header."""
    return b"\xff\xda" + struct.pack(">H", 2 + len(payload)) + bytes(payload)


def test_a_scans_header_is_read_field_by_field() -> None:
    head = sos(3, 1, 0x21, 2, 0x34, 3, 0x56, 5, 60, 0x32)
    data = b"\xff\x00x\xff\xd3yz"
    components = ((1, 2, 1), (2, 3, 4), (3, 5, 6))
    body = b"??" + head + data + b"\xff\xd9" + b"more"
    end = 2 + len(head)
    assert jpeg.scan_at(body, 2, end) == jpeg.Scan(components, 5, 60, 3, 2, end, end + len(data))
    assert list(jpeg.scans(body, 2)) == [jpeg.scan_at(body, 2, end)]
    alone = body[: end + len(data)]
    assert jpeg.scan_at(alone, 2, end) == jpeg.Scan(components, 5, 60, 3, 2, end, len(alone))


def test_what_stands_behind_the_fields_of_a_scans_header_is_passed_over() -> None:
    head = sos(1, 1, 0x21, 0, 63, 0x10, 7, 7)
    assert jpeg.scan_at(head, 0, len(head)) == jpeg.Scan(((1, 2, 1),), 0, 63, 1, 0, len(head), len(head))


def test_the_first_frame_of_several_is_the_pictures() -> None:
    body, other = encode(Picture()), encode(Picture(width=90, height=40))
    frames = [one[start:end] for one in (body, other) for marker, start, end in jpeg.segments(one) if marker == 0xC0]
    assert outline_of("JPEG", body.replace(frames[0], b"".join(frames))).size == (70, 50)


@pytest.mark.parametrize("payload", [(), (1, 1, 0, 0, 63), (2, 1, 0, 0, 63, 0), (4, 1, 0, 2, 0, 0, 63, 0), (255,) * 40])
def test_a_scans_header_that_cannot_be_is_left_out(payload: tuple[int, ...]) -> None:
    head = sos(*payload)
    assert jpeg.scan_at(head, 0, len(head)) is None
    body = encode(Picture())
    assert outline_of("JPEG", body[:-2] + head + body[-2:]).size == (70, 50)


def test_every_segment_is_told_once_long_ones_too() -> None:
    long = b"\xff\xe1" + struct.pack(">H", 2 + 700) + b"\xff\xda" * 350
    body = encode(Picture(colours=long, factors=((1, 1), (1, 1)), interleaved=False))
    first = jpeg.header(body)
    assert first is not None
    behind = body.index(b"\xff\xda", first.scan + 4)
    body = body[:behind] + long + body[behind:]
    found = list(jpeg.all_segments(body, first.scan))
    tables = 0xC4
    assert [marker for marker, _, _ in found if marker != tables] == [0xE1, 0xDB, 0xC0, 0xDA, 0xE1, 0xDA]
    assert [(end - start) for marker, start, end in found if marker == 0xE1] == [704, 704]
    assert all(body[start] == 0xFF and body[start + 1] == marker for marker, start, _ in found)


def test_zeros_in_notes_and_behind_the_end_stay() -> None:
    inner = b"\xff\xe1" + struct.pack(">H", 2 + 60) + bytes(56) + b"\xff\xd9ab"
    body = encode(Picture(colours=inner))
    filled = body[:-2] + bytes(90) + b"\xff\xd9" + bytes(40) + b"\xff\xd9"
    assert jpeg.without_zeros(filled, 0) == jpeg.without_zeros(body, 0) + bytes(40) + b"\xff\xd9"
    assert inner in jpeg.without_zeros(filled, 0)


def test_a_zero_behind_a_byte_of_ones_is_the_datas_own() -> None:
    """It is stuffed, so that the byte is no marker."""
    head = encode(Picture())[:-2].rstrip(b"\0")
    for own, data in ((b"x", b"x"), (b"\xff\x00", b"\xff"), (b"X", b"X")):
        assert jpeg.without_zeros(head + data + bytes(20) + b"\xff\xd9", 0) == head + own + b"\xff\xd9"


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"\xff\xd8\xfe", None),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"GIF87a", "GIF"),
        (b"GIF89a", "GIF"),
        (b"GIF88a", None),
        (b"RIFF\n\n\n\nWEBP", "WEBP"),
        (b"RIFF\n\n\n\nWAVE", None),
        (b"", None),
        (b" GIF89a", None),
    ],
)
def test_a_format_is_known_by_how_it_starts(start: bytes, name: str | None) -> None:
    assert format_of(start) == name


# --- the bounds themselves --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outline", "why"),
    [
        (Outline(size=(8900, 10_000)), None),
        (Outline(size=(8901, 10_000)), "8901 x 10000 pixels"),
        (Outline(size=(9, 7), memory=192 * 2**20), None),
        (Outline(size=(9, 7), memory=192 * 2**20 + 1), "9 x 7 pixels, which take 192 MiB to decode"),
        (Outline(size=(9, 7), samples=500_000_000), None),
        (
            Outline(size=(9, 7), samples=500_000_001),
            "9 x 7 pixels in more scans than a photo has: too much work to decode",
        ),
        (Outline(excess="too odd"), "too odd"),
        (Outline(), None),
    ],
)
def test_what_is_too_large(outline: Outline, why: str | None) -> None:
    assert outline.too_large == why


@pytest.mark.parametrize(
    ("size", "why"), [((32, 32), None), ((31, 900), "31 x 900 pixels"), ((900, 31), "900 x 31 pixels")]
)
def test_what_is_too_small(size: tuple[int, int], why: str | None) -> None:
    assert Outline(size=size).too_small == why
    assert Outline().too_small == "0 x 0 pixels"


def test_what_a_picture_takes_of_the_room() -> None:
    assert Outline(memory=96 * 2**20).share == 0.5
    assert Outline(samples=500_000_000).share == 0.5
    assert Outline(memory=96 * 2**20, samples=250_000_000).share == 0.5
    assert Outline(memory=400 * 2**20).share == 1.0
