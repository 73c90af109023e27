"""What the manifest keeps of lists: how each ended, what was odd about its lines, which whole lists were read."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from scraper.manifest.access import lists
from scraper.manifest.access.lists import ListingTry, WholeList
from scraper.manifest.core import Manifest
from scraper.model import LISTING_OUTCOMES, ListingOutcome, Oddity, Wnid
from scraper.records import ClassRequest, Listed, Listing, OddLines

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scraper.model import Outcome

TENCH = Wnid("n01440764")
ODD = (OddLines(Oddity.NO_URL, 3, "nonsense"), OddLines(Oddity.LEFT_OFF, 1, "http://a.example/1.jpg tench"))


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Manifest]:
    with Manifest.create(tmp_path / "a.db") as manifest:
        lists.want(manifest, [ClassRequest(TENCH)], n=1, budget=1)
        manifest.start_run("plan", [], "0", 0.0)
        yield manifest


def rows(book: Manifest, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(book.path)) as database:
        return database.execute(sql).fetchall()


@pytest.mark.parametrize("outcome", LISTING_OUTCOMES)
def test_however_a_request_for_a_list_may_end_it_can_be_recorded(
    book: Manifest, outcome: ListingOutcome | Outcome
) -> None:
    tried = ListingTry(
        wnid=TENCH,
        number=1,
        started_at=0.0,
        seconds=0.1,
        status=None,
        outcome=outcome,
        url="https://api.example/",
        error="why",
    )
    lists.save_listing_tries(book, 1, [tried])
    lists.save_listing(book, 1, TENCH, Listing(outcome, error="why"), source="api", hosts="", shuffle=None, now=0.0)
    assert rows(book, "SELECT resolve_outcome, resolve_error FROM classes") == [(outcome.value, "why")]
    assert rows(book, "SELECT outcome FROM listings") == [(outcome.value,)]


def test_odd_lines_are_kept_with_their_class(book: Manifest) -> None:
    listing = Listing(
        ListingOutcome.LISTED, (Listed("http://a.example/1.jpg", None, "1.jpg", usual=True),), 2, odd=ODD, form="urls"
    )
    lists.save_listing(book, 1, TENCH, listing, source="lists", hosts="a.example", shuffle=None, now=0.0)
    assert rows(book, "SELECT run_id, source, wnid, kind, lines, example FROM odd_lines") == [
        (1, "lists", TENCH, odd.kind, odd.lines, odd.example) for odd in ODD
    ]
    assert rows(book, "SELECT malformed, listing_form FROM classes") == [(3, "urls")]


def test_a_whole_list_is_kept_with_what_was_of_no_class(book: Manifest) -> None:
    lists.save_whole_list(book, 1, WholeList("fall11", "http://a.example/x.tgz", "index", 10, "0" * 64, 1, ODD), 0.0)
    assert rows(book, "SELECT source, url, form, bytes, sha256, classes FROM whole_lists") == [
        ("fall11", "http://a.example/x.tgz", "index", 10, "0" * 64, 1)
    ]
    assert rows(book, "SELECT source, wnid, kind, lines FROM odd_lines") == [
        ("fall11", None, odd.kind, odd.lines) for odd in ODD
    ]
