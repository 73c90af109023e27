"""What a picture costs is known before it is decoded, and what costs too much is not decoded at all.

A decoder cannot be interrupted: an input that is let through here keeps this process busy until the test's time is
over.
"""

from __future__ import annotations

import io
import struct
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scraper.errors import InterruptedRunError
from scraper.model import Outcome
from scraper.pacing.room import Room
from scraper.pictures.bounds import MOST_MEMORY, MOST_SAMPLES, Outline
from scraper.pictures.examining import Flaw, PictureInfo, examine
from scraper.pictures.formats import format_of, outline_of
from tests.pictures import bombs
from tests.pictures.encoder import Picture, encode

if TYPE_CHECKING:
    from collections.abc import Callable


def outline(body: bytes) -> Outline:
    name = format_of(body)
    assert name is not None
    return outline_of(name, body)


def four_components() -> bytes:
    """A progressive JPEG whose coefficients take more than there is room for."""
    body = encode(Picture(width=64, height=64, factors=((1, 1),) * 4, progressive=True))
    return body.replace(struct.pack(">HHB", 64, 64, 4), struct.pack(">HHB", 6000, 6000, 4))


TOO_LARGE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a scan that says nothing 12,000 times": (lambda: bombs.scans(9400, 9400, 12_000), "more scans than a photo has"),
    "the same 20 times": (lambda: bombs.scans(9400, 9400, 20), "more scans than a photo has"),
    "a small picture of many scans": (lambda: bombs.scans(64, 64, 100_000), "more than 500 scans"),
    "an arithmetic code for 64 million samples": (lambda: bombs.arithmetic(8000, 8000), "too much work"),
    "a progressive JPEG of four components": (four_components, "MiB to decode"),
    "a PNG of a million chunks": (lambda: bombs.chunks(1_000_000), "more than 50,000 chunks"),
    "a PNG of 60 million pixels in colour": (lambda: bombs.png(7700, 7800), "MiB to decode"),
    "a GIF with a comment of many blocks": (lambda: bombs.gif_comment(50_000), "notes"),
    "a GIF of many blocks": (lambda: bombs.gif_blocks(9_000_000), "more than 1,000,000 blocks"),
    "a GIF larger than its screen": (lambda: bombs.gif_beyond_its_screen(60_000, 60_000), "60000 x 60000 pixels"),
    "a WEBP of 9,400 x 9,400": (lambda: bombs.webp(9400, 9400), "9400 x 9400 pixels, which take 1348 MiB to decode"),
    "a WEBP of the most": (lambda: bombs.webp(16_384, 16_384), "16384 x 16384 pixels"),
}


@pytest.mark.parametrize("decode", [True, False])
@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_costs_too_much_is_refused_before_it_is_decoded(name: str, decode: bool) -> None:
    body, why = TOO_LARGE[name]
    found = examine(body(), decode=decode)
    assert isinstance(found, Flaw)
    assert found.outcome is Outcome.TOO_LARGE
    assert why in found.error


@pytest.mark.parametrize(
    "body",
    [
        lambda: b"\xff\xd8" + b"\xff" * 15_000_000 + b"\xff\xd9",
        lambda: b"\xff\xd8" + b"\xff\x00" * 7_000_000 + b"\xff\xd9",
        lambda: b"\xff\xd8\xff\xe0" + b"\x00\x02\xff\xe0" * 4_000_000 + b"\xff\xd9",
        lambda: bombs.segments(0xE1, 3_000_000),
    ],
    ids=["fill bytes", "stuffed bytes", "empty segments", "empty segments before a picture"],
)
@pytest.mark.parametrize("decode", [True, False])
def test_a_header_without_end_is_given_up(body: Callable[[], bytes], decode: bool) -> None:
    found = examine(body(), decode=decode)
    assert isinstance(found, Flaw)
    assert found.outcome in {Outcome.CORRUPT, Outcome.TRUNCATED}


@pytest.mark.parametrize(
    "body",
    [
        lambda: bombs.scans(64, 64, 400),
        lambda: bombs.notes(80),
        lambda: bombs.chunks(20_000),
        lambda: bombs.gif_comment(3000),
        lambda: bombs.segments(0xFE, 3_000_000),
    ],
    ids=["scans", "notes", "chunks", "comment", "segments behind"],
)
def test_what_is_odd_but_within_the_bounds_gets_a_verdict(body: Callable[[], bytes]) -> None:
    assert not (isinstance(found := examine(body(), decode=True), Flaw) and found.outcome is Outcome.TOO_LARGE)


def photo(form: str, width: int, height: int, mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, form, **options)
    return out.getvalue()


LARGE: dict[str, Callable[[], bytes]] = {
    "a JPEG of 80 million pixels": lambda: photo("JPEG", 10_000, 8000),
    "a progressive JPEG of 24 million pixels": lambda: photo("JPEG", 6000, 4000, progressive=True),
    "a progressive JPEG of 30 million, full colour": lambda: photo("JPEG", 6000, 5000, progressive=True, subsampling=0),
    "a grey PNG of 80 million pixels": lambda: photo("PNG", 10_000, 8000, "L", compress_level=1),
    "a PNG of 40 million pixels": lambda: photo("PNG", 8000, 5000, compress_level=1),
    "a GIF of 80 million pixels": lambda: photo("GIF", 10_000, 8000, "P"),
    "a WEBP of 12 million pixels": lambda: photo("WEBP", 4000, 3000, method=0, quality=10),
}


@pytest.mark.parametrize("name", LARGE)
def test_large_photographs_are_within_the_bounds(name: str) -> None:
    found = examine(LARGE[name](), decode=True)
    assert isinstance(found, PictureInfo), found
    assert found.width * found.height >= 12_000_000


@given(
    form=st.sampled_from(["JPEG", "PNG", "GIF", "WEBP"]),
    size=st.tuples(st.integers(32, 300), st.integers(32, 300)),
    progressive=st.booleans(),
)
def test_an_outline_says_the_size_and_a_cost_in_keeping(form: str, size: tuple[int, int], progressive: bool) -> None:
    body = photo(form, *size, "P" if form == "GIF" else "RGB", progressive=progressive)
    found = outline(body)
    pixels = size[0] * size[1]
    assert found.size == size
    assert found.ended
    assert found.too_large is None
    assert pixels <= found.samples <= 40 * (pixels + 32 * sum(size))
    assert 0 < found.share < 1 / 100


# --- the room that threads share --------------------------------------------------------------------------------------


def test_small_pictures_do_not_wait_for_room() -> None:
    room = Room(1.0)
    with room.taken(1.0):
        assert isinstance(examine(photo("JPEG", 500, 375), decode=True, room=room), PictureInfo)
        assert isinstance(examine(photo("JPEG", 500, 375, progressive=True), decode=True, room=room), PictureInfo)
        assert isinstance(examine(photo("PNG", 500, 375), decode=True, room=room), PictureInfo)
        # Nor does what is not decoded at all.
        assert isinstance(examine(LARGE["a JPEG of 80 million pixels"](), decode=False, room=room), PictureInfo)
        assert isinstance(examine(TOO_LARGE["the same 20 times"][0](), decode=True, room=room), Flaw)


def test_a_large_picture_waits_until_there_is_room_and_one_that_fits_goes_before_it() -> None:
    room, done = Room(1.0), list[str]()
    large, medium = photo("PNG", 6000, 6000, compress_level=1), photo("PNG", 2000, 2000, compress_level=1)
    assert 1 / 128 < outline(medium).share < 0.2
    assert outline(large).share > 0.5

    def look(name: str, body: bytes) -> None:
        assert isinstance(examine(body, decode=True, room=room), PictureInfo)
        done.append(name)

    held = room.take(0.6)
    waiting = threading.Thread(target=look, args=("large", large))
    waiting.start()
    look("medium", medium)
    assert done == ["medium"]
    room.give_back(held)
    waiting.join()
    assert done == ["medium", "large"]


def test_whoever_waits_for_room_is_let_go_when_it_is_closed() -> None:
    room = Room(1.0)
    ended: list[BaseException] = []

    def look() -> None:
        try:
            examine(LARGE["a WEBP of 12 million pixels"](), decode=True, room=room)
        except InterruptedRunError as error:
            ended.append(error)

    with room.taken(1.0):
        waiting = threading.Thread(target=look)
        waiting.start()
        room.close()
        waiting.join()
    assert len(ended) == 1


@given(
    memory=st.integers(0, 2 * MOST_MEMORY),
    samples=st.integers(0, 2 * MOST_SAMPLES),
    size=st.tuples(st.integers(0, 70_000), st.integers(0, 70_000)),
)
def test_what_is_not_too_large_fits_into_the_room(memory: int, samples: int, size: tuple[int, int]) -> None:
    found = Outline(size=size, ended=True, memory=memory, samples=samples)
    assert 0 <= found.share <= 1
    if found.too_large is None:
        assert memory <= MOST_MEMORY
        assert samples <= MOST_SAMPLES
        assert found.share == max(memory / MOST_MEMORY, samples / (2 * MOST_SAMPLES))
