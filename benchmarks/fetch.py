"""What fetching costs: 4,000 photos over HTTPS, a quarter of them broken, beside loops that do less."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.measuring import interleave, table, timed
from benchmarks.server import PER_CLASS, serving, world
from scraper.flickr import request_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.measuring import Cost
    from benchmarks.server import Served

PHOTOS: Final = 4000
ROUNDS: Final = 3
LATENCIES: Final = (0.0, 0.04, 0.1)
BARE: Final = "bare urllib3 loop"
PROTOTYPE: Final = "prototype: the loop, SHA-256, Pillow decode, temporary file, rows"
STRICT: Final = "the same with the strict decode of fetch"
HEADER: Final = "scraper fetch --check header"
FULL: Final = "scraper fetch"


def set_aside(out: Path) -> None:
    """Make room for a fresh folder, without removing a file.

    ext4 without a journal does not use a number of a file again for a minute, and looks at all those removed since
    each time it makes one (`recently_deleted` in fs/ext4/ialloc.c); so each run would pay for the run before it.
    """
    if not out.exists():
        return
    for path in out.rglob("*"):
        if path.is_file():
            os.truncate(path, 0)
    out.rename(tempfile.mkdtemp(prefix="spent-", dir=out.parent))


@dataclass(frozen=True, slots=True)
class Bench:
    """A folder with lists, a planned manifest and the URLs, and how many of them are photos."""

    folder: Path
    alive: int

    @classmethod
    def prepare(cls, folder: Path, photos: int) -> Bench:
        """Plan the manifest that each fetch gets a copy of."""
        shown = world(photos)
        shown.write_folder(folder / "lists")
        urls = [url for wnid in shown.classes for url in shown.flickr_urls(wnid)]
        (folder / "urls.txt").write_text("".join(f"{request_url(url)}\n" for url in urls))
        (folder / "ids.txt").write_text("".join(f"{wnid}\n" for wnid in shown.classes))
        # Every candidate is asked for once: as many images are wanted as URLs are listed.
        command = [sys.executable, "-m", "scraper", "plan", "-n", str(PER_CLASS), "--source", "lists"]
        timed([*command, "--manifest", "planned.db"], cwd=folder, stdin=folder / "ids.txt")
        return cls(folder, sum(shown.expected(url).outcome == "saved" for url in urls))

    def loop(self, served: Served, *words: str, threads: int = 32) -> Cost:
        """Run a yardstick in a fresh folder."""
        self._clear()
        flags = ["--port", str(served.https_port), "--ca", str(served.ca_file), "--threads", str(threads)]
        module = [sys.executable, str(Path(__file__).with_name("loops.py")), str(self.folder / "urls.txt"), *flags]
        return timed([*module, *words], cwd=self.folder)

    def fetch(self, served: Served, *words: str, threads: int = 32, python: Sequence[str] = (sys.executable,)) -> Cost:
        """Fetch in a fresh folder, with the interpreter that `python` starts."""
        self._clear()
        shutil.copy(self.folder / "planned.db", self.folder / "run.db")
        command = [*python, "-m", "scraper", "fetch", "--manifest", "run.db", "--out", "out"]
        cost = timed([*command, "--threads", str(threads), *words, *served.flags], cwd=self.folder)
        with closing(sqlite3.connect(self.folder / "run.db")) as rows:
            saved = rows.execute("SELECT count(*) FROM images").fetchone()[0]
        if saved != self.alive:
            raise SystemExit(f"{saved} images instead of {self.alive}: these figures mean nothing")
        return cost

    def _clear(self) -> None:
        set_aside(self.folder / "out")
        for name in ("run.db", "run.db-wal", "run.db-shm", "run.db.lock", "rows.db", "rows.db-wal", "rows.db-shm"):
            (self.folder / name).unlink(missing_ok=True)

    def subjects(self, served: Served) -> dict[str, Callable[[], Cost]]:
        """The yardsticks and the command."""
        work = ["--sha256", "--write", "out", "--rows", "rows.db", "--check"]
        return {
            BARE: lambda: self.loop(served),
            PROTOTYPE: lambda: self.loop(served, *work, "pillow"),
            STRICT: lambda: self.loop(served, *work, "strict"),
            HEADER: lambda: self.fetch(served, "--check", "header"),
            FULL: lambda: self.fetch(served),
        }


def rows_of(costs: Mapping[str, Cost], alive: int, counts: Mapping[str, tuple[int, int]]) -> list[tuple[object, ...]]:
    """A row for each subject."""
    bare = costs[BARE]
    return [
        (
            name,
            f"{cost.wall:.2f}",
            f"{cost.wall / bare.wall:.2f}",
            f"{1000 * cost.cpu / alive:.2f}",
            f"{cost.cpu / costs[PROTOTYPE].cpu:.2f}",
            f"{cost.peak:.0f}",
            *counts[name],
        )
        for name, cost in costs.items()
    ]


def counted(
    subjects: Mapping[str, Callable[[], Cost]], served: Served, counts: dict[str, tuple[int, int]]
) -> dict[str, Callable[[], Cost]]:
    """The same subjects, with the requests and connections that the server saw of each put into `counts`."""

    def noting(name: str, subject: Callable[[], Cost]) -> Callable[[], Cost]:
        def run() -> Cost:
            served.counts()
            cost = subject()
            counts[name] = served.counts()
            return cost

        return run

    return {name: noting(name, subject) for name, subject in subjects.items()}


def run(folder: Path, *, quick: bool) -> str:
    """Measure, and tell in Markdown."""
    photos, rounds = (PHOTOS // 10, 1) if quick else (PHOTOS, ROUNDS)
    bench = Bench.prepare(folder, photos)
    parts = [
        "## Fetch\n",
        f"{photos} URLs over HTTPS, {bench.alive} of them photos of about 92 kB, the others 404, 410 or the",
        f"placeholder; 32 threads, {rounds} rounds; start-up is included. CPU is in ms per photo kept.",
    ]
    heads = ("", "s", "x bare", "CPU", "x prototype", "peak MB", "requests", "connections")
    for latency in LATENCIES:
        with serving(folder, photos=photos, latency=latency) as served:
            counts: dict[str, tuple[int, int]] = {}
            costs = interleave(counted(bench.subjects(served), served, counts), rounds)
        parts += [f"\n### {1000 * latency:.0f} ms of latency\n", table(heads, rows_of(costs, bench.alive, counts))]
    return "\n".join(parts)
