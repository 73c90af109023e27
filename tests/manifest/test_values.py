"""The one way by which values leave a manifest: whoever reads must say what, and all that a rule needs."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from scraper.errors import ManifestForeignError
from scraper.manifest.columns import COLUMNS, RULES
from scraper.manifest.schema import schema_sql
from scraper.manifest.values import Rows, columns, iso, shown
from scraper.model import Outcome

if TYPE_CHECKING:
    from pathlib import Path

ID = 14407640000001


def test_a_column_without_a_name_of_ours_is_not_read(tmp_path: Path) -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE candidate (id, url)")
        database.execute("INSERT INTO candidate VALUES (1, 'http://a.example/')")
        with pytest.raises(KeyError):
            list(Rows(tmp_path, database).select(str, "SELECT url FROM candidate"))


@pytest.mark.parametrize("name", RULES)
def test_who_reads_what_has_a_rule_must_read_what_the_rule_needs(tmp_path: Path, name: str) -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(";\n".join(schema_sql()))
        rows = Rows(tmp_path, database)
        table = name.partition(".")[0]
        values = {"image.path": "n01440764/a.jpg", "class_outcomes.repaired": 0, "withdrawals.value": "12"}
        with pytest.raises(LookupError, match="must read"):
            list(rows.select(str, f'SELECT ? AS "{name}"', (values[name],)))
        assert list(rows.select(tuple, f"{columns(name, RULES[name].beside[0])} FROM {table}")) == []


def test_values_become_our_own() -> None:
    assert COLUMNS["candidate.outcome"].read(["gone", None, "saved"]) == [Outcome.GONE, None, Outcome.SAVED]
    assert COLUMNS["candidate.state"].read([3]) == ["unknown"]


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [
        ("candidate.id", [ID, 10**15 - 1], [0, -1, 10**15, 14407640000000, "1", 1.0, None]),
        (
            "candidate.url",
            ["http://a.example/é x", "x" * 8192],
            ["", "a\0b", "a\nb", "x" * 8193, "\udcff", b"x", None, 1],
        ),
        ("candidate.filename", [None, "1_a.jpg", "_con.jpg"], ["", ".a", "-a", "a/b", "..", "a" * 251, "a\n", b"a"]),
        ("image.path", ["n01440764/1_a.jpg"], ["n01440764/../x", "n01440764//x", "/x", "n1/x", "n01440764/x\n", None]),
        ("classes.wnid", ["n01440764"], ["n0144076", "N01440764", "n01440764\n", "n\uff101440764", None, 1]),
        ("classes.n", [1, 10**6], [0, -1, 10**6 + 1, "1", 1.0, None]),
        ("candidate.not_before", [None, 0.0, 1.8e9], [-1.0, float("inf"), 1, "abc"]),
        ("image.sha256", ["0" * 64], ["0" * 63, "G" * 64, "A" * 64, None]),
        ("runs.started_at", ["2026-01-31T12:00:00.000Z"], ["2026-01-31", "2026-01-31T12:00:00.000Z\n", None, 1]),
        ("statuses.status", ["none", "404"], ["None", "99", "1000", 404]),
        ("attempt.status", [None, 100, 999], [99, 1000, "200"]),
    ],
)
def test_what_a_column_may_hold(column: str, good: list[object], bad: list[object]) -> None:
    assert [value for value in good if not COLUMNS[column].fits(value)] == []
    assert [value for value in bad if COLUMNS[column].fits(value)] == []


def test_the_error_names_the_row_and_shows_the_value_on_one_line(tmp_path: Path) -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE candidate (id, url)")
        database.execute(
            "INSERT INTO candidate VALUES (?, 'http://a.example/'), (?, ?)", (ID, ID + 1, "\x1b[2J\n" * 99)
        )
        rows = Rows(tmp_path / "a.db", database)
        with pytest.raises(ManifestForeignError) as caught:
            list(rows.select(str, columns("candidate.url") + " FROM candidate"))
    said = str(caught.value)
    assert f"a.db is not as scraper made it: candidate.url of row {ID + 1} is '\\x1b[2J\\n" in said
    assert said.isprintable()
    assert len(said) < 400


def test_times_are_written_as_they_are_read() -> None:
    assert all(COLUMNS["runs.started_at"].fits(iso(unix)) for unix in (0.0, 1.8e9, 1.8e9 + 0.9996, 253402300799.0))


def test_any_value_can_be_shown() -> None:
    for value in (None, "", "x" * 10**6, b"\xff" * 10**6, float("inf"), 2**63, "\ud800\x1b"):
        assert shown(value).isprintable()
        assert len(shown(value)) <= 80
