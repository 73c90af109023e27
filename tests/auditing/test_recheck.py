"""Asking again, end to end: waves beside what was known, which changes nothing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.command import Scraper, check
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import Fate, StandIn, World

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
LAST = "SELECT max(id) FROM runs WHERE command = 'recheck'"


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
    result = fetched.done("recheck")
    rows = fetched.rows("SELECT candidate_id, outcome_before, outcome, status, seconds, error FROM rechecks")
    assert {number: was for number, was, *_ in rows} == decided
    assert len(rows) == len(decided)
    assert [row for row in rows if row[1] != row[2]] == []  # nothing has happened meanwhile
    assert all(seconds > 0 for *_, seconds, _ in rows)
    assert {status for _, _, outcome, status, *_ in rows if outcome == "gone"} == {404}
    assert {status for _, _, outcome, status, *_ in rows if outcome == "saved"} <= {200, 206}
    assert f"{len(rows)} URLs asked again" in result.out
    # It asked for each once, for no more than a part, and kept nothing.
    urls = [url for (url,) in fetched.rows("SELECT url FROM candidates JOIN rechecks ON candidate_id = candidates.id")]
    standin = standin_of(fetched)
    assert {standin.count(url) for url in urls} == {1}
    assert fetched.rows(CANDIDATES) == before
    assert images(fetched) == files
    assert fetched.rows("SELECT * FROM attempts") == attempts
    assert counts == [fetched.rows(f"SELECT * FROM {name}") for name in ("class_outcomes", "host_outcomes", "statuses")]  # noqa: S608 - our own names
    assert fetched.rows("SELECT command, exit_code FROM runs ORDER BY id DESC LIMIT 1") == [("recheck", 0)]
    check(fetched)


def test_a_photo_that_died_since_shows(fetched: Scraper) -> None:
    (dead, dead_url), (troubled, troubled_url) = fetched.rows("SELECT candidate_id, url FROM images LIMIT 2")
    script(fetched, dead_url, not_found)
    script(fetched, troubled_url, unavailable)
    before = fetched.rows(CANDIDATES)
    result = fetched.done("recheck")
    assert "  a picture, now gone: 1\n" in result.out
    changed = "SELECT candidate_id, outcome_before, outcome, status FROM rechecks WHERE outcome <> outcome_before"
    assert sorted(fetched.rows(changed)) == sorted(
        [(dead, "saved", "gone", 404), (troubled, "saved", "server_error", 503)]
    )
    assert standin_of(fetched).count(troubled_url) == 3  # unknown is tried again before it is put down
    assert fetched.rows(CANDIDATES) == before
    assert fetched.rows("SELECT outcome FROM candidates WHERE id = ?", dead) == [("saved",)]
    # Both waves are in the report, in the order of their runs.
    fetched.done("recheck", "--outcomes", "gone")
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
    fetched.done("recheck", "--outcomes", "gone,not_image")
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
        fetched.done("recheck", "--sample", "9", *words)
        samples.append(fetched.rows(SAMPLED, fetched.one(LAST)))
    assert samples[0] == samples[1] != samples[2]
    assert [len(set(sample)) for sample in samples] == [9, 9, 9]
    fetched.done("recheck", "--sample", "5", "--outcomes", "gone,placeholder")
    rows = fetched.rows("SELECT outcome_before FROM rechecks WHERE run_id = ?", fetched.one(LAST))
    assert len(rows) == 5
    assert set(rows) <= {("gone",), ("placeholder",)}
    fetched.done("recheck", "--sample", "100000", "--outcomes", "forbidden")  # more than there are
    rows = fetched.rows("SELECT DISTINCT outcome_before FROM rechecks WHERE run_id = ?", fetched.one(LAST))
    assert rows == [("forbidden",)]


def test_bad_input_changes_nothing(copied: Scraper) -> None:
    before = copied.snapshot()
    says = {
        "--sample 0": "--sample must be from 1",
        "--sample x": "--sample must be a whole number, not 'x'",
        "--outcomes throttled": "--outcomes cannot be throttled, which is no answer about a photo",
        "--outcomes blocked": "--outcomes cannot be blocked, which is no answer about a photo",
        "--outcomes dead": "--outcomes must be one of ",
        "--outcomes opted_out": "there is nothing to ask again",
        "--threads 0": "--threads must be from 1",
    }
    for words, message in says.items():
        result = copied.done("recheck", *words.split(), code=2)
        assert result.err.startswith("scraper: error: ")
        assert message in result.err
        assert result.err.count("\n") == 1
    assert copied.snapshot() == before


def test_before_any_fetch(tmp_path: Path) -> None:
    scraper = Scraper(tmp_path)
    scraper.done("recheck", code=3)  # before plan
    assert scraper.snapshot() == {}
    World.of(13, CLASSES, flickr=5).write_folder(tmp_path / "lists")
    scraper.done("plan", TENCH, "--source", "lists")
    before = scraper.snapshot()
    result = scraper.done("recheck", code=2)
    assert "there is nothing to ask again" in result.err
    assert scraper.snapshot() == before
    assert scraper.one("SELECT count(*) FROM runs") == 1
