"""The report: its contract, and its numbers against queries of our own."""

from __future__ import annotations

import csv
import io
import re
import shutil
import sqlite3
from contextlib import closing
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from tests.command import Scraper, check_manifest
from tests.conftest import CLOCK, TENCH

if TYPE_CHECKING:
    from pathlib import Path

TOTALS = {
    "classes", "wanted", "listed", "candidates", "tried", "saved", "shortfall", "unknown", "bytes", "requests",
}  # fmt: skip
HOST = {"host", "tried", "saved", "dead", "unknown", "dead_rate", "dead_rate_low", "dead_rate_high"}
CLASS = ["wnid", "label", "n", "listed", "candidates", "tried", "saved", "shortfall", "reason"]
UNKNOWN = {
    "throttled", "server_error", "timeout", "dns_error", "connection_error", "tls_error", "protocol_error",
    "redirect_error", "bad_status", "intercepted",
}  # fmt: skip
OUTCOMES = UNKNOWN | {
    "saved", "duplicate", "gone", "placeholder", "forbidden", "opted_out", "not_image", "truncated", "corrupt",
    "too_small", "too_large", "changed", "blocked", "bad_url", "withdrawn",
}  # fmt: skip
LAST = (
    "SELECT candidates.wnid, candidates.url, attempts.outcome FROM candidates JOIN attempts ON attempts.id = "
    "(SELECT max(id) FROM attempts WHERE candidate_id = candidates.id)"
)


@pytest.fixture(scope="module")
def found(filled: Scraper) -> dict[str, Any]:
    return filled.report()


def test_keys_are_those_of_the_contract(found: dict[str, Any]) -> None:
    assert set(found) >= {"manifest", "generated_at", "totals", "outcomes", "statuses", "hosts", "classes", "estimates"}
    assert set(found["totals"]) >= TOTALS
    assert set(found["outcomes"]) <= OUTCOMES
    assert all(key == "none" or (key.isdigit() and len(key) == 3) for key in found["statuses"])
    assert found["hosts"]
    assert all(set(host) >= HOST for host in found["hosts"])
    assert all(set(row) >= set(CLASS) for row in found["classes"])
    assert found["manifest"] == "manifests/scraper.db"
    assert found["generated_at"].endswith("Z")


def test_totals_are_those_of_the_attempts(found: dict[str, Any], filled: Scraper) -> None:
    last = filled.rows(LAST)
    totals = found["totals"]
    assert totals["requests"] == filled.one("SELECT count(*) FROM attempts")
    assert totals["tried"] == len(last) == filled.one("SELECT count(DISTINCT candidate_id) FROM attempts")
    assert totals["saved"] == sum(outcome == "saved" for _, _, outcome in last)
    assert totals["unknown"] == sum(outcome in UNKNOWN for _, _, outcome in last)
    assert totals["candidates"] == filled.one("SELECT count(*) FROM candidates")
    assert totals["bytes"] == filled.one("SELECT sum(bytes) FROM attempts WHERE outcome = 'saved'")
    assert totals["bytes"] == sum(path.stat().st_size for path in filled.images.rglob("*") if path.is_file())
    assert (totals["classes"], totals["wanted"]) == filled.rows("SELECT count(*), sum(n) FROM classes")[0]
    assert totals["listed"] == filled.one("SELECT sum(listed) FROM classes")
    assert totals["shortfall"] == sum(row["shortfall"] for row in found["classes"]) > 0


def test_breakdowns_are_those_of_the_attempts(found: dict[str, Any], filled: Scraper) -> None:
    last = filled.rows(LAST)
    outcomes = {name: sum(outcome == name for _, _, outcome in last) for name in OUTCOMES}
    assert found["outcomes"] == {name: count for name, count in outcomes.items() if count}
    statuses = "SELECT coalesce(CAST(status AS TEXT), 'none'), count(*) FROM attempts GROUP BY 1"
    assert found["statuses"] == dict(filled.rows(statuses))
    for row in found["classes"]:
        of_class = [outcome for wnid, _, outcome in last if wnid == row["wnid"]]
        assert (row["tried"], row["saved"]) == (len(of_class), of_class.count("saved"))
        assert row["shortfall"] == max(0, row["n"] - row["saved"])
        assert row["candidates"] == filled.one("SELECT count(*) FROM candidates WHERE wnid = ?", row["wnid"])


def test_hosts_are_those_of_the_attempts(found: dict[str, Any], filled: Scraper) -> None:
    last = filled.rows(LAST)
    assert sum(host["tried"] for host in found["hosts"]) == len(last)
    for host in found["hosts"]:
        of_host = [outcome for _, url, outcome in last if url.split("/")[2] == host["host"]]
        dead = sum(outcome in {"gone", "placeholder"} for outcome in of_host)
        decided = sum(outcome not in UNKNOWN | {"blocked", "bad_url"} for outcome in of_host)
        unknown = sum(outcome in UNKNOWN for outcome in of_host)
        assert (host["tried"], host["saved"]) == (len(of_host), of_host.count("saved"))
        assert (host["dead"], host["unknown"]) == (dead, unknown)
        assert host["decided"] == decided
        assert (host["dead_rate"], host["dead_rate_low"], host["dead_rate_high"]) == (None, None, None)  # two classes


def test_csv_is_the_classes_table(found: dict[str, Any], filled: Scraper) -> None:
    rows = list(csv.reader(io.StringIO(filled.done("report", "--format", "csv").out)))
    assert rows[0][: len(CLASS)] == CLASS
    blank = [["" if row[name] is None else str(row[name]) for name in CLASS] for row in found["classes"]]
    assert [row[: len(CLASS)] for row in rows[1:]] == blank


class Page(HTMLParser):
    """What a browser would make of a page: elements in balance, and the text."""

    VOID = frozenset({"meta", "br", "link", "img", "hr"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - html.parser's
        self.tags.add(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_html_is_well_formed_and_escapes_what_it_shows(copied: Scraper) -> None:
    label = "<script>alert('a & b')</script>"
    copied.done("plan", "--source", "lists", "-n", "10", stdin=f"{label},{TENCH}\n".encode())
    page = Page()
    page.feed(copied.done("report", "--format", "html").out)
    page.close()
    assert page.open == []
    assert "script" not in page.tags
    assert {"table", "title", "td"} <= page.tags
    assert label in page.text
    assert CLOCK in page.text


def test_labels_are_shown_as_they_are_in_text_and_csv(copied: Scraper) -> None:
    label = "[red]so, called[/red] :smile:"
    copied.done("plan", "--source", "lists", "-n", "10", stdin=f"{TENCH}\t{label}\n".encode())
    assert "[red]so" in copied.done("report").out
    rows = list(csv.DictReader(io.StringIO(copied.done("report", "--format", "csv").out)))
    assert rows[0]["label"] == label


def test_output_goes_to_a_file(filled: Scraper, tmp_path: Path) -> None:
    forms = ("text", "json", "csv", "html")
    told = filled.all(*(("report", "--format", form) for form in forms))
    kept = filled.all(*(("report", "--format", form, "--output", str(tmp_path / form)) for form in forms))
    assert [(result.code, result.out, result.err) for result in kept] == [(0, "", "")] * 4
    time = re.compile(r"[0-9-]{10}T[0-9:.]{12}Z")  # of the report, the only thing that differs
    for form, result in zip(forms, told, strict=True):
        written = (tmp_path / form).read_text(encoding="utf-8")
        assert time.sub("", written) == time.sub("", result.out) != ""


def test_text_tells_the_shortfall_and_its_reason(copied: Scraper, found: dict[str, Any]) -> None:
    out = copied.done("report").out
    totals = found["totals"]
    assert f"{totals['saved']} of {totals['wanted']} images" in out
    assert f"{totals['shortfall']} short" in out
    assert "list exhausted" in out
    for host in found["hosts"][:5]:
        assert host["host"] in out
    assert "\x1b" not in out


def test_check_is_about_shortfall(copied: Scraper) -> None:
    assert [result.code for result in copied.all(("report", "--check"), ("report",))] == [1, 0]
    copied.done("plan", TENCH, CLOCK, "-n", "5", "--source", "lists")
    assert copied.run("report", "--check").code == 0


def test_reasons(copied: Scraper) -> None:
    def reasons() -> dict[str, str | None]:
        return {row["wnid"]: row["reason"] for row in copied.report()["classes"]}

    for wnid in ("n00000001", "n00000002"):
        shutil.copy(copied.folder / "lists" / f"{CLOCK}.txt", copied.folder / "lists" / f"{wnid}.txt")
    copied.done("plan", "n00000001", "-n", "8", "--oversample", "1", "--source", "lists")
    copied.done("fetch", "--no-top-up")
    copied.done("plan", "n00000002", "-n", "4", "--oversample", "1", "--source", "lists")
    nowhere = Scraper(copied.folder)
    nowhere.done("fetch", "--no-top-up", "--retries", "1", "--connect-to", "::127.0.0.1:1", code=4)
    copied.done("plan", TENCH, "-n", "12", "--oversample", "2", "--source", "lists")
    copied.done("plan", "n09999999", "--source", "lists", code=1)
    assert reasons() == {
        "n00000001": "budget spent",
        "n00000002": "connection error",
        TENCH: "not yet tried",
        CLOCK: "list exhausted",
        "n09999999": "no list (not_in_source)",
    }
    copied.done("plan", TENCH, "-n", "10", "--source", "lists")
    assert reasons()[TENCH] is None


def test_unknown_candidates_of_an_earlier_run_are_asked_for_before_the_rest(copied: Scraper) -> None:
    shutil.copy(copied.folder / "lists" / f"{CLOCK}.txt", copied.folder / "lists" / "n00000002.txt")
    copied.done("plan", "n00000002", "-n", "4", "--oversample", "1", "--source", "lists")
    nowhere = Scraper(copied.folder)
    nowhere.done("fetch", "--no-top-up", "--retries", "1", "--connect-to", "::127.0.0.1:1", code=4)
    tries = "SELECT rank, tries FROM candidates WHERE wnid = 'n00000002' AND tries > 0 ORDER BY rank"
    assert copied.rows(tries) == [(rank, 1) for rank in range(1, 5)]
    copied.done("fetch")
    assert copied.rows(tries)[:4] == [(rank, 2) for rank in range(1, 5)]
    check_manifest(copied)


@pytest.mark.parametrize("column", ["candidates", "unasked", "repaired", "bytes"])
def test_verify_counts_again_what_reports_read(copied: Scraper, column: str) -> None:
    with closing(sqlite3.connect(copied.manifest)) as connection, connection:
        connection.execute(f"UPDATE class_outcomes SET {column} = {column} + 1 WHERE outcome = 'saved'")  # noqa: S608 - our own names
    assert "class_outcomes" in copied.done("verify", code=1).out
    copied.done("verify", "--repair")
    check_manifest(copied)
    copied.done("verify")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM image WHERE candidate_id = (SELECT min(candidate_id) FROM image)", "saved but have no image"),
        ("UPDATE candidate SET state = 0 WHERE id = (SELECT min(candidate_id) FROM image)", "belong to no saved"),
        ("UPDATE candidate SET tries = 9 WHERE id = (SELECT min(candidate_id) FROM image)", "another number of tries"),
        (
            "UPDATE image SET path = (SELECT min(path) FROM image) WHERE candidate_id / 10000000 = 1440764",
            "1 paths are those of several images",
        ),
    ],
)
def test_verify_says_what_contradicts_itself(copied: Scraper, change: str, said: str) -> None:
    with closing(sqlite3.connect(copied.manifest)) as connection, connection:
        connection.execute(change)
    assert said in copied.done("verify", code=1).out


@pytest.mark.parametrize("form", ["text", "json", "html", "methods"])
def test_a_report_is_written_over_no_manifest_and_no_picture(copied: Scraper, form: str) -> None:
    """Whatever the name by which they are given: what is not text is no report of ours."""
    image = copied.one("SELECT path FROM images LIMIT 1")
    for name, of in {"link.db": "manifests/scraper.db", "link.jpg": f"images/{image}"}.items():
        (copied.folder / name).symlink_to(copied.folder / of)
    (copied.folder / "hard.db").hardlink_to(copied.manifest)
    (copied.folder / "other.db").write_bytes(copied.manifest.read_bytes())
    before = copied.snapshot()
    beside = [f"manifests/scraper.db{end}" for end in ("", "-wal", "-shm", "-journal", ".lock")]
    for name in (*beside, f"images/{image}", "link.db", "link.jpg", "hard.db", "other.db"):
        assert "give another FILE" in copied.done("report", "--format", form, "--output", name, code=2).err, name
    assert copied.snapshot() == before


def test_an_older_report_and_a_pipe_are_written_to(copied: Scraper) -> None:
    told = copied.done("report").out
    for _ in range(2):
        copied.done("report", "--output", "report.txt")
        assert (copied.folder / "report.txt").read_text(encoding="utf-8") == told
    assert copied.done("report", "--output", "/dev/stdout").out == told
    (copied.folder / "empty").touch()
    copied.done("report", "--output", "empty")
