"""JPEGs that are uncommon but whole, and the same ones damaged: a corpus of both from an encoder of our own."""

from __future__ import annotations

import io
import itertools
import random
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scraper.model import Outcome
from scraper.pictures import entropy, jpeg
from scraper.pictures.examining import Flaw, PictureInfo, examine
from tests.pictures.encoder import JFIF, Picture, adobe, encode, samplings, segment

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.pictures.encoder import Factors

PHOTOS = sorted((Path(__file__).parents[1] / "photos").glob("*.jpg"))
COLOURS = {
    "grey": (1, JFIF),
    "YCbCr": (3, JFIF),
    "YCbCr by Adobe": (3, adobe(1)),
    "RGB": (3, adobe(0)),
    "CMYK": (4, adobe(0)),
    "YCCK": (4, adobe(2)),
    "CMYK without a note": (4, b""),
    "a transform nobody knows": (3, adobe(7)),
}
LAYOUTS = list(itertools.product((True, False), (True, False), (0, 1, 7)))
COMMON: list[tuple[Factors, ...]] = [
    ((1, 1),) * 3,
    ((2, 1), (1, 1), (1, 1)),
    ((2, 2), (1, 1), (1, 1)),
    ((1, 2), (1, 1), (1, 1)),
]
ODD: list[tuple[Factors, ...]] = [
    ((4, 2), (1, 1), (1, 1)),
    ((3, 1), (1, 1), (1, 1)),
    ((1, 3), (1, 1), (1, 1)),
    ((2, 2), (2, 1), (1, 1)),
    ((2, 2), (1, 2), (2, 1)),
    ((1, 1), (2, 2), (1, 1)),
    ((2, 1), (1, 1), (1, 1), (2, 1)),
    ((2, 2), (1, 1), (1, 1), (2, 2)),
]


def decodable(factors: tuple[Factors, ...]) -> bool:
    """Whether decoders read such sampling: libjpeg, and all that is made of it, scales by whole numbers only."""
    most_h, most_v = max(h for h, _ in factors), max(v for _, v in factors)
    return all(most_h % h == 0 and most_v % v == 0 for h, v in factors)


def verdict(body: bytes) -> Outcome | PictureInfo:
    found = examine(body, decode=True)
    return found.outcome if isinstance(found, Flaw) else found


def opens(body: bytes) -> bool:
    """Whether Pillow opens it."""
    try:
        with Image.open(io.BytesIO(body), formats=("JPEG",)) as image:
            image.load()
    except OSError:
        return False
    return True


# --- whole ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COLOURS)
@pytest.mark.parametrize(("interleaved", "progressive", "restart"), LAYOUTS)
def test_jpegs_of_every_colour_space_and_layout_are_whole(
    name: str, interleaved: bool, progressive: bool, restart: int
) -> None:
    components, colours = COLOURS[name]
    every = [factors for factors in samplings(components) if decodable(factors)]
    for factors in random.Random(f"{name} {restart}").sample(every, min(6, len(every))):
        picture = Picture(
            factors=factors, colours=colours, interleaved=interleaved, progressive=progressive, restart=restart
        )
        assert verdict(encode(picture)) == PictureInfo("JPEG", 70, 50), factors


@pytest.mark.parametrize("part", range(8))
def test_every_legal_choice_of_sampling_factors_is_as_pillow_finds_it(part: int) -> None:
    for factors in samplings(3)[part::8]:
        body = encode(Picture(width=40, height=40, factors=factors))
        assert opens(body) == decodable(factors)
        expected = PictureInfo("JPEG", 40, 40) if decodable(factors) else Outcome.CORRUPT
        assert verdict(body) == expected, factors


@pytest.mark.parametrize("factors", [((4, 4),) * 3, ((4, 4), (4, 2), (1, 4)), ((3, 3), (3, 1), (1, 1))])
@pytest.mark.parametrize("progressive", [True, False])
def test_scans_of_their_own_allow_more_blocks_than_a_shared_one(
    factors: tuple[Factors, ...], progressive: bool
) -> None:
    body = encode(Picture(factors=factors, interleaved=False, progressive=progressive))
    assert verdict(body) == PictureInfo("JPEG", 70, 50)


@given(
    factors=st.sampled_from([one for one in samplings(3) + samplings(4) if decodable(one)]),
    size=st.tuples(st.integers(32, 90), st.integers(32, 90)),
    layout=st.sampled_from(LAYOUTS),
    ids=st.permutations((1, 2, 3, 4)),
    seed=st.integers(0, 2**32),
)
def test_any_size_and_layout_is_whole(
    factors: tuple[Factors, ...], size: tuple[int, int], layout: tuple[bool, bool, int], ids: list[int], seed: int
) -> None:
    width, height = size
    interleaved, progressive, restart = layout
    picture = Picture(
        width=width,
        height=height,
        factors=factors,
        interleaved=interleaved,
        progressive=progressive,
        restart=restart,
        seed=seed,
        ids=tuple(ids),
    )
    assert verdict(encode(picture)) == PictureInfo("JPEG", width, height)


@pytest.mark.parametrize("factors", ODD + COMMON)
@pytest.mark.parametrize("zeros", [1, 2, 3, 17, 245, 5000])
def test_zero_bytes_before_the_end_marker_are_junk(factors: tuple[Factors, ...], zeros: int) -> None:
    for seed in range(12):  # some of which end in zero bytes of their own
        body = encode(Picture(factors=factors, colours=JFIF if len(factors) < 4 else adobe(2), seed=seed))
        padded = body[:-2] + bytes(zeros) + body[-2:]
        assert verdict(padded) == PictureInfo("JPEG", 70, 50), seed


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.stem)
@pytest.mark.parametrize("zeros", [1, 245, 4096])
def test_zero_bytes_before_the_end_marker_of_a_photograph_are_junk(path: Path, zeros: int) -> None:
    body = path.read_bytes()
    assert isinstance(verdict(body[:-2] + bytes(zeros) + body[-2:]), PictureInfo)


@pytest.mark.parametrize("factors", [*ODD[:3], *COMMON])
def test_zero_bytes_between_scans_are_junk(factors: tuple[Factors, ...]) -> None:
    # Where a scan ends in zeros of its own, more of them cannot be told from a part that was overwritten.
    bodies = (encode(Picture(factors=factors, progressive=True, seed=seed)) for seed in range(100))
    body = next(body for body in bodies if all(body[one.stop - 1] for one in scans_of(body)))
    padded = body.replace(b"\xff\xda", bytes(9) + b"\xff\xda")
    assert isinstance(verdict(padded), PictureInfo)


JUNK = {
    "stray bytes": b"\0\0stray \x80 bytes\0",
    "a broken segment of EXIF": segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\xff"),
    "a JFIF of no version": segment(0xE0, b"JFIF\0\x09\x63\0\0\1\0\1\0\0"),
    "part of a profile": segment(0xE2, b"ICC_PROFILE\0\x05\x02" + bytes(50)),
    "half of Adobe's note": segment(0xEE, b"Ado"),
    "a note of Adobe with a transform nobody knows": adobe(99),
    "an index of more pictures": segment(0xE2, b"MPF\0MM\0*\xff\xff\xff\xff" + bytes(8)),
    "fill bytes": b"\xff" * 40,
    "restart markers": b"\xff\xd0\xff\xd7",
}


@pytest.mark.parametrize("name", JUNK)
@pytest.mark.parametrize("factors", [ODD[0], ODD[3], COMMON[0], COMMON[2]])
def test_junk_between_the_segments_of_a_header_is_let_be(name: str, factors: tuple[Factors, ...]) -> None:
    body = encode(Picture(factors=factors))
    for marker in (b"\xff\xdb", b"\xff\xc0", b"\xff\xc4", b"\xff\xda"):
        at = body.index(marker)
        assert isinstance(verdict(body[:at] + JUNK[name] + body[at:]), PictureInfo), marker


@pytest.mark.parametrize("factors", ODD)
@pytest.mark.parametrize("tail", [bytes(300), b"\n", b"a film", encode(Picture()), b"\xff\xd9" * 3])
def test_whatever_stands_behind_the_end_is_let_be(factors: tuple[Factors, ...], tail: bytes) -> None:
    body = encode(Picture(factors=factors, colours=JFIF if len(factors) < 4 else adobe(2)))
    assert isinstance(verdict(body + tail), PictureInfo)


# --- damaged ----------------------------------------------------------------------------------------------------------


def scans_of(body: bytes) -> list[range]:
    """Where the data of each scan stands; the encoder puts nothing else between them."""
    starts = [at for at in range(len(body)) if body.startswith(b"\xff\xda", at)]
    return [range(at + 2 + body[at + 3], end) for at, end in zip(starts, [*starts[1:], len(body) - 2], strict=True)]


def odd(seed: int, layout: tuple[bool, bool, int]) -> bytes:
    factors = ODD[seed % len(ODD)]
    interleaved, progressive, restart = layout
    return encode(
        Picture(
            factors=factors,
            colours=JFIF if len(factors) < 4 else adobe(2),
            interleaved=interleaved,
            progressive=progressive,
            restart=restart,
            seed=seed,
        )
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_odd_jpeg_cut_anywhere_is_not_whole(layout: tuple[bool, bool, int]) -> None:
    for seed in range(len(ODD)):
        body, rng = odd(seed, layout), random.Random(seed)
        for inside in scans_of(body):
            for cut in rng.sample(inside[1:-1], min(4, len(inside) - 2)):
                assert verdict(body[:cut]) is Outcome.TRUNCATED
                # With an end marker put behind it, as servers do that mend what they cut.
                assert verdict(body[:cut] + b"\xff\xd9") is Outcome.CORRUPT, (seed, cut)


@pytest.mark.parametrize("layout", [one for one in LAYOUTS if not one[1]])
def test_an_odd_jpeg_with_a_part_zeroed_is_not_whole(layout: tuple[bool, bool, int]) -> None:
    for seed in range(len(ODD)):
        body = odd(seed, layout)
        inside = scans_of(body)[-1]
        start = inside.start + len(inside) // 3
        half = len(inside) // 2
        assert verdict(body[:start] + bytes(half) + body[start + half :]) is Outcome.CORRUPT, seed
        # To the very end: zeros are codes too, and what is left over of them looks like junk.
        assert verdict(body[:start] + bytes(inside.stop - start) + body[inside.stop :]) is Outcome.CORRUPT, seed


@pytest.mark.parametrize("layout", [one for one in LAYOUTS if not one[0]])
def test_an_odd_jpeg_that_lacks_a_component_is_not_whole(layout: tuple[bool, bool, int]) -> None:
    body = encode(Picture(factors=ODD[0], interleaved=False, progressive=layout[1], restart=layout[2]))
    one = scans_of(body)[1]
    assert verdict(body[: one.start - 10] + body[one.stop :]) is Outcome.CORRUPT


def flipped(body: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(body)
    for at in rng.sample([at for one in scans_of(body) for at in one], 4):
        damaged[at] ^= rng.randrange(1, 256)
    return bytes(damaged)


def taken_out(body: bytes, rng: random.Random) -> bytes:
    start, end = sorted(rng.sample(rng.choice(scans_of(body)), 2))
    return body[:start] + body[end:]


def doubled(body: bytes, rng: random.Random) -> bytes:
    start, end = sorted(rng.sample(rng.choice(scans_of(body)), 2))
    return body[:end] + body[start:]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("damage", [flipped, taken_out, doubled], ids=lambda damage: damage.__name__)
def test_damage_inside_odd_jpegs_is_found_as_often_as_in_common_ones(
    layout: tuple[bool, bool, int], damage: Callable[[bytes, random.Random], bytes]
) -> None:
    """A few changes lead from one picture to another, which no decoder can tell."""
    rng, tries = random.Random(str(layout)), 40
    interleaved, progressive, restart = layout
    found = {"odd": 0, "common": 0}
    for seed in range(tries):
        common = Picture(factors=COMMON[seed % 4], interleaved=interleaved, progressive=progressive, restart=restart)
        for name, body in (("odd", odd(seed, layout)), ("common", encode(replace(common, seed=seed)))):
            found[name] += not isinstance(verdict(damage(body, rng)), PictureInfo)
    assert min(found.values()) >= 0.65 * tries, found
    assert found["odd"] >= found["common"] - 0.1 * tries, found


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 5}, {"optimize": True}])
@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("mode", ["RGB", "CMYK", "YCbCr"])
def test_what_others_encoded_is_read_block_by_block_without_complaint(
    options: dict[str, int], subsampling: int, mode: str
) -> None:
    """The reader of entropy-coded data against libjpeg's encoder, which the judge needs it for least."""
    for path in PHOTOS[:3]:
        out = io.BytesIO()
        with Image.open(path, formats=("JPEG",)) as photo:
            photo.resize((150, 110)).convert(mode).save(out, "JPEG", subsampling=subsampling, **options)
        body = out.getvalue()
        head = jpeg.header(body)
        assert head is not None
        assert head.frame is not None
        assert entropy.flaw_of(body, head.frame, head.scan) is None
        alone = [entropy.alone(body, head.frame, one, head.scan) for one in head.frame.components]
        assert all((one is not None) == ("progressive" in options) for one in alone)
        assert all(isinstance(verdict(one), PictureInfo) for one in alone if one is not None)


@given(st.binary(max_size=300), st.integers(0, 2**32))
def test_whatever_stands_in_an_odd_jpeg_there_is_a_verdict(noise: bytes, seed: int) -> None:
    body = odd(seed, LAYOUTS[seed % len(LAYOUTS)])
    rng = random.Random(seed)
    at = rng.randrange(2, len(body))
    for damaged in (body[:at] + noise + body[at:], body[:at] + noise + body[at + len(noise) :]):
        assert isinstance(verdict(damaged), Outcome | PictureInfo)
