"""The machine fails: disks fill, folders vanish, descriptors run out, others hold the manifest. Real faults, each."""

from __future__ import annotations

import fcntl
import gc
import io
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from resource import RLIMIT_FSIZE, RLIMIT_NOFILE
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest
from PIL import Image

from scraper import FetchOptions, NetworkOptions, fetch
from scraper.errors import StoppedEarlyError
from scraper.web.options import parse_connect_to
from tests.command import LONGEST, Result, Scraper, check, check_files, check_manifest, finish
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import Fate, StandIn, World, photos

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scraper.fetching.standing import FetchProgress
    from tests.nursery import Forked
    from tests.standin import Request, Wire

WANTED: Final = 30
SAVED: Final = "SELECT count(*) FROM images"


def small(name: str) -> bytes:
    """A picture of about a kilobyte, of its own for each name."""
    out = io.BytesIO()
    Image.linear_gradient("L").resize((100, 100)).save(out, "JPEG", quality=40)
    return photos._picture(out.getvalue(), "jpg").stamped(name)


@pytest.fixture
def standin() -> Iterator[StandIn]:
    world = World.of(21, CLASSES, flickr=40, other=3, mix={Fate.ALIVE: 1})
    with StandIn(world) as running:
        yield running


@pytest.fixture
def planned(tmp_path: Path, standin: StandIn) -> Scraper:
    scraper = Scraper(tmp_path, standin)
    scraper.done("plan", TENCH, CLOCK, "-n", str(WANTED))
    standin.reset_counts()
    return scraper


def serve_small(standin: StandIn) -> None:
    """Let every photo be a small one."""

    async def answer(request: Request, wire: Wire) -> None:
        body = small(request.path)
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await wire.flush()

    for url in standin.world.urls():
        standin.script(url.split("/")[2], "*", answer)


def shell(scraper: Scraper, setup: str, *words: str) -> Result:
    """Run a command after `setup` in a shell, which may limit it or redirect it."""
    done = subprocess.run(
        ["sh", "-c", f'{setup}; exec "$@"', "sh", *scraper.command(*words)],
        cwd=scraper.folder,
        env=scraper.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LONGEST,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def stopped_clearly(result: Result, *codes: int) -> str:
    """The one line with which a command ended that could not go on."""
    assert "Traceback" not in result.err, result.err
    assert result.code in (codes or (4,)), result
    errors = [line for line in result.err.splitlines() if line.startswith("scraper: ")]
    assert len(errors) == 1, result.err
    assert result.err.splitlines()[-1] == errors[0]
    return errors[0]


def sound(scraper: Scraper) -> None:
    """Nothing is inconsistent, whatever happened."""
    check_manifest(scraper)
    check_files(scraper, strays=True)


def completes(scraper: Scraper) -> None:
    """The next run does the rest."""
    scraper.done("fetch")
    assert scraper.rows("SELECT wnid, count(*) FROM images GROUP BY wnid") == [(TENCH, WANTED), (CLOCK, WANTED)]
    check(scraper)


def started(scraper: Scraper, standin: StandIn, *words: str, enough: int = 4) -> Forked:
    """A fetch that has saved some images but has not finished."""
    standin.latency = 0.3
    process = scraper.start("fetch", "--threads", "4", *words)
    scraper.wait(SAVED, enough, process)
    return process


# --- the disk is full ------------------------------------------------------------------------------------------------


def test_no_room_for_an_image(planned: Scraper) -> None:
    """A limit on the size of files fails a write as a full disk does, without root."""
    result = planned.run("fetch", limits={RLIMIT_FSIZE: 2**16})  # enough for the manifest, not for a photo
    assert "cannot write to images" in stopped_clearly(result)
    assert planned.rows("SELECT exit_code FROM runs ORDER BY id DESC LIMIT 1") == [(4,)]
    sound(planned)
    check(planned)
    completes(planned)


@pytest.mark.parametrize("kibibytes", [12, 24])
def test_no_room_for_a_commit(planned: Scraper, standin: StandIn, kibibytes: int) -> None:
    """Room for small images and no room for the manifest to grow, at several points of its work."""
    serve_small(standin)
    standin.latency = 0.1
    result = planned.run("fetch", "--threads", "2", limits={RLIMIT_FSIZE: 1024 * kibibytes})
    assert "manifests/scraper.db could not be written" in stopped_clearly(result)
    sound(planned)
    standin.latency = 0
    completes(planned)


@contextmanager
def small_disk(folder: Path, inodes: int = 0) -> Iterator[bool]:
    """A file system of 8 MB, and of so many files if told, in memory at `folder`, where we may make one."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size=8m,nr_inodes={inodes}", "scraper-test", str(folder)]
    made = (
        os.geteuid() == 0
        and shutil.which("mount") is not None
        and subprocess.run(command, capture_output=True, check=False).returncode == 0
    )
    try:
        yield made
    finally:
        if made:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path, free: int) -> Path:
    """Leave `free` bytes on the disk of `folder`."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        room = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize - free
        file.write(bytes(max(0, room)))
    return ballast


@pytest.mark.parametrize("free", [0, 32, 300])
def test_a_full_disk_stops_a_fetch(tmp_path: Path, standin: StandIn, free: int) -> None:
    """A real disk with some KiB left, from none at all."""
    with small_disk(tmp_path / "disk") as made:
        if not made:
            return  # the limits on the size of files above tell nearly as much
        scraper = Scraper(tmp_path / "disk", standin)
        scraper.done("plan", TENCH, CLOCK, "-n", str(WANTED))
        ballast = fill(scraper.folder, free * 1024)
        line = stopped_clearly(scraper.run("fetch", "--threads", "4"))
        assert any(word in line for word in ("disk is full", "could not be written")), line
        ballast.unlink()  # reading needs some room too, for what SQLite keeps beside the file
        sound(scraper)
        completes_by_plan(scraper, standin)


@pytest.mark.parametrize("inodes", [1, 2, 3])
def test_an_output_folder_on_a_full_disk_is_no_wrong_input(planned: Scraper, inodes: int) -> None:
    """Room for none of the folders that a fetch begins with, for one, and for both but no file in them."""
    disk = planned.folder / "disk"
    with small_disk(disk, inodes) as made:
        if not made:
            return
        assert "the disk is full" in stopped_clearly(planned.run("fetch", "--out", "disk"))
        check_manifest(planned)
        subprocess.run(["mount", "-o", "remount,nr_inodes=0", str(disk)], check=True)
        planned.done("fetch", "--out", "disk")
        assert planned.one(SAVED) == 2 * WANTED


def completes_by_plan(scraper: Scraper, standin: StandIn) -> None:
    """The disk is small: small photos do to see that the rest is done."""
    serve_small(standin)
    completes(scraper)


# --- the output folder -----------------------------------------------------------------------------------------------


def test_the_output_folder_is_replaced_by_a_file(planned: Scraper, standin: StandIn) -> None:
    process = started(planned, standin)
    planned.images.rename(planned.folder / "aside")
    planned.images.write_text("no folder")
    result = finish(process)
    if result.code:  # what is open may be written to; that is no harm
        stopped_clearly(result)
    check_manifest(planned)
    standin.latency = 0
    stopped_clearly(planned.run("fetch"), 2)
    planned.images.unlink()
    (planned.folder / "aside").rename(planned.images)
    completes(planned)


def test_a_class_folder_is_removed_during_a_run(planned: Scraper, standin: StandIn) -> None:
    process = started(planned, standin, enough=10)
    shutil.rmtree(planned.images / TENCH)
    result = finish(process)
    if result.code:
        stopped_clearly(result)
    check_manifest(planned)
    standin.latency = 0
    completes(planned)


def test_a_class_folder_is_a_file(planned: Scraper) -> None:
    planned.images.mkdir()
    (planned.images / TENCH).write_text("no folder")
    assert TENCH in stopped_clearly(planned.run("fetch"))
    check_manifest(planned)
    (planned.images / TENCH).unlink()
    completes(planned)


def remove(folder: Path) -> None:
    """Remove a folder into which a run still writes."""
    while folder.exists():  # what comes in the meantime keeps it
        shutil.rmtree(folder, ignore_errors=True)


def test_the_temporary_folder_is_removed_during_a_run(planned: Scraper, standin: StandIn) -> None:
    process = started(planned, standin)
    remove(planned.images / ".partial")
    stopped_clearly(finish(process))
    sound(planned)
    standin.latency = 0
    completes(planned)


def test_torn_files_are_healed(planned: Scraper, standin: StandIn) -> None:
    """After a power cut: a short, an empty and a missing file, found without reading the others."""
    planned.done("fetch")
    urls = planned.rows("SELECT path, url FROM images WHERE rowid OR 1 ORDER BY path LIMIT 3")
    (planned.images / urls[0][0]).write_bytes(b"")
    os.truncate(planned.images / urls[1][0], 1000)
    (planned.images / urls[2][0]).unlink()
    standin.reset_counts()
    result = planned.done("fetch")
    assert "3 images were missing or of the wrong size" in result.err
    assert [standin.count(url) for _, url in urls] == [1, 1, 1]
    assert len(standin.requests) == 3
    torn = [path for path, _ in urls[:2]]
    check(planned, others=torn)
    planned.done("verify", "--remove-strays")
    completes(planned)


# --- descriptors and threads -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [16, 24, 64])
def test_out_of_file_descriptors(planned: Scraper, standin: StandIn, most: int) -> None:
    """It says nothing of any photo: either there are enough after all, or the run stops and says why."""
    standin.latency = 0.2
    result = planned.run("fetch", "--threads", "64", limits={RLIMIT_NOFILE: most})
    if result.code:
        stopped_clearly(result)
    sound(planned)
    assert planned.rows("SELECT DISTINCT outcome, error FROM attempts WHERE outcome <> 'saved'") == []
    standin.latency = 0
    completes(planned)


LAST_DESCRIPTORS: Final = """
import os, pathlib, resource, sys
from scraper.web.client import Client
from scraper.web.options import NetworkOptions, parse_connect_to

connect_to, ca_certs, url = sys.argv[1:]
options = NetworkOptions(connect_to=parse_connect_to(connect_to), ca_certs=pathlib.Path(ca_certs))
with Client(options, threads=1) as client:
    os.close(lowest := os.open(os.devnull, os.O_RDONLY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 2, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    print(client.get(url, max_bytes=10**7).status)
"""


def test_a_connection_that_takes_the_last_descriptors_needs_no_more(planned: Scraper, standin: StandIn) -> None:
    """It has a socket and a duplicate of it; nothing is imported then, which would fail."""
    url = planned.one("SELECT url FROM candidates LIMIT 1").replace("http:", "https:")
    command = [sys.executable, "-W", "error", "-c", LAST_DESCRIPTORS, standin.connect_to, str(standin.ca_file), url]
    done = subprocess.run(
        command, env=planned.environment(), capture_output=True, text=True, timeout=LONGEST, check=False
    )
    assert (done.stdout, done.stderr) == ("200\n", "")


@pytest.mark.parametrize("threads", [1, 512])
def test_few_and_many_threads(planned: Scraper, standin: StandIn, threads: int) -> None:
    planned.done("fetch", "--threads", str(threads))
    assert standin.peak <= threads
    completes(planned)
    assert len(standin.requests) == 2 * WANTED


def test_nothing_is_left_in_a_process_that_goes_on(planned: Scraper, standin: StandIn) -> None:
    network = NetworkOptions(connect_to=parse_connect_to(standin.connect_to), ca_certs=standin.ca_file)
    options = FetchOptions(out=planned.images, threads=24, network=network)
    fetch(options, manifest=planned.manifest)  # what is opened once and kept, such as /dev/urandom, is by now
    gc.collect()  # what earlier tests dropped would be closed in between
    threads, descriptors = threading.active_count(), len(os.listdir("/dev/fd"))  # noqa: PTH208 - not a folder of files
    shutil.rmtree(planned.images / CLOCK)
    fetch(options, manifest=planned.manifest)
    gc.collect()
    assert threading.active_count() == threads
    assert len(os.listdir("/dev/fd")) == descriptors  # noqa: PTH208
    check(planned)


# --- others at the manifest ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_fetch_waits_for_another_program_that_holds_the_manifest(
    planned: Scraper, standin: StandIn, mode: str
) -> None:
    process = started(planned, standin)
    with closing(sqlite3.connect(planned.manifest, timeout=30, isolation_level=None)) as other:
        other.execute(f"BEGIN {mode}")
        before = planned.one(SAVED)
        time.sleep(3)
        assert planned.one(SAVED) == before
        other.execute("ROLLBACK")
    assert finish(process).code == 0
    check(planned)


def fetch_until_locked(scraper: Scraper, standin: StandIn, requests: int, locked: threading.Event) -> None:
    """A fetch that waits a second for others at the manifest; one locks it for good after so many requests."""
    network = NetworkOptions(connect_to=parse_connect_to(standin.connect_to), ca_certs=standin.ca_file)
    options = FetchOptions(out=scraper.images, threads=4, lock_wait=1.0, network=network)
    with closing(sqlite3.connect(scraper.manifest, timeout=30, isolation_level=None)) as other:

        def progress(state: FetchProgress) -> None:
            if state.requests >= requests and not other.in_transaction:
                other.execute("BEGIN IMMEDIATE")
                locked.set()

        with pytest.raises(StoppedEarlyError, match=r"keeps .*scraper\.db locked: close it and run again$"):
            fetch(options, manifest=scraper.manifest, progress=progress)
        other.execute("ROLLBACK")


def test_a_manifest_that_stays_locked_stops_a_fetch(planned: Scraper, standin: StandIn) -> None:
    standin.latency = 0.1
    fetch_until_locked(planned, standin, 4, threading.Event())
    sound(planned)
    standin.latency = 0
    completes(planned)


def test_images_are_not_taken_back_where_the_manifest_cannot_say_so(tmp_path: Path, standin: StandIn) -> None:
    scraper, locked, same = Scraper(tmp_path, standin), threading.Event(), small("same")

    async def answer(_: Request, wire: Wire) -> None:
        while not locked.is_set():
            await wire.sleep(0.01)
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(same) + same)
        await wire.flush()

    scraper.done("plan", TENCH, "-n", "1")
    for (url,) in scraper.rows("SELECT url FROM candidates ORDER BY rank LIMIT 3"):
        standin.script(urlsplit(url).netloc, urlsplit(url).path, answer)
    locked.set()
    scraper.done("fetch")
    scraper.done("plan", TENCH, "-n", "3")
    locked.clear()
    fetch_until_locked(scraper, standin, 0, locked)  # the third photo shows that the image of the first is none
    assert scraper.one(SAVED) == 1
    sound(scraper)
    scraper.done("fetch")
    assert sorted(scraper.rows("SELECT rank FROM candidates WHERE state = 'saved'")) == [(4,), (5,), (6,)]
    check(scraper)


def test_commands_begin_while_another_program_holds_the_manifest(planned: Scraper) -> None:
    with closing(sqlite3.connect(planned.manifest, timeout=30, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        processes = [planned.start("fetch"), planned.start("report"), planned.start("verify")]
        assert finish(processes[1]).code == 0
        assert finish(processes[2]).code in (0, 1)
        time.sleep(1)
        assert processes[0].poll() is None
        other.execute("ROLLBACK")
    assert finish(processes[0]).code == 0
    completes(planned)


def test_a_reader_that_stays_does_no_harm(planned: Scraper, standin: StandIn) -> None:
    """As Datasette does, or a notebook that was left open: an old state of the manifest is held all the time."""
    with closing(sqlite3.connect(planned.manifest, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM candidates WHERE state = 'saved'").fetchone() == (0,)
        planned.done("fetch")
        assert reader.execute("SELECT count(*) FROM candidates WHERE state = 'saved'").fetchone() == (0,)
        assert planned.one(SAVED) == 2 * WANTED
        planned.done("verify")
        reader.execute("ROLLBACK")
        assert reader.execute(SAVED).fetchone() == (2 * WANTED,)
    check(planned)
    standin.reset_counts()
    completes(planned)
    assert standin.requests == []


BESIDE: Final = ("", "-wal", "-shm")
"""What SQLite adds to the name of a manifest for the files it keeps."""


def test_a_manifest_that_is_removed_ends_a_fetch(planned: Scraper, standin: StandIn) -> None:
    process = started(planned, standin)
    for suffix in BESIDE:
        planned.manifest.with_name(planned.manifest.name + suffix).unlink()
    assert "scraper.db was removed" in stopped_clearly(finish(process), 3)
    standin.latency = 0
    assert "scraper plan" in stopped_clearly(planned.run("fetch"), 3)
    before = {path: path.read_bytes() for path in planned.images.glob("n*/*")}
    planned.done("plan", TENCH, CLOCK, "-n", str(WANTED))
    planned.done("fetch")
    assert planned.one(SAVED) == 2 * WANTED
    check_manifest(planned)
    check_files(planned, strays=True)
    assert {path: path.read_bytes() for path in before} == before
    # What the first one's last batch left may be wanted by its rows, wherever it is now; the rest is shared.
    assert 0 < planned.one("SELECT count(*) FROM images WHERE adopted") <= len(before)


def test_a_manifest_that_was_moved_and_put_back_has_lost_nothing(planned: Scraper, standin: StandIn) -> None:
    process = started(planned, standin)
    aside = planned.folder / "aside.db"
    planned.manifest.rename(aside)
    assert "put it back" in stopped_clearly(finish(process), 3)
    aside.rename(planned.manifest)
    sound(planned)
    assert planned.one(SAVED) >= 4
    standin.latency = 0
    completes(planned)


# --- one run at a time -----------------------------------------------------------------------------------------------


def test_only_one_run_writes_and_readers_may_read(planned: Scraper, standin: StandIn) -> None:
    process = started(planned, standin)
    standin.latency = 1.0
    writers = (("fetch",), ("plan", TENCH), ("verify", "--repair"), ("survey",))
    for result in planned.all(*writers):
        assert f"(process {process.pid})" in stopped_clearly(result, 3)
    for words in (("verify",), ("report",), ("report", "--format", "json")):
        planned.done(*words)
    standin.latency = 0
    assert finish(process).code == 0
    assert planned.one("SELECT count(*) FROM runs WHERE command = 'fetch'") == 1
    completes(planned)


def test_the_lock_of_a_dead_process_does_not_block(planned: Scraper, standin: StandIn) -> None:
    process = started(planned, standin)
    process.kill()
    process.communicate()
    lock = planned.manifest.with_name("scraper.db.lock")
    assert lock.read_text() == f"process {process.pid}"
    standin.latency = 0
    completes(planned)
    lock.write_text("process 1")
    planned.done("fetch")


def test_verify_needs_no_lock(copied: Scraper) -> None:
    """It only reads: where nothing can be written, and beside others who look."""
    lock = copied.manifest.with_name("scraper.db.lock")
    lock.unlink()
    before = copied.snapshot()
    copied.done("verify")
    assert copied.snapshot() == before
    (copied.images / TENCH / "stray.jpg").touch()
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # as another verify does, for a moment
        assert "stray.jpg" in copied.done("verify", code=1).out
        fcntl.flock(file, fcntl.LOCK_EX)  # as a run does, which may have files that are not recorded yet
        copied.done("verify")


# --- permissions and secrets -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("umask", ["022", "027", "077", "002"])
def test_what_is_made_respects_the_umask(tmp_path: Path, standin: StandIn, umask: str) -> None:
    scraper = Scraper(tmp_path, standin)
    serve_small(standin)
    assert scraper.run("plan", TENCH, "-n", "3", umask=int(umask, 8)).code == 0
    assert scraper.run("fetch", umask=int(umask, 8)).code == 0
    made = [path for name in ("manifests", "images") for path in [tmp_path / name, *(tmp_path / name).rglob("*")]]
    assert len(made) >= 7
    for path in made:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert not mode & int(umask, 8), (path, oct(mode))
        assert not mode & 0o7002, (path, oct(mode))
        assert bool(mode & 0o111) == path.is_dir(), (path, oct(mode))


def test_passwords_are_not_recorded(tmp_path: Path, standin: StandIn) -> None:
    """Neither typed in nor out of an error message."""
    scraper = Scraper(tmp_path, standin)
    proxy = "http://me:hunter2@127.0.0.1:9"
    standin.world.write_folder(tmp_path / "lists")
    scraper.done("plan", TENCH, "-n", "3", "--source", "lists", "--proxy", proxy)
    scraper.done("fetch", f"--proxy={proxy}")
    argv = [json.loads(row) for (row,) in scraper.rows("SELECT argv FROM runs ORDER BY id")]
    assert "http://***@127.0.0.1:9" in argv[0]
    assert "--proxy=http://***@127.0.0.1:9" in argv[1]
    alone = Scraper(tmp_path)  # nothing answers there: the error is what is recorded
    result = alone.run("plan", CLOCK, "-n", "3", "--source", "http://nobody.example/{wnid}", "--proxy", proxy)
    assert result.code in (1, 4)
    assert "hunter2" not in result.out + result.err
    for path in scraper.manifest.parent.iterdir():
        assert b"hunter2" not in path.read_bytes(), path


@pytest.mark.parametrize("kibibytes", [0, 8, 64, 140])
def test_no_room_for_a_manifest_to_begin(tmp_path: Path, standin: StandIn, kibibytes: int) -> None:
    """A plan that could not make its manifest leaves nothing that keeps the next one from making it."""
    scraper = Scraper(tmp_path, standin)
    result = shell(scraper, f"ulimit -f {2 * kibibytes}", "plan", TENCH, CLOCK, "-n", str(WANTED))
    if result.code:
        assert "scraper.db" in stopped_clearly(result)
    scraper.done("plan", TENCH, CLOCK, "-n", str(WANTED))
    completes(scraper)


@pytest.mark.parametrize("free", [0, 8, 64, 180])
def test_a_full_disk_stops_a_plan(tmp_path: Path, standin: StandIn, free: int) -> None:
    with small_disk(tmp_path / "disk") as made:
        if not made:
            return
        scraper = Scraper(tmp_path / "disk", standin)
        scraper.folder.joinpath("manifests").mkdir()
        ballast = fill(scraper.folder, free * 1024)
        result = scraper.run("plan", TENCH, CLOCK, "-n", str(WANTED))
        if result.code:
            stopped_clearly(result)
        ballast.unlink()
        scraper.done("plan", TENCH, CLOCK, "-n", str(WANTED))
        completes_by_plan(scraper, standin)


def test_the_output_folder_is_removed_during_a_run(planned: Scraper, standin: StandIn) -> None:
    process = started(planned, standin)
    remove(planned.images)
    assert "cannot write to images" in stopped_clearly(finish(process))
    check_manifest(planned)
    standin.latency = 0
    # What it tells to do must lead out of it.
    line = stopped_clearly(planned.run("fetch"), 2)
    assert "`scraper verify --repair --missing-anyway`" in line
    planned.done("verify", "--repair", "--missing-anyway")
    completes(planned)


def test_a_lock_is_that_of_the_manifest_by_whatever_path(planned: Scraper, standin: StandIn) -> None:
    """Two runs must not write because one of them came through a link."""
    link = planned.folder / "link.db"
    link.symlink_to(planned.manifest)
    process = started(planned, standin)
    standin.latency = 2.0
    stopped_clearly(planned.run("fetch", "--manifest", "link.db"), 3)
    process.send_signal(signal.SIGTERM)
    assert finish(process).code == 130
    standin.latency = 0
    completes(planned)


@pytest.mark.parametrize("words", [("--help",), ("report",), ("verify",), ("plan", TENCH), ("fetch",)])
def test_output_that_cannot_be_written(planned: Scraper, words: tuple[str, ...]) -> None:
    """A full disk behind stdout is told in one line, whatever was done is done, and nothing is a crash."""
    result = shell(planned, "exec >/dev/full", *words)
    assert "standard output" in stopped_clearly(result, 4 if words[0] in ("plan", "fetch") else 2, 4)
    sound(planned)


def test_what_was_removed_stands_where_that_cannot_be_written(planned: Scraper) -> None:
    planned.done("fetch")
    stray = planned.images / TENCH / "mine.txt"
    stray.write_text("mine")
    stopped_clearly(shell(planned, "exec >/dev/full", "verify", "--remove-strays"), 4)
    check(planned)


def test_who_reads_no_further_changes_no_exit_code(planned: Scraper) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    for words, code in ((("report",), 0), (("report", "--check"), 1), (("plan", "n00000000"), 1)):
        done = subprocess.run(
            planned.command(*words), cwd=planned.folder, env=planned.environment(), stdout=writer, check=False
        )
        assert done.returncode == code, words
    os.close(writer)


@pytest.mark.parametrize("words", [("--help",), ("report",), ("verify",), ("plan", TENCH), ("fetch",)])
def test_closed_output(planned: Scraper, words: tuple[str, ...]) -> None:
    """With stdout closed there is nobody to tell: the work is done all the same."""
    result = shell(planned, "exec >&-", *words)
    assert "Traceback" not in result.err, result.err
    assert result.code == 0, result
    sound(planned)


@pytest.mark.parametrize("where", [">&-", ">/dev/full"])
def test_messages_that_cannot_be_written(planned: Scraper, where: str) -> None:
    assert shell(planned, f"exec 2{where}", "fetch").code == 0
    assert shell(planned, f"exec 2{where}", "fetch", "--nonsense").code == 2
    assert shell(planned, f"exec 2{where}", "fetch", "--manifest", "none.db").code == 3
    check(planned)


def test_a_password_in_the_source_is_not_recorded(tmp_path: Path, standin: StandIn) -> None:
    scraper = Scraper(tmp_path, standin)
    source = "http://me:hunter2@www.image-net.org/api/imagenet.synset.geturls?wnid={wnid}"
    result = scraper.run("plan", TENCH, "-n", "3", "--source", source)
    assert "hunter2" not in result.out + result.err
    if scraper.manifest.parent.exists():
        for path in scraper.manifest.parent.iterdir():
            assert b"hunter2" not in path.read_bytes(), path


def test_memory_limits_are_not_a_crash(planned: Scraper) -> None:
    """No room for threads: one line, and the rest later."""
    result = shell(planned, "ulimit -v 400000", "fetch", "--threads", "512")
    assert "Traceback" not in result.err, result.err
    assert result.code in (0, 4), result
    sound(planned)
    completes(planned)
