"""When a source that is asked class by class, and gives no list, is asked no further."""

from __future__ import annotations

import pytest

from scraper.model import ListingOutcome, Outcome
from scraper.planning.sources.doubts import ENOUGH, ENOUGH_SILENT, PATIENCE, Doubts, in_words
from scraper.planning.sources.known import KNOWN, called
from scraper.records import Listing

NOT_FOUND = Listing(ListingOutcome.NOT_FOUND, http_status=404)
SILENT = Listing(Outcome.TIMEOUT)
LISTED = Listing(ListingOutcome.LISTED, http_status=200)


def asked(*listings: Listing, seconds: float = 0.0, settled: bool = True) -> Doubts:
    """One request after the other, so many seconds apart, each of another class that is done with."""
    doubts = Doubts()
    for number, listing in enumerate(listings):
        doubts.take(listing, settled=settled, started_at=100.0 + number * seconds)
    return doubts


def test_twenty_failures_alike_are_the_sources() -> None:
    assert not asked(*[NOT_FOUND] * (ENOUGH - 1)).gone(1e9)
    doubts = asked(*[NOT_FOUND] * ENOUGH)
    assert doubts.gone(0.0)
    assert (doubts.alike, doubts.last) == (ENOUGH, NOT_FOUND)
    assert not asked().gone(1e9)
    assert (asked().alike, asked().last) == (0, None)


def test_a_list_in_between_ends_the_doubt() -> None:
    doubts = asked(*[NOT_FOUND] * 19, LISTED, *[NOT_FOUND] * 19)
    assert not doubts.gone(1e9)
    assert doubts.alike == 19
    assert asked(*[NOT_FOUND] * 30, LISTED).alike == 0
    assert not asked(*[NOT_FOUND] * 30, LISTED).gone(1e9)


def test_failures_of_several_kinds_are_no_failure_of_the_source() -> None:
    other = Listing(ListingOutcome.NOT_FOUND, http_status=410)
    assert not asked(*[NOT_FOUND, other] * 30).gone(1e9)
    doubts = asked(*[NOT_FOUND] * 19, other)
    assert (doubts.alike, doubts.last) == (1, other)


def test_tries_of_classes_that_are_not_done_with_count_only_where_nobody_answers() -> None:
    assert not asked(*[NOT_FOUND] * 40, settled=False).gone(1e9)
    assert asked(*[SILENT] * ENOUGH, settled=False).gone(100.0 + PATIENCE)


@pytest.mark.parametrize(
    ("number", "now", "gone"),
    [(ENOUGH_SILENT, 110.0, True), (ENOUGH_SILENT, 109.9, False), (ENOUGH_SILENT - 1, 200.0, False)],
)
def test_a_source_that_does_not_answer_is_given_ten_seconds(number: int, now: float, gone: bool) -> None:
    assert asked(*[SILENT] * number).gone(now) is gone


def test_the_seconds_begin_with_the_first_failure_of_the_kind() -> None:
    doubts = asked(*[NOT_FOUND] * 5, *[SILENT] * ENOUGH, seconds=1.0)
    assert not doubts.gone(105.0 + PATIENCE - 0.1)
    assert doubts.gone(105.0 + PATIENCE)


def test_every_failure_has_words() -> None:
    outcomes = [*ListingOutcome, *Outcome]
    words = {in_words(Listing(outcome, http_status=503)) for outcome in outcomes}
    assert all(words)
    assert all(said.isprintable() for said in words)
    assert "404" in in_words(Listing(ListingOutcome.NOT_FOUND, http_status=404))


def test_what_sources_are_called() -> None:
    for known in KNOWN.values():
        assert called(known.name) == known.title
        assert [called(address) for address in known.addresses] == [known.title] * len(known.addresses)
    assert called("lists/mine.txt") == "mine.txt"
    assert called("lists/") == "lists"
    assert called("https://a.example/lists/{wnid}") == "https://a.example/lists/{wnid}"
