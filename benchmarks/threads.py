"""Whether more threads help, and whether too many hurt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.fetch import Bench
from benchmarks.measuring import interleave, table
from benchmarks.server import serving

if TYPE_CHECKING:
    from pathlib import Path

PHOTOS: Final = 2000
ROUNDS: Final = 3
THREADS: Final = (4, 16, 32, 64, 128, 256)
LATENCY: Final = 0.1


def run(folder: Path, *, quick: bool) -> str:
    """Measure, and tell in Markdown."""
    photos, rounds = (PHOTOS // 10, 1) if quick else (PHOTOS, ROUNDS)
    bench = Bench.prepare(folder, photos)
    with serving(folder, photos=photos, latency=LATENCY) as served:
        costs = interleave(
            {
                str(count): lambda count=count: bench.fetch(served, "--check", "header", threads=count)  # type: ignore[misc]  # the default binds the loop's value
                for count in THREADS
            },
            rounds,
        )
    rows = [
        (
            name,
            f"{cost.wall:.2f}",
            f"{photos / cost.wall:.0f}",
            f"{1000 * cost.cpu / bench.alive:.2f}",
            f"{cost.peak:.0f}",
        )
        for name, cost in costs.items()
    ]
    about = f"{photos} URLs, {1000 * LATENCY:.0f} ms of latency, `--check header`; {rounds} rounds.\n"
    return "\n".join(("## Threads\n", about, table(("threads", "s", "requests a second", "CPU", "peak MB"), rows)))
