"""Fuzzing manifests: `python -m tests.fuzzing.manifests --seconds 60 [--seed 1]`.

A real manifest, worked on by plan, fetch, survey and verify, is changed at random: values, rows, tables, pages, bytes,
and the files beside it. Then commands are run on it, each in a process of its own. Whatever the file says, each must
end in time with an exit code of its own and at most one line of complaint, leave all files alone that are not its own,
and ask nobody that it may not ask. What breaks a promise is kept in a folder, with the words that did it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.command import Scraper
from tests.fuzzing.changes import Changes
from tests.fuzzing.yard import Trap, Yard
from tests.manifest.version1 import downgrade
from tests.standin import Fate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Mapping

LARGE: Final = 64 * 2**20 + 4096
"""Bytes of a manifest that is not read whole when it is opened."""
CLASSES: Final = [("n01440764", "tench"), ("n02708093", "analog clock"), ("n02123045", "tabby")]
WORLD: Final = World.of(
    7,
    CLASSES,
    flickr=14,
    other=4,
    mix={Fate.ALIVE: 6.0, Fate.GONE_404: 2.0, Fate.PLACEHOLDER_REDIRECT: 1.0, Fate.FORBIDDEN: 1.0, Fate.HTML: 1.0},
)
URL: Final = WORLD.urls(Fate.ALIVE)[0]
COMMANDS: Final = (
    ("report",),
    ("report", "--format", "json"),
    ("report", "--format", "csv", "--check"),
    ("report", "--format", "html"),
    ("verify",),
    ("verify", "--repair"),
    ("verify", "--repair", "--missing-anyway"),
    ("verify", "--repair", "--remove-strays"),
    ("fetch", "--retries", "1", "--timeout", "5"),
    ("fetch", "--retries", "2", "--timeout", "5", "--retry", "gone,forbidden", "--second-try", "live"),
    ("fetch", "--retries", "1", "--timeout", "5", "--no-top-up", "--check", "header", "--threads", "2"),
    ("survey", "--sample", "5", "--timeout", "5"),
    ("survey", "--of", "answered", "--until", "0.3", "--timeout", "5"),
    ("report", "--format", "methods"),
    ("plan", "n01440764", "n02708093", "-n", "9", "--source", "lists"),
    ("plan", "n02123045", "n01443537", "--source", "lists"),
    ("trace", "n01440764/mine.jpg"),
    ("trace", URL, "--format", "json"),
    ("drop", "n01440764"),
    ("drop", "tench", "n02708093", "--delete-images"),
    ("report", "--output", "made/report.txt"),
    ("forget", "--list"),
    ("forget", "1", URL),
    ("export", "csv", "made/table.csv", "--overwrite"),
    ("export", "lock", "made/lock.tsv", "--overwrite"),
    ("export", "imagefolder", "made/folder", "--overwrite", "--split", "train=0.5,test=0.5"),
    ("export", "webdataset", "made/shards", "--overwrite", "--size", "32"),
)


def make_bases(folder: Path, standin: StandIn) -> list[Path]:
    """Folders with manifests in several states, and the images of each; all of them by real runs."""
    worked = Scraper(folder / "worked", standin)
    worked.folder.mkdir()
    standin.world.write_folder(worked.folder / "lists")
    for wnid, label in CLASSES[:2]:
        worked.done("plan", "-n", "5", "--source", "lists", stdin=f"{label},{wnid}".encode())
    shutil.copytree(worked.folder, folder / "planned")
    worked.done("fetch", "--retries", "1")
    worked.done("survey", "--of", "answered", "--sample", "6")
    next(worked.images.glob("*/*.jpg")).unlink()
    worked.done("verify", "--repair")
    worked.done("plan", "-n", "9", CLASSES[2][0], CLASSES[1][0], "--source", "lists")
    worked.run("fetch", "--retries", "1", "--second-try", "live", "--retry", "gone")
    worked.done("forget", worked.one("SELECT sha256 FROM image LIMIT 1"), "12", "http://static.flickr.com/1/1_a.jpg")
    worked.done("plan", "-n", "12", CLASSES[0][0], "--source", "lists")
    shutil.copytree(worked.folder, folder / "old")
    downgrade(folder / "old" / "manifests" / "scraper.db")
    worked.done("survey", "--sample", "6")
    shutil.copytree(worked.folder, folder / "killed")
    with closing(sqlite3.connect(worked.manifest, isolation_level=None)) as database:
        database.execute("UPDATE runs SET exit_code = NULL WHERE id = 1")
        for path in worked.manifest.parent.iterdir():  # the newest rows are in the WAL, as after a kill
            shutil.copy(path, folder / "killed" / "manifests" / path.name)
    return [folder / name for name in ("worked", "worked", "planned", "old", "killed")]


def _digests(base: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(base.rglob("images/*/*"))}


@dataclass
class Fuzzer:
    """Cases one after the other; `keep` is where what breaks a promise is kept."""

    seed: str
    bases: list[Path]
    standin: StandIn
    trap: Trap
    keep: Path
    cases: int = 0
    runs: int = 0
    found: int = 0
    codes: Counter[str] = field(default_factory=Counter)

    def case(self, number: int) -> None:
        """Change a manifest and run some commands on it."""
        rng = random.Random(f"{self.seed} {number}")
        with tempfile.TemporaryDirectory(prefix="case-", dir=self.bases[0].parent) as scratch:
            kept = Path(scratch) / "kept"
            yard = Yard(Path(scratch) / "yard", rng.choice(self.bases), self.standin, self.trap)
            changed = Changes(yard.manifest, rng, self.trap.urls()).make()
            shutil.copytree(yard.manifest.parent, kept, symlinks=True, ignore=_no_pipes)
            if rng.randrange(3) == 0:  # too large to be read at its door; SQLite goes by the size in its header
                os.truncate(yard.manifest, max(LARGE, yard.manifest.stat().st_size))
                changed.append(f"length {LARGE}")
            for words in rng.sample(COMMANDS, k=rng.choice((2, 3, 4))):
                ended = yard.run(words)
                self.runs += 1
                self.codes[f"{words[0]} {ended.code}"] += 1
                if ended.broken is not None:
                    self.found += 1
                    told = {"words": words, "changed": changed, "broken": ended.broken, "said": ended.said}
                    self._tell(kept, self.keep / f"fuzz-manifest-{self.seed}-{number}", told)
        self.cases += 1

    @staticmethod
    def _tell(kept: Path, place: Path, told: Mapping[str, object]) -> None:
        shutil.copytree(kept, place, symlinks=True, dirs_exist_ok=True)
        text = json.dumps(told, indent=1)
        (place / "case.json").write_text(text)
        print(f"{place}: {text}", flush=True)


def _no_pipes(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if not (Path(folder, name).is_file() or Path(folder, name).is_symlink())]


def main() -> int:
    """Fuzz for a while, and say what was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing.manifests", description="Fuzz scraper's manifests.")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", default=str(time.time_ns() % 10**6))
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--cases", type=int, default=10**9, help="how many cases at most")
    parser.add_argument("--keep", type=Path, default=Path.cwd(), help="where to keep what breaks a promise")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    memory = Path("/dev/shm")  # noqa: S108 - where it is, what is synced costs nothing
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=place) as folder, StandIn(WORLD) as standin, Trap() as trap:
        fuzzer = Fuzzer(given.seed, make_bases(Path(folder), standin), standin, trap, given.keep)
        before = [_digests(base) for base in fuzzer.bases]
        ends = time.monotonic() + given.seconds
        while time.monotonic() < ends and fuzzer.cases < given.cases:
            fuzzer.case(given.first + fuzzer.cases)
        if [_digests(base) for base in fuzzer.bases] != before:
            print("an image was written into, which all cases share", flush=True)
            fuzzer.found += 1
    codes = ", ".join(f"{name}: {count}" for name, count in sorted(fuzzer.codes.items()))
    print(f"{fuzzer.cases} manifests, {fuzzer.runs} runs, {fuzzer.found} promises broken ({codes})")
    return 1 if fuzzer.found else 0


if __name__ == "__main__":
    sys.exit(main())
