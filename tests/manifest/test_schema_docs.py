"""manifests/README.md and the manifest say the same, both ways, and its questions can be asked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scraper.manifest.columns import COLUMNS
from scraper.model import LISTING_OUTCOMES, Oddity, State

if TYPE_CHECKING:
    from tests.command import Scraper

TEXT = (Path(__file__).resolve().parents[2] / "manifests" / "README.md").read_text(encoding="utf-8")
SECTIONS = re.split(r"^#+ ", TEXT, flags=re.MULTILINE)
QUESTIONS = re.findall(r"^```sql\n(.*?)^```", TEXT, flags=re.MULTILINE | re.DOTALL)


def names(text: str) -> list[str]:
    return re.findall(r"`([a-z][a-z0-9_]*)`", text)


def documented() -> dict[str, set[str]]:
    """Tables and views to columns: those of a heading, named in the first cells under it or in its one paragraph."""
    found: dict[str, set[str]] = {}
    sections = [section.partition("\n")[::2] for section in SECTIONS]
    every = {table for heading, _ in sections for table in names(heading)}
    for heading, body in sections:
        tables = names(heading)
        rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in body.splitlines() if row.startswith("| `")]
        for table in tables:
            own = [row[1:] for row in rows if row[0] == f"`{table}`"] if len(tables) > 1 else rows
            cells = {name for row in own for name in names(row[0])}
            found[table] = cells if rows else set(names(body)) - every  # a sentence may name other tables
    return found


def of_the_file(scraper: Scraper) -> dict[str, set[str]]:
    things = scraper.rows("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'")
    return {
        name: {column for (column,) in scraper.rows("SELECT name FROM pragma_table_info(?)", name)}
        for (name,) in things
    }


def test_every_table_and_view_is_documented_and_nothing_else(filled: Scraper) -> None:
    assert set(documented()) == set(of_the_file(filled))


def test_every_column_is_documented_and_nothing_else(filled: Scraper) -> None:
    told = documented()
    for name, columns in of_the_file(filled).items():
        assert told[name] == columns, name


def test_every_column_of_every_table_has_its_kind_and_nothing_else(filled: Scraper) -> None:
    tables = {name for (name,) in filled.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    found = {
        f"{table}.{column}" for table, columns in of_the_file(filled).items() if table in tables for column in columns
    }
    assert {name for name in COLUMNS if "." in name} == found


def test_words_of_the_closed_sets_are_documented() -> None:
    told = set(names(TEXT))
    assert {*LISTING_OUTCOMES, *Oddity, *State} <= told


def test_application_id_and_version(filled: Scraper) -> None:
    assert f"`application_id` is {filled.one('PRAGMA application_id'):#x} " in TEXT
    assert f"now {filled.one('PRAGMA user_version')}." in TEXT


def test_candidate_ids_are_made_as_told(filled: Scraper) -> None:
    for number, wnid, rank in filled.rows("SELECT id, wnid, rank FROM candidates"):
        assert number == int(wnid[1:]) * 10_000_000 + rank
    assert "`14407640000003` is the third candidate of n01440764" in TEXT


@pytest.mark.parametrize("question", QUESTIONS)
def test_questions_can_be_asked(filled: Scraper, question: str) -> None:
    filled.rows(question)


def test_there_are_questions() -> None:
    assert len(QUESTIONS) >= 6
