"""Power cuts, simulated: whatever step of a real fetch is its last, what the disk keeps of it is sound.

A fetch runs under strace. From what it told the system, in order, the test works out which files are safe at a moment:
their bytes were synced, and after that the folder that names them, and those above. Anything else counts as lost. At
each sync of the manifest and each removal of a file, SQLite opens the manifest as it would be, once with every write to
it and once with the synced ones alone; every image that it speaks of must be safe. Where a file gets its name, the
journal that is safe by then must hold it, so that whatever is left without a row is known for what it is.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections import defaultdict
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest

from tests.command import Scraper, check, finish
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import Fate, StandIn, World, photos

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standin import Request, Wire

CALLS: Final = "openat,mkdir,mkdirat,write,pwrite64,ftruncate,fsync,fdatasync,renameat,renameat2,linkat,unlink,unlinkat"
STRACE: Final = ("strace", "-ff", "-y", "-ttt", "-T", "-xx", "-s", "65536", "-e", f"trace={CALLS}", "-e", "signal=none")
LINE: Final = re.compile(r"([\d.]+) (\w+)\((.*)\) += (\d+)(?:<[^>]*>)? <([\d.]+)>")
TEXT: Final = re.compile(r"(?:\\x[0-9a-f]{2})+")


@dataclass(frozen=True, slots=True)
class Call:
    """A system call that succeeded: the paths, bytes and flags in its arguments, the last number, what it returned."""

    name: str
    paths: tuple[Path, ...]
    body: bytes
    flags: frozenset[str]
    number: int
    result: int


def calls(folder: Path, traces: str) -> Iterator[Call]:
    """The calls of all threads of a process that ran in `folder`, in the order in which they ended."""
    found = []
    for file in folder.glob(traces):
        for line in file.read_text().splitlines():
            if match := LINE.fullmatch(line):
                began, name, arguments, result, took = match.groups()
                texts = [bytes.fromhex(text.replace("\\x", "")) for text in TEXT.findall(arguments)]
                names = [os.fsdecode(text) for text in texts]
                # A call that ends with `at` names a folder before each name in it; the others are told a file.
                pairs = {"mkdirat": 1, "unlinkat": 1, "renameat": 2, "renameat2": 2, "linkat": 2, "openat": 1}.get(
                    name, 0
                )
                paths = [folder.joinpath(*names[2 * i : 2 * i + 2]) for i in range(pairs)] or [folder / names[0]]
                flags = frozenset(re.findall(r"O_[A-Z]+", arguments))
                last = re.search(r"(\d+)$", arguments)
                call = Call(name, tuple(paths), texts[-1], flags, int(last[1]) if last else 0, int(result))
                found.append((float(began) + float(took), call))
    yield from (call for _, call in sorted(found, key=lambda entry: entry[0]))


class Disk:
    """What was written below a folder, and what of it would survive."""

    def __init__(self, root: Path, manifest: Path) -> None:
        self.root = root
        self.book = (manifest, manifest.with_name(manifest.name + "-wal"))
        self.written: dict[Path, bytearray] = {}
        self.synced: dict[Path, bytes] = {}
        self.sizes: defaultdict[Path, int] = defaultdict(int)
        self.whole: dict[Path, int] = {}
        self.unsafe: defaultdict[Path, set[Path]] = defaultdict(set)
        self.names: set[str] = set()
        self.taken_back: set[str] = set()
        self.journal: defaultdict[Path, bytes] = defaultdict(bytes)
        self.claimed: dict[Path, bytes] = {}

    def load(self) -> None:
        """Take the manifest for safe as it is."""
        self.synced = {self.book[0]: self.book[0].read_bytes(), self.book[1]: b""}
        self.written = {path: bytearray(body) for path, body in self.synced.items()}

    def take(self, call: Call) -> None:
        """Do what a call did, and look whether all is sound wherever it may no longer be."""
        path = call.paths[0]
        if path in self.book:
            self.take_of_book(path, call)
        elif path.suffix == ".journal":
            self.take_of_journal(path, call)
        elif call.name == "write":
            self.sizes[path] += call.result
        elif call.name in ("fsync", "fdatasync"):
            self.whole[path] = self.sizes[path]
            self.unsafe.pop(path, None)
        elif call.name in ("mkdir", "mkdirat"):
            self.unsafe[path.parent].add(path)
        elif call.name == "linkat":
            self.name(path, call.paths[1])
        elif call.name in ("unlink", "unlinkat"):
            self.whole.pop(path, None)
            self.look()
        assert not call.name.startswith("rename"), "a name is given in a way that may take it from another file"

    def take_of_book(self, path: Path, call: Call) -> None:
        """The same, of the manifest's files."""
        match call.name:
            case "pwrite64":
                body = self.written[path]
                body.extend(bytes(max(0, call.number - len(body))))
                body[call.number : call.number + call.result] = call.body
            case "fsync" | "fdatasync":
                self.look()
                self.synced[path] = bytes(self.written[path])
                self.look()
            case "unlink" | "unlinkat":
                self.written[path] = bytearray()
                self.look()
            case _:
                pass

    def take_of_journal(self, path: Path, call: Call) -> None:
        """The same, of a journal."""
        match call.name:
            case "openat" if "O_CREAT" in call.flags:
                self.unsafe[path.parent].add(path)
            case "pwrite64":
                assert call.number == 0
                self.journal[path] = call.body
            case "ftruncate":
                self.journal[path] = self.journal[path][: call.number]
            case "fsync" | "fdatasync":
                self.claimed[path] = self.journal[path]
            case _:
                pass

    def name(self, path: Path, named: Path) -> None:
        """A file gets its name."""
        assert self.written == self.synced, "a batch begins before the one before it is safe"
        claims = b"".join(body for journal, body in self.claimed.items() if not self.lost(journal))
        assert f'"{named.relative_to(self.root / "images")}"'.encode() in claims, "named before it was claimed"
        self.whole[named] = self.whole.get(path, -1)
        self.unsafe[named.parent].add(named)

    def lost(self, path: Path) -> bool:
        """Whether the folders above do not name a path for sure."""
        return bool(set().union(*self.unsafe.values()) & {path, *path.parents})

    def look(self) -> None:
        """Every image that the manifest would speak of would be there."""
        unsafe = set().union(*self.unsafe.values())
        copies = [self.root / f"copy.db{suffix}" for suffix in ("", "-wal")]
        for survived in (self.written, self.synced):
            for path, copy in zip(self.book, copies, strict=True):
                copy.write_bytes(survived[path])
            with closing(sqlite3.connect(copies[0])) as book:
                assert book.execute("PRAGMA quick_check").fetchone() == ("ok",)
                rows = book.execute("SELECT path, bytes FROM images").fetchall()
            for name, size in rows:
                path = self.root / "images" / name
                assert self.whole.get(path) == size, name
                assert not unsafe & {path, *path.parents}, name
        names = {name for name, _ in rows}
        self.taken_back |= self.names - names
        self.names = names


def traced(scraper: Scraper, name: str) -> None:
    """Fetch, and leave a trace of it for each thread."""
    command = [*STRACE, "-o", name, *scraper.command("fetch", "--threads", "4")]
    process = subprocess.Popen(
        command,
        cwd=scraper.folder,
        env=scraper.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    ended = finish(process)
    if ended.code and "ptrace" in ended.err.lower():
        pytest.skip(f"tracing is not permitted here: {ended.err.splitlines()[0]}")
    assert ended.code == 0, ended


def test_a_power_cut_at_any_moment_leaves_no_row_without_its_file(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    same = photos.photo("same.jpg")

    async def answer(_: Request, wire: Wire) -> None:
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(same) + same)
        await wire.flush()

    with StandIn(World.of(21, CLASSES, flickr=25, other=0, mix={Fate.ALIVE: 4, Fate.GONE_404: 1})) as standin:
        scraper = Scraper(tmp_path, standin)
        disk = Disk(tmp_path, scraper.manifest)
        standin.latency = 0.1
        for n in ("1", "15"):  # the second run finds that the image of the first is a placeholder
            scraper.done("plan", TENCH, CLOCK, "-n", n)
            for (url,) in scraper.rows("SELECT url FROM candidates WHERE wnid = ? AND rank <= 3", TENCH):
                standin.script(urlsplit(url).netloc, urlsplit(url).path, answer)
            disk.load()
            traced(scraper, f"trace-{n}")
            for call in calls(tmp_path, f"trace-{n}.*"):
                disk.take(call)
    assert disk.names == {path for (path,) in scraper.rows("SELECT path FROM images")}
    assert disk.taken_back
    check(scraper)
