"""A manifest is an ordinary file with ordinary files beside it; whatever else stands there is refused at once."""

from __future__ import annotations

import os
import socket
import sqlite3
import struct
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
    ("survey",),
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


def test_a_journal_that_has_sqlite_remove_a_file(copied: Scraper) -> None:
    victim = copied.folder / "victim.txt"
    victim.write_text("mine")
    journal = copied.manifest.with_name("scraper.db-journal")

    def plant() -> None:
        magic, name = bytes.fromhex("d9d505f920a163d7"), str(victim).encode()
        pages = copied.manifest.stat().st_size // 4096
        header = magic + struct.pack(">IIIII", 0, 0, pages, 512, 4096)
        checksum = sum(struct.unpack(f"{len(name)}b", name)) & 0xFFFFFFFF
        pointer = struct.pack(">I", 2**30 // 4096 + 1) + name + struct.pack(">II", len(name), checksum) + magic
        journal.write_bytes(header.ljust(512, b"\0") + pointer)

    plant()
    for words in COMMANDS:
        assert "names another file, which SQLite would remove" in copied.done(*words, code=3).err
    assert victim.read_text() == "mine"
    with closing(sqlite3.connect(copied.manifest)) as database:  # so it would, if it were asked
        database.execute("SELECT * FROM runs")
    assert not victim.exists()


def test_a_link_to_a_manifest_is_that_manifest(copied: Scraper) -> None:
    real = copied.manifest.rename(copied.folder / "real.db")
    copied.manifest.symlink_to(real)
    copied.done("report")
    copied.done("fetch")
    assert not copied.manifest.with_name("scraper.db.lock").is_symlink()


@pytest.mark.parametrize("path", ["loop.db", "lists/n01440764.txt/a.db"])
def test_a_path_that_leads_nowhere(copied: Scraper, path: str) -> None:
    (copied.folder / "loop.db").symlink_to("loop.db")
    for words in COMMANDS:
        complaint = copied.done(*words, "--manifest", path, code=3).err
        assert "manifest" in complaint
        assert complaint.count("\n") == 1


@pytest.mark.parametrize("path", ["x" * 300 + ".db", "y/" * 2100 + "a.db"])
def test_a_path_that_no_file_can_have_is_a_wrong_command_line(copied: Scraper, path: str) -> None:
    before = copied.snapshot()
    for words in COMMANDS:
        complaint = copied.done(*words, "--manifest", path, code=2).err
        assert complaint == (
            "scraper: error: --manifest must be a path of up to 4000 bytes, and each name in it of 255\n"
        )
    assert copied.snapshot() == before


def _schema(path: Path, change: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA writable_schema = ON")
        database.execute(change)


def _page(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[9 * 4096 : 10 * 4096] = data[:4096]
    path.write_bytes(data)


DAMAGED: dict[str, Callable[[Path], None]] = {
    "an error of SQLite's that is no UTF-8": lambda path: _schema(
        path, "UPDATE sqlite_master SET sql = CAST(x'4352454154452080' AS TEXT) WHERE name = 'runs'"
    ),
    "an error of SQLite's that steers a terminal": lambda path: _schema(
        path, "UPDATE sqlite_master SET name = char(27) || '[31m', sql = 'CREATE' WHERE name = 'runs'"
    ),
    "an error of SQLite's of several lines": _page,
}
"""Found by changing manifests at random."""


@pytest.mark.parametrize("what", DAMAGED)
def test_what_sqlite_says_of_a_damaged_file_is_told_in_one_line(copied: Scraper, what: str) -> None:
    with closing(sqlite3.connect(copied.manifest)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    DAMAGED[what](copied.manifest)
    for words in COMMANDS:
        complaint = copied.done(*words, code=3).err
        assert complaint.startswith("scraper: error: ")
        assert complaint.rstrip("\n").isprintable(), complaint
