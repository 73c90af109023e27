"""Runs that are killed at random moments, over and over: `python -m tests.torture --kills 300 --seconds 600 --seed 1`.

Plan and fetch run as processes against the stand-in, in a world with every fate. They get SIGKILL mostly, else
SIGTERM or SIGINT, once or twice, half of them in the moment after a commit; between runs, saved files are torn as a
power cut would. After every one, queries and digests of our own look for a broken promise; at the end, the result must
be that of a run nobody disturbed.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from scraper.files.names import names_for
from tests.command import LONGEST, Scraper, check, check_manifest
from tests.standin import ClassSpec, Fate, ListingFate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Callable

STUBBORN: Final = (Fate.REDIRECT_LOOP, Fate.THROTTLED_ALWAYS, Fate.ERROR_ALWAYS, Fate.CUT_ALWAYS, Fate.RESET_ALWAYS)
MIX: Final = dict.fromkeys(Fate, 1.0) | dict.fromkeys(STUBBORN, 0.3) | {Fate.SLOW: 0.3, Fate.ALIVE: 9.0}
THREADS: Final = 8
LATENCY: Final = 0.15
"""Seconds before each answer, so that a run lasts long enough to be killed, and the rate of requests has a bound."""
BATCH_ROWS: Final = 200
_IMPORTING: Final = re.compile(
    r"Exception ignored in: [^\n]*\nTraceback[^\n]*\n(?:  [^\n]*\n)*ResourceWarning: unclosed file [^\n]*\n"
)
"""What Python says, where warnings are errors, when a signal comes while it reads a module's file."""
REDONE: Final = min(BATCH_ROWS, round(THREADS * 1.5 / LATENCY)) + THREADS
"""Requests that a kill may cost: a batch of 0.5 s with a second for its commit on a busy disk, and those in flight."""
PLAN_KILLS: Final = 5
"""Kills of a plan in one round at most; the others are for its fetch."""
FETCH: Final = ("fetch", "--threads", str(THREADS), "--retries", "2")

MOMENTS: Final = ((5, 0.0, 0.5), (12, 0.4, 2.0), (3, 2.0, 4.0))
"""When a run is killed: how often, and between which seconds after its start."""
KILL: Final = (signal.SIGKILL,)
WAYS: Final = (
    (14, KILL),
    (2, (signal.SIGTERM,)),
    (2, (signal.SIGINT,)),
    (1, (signal.SIGINT, signal.SIGINT)),
    (1, (signal.SIGTERM, signal.SIGTERM)),
)


@dataclass
class Tally:
    """What was done so far."""

    kills: int = 0
    rounds: int = 0
    torn: int = 0
    redone: list[int] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)

    def line(self, seconds: float) -> str:
        """One line for people."""
        ends = ", ".join(f"{name} {count}" for name, count in sorted(self.ends.items()))
        most = max(self.redone, default=0)
        mean = sum(self.redone) / max(1, len(self.redone))
        return (
            f"{self.kills} kills in {seconds:.0f} s, {self.rounds} rounds done, {self.torn} files torn; "
            f"requests redone per kill: mean {mean:.1f}, most {most} (bound {REDONE}); ends: {ends}"
        )


@dataclass(frozen=True, slots=True)
class Before:
    """What was known before a run."""

    run: int
    final: frozenset[str]
    unknown: frozenset[str]


def make_world(seed: int, classes: int, flickr: int) -> World:
    """Half of the classes can be filled, the other half want more than they list."""
    listing = (ListingFate.LISTED, ListingFate.ERROR_ONCE)
    specs = [ClassSpec(f"n{1000000 + i:08d}", f"class {i}", flickr, 10, listing[i % 3 == 2]) for i in range(classes)]
    return World(seed, specs, mix=MIX)


def twins_of(world: World) -> dict[str, bytes]:
    """The URLs whose bytes come for other photos too: what becomes of them depends on the order."""
    same = {world.photo_bytes(url) for url in world.urls(Fate.SAME_BYTES)}
    shared = {url: body for url in world.urls(Fate.SAME_BYTES, Fate.ALIVE) if (body := world.photo_bytes(url)) in same}
    return shared | dict.fromkeys(world.urls(Fate.PLACEHOLDER_DIRECT), world.placeholder)


def plan_words(world: World, flickr: int) -> list[tuple[str, ...]]:
    """Two plans: one for the classes that can be filled, one for those that cannot."""
    wnids = list(world.classes)
    return [
        ("plan", *wnids[::2], "-n", str(flickr // 3), "--threads", "2"),
        ("plan", *wnids[1::2], "-n", str(flickr), "--threads", "2"),
    ]


class Round:
    """One folder, planned and fetched by runs that are killed, until it is done."""

    def __init__(self, scraper: Scraper, standin: StandIn, rng: random.Random, tally: Tally) -> None:
        self.scraper = scraper
        self.standin = standin
        self.rng = rng
        self.tally = tally
        self.torn: set[str] = set()
        self.damaged: dict[str, bytes] = {}  # what is left of torn files, which is not for us to remove
        self.dirty = False  # whether files without a row are to be expected
        self.partial: set[str] = set()  # temporary files that killed runs left

    # --- what is known, by queries of our own ------------------------------------------------------------------------

    def planned(self) -> bool:
        """Whether there is a manifest: a plan may be killed before it made one."""
        try:
            return bool(self.scraper.one("SELECT count(*) FROM sqlite_master WHERE name = 'candidates'"))
        except sqlite3.OperationalError:
            return False

    def before(self) -> Before:
        """What is known now; the requests of the run to come are counted from here."""
        self.standin.reset_counts()
        if not self.planned():
            return Before(0, frozenset(), frozenset())
        final = {url for (url,) in self.scraper.rows("SELECT url FROM candidates WHERE state IN ('saved', 'lost')")}
        torn = {url for (url, path) in self.scraper.rows("SELECT url, path FROM images") if path in self.torn}
        unknown = frozenset(url for (url,) in self.scraper.rows("SELECT url FROM candidates WHERE state = 'unknown'"))
        return Before(self.scraper.one("SELECT coalesce(max(id), 0) FROM runs"), frozenset(final - torn), unknown)

    # --- disturbing --------------------------------------------------------------------------------------------------

    def tear(self) -> None:
        """Do to a saved file what a power cut does."""
        paths = [path for (path,) in self.scraper.rows("SELECT path FROM images")]
        if len(paths) < 4 or self.torn:
            return
        path = self.rng.choice(paths)
        whole = (self.scraper.images / path).read_bytes()
        kind = self.rng.randrange(3)
        if kind == 0:
            (self.scraper.images / path).unlink()
        else:
            self.damaged[path] = whole[: 0 if kind == 1 else len(whole) // 2]
            (self.scraper.images / path).write_bytes(self.damaged[path])
        self.torn.add(path)
        self.tally.torn += 1

    def disturbed(self, words: tuple[str, ...], *, kill: bool) -> bool:
        """Run a command, kill it at a random moment or not, and check everything; whether it came to its end."""
        before = self.before()
        process = self.scraper.start_anew(*words)
        signals: tuple[signal.Signals, ...] = ()
        if kill:
            _, earliest, latest = self.rng.choices(MOMENTS, [weight for weight, _, _ in MOMENTS])[0]
            time.sleep(self.rng.uniform(earliest, latest))
            if self.rng.random() < 0.5:
                self.await_commit(process)
            signals = self.rng.choices([way for _, way in WAYS], [weight for weight, _ in WAYS])[0]
        for number in signals:
            if process.poll() is None:
                process.send_signal(number)
                time.sleep(self.rng.uniform(0.0, 0.1) if number is not signal.SIGKILL else 0.0)
        try:
            out, err = process.communicate(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            raise AssertionError(f"{words[0]} did not end after {signals}: {process.communicate()}") from None
        if signals:
            self.tally.kills += 1
        time.sleep(0.05)  # for the stand-in to read what was sent last
        self.judge_end(words[0], process.returncode, out + err, signals)
        self.check(before, words[0], process.returncode)
        return process.returncode == 0

    def await_commit(self, process: subprocess.Popen[str]) -> None:
        """Wait for the next commit, up to a second: what should come before one and what after shows there."""
        expires = time.monotonic() + 1.0
        uri = f"{self.scraper.manifest.as_uri()}?mode=ro"
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(uri, uri=True)) as book:
            before = now = book.execute("PRAGMA data_version").fetchone()
            while now == before and time.monotonic() < expires and process.poll() is None:
                time.sleep(0.0005)
                now = book.execute("PRAGMA data_version").fetchone()

    def judge_end(self, command: str, code: int, said: str, signals: tuple[signal.Signals, ...]) -> None:
        """Whether a run ended as one may that got these signals."""
        self.tally.ends[f"{command} {code}"] += 1
        if signal.SIGINT in signals and "Fatal Python error: init_" in said:
            return  # Python was interrupted before it came to our code
        allowed = {0, *(-number for number in signals)}  # by the signal itself: before it was handled
        if set(signals) - {signal.SIGKILL}:
            allowed.add(130)
        if command == "fetch" and "keeps refusing" in said:  # where what is left to ask for is throttled for ever
            allowed.add(4)
        assert code in allowed, (command, code, signals, said)
        if code >= 0:
            assert "Traceback" not in _IMPORTING.sub("", said), (command, code, signals, said)

    # --- checking ----------------------------------------------------------------------------------------------------

    def check(self, before: Before, command: str, code: int) -> None:
        """Every promise that holds at any moment, however the last run ended."""
        if not self.planned():
            assert code != 0
            return
        check_manifest(self.scraper)
        run = self.scraper.one("SELECT coalesce(max(id), 0) FROM runs")
        if command == "fetch":
            if code in (0, 130) and run > before.run:
                self.dirty = False
            elif code not in (0, 130):
                self.dirty = True
        self.check_files(began=self.scraper.one("SELECT count(*) FROM attempts WHERE run_id > ?", before.run) > 0)
        if command == "fetch":
            self.check_requests(before, code)
        if run > before.run:
            ended = self.scraper.one("SELECT exit_code FROM runs WHERE id = ?", run)
            # A kill may come between the end of the record and that of the process.
            assert ended == code if code >= 0 else ended in (None, 0, 1, 130)

    def check_files(self, *, began: bool) -> None:
        """Every image is there, whole; what has no row is left from a kill and has a candidate's name, or was torn."""
        rows = self.scraper.rows("SELECT path, bytes, sha256 FROM images")
        for path, size, sha256 in rows:
            file = self.scraper.images / path
            body = file.read_bytes() if file.exists() else b""
            if (len(body), hashlib.sha256(body).hexdigest()) != (size, sha256):
                assert path in self.torn, path
                assert not began, f"{path} was torn, and the fetch that followed did not see it"
        if began:
            self.torn.clear()
        images, world = self.scraper.images, self.standin.world
        found = {str(path.relative_to(images)) for path in images.rglob("*") if path.is_file()}
        partial = {path for path in found if path.startswith(".partial/")}
        for path, left in self.damaged.items():
            assert (images / path).read_bytes() == left, path
        strays = found - partial - {path for path, _, _ in rows} - self.damaged.keys()
        if not self.dirty:
            assert not partial, partial
            assert not strays, strays
            assert not (images / ".partial").exists()
        if began:
            assert not partial & self.partial, "left by one run and not removed by the next"
        self.partial = partial
        urls = {
            f"{wnid}/{name}": url
            for wnid, filename, url in self.scraper.rows("SELECT wnid, filename, url FROM candidates")
            for name in islice(names_for(filename or urlsplit(url).path.rpartition("/")[2], url), 3)
        }
        for path in strays - self.torn:
            assert (images / path).read_bytes() in (world.photo_bytes(urls[path]), world.placeholder), path

    def check_requests(self, before: Before, code: int) -> None:
        """The server's word against the manifest's."""
        asked = {url: count for url in self.standin.world.urls() if (count := self.standin.count(url))}
        again = before.final & set(asked)
        assert not again, f"asked for again after they were final: {again}"
        if code == 0:
            short = "SELECT url FROM candidates JOIN shortfall USING (wnid) WHERE state = 'unknown'"
            left = {url for (url,) in self.scraper.rows(short)} & before.unknown
            assert left <= asked.keys(), f"unknown and not asked for again: {left - asked.keys()}"
        sql = "SELECT url, count(*) FROM attempts JOIN candidates ON candidates.id = candidate_id WHERE run_id > ?"
        recorded = dict(self.scraper.rows(f"{sql} GROUP BY url", before.run))
        final = {url for (url,) in self.scraper.rows("SELECT url FROM candidates WHERE state IN ('saved', 'lost')")}
        for url in final & set(recorded):
            assert asked.get(url) == recorded[url], (url, asked.get(url), recorded[url])
        redone = sum(max(0, count - recorded.get(url, 0)) for url, count in asked.items())
        assert redone <= (REDONE if code < 0 else 2 * THREADS if code in (4, 130) else 0), redone
        if code < 0:
            self.tally.redone.append(redone)


def undisturbed(folder: Path, world: World, flickr: int) -> Scraper:
    """The same work done in peace."""
    with StandIn(world) as standin:
        scraper = Scraper(folder, standin)
        for words in plan_words(world, flickr):
            scraper.done(*words)
        scraper.done(*FETCH)
    check(scraper)
    return scraper


def compare(disturbed: Scraper, calm: Scraper, world: World) -> None:
    """The results must be the same, up to which candidates of a class that is full were needed."""
    for sql in (
        "SELECT id, wnid, rank, url, photo_id, filename FROM candidates ORDER BY id",
        "SELECT wnid, n, resolve_outcome, listed, candidates, listing_sha256 FROM classes ORDER BY wnid",
        "SELECT wnid FROM class_progress WHERE saved >= n ORDER BY wnid",
    ):
        assert disturbed.rows(sql) == calm.rows(sql), sql
    twins = twins_of(world)
    sql = "SELECT url, state, outcome FROM candidates WHERE outcome IS NOT NULL"
    mine, theirs = ({url: rest for url, *rest in one.rows(sql)} for one in (disturbed, calm))
    for url in (set(mine) & set(theirs)) - set(twins):
        # A class may be full before a stubborn candidate had its last try.
        if "waiting" not in (mine[url][0], theirs[url][0]):
            assert mine[url] == theirs[url], (url, mine[url], theirs[url])
    for url in set(mine) - set(twins):
        if mine[url][0] in ("saved", "lost"):
            assert mine[url][1] == world.expected(url).outcome, (url, mine[url])
    # A class that is short has tried all it has, in both.
    for (url,) in disturbed.rows("SELECT url FROM candidates JOIN shortfall USING (wnid)"):
        assert url in mine, url
        assert url in theirs, url
        assert mine[url][0] != "waiting", url
    for body in set(twins.values()):
        outcomes = Counter(mine[url][1] for url, bytes_ in twins.items() if bytes_ == body and url in mine)
        assert set(outcomes) <= ({"placeholder"} if outcomes.total() >= 3 else {"saved", "duplicate"}), outcomes
    for url, path in disturbed.rows("SELECT url, path FROM images"):
        if url not in twins:
            assert (disturbed.images / path).read_bytes() == world.photo_bytes(url), path


def one_round(folder: Path, seed: int, more: Callable[[], bool], tally: Tally, *, classes: int, flickr: int) -> None:
    """Plan and fetch one world to the end, killing as long as there is to be `more`."""
    rng = random.Random(seed)
    world = make_world(seed, classes, flickr)
    calm = undisturbed(folder / "calm", world, flickr)
    with StandIn(world, latency=LATENCY) as standin:
        scraper = Scraper(folder / "disturbed", standin)
        this = Round(scraper, standin, rng, tally)
        for words in plan_words(world, flickr):
            kills = 0
            while not this.disturbed(words, kill=kills < PLAN_KILLS and more()):
                kills += 1
        kill = True
        while not this.disturbed(FETCH, kill=kill):
            kill = more()
            if rng.random() < 0.3:
                this.tear()
        assert not this.torn
    check(scraper, others=this.damaged)
    compare(scraper, calm, world)
    tally.rounds += 1


def torture(
    folder: Path,
    *,
    kills: int,
    seconds: float,
    seed: int,
    say: Callable[[str], None],
    classes: int = 8,
    flickr: int = 90,
) -> Tally:
    """Kill until there were enough kills or the time is up; what was begun is brought to its end and compared."""
    began = time.monotonic()
    tally = Tally()
    told = 0

    def more() -> bool:
        nonlocal told
        if tally.kills // 25 > told:
            told = tally.kills // 25
            say(tally.line(time.monotonic() - began))
        return tally.kills < kills and time.monotonic() - began < seconds

    number = seed
    while more():
        place = folder / str(number)
        (place / "calm").mkdir(parents=True)
        (place / "disturbed").mkdir()
        try:
            one_round(place, number, more, tally, classes=classes, flickr=flickr)
        except AssertionError as error:
            error.add_note(f"world {number}, in {place}; {tally.line(time.monotonic() - began)}")
            raise
        number += 1
    say(tally.line(time.monotonic() - began))
    return tally


def main() -> int:
    """Torture from the command line; what failed is left to be looked at."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="torture-"))
    tally = torture(
        folder, kills=given.kills, seconds=given.seconds, seed=given.seed, say=lambda line: print(line, flush=True)
    )
    shutil.rmtree(folder)
    print(f"every promise held after each of {tally.kills} kills")
    return 0


if __name__ == "__main__":
    sys.exit(main())
