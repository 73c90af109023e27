"""How long the command takes to be there, against an interpreter that only imports its three main libraries."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from benchmarks.measuring import interleave, table, timed

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS: Final = 15
GOAL: Final = 2.0


def run(folder: Path, *, quick: bool) -> str:
    """Measure, and tell in Markdown."""
    small = folder / "small.db"
    lists = folder / "lists"
    lists.mkdir()
    (lists / "n01440764.txt").write_text(
        "".join(f"http://farm1.static.flickr.com/1/{i}_abcdef.jpg\n" for i in range(1, 500))
    )
    scraper = [sys.executable, "-m", "scraper"]
    timed([*scraper, "plan", "--source", lists, "--manifest", small, "n01440764"], cwd=folder)
    commands = {
        'python -c "pass"': [sys.executable, "-c", "pass"],
        'python -c "import urllib3, sqlite_utils, fire"': [sys.executable, "-c", "import urllib3, sqlite_utils, fire"],
        "scraper --help": [*scraper, "--help"],
        "scraper fetch --help": [*scraper, "fetch", "--help"],
        "scraper report (one class)": [*scraper, "report", "--manifest", small],
        "scraper report --format json": [*scraper, "report", "--manifest", small, "--format", "json"],
    }
    costs = interleave(
        {name: lambda command=command: timed(command, cwd=folder) for name, command in commands.items()},  # type: ignore[misc]  # the default binds the loop's value
        3 if quick else ROUNDS,
    )
    bare = costs['python -c "import urllib3, sqlite_utils, fire"']
    rows = [
        (f"`{name}`", f"{1000 * cost.wall:.0f}", f"{1000 * cost.cpu:.0f}", f"{cost.wall / bare.wall:.2f}")
        for name, cost in costs.items()
    ]
    return "\n".join(
        (
            "## Start-up\n",
            f"Goal: the command within {GOAL:g} x of the bare imports.\n",
            table(("command", "ms", "ms of processor", "x bare imports"), rows),
        )
    )
