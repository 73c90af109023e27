"""Years by photo number: against dates that are not among the anchors, and with nothing outside them."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.statistics.uploads import ANCHORS, YEARS, upload_date, upload_year

KNOWN = {
    # As Flickr's API gave them, in test data of public projects.
    1259861303: dt.date(2007, 8, 28),
    2087648809: dt.date(2007, 12, 5),
    2444432253: dt.date(2008, 4, 27),
    2751541628: dt.date(2008, 8, 10),
    3364783370: dt.date(2009, 3, 18),
    3670586632: dt.date(2009, 6, 29),
    3743398102: dt.date(2009, 7, 21),
    3989150138: dt.date(2009, 10, 7),
    4960396261: dt.date(2010, 9, 5),
}


@pytest.mark.parametrize("photo", KNOWN)
def test_dates_that_are_known_are_met_within_six_weeks(photo: int) -> None:
    found = upload_date(photo)
    assert found is not None
    assert abs((found - KNOWN[photo]).days) <= 42
    assert upload_year(photo) == KNOWN[photo].year


def test_anchors_grow_and_are_met() -> None:
    assert all(one.photo_id < two.photo_id and one.uploaded < two.uploaded for one, two in itertools.pairwise(ANCHORS))
    for anchor in ANCHORS:
        assert (upload_date(anchor.photo_id), upload_year(anchor.photo_id)) == (anchor.uploaded, anchor.uploaded.year)
        assert anchor.source.startswith("github.com/")
    assert YEARS == (2007, 2008, 2009, 2010, 2011)


@pytest.mark.parametrize("photo", [1, ANCHORS[0].photo_id - 1, ANCHORS[-1].photo_id + 1, 6132014232, 51879885628])
def test_outside_the_anchors_nothing_is_said(photo: int) -> None:
    assert upload_date(photo) is None
    assert upload_year(photo) is None


@given(st.integers(ANCHORS[0].photo_id, ANCHORS[-1].photo_id))
def test_the_year_is_that_of_the_date(photo: int) -> None:
    date = upload_date(photo)
    assert date is not None
    assert upload_year(photo) == date.year
