"""Locks are text from strangers: every line is judged, and all that are wrong are named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.errors import InputError
from scraper.planning.locked.reading import read_lock

HEAD = "# scraper lock 1"
TENCH = "# class n01440764\ttench\t" + "a" * 64
URL = "http://farm4.static.flickr.com/3175/2737866473_7958dc8760.jpg"
GOOD = f"n01440764\t3\t{URL}\t2737866473\t{'b' * 64}\t1000\t500x375"

OTHER = GOOD.replace("\t3\t", "\t4\t").replace("2737866473", "9").replace("b" * 64, "c" * 64)


def refusal(*lines: str) -> str:
    with pytest.raises(InputError) as caught:
        read_lock(lines, origin="some.lock")
    assert caught.value.exit_code == 2
    return caught.value.as_typed


def test_a_lock() -> None:
    (tench,) = read_lock([HEAD, TENCH, GOOD], origin="some.lock")
    assert (tench.wnid, tench.label, tench.listing_sha256) == ("n01440764", "tench", "a" * 64)
    (image,) = tench.images
    assert (image.rank, image.photo_id, image.sha256, image.bytes) == (3, 2737866473, "b" * 64, 1000)
    assert (image.width, image.height) == (500, 375)


def test_images_are_in_order_whatever_the_file_says() -> None:
    other = GOOD.replace("\t3\t", "\t1\t").replace("2737866473", "11").replace("b" * 64, "c" * 64)
    (tench,) = read_lock([HEAD, TENCH, GOOD, other], origin="some.lock")
    assert [image.rank for image in tench.images] == [1, 3]


def test_what_is_no_lock() -> None:
    assert "is no lock" in refusal()
    assert "is no lock" in refusal("n01440764")
    assert "is of format 2, made by a newer scraper" in refusal("# scraper lock 2", TENCH, GOOD)
    assert "has no image in it" in refusal(HEAD, TENCH)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (GOOD, "a rank or a URL twice"),
        (GOOD.replace("\t3\t", "\t4\t"), "a rank or a URL twice"),
        (GOOD.replace("n01440764", "n01440765"), "an image of no class"),
        (GOOD.replace("\t3\t", "\t0\t"), "neither a class nor an image"),
        (GOOD.replace("http://", "file:///etc/"), "neither a class nor an image"),
        (GOOD.replace("http://", "../../"), "neither a class nor an image"),
        (GOOD.replace("b" * 64, "b" * 63), "neither a class nor an image"),
        (GOOD.replace("\t1000\t", "\t-1\t"), "neither a class nor an image"),
        (
            OTHER.replace("\t1000\t", "\t9999999999\t"),
            "a number that cannot be",
        ),
        (OTHER.replace("c" * 64, "b" * 64), "the same bytes twice"),
        (OTHER.replace("\t9\t", "\t8\t"), "another photo than that of its URL"),
        (OTHER.replace("flickr.com", "example.org"), "on none of --hosts"),
        (OTHER.replace("_7958dc8760.jpg", "/in/pool"), "no URL of an image"),
        (OTHER.replace(".jpg", ".jpg,x"), "no URL of an image"),
        (OTHER.replace(".jpg", ".jpg\udcff"), "not UTF-8"),
        (GOOD.replace("500x375", "500"), "neither a class nor an image"),
        (GOOD + "\tmore", "neither a class nor an image"),
        (TENCH, "a class twice"),
        ("# class ../../x\ttench\t-", "no class"),
        ("# a remark", "no class"),
        ("x" * 10_000, "too long"),
        ("\x1b[31m", "neither a class nor an image"),
    ],
)
def test_lines_that_are_wrong_are_named(line: str, says: str) -> None:
    message = refusal(HEAD, TENCH, GOOD, line, "", "nonsense")
    first, second, third = message.splitlines()
    assert first == "2 lines of the lock some.lock are wrong:"
    assert second.startswith(f"  line 4: {says}")
    assert third == "  line 6: neither a class nor an image: nonsense"
    assert "\x1b" not in message


@given(st.lists(st.text(alphabet="n0123456789# clas\t\x00http:/.x\u202e", max_size=60), max_size=8))
def test_any_text_is_read_or_refused(lines: list[str]) -> None:
    try:
        classes = read_lock([HEAD, *lines], origin="some.lock")
    except InputError as error:
        assert str(error).isprintable() or "\n" in str(error)  # noqa: PT017 - one of two ends
    else:
        assert any(cls.images for cls in classes)
