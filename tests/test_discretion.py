"""What a manifest keeps of its user: what makes a run again, no home folder, no password, no secret of a URL."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.discretion import discreet, discreet_path, discreet_words, without_secrets
from tests.command import Scraper
from tests.conftest import TENCH
from tests.manifest.version1 import downgrade

if TYPE_CHECKING:
    from pathlib import Path

HOME = "/home/alice.example"
SECRET = "hunter2"  # noqa: S105 - no one's


def everything(scraper: Scraper) -> str:
    """All that stands in the manifest's file, read as bytes: what its pages keep of rows that are gone counts too."""
    with closing(sqlite3.connect(scraper.manifest)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return scraper.manifest.read_bytes().decode("latin-1")


@pytest.mark.parametrize(
    "name", ["key", "api_key", "AWSAccessKeyId", "X-Amz-Signature", "sig", "token", "access_token", "pwd", "password",
             "auth", "client_secret", "%6Bey", "session"],
)  # fmt: skip
def test_secrets_of_a_query_go(name: str) -> None:
    url = f"https://api.example/list?wnid={{wnid}}&{name}={SECRET}&sort=rank"
    assert without_secrets(url) == f"https://api.example/list?wnid={{wnid}}&{name}=***&sort=rank"


@pytest.mark.parametrize("name", ["wnid", "keyword", "author", "page", "design", "format"])
def test_the_rest_of_a_query_stays(name: str) -> None:
    url = f"https://api.example/list?{name}=n01440764&q=tench+fish#top"
    assert without_secrets(url) == url


def test_what_nobody_has_typed_is_a_secret_by_whatever_name() -> None:
    assert (
        without_secrets("https://a.example/?x=ghp_16C7e42F292c6912E7710c838347Ae178B4a") == "https://a.example/?x=***"
    )


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("images", "images"),
        ("./images/a", "./images/a"),
        ("/work/images", "images"),
        ("/work", "."),
        ("/work/../work/a", "a"),
        ("/workbench/a", "PATH"),
        (HOME, "PATH"),
        (f"{HOME}/fall11_urls.tgz", "PATH/fall11_urls.tgz"),
        (f"{HOME}/lists", "PATH"),
        ("../lists", "PATH"),
        ("a/../../lists", "PATH"),
        ("~/lists", "PATH"),
    ],
)
def test_paths_are_told_from_the_working_folder(path: str, kept: str) -> None:
    assert discreet_path(path, "/work") == kept


@given(
    st.lists(st.sampled_from(["a", "..", ".", "", "b.txt", "work"]), max_size=6).map("/".join),
    st.sampled_from(["", f"{HOME}/"]),
)
def test_no_path_tells_what_is_above_the_working_folder(path: str, start: str) -> None:
    kept = discreet_path(start + path, f"{HOME}/work")
    assert "alice" not in kept
    assert not kept.startswith(("/", "../"))


@given(st.text(max_size=60))
def test_any_text_can_be_made_discreet_twice(text: str) -> None:
    once = discreet(text, "/work")
    assert discreet(once, "/work") == once


def test_words_keep_what_makes_the_run_again() -> None:
    words = [
        "plan",
        "n01440764",
        "tench,n01440764",
        "-n10",
        "--oversample=1.5",
        "--source",
        "lists,api",
        "--shuffle=a/b",
    ]
    assert discreet_words(words, "/work") == words


def test_a_run_keeps_no_secret_of_its_user(filled: Scraper, tmp_path: Path) -> None:
    home = tmp_path / "home" / "alice"
    work = home / "work"
    work.mkdir(parents=True)
    scraper = Scraper(work, filled.standin)
    source = f"https://lists.example/geturls?wnid={{wnid}}&api_key={SECRET}"
    proxy = f"http://alice:{SECRET}@127.0.0.1:9"
    scraper.run("plan", TENCH, "--source", source)
    scraper.run("plan", TENCH, "--source", str(filled.folder / "lists"))
    scraper.done("fetch", f"--out={home / 'pictures'}", "--manifest", str(scraper.manifest))
    scraper.run("fetch", "--proxy", proxy, "--retries", "1")
    kept = everything(scraper)
    assert SECRET not in kept
    assert "alice" not in kept
    assert str(filled.folder) not in kept
    runs = [json.loads(argv) for (argv,) in scraper.rows("SELECT argv FROM runs ORDER BY id")]
    assert runs[0][:4] == ["plan", TENCH, "--source", "https://lists.example/geturls?wnid={wnid}&api_key=***"]
    assert runs[1][:4] == ["plan", TENCH, "--source", "PATH"]
    assert runs[2][:4] == ["fetch", "--out=PATH", "--manifest", "manifests/scraper.db"]
    assert scraper.one("SELECT source FROM classes") == "PATH"


def test_old_manifests_are_cleaned_when_they_are_brought_up(copied: Scraper) -> None:
    downgrade(copied.manifest)
    argv = ["fetch", f"--out={HOME}/images", "--ca-certs", f"{HOME}/ca.pem", f"--proxy=alice.example:{SECRET}@p:1"]
    url = f"https://lists.example/?wnid=n01440764&key={SECRET}"
    with closing(sqlite3.connect(copied.manifest, isolation_level=None)) as database:
        database.execute("UPDATE runs SET argv = ?", (json.dumps(argv),))
        database.execute("UPDATE classes SET source = ?", (f"{HOME}/fall11_urls.txt.gz",))
        database.execute("UPDATE classes SET resolve_error = ?", (f"no answer: {url}",))
        database.execute("UPDATE listings SET url = ?, error = ?", (url, f"no answer: {url}"))
    before = copied.rows("SELECT command, version, started_at, exit_code FROM runs")
    copied.done("verify", "--repair")
    kept = everything(copied)
    assert SECRET not in kept
    assert "alice" not in kept
    assert copied.rows("SELECT command, version, started_at, exit_code FROM runs")[: len(before)] == before
    cleaned = json.dumps(["fetch", "--out=PATH", "--ca-certs", "PATH", "--proxy=***@p:1"])
    assert copied.rows("SELECT DISTINCT argv FROM runs WHERE command <> 'verify'") == [(cleaned,)]
    assert copied.rows("SELECT DISTINCT source FROM classes") == [("PATH/fall11_urls.txt.gz",)]
    assert copied.rows("SELECT DISTINCT url FROM listings") == [("https://lists.example/?wnid=n01440764&key=***",)]


@pytest.mark.parametrize("argv", ["", "{}", "7", '"fetch"', "[[]]", "[1]", "[" * 5000])
def test_a_command_line_that_is_none_is_left_out(copied: Scraper, argv: str) -> None:
    downgrade(copied.manifest)
    with closing(sqlite3.connect(copied.manifest, isolation_level=None)) as database:
        database.execute("UPDATE runs SET argv = ?", (argv,))
    copied.done("verify", "--repair")
    assert copied.one("SELECT argv FROM runs ORDER BY id LIMIT 1") == "[]"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("/work/lists,/home/alice/x,api", "lists,PATH,api"),
        ("/work/a.txt,https://a.example/?key=0815", "a.txt,https://a.example/?key=***"),
        ("list?token=0815", "list?token=***"),
        ("https://a.example/home/alice", "https://a.example/home/alice"),
        ("alice", "alice"),
        ("..", ".."),
    ],
)
def test_several_values_by_commas_are_each_as_they_may_be(text: str, kept: str) -> None:
    assert discreet(text, "/work") == kept


def test_words_with_values_are_told_from_the_working_folder() -> None:
    words = ["fetch", "--out=/work/images", "--out", "/work/images", "--flag=", "/home/alice/a"]
    assert discreet_words(words, "/work") == ["fetch", "--out=images", "--out", "images", "--flag=", "PATH"]


def test_from_the_top_folder_every_path_is_within() -> None:
    assert discreet_path("/home/alice/x", "/") == "home/alice/x"
    assert discreet_path("/home/alice/x", "") == "PATH"
    assert discreet_path("..", "/work") == discreet_path("..", "") == "PATH"
