"""Splits that cannot leak: the same photo is on one side, and nothing that comes later moves anything."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.exporting.splits import SplitShares, photos_of, split_of

SHARES = (("train", 0.8), ("validation", 0.1), ("test", 0.1))
IMAGES = st.lists(st.tuples(st.none() | st.integers(1, 12), st.sampled_from("abcdefgh")), max_size=40)


def test_shares_are_about_what_was_asked_for() -> None:
    counts = Counter(split_of(f"flickr {number}", SHARES, "7") for number in range(20_000))
    assert 15_700 < counts["train"] < 16_300
    assert 1_850 < counts["validation"] < 2_150
    assert 1_850 < counts["test"] < 2_150


def test_another_seed_splits_otherwise() -> None:
    photos = [f"flickr {number}" for number in range(200)]
    assert [split_of(p, SHARES, "1") for p in photos] == [split_of(p, SHARES, "1") for p in photos]
    assert [split_of(p, SHARES, "1") for p in photos] != [split_of(p, SHARES, "2") for p in photos]


@given(IMAGES)
def test_images_with_one_id_or_the_same_bytes_are_one_photo(images: list[tuple[int | None, str]]) -> None:
    photos = photos_of(images)
    assert len(photos) == len(images)
    for key in (0, 1):
        sides: defaultdict[object, set[str]] = defaultdict(set)
        for image, photo in zip(images, photos, strict=True):
            if image[key] is not None:
                sides[image[key]].add(photo)
        assert all(len(names) == 1 for names in sides.values())


@given(IMAGES, IMAGES)
def test_what_shares_neither_is_not_joined(
    images: list[tuple[int | None, str]], more: list[tuple[int | None, str]]
) -> None:
    apart = [(None if number is None else number + 100, name.upper()) for number, name in more]
    together = photos_of([*images, *apart])
    assert together[: len(images)] == photos_of(images)
    assert not set(together[: len(images)]) & set(together[len(images) :])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must name each split once"),
        ("train", "'train' is no NAME=SHARE"),
        ("train=1,train=0", "above 0"),
        ("train=.5,train=.5", "must name each split once"),
        ("train=0.5,test=0.6", "sum to 1, not 1.1"),
        ("train=0.5", "sum to 1, not 0.5"),
        ("../x=1", "is no NAME=SHARE"),
        ("train=nan,test=1", "is no NAME=SHARE"),
        ("train=-1,test=2", "is no NAME=SHARE"),
        ("Train=1", "is no NAME=SHARE"),
    ],
)
def test_shares_that_cannot_be(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        SplitShares().take(text)
