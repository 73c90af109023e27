"""Hostile text from everywhere, through every command and format: it steers no terminal, page or table."""

from __future__ import annotations

import csv
import fcntl
import html.parser
import io
import json
import os
import pty
import shutil
import sqlite3
import subprocess
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Final

import pytest

from scraper.texts import defused, printable
from tests.command import LONGEST, Scraper
from tests.conftest import CLOCK, TENCH
from tests.hostile import STRINGS, unprintable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.command import Result

FORMATS: Final = ("text", "json", "csv", "html")
UPDATES: Final = {
    "labels": "UPDATE classes SET label = :text",
    "sources": "UPDATE classes SET source = :text, hosts = :text, shuffle = :text",
    "failures": "UPDATE classes SET resolve_error = :text, resolve_outcome = 'unreadable', n = n + 1",
    "attempts": "UPDATE attempt SET error = :text, final_url = :text, content_type = :text",
    "hops": "UPDATE attempt SET hops = json_array(json_object('url', :text, 'status', 302, 'location', :text))",
    "urls": "UPDATE candidate SET url = :text || id",
    "paths": "UPDATE image SET path = :text || candidate_id",
    "hosts": "UPDATE host_outcomes SET host = :text || host",
    "statuses": "UPDATE statuses SET status = :text || status",
    "runs": "UPDATE runs SET argv = json_array(:text), version = :text, command = :text",
    "times": "UPDATE attempt SET started_at = :text",
    "outcomes": "UPDATE candidate SET outcome = :text, fate = :text",
}
"""What a manifest can hold of somebody else's text."""
COMMANDS: Final = (
    *(("report", "--format", form) for form in FORMATS),
    ("verify",),
    ("trace", "n01440764"),
    ("plan", TENCH, "--source", "lists"),
)


def doctored(scraper: Scraper, text: str, *names: str) -> None:
    """Put a text into a manifest where our own checks would not let it."""
    with closing(sqlite3.connect(scraper.manifest)) as database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        for name in names:
            with suppress(sqlite3.IntegrityError):  # two rows alike
                database.execute(UPDATES[name], {"text": text})
        database.commit()


def assert_clean(result: Result, codes: tuple[int, ...] = (0, 1, 2, 3)) -> None:
    assert result.code in codes, result
    assert unprintable(result.out) == set()
    assert unprintable(result.err) == set()


@pytest.fixture(scope="module")
def copies(filled: Scraper, tmp_path_factory: pytest.TempPathFactory) -> Scraper:
    """One copy that is doctored again and again: its manifest comes from the filled one each time."""
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copytree(filled.folder, folder, dirs_exist_ok=True)
    return Scraper(folder)


def renewed(copies: Scraper, filled: Scraper) -> Scraper:
    for path in copies.manifest.parent.iterdir():
        path.unlink()
    with closing(sqlite3.connect(filled.manifest)) as source, closing(sqlite3.connect(copies.manifest)) as target:
        source.backup(target)
    return copies


# --- a manifest -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", UPDATES)
def test_no_command_passes_on_what_steers_a_terminal(copies: Scraper, filled: Scraper, name: str) -> None:
    for text in ("".join(STRINGS[:13]), "".join(STRINGS[13:22]), "".join(STRINGS[22:40])):
        doctored(renewed(copies, filled), text.replace("\x00", ""), name)
        for result in copies.all(*COMMANDS):
            assert_clean(result)


@pytest.mark.parametrize("text", STRINGS, ids=range(len(STRINGS)))
def test_labels_are_exact_in_json_and_tame_elsewhere(copies: Scraper, filled: Scraper, text: str) -> None:
    doctored(renewed(copies, filled), text.replace("\x00", ""), "labels")
    label = text.replace("\x00", "")
    as_text, as_json, as_csv, as_html = copies.all(*(("report", "--format", form) for form in FORMATS))
    for result in (as_text, as_json, as_csv, as_html):
        assert_clean(result, (0,))
    assert {row["label"] for row in json.loads(as_json.out)["classes"]} == {label}
    assert as_json.out.isascii()
    rows = list(csv.DictReader(io.StringIO(as_csv.out)))
    assert {row["label"] for row in rows} == {defused(printable(label, keep=""))}
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values())
    assert cells_of(as_html.out).count(printable(label, keep="")) >= 2


def test_what_servers_said_is_exact_in_json(copies: Scraper, filled: Scraper) -> None:
    text = "".join(STRINGS).replace("\x00", "")[:4000]
    doctored(renewed(copies, filled), text, "attempts", "labels")
    (path,) = copies.rows("SELECT path FROM images LIMIT 1")[0]
    as_text, as_json = copies.all(("trace", path), ("trace", path, "--format", "json"))
    assert_clean(as_text, (0,))
    assert_clean(as_json, (0,))
    (found,) = json.loads(as_json.out)
    assert {(one["error"], one["final_url"]) for one in found["requests"]} == {(text, text)}


class _Cells(html.parser.HTMLParser):
    """The cells of a page's tables; any tag that a report has no use for is a find."""

    def __init__(self) -> None:
        super().__init__()
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "h1",
            "p",
            "table",
            "caption",
            "tr",
            "th",
            "td",
        }
        assert not any(name.startswith("on") or name in {"href", "src"} for name, _ in attrs)
        if tag == "td":
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self.cells.append("")


def cells_of(page: str) -> list[str]:
    parser = _Cells()
    parser.feed(page)
    return parser.cells


def test_the_text_of_a_terminal_holds_only_our_own_colours(copies: Scraper, filled: Scraper) -> None:
    doctored(renewed(copies, filled), "".join(STRINGS[:20]).replace("\x00", ""), "labels", "hosts")
    ours, theirs = pty.openpty()
    with closing(os.fdopen(ours, "rb", buffering=0)) as screen:
        process = subprocess.Popen(
            copies.command("report"), cwd=copies.folder, env={**copies.environment(), "TERM": "xterm"}, stdout=theirs
        )
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # the end of a terminal
            while piece := screen.read(65536):
                shown += piece
        assert process.wait(LONGEST) == 0
    text = shown.decode()
    for sequence in text.split("\x1b")[1:]:
        kind, _, _ = sequence.partition("m")
        assert kind.startswith("[")
        assert set(kind[1:]) <= set("0123456789;")
    assert "\x1b[31mred" not in text
    assert unprintable(text, "\n\t\r\x1b") == set()


# --- names, flags, what others wrote ----------------------------------------------------------------------------------


def test_names_of_files_in_the_output_folder(copied: Scraper) -> None:
    for number, text in enumerate(STRINGS):
        name = text.replace("/", "").replace("\x00", "")[:60]
        with suppress(OSError, UnicodeEncodeError):
            (copied.images / TENCH / f"{name}{number}.jpg").write_bytes(b"")
    (copied.images / CLOCK / os.fsdecode(b"not \xff\xfe utf-8 \xed\xa0\x80.jpg")).write_bytes(b"")
    for words in (("verify",), ("fetch", "--source", "lists"), ("verify", "--remove-strays")):
        result = copied.run(*words)
        assert_clean(result)
        assert result.err.count("scraper: error: a line") == 0
        assert result.out.count("\nscraper: error: a line") == 0


@pytest.mark.parametrize("text", STRINGS, ids=range(len(STRINGS)))
def test_whatever_is_typed(scraper: Scraper, text: str) -> None:
    text = text.replace("\x00", "")
    calls: list[tuple[str, ...]] = [
        (text,),
        ("plan", text),
        ("plan", TENCH, f"--{text}"),
        ("plan", TENCH, "-n", text),
        ("plan", TENCH, "--source", text),
        ("plan", TENCH, "--hosts", text),
        ("fetch", "--retry", text),
        ("fetch", "--connect-to", text),
        ("fetch", "--ca-certs", text),
        ("fetch", "--proxy", text),
        ("report", "--manifest", text),
        ("report", "--format", text),
        ("trace", text),
        ("verify", f"--out={text}"),
    ]
    if not text.strip():
        calls = calls[1:]
    scraper.variables["HTTPS_PROXY"] = "http://127.0.0.1:9"  # what is typed may be a plan, and leads nowhere
    for words, result in zip(calls, scraper.all(*calls), strict=True):
        assert result.code in ({2, 3} if words[0] != "plan" and not scraper.manifest.exists() else range(5)), words
        assert unprintable(result.out + result.err) == set(), words
        if words == ("plan", text):
            assert " line 1" not in result.err


@pytest.mark.parametrize("text", ["x" * 256, "x" * 5000, "é" * 128, "x/" * 3000, "\x1b[31m\u202e" * 20])
def test_names_of_files_that_cannot_be(copied: Scraper, text: str) -> None:
    before = copied.manifest.read_bytes()
    calls = (
        ("verify", "--out", text),
        ("verify", "--repair", "--out", text),
        ("fetch", "--out", text),
        ("plan", TENCH, "--source", text),
        ("report", "--output", text),
        ("export", "csv", text),
        ("report", "--manifest", text),
    )
    for words, result in zip(calls, copied.all(*calls), strict=True):
        assert result.code in ((0, 2, 3, 4) if text.startswith("\x1b") else (2, 3)), (words, result)
        assert unprintable(result.out + result.err) == set(), words
    assert copied.manifest.read_bytes() == before or text.startswith("\x1b")


def test_words_that_are_no_text(scraper: Scraper) -> None:
    """Bytes that are not UTF-8 reach Python as halves of characters."""
    raw = os.fsdecode(b"caf\xe9 \xed\xa0\x80")
    for words in (("plan", raw), ("report", "--manifest", raw), (raw,), ("plan", TENCH, f"--{raw}"), ("trace", raw)):
        process = subprocess.run(
            scraper.command(*words), cwd=scraper.folder, env=scraper.environment(), capture_output=True, check=False
        )
        assert process.returncode in {2, 3}
        assert b"Traceback" not in process.stderr
        assert unprintable(process.stderr.decode()) == set()


@pytest.mark.parametrize("text", STRINGS[:22], ids=range(22))
def test_what_stands_in_a_lock_file(copied: Scraper, text: str) -> None:
    lock = copied.manifest.with_name(copied.manifest.name + ".lock")
    with lock.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(text.encode())
        file.flush()
        result = copied.run("fetch")
    assert result.code == 3
    assert result.err.count("\n") == 1
    assert unprintable(result.out + result.err) == set()


def test_lists_of_classes_and_of_urls(scraper: Scraper) -> None:
    (scraper.folder / "lists").mkdir()
    for number, text in enumerate(STRINGS):
        body = f"{text}\nhttp://farm1.static.flickr.com/1/{number}_a.jpg\nhttp://{text}/{text}.jpg\n"
        (scraper.folder / "lists" / f"n{number:08d}.txt").write_bytes(body.encode("utf-8", "surrogatepass"))
    lines = [f"{text.replace(chr(10), ' ')},n{number:08d}" for number, text in enumerate(STRINGS)]
    for given in ("\n".join(lines), "\n".join(STRINGS)):
        for words in (("plan", "--source", "lists"), ("report",), ("report", "--format", "json")):
            assert_clean(scraper.run(*words, stdin=given.encode("utf-8", "surrogatepass")))
    labels = {text.replace("\n", " ") for text in STRINGS}
    found = json.loads(scraper.run("report", "--format", "json").out) if scraper.manifest.exists() else {"classes": []}
    assert all(row["label"] is None or row["label"].strip() for row in found["classes"])
    assert labels


# --- streams that hold less than Unicode ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "ascii:strict"},
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "cp1252"},
        {"LANG": "C", "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"LC_ALL": "POSIX"},
    ],
    ids=str,
)
def test_a_stream_that_is_not_utf8(copies: Scraper, filled: Scraper, variables: Mapping[str, str]) -> None:
    label = "Ünïcödé … 田中 \U0001f4a9 \x1b[31m"
    doctored(renewed(copies, filled), label, "labels", "hosts", "failures")
    copies.variables.update(variables)
    for words in COMMANDS:
        code, out, err = written(copies, *words, anew="PYTHONIOENCODING" not in variables)
        assert b"Traceback" not in err, err
        # What was doctored may be no manifest that a plan can go on with.
        assert code in ({0, 1, 2, 3} if words[0] == "plan" else {0, 1, 2}), (code, out, err)
        assert b"\x1b" not in out + err
        if "json" in words:
            found: dict[str, Any] = json.loads(out)
            assert {row["label"] for row in found["classes"]} == {label}
        if "html" in words and "ascii" in str(variables):
            assert "&#252;" not in label
            assert b"&#30000;" in out


def written(scraper: Scraper, *words: str, anew: bool) -> tuple[int, bytes, bytes]:
    """How a command ends and the bytes that it writes; `anew` where the interpreter is to choose their encoding."""
    if anew:
        done = subprocess.run(
            scraper.command(*words), cwd=scraper.folder, env=scraper.environment(), capture_output=True, check=False
        )
        return done.returncode, done.stdout, done.stderr
    forked = scraper.start(*words)
    return forked.wait(LONGEST), forked.out, forked.err


def test_a_report_in_a_file_is_utf8_whatever_the_terminal_is(copies: Scraper, filled: Scraper, tmp_path: Path) -> None:
    doctored(renewed(copies, filled), "Ünïcödé", "labels")
    copies.variables["PYTHONIOENCODING"] = "ascii"
    for form in FORMATS:
        out = tmp_path / form
        copies.done("report", "--format", form, "--output", str(out))
        written = out.read_text(encoding="utf-8")
        assert ("Ünïcödé" in written) == (form != "json")
    copies.variables.clear()
