"""The stand-in as a process of its own, with a world of photos for benchmarks: `python -m benchmarks.server --help`.

Every photo has two addresses: its own, for clients that can be told where to connect, and
`https://localhost:PORT/HOST/PATH`, for those that cannot. `/counts` on localhost tells what was seen since it was last
asked.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.standin import StandIn, World
from tests.standin.fates import Fate
from tests.standin.replies import Replies, Reply

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.standin import Request

MIX: Final = {Fate.ALIVE: 0.75, Fate.GONE_404: 0.10, Fate.GONE_410: 0.04, Fate.PLACEHOLDER_REDIRECT: 0.11}
"""A quarter broken, in ways that are final: what passes with time would measure patience, not work."""
PER_CLASS: Final = 100
START_SECONDS: Final = 60.0


def world(photos: int) -> World:
    """Classes of a hundred Flickr URLs each; the same for the same number."""
    return World.of(
        7, [(f"n{i:08d}", f"class {i}") for i in range(1, photos // PER_CLASS + 1)], flickr=PER_CLASS, other=0, mix=MIX
    )


class _Answers(Replies):
    """The world's answers, for both addresses of a photo."""

    def __init__(self, shown: World, standin: StandIn) -> None:
        super().__init__(shown, None)
        self._standin = standin

    def to(self, request: Request, now: float) -> Reply:
        if request.host != "localhost":
            return super().to(request, now)
        if request.path == "/counts":
            return self._counts()
        host, _, path = request.path[1:].partition("/")
        reply = super().to(replace(request, host=host, path=f"/{path}"), now)
        base = f"https://localhost:{self._standin.https_port}/"
        headers = tuple((n, base + v.partition("://")[2] if n == "Location" else v) for n, v in reply.headers)
        return replace(reply, headers=headers)

    def _counts(self) -> Reply:
        seen = {"requests": len(self._standin.requests) - 1, "connections": self._standin.connections - 1}
        self._standin.reset_counts()
        return Reply(200, json.dumps(seen).encode())


@dataclass(frozen=True, slots=True)
class Served:
    """Where a server is."""

    pid: int
    http_port: int
    https_port: int
    ca_file: Path

    @property
    def flags(self) -> list[str]:
        """What leads our command there."""
        rule = f":80:127.0.0.1:{self.http_port},:443:127.0.0.1:{self.https_port}"
        return ["--connect-to", rule, "--ca-certs", str(self.ca_file)]

    def counts(self) -> tuple[int, int]:
        """Requests and connections since this was last asked."""
        with urllib.request.urlopen(f"http://localhost:{self.http_port}/counts") as answer:
            seen = json.load(answer)
        return seen["requests"], seen["connections"]


@contextmanager
def serving(folder: Path, *, photos: int, latency: float) -> Iterator[Served]:
    """A server in a process of its own, until the block ends."""
    ready = folder / f"ready-{time.monotonic_ns()}.json"
    command = [sys.executable, "-m", "benchmarks.server", "--photos", str(photos), "--latency", str(latency)]
    process = subprocess.Popen([*command, "--ready", str(ready)], cwd=Path(__file__).parent.parent)
    try:
        expires = time.monotonic() + START_SECONDS
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > expires:
                raise SystemExit("the server did not start")
            time.sleep(0.05)
        told = json.loads(ready.read_text())
        yield Served(process.pid, told["http_port"], told["https_port"], Path(told["ca_file"]))
    finally:
        process.terminate()
        process.wait()


def main() -> None:
    """Serve until SIGTERM comes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server", description=__doc__)
    parser.add_argument("--photos", type=int, required=True)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--ready", type=Path, required=True, help="JSON file written once it serves")
    given = parser.parse_args()
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    shown = world(given.photos)
    standin = StandIn(shown, latency=given.latency)
    standin._site.replies = _Answers(shown, standin)  # noqa: SLF001 - one process, one purpose
    with standin:
        facts = {"http_port": standin.http_port, "https_port": standin.https_port, "ca_file": str(standin.ca_file)}
        draft = given.ready.with_suffix(".tmp")
        draft.write_text(json.dumps(facts))
        draft.replace(given.ready)
        over.wait()


if __name__ == "__main__":
    main()
