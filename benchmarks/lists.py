"""What planning from the API costs: lists asked for class by class, which latency over threads should bound."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

from benchmarks.measuring import interleave, table, timed
from benchmarks.server import PER_CLASS, serving, world

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.measuring import Cost
    from benchmarks.server import Served

CLASSES: Final = 1000
ROUNDS: Final = 3
THREADS: Final = (1, 8, 32)
"""8 is the default: lists are asked for politely."""
LATENCY: Final = 0.04
FOLDER: Final = "the same lists from a folder"


def run(folder: Path, *, quick: bool) -> str:
    """Measure, and tell in Markdown."""
    classes, rounds = (CLASSES // 10, 1) if quick else (CLASSES, ROUNDS)
    shown = world(classes * PER_CLASS)
    shown.write_folder(folder / "lists")
    (folder / "ids.txt").write_text("".join(f"{wnid}\n" for wnid in shown.classes))
    with serving(folder, photos=classes * PER_CLASS, latency=LATENCY) as served:
        subjects = {str(count): lambda count=count: _plan(folder, served, count) for count in THREADS}
        costs = interleave({**subjects, FOLDER: lambda: _plan(folder, None, 1)}, rounds)
    rows = []
    for name, cost in costs.items():
        bound = classes * LATENCY / int(name) if name.isdigit() else 0.0
        shown_bound = (f"{bound:.1f}", f"{cost.wall / bound:.2f}") if bound else ("", "")
        rows.append((name, f"{cost.wall:.2f}", *shown_bound, f"{1000 * cost.cpu / classes:.2f}", f"{cost.peak:.0f}"))
    about = (
        f"{classes} classes of {PER_CLASS} URLs, {1000 * LATENCY:.0f} ms of latency; {rounds} rounds; start-up is "
        "included. The bound is latency x classes / threads. CPU is in ms a class.\n"
    )
    heads = ("threads", "s", "bound", "x bound", "CPU", "peak MB")
    return "\n".join(("## Lists from the API\n", about, table(heads, rows)))


def _plan(folder: Path, served: Served | None, threads: int) -> Cost:
    for path in folder.glob("run.db*"):
        path.unlink()
    source = served.flags if served else ["--source", "lists"]
    command = [sys.executable, "-m", "scraper", "plan", "--manifest", "run.db", "--threads", str(threads), *source]
    return timed(command, cwd=folder, stdin=folder / "ids.txt")
