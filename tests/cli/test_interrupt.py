"""Stopping a run in every way, and going on. Times are bounds against a hang only."""

from __future__ import annotations

import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.command import Scraper, check, check_files, check_manifest, finish, until
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import Fate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.command import Process, Result
    from tests.nursery import Forked
    from tests.standin import Request, Wire

SOON = 60.0
"""Seconds: far more than the few that a stop may take, far less than the latency it cuts short."""
ENDLESS = 60.0
WANTED = 40
SAVED = "SELECT count(*) FROM images"


@pytest.fixture
def standin() -> Iterator[StandIn]:
    world = World.of(9, CLASSES, flickr=50, other=5, mix={Fate.ALIVE: 1})
    with StandIn(world, latency=0.15) as running:
        yield running


@pytest.fixture
def planned(tmp_path: Path, standin: StandIn) -> Scraper:
    scraper = Scraper(tmp_path, standin)
    scraper.done("plan", TENCH, CLOCK, "-n", str(WANTED))
    standin.reset_counts()
    return scraper


def started(scraper: Scraper) -> Forked:
    """A fetch that has saved some images but has not finished."""
    process = scraper.start("fetch", "--threads", "4")
    scraper.wait(SAVED, 4, process)
    return process


def stopped(process: Process, *signals: signal.Signals) -> Result:
    """How a run ends that is sent signals."""
    began = time.monotonic()
    for number in signals:
        process.send_signal(number)
        time.sleep(0.1)
    result = finish(process)
    assert time.monotonic() - began < SOON
    return result


def completes(scraper: Scraper, standin: StandIn) -> None:
    """Run again to the end; what was final is not asked for again."""
    final = dict(scraper.rows("SELECT url, tries FROM candidates WHERE state IN ('saved', 'lost')"))
    assert 4 <= len(final) < 2 * WANTED
    standin.latency = 0.0
    standin.reset_counts()
    scraper.done("fetch")
    assert sum(standin.count(url) for url in final) == 0
    assert scraper.rows("SELECT wnid, count(*) FROM images GROUP BY wnid") == [(TENCH, WANTED), (CLOCK, WANTED)]
    assert scraper.rows("SELECT exit_code FROM runs ORDER BY id DESC LIMIT 1") == [(0,)]
    for url, path in scraper.rows("SELECT url, path FROM images"):
        assert (scraper.images / path).read_bytes() == standin.world.photo_bytes(url)
    check(scraper)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_fetch_keeps_what_it_has_and_goes_on(
    planned: Scraper, standin: StandIn, number: signal.Signals
) -> None:
    process = started(planned)
    result = stopped(process, number)
    assert result.code == 130
    assert "run `scraper fetch` again to go on" in result.err.splitlines()[-1]
    assert planned.rows("SELECT exit_code FROM runs ORDER BY id DESC LIMIT 1") == [(130,)]
    check(planned)
    # What was under way had a moment to end, and was kept: no request was made for nothing.
    asked = Counter(seen.host + seen.path for seen in standin.requests)
    assert max(asked.values()) == 1
    assert planned.one("SELECT count(*) FROM attempts") == asked.total()
    completes(planned, standin)


def test_a_second_interrupt_does_not_wait(planned: Scraper, standin: StandIn) -> None:
    process = started(planned)
    standin.latency = ENDLESS
    time.sleep(0.5)
    result = stopped(process, signal.SIGINT, signal.SIGINT)
    assert result.code == 130
    check(planned)
    # Requests that were cut off by us say nothing of their photos.
    assert planned.one("SELECT count(*) FROM candidates WHERE state = 'lost'") == 0
    completes(planned, standin)


def test_a_killed_fetch_leaves_a_consistent_manifest_and_goes_on(planned: Scraper, standin: StandIn) -> None:
    for _ in range(3):
        before = planned.one(SAVED)
        process = planned.start("fetch", "--threads", "4")
        planned.wait(SAVED, before + 4, process)
        process.kill()
        process.communicate()
        check_manifest(planned)
        check_files(planned, strays=True)  # bytes come before their row
    assert planned.rows("SELECT exit_code, ended_at FROM runs WHERE command = 'fetch'") == [(None, None)] * 3
    completes(planned, standin)


def test_what_a_kill_left_without_a_row_does_not_stay(planned: Scraper, standin: StandIn) -> None:
    """Files whose rows were lost to a kill, of photos that have since gone; files of others stay."""

    async def gone(_: Request, wire: Wire) -> None:
        wire.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        await wire.flush()

    process = started(planned)
    with closing(sqlite3.connect(planned.manifest, isolation_level=None, timeout=30)) as other:
        other.execute("BEGIN IMMEDIATE")  # from now on nothing is recorded
        rows = {path for (path,) in other.execute("SELECT path FROM images")}
        until(lambda: len(list(planned.images.glob("n*/*"))) > len(rows), process)
        process.kill()
        process.communicate()
    named = {str(path.relative_to(planned.images)) for path in planned.images.glob("n*/*")}
    own = planned.images / TENCH / "labels.txt"
    own.write_text("mine")
    found = planned.done("verify", code=1)
    assert (
        f"\n1 in the classes' folders or for unfinished work that this manifest does not know:\n  {TENCH}/labels.txt\n"
        in found.out
    )
    assert "of a run that was cut short, which the next fetch removes:\n" in found.out
    assert named > rows
    for url in standin.world.urls():
        standin.script(url.split("/")[2], "*", gone)
    planned.done("fetch")
    assert {str(path.relative_to(planned.images)) for path in planned.images.glob("n*/*.*")} - rows == {
        f"{TENCH}/labels.txt"
    }
    check(planned, others={f"{TENCH}/labels.txt"})


def test_a_second_run_is_refused_and_a_report_is_not(planned: Scraper, standin: StandIn) -> None:
    process = started(planned)
    standin.latency = 1.0
    for words in (("fetch",), ("plan", TENCH)):
        result = planned.done(*words, code=3)
        assert f"process {process.pid}" in result.err
        assert result.err.count("\n") == 1
    totals = planned.report()["totals"]
    assert 4 <= totals["saved"] < 2 * WANTED == totals["wanted"]
    assert planned.one("SELECT count(*) FROM runs") == 2  # the refused ones are not on record
    assert stopped(process, signal.SIGINT).code == 130
    check(planned)
    completes(planned, standin)


def test_a_stopped_plan_goes_on(tmp_path: Path) -> None:
    wnids = [f"n000000{number:02d}" for number in range(12)]
    world = World.of(6, [(wnid, "") for wnid in wnids], flickr=20)
    with StandIn(world, latency=0.25) as standin:
        scraper = Scraper(tmp_path, standin)
        process = scraper.start("plan", *wnids, "--threads", "2")
        scraper.wait("SELECT count(*) FROM classes WHERE resolved_at IS NOT NULL", 3, process)
        result = stopped(process, signal.SIGINT)
        assert result.code == 130
        assert "run the same command again" in result.err.splitlines()[-1]
        resolved = [wnid for (wnid,) in scraper.rows("SELECT wnid FROM classes WHERE resolve_outcome = 'listed'")]
        assert 3 <= len(resolved) < len(wnids)
        standin.latency = 0.0
        standin.reset_counts()
        scraper.done("plan", *wnids)
        assert {seen.path.rpartition("=")[2] for seen in standin.requests} == set(wnids) - set(resolved)
        check_manifest(scraper)
