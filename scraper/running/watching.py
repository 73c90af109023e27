"""Whether somebody else answers in the photos' place, for all commands that ask for photos: by host, and in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scraper.flickr import FLICKR_GROUP, host_group
from scraper.running.interception import Detector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scraper.running.interception import Sighting

DOUBTED: Final = "many were answered alike, and none with a picture"
_MANY: Final = 12
"""Answers of a whole run without one picture that are worth a word."""


class Watch:
    """The detectors of a run, one for each group of hosts."""

    def __init__(self) -> None:
        self._detectors: dict[str, Detector] = {}

    def __iter__(self) -> Iterator[Detector]:
        return iter(self._detectors.values())

    def over(self, url: str) -> Detector:
        """The detector that watches the host of a URL."""
        # Apart from Flickr's, hosts are many and small, and a dead one answers all its URLs alike.
        group = host_group(url)
        return self._detectors.setdefault(group if group == FLICKR_GROUP else "", Detector())

    @property
    def shown(self) -> Sighting | None:
        """What has shown, if anything."""
        return next((detector.shown for detector in self if detector.shown is not None), None)

    def pictureless(self) -> list[int]:
        """Of the groups where not one picture came and that is worth a word, how many answers came."""
        return [one.answers for one in self if not one.alive and one.shown is None and one.answers >= _MANY]


def explain(shown: Sighting) -> str:
    """One line for people on what answers in the place of photos, and what to do."""
    if shown.usual:
        what = f"not one picture among {shown.answers:,} photos, nearly every answer is {shown.words}"
        do = "look at some of the URLs in a browser; if a network or a block answers for the host, use another network"
    else:
        what = f"{shown.answers:,} photos in a row and no picture: every answer is {shown.words}"
        do = "log in to this network or use another one, or wait if this address is blocked"
    return (
        f"{what}. That says nothing of the photos, which rest as unknown: {do}, then run the same command again "
        "(--believe-answers takes such answers for the photos' own)"
    )
