"""Other tools on the same URLs: wget2, curl, aria2, wget with GNU parallel as the well-known script does, img2dataset.

They are used where they are found; `make bench-peers` says how to get them. They ask for the photos at their second
address (`benchmarks.server`), all on one host, since most of them cannot be told where to connect.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.fetch import FULL, HEADER, PHOTOS, Bench, counted, set_aside
from benchmarks.measuring import Cost, interleave, table, timed
from benchmarks.server import serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.server import Served

ROUNDS: Final = 1
LATENCIES: Final = (0.04, 0.1)
THREADS: Final = "32"
TENTH: Final = " (a tenth, times 10)"
IMG2DATASET: Final = Path(sys.prefix).parent / ".venv-img2dataset" / "bin" / "img2dataset"
_ABOUT: Final = """\
`files` is what is in the output folder at the end: those beyond the photos are placeholders and pages.

Where we lose: tools in C that keep whatever comes are ahead as long as latency leaves the processor the bound. A
strict decode takes a millisecond of it a photo, Python's part of a request another, and the server shares the
cores; a loop of a few lines with the same decode (the third row of `fetch`) is behind them too. With more latency
all are level."""
ANY: Final = tuple(range(256))
"""These tools say by their exit code that some URLs failed, as a quarter of them must; the files tell what came."""


class Peers:
    """The other tools, each with its command for one folder of URLs."""

    def __init__(self, bench: Bench, served: Served) -> None:
        self._folder = bench.folder
        self._served = served
        base = f"https://localhost:{served.https_port}/"
        urls = [base + url.partition("://")[2] for url in (bench.folder / "urls.txt").read_text().split()]
        (bench.folder / "flat.txt").write_text("".join(f"{url}\n" for url in urls))
        (bench.folder / "tenth.txt").write_text("".join(f"{url}\n" for url in urls[::10]))
        (bench.folder / "flat.curl").write_text("".join(f'url = "{url}"\n' for url in urls))

    def commands(self) -> dict[str, list[str]]:
        """What to run for each tool that is there."""
        ca = self._served.ca_file
        wget = f"wget -q -t 1 --ca-certificate {ca} -P out"
        image = f"{IMG2DATASET} --url_list=flat.txt --output_folder=out --output_format=files --processes_count=1"
        image += f" --thread_count={THREADS} --retries=0 --incremental_mode=incremental"
        found = {
            "wget2, 32 threads": f"wget2 -q --max-threads={THREADS} --tries=1 --ca-certificate={ca} -P out -i flat.txt",
            "curl --parallel, 32 at once": f"curl -s --parallel --parallel-max {THREADS} --location --cacert {ca} "
            "--output-dir out --remote-name-all -K flat.curl",
            "aria2, 32 at once": f"aria2c -q -j {THREADS} -x 1 --ca-certificate={ca} -d out --max-tries=1 -i flat.txt",
            f"parallel and wget, 2 jobs{TENTH}": f"parallel -j 2 -a tenth.txt {wget}",
            f"parallel and wget, 32 jobs{TENTH}": f"parallel -j {THREADS} -a tenth.txt {wget}",
            "img2dataset, no re-encoding": f"{image} --resize_mode=no --skip_reencode=True",
            "img2dataset, its resize": f"{image} --resize_mode=border",
        }
        commands = {name: shlex.split(line) for name, line in found.items()}
        return {name: command for name, command in commands.items() if shutil.which(command[0])}

    def run(self, command: list[str]) -> Cost:
        """Run one in a fresh folder."""
        set_aside(self._folder / "out")
        (self._folder / "out").mkdir()
        return timed(command, cwd=self._folder, codes=ANY)


def run(folder: Path, *, quick: bool) -> str:
    """Measure, and tell in Markdown."""
    os.environ |= {"NO_ALBUMENTATIONS_UPDATE": "1"}
    photos, rounds = (PHOTOS // 10, 1) if quick else (PHOTOS, ROUNDS)
    bench = Bench.prepare(folder, photos)
    parts = [
        f"## Peers\n\n{photos} URLs over HTTPS, {bench.alive} of them photos; rounds: {rounds}. CPU in ms a photo.",
        _ABOUT,
    ]
    for latency in LATENCIES:
        with serving(folder, photos=photos, latency=latency) as served:
            os.environ |= {"SSL_CERT_FILE": str(served.ca_file)}
            parts += [f"\n### {1000 * latency:.0f} ms of latency\n", _compared(bench, served, rounds)]
    return "\n".join(parts)


def _compared(bench: Bench, served: Served, rounds: int) -> str:
    peers = Peers(bench, served)
    counts: dict[str, tuple[int, int]] = {}
    files: dict[str, int] = {}

    def noting(name: str, subject: Callable[[], Cost]) -> Callable[[], Cost]:
        def noted() -> Cost:
            cost = subject()
            files[name] = sum(path.suffix in {".jpg", ".png", ".gif"} for path in (bench.folder / "out").rglob("*"))
            return cost

        return noted

    subjects = {name: noting(name, lambda c=command: peers.run(c)) for name, command in peers.commands().items()}  # type: ignore[misc]  # the default binds the loop's value
    subjects[HEADER] = noting(HEADER, lambda: bench.fetch(served, "--check", "header"))
    subjects[FULL] = noting(FULL, lambda: bench.fetch(served))
    costs = interleave(counted(subjects, served, counts), rounds)
    for name in costs:
        if name.endswith(TENTH):
            costs[name] = Cost(10 * costs[name].wall, 10 * costs[name].cpu, costs[name].peak)
    full = costs[FULL]
    rows = [
        (
            name,
            f"{c.wall:.1f}",
            f"{c.wall / full.wall:.2f}",
            f"{1000 * c.cpu / bench.alive:.2f}",
            f"{c.peak:.0f}",
            files[name],
            *counts[name],
        )
        for name, c in costs.items()
    ]
    return table(("", "s", "x scraper fetch", "CPU", "peak MB", "files", "requests", "connections"), rows)
