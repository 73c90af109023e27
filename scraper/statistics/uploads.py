"""The year in which a photo came to Flickr, interpolated from its number.

Flickr numbers photos as they are uploaded (https://code.flickr.net/2010/02/08/ticket-servers-distributed-unique-primary-keys-on-the-cheap/).
The anchors are numbers with the date of upload that Flickr's API gave for them, as recorded in the tests of public
projects. Between two anchors numbers are taken to grow evenly, which puts photos whose date is known within six weeks
of it; so a *year* can be told, and is one of interpolation. Owners can edit the date of a photo. Before the first
anchor and after the last nothing is said: years later numbers no longer grow with time.
"""

from __future__ import annotations

import bisect
import datetime as dt
from typing import Final, NamedTuple


class Anchor(NamedTuple):
    """A photo whose date of upload is known: its number, the date, and the public test data that hold both."""

    photo_id: int
    uploaded: dt.date
    source: str


_FLICKYPEDIA: Final = "github.com/Flickr-Foundation/flickypedia, fixtures/cassettes/"
_PHOTOS_API: Final = "github.com/Flickr-Foundation/flickr-photos-api, fixtures/cassettes/TestGetSinglePhoto."
_INATURALIST: Final = "github.com/inaturalist/inaturalist, spec/models/flickr_photo_spec.rb"

ANCHORS: Final = (
    Anchor(383861611, dt.date(2007, 2, 8), _FLICKYPEDIA + "test_omits_url_for_existing_photo.yml"),
    Anchor(2179931434, dt.date(2008, 1, 9), _PHOTOS_API + "test_has_people[2179931434-False].yml"),
    Anchor(2394365945, dt.date(2008, 4, 7), _INATURALIST),
    Anchor(2959326615, dt.date(2008, 10, 21), _PHOTOS_API + "test_editability.yml"),
    Anchor(3701264363, dt.date(2009, 7, 8), _PHOTOS_API + "test_sets_date_unknown_on_date_taken[3701264363].yml"),
    Anchor(4079570071, dt.date(2009, 11, 6), _PHOTOS_API + "test_gets_original_format[4079570071-gif].yml"),
    Anchor(4895431370, dt.date(2010, 8, 15), _PHOTOS_API + "test_sets_path_alias_to_none_if_empty.yml"),
    Anchor(5240741057, dt.date(2010, 12, 7), _PHOTOS_API + "test_sets_granularity_on_date_taken.yml"),
    Anchor(5428275683, dt.date(2011, 2, 8), _FLICKYPEDIA + "test_shows_correct_description[group].yml"),
    Anchor(5535462501, dt.date(2011, 3, 17), _FLICKYPEDIA + "test_gets_album_on_flickr.yml"),
)
_NUMBERS: Final = tuple(anchor.photo_id for anchor in ANCHORS)


def upload_date(photo_id: int) -> dt.date | None:
    """The interpolated date of a photo's upload; None outside the anchors.

    >>> upload_date(2737866473)
    datetime.date(2008, 8, 4)
    >>> upload_date(10_000_000_000)
    """
    place = bisect.bisect_right(_NUMBERS, photo_id)
    if not 0 < place < len(ANCHORS):
        return ANCHORS[-1].uploaded if photo_id == _NUMBERS[-1] else None
    before, after = ANCHORS[place - 1], ANCHORS[place]
    part = (photo_id - before.photo_id) / (after.photo_id - before.photo_id)
    return before.uploaded + part * (after.uploaded - before.uploaded)


def _first_of(year: int) -> int:
    """The least number that is interpolated to this year, or a later one."""
    low, high = _NUMBERS[0], _NUMBERS[-1]
    while low < high:
        middle = (low + high) // 2
        date = upload_date(middle)
        if date is not None and date.year < year:
            low = middle + 1
        else:
            high = middle
    return low


YEARS: Final = tuple(range(ANCHORS[0].uploaded.year, ANCHORS[-1].uploaded.year + 1))
_FIRSTS: Final = tuple(_first_of(year) for year in YEARS)


def upload_year(photo_id: int) -> int | None:
    """The interpolated year of a photo's upload, 2007 to 2011; None outside the anchors.

    >>> upload_year(2737866473)
    2008
    """
    if not _NUMBERS[0] <= photo_id <= _NUMBERS[-1]:
        return None
    return YEARS[bisect.bisect_right(_FIRSTS, photo_id) - 1]
