"""What is under way when a plan or a survey ends early has been asked for: its answers are on record too."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest

from scraper.planning.sources.doubts import ENOUGH
from tests.command import Scraper, finish, until
from tests.standin import Fate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standin import Request, Wire

IMAGENET: Final = "www.image-net.org"
CLASSES: Final = [(f"n{number:08d}", f"class {number}") for number in range(100, 160)]
THREADS: Final = 4
APART: Final = 0.1
"""Seconds between answers that come when nobody asks any more: time enough to miss all but the first."""


@dataclass(slots=True)
class Slow:
    """A host that answers its first `THREADS` requests when it is let, one after the other, and others with 404."""

    let: int
    asked: list[str] = field(default_factory=list)
    told: bool = False

    async def __call__(self, request: Request, wire: Wire) -> None:
        self.asked.append(request.path.rpartition("=")[2])
        place = len(self.asked)
        if place > self.let:
            wire.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return
        while not self.told and len(self.asked) < ENOUGH + self.let:  # noqa: ASYNC110 - told from another thread
            await asyncio.sleep(0.01)
        await asyncio.sleep(place * APART)
        body = f"http://static.flickr.com/1/{self.asked[place - 1][1:]}_ab.jpg".encode()
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn(World.of(61, CLASSES, flickr=4, other=0, mix={Fate.ALIVE: 1})) as running:
        yield running


@pytest.fixture
def scraper(tmp_path: Path, standin: StandIn) -> Scraper:
    return Scraper(tmp_path, standin)


def listed(scraper: Scraper) -> list[str]:
    return [wnid for (wnid,) in scraper.rows("SELECT wnid FROM classes WHERE resolve_outcome = 'listed'")]


def test_a_list_that_comes_when_the_api_was_given_up_is_kept(scraper: Scraper, standin: StandIn) -> None:
    slow = Slow(let=1)
    standin.script(IMAGENET, "*", slow)
    scraper.done("plan", *(wnid for wnid, _ in CLASSES), "--threads", str(THREADS), code=4)
    assert listed(scraper) == [slow.asked[0]]
    assert scraper.one("SELECT count(*) FROM listings") == len(slow.asked) < len(CLASSES)


def test_lists_under_way_are_kept_when_a_plan_is_interrupted(scraper: Scraper, standin: StandIn) -> None:
    slow = Slow(let=THREADS)
    standin.script(IMAGENET, "*", slow)
    process = scraper.start("plan", *(wnid for wnid, _ in CLASSES), "--threads", str(THREADS))
    until(lambda: len(slow.asked) == THREADS, process)
    os.kill(process.pid, signal.SIGINT)
    slow.told = True
    assert finish(process).code == 130
    assert set(slow.asked[:THREADS]) <= set(listed(scraper))
    assert scraper.one("SELECT count(*) FROM listings") == len(slow.asked)


def test_answers_under_way_are_kept_when_a_survey_is_interrupted(scraper: Scraper, standin: StandIn) -> None:
    scraper.done("plan", *(wnid for wnid, _ in CLASSES))
    slow = Slow(let=THREADS)
    for host in {urlsplit(url).hostname or "" for url in standin.world.urls()}:
        standin.script(host, "*", slow)
    process = scraper.start("survey", "--threads", str(THREADS))
    until(lambda: len(slow.asked) == THREADS, process)
    os.kill(process.pid, signal.SIGINT)
    slow.told = True
    assert finish(process).code == 130
    assert scraper.one("SELECT count(*) FROM rechecks") == len(slow.asked) < 4 * len(CLASSES)
