"""A manifest is an ordinary file with ordinary files beside it; whatever else stands there is refused at once."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import TENCH

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.command import Scraper

COMMANDS = [
    ("report",),
    ("verify",),
    ("verify", "--repair"),
    ("fetch",),
    ("recheck",),
    ("plan", TENCH, "--source", "lists"),
]


def _fifo(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        before = Path.cwd()
        os.chdir(path.parent)  # a socket's path must be short
        try:
            listener.bind(path.name)
        finally:
            os.chdir(before)


MAKERS: dict[str, Callable[[Path], object]] = {
    "a FIFO": _fifo,
    "a socket": _socket,
    "a device": lambda path: path.symlink_to("/dev/null"),
    "a folder": Path.mkdir,
}


@pytest.mark.parametrize("what", MAKERS)
def test_a_manifest_that_is_no_ordinary_file(copied: Scraper, what: str) -> None:
    copied.manifest.unlink()
    MAKERS[what](copied.manifest)
    before = sorted(copied.folder.rglob("*"))
    for words in COMMANDS:
        assert f"manifests/scraper.db is {what}, not a manifest" in copied.done(*words, code=3).err
    assert sorted(copied.folder.rglob("*")) == before


@pytest.mark.parametrize("what", ["a FIFO", "a socket", "a link", "a folder"])
@pytest.mark.parametrize("end", ["-wal", "-shm", "-journal", ".lock"])
def test_what_stands_beside_it(copied: Scraper, what: str, end: str) -> None:
    beside = copied.manifest.with_name(copied.manifest.name + end)
    beside.unlink(missing_ok=True)
    mine = copied.folder / "mine.txt"
    mine.write_text("mine")
    if what == "a link":
        beside.symlink_to(mine)
    else:
        MAKERS[what](beside)
    for words in COMMANDS:
        assert f"{end} is {what}, no file that belongs to a manifest" in copied.done(*words, code=3).err
    assert mine.read_text() == "mine"


def test_a_link_to_a_manifest_is_that_manifest(copied: Scraper) -> None:
    real = copied.manifest.rename(copied.folder / "real.db")
    copied.manifest.symlink_to(real)
    copied.done("report")
    copied.done("fetch")
    assert not copied.manifest.with_name("scraper.db.lock").is_symlink()


@pytest.mark.parametrize("path", ["loop.db", "x" * 300 + ".db", "lists/n01440764.txt/a.db"])
def test_a_path_that_leads_nowhere(copied: Scraper, path: str) -> None:
    (copied.folder / "loop.db").symlink_to("loop.db")
    for words in COMMANDS:
        complaint = copied.done(*words, "--manifest", path, code=3).err
        assert "manifest" in complaint
        assert complaint.count("\n") == 1
