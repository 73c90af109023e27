"""Yardsticks for fetch, as short as they can be written: `python -m benchmarks.loops --help`.

`bare` asks for every URL and drops the bytes. With --sha256, --check, --write and --rows it does, layer by layer, the
work that fetch does, without its care: no deadlines, no retries, no quotas, no syncing, no checks of addresses.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import secrets
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3.util import connection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROWS = 200
"""Rows committed at once."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is done with each answer."""

    sha256: bool
    check: str
    out: Path | None


def lead(port: int) -> None:
    """Let every connection go to a port of this machine."""
    dial: Callable[..., Any] = connection.create_connection

    def create(_address: tuple[str, int], *args: Any, **settings: Any) -> Any:
        return dial(("127.0.0.1", port), *args, **settings)

    connection.create_connection = create  # type: ignore[assignment]  # the address is taken from the port alone


class Loop:
    """Many threads, one pool of connections."""

    def __init__(self, work: Work, manager: urllib3.PoolManager, rows: sqlite3.Connection | None) -> None:
        self._work = work
        self._manager = manager
        self._rows = rows
        self._lock = threading.Lock()
        self._waiting: list[tuple[Any, ...]] = []

    def one(self, url: str) -> None:
        """Ask for one URL."""
        started_at, began = time.time(), time.monotonic()
        answer = self._manager.request("GET", url, retries=False, decode_content=False)
        if answer.status in (301, 302):
            answer = self._manager.request("GET", answer.headers["Location"], retries=False, decode_content=False)
        body, digest, path = answer.data, None, None
        if answer.status == 200:
            digest = hashlib.sha256(body).hexdigest() if self._work.sha256 else None
            check(body, self._work.check)
            path = self._written(url, body)
        if self._rows is not None:
            self._record((url, started_at, time.monotonic() - began, answer.status, len(body), digest, path))

    def _written(self, url: str, body: bytes) -> str | None:
        if self._work.out is None:
            return None
        draft = self._work.out / ".partial" / secrets.token_hex(8)
        draft.write_bytes(body)
        path = self._work.out / url.rsplit("/", 1)[1].partition("?")[0]
        draft.rename(path)
        return path.name

    def _record(self, row: tuple[Any, ...]) -> None:
        with self._lock:
            self._waiting.append(row)
            if len(self._waiting) >= ROWS:
                self.flush()

    def flush(self) -> None:
        """Commit what waits."""
        if self._rows is not None:
            with self._rows:
                self._rows.executemany("INSERT INTO attempt VALUES (?, ?, ?, ?, ?, ?, ?)", self._waiting)
            self._waiting.clear()


def check(body: bytes, how: str) -> None:
    """Look at a picture: not at all, by decoding it with Pillow, or as fetch does."""
    if how == "pillow":
        from PIL import Image  # noqa: PLC0415 - the bare loop is not to pay for it

        with Image.open(io.BytesIO(body)) as image:
            image.load()
    elif how == "strict":
        import simplejpeg  # noqa: PLC0415 - nor for this

        if body[:2] == b"\xff\xd8":
            simplejpeg.decode_jpeg(body, colorspace="GRAY", min_height=1, min_width=1, min_factor=8, strict=True)


def run(urls: Sequence[str], loop: Loop, threads: int) -> None:
    """Ask for all."""
    with ThreadPoolExecutor(threads) as executor:
        for _ in executor.map(loop.one, urls):
            pass  # taking the results lets errors out
    loop.flush()


def main() -> None:
    """Run one yardstick."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loops", description=__doc__)
    parser.add_argument("urls", type=Path, help="a URL a line")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ca", required=True)
    parser.add_argument("--threads", type=int, default=32)
    parser.add_argument("--sha256", action="store_true")
    parser.add_argument("--check", choices=("none", "pillow", "strict"), default="none")
    parser.add_argument("--write", type=Path, metavar="FOLDER")
    parser.add_argument("--rows", type=Path, metavar="FILE")
    given = parser.parse_args()
    lead(given.port)
    if given.write:
        (given.write / ".partial").mkdir(parents=True)
    rows = None
    if given.rows:
        rows = sqlite3.connect(given.rows, check_same_thread=False)
        rows.execute("PRAGMA journal_mode = WAL")
        rows.execute("CREATE TABLE attempt (url, started_at, seconds, status, bytes, sha256, path)")
    manager = urllib3.PoolManager(num_pools=64, maxsize=given.threads, ca_certs=given.ca)
    loop = Loop(Work(given.sha256, given.check, given.write), manager, rows)
    run(given.urls.read_text().split(), loop, given.threads)


if __name__ == "__main__":
    main()
