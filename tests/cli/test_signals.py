"""Signals from outside, to real processes: each ends whatever is under way, and a second one does so at once."""

from __future__ import annotations

import fcntl
import gzip
import os
import pty
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.command import LONGEST, Scraper, check, check_manifest, finish, until
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import Fate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.command import Process

SOON: Final = 60.0
"""Seconds: far more than a stop may take on a busy machine, less than what it cuts short."""
ENDLESS: Final = 80.0
LAST_RUN: Final = "SELECT command, exit_code, ended_at IS NOT NULL FROM runs ORDER BY id DESC LIMIT 1"
STOPS: Final = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def standin() -> Iterator[StandIn]:
    world = World.of(9, CLASSES, flickr=50, other=5, mix={Fate.ALIVE: 1})
    with StandIn(world, latency=0.1) as running:
        yield running


@pytest.fixture
def planned(tmp_path: Path, standin: StandIn) -> Scraper:
    scraper = Scraper(tmp_path, standin)
    scraper.done("plan", TENCH, CLOCK, "-n", "40")
    return scraper


def _caught(status: str) -> int:
    """The signals that a process has handlers for, a bit each."""
    return int(status.partition("SigCgt:")[2].split()[0], 16)


def ended(process: Process, *signals: signal.Signals) -> int:
    """The exit code of a process that is sent signals, one after another."""
    status = Path(f"/proc/{process.pid}/status")
    if status.exists():  # on a busy machine it may not have come to its handlers
        until(lambda: _caught(status.read_text()) & 1 << signal.SIGTERM - 1 > 0, process)
    began = time.monotonic()
    for number in signals:
        process.send_signal(number)
        time.sleep(0.2)
    code = finish(process).code
    assert time.monotonic() - began < SOON
    return code


# --- the terminal -----------------------------------------------------------------------------------------------------


def test_a_fetch_whose_terminal_is_closed_ends_well(planned: Scraper) -> None:
    ours, theirs = pty.openpty()
    with ExitStack() as stack:
        stack.callback(os.close, theirs)
        process = subprocess.Popen(
            planned.command("fetch", "--threads", "4"),
            cwd=planned.folder,
            env=planned.environment(),
            preexec_fn=lambda: os.login_tty(theirs),  # noqa: PLW1509 - nothing else runs in this process's children
            text=True,
        )
    until(lambda: planned.one("SELECT count(*) FROM images") >= 4, process)
    os.close(ours)
    assert process.wait(LONGEST) == 130
    assert planned.rows(LAST_RUN) == [("fetch", 130, 1)]
    check(planned)


def test_a_hang_up_that_is_ignored_stays_so(planned: Scraper) -> None:
    command = ["nohup", *planned.command("fetch", "--threads", "4")]
    process = subprocess.Popen(
        command,
        cwd=planned.folder,
        env=planned.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until(lambda: planned.one("SELECT count(*) FROM images") >= 4, process)
    process.send_signal(signal.SIGHUP)
    assert finish(process).code == 0
    assert planned.one("SELECT count(*) FROM images") == 80


# --- every command ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", STOPS)
def test_a_plan_from_a_large_index_whose_lines_are_mixed(tmp_path: Path, number: signal.Signals) -> None:
    """All of it is read before there is one class to record, and nobody looks whether it should stop."""
    url = "http://farm1.static.flickr.com/1"
    lines = (f"{TENCH}_{n}\t{url}/{n % 50}_a.jpg\n{CLOCK}_{n}\t{url}/{n % 50}_b.jpg\n" for n in range(50_000))
    part = gzip.compress("".join(lines).encode())
    (tmp_path / "index.gz").write_bytes(part * 100)
    scraper = Scraper(tmp_path)
    process = scraper.start("plan", TENCH, CLOCK, "--source", "index.gz")
    until(lambda: scraper.manifest.exists() and scraper.one("SELECT count(*) FROM sqlite_master") > 0, process)
    time.sleep(1.0)
    assert process.poll() is None
    assert ended(process, number) == 130
    assert scraper.rows(LAST_RUN) == [("plan", 130, 1)]
    assert scraper.one("SELECT count(*) FROM classes") == 0
    check_manifest(scraper)


@pytest.mark.parametrize("number", STOPS)
def test_a_survey_that_waits_for_answers(planned: Scraper, standin: StandIn, number: signal.Signals) -> None:
    planned.done("fetch")
    standin.latency = ENDLESS
    standin.reset_counts()
    process = planned.start("survey", "--timeout", "70")
    until(lambda: len(standin.requests) > 0, process)
    assert ended(process, number) == 130
    assert planned.rows(LAST_RUN) == [("survey", 130, 1)]


@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize("words", [("report", "--format", "html"), ("report", "--format", "json"), ("verify",)])
def test_what_nobody_reads_the_end_of(copied: Scraper, words: tuple[str, ...], number: signal.Signals) -> None:
    if words == ("verify",):  # so that it has much to say
        for at in range(12):
            (copied.images / TENCH / f"{'a long name ' * 18}{at}.jpg").write_bytes(b"")
            (copied.images / CLOCK / f"{'a long name ' * 18}{at}.jpg").write_bytes(b"")
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, b" " * 4000)
    with ExitStack() as stack:
        stack.callback(os.close, reader)
        stack.callback(os.close, writer)
        process = subprocess.Popen(
            copied.command(*words),
            cwd=copied.folder,
            env=copied.environment(),
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(2.0)
        assert process.poll() is None
        assert ended(process, number) == 130


@pytest.mark.parametrize("number", STOPS)
def test_a_plan_whose_input_does_not_come(tmp_path: Path, number: signal.Signals) -> None:
    scraper = Scraper(tmp_path)
    reader, writer = os.pipe()
    with ExitStack() as stack:
        stack.callback(os.close, reader)
        stack.callback(os.close, writer)
        process = subprocess.Popen(
            scraper.command("plan"),
            cwd=tmp_path,
            env=scraper.environment(),
            stdin=reader,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        time.sleep(1.5)
        assert process.poll() is None
        assert ended(process, number) == 130
    assert list(tmp_path.iterdir()) == []


# --- what cannot be interrupted ---------------------------------------------------------------------------------------


def test_connections_that_never_come_about_are_not_waited_for(tmp_path: Path, planned: Scraper) -> None:
    """The kernel drops what does not fit into a listener's queue, and whoever connects waits."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
        address = listener.getsockname()
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(address)
        words = ("fetch", "--threads", "4", "--timeout", "70", "--allow-private")
        command = [*planned.command(*words), f"--connect-to=::127.0.0.1:{address[1]}"]
        command.remove(f"--connect-to={planned.standin.connect_to}")  # type: ignore[union-attr]
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=planned.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        planned.wait("SELECT count(*) FROM runs WHERE command = 'fetch'", 1, process)
        time.sleep(1.0)
        assert ended(process, signal.SIGTERM) == 130
    assert planned.rows(LAST_RUN) == [("fetch", 130, 1)]
    assert planned.one("SELECT count(*) FROM candidates WHERE state = 'lost'") == 0


@pytest.mark.parametrize("signals", [*[(number,) for number in STOPS], (signal.SIGINT, signal.SIGHUP)])
def test_what_waits_in_a_library_is_ended_all_the_same(planned: Scraper, signals: tuple[signal.Signals, ...]) -> None:
    """SQLite waits for a lock of somebody else's, and Python hears of no signal meanwhile."""
    with closing(sqlite3.connect(planned.manifest, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        process = planned.start("fetch")
        time.sleep(2.0)
        assert process.poll() is None
        assert ended(process, *signals) == 130
        other.execute("ROLLBACK")
    check_manifest(planned)
    planned.done("fetch")


TOO_LATE: Final = """
import os, signal, sys
from scraper.cli.signals import interruptible, stopping
from scraper.errors import InterruptedRunError
try:
    with interruptible():
        with stopping():
            os.kill(os.getpid(), signal.SIGINT)
        os.read(os.pipe()[0], 1)
except InterruptedRunError:
    sys.exit(130)
"""


def test_a_signal_that_comes_too_late_for_the_run_ends_what_follows() -> None:
    """The work is done, and nobody reads what is to be said of it."""
    assert subprocess.run([sys.executable, "-c", TOO_LATE], timeout=300, check=False).returncode == 130


UNREAD: Final = """
import fcntl, os, signal, sys, time
from scraper.cli.signals import interruptible, leave
from scraper.errors import InterruptedRunError
reader, writer = os.pipe()
fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
os.write(writer, b" " * 4096)
os.dup2(writer, 1)
try:
    with interruptible():
        sys.stdout.write("not flushed yet")
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(600)
except InterruptedRunError:
    leave(130)
"""


def test_output_that_nobody_reads_does_not_hold_up_the_end() -> None:
    assert subprocess.run([sys.executable, "-c", UNREAD], timeout=LONGEST, check=False).returncode == 130


@pytest.mark.parametrize("number", STOPS)
def test_messages_that_nobody_reads_do_not_hold_up_the_end(planned: Scraper, number: signal.Signals) -> None:
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writer, b" " * 4096)
    process = subprocess.Popen(
        planned.command("fetch"),
        cwd=planned.folder,
        env=planned.environment(),
        stdout=writer,
        stderr=writer,
        text=True,
    )
    planned.wait("SELECT count(*) FROM runs WHERE command = 'fetch'", 1, process)
    time.sleep(1.0)
    process.send_signal(number)
    assert process.wait(LONGEST) == 130
    os.close(reader)
    os.close(writer)


WHILE_LOADING: Final = """
import os, signal, sys
from scraper.__main__ import run

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "scraper.cli.main":
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupt())
run()
"""


def test_a_signal_while_modules_are_loaded_leaves_no_traceback() -> None:
    ended = subprocess.run([sys.executable, "-c", WHILE_LOADING], capture_output=True, timeout=LONGEST, check=False)
    assert (ended.returncode, ended.stderr) == (-signal.SIGINT, b"")


TOO_EARLY: Final = """
import os, signal, sys, time
from scraper.cli.signals import interruptible
from scraper.errors import InterruptedRunError

def interrupt(_frame, event, what):
    if event == "c_return" and what.__name__ == "start_new_thread":
        sys.setprofile(None)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

sys.setprofile(interrupt)
try:
    with interruptible():
        signal.pause()
except InterruptedRunError:
    sys.exit(130)
"""


def test_a_signal_that_comes_while_its_handlers_are_set_up_is_none_of_the_librarys() -> None:
    """It came while the thread was started that hears of signals, and threading's own books were in disorder."""
    done = subprocess.run(
        [sys.executable, "-c", TOO_EARLY], timeout=300, check=False, capture_output=True, stdin=subprocess.DEVNULL
    )
    assert (done.returncode, done.stderr) == (130, b"")


LOST: Final = """
import os, signal, sys
from scraper.cli.signals import interruptible
from scraper.errors import InterruptedRunError

class Swallows:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

try:
    with interruptible():
        Swallows()
        os.read(os.pipe()[0], 1)
except InterruptedRunError:
    sys.exit(130)
"""


def test_a_signal_whose_exception_is_lost_ends_the_command_all_the_same() -> None:
    """It rose in a destructor, where Python passes over it, and what follows waits for ever."""
    command = [sys.executable, "-c", LOST]
    assert subprocess.run(command, timeout=300, check=False, stdin=subprocess.DEVNULL).returncode == 130


LONG_STATEMENT: Final = """
import sys
from pathlib import Path
from scraper.cli.signals import interruptible
from scraper.errors import InterruptedRunError
from scraper.manifest.core import Manifest
from scraper.manifest.database import translated
path = Path(sys.argv[1])
with Manifest.open(path) as manifest:
    print("begins", flush=True)
    try:
        with interruptible(), translated(path):
            numbers = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
            manifest._connection.execute(numbers + " SELECT max(x) FROM c")
    except InterruptedRunError:
        print("interrupted", flush=True)
"""


@pytest.mark.parametrize("number", STOPS)
def test_a_long_statement_can_be_interrupted(filled: Scraper, number: signal.Signals) -> None:
    command = [sys.executable, "-W", "error", "-c", LONG_STATEMENT, str(filled.manifest)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    time.sleep(0.5)
    process.send_signal(number)
    result = finish(process)
    assert (result.code, result.out) == (0, "interrupted\n"), result
