"""The closed set of outcomes against the contract's table, written out by hand."""

from __future__ import annotations

import pytest

from scraper.model import DECIDED_KINDS, Kind, Outcome, outcome_of_status
from scraper.pictures.judge import opts_out

CONTRACT = {
    "saved": ("image", True, False),
    "duplicate": ("image", True, False),
    "gone": ("dead", True, False),
    "placeholder": ("dead", True, False),
    "forbidden": ("denied", True, False),
    "opted_out": ("denied", True, False),
    "not_image": ("unusable", True, False),
    "truncated": ("unusable", True, False),
    "corrupt": ("unusable", True, False),
    "too_small": ("unusable", True, False),
    "too_large": ("unusable", True, False),
    "throttled": ("unknown", False, True),
    "server_error": ("unknown", False, True),
    "timeout": ("unknown", False, True),
    "dns_error": ("unknown", False, True),
    "connection_error": ("unknown", False, True),
    "tls_error": ("unknown", False, True),
    "protocol_error": ("unknown", False, True),
    "redirect_error": ("unknown", False, False),
    "bad_status": ("unknown", False, True),
    "blocked": ("refused", True, False),
    "bad_url": ("refused", True, False),
    "intercepted": ("unknown", False, True),
    "changed": ("unusable", True, False),
    "withdrawn": ("refused", True, False),
}
"""For each outcome its kind, whether it is final, and whether it may be tried again."""


def test_the_set_is_closed() -> None:
    assert {str(outcome) for outcome in Outcome} == set(CONTRACT)


@pytest.mark.parametrize("outcome", Outcome)
def test_kind_finality_and_retry_are_those_of_the_contract(outcome: Outcome) -> None:
    assert (str(outcome.kind), outcome.final, outcome.retryable) == CONTRACT[str(outcome)]


def test_rates_are_over_answers_of_the_host_only() -> None:
    assert set(DECIDED_KINDS) == {Kind.IMAGE, Kind.DEAD, Kind.DENIED, Kind.UNUSABLE}


def expected(status: int) -> Outcome:
    """The contract's column of statuses."""
    named = {
        404: Outcome.GONE,
        410: Outcome.GONE,
        401: Outcome.FORBIDDEN,
        403: Outcome.FORBIDDEN,
        451: Outcome.FORBIDDEN,
        429: Outcome.THROTTLED,
    }
    return named.get(status, Outcome.SERVER_ERROR if status // 100 == 5 else Outcome.BAD_STATUS)


@pytest.mark.parametrize("status", [status for status in range(100, 600) if status != 200])
def test_every_status_has_its_outcome(status: int) -> None:
    assert outcome_of_status(status) is expected(status)


@pytest.mark.parametrize("status", [None, 0, 99, 600, 999])
def test_a_status_that_is_none_says_nothing_of_the_photo(status: int | None) -> None:
    assert outcome_of_status(status) is Outcome.BAD_STATUS


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 520, 599])
def test_no_status_of_a_busy_host_counts_as_link_rot(status: int) -> None:
    assert outcome_of_status(status).kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    "values",
    [
        ("noai",),
        ("noimageai",),
        ("noindex",),
        ("noimageindex",),
        ("NoAI",),
        (" noai ",),
        ("nofollow, noai",),
        ("noai,noimageai",),
        ("nofollow", "noimageai"),
        ("googlebot: nofollow", "noai"),
        ("noindex, nofollow, noarchive",),
        ("scraper: noai",),
        ("Scraper: nofollow, noindex",),
    ],
)
def test_a_header_that_asks_not_to_be_used_is_heard(values: tuple[str, ...]) -> None:
    assert opts_out(values)


@pytest.mark.parametrize(
    "values",
    [
        (),
        ("",),
        ("all",),
        ("nofollow",),
        ("index, follow",),
        ("noarchive, nosnippet",),
        ("googlebot: noindex",),
        ("otherbot: noai, noimageai",),
        ("noaids",),
        ("max-image-preview: large",),
        ("unavailable_after: 25 Jun 2030 15:00:00 PST",),
    ],
)
def test_other_headers_and_those_for_other_crawlers_are_not(values: tuple[str, ...]) -> None:
    assert not opts_out(values)


@pytest.mark.parametrize(
    "value",
    [
        "max-image-preview:large, noindex",
        "max-snippet: 50, noai",
        "unavailable_after: 25 Jun 2030 15:00:00 PST, noimageai",
    ],
)
def test_a_directive_with_a_value_before_it_does_not_hide_an_opt_out(value: str) -> None:
    assert opts_out((value,))
