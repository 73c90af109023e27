"""The same fetch under several interpreters, free-threaded ones among them: SCRAPER_PYTHONS=PATH:PATH names them.

Each must have this package installed. Where an interpreter can do without its lock, it is told to, since some
extension modules (simplejpeg 1.9 is one) do not say yet that they can, and importing one would bring the lock back.
"""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Final

from benchmarks.fetch import PHOTOS, Bench
from benchmarks.measuring import interleave, table
from benchmarks.server import serving

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS: Final = 3
LATENCIES: Final = (0.0, 0.04)
_ASK: Final = (
    "import json, platform, sysconfig; "
    "print(json.dumps([platform.python_version(), bool(sysconfig.get_config_var('Py_GIL_DISABLED'))]))"
)


def interpreters() -> dict[str, tuple[str, ...]]:
    """How to start each interpreter, by a name that tells which it is."""
    found: dict[str, tuple[str, ...]] = {}
    for path in os.environ.get("SCRAPER_PYTHONS", "").split(os.pathsep):
        if not path:
            continue
        said = subprocess.run([path, "-c", _ASK], capture_output=True, text=True, check=True).stdout
        version, free = json.loads(said)
        found[f"Python {version}{', free-threaded' if free else ''}"] = (path, "-X", "gil=0") if free else (path,)
    if not found:
        raise SystemExit("name the interpreters to compare: SCRAPER_PYTHONS=/path/to/python:/path/to/another")
    return found


def run(folder: Path, *, quick: bool) -> str:
    """Measure, and tell in Markdown."""
    photos, rounds = (PHOTOS // 10, 1) if quick else (PHOTOS, ROUNDS)
    named = interpreters()
    bench = Bench.prepare(folder, photos)
    parts = [
        "## Interpreters\n",
        f"{photos} URLs over HTTPS, {bench.alive} of them photos; 32 threads, {rounds} rounds. CPU is in ms per photo",
        f"kept. Ratios are to {next(iter(named))}.",
    ]
    heads = ("latency", "checks", "interpreter", "s", "ratio", "CPU", "ratio", "peak MB")
    rows: list[tuple[object, ...]] = []
    for latency in LATENCIES:
        with serving(folder, photos=photos, latency=latency) as served:
            for check in ("header", "decode"):
                subjects = {
                    name: lambda check=check, python=python: bench.fetch(served, "--check", check, python=python)
                    for name, python in named.items()
                }
                costs = interleave(subjects, rounds)
                first = next(iter(costs.values()))
                rows += [
                    (
                        f"{1000 * latency:.0f} ms",
                        check,
                        name,
                        f"{cost.wall:.2f}",
                        f"{cost.wall / first.wall:.2f}",
                        f"{1000 * cost.cpu / bench.alive:.2f}",
                        f"{cost.cpu / first.cpu:.2f}",
                        f"{cost.peak:.0f}",
                    )
                    for name, cost in costs.items()
                ]
    return "\n".join([*parts, "", table(heads, rows)])
