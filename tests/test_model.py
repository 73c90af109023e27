"""What outcomes say of a photo: one closed set, and what each means for asking again and for the numbers."""

from __future__ import annotations

import pytest

from scraper.model import Kind, ListingOutcome, Oddity, Outcome, outcome_of_status
from scraper.records import Columns, Listing, OddLines

RETRYABLE = {
    *(Outcome.THROTTLED, Outcome.SERVER_ERROR, Outcome.TIMEOUT, Outcome.DNS_ERROR, Outcome.CONNECTION_ERROR),
    *(Outcome.TLS_ERROR, Outcome.PROTOCOL_ERROR, Outcome.BAD_STATUS, Outcome.INTERCEPTED),
}


def test_only_what_says_nothing_of_the_photo_is_asked_again() -> None:
    assert {outcome for outcome in Outcome if outcome.retryable} == RETRYABLE
    assert {outcome for outcome in Outcome if not outcome.final} == {*RETRYABLE, Outcome.REDIRECT_ERROR}
    assert {outcome for outcome in Outcome if outcome.kind is Kind.DEAD} == {Outcome.GONE, Outcome.PLACEHOLDER}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((status, Outcome.GONE) for status in (404, 410)),
        *((status, Outcome.FORBIDDEN) for status in (401, 403, 451)),
        (429, Outcome.THROTTLED),
        *((status, Outcome.SERVER_ERROR) for status in (500, 503, 599)),
        *((status, Outcome.BAD_STATUS) for status in (None, 100, 204, 206, 304, 400, 402, 405, 420, 499, 600, 999)),
    ],
)
def test_what_a_status_means(status: int | None, outcome: Outcome) -> None:
    assert outcome_of_status(status) is outcome


def test_columns_are_told_by_either() -> None:
    assert [bool(one) for one in (Columns(), Columns(url="a"), Columns(wnid="b"), Columns("a", "b"))] == [
        *(False, True, True, True)
    ]


def test_malformed_lines_are_those_that_hold_no_url() -> None:
    odd = tuple(OddLines(kind, 2**place, "") for place, kind in enumerate(Oddity))
    malformed = sum(2**place for place, kind in enumerate(Oddity) if kind in ("no_url", "broken", "too_long"))
    assert Listing(ListingOutcome.LISTED, odd=odd).malformed == malformed
