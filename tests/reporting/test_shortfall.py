"""What a report says of classes that are short, of a surplus, and of what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scraper.manifest.access.counts import ClassTarget
from scraper.model import ListingOutcome, Outcome, Wnid
from scraper.reporting.numbers import _reason
from tests.conftest import CLOCK, TENCH

if TYPE_CHECKING:
    from tests.command import Scraper


def reason(outcomes: dict[Outcome, int], *, shortfall: int, candidates: int = 20, budget: int = 20) -> str:
    target = ClassTarget(Wnid(TENCH), None, 10, budget, candidates, candidates, ListingOutcome.LISTED)
    return _reason(target, outcomes, sum(outcomes.values()), shortfall)


@pytest.mark.parametrize(
    ("unknown", "gone", "shortfall", "expected"),
    [
        (1, 16, 7, "list exhausted"),  # 7 short, and only 1 of them for want of an answer
        (4, 13, 7, "connection error"),
        (1, 1, 7, "connection error"),  # there is more to ask for, and this is what holds it up
        (0, 17, 7, "list exhausted"),
        (0, 3, 7, "not yet tried"),
    ],
)
def test_the_reason_names_the_larger_part(unknown: int, gone: int, shortfall: int, expected: str) -> None:
    outcomes = {Outcome.SAVED: 3, Outcome.GONE: gone, Outcome.CONNECTION_ERROR: unknown}
    assert reason({key: count for key, count in outcomes.items() if count}, shortfall=shortfall) == expected


def test_what_helps_is_said(filled: Scraper) -> None:
    shown = filled.done("report").out
    assert "list exhausted: nothing is left to ask for: `scraper fetch --second-try live`" in shown


def test_a_surplus_is_told_apart(copied: Scraper) -> None:
    copied.done("plan", TENCH, "-n", "4", "--source", "lists")
    totals = copied.report()["totals"]
    assert totals["surplus"] == 6
    saved = totals["saved"] - 6
    shown = copied.done("report").out
    assert shown.startswith(f"{saved} of 34 images (")
    assert "6 images beyond what is wanted since n was lowered\n" in shown
    assert f"<title>{saved} of 34 images</title>" in copied.done("report", "--format", "html").out


def test_the_forecast_stands_beside_what_came_true(copied: Scraper) -> None:
    told = copied.report()["forecast"]
    assert (told["classes"], told["wanted"], told["decided"], told["survival"]) == (2, 40, 0, 0.75)
    shown = copied.done("report").out
    assert f"images with {round(told['requests'])} requests, 1 class short (75.0% survival, assumed)\n" in shown
    totals = copied.report()["totals"]
    assert f"so far: {totals['saved']} images with {totals['requests']} requests, 1 class short\n" in shown
    copied.done("plan", CLOCK, "--source", "lists")  # now it is known how many survive
    told = copied.report()["forecast"]
    assert told["decided"] > 20
    assert told["requests"] >= totals["requests"]
    assert "survival, measured)" in copied.done("report").out


def test_one_is_singular(scraper: Scraper) -> None:
    (scraper.folder / "lists").mkdir()
    (scraper.folder / "lists" / f"{TENCH}.txt").write_text("http://farm1.static.flickr.com/1/1_a.jpg\n")
    said = scraper.done("plan", "tench", "-n", "1", "--source", "lists").out + scraper.done("report").out
    said += scraper.done("report", "--format", "methods").out
    said += scraper.done("plan", "tench", "-n", "2", "--dry-run", "--source", "lists").out
    for wrong in ("1 classes", "1 images", "1 candidates", "1 requests", "1 URLs"):
        assert f" {wrong}" not in said.replace("\n", " ")
    assert "0 of 1 image (" in said
