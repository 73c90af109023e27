"""Processes for the command without the cost of starting Python for each: one that has all imported forks the others.

    with Nursery() as nursery:
        nursery.run(["report"], cwd=folder, env=environment, stdin=b"", timeout=90)

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
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

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

    def run(
        self, words: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: bytes, timeout: float
    ) -> tuple[int, bytes, bytes]:
        """Run a command to its end: its exit code, or minus the signal that ended it, and what it wrote.

        Raises:
            TimeoutError: it did not end in time, and was killed.
        """
        request = json.dumps({"words": list(words), "cwd": str(cwd), "env": dict(env)}).encode(
            "utf-8", "surrogateescape"
        )
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door,
            tempfile.TemporaryFile() as given,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            given.write(stdin)
            given.seek(0)
            door.connect(self._address)
            streams = array.array("i", [given.fileno(), out.fileno(), err.fileno()])
            door.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, streams)])
            child = int(door.recv(64))
            door.settimeout(timeout)
            try:
                code = int(door.recv(64))
            except TimeoutError:
                os.kill(child, signal.SIGKILL)
                raise
            for stream in (out, err):
                stream.seek(0)
            return code, out.read(), err.read()


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
