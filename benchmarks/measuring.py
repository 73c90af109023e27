"""Running commands side by side: what each took of time, processor and memory, in interleaved rounds."""

from __future__ import annotations

import os
import platform
import sqlite3
import ssl
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LONGEST: Final = 300
"""Seconds after which a command counts as hung."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took: seconds on the clock, seconds of processor, peak of resident memory in MB."""

    wall: float
    cpu: float
    peak: float


def timed(
    command: Sequence[str | Path], *, cwd: Path, stdin: Path | None = None, codes: tuple[int, ...] = (0,)
) -> Cost:
    """Run a command to its end; its children count too, as far as it waited for them."""
    log = cwd / "last-command.log"
    began = time.perf_counter()
    with log.open("wb") as out, (stdin or Path(os.devnull)).open("rb") as given:
        process = subprocess.Popen([str(word) for word in command], cwd=cwd, stdin=given, stdout=out, stderr=out)
        limit = threading.Timer(LONGEST, process.kill)
        limit.start()
        _, status, usage = os.wait4(process.pid, 0)
        limit.cancel()
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in codes:
        raise SystemExit(f"{command} ended with {process.returncode}:\n{log.read_text(errors='replace')[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def median(costs: Sequence[Cost]) -> Cost:
    """The median of each figure apart."""
    return Cost(*(statistics.median(getattr(cost, name) for cost in costs) for name in ("wall", "cpu", "peak")))


def best(costs: Sequence[Cost]) -> Cost:
    """The least of each figure apart: what others do on the machine adds to a time, and takes nothing from it."""
    return Cost(*(min(getattr(cost, name) for cost in costs) for name in ("wall", "cpu", "peak")))


def interleave(
    subjects: Mapping[str, Callable[[], Cost]], rounds: int, of: Callable[[Sequence[Cost]], Cost] = median
) -> dict[str, Cost]:
    """Run every subject once a round, the order turned by one each time; what `of` makes of the costs of each."""
    costs: dict[str, list[Cost]] = {name: [] for name in subjects}
    names = list(subjects)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            costs[name].append(subjects[name]())
            print(f"  round {number + 1}: {name}: {_shown(costs[name][-1])}", file=sys.stderr, flush=True)
    return {name: of(found) for name, found in costs.items()}


def _shown(cost: Cost) -> str:
    return f"{cost.wall:.2f} s, {cost.cpu:.2f} s of processor, peak {cost.peak:.0f} MB"


def machine() -> str:
    """One line on where the figures come from."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {ssl.OPENSSL_VERSION}"
    )


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)
