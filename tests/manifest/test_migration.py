"""Manifests of version 1 open as before, and become version 2 when a run first writes: all of it, or nothing."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from scraper.manifest.schema import schema_sql
from tests.command import Scraper, check
from tests.manifest.version1 import SCHEMA, downgrade

if TYPE_CHECKING:
    from pathlib import Path

KILLS = 12
TABLES = ["classes", "candidate", "image", "runs", "attempt", "revisions", "placeholders", "rechecks", "listings"]
TABLES += ["raises", "class_outcomes", "host_outcomes", "statuses"]


@pytest.fixture
def old(copied: Scraper) -> Scraper:
    """A whole plan and fetch of two classes, in a manifest of version 1."""
    downgrade(copied.manifest)
    return copied


def content(scraper: Scraper) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of all tables, as version 1 had them."""
    found = {table: scraper.rows(f"SELECT * FROM {table}") for table in TABLES}  # noqa: S608 - names of ours
    had = {"image": 9, "classes": 16}
    return {table: [row[: had.get(table, len(row))] for row in rows] for table, rows in found.items()}


def statements(scraper: Scraper) -> set[str]:
    return {sql for (sql,) in scraper.rows("SELECT sql FROM sqlite_master WHERE sql NOT NULL")}


def doctor(scraper: Scraper, *statements: str) -> None:
    with closing(sqlite3.connect(scraper.manifest, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)


def test_reading_changes_nothing_and_tells_the_same(filled: Scraper, old: Scraper) -> None:
    before = old.snapshot()
    told, tells = filled.report(), old.report()
    assert {**told, "generated_at": "", "forecast": None} == {**tells, "generated_at": ""}  # version 1 made none
    assert old.done("verify").out == filled.done("verify").out
    assert old.snapshot() == before
    assert old.one("PRAGMA user_version") == 1


def test_a_folder_that_cannot_be_written_to(old: Scraper) -> None:
    doctor(old, "PRAGMA wal_checkpoint(TRUNCATE)")
    old.manifest.chmod(0o444)
    old.manifest.parent.chmod(0o555)
    try:
        old.done("report")
        assert old.one("PRAGMA user_version") == 1
    finally:
        old.manifest.parent.chmod(0o755)


@pytest.mark.parametrize("command", ["plan", "fetch", "survey", "verify"])
def test_the_first_run_that_writes_brings_it_up(old: Scraper, command: str) -> None:
    before = content(old)
    words = {
        "plan": ("plan", "n01440764", "--source", "lists"),
        "fetch": ("fetch",),
        "survey": ("survey", "--of", "answered", "--sample", "1"),
        "verify": ("verify", "--repair"),
    }
    old.done(*words[command])
    assert old.one("PRAGMA user_version") == 2
    assert statements(old) == {statement.strip() for statement in schema_sql()}
    after = content(old)
    for table in TABLES:
        width = len(before[table][0]) if before[table] else 0  # what is new of a table stands at the end
        assert [row[:width] for row in after[table][: len(before[table])]] == before[table], table
    assert old.one("SELECT count(*) FROM images WHERE adopted <> 0") == 0
    assert len(old.one("SELECT identity FROM manifest")) == 16
    check(old)


def test_the_checks_hold_from_then_on(old: Scraper) -> None:
    old.done("fetch")
    for statement in (
        "UPDATE candidate SET outcome = 'eaten' WHERE tries > 0",
        "UPDATE candidate SET tries = 'many'",
        "UPDATE classes SET n = 'ten'",
        "UPDATE classes SET wnid = '../../x'",
        "UPDATE candidate SET url = x'ff00'",
        "UPDATE candidate SET state = 7",
        "UPDATE image SET bytes = -1",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            doctor(old, statement)
    for word in ("intercepted", "changed", "withdrawn"):
        doctor(old, f"UPDATE candidate SET outcome = '{word}'")  # noqa: S608 - words of ours


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE candidate SET outcome = 'eaten' WHERE tries > 0",
        "UPDATE candidate SET tries = 'many'",
        "UPDATE classes SET n = 'ten'",
        "UPDATE candidate SET url = x'ff00'",
    ],
)
def test_a_manifest_that_does_not_fit_stays_as_it_is(old: Scraper, statement: str) -> None:
    doctor(old, statement, "PRAGMA wal_checkpoint(TRUNCATE)")
    assert old.standin is not None
    before, requests = old.snapshot(), len(old.standin.requests)
    old.done("fetch", code=3)
    assert old.snapshot() == before
    assert len(old.standin.requests) == requests


def test_a_table_that_was_changed_is_refused(old: Scraper) -> None:
    doctor(old, "ALTER TABLE candidate ADD COLUMN note TEXT")
    assert "a table or view was changed" in old.done("report", code=3).err
    assert "a table or view was changed" in old.done("fetch", code=3).err


def test_a_table_of_the_users_in_the_place_of_a_new_one(old: Scraper) -> None:
    doctor(old, "CREATE TABLE manifest (note TEXT)", "PRAGMA wal_checkpoint(TRUNCATE)")
    before = old.manifest.read_bytes()
    for command in ("fetch", "report"):
        assert "rename it" in old.done(command, code=3).err
    assert old.manifest.read_bytes() == before


def test_a_newer_version_is_refused(filled: Scraper, copied: Scraper) -> None:
    newer = filled.one("PRAGMA user_version") + 1
    doctor(copied, f"PRAGMA user_version = {newer}")
    for command in ("report", "fetch", "verify", "survey"):
        assert "upgrade scraper" in copied.done(command, code=3).err


def test_a_kill_leaves_the_one_version_or_the_other(old: Scraper, tmp_path: Path) -> None:
    """Killed after a time drawn from how long the whole takes; the file is copied back each time."""
    doctor(
        old,
        "INSERT INTO attempt (candidate_id, run_id, try, started_at, seconds, outcome, bytes) "
        "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 200000) "
        "SELECT 14407640000001, 1, 1, '2026-01-31T12:00:00.000Z', 0.1, 'gone', 0 FROM c",
        "PRAGMA wal_checkpoint(TRUNCATE)",
    )
    kept = tmp_path / "kept.db"
    shutil.copy(old.manifest, kept)
    before = content(old)
    began = time.monotonic()
    old.run("verify", "--repair", "--out", "nowhere")
    whole = time.monotonic() - began
    versions = set()
    for number in range(KILLS):
        for path in old.manifest.parent.glob(f"{old.manifest.name}*"):
            path.unlink()
        shutil.copy(kept, old.manifest)
        process = old.start("fetch")
        time.sleep(whole * (number + 1) / KILLS)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        version = old.one("PRAGMA user_version")
        versions.add(version)
        assert old.one("PRAGMA integrity_check") == "ok"
        tables = {name for (name,) in old.rows("SELECT name FROM sqlite_master")}
        assert ("manifest" in tables) == (version == 2)
        if version == 1:
            assert content(old) == before
    assert 1 in versions


def test_identities_differ_and_stay(filled: Scraper, copied: Scraper, tmp_path: Path) -> None:
    other = Scraper(tmp_path / "other")
    other.folder.mkdir()
    (other.folder / "lists").mkdir()
    (other.folder / "lists" / "n01440764.txt").write_text("http://static.flickr.com/1/1_a.jpg\n")
    other.done("plan", "n01440764", "--source", "lists")
    assert other.one("SELECT identity FROM manifest") != filled.one("SELECT identity FROM manifest")
    moved = copied.manifest.with_name("moved.db")
    copied.manifest.rename(moved)
    copied.done("fetch", "--manifest", str(moved))
    copied.manifest = moved
    assert copied.one("SELECT identity FROM manifest") == filled.one("SELECT identity FROM manifest")


def test_the_schema_of_version_1_is_the_one_that_is_known() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        found = database.execute("SELECT count(*) FROM sqlite_master WHERE sql NOT NULL").fetchone()[0]
    assert found == 23
