"""Surveys, end to end: answers beside what was known, which changes nothing, and what they say of the lists."""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.command import Scraper, check
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.manifest.version1 import downgrade
from tests.standin import ClassSpec, Fate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standin import Request, Wire

MIX = {
    Fate.ALIVE: 5.0,
    Fate.GONE_404: 2.0,
    Fate.PLACEHOLDER_REDIRECT: 1.0,
    Fate.FORBIDDEN: 1.0,
    Fate.HTML: 1.0,
    Fate.MOVED: 1.0,
    Fate.OPTED_OUT: 1.0,
    Fate.ERROR_ALWAYS: 0.3,
}
DECIDED = "SELECT id, outcome FROM candidates WHERE tries > 0 AND state IN ('saved', 'lost')"
CANDIDATES = "SELECT * FROM candidates ORDER BY id"
SAMPLED = "SELECT candidate_id FROM rechecks WHERE run_id = ? ORDER BY candidate_id"
LAST = "SELECT max(id) FROM runs WHERE command = 'survey'"


@pytest.fixture
def fetched(tmp_path: Path) -> Iterator[Scraper]:
    """A small world after a whole fetch."""
    world = World.of(13, CLASSES, flickr=30, other=0, mix=MIX)
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "100")
        scraper.done("fetch", "--retries", "1")
        standin.reset_counts()
        yield scraper


async def not_found(_request: Request, wire: Wire) -> None:
    """A photo that has died."""
    wire.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    await wire.flush()


async def unavailable(_request: Request, wire: Wire) -> None:
    """A host that is in trouble."""
    wire.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
    await wire.flush()


def standin_of(scraper: Scraper) -> StandIn:
    assert scraper.standin is not None
    return scraper.standin


def images(scraper: Scraper) -> dict[str, str]:
    return {name: digest for name, digest in scraper.snapshot().items() if name.startswith("images")}


def script(scraper: Scraper, url: str, handler: Any) -> None:
    """Let the URL be answered otherwise from now on."""
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    standin_of(scraper).script(parts.hostname or "", path, handler)


def test_a_wave_is_beside_what_was_known(fetched: Scraper) -> None:
    before, files, attempts = fetched.rows(CANDIDATES), images(fetched), fetched.rows("SELECT * FROM attempts")
    counts = [fetched.rows(f"SELECT * FROM {name}") for name in ("class_outcomes", "host_outcomes", "statuses")]  # noqa: S608 - our own names
    decided = dict(fetched.rows(DECIDED))
    assert len(set(decided.values())) == 6
    result = fetched.done("survey", "--of", "answered")
    rows = fetched.rows("SELECT candidate_id, outcome_before, outcome, status, seconds, error FROM rechecks")
    assert {number: was for number, was, *_ in rows} == decided
    assert len(rows) == len(decided)
    assert [row for row in rows if row[1] != row[2]] == []  # nothing has happened meanwhile
    assert all(seconds > 0 for *_, seconds, _ in rows)
    assert {status for _, _, outcome, status, *_ in rows if outcome == "gone"} == {404}
    assert {status for _, _, outcome, status, *_ in rows if outcome == "saved"} <= {200, 206}
    assert f"{len(rows)} URLs of {len(rows)} answered asked; survey " in result.out
    # It asked for each once, for no more than a part, and kept nothing.
    urls = [url for (url,) in fetched.rows("SELECT url FROM candidates JOIN rechecks ON candidate_id = candidates.id")]
    standin = standin_of(fetched)
    assert {standin.count(url) for url in urls} == {1}
    assert fetched.rows(CANDIDATES) == before
    assert images(fetched) == files
    assert fetched.rows("SELECT * FROM attempts") == attempts
    assert counts == [fetched.rows(f"SELECT * FROM {name}") for name in ("class_outcomes", "host_outcomes", "statuses")]  # noqa: S608 - our own names
    assert fetched.rows("SELECT command, exit_code FROM runs ORDER BY id DESC LIMIT 1") == [("survey", 0)]
    check(fetched)


def test_a_photo_that_died_since_shows(fetched: Scraper) -> None:
    (dead, dead_url), (troubled, troubled_url) = fetched.rows("SELECT candidate_id, url FROM images LIMIT 2")
    script(fetched, dead_url, not_found)
    script(fetched, troubled_url, unavailable)
    before = fetched.rows(CANDIDATES)
    result = fetched.done("survey", "--of", "answered")
    assert "  a picture, now gone: 1\n" in result.out
    changed = "SELECT candidate_id, outcome_before, outcome, status FROM rechecks WHERE outcome <> outcome_before"
    assert sorted(fetched.rows(changed)) == sorted(
        [(dead, "saved", "gone", 404), (troubled, "saved", "server_error", 503)]
    )
    assert standin_of(fetched).count(troubled_url) == 3  # unknown is tried again before it is put down
    assert fetched.rows(CANDIDATES) == before
    assert fetched.rows("SELECT outcome FROM candidates WHERE id = ?", dead) == [("saved",)]
    # Both waves are in the report, in the order of their runs.
    fetched.done("survey", "--of", "answered", "--outcomes", "gone")
    waves = fetched.report()["waves"]
    first, second = sorted({wave["run_id"] for wave in waves})
    found = {(wave["run_id"], wave["outcome_before"], wave["outcome"]): wave["candidates"] for wave in waves}
    saved = fetched.one("SELECT count(*) FROM images")
    assert found[first, "saved", "gone"] == found[first, "saved", "server_error"] == 1
    assert found[first, "saved", "saved"] == saved - 2
    gone = fetched.one("SELECT count(*) FROM candidates WHERE outcome = 'gone'")
    assert {key: count for key, count in found.items() if key[0] == second} == {(second, "gone", "gone"): gone}
    assert all(wave["began_at"] <= wave["ended_at"] for wave in waves)
    check(fetched)


def test_a_photo_that_is_back_shows(fetched: Scraper) -> None:
    """And one of which the first bytes are a page is no picture."""
    (url,) = fetched.rows("SELECT url FROM candidates WHERE outcome = 'gone' LIMIT 1")[0]
    body = standin_of(fetched).world.photo_bytes(url)

    async def alive(_request: Request, wire: Wire) -> None:
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await wire.flush()

    script(fetched, url, alive)
    fetched.done("survey", "--of", "answered", "--outcomes", "gone,not_image")
    found = fetched.rows("SELECT outcome_before, outcome, count(*) FROM rechecks GROUP BY 1, 2")
    known = Counter(outcome for _, outcome in fetched.rows(DECIDED))
    assert found == [
        ("gone", "gone", known["gone"] - 1),
        ("gone", "saved", 1),
        ("not_image", "not_image", known["not_image"]),
    ]
    assert fetched.rows("SELECT state FROM candidates WHERE url = ?", url) == [("lost",)]


def test_sample_outcomes_and_seed(fetched: Scraper) -> None:
    samples = []
    for words in (("--seed", "a"), ("--seed", "a"), ("--seed", "b")):
        fetched.done("survey", "--of", "answered", "--sample", "9", *words)
        samples.append(fetched.rows(SAMPLED, fetched.one(LAST)))
    assert samples[0] == samples[1] != samples[2]
    assert [len(set(sample)) for sample in samples] == [9, 9, 9]
    fetched.done("survey", "--of", "answered", "--sample", "5", "--outcomes", "gone,placeholder")
    rows = fetched.rows("SELECT outcome_before FROM rechecks WHERE run_id = ?", fetched.one(LAST))
    assert len(rows) == 5
    assert set(rows) <= {("gone",), ("placeholder",)}
    fetched.done("survey", "--of", "answered", "--sample", "100000", "--outcomes", "forbidden")  # more than there are
    rows = fetched.rows("SELECT DISTINCT outcome_before FROM rechecks WHERE run_id = ?", fetched.one(LAST))
    assert rows == [("forbidden",)]


def test_bad_input_changes_nothing(copied: Scraper) -> None:
    before = copied.snapshot()
    says = {
        "--sample 0": "--sample must be from 1",
        "--sample x": "--sample must be a whole number, not 'x'",
        "--until 0": "--until must be 0.001 to 0.5, not 0",
        "--until wide": "--until must be ",
        "--of dead": "--of must be ",
        "--outcomes gone": "--outcomes is for URLs that were answered: give --of answered too",
        "--of answered --outcomes throttled": "throttled",
        "--of answered --outcomes blocked": "blocked",
        "--of answered --outcomes dead": "--outcomes must be one of ",
        "--of answered --outcomes opted_out": "there is nothing to ask again",
        "--threads 0": "--threads must be from 1",
    }
    for words, message in says.items():
        result = copied.done("survey", *words.split(), code=2)
        assert result.err.startswith("scraper: error: ")
        assert message in result.err
        assert result.err.count("\n") == 1
    assert copied.snapshot() == before


def test_before_any_fetch(tmp_path: Path) -> None:
    scraper = Scraper(tmp_path)
    scraper.done("survey", code=3)  # before plan
    assert scraper.snapshot() == {}
    World.of(13, CLASSES, flickr=5).write_folder(tmp_path / "lists")
    scraper.done("plan", TENCH, "--source", "lists")
    before = scraper.snapshot()
    result = scraper.done("survey", "--of", "answered", code=2)
    assert "there is nothing to ask again" in result.err
    assert scraper.snapshot() == before
    assert scraper.one("SELECT count(*) FROM runs") == 1


# --- of all that is listed -------------------------------------------------------------------------------------------

DEAD = {Fate.GONE_404, Fate.GONE_410, Fate.PLACEHOLDER_REDIRECT, Fate.PLACEHOLDER_DIRECT}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, World]:
    """Twenty classes of different lengths, planned; a few images of each were fetched. Not to be changed: copy it."""
    mixes = ({Fate.ALIVE: 0.8, Fate.GONE_404: 0.2}, {Fate.ALIVE: 0.3, Fate.GONE_404: 0.6, Fate.HTML: 0.1})
    classes = [
        ClassSpec(f"n{n:08d}", f"class {n}", flickr=20 * (1 + n % 4), other=0, mix=mixes[n % 2]) for n in range(1, 21)
    ]
    world, folder = World(6, classes), tmp_path_factory.mktemp("large")
    with StandIn(world) as standin:
        scraper = Scraper(folder, standin)
        scraper.done("plan", *world.classes, "-n", "3")
        scraper.done("fetch")
    return folder, world


@pytest.fixture
def planned(large: tuple[Path, World], tmp_path: Path) -> Iterator[Scraper]:
    """A copy of its folder, before a stand-in of its own."""
    shutil.copytree(large[0], tmp_path / "copy")
    with StandIn(large[1]) as standin:
        yield Scraper(tmp_path / "copy", standin)


def truth(world: World) -> float:
    """The share of dead URLs in all lists."""
    fates = [world.fate(url) for url in world.urls()]
    return sum(fate in DEAD for fate in fates) / len(fates)


def test_a_survey_tells_the_share_of_the_lists_and_keeps_nothing(planned: Scraper, large: tuple[Path, World]) -> None:
    before, files = planned.rows(CANDIDATES), images(planned)
    report = planned.report()
    result = planned.done("survey", "--sample", "300", "--seed", "1")
    (row,) = planned.report()["surveys"]
    total = planned.one("SELECT count(*) FROM candidates")
    assert f"300 URLs of {total:,} listed asked; survey {row['run_id']} in " in result.out
    assert (row["of"], row["urls"], row["asked"], row["decided"], row["classes"]) == ("listed", total, 300, 300, 20)
    assert row["low"] < truth(large[1]) < row["high"]
    assert row["low"] <= row["rate"] <= row["high"]
    assert row["high"] - row["low"] < 0.12
    assert f"{row['rate']:.1%} of the URLs of the lists are dead (95 % interval {row['low']:.1%} to " in result.out
    sql = "SELECT wnid, url, outcome_before FROM rechecks JOIN candidates ON candidates.id = candidate_id"
    asked = planned.rows(sql)
    assert {standin_of(planned).count(url) for _, url, _ in asked} == {1}
    assert {outcome for *_, outcome in asked} == {None, "saved", "gone", "not_image"}
    # Each class by the length of its list, one more or less.
    for wnid, length in planned.rows("SELECT wnid, candidates FROM classes"):
        assert abs(sum(row[0] == wnid for row in asked) - 300 * length / total) < 2
    # Nothing counts twice: candidates, images and all other numbers of the report are as they were.
    assert planned.rows(CANDIDATES) == before
    assert images(planned) == files
    new = ("generated_at", "surveys", "transitions", "waves")
    assert {**planned.report(), **dict.fromkeys(new)} == {**report, **dict.fromkeys(new)}
    check(planned)
    told = planned.rows("SELECT frame, urls, seed, sample, until FROM surveys")
    assert told == [("listed", total, "1", 300, None)]


def test_a_picture_seen_alive_is_fetched_when_it_is_wanted(planned: Scraper) -> None:
    planned.done("survey", "--sample", "600")
    alive = planned.rows(
        "SELECT candidate_id FROM rechecks WHERE outcome_before IS NULL AND outcome = 'saved' ORDER BY candidate_id"
    )
    assert len(alive) > 100
    states = dict(planned.rows("SELECT id, state FROM candidates"))
    assert {states[number] for (number,) in alive} == {"waiting"}
    planned.done("plan", *(wnid for (wnid,) in planned.rows("SELECT wnid FROM classes")), "-n", "9")
    planned.done("fetch")
    assert planned.one("SELECT count(*) FROM images") > 9 * 15
    check(planned)


def test_until_goes_on_to_the_width_and_no_further(planned: Scraper, large: tuple[Path, World]) -> None:
    planned.done("survey", "--until", "0.05", "--seed", "2")
    few = planned.done("survey", "--until", "0.05", "--sample", "120", "--seed", "2").out
    assert re.search(r"\nhalf of the interval is 0\.\d{3}, wider than --until 0\.05: raise --sample\n", few)
    assert "--until" not in planned.done("survey", "--until", "0.001", "--seed", "3").out
    wide, small, census = planned.report()["surveys"]
    total = planned.one("SELECT count(*) FROM candidates")
    assert (wide["high"] - wide["low"]) / 2 <= 0.05
    assert 100 <= wide["asked"] < 500
    assert small["asked"] == 120
    assert census["asked"] == census["urls"] == total
    assert census["rate"] == census["low"] == census["high"] == pytest.approx(truth(large[1]), abs=1e-6)
    told = planned.rows("SELECT sample, until FROM surveys ORDER BY run_id")
    assert told == [(None, 0.05), (120, 0.05), (None, 0.001)]
    # A seed draws the same sample, of which a smaller one is the beginning.
    first, second, _ = ({row[0] for row in planned.rows(SAMPLED, run["run_id"])} for run in (wide, small, census))
    assert second <= first


def test_what_stays_unknown_widens_the_bounds(planned: Scraper) -> None:
    for (url,) in planned.rows("SELECT url FROM candidates WHERE id % 5 = 0 ORDER BY id LIMIT 40"):
        script(planned, url, unavailable)
    result = planned.done("survey", "--sample", "1000", "--threads", "32")
    (row,) = planned.report()["surveys"]
    unknown = row["unknown"]
    assert 40 <= unknown < 60  # an honest refusal that comes among those of a host in trouble says nothing either
    assert row["low_if_unknown_alive"] < row["low"] < row["high"] < row["high_if_unknown_dead"]
    assert f"were all {unknown} that are unknown alive, or all dead: from " in result.out


def test_changes_between_surveys_are_told_with_intervals(planned: Scraper) -> None:
    planned.done("survey", "--sample", "1000", "--threads", "32")
    assert {row["urls"] for row in planned.report()["transitions"]} == {0}
    asked = "SELECT url FROM candidates JOIN rechecks ON candidate_id = candidates.id WHERE rechecks.outcome = ?"
    alive, gone = planned.rows(asked, "saved"), planned.rows(asked, "gone")
    died, risen = [url for (url,) in alive[::7]], gone[0][0]
    for url in died:
        script(planned, url, not_found)
    body = standin_of(planned).world.photo_bytes(risen)

    async def back(_request: Request, wire: Wire) -> None:
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await wire.flush()

    script(planned, risen, back)
    planned.done("survey", "--sample", "1000", "--threads", "32")
    planned.done("survey", "--of", "answered", "--threads", "32")
    found = planned.report()
    second = found["surveys"][1]["run_id"]
    moves = {(row["run_id"], row["before"], row["now"]): row for row in found["transitions"]}
    lost, back_again = moves[second, "alive", "dead"], moves[second, "dead", "alive"]
    assert (lost["urls"], lost["asked"]) == (len(died), len(alive))
    assert lost["low"] < len(died) / len(alive) < lost["high"]
    assert (back_again["urls"], back_again["asked"]) == (1, len(gone))
    assert back_again["low"] >= 0
    # The third survey knows what the second has found, not what the fetch had: nothing has changed since.
    third = found["surveys"][2]["run_id"]
    assert {row["urls"] for key, row in moves.items() if key[0] == third} == {0}
    for form in ("text", "html"):
        assert "Changes since URLs were asked before" in planned.done("report", "--format", form).out
    assert "Surveys" in planned.done("report").out


def test_recheck_is_refused_with_what_to_type(copied: Scraper) -> None:
    before = copied.snapshot()
    result = copied.done("recheck", "--sample", "9", code=2)
    assert result.err == (
        "scraper: error: recheck is part of survey now: `scraper survey --of answered` does what it did\n"
    )
    assert copied.snapshot() == before


def test_waves_of_recheck_stay_readable(fetched: Scraper) -> None:
    """A manifest of version 1 with a wave in it, which did not say from how many URLs it was drawn."""
    fetched.done("survey", "--of", "answered", "--sample", "20", "--seed", "1")
    told = fetched.report()
    downgrade(fetched.manifest)
    with closing(sqlite3.connect(fetched.manifest)) as database, database:
        database.execute("UPDATE runs SET command = 'recheck' WHERE command = 'survey'")
    old = fetched.report()
    assert old["waves"] == told["waves"]
    (row,), (new,) = old["surveys"], told["surveys"]
    assert (row["of"], row["urls"], row["asked"], row["rate"]) == ("answered", None, 20, new["rate"])
    assert row["low"] < row["rate"] < row["high"]


def test_a_survey_before_any_fetch(tmp_path: Path) -> None:
    world = World.of(13, CLASSES, flickr=30, other=0, mix={Fate.ALIVE: 1, Fate.GONE_404: 1})
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, CLOCK)
        result = scraper.done("survey")
        assert "60 URLs of 60 listed asked" in result.out
        assert "not asked before, now a picture: " in result.out
        (row,) = scraper.report()["surveys"]
        assert row["rate"] == pytest.approx(truth(world), abs=1e-6)
        scraper.done("fetch")
        check(scraper)


def test_a_list_without_urls_is_nothing_to_ask(tmp_path: Path) -> None:
    World.of(13, CLASSES, flickr=0).write_folder(tmp_path / "lists")
    scraper = Scraper(tmp_path)
    scraper.run("plan", TENCH, "--source", "lists")
    before = scraper.snapshot()
    assert "there is nothing to ask: no class has a list with URLs in it" in scraper.done("survey", code=2).err
    assert scraper.snapshot() == before


def test_what_was_withdrawn_is_not_asked(planned: Scraper) -> None:
    (path, url), (never,) = (
        planned.rows("SELECT path, url FROM images LIMIT 1")[0],
        planned.rows("SELECT url FROM candidates WHERE tries = 0 LIMIT 1")[0],
    )
    planned.done("forget", path, never)
    standin_of(planned).reset_counts()
    planned.done("survey", "--sample", "5000")
    planned.done("survey", "--of", "answered")
    assert (standin_of(planned).count(url), standin_of(planned).count(never)) == (0, 0)
    assert (
        planned.one("SELECT count(*) FROM rechecks JOIN candidates ON candidates.id = candidate_id WHERE url = ?", url)
        == 0
    )
