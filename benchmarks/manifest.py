"""What 10 million candidates cost against 10 thousand: claims, records, reports, start-up, memory, bytes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks import bulk
from benchmarks.measuring import Cost, median, table, timed

if TYPE_CHECKING:
    from collections.abc import Iterator

SMALL: Final = 22
LARGE: Final = 21_841
"""Classes: about 10 thousand and 10 million candidates, the second as many classes as ImageNet has."""
ROUNDS: Final = 3
PROBES: Final = 9
"""Rounds of claims and records, of which the best counts: they take microseconds, and all that the machine does beside
adds to that."""
SILENCE: Final = 5.0
"""Seconds for which a fetch gets no answer after its first request, while it loads what it loads ahead."""
_BULK: Final = Path(__file__).with_name("bulk.py")
_PROBE: Final = Path(__file__).with_name("probe.py")
_SCRAPER: Final = (sys.executable, "-m", "scraper")


@dataclass(frozen=True, slots=True)
class Subject:
    """A manifest to measure, fresh or worked, in a folder of its own."""

    stage: str
    folder: Path
    size: bulk.Size

    @property
    def manifest(self) -> Path:
        """The file."""
        return self.folder / f"{self.stage}.db"

    @property
    def out(self) -> Path:
        """Its images."""
        return self.folder / f"{self.stage}-images"


def run(folder: Path, *, quick: bool) -> str:
    """Measure, and tell in Markdown."""
    classes = (SMALL, LARGE // 100 if quick else LARGE)
    small, large = ([*_made(folder / str(count), count)] for count in classes)
    pairs = list(zip(small, large, strict=True))
    parts = [
        "## Size\n",
        (
            "A manifest just planned, and one in which a long fetch tried three of ten candidates, of which a tenth "
            "were images with a (tiny) file each. Goal: a claim and a record within 1.2 x at 1,000 times the size; "
            "reports in seconds; the first request within two, 200 MB at most.\n"
        ),
        table(("", "candidates", "tried", "images"), [_shape(one) for pair in pairs for one in pair]),
        f"\nMicroseconds for one candidate, the best of {PROBES} rounds:\n",
        table(("", "small", "large", "large / small"), [row for pair in pairs for row in _probed(*pair)]),
        "\nWhole processes on the large one:\n",
        table(("command", "manifest", "s", "peak MB"), [row for one in large for row in _commands(one)]),
        "\nBytes of a row, indexes and free space included:\n",
        table(("table", "bytes"), _bytes(large[1].manifest)),
    ]
    return "\n".join(parts)


def _made(folder: Path, classes: int) -> Iterator[Subject]:
    """Made in a process of its own: a small process must measure, since its peak counts as that of its children."""
    folder.mkdir()
    timed([sys.executable, _BULK, folder, str(classes)], cwd=folder)
    for stage, counts in _said(folder).items():
        yield Subject(stage, folder, bulk.Size(**counts))


def _said(folder: Path) -> dict[str, Any]:
    """The JSON that the last command printed."""
    found: dict[str, Any] = json.loads((folder / "last-command.log").read_text(encoding="utf-8"))
    return found


def _shape(one: Subject) -> tuple[object, ...]:
    counts = (one.size.candidates, one.size.attempts, one.size.images)
    return (f"{one.stage}, {one.size.classes:,} classes", *(f"{count:,}" for count in counts))


def _probed(small: Subject, large: Subject) -> Iterator[tuple[str, ...]]:
    """Claims and records, in turn on the one and the other."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for _ in range(PROBES):
        for place, one in enumerate((small, large)):
            for name, cost in _figures(one).items():
                found.setdefault(name, ([], []))[place].append(cost)
    for name, costs in found.items():
        low, high = map(min, costs)
        yield f"{small.stage}: {name}", f"{low:.1f}", f"{high:.1f}", f"{high / low:.2f}"


def _figures(one: Subject) -> dict[str, float]:
    claims = _probe("claim", one.manifest)
    copy = one.folder / f"{one.stage}-copy.db"
    if not copy.exists() or one.size.classes == SMALL:  # which the rounds would use up
        shutil.copy(one.manifest, copy)
        _probe("record", copy)  # warms it
    records = _probe("record", copy)
    return {
        "claim": claims["all"],
        "claim, 1,000 candidates in the class": claims["deep"],
        "record, processor": records["cpu"],
        "record, clock (with the disk)": records["wall"],
    }


def _probe(name: str, manifest: Path) -> dict[str, float]:
    timed([sys.executable, _PROBE, name, manifest], cwd=manifest.parent)
    return _said(manifest.parent)


def _commands(one: Subject) -> Iterator[tuple[str, ...]]:
    given = ("--manifest", one.manifest)
    for form in ("text", "json"):
        costs = [timed([*_SCRAPER, "report", "--format", form, *given], cwd=one.folder) for _ in range(ROUNDS)]
        yield _row(f"`report --format {form}`", one, median(costs))
    starts = [_first_request(one) for _ in range(ROUNDS)]
    yield _row(f"`fetch` to its first request (peak: {SILENCE:g} s later)", one, median(starts))
    if one.stage == "worked":
        yield _row("`verify`", one, timed([*_SCRAPER, "verify", *given, "--out", one.out], cwd=one.folder))
        with closing(sqlite3.connect(one.manifest)) as connection, connection:
            connection.execute("UPDATE classes SET n = 1")
        full = [timed([*_SCRAPER, "fetch", *given, "--out", one.out], cwd=one.folder) for _ in range(ROUNDS)]
        yield _row("`fetch` where nothing is wanted", one, median(full))


def _row(name: str, one: Subject, cost: Cost) -> tuple[str, ...]:
    return name, one.stage, f"{cost.wall:.1f}", f"{cost.peak:.0f}"


def _first_request(one: Subject) -> Cost:
    """Start a fetch that is led to a server that never answers, and end it after a while."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as server, (one.folder / "fetch.log").open("wb") as log:
        server.settimeout(120)
        port = server.getsockname()[1]
        words = ("fetch", "--manifest", one.manifest, "--out", one.out, "--connect-to", f"::127.0.0.1:{port}")
        began = time.perf_counter()
        process = subprocess.Popen([*_SCRAPER, *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        with contextlib.closing(server.accept()[0]):
            wall = time.perf_counter() - began
            time.sleep(SILENCE)
            process.kill()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _bytes(manifest: Path) -> list[tuple[str, str]]:
    """Bytes of a row by table, the pages of its indexes among them."""
    with closing(sqlite3.connect(manifest)) as connection:
        rows = connection.execute(
            "SELECT tbl_name, sum(pgsize) FROM dbstat JOIN sqlite_master ON sqlite_master.name = dbstat.name "
            "WHERE aggregate = TRUE AND tbl_name IN ('candidate', 'image', 'attempt') GROUP BY tbl_name"
        ).fetchall()
        counts = {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608 - SQLite's own names
            for name, _ in rows
        }
    return [(f"`{name}`", f"{size / counts[name]:.0f}") for name, size in rows]
