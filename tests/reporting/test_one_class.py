"""`report CLASS`: one class, and what became of every URL of its list."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from tests.conftest import CLOCK, TENCH

if TYPE_CHECKING:
    from tests.command import Scraper

LISTED = (
    "SELECT candidates.rank, candidates.url, candidates.state, candidates.outcome, candidates.tries, path "
    "FROM candidates LEFT JOIN images ON candidate_id = id WHERE candidates.wnid = ? ORDER BY candidates.rank"
)


def test_every_url_is_told_as_the_manifest_has_it(filled: Scraper) -> None:
    found = json.loads(filled.done("report", "tench", "--format", "json").out)
    (row,) = [row for row in filled.report()["classes"] if row["wnid"] == TENCH]
    assert {key: value for key, value in found.items() if key != "urls"} == row
    assert [tuple(url.values()) for url in found["urls"]] == filled.rows(LISTED, TENCH)
    rows = list(csv.DictReader(io.StringIO(filled.done("report", TENCH, "--format", "csv").out)))
    told = [tuple("" if value is None else str(value) for value in url.values()) for url in found["urls"]]
    assert [tuple(row.values()) for row in rows] == told


def test_a_class_is_said_in_any_way(filled: Scraper) -> None:
    (first, *others) = filled.all(*(("report", said) for said in (TENCH, "Tench", "Tinca tinca", "tench.n.01")))
    assert {other.out for other in others} == {first.out}
    lines = first.out.splitlines()
    assert lines[0] == f"{TENCH} tench: 10 of 10 images; 0 short"
    asked = filled.one("SELECT max(rank) FROM candidates WHERE wnid = ? AND tries > 0", TENCH)
    assert len(lines) == len("head") + 1 + asked + 1
    assert lines[-1].endswith("more are waiting")
    saved = filled.rows("SELECT path FROM images WHERE wnid = ?", TENCH)
    assert all(any(line.endswith(f"  {path}") for line in lines) for (path,) in saved)


def test_a_class_that_is_short_says_why_and_checks_so(filled: Scraper) -> None:
    shown = filled.done("report", "analog clock", "--check", code=1).out
    assert shown.startswith(f"{CLOCK} analog clock: ")
    assert "list exhausted" in shown.splitlines()[0]
    assert "waiting" not in shown
    filled.done("report", "tench", "--check")


def test_what_is_not_one_class_of_the_plan_is_refused(copied: Scraper) -> None:
    before = copied.snapshot()
    for words, said in {
        ("goldfish",): "goldfish is not planned here",
        ("tnech",): "tnech: no class has this name; near: tench (n01440764)",
        ("analog", "clock"): "report shows one class at a time",
        ("tench", "--format", "html"): "one class is shown as text, json, csv, not as html",
    }.items():
        assert said in copied.done("report", *words, code=2).err
    assert copied.snapshot() == before
    copied.done("drop", "tench")
    assert "tench is not planned here" in copied.done("report", "tench", code=2).err
