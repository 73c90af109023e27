"""How long planning from a whole index file takes, against reading the file and inserting as many rows, bare."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.index_file import CLASSES, make
from benchmarks.measuring import interleave, table, timed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.index_file import Made
    from benchmarks.measuring import Cost

ROUNDS: Final = 1
GOAL: Final = 3.0
LEAN: Final = 200
"""MB that a plan may come to use."""
BULK_INSERT: Final = Path(__file__).with_name("bulk_insert.py")
FEW: Final = 1000
"""Classes of a usual job, as many as ILSVRC has."""


def run(folder: Path, *, quick: bool) -> str:
    """Measure, and tell in Markdown."""
    made = make(folder / "urls.txt", folder / "sample.tsv", classes=CLASSES // 10 if quick else CLASSES)
    timed(("sh", "-c", "gzip -1 -n < urls.txt > urls.txt.gz"), cwd=folder)
    _write_ids(folder / "all.txt", made.wnids)
    _write_ids(folder / "few.txt", made.wnids[:: max(1, len(made.wnids) // FEW)][:FEW])
    insert = (sys.executable, BULK_INSERT, "bare.db", "sample.tsv", str(made.flickr))
    subjects = {
        "`zcat urls.txt.gz`, its lines counted by `wc -l`": partial(
            timed, ("sh", "-c", "zcat urls.txt.gz | wc -l"), cwd=folder
        ),
        "bare bulk insert of the candidates": partial(_written, folder, "bare.db", insert),
        "`scraper plan` of all classes, .gz": partial(_plan, folder, "urls.txt.gz", "all.txt"),
        "`scraper plan` of all classes, plain": partial(_plan, folder, "urls.txt", "all.txt"),
        "`scraper plan` of 1,000 classes, .gz": partial(_plan, folder, "urls.txt.gz", "few.txt"),
        "`scraper plan` of 1,000 classes, plain": partial(_plan, folder, "urls.txt", "few.txt"),
    }
    return _told(made, (folder / "urls.txt").stat().st_size, interleave(subjects, ROUNDS))


def _write_ids(path: Path, wnids: Sequence[str]) -> None:
    path.write_text("".join(f"{wnid}\n" for wnid in wnids), encoding="ascii")


def _plan(folder: Path, source: str, ids: str) -> Cost:
    command = (sys.executable, "-m", "scraper", "plan", "--source", source, "--manifest", "plan.db")
    return _written(folder, "plan.db", command, folder / ids)


def _written(folder: Path, database: str, command: Sequence[str | Path], stdin: Path | None = None) -> Cost:
    """What a command costs that makes a database anew; the database goes again, so that the folder stays small."""
    try:
        return timed(command, cwd=folder, stdin=stdin)
    finally:
        for path in folder.glob(f"{database}*"):
            path.unlink()


def _told(made: Made, size: int, costs: dict[str, Cost]) -> str:
    read, insert, *_ = costs.values()
    yardstick = read.wall + insert.wall
    rows = [
        (name, f"{cost.wall:.1f}", f"{cost.cpu:.1f}", f"{cost.wall / yardstick:.2f}", f"{cost.peak:.0f}")
        for name, cost in costs.items()
    ]
    shape = (
        f"A made-up file in the shape of `fall11_urls.txt`: {made.lines:,} lines, {size / 1e6:,.0f} MB, "
        f"{len(made.wnids):,} classes, {made.flickr:,} URLs on Flickr. Goal: all classes within {GOAL:g} x of "
        f"`zcat` plus the bare insert, in less than {LEAN} MB. Rounds: {ROUNDS}."
    )
    heads = ("command", "s", "s of processor", "x (zcat + insert)", "peak MB")
    return f"## A whole index file\n\n{shape}\n\n{table(heads, rows)}"
