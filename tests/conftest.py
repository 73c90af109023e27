"""What the tests share: folders to run the command in, planned and fetched once and copied for each test."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.command import Scraper
from tests.standin import Fate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


# Commands are to write as they do for users, whose Python buffers what goes to a pipe or a file.
os.environ.pop("PYTHONUNBUFFERED", None)
settings.register_profile("calm", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("calm")  # how long an example takes says how busy the machine is
collect_ignore = [] if find_spec("mlcroissant") else ["readers"]  # `make test-readers` installs what they need
TENCH, CLOCK = "n01440764", "n02708093"
CLASSES = [(TENCH, "tench"), (CLOCK, "analog clock")]
LONG = (
    "test_torture.py",
    "manifest/test_doctored.py",
    "auditing/test_survey_intercepted.py",
    "manifest/test_migration.py",
    "planning/test_hostile_lists.py",
    "fetching/test_limits.py",
    "fetching/test_bombs.py",
    "web/test_hostile_bounds.py",
    "files/test_sharing.py",
    "test_world.py",
    "fetching/test_fetch.py",
    "manifest/test_fuzzing.py",
)
"""Files with a test or a fixture that takes ten seconds and more."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:  # noqa: ARG001 - called by names
    """Twice as many workers as cores, since a good part of the tests waits: for hosts that refuse, above all."""
    return 2 * len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2 * (os.cpu_count() or 1)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the long tests first in the share of each worker: begun last, the other workers would wait for them."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    turns = {config.rootpath / "tests" / name: number % workers for number, name in enumerate(LONG)}
    rest = [item for item in items if item.path not in turns]
    ordered: list[pytest.Item] = []
    for worker in range(workers):
        head = [item for item in items if turns.get(item.path) == worker]
        # As xdist deals: an even part of what is left.
        room = (len(items) - len(ordered)) // (workers - worker) - len(head)
        ordered += head + rest[: max(0, room)]
        del rest[: max(0, room)]
    items[:] = ordered + rest


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
    # A seed by which no three pages or refusals stand close together: what is answered alike in a row is in doubt.
    world = World.of(97, CLASSES, flickr=24, other=6, mix=mix)
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
