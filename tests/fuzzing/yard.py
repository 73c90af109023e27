"""A folder in which commands run on a changed manifest, and are held to what they promise."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from tests.command import Scraper

if TYPE_CHECKING:
    from pathlib import Path

    from tests.standin import StandIn

HANGING: Final = 30.0
"""Seconds after which a command counts as hung, however busy the machine is."""
CODES: Final = frozenset({0, 1, 2, 3, 4})
_STEERING: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]")
"""What steers a terminal."""


class Trap:
    """A port on loopback that no manifest may lead a command to."""

    def __init__(self) -> None:
        self.visits = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._listener.accept()[0].close()
                self.visits += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._listener.close()

    def urls(self) -> list[str]:
        """URLs that lead there."""
        hosts = ("127.0.0.1", "localhost", "[::1]", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]")
        return [f"http://{host}:{self.port}/1_a.jpg" for host in hosts]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended, and which promise that breaks, if it does."""

    code: int
    said: str
    broken: str | None


class Yard:
    """A folder with a copy of a base, and files of somebody's around it and among the images."""

    def __init__(self, folder: Path, base: Path, standin: StandIn, trap: Trap) -> None:
        folder.mkdir()
        self.work = folder / "work"
        self._folder = folder
        self._standin = standin
        self._trap = trap
        shutil.copytree(base, self.work, copy_function=_copy)
        (folder / "victim.txt").write_text("mine")
        for place in (self.work, self.work / "images", self.work / "images" / "n01440764"):
            place.mkdir(exist_ok=True)
            (place / "victim.txt").write_text("mine")
            (place / "mine.jpg").write_text("no photo, but mine")
        self.manifest = self.work / "manifests" / "scraper.db"
        self._kept = self._foreign()

    def _foreign(self) -> dict[str, bytes]:
        """All that is no image of the manifest's, and not the manifest."""
        ours = (self.manifest.parent, self.work / "images", self.work / "made")
        files = [path for path in self._folder.rglob("*") if not any(place in path.parents for place in ours)]
        mine = [path for path in (self.work / "images").rglob("*") if path.name in ("victim.txt", "mine.jpg")]
        return {str(path): path.read_bytes() for path in (*files, *mine) if path.is_file()}

    def run(self, words: tuple[str, ...]) -> Ended:
        """Run a command and hold it to the promises."""
        visits = self._trap.visits
        forked = Scraper(self.work, self._standin).start(*words)
        try:
            code = forked.wait(HANGING)
        except subprocess.TimeoutExpired:
            forked.kill()
            forked.wait()
            return Ended(-1, "", None if self._waits() else "it hung")
        said = forked.err.decode(errors="replace")
        broken = self._judge(code, forked.out.decode(errors="replace"), said, words)
        if broken is None and self._trap.visits != visits:
            broken = "it asked a host that it may not ask"
        return Ended(code, said, broken)

    def _judge(self, code: int, out: str, said: str, words: tuple[str, ...]) -> str | None:
        """The promise that is broken, None where none is."""
        complaints = [line for line in said.splitlines() if line.startswith("scraper: error: ")]
        before, self._kept = self._kept, self._foreign()
        if "--remove-strays" in words:  # they may go, but for those outside of the images
            before = {path: body for path, body in before.items() if "/images/" not in path or path in self._kept}
        promises = {
            f"exit code {code}": code in CODES,
            "a traceback": "Traceback" not in said + out,
            f"{len(complaints)} complaints and exit code {code}": len(complaints) == (code in (2, 3, 4)),
            "a complaint of more than 2,000 characters": max(map(len, complaints), default=0) < 2000,
            "control characters in a complaint": not _STEERING.search(said),
            "somebody's file was changed": self._kept == before,
        }
        return next((promise for promise, kept in promises.items() if not kept), None)

    def _waits(self) -> bool:
        """Whether the manifest says that something may not be asked for before a time far ahead."""
        with contextlib.suppress(sqlite3.Error), closing(sqlite3.connect(self.manifest)) as database:
            sql = "SELECT count(*) FROM candidate WHERE not_before > ?"
            return bool(database.execute(sql, (time.time() + HANGING,)).fetchone()[0])
        return False


def _copy(source: str, target: str) -> str:
    """Images need no copies: no command writes into a file that is there."""
    if "/images/" in source:
        os.link(source, target)
    else:
        shutil.copy2(source, target)
    return target
