"""A thousand classes with every behaviour the stand-in has; what must become of each candidate is worked out here.

The expectation is independent of the code under test: it comes from the stand-in's table of fates, from the bytes it
serves, and from the rule that a class uses its list in order until it has its n images.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.command import Scraper, check_files, check_manifest
from tests.standin import DEFAULT_MIX, Fate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST = Path(__file__).resolve().parent.parent / "manifests" / "ilsvrc2012.csv"
URLS = 8
"""Flickr URLs of a class."""
WHOLE_LIST, PART = 20, 3
"""Images wanted of the first half of the classes, more than any has, and of the second half."""
PASSING = {Fate.THROTTLED_ONCE, Fate.ERROR_ONCE, Fate.CUT_ONCE, Fate.THROTTLED_ALWAYS, Fate.ERROR_ALWAYS}
PASSING |= {Fate.CUT_ALWAYS, Fate.RESET_ALWAYS}
"""Fates under which a candidate waits for its retry while a later one may take its place."""
KINDS = {"saved": "saved", "throttled": "unknown", "server_error": "unknown", "connection_error": "unknown"}
KINDS["redirect_error"] = "unknown"


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scraper, World]]:
    names = [line.rpartition(",") for line in LIST.read_text(encoding="utf-8").splitlines()]
    world = World.of(2012, [(wnid, label) for label, _, wnid in names], flickr=URLS, other=2, mix=DEFAULT_MIX)
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path_factory.mktemp("world"), standin)
        lines = LIST.read_bytes().splitlines(keepends=True)
        scraper.done("plan", "-n", str(WHOLE_LIST), "--threads", "16", stdin=b"".join(lines[:500]))
        scraper.done("plan", "-n", str(PART), "--threads", "16", stdin=b"".join(lines[500:]))
        scraper.done("fetch")
        yield scraper, world


@pytest.fixture(scope="module")
def rows(fetched: tuple[Scraper, World]) -> dict[str, list[tuple[Any, ...]]]:
    """The candidates of each class in rank order: url, state, outcome, tries."""
    found = defaultdict(list)
    for wnid, *row in fetched[0].rows("SELECT wnid, url, state, outcome, tries FROM candidates ORDER BY id"):
        found[wnid].append(tuple(row))
    return found


def expected(world: World, wnid: str, digests: dict[str, set[str]]) -> list[str]:
    """What each URL of a class must be answered with if all are asked for."""

    @cache
    def digest(url: str) -> str:
        return hashlib.sha256(world.photo_bytes(url)).hexdigest()

    seen = set()
    outcomes = []
    for url in world.flickr_urls(wnid):
        outcome = "saved" if world.fate(url) is Fate.SAME_BYTES else world.expected(url).outcome
        if outcome == "saved":
            if len(digests[digest(url)]) >= 3:
                outcome = "placeholder"
            elif digest(url) in seen:
                outcome = "duplicate"
            seen.add(digest(url))
        outcomes.append(outcome)
    return outcomes


@pytest.fixture(scope="module")
def digests(fetched: tuple[Scraper, World]) -> dict[str, set[str]]:
    """The URLs that each photo's bytes are served at."""
    _, world = fetched
    found = defaultdict(set)
    for url in world.urls():
        if world.fate(url) is Fate.SAME_BYTES or world.expected(url).outcome == "saved":
            found[hashlib.sha256(world.photo_bytes(url)).hexdigest()].add(url)
    return found


def test_the_world_has_every_behaviour(fetched: tuple[Scraper, World]) -> None:
    _, world = fetched
    assert len(world.classes) == 1000
    assert {world.fate(url) for url in world.urls()} == {fate for fate, share in DEFAULT_MIX.items() if share}


def test_every_url_listed_is_a_candidate_in_its_order(
    fetched: tuple[Scraper, World], rows: dict[str, list[tuple[Any, ...]]]
) -> None:
    _, world = fetched
    assert {wnid: tuple(row[0] for row in found) for wnid, found in rows.items()} == {
        wnid: world.flickr_urls(wnid) for wnid in world.classes
    }


def test_every_candidate_of_a_list_used_up_ends_as_it_must(
    fetched: tuple[Scraper, World], rows: dict[str, list[tuple[Any, ...]]], digests: dict[str, set[str]]
) -> None:
    _, world = fetched
    wrong = {}
    for wnid in list(world.classes)[:500]:
        outcomes = expected(world, wnid, digests)
        states = [KINDS.get(outcome, "lost") for outcome in outcomes]
        found = [(state, outcome) for _, state, outcome, _ in rows[wnid]]
        if Counter(found) != Counter(zip(states, outcomes, strict=True)):
            wrong[wnid] = (found, outcomes)
        # Of two URLs with the same bytes the one that was answered later is the duplicate.
        for have, want in zip(found, zip(states, outcomes, strict=True), strict=True):
            if have != want and {have[1], want[1]} != {"saved", "duplicate"}:
                wrong[wnid] = (found, outcomes)
    assert wrong == {}


def test_a_class_with_enough_live_photos_has_exactly_n_and_asked_for_no_more(
    fetched: tuple[Scraper, World], rows: dict[str, list[tuple[Any, ...]]], digests: dict[str, set[str]]
) -> None:
    _, world = fetched
    wrong = {}
    plain = 0
    for wnid in list(world.classes)[500:]:
        outcomes = expected(world, wnid, digests)
        urls = world.flickr_urls(wnid)
        asked = [tries > 0 for *_, tries in rows[wnid]]
        saved = sum(state == "saved" for _, state, *_ in rows[wnid])
        live = outcomes.count("saved")
        if saved != min(PART, live):
            wrong[wnid] = (rows[wnid], outcomes)
        if not PASSING & {world.fate(url) for url in urls} and not {"duplicate", "placeholder"} & set(outcomes):
            plain += 1
            places = [place for place, outcome in enumerate(outcomes) if outcome == "saved"]
            last = places[PART - 1] if live >= PART else len(outcomes) - 1
            if asked != [place <= last for place in range(len(outcomes))]:
                wrong[wnid] = (asked, outcomes)
    assert wrong == {}
    assert plain > 100


def test_the_manifest_and_the_files_agree_with_it(fetched: tuple[Scraper, World]) -> None:
    scraper, world = fetched
    check_manifest(scraper)
    check_files(scraper)
    for path, url in scraper.rows("SELECT path, url FROM images"):
        assert (scraper.images / path).read_bytes() == world.photo_bytes(url)


def test_the_report_counts_what_was_expected(
    fetched: tuple[Scraper, World], rows: dict[str, list[tuple[Any, ...]]]
) -> None:
    scraper, world = fetched
    report = scraper.report()
    outcomes = Counter(outcome for found in rows.values() for _, _, outcome, _ in found if outcome)
    assert report["outcomes"] == dict(outcomes)
    rot = report["link_rot"]
    decided = outcomes.total() - rot["unknown"]
    assert (rot["decided"], rot["dead"]) == (decided, outcomes["gone"] + outcomes["placeholder"])
    for weighting in ("class", "url"):
        (rate,) = [row for row in report["estimates"] if (row["of"], row["weighting"]) == ("dead", weighting)]
        urls = [world.expected(url).outcome for wnid in rows for url in world.flickr_urls(wnid)]
        truth = sum(outcome in {"gone", "placeholder"} for outcome in urls) / len(urls)
        assert rate["low"] < truth < rate["high"]
        assert rate["high"] - rate["low"] < 0.04
