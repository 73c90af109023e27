"""Manifests with values that no run of ours has written: refused in one line, and nothing happens elsewhere."""

from __future__ import annotations

import math
import os
import re
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scraper.manifest.columns import COLUMNS
from tests.command import Scraper
from tests.conftest import TENCH
from tests.manifest.doctoring import doctor
from tests.manifest.version1 import downgrade

if TYPE_CHECKING:
    from pathlib import Path

FIRST_IMAGE = "(SELECT min(candidate_id) FROM image)"
_FIRST_PATH = f"UPDATE image SET path = ? WHERE candidate_id = {FIRST_IMAGE}"  # noqa: S608 - ours
COMMANDS = {
    "report": ("report",),
    "json": ("report", "--format", "json"),
    "verify": ("verify",),
    "repair": ("verify", "--repair"),
    "fetch": ("fetch", "--retries", "1", "--timeout", "5"),
    "survey": ("survey", "--sample", "9", "--timeout", "5"),
    "answered": ("survey", "--of", "answered", "--sample", "9", "--timeout", "5"),
    "plan": ("plan", TENCH, "n02123045", "--source", "lists"),
}


class Yard:
    """A folder with a manifest, its images, and files of somebody's around it."""

    def __init__(self, filled: Scraper, folder: Path) -> None:
        self.folder = folder
        self.scraper = Scraper(folder / "work", filled.standin)
        shutil.copytree(filled.folder, folder / "work")
        (folder / "victim.txt").write_text("mine")
        (folder / "work" / "victim.txt").write_text("mine too")
        # Something is left to do for fetch.
        doctor(self.scraper.manifest, "UPDATE classes SET n = 12, budget = 24")

    def outside(self) -> dict[str, bytes]:
        """All files but the images, the manifest and what stands beside it."""
        ours = (self.scraper.images, self.scraper.manifest.parent)
        files = [path for path in self.folder.rglob("*") if path.is_file() and not any(f in path.parents for f in ours)]
        return {str(path): path.read_bytes() for path in files}

    def ends_well(self, *words: str) -> str:
        """Run a command, which must end as it should whatever the manifest says; returns its complaint."""
        before = self.outside()
        result = self.scraper.run(*words)
        assert result.code in (0, 1, 2, 3, 4), result
        assert self.outside() == before
        complaints = [line for line in result.err.splitlines() if line.startswith("scraper: error: ")]
        assert len(complaints) == (result.code in (2, 3, 4)), result
        assert all(char.isprintable() or char in "\n\r\t" for char in result.err), result
        return complaints[0] if result.code == 3 else ""


@pytest.fixture
def yard(filled: Scraper, tmp_path: Path) -> Yard:
    return Yard(filled, tmp_path)


@pytest.mark.parametrize("name", ["../../evil.jpg", "/evil.jpg", "..", ".hidden.jpg", "a\0b.jpg", "sub/x.jpg", ""])
def test_a_file_name_that_leads_elsewhere(yard: Yard, name: str) -> None:
    doctor(yard.scraper.manifest, ("UPDATE candidate SET filename = ? WHERE state = 0", [name]))
    assert "candidate.filename of row 14407640000" in yard.ends_well(*COMMANDS["fetch"])


@pytest.mark.parametrize(
    "path", ["n01440764/../../victim.txt", "/etc/hostname", "../victim.txt", "n02708093/a.jpg", "n01440764/.", "a.jpg"]
)
@pytest.mark.parametrize("command", ["verify", "repair", "fetch"])
def test_a_path_that_leads_elsewhere(yard: Yard, path: str, command: str) -> None:
    doctor(yard.scraper.manifest, (_FIRST_PATH, [path]))
    said = yard.ends_well(*COMMANDS[command])
    assert re.search(rf"image\.path of row 1440764[0-9]{{7}} is {re.escape(repr(path))}, not `wnid/file name`", said)


def says(complaint: str, said: str) -> bool:
    """Whether an error says so, of whatever candidate of the first class."""
    return re.search(re.escape(said).replace("NNN", "[0-9]{7}"), complaint) is not None


ROWS: list[tuple[str, str]] = [
    ("UPDATE classes SET wnid = '../../x' WHERE wnid = 'n01440764'", "classes.wnid of row ../../x"),
    ("UPDATE candidate SET tries = 'many'", "candidate.tries of row 1440764NNN is 'many'"),
    ("UPDATE candidate SET url = x'ff00'", "candidate.url of row 1440764NNN is b'\\xff\\x00'"),
    ("UPDATE classes SET n = 'ten'", "classes.n of row n01440764 is 'ten'"),
    ("UPDATE classes SET n = -8", "classes.n of row n01440764 is -8"),
    ("UPDATE candidate SET outcome = 'eaten' WHERE outcome = 'gone'", "candidate.outcome of row "),
    ("UPDATE candidate SET form = 'elsewhere'", "candidate.form of row 1440764NNN is 'elsewhere'"),
    ("UPDATE candidate SET state = 7", "candidate.state of row 1440764NNN is 7"),
    ("UPDATE candidate SET not_before = 'abc'", "candidate.not_before of row 1440764NNN is 'abc'"),
    ("UPDATE candidate SET not_before = 9e999", "candidate.not_before of row 1440764NNN is inf"),
    ("UPDATE classes SET resolve_outcome = 'eaten'", "classes.resolve_outcome of row n01440764 is 'eaten'"),
    ("UPDATE classes SET budget = 0", "classes.budget of row n01440764 is 0"),
    ("UPDATE image SET bytes = -1", "image.bytes of row 1440764NNN is -1"),
    ("UPDATE image SET sha256 = 'abc'", "image.sha256 of row 1440764NNN is 'abc'"),
    ("UPDATE candidate SET url = CAST(x'68ff' AS TEXT)", "candidate.url of row 1440764NNN is 'h\\udcff'"),
]


@pytest.mark.parametrize(("change", "said"), ROWS)
def test_it_is_named_by_table_column_row_and_value_before_anything_is_asked(yard: Yard, change: str, said: str) -> None:
    doctor(yard.scraper.manifest, change)
    standin = yard.scraper.standin
    assert standin is not None
    requests = len(standin.requests)
    before = yard.scraper.snapshot()
    for command in ("fetch", "verify", "repair", "survey"):
        assert says(yard.ends_well(*COMMANDS[command]), said)
    assert len(standin.requests) == requests
    runs = {name for name in before if "scraper.db" in name}
    assert {name: digest for name, digest in yard.scraper.snapshot().items() if name not in runs} == {
        name: digest for name, digest in before.items() if name not in runs
    }


@pytest.mark.parametrize(("change", "said"), ROWS)
def test_so_it_is_in_version_1(yard: Yard, change: str, said: str) -> None:
    downgrade(yard.scraper.manifest)
    with closing(sqlite3.connect(yard.scraper.manifest, isolation_level=None)) as database:
        database.execute(change)
    before = yard.scraper.rows("SELECT id, command, argv, exit_code FROM runs")
    assert says(yard.ends_well(*COMMANDS["fetch"]), said)
    version = yard.scraper.one("PRAGMA user_version")
    assert version == 1 or "udcff" in said  # which SQLite takes for text, so that it shows where it is read
    assert version == 2 or yard.scraper.rows("SELECT id, command, argv, exit_code FROM runs") == before
    yard.ends_well("report")


def test_counts_below_zero(yard: Yard) -> None:
    doctor(yard.scraper.manifest, "UPDATE class_outcomes SET candidates = -16 WHERE outcome = 'saved'")
    for command in ("report", "fetch"):
        assert "class_outcomes.candidates of row n01440764 saved is -16" in yard.ends_well(*COMMANDS[command])
    assert "are not those of the rows they count" in yard.scraper.done("verify", code=1).out
    yard.scraper.done("verify", "--repair")
    yard.scraper.done("report")


@pytest.mark.parametrize("change", ["UPDATE classes SET resolve_outcome = 'empty'", "DELETE FROM classes"])
def test_candidates_of_a_class_without_a_list(yard: Yard, change: str) -> None:
    doctor(yard.scraper.manifest, change)
    standin = yard.scraper.standin
    assert standin is not None
    requests = len(standin.requests)
    for source in ("lists", "https://lists.example/?wnid={wnid}"):
        said = yard.ends_well("plan", TENCH, "--source", source)
        assert "candidate has rows of n01440764, which has no list in classes" in said
    assert len(standin.requests) == requests


def test_an_image_of_no_candidate(yard: Yard) -> None:
    doctor(yard.scraper.manifest, f"DELETE FROM candidate WHERE id = {FIRST_IMAGE}")  # noqa: S608 - ours
    (path,) = next(iter(yard.scraper.rows("SELECT path FROM image ORDER BY candidate_id")))
    (yard.scraper.images / path).unlink()
    yard.ends_well("verify", "--repair")
    assert yard.scraper.rows("SELECT * FROM image WHERE path = ?", path) == []
    assert yard.scraper.done("verify").out.endswith("all as recorded\n")


@pytest.mark.parametrize(
    ("change", "command", "said"),
    [
        ("UPDATE image SET path = '../victim.txt'", "verify", "image.path of row"),
        ("UPDATE image SET path = '../victim.txt'", "repair", "image.path of row"),
        ("UPDATE image SET path = '../victim.txt'", "fetch", "image.path of row"),
        ("UPDATE candidate SET filename = '../x.jpg' WHERE state = 0", "fetch", "candidate.filename of row 1440764NNN"),
        (
            "UPDATE candidate SET url = x'ff00' WHERE state = 0",
            "fetch",
            "candidate.url of row 1440764NNN is b'\\xff\\x00'",
        ),
        (
            "UPDATE candidate SET url = CAST(x'68ff' AS TEXT)",
            "answered",
            "candidate.url of row 1440764NNN is 'h\\udcff'",
        ),
        ("UPDATE candidate SET tries = 'many' WHERE state = 0", "fetch", "candidate.tries of row 1440764NNN is 'many'"),
        ("UPDATE candidate SET outcome = 'eaten'", "answered", "candidate.outcome of row 1440764NNN is 'eaten'"),
        ("UPDATE classes SET n = 'ten'", "report", "classes.n of row n01440764 is 'ten'"),
        ("UPDATE classes SET n = 'ten'", "plan", "classes.n of row n01440764 is 'ten'"),
        ("UPDATE classes SET n = -8", "fetch", "classes.n of row n01440764 is -8"),
        ("UPDATE classes SET label = x'ff'", "json", "classes.label of row n01440764 is b'\\xff'"),
        ("UPDATE OR REPLACE host_outcomes SET outcome = 7", "report", "host_outcomes.outcome of row "),
        ("UPDATE class_outcomes SET repaired = 99", "report", "class_outcomes.repaired of row n"),
        ("UPDATE statuses SET requests = 'x'", "report", "statuses.requests of row "),
        ("UPDATE attempt SET started_at = 'now'", "report", "attempt.started_at of row 1 is 'now'"),
        ("UPDATE manifest SET identity = '../..'", "fetch", "manifest.identity of row 1 is '../..'"),
        ("DELETE FROM manifest", "verify", "its table `manifest` is empty"),
    ],
)
def test_a_manifest_too_large_to_be_read_at_its_door_is_judged_where_it_is_read(
    yard: Yard, change: str, command: str, said: str
) -> None:
    doctor(yard.scraper.manifest, change)
    os.truncate(yard.scraper.manifest, 64 * 2**20 + 4096)  # SQLite goes by the size in the file's header
    assert says(yard.ends_well(*COMMANDS[command]), said)


VALUES: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(
        [
            None,
            -1,
            0,
            1,
            2**63 - 1,
            -(2**63),
            14407640000001,
            math.inf,
            -1.5,
            1e308,
            "",
            "ten",
            "saved",
            "gone",
            "eaten",
            "listed",
            "../../evil.jpg",
            "/etc/hostname",
            "n01440764/../../victim.txt",
            "n01440764/victim.txt",
            "n01440764",
            "n00000000",
            "a\0b",
            "\x1b[31m\u202e\u2028",
            "http://127.0.0.1:1/1_a.jpg",
            "file:///etc/hostname",
            "2026-01-31T12:00:00.000Z",
            "0" * 64,
            "x" * 100_000,
            "[" * 5000,
            b"\xff\x00",
            b"",
        ]
    ),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=20).filter(lambda text: text.isprintable() or "\0" in text),
    st.binary(max_size=8),
)
REAL_COLUMNS = sorted(name for name in COLUMNS if "." in name)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(column=st.sampled_from(REAL_COLUMNS), value=VALUES, every=st.booleans(), old=st.booleans())
def test_any_value_of_any_column(
    filled: Scraper, tmp_path_factory: pytest.TempPathFactory, column: str, value: object, *, every: bool, old: bool
) -> None:
    yard = Yard(filled, tmp_path_factory.mktemp("doctored"))
    table, _, name = column.partition(".")
    where = "" if every else " WHERE rowid = (SELECT min(rowid) FROM {table})"
    if table in ("classes", "placeholders", "class_outcomes", "host_outcomes", "statuses"):
        where = ""
    change = f"UPDATE OR REPLACE {table} SET {name} = ?{where.format(table=table)}"  # noqa: S608 - names of ours
    try:
        doctor(yard.scraper.manifest, (change, [value]))
        if old:
            downgrade(yard.scraper.manifest)
    except sqlite3.Error:  # nobody can make such a file by SQL
        return
    for words in COMMANDS.values():
        yard.ends_well(*words)
