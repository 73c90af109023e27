"""URLs of which run after run learns nothing rest in the end, and are asked for again when someone says so."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.command import Scraper, check_manifest
from tests.standin.fates import Fate
from tests.standin.server import StandIn
from tests.standin.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TENCH = "n01440764"
N = 20


@pytest.fixture
def hopeless(tmp_path: Path) -> Iterator[Scraper]:
    """A class of which some URLs are throttled or broken for ever, after a first fetch."""
    mix = {Fate.ALIVE: 6, Fate.THROTTLED_ALWAYS: 1, Fate.ERROR_ALWAYS: 1}
    with StandIn(World.of(12, [(TENCH, "tench")], flickr=N, other=0, mix=mix)) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, "-n", str(N))
        scraper.done("fetch", "--retries", "1")
        assert unknown(scraper) >= 2
        yield scraper


def unknown(scraper: Scraper) -> int:
    return int(scraper.one("SELECT count(*) FROM candidates WHERE state = 'unknown'"))


def attempts(scraper: Scraper) -> int:
    return int(scraper.one("SELECT count(*) FROM attempts"))


def days_pass(scraper: Scraper, days: float) -> None:
    with contextlib.closing(sqlite3.connect(scraper.manifest)) as connection, connection:
        connection.execute("UPDATE candidate SET unknown_since = unknown_since - ?", (days * 86400,))


def test_after_five_runs_and_a_week_they_rest(hopeless: Scraper) -> None:
    left = unknown(hopeless)
    for _ in range(3):
        before = attempts(hopeless)
        hopeless.done("fetch", "--retries", "1")
        assert attempts(hopeless) == before + left
    days_pass(hopeless, 8)
    hopeless.done("fetch", "--retries", "1")
    assert hopeless.report()["resting"]["throttled"] >= 1
    assert sum(hopeless.report()["resting"].values()) == left
    before = attempts(hopeless)
    hopeless.done("fetch", "--retries", "1")
    assert attempts(hopeless) == before
    check_manifest(hopeless)


def test_five_runs_on_one_day_are_not_enough_nor_is_a_week_of_few_runs(hopeless: Scraper) -> None:
    left = unknown(hopeless)
    for _ in range(6):
        hopeless.done("fetch", "--retries", "1")
    assert hopeless.report()["resting"] == {}
    before = attempts(hopeless)
    hopeless.done("fetch", "--retries", "1")
    assert attempts(hopeless) == before + left


def test_the_report_says_what_rests_and_the_command_that_asks_again(hopeless: Scraper) -> None:
    for _ in range(4):
        hopeless.done("fetch", "--retries", "1")
    days_pass(hopeless, 8)
    out = hopeless.done("report").out
    assert "at rest" in out
    words = out.split("`scraper fetch --retry ", 1)[1].split("`", 1)[0]
    before = attempts(hopeless)
    hopeless.done("fetch", "--retries", "1", "--retry", words)
    assert attempts(hopeless) == before + unknown(hopeless)
    assert hopeless.report()["resting"] == {}
    check_manifest(hopeless)
