"""Processes for the command without the cost of starting Python for each: one that has all imported forks the others.

    nursery = Nursery()
    nursery.start(["report"], cwd=folder, env=environment).communicate()

A child is a process like any other: it has its own memory, streams and working folder, it may be killed, and it ends
as the interpreter would, waiting for its threads. Only the imports were done before.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import functools
import gc
import json
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_LONGEST_REQUEST: Final = 2**20
KILL_AT: Final = "NURSERY_KILL_AT"
"""A variable that has a child killed the moment before it does the n-th thing to a file."""
_PRELOADED: Final = (
    "scraper.cli.main",
    "scraper.cli.calling",
    "scraper.cli.telling.progress",
    "scraper.cli.telling.summaries",
    "scraper.planning.resolving",
    "scraper.fetching.draining",
    "scraper.reporting.formats",
    "scraper.reporting.text",
    "scraper.auditing.verifying",
    "scraper.auditing.surveying",
    "scraper.auditing.forgetting",
    "scraper.auditing.tracing",
    "scraper.cli.hints",
    "scraper.cli.telling.classes",
    "scraper.cli.telling.planned",
    "scraper.cli.telling.traces",
    "scraper.exporting.dataset",
    "scraper.planning.wanted.dropping",
    "scraper.reporting.locked",
    "scraper.reporting.methods",
    "scraper.reporting.oneclass",
)
_WARMING: Final = (
    "plan -n 1 tench --source .",
    "report",
    "report --format json",
    "verify",
    "classes crane",
    "drop tench",
    "fetch",
)
"""Commands that need no network, the last one since nothing is left to fetch."""


@functools.cache
def nursery() -> Nursery:
    """The nursery of this process, made when it is first needed."""
    return Nursery()


class Nursery:
    """A process that forks others. Requests may come from many threads."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="nursery-")
        self._address = str(Path(self._folder.name) / "door")
        # It ends when our end of this pipe does, however that happens.
        held, self._hold = os.pipe()
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(self._address)
        listener.listen(64)
        inherited = (listener.fileno(), held)
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.nursery", *map(str, inherited)],
            pass_fds=inherited,
            env={name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"},
        )
        listener.close()
        os.close(held)
        atexit.register(self.close)

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            os.close(self._hold)
        self._process.wait(10)
        self._folder.cleanup()

    def start(
        self,
        words: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdin: bytes = b"",
        umask: int = -1,
        limits: Mapping[int, int] | None = None,
    ) -> Forked:
        """Start a command.

        Args:
            words: of the command line.
            cwd: its working folder.
            env: its environment.
            stdin: what it finds on standard input.
            umask: its umask; ours where that is negative.
            limits: the most it may have of each resource, by the numbers of `resource`.
        """
        its = {"words": [*words], "cwd": str(cwd), "env": {**env}, "umask": umask, "limits": [*(limits or {}).items()]}
        with contextlib.ExitStack() as stack:
            given, out, err = (stack.enter_context(tempfile.TemporaryFile()) for _ in range(3))
            given.write(stdin)
            given.seek(0)
            door = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            door.connect(self._address)
            streams = array.array("i", [given.fileno(), out.fileno(), err.fileno()])
            request = json.dumps(its).encode("utf-8", "surrogateescape")
            door.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
            pid = int(door.recv(64))
            stack.pop_all()
        given.close()
        return Forked(pid, door, out, err)


class Forked:
    """A command under way, as `subprocess.Popen` shows it.

    Attributes:
        pid: of its process.
        returncode: its exit code, or minus the signal that ended it; None while it runs.
        out: what it wrote, once it has ended.
        err: the same of standard error.
    """

    def __init__(self, pid: int, door: socket.socket, out: IO[bytes], err: IO[bytes]) -> None:
        """With the socket by which its end is told, and the files that it writes to."""
        self.pid = pid
        self.returncode: int | None = None
        self.out = self.err = b""
        self._door = door
        self._files = (out, err)

    def poll(self) -> int | None:
        """Its exit code if it has ended."""
        with contextlib.suppress(BlockingIOError):
            self._await(0.0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code once it has ended.

        Raises:
            TimeoutExpired: it did not within so many seconds.
        """
        try:
            return self._await(timeout)
        except TimeoutError:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0.0) from None

    def communicate(self, *, timeout: float | None = None) -> tuple[str, str]:
        """What it wrote until it ended.

        Raises:
            TimeoutExpired: it did not within so many seconds.
        """
        self.wait(timeout)
        return self.out.decode(), self.err.decode()

    def _await(self, timeout: float | None) -> int:
        if self.returncode is None:
            self._door.settimeout(timeout)
            self.returncode = int(self._door.recv(64))
            self._door.close()
            for file in self._files:
                file.seek(0)
            self.out, self.err = (file.read() for file in self._files)
            for file in self._files:
                file.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


# --- in the process that forks ---------------------------------------------------------------------------------------


def _serve(listener: socket.socket, held: int) -> None:
    """Fork a child for each request, and tell how it ended."""
    asking: dict[int, socket.socket] = {}
    woken, wake = socket.socketpair()
    wake.setblocking(False)
    woken.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal, meant for the tests
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    with woken, wake, selectors.DefaultSelector() as selector:
        for thing in (listener, held, woken):
            selector.register(thing, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if held in ready:
                return
            if listener in ready:
                door, _ = listener.accept()
                child = _fork(door)
                asking[child] = door
                door.send(str(child).encode())
            if woken in ready:
                with contextlib.suppress(BlockingIOError):
                    while woken.recv(4096):
                        pass
            _bury(asking)


def _bury(asking: dict[int, socket.socket]) -> None:
    while asking:
        child, status = os.waitpid(-1, os.WNOHANG)
        if not child:
            return
        with asking.pop(child) as door, contextlib.suppress(OSError):
            door.send(str(os.waitstatus_to_exitcode(status)).encode())


def _fork(door: socket.socket) -> int:
    message, ancillary, _, _ = door.recvmsg(_LONGEST_REQUEST, socket.CMSG_SPACE(3 * array.array("i").itemsize))
    streams = array.array("i")
    streams.frombytes(ancillary[0][2][: 3 * streams.itemsize])
    child = os.fork()
    if child == 0:
        _become(json.loads(message.decode("utf-8", "surrogateescape")), list(streams))
    for stream in streams:
        os.close(stream)
    return child


def _become(request: dict[str, Any], streams: list[int]) -> NoReturn:
    """Be the command that was asked for."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(3, 256)
        os.chdir(request["cwd"])
        for each, most in request["limits"]:
            resource.setrlimit(each, (most, most))
        if request["umask"] >= 0:
            os.umask(request["umask"])
        os.environ.clear()
        os.environ.update(request["env"])
        _open_streams()
        if moment := os.environ.pop(KILL_AT, ""):
            _die_before_change(int(moment))
        code = _command(request["words"])
    except BaseException:  # noqa: BLE001 - shown as the interpreter would
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            threading._shutdown()  # type: ignore[attr-defined]  # what the interpreter does at its end
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _die_before_change(left: int) -> None:
    def hook(event: str, args: tuple[object, ...]) -> None:
        nonlocal left
        journal = event == "open" and str(args[0]).endswith(".journal")
        if journal or event in ("os.remove", "os.rmdir", "os.truncate", "os.rename", "os.link"):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _open_streams() -> None:
    encoding, _, errors = os.environ.get("PYTHONIOENCODING", "utf-8").partition(":")
    sys.stdin = open(0, encoding=encoding, errors=errors or None, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding=encoding, errors=errors or None, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, encoding=encoding, errors="backslashreplace", closefd=False)  # noqa: SIM115


def _command(words: list[str]) -> int:
    from scraper.cli.main import main  # noqa: PLC0415 - imported before, in the process that forks

    sys.argv = ["scraper", *words]
    try:
        return main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)


def _warm_up() -> None:
    """Run commands once, so that children find the expressions compiled and the table of classes read."""
    words, streams = sys.argv, (sys.stdin, sys.stdout, sys.stderr)
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("r+", encoding="utf-8") as nothing:
        os.chdir(folder)
        Path("n01440764.txt").write_text("http://farm1.static.flickr.com/1/1_0123456789.jpg\n", encoding="utf-8")
        sys.stdin = sys.stdout = sys.stderr = nothing
        for each in _WARMING:
            if code := _command(each.split()):
                raise SystemExit(f"`{each}` ended with {code}")
        sys.stdin, sys.stdout, sys.stderr = streams
        os.chdir(before)
    sys.argv = words
    "localhost".encode("idna")


def _main() -> None:
    for name in _PRELOADED:
        __import__(name)
    _warm_up()
    gc.collect()
    gc.freeze()  # a child that collects garbage must not touch, and so copy, all that was imported
    listener, held = (int(word) for word in sys.argv[1:])
    with socket.socket(fileno=listener) as door:
        _serve(door, held)


if __name__ == "__main__":
    _main()
