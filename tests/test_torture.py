"""A short torture in every run of the tests; `make torture` does it by the hundred."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from tests.torture import torture

if TYPE_CHECKING:
    from pathlib import Path


def test_killed_at_any_moment_nothing_is_lost_or_done_twice(tmp_path: Path) -> None:
    seed = random.randrange(10**6)  # another one each time; a failure names it
    tally = torture(tmp_path, kills=12, seconds=25, seed=seed, say=print, classes=4, flickr=60)
    assert tally.kills
    assert tally.rounds
