"""What the tests share: folders to run the command in, planned and fetched once and copied for each test."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.command import Scraper, finish
from tests.standin import Fate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from tests.command import Result

settings.register_profile("calm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("calm")  # how long an example takes says how busy the machine is
collect_ignore = [] if find_spec("mlcroissant") else ["readers"]  # `make test-readers` installs what they need
TENCH, CLOCK = "n01440764", "n02708093"
CLASSES = [(TENCH, "tench"), (CLOCK, "analog clock")]


@pytest.fixture
def scraper(tmp_path: Path) -> Scraper:
    """The command in an empty folder, led nowhere."""
    return Scraper(tmp_path)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraper]:
    """A folder after a whole plan and fetch of two classes, one of them short. Not to be changed: copy it.

    The lists are in its folder `lists`; its stand-in still runs.
    """
    folder = tmp_path_factory.mktemp("filled")
    mix = {Fate.ALIVE: 6.0, Fate.GONE_404: 2.0, Fate.PLACEHOLDER_REDIRECT: 1.0, Fate.FORBIDDEN: 1.0, Fate.HTML: 1.0}
    world = World.of(11, CLASSES, flickr=24, other=6, mix=mix)
    world.write_folder(folder / "lists")
    with StandIn(world) as standin:
        scraper = Scraper(folder, standin)
        names = [f"{label},{wnid}".encode() for wnid, label in CLASSES]
        scraper.done("plan", "-n", "10", "--source", "lists", stdin=names[0])
        scraper.done("plan", "-n", "30", "--source", "lists", stdin=names[1])
        scraper.done("fetch")
        yield scraper


@pytest.fixture
def copied(filled: Scraper, tmp_path: Path) -> Scraper:
    """A copy of the filled folder."""
    folder = tmp_path / "copy"
    shutil.copytree(filled.folder, folder)
    return Scraper(folder, filled.standin)


@dataclass(frozen=True, slots=True)
class Blocked:
    """A fetch whose host began to refuse everything in the middle. `result` is ready when it has given up."""

    scraper: Scraper
    standin: StandIn
    result: Future[Result]


@pytest.fixture(scope="session")
def blocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Blocked]:
    """Started with the first test and used by the last, since a fetch is patient for half a minute."""
    world = World.of(5, CLASSES, flickr=30, other=0, mix={Fate.ALIVE: 1})
    with StandIn(world, latency=0.2) as standin, ThreadPoolExecutor(1) as executor:
        scraper = Scraper(tmp_path_factory.mktemp("blocked"), standin)
        scraper.done("plan", *(wnid for wnid, _ in CLASSES), "-n", "20")
        process = scraper.start("fetch", "--threads", "4")
        scraper.wait("SELECT count(*) FROM images", 3, process)
        standin.blocked = True
        yield Blocked(scraper, standin, executor.submit(finish, process))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what waits for `blocked` at the end."""
    items.sort(key=lambda item: "blocked" in getattr(item, "fixturenames", ()))


@pytest.fixture(scope="session", autouse=True)
def _blocked_early(request: pytest.FixtureRequest) -> None:
    if any("blocked" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("blocked")
