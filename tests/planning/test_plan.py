"""Phase one, end to end: lists of every form, sources of every kind, failures and interruptions."""

from __future__ import annotations

import gzip
import io
import math
import os
import pty
import shutil
import signal
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.command import Scraper, check_manifest
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import ListingFate, StandIn, World

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "https://www.image-net.org/api/imagenet.synset.geturls?wnid="
CANDIDATES = "SELECT wnid, rank, url, photo_id FROM candidates ORDER BY id"
LISTED = "SELECT wnid, listed, candidates, malformed, repeated FROM classes ORDER BY wnid"
MORE = [*CLASSES, ("n02123045", "tabby"), ("n01484850", "great white shark")]


@pytest.fixture(scope="module")
def world() -> World:
    return World.of(21, MORE, flickr=30, other=60)


@pytest.fixture(scope="module")
def standin(world: World) -> Iterator[StandIn]:
    with StandIn(world) as running:
        yield running


@pytest.fixture
def online(tmp_path: Path, standin: StandIn) -> Scraper:
    standin.reset_counts()
    return Scraper(tmp_path, standin)


@pytest.fixture
def offline(scraper: Scraper, world: World) -> Scraper:
    world.write_folder(scraper.folder / "lists")
    return scraper


# --- naming classes --------------------------------------------------------------------------------------------------


def test_every_form_of_a_class_list(offline: Scraper) -> None:
    stdin = (
        b"\xef\xbb\xbf# my classes\r\n\r\nn01440764\r\n"
        b"analog clock,n02708093\r\nn02123045,tabby\r\nn01484850 great white shark\r\n"
        b"n01440764\ttench\r\n  n02708093  \n#n99999999\n"
    )
    result = offline.done("plan", "--source", "lists", stdin=stdin)
    assert dict(offline.rows("SELECT wnid, label FROM classes")) == dict(MORE)
    assert "2 times a class was given that had been given before" in result.out
    assert result.out.startswith("4 classes of 4 resolved, 120 candidates recorded in ")
    assert offline.rows("SELECT DISTINCT n, budget FROM classes") == [(10, 14)]


def test_classes_as_arguments(offline: Scraper) -> None:
    words = ("n02123045", "tench,n01440764", "n02708093,analog clock", "n01484850 great white shark", "n02123045")
    result = offline.done("plan", *words, "--source=lists", "-n=2", "--oversample=1.5")
    assert dict(offline.rows("SELECT wnid, label FROM classes")) == dict(MORE) | {"n02123045": None}
    assert "1 time a class was given that had been given before" in result.out
    assert offline.rows("SELECT DISTINCT n, budget FROM classes") == [(2, 3)]


def test_the_labelled_list_of_a_thousand_works_as_it_stands(scraper: Scraper) -> None:
    names = Path(__file__).resolve().parents[2] / "manifests" / "ilsvrc2012.csv"
    ids = [line.rpartition(",")[2].strip() for line in names.read_text(encoding="utf-8").splitlines() if "," in line]
    (scraper.folder / "lists").mkdir()
    for wnid in ids:
        (scraper.folder / "lists" / f"{wnid}.txt").write_text(f"http://static.flickr.com/1/{wnid[1:]}_ab.jpg\r\n")
    result = scraper.done("plan", "--source", "lists", "-n", "1", stdin=names.read_bytes())
    assert result.out.startswith("1,000 classes of 1,000 resolved, 1,000 candidates")
    assert scraper.rows("SELECT count(*), count(label), count(DISTINCT wnid) FROM classes") == [(1000, 1000, 1000)]


def test_a_terminal_without_classes_is_told_so_and_does_not_hang(scraper: Scraper) -> None:
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            scraper.command("plan"), cwd=scraper.folder, stdin=theirs, capture_output=True, timeout=300, check=False
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == 2
    assert b"no class was given" in done.stderr
    assert scraper.snapshot() == {}


# --- sources ---------------------------------------------------------------------------------------------------------


def ungrouped(index: bytes) -> bytes:
    """The same lines with those of all classes mixed, each class's own order kept."""
    queues: dict[bytes, list[bytes]] = {}
    for line in index.splitlines(keepends=True):
        queues.setdefault(line[:9], []).append(line)
    turns = [line for turn in zip(*(queue[:50] for queue in queues.values()), strict=True) for line in turn]
    return b"".join(turns + [line for queue in queues.values() for line in queue[50:]])


def tar_of(body: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        member = tarfile.TarInfo("fall11_urls.txt")
        member.size = len(body)
        archive.addfile(member, io.BytesIO(body))
    return out.getvalue()


def test_all_sources_give_the_same_candidates(online: Scraper, world: World) -> None:
    folder = online.folder
    world.write_folder(folder / "lists")
    world.write_index(folder / "fall11_urls.txt")
    index = (folder / "fall11_urls.txt").read_bytes()
    (folder / "urls.gz").write_bytes(gzip.compress(index))
    (folder / "urls.tgz").write_bytes(tar_of(index))
    (folder / "mixed.txt").write_bytes(ungrouped(index))
    expected = [(wnid, rank, url) for wnid, _ in MORE for rank, url in enumerate(world.flickr_urls(wnid), start=1)]
    listed = None
    for source in (f"{API}{{wnid}}", "lists", "fall11_urls.txt", "urls.gz", "urls.tgz", "mixed.txt"):
        planned = Scraper(folder, online.standin, manifest=f"{Path(source).name.partition('?')[0]}.db")
        planned.done("plan", *(wnid for wnid, _ in MORE), "--source", source, f"--manifest={planned.manifest}")
        found = [(wnid, rank, url) for wnid, rank, url, _ in planned.rows(CANDIDATES)]
        assert found == sorted(expected), source
        listed = listed or planned.rows(LISTED)
        assert planned.rows(LISTED) == listed, source
        assert planned.rows("SELECT DISTINCT source FROM classes") == [(source,)]
    assert online.standin is not None
    assert [online.standin.count(API + wnid) for wnid, _ in MORE] == [1] * len(MORE)


def test_counts_of_lines(offline: Scraper, world: World) -> None:
    offline.done("plan", TENCH, "--source", "lists")
    lines = world.lines(TENCH)
    odd = sum(not line.startswith(b"http") for line in lines)
    flickr = [line for line in lines if line.decode("latin-1") in world.flickr_urls(TENCH)]
    ((listed, candidates, malformed, repeated),) = offline.rows(
        "SELECT listed, candidates, malformed, repeated FROM classes"
    )
    assert (listed, candidates, malformed) == (len(lines) - odd, 30, odd)
    assert repeated == len(flickr) - 30


def test_photo_ids_are_those_in_the_urls(offline: Scraper) -> None:
    offline.done("plan", *(wnid for wnid, _ in MORE), "--source", "lists")
    for url, photo_id in offline.rows("SELECT url, photo_id FROM candidates"):
        assert f"/{photo_id}_" in url


def test_other_hosts(offline: Scraper, world: World) -> None:
    offline.done("plan", TENCH, "--source", "lists", "--hosts", "example.com")
    expected = [
        line.decode("utf-8" if b"\xc3" in line else "latin-1")
        for line in dict.fromkeys(world.lines(TENCH))
        if line.startswith(b"http://") and line.split(b"/")[2].endswith(b"example.com")
    ]
    assert [url for _, _, url, _ in offline.rows(CANDIDATES)] == expected


def test_a_class_that_the_source_lacks_fails(offline: Scraper, world: World) -> None:
    world.write_index(offline.folder / "index.txt")
    for source in ("lists", "index.txt"):
        other = Scraper(offline.folder, manifest=f"{source}.db")
        words = ("n09999999", TENCH, "--source", source, "--manifest", str(other.manifest))
        assert "n09999999" in other.done("plan", *words, code=1).out
        assert other.rows("SELECT wnid, resolve_outcome, candidates FROM classes ORDER BY wnid") == [
            (TENCH, "listed", 30),
            ("n09999999", "not_in_source", 0),
        ]


# --- targets ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "oversample"), [(10, "1.33"), (10, "1.1"), (7, "1"), (3, "2.5")])
def test_budget_is_n_times_oversample_rounded_up(offline: Scraper, n: int, oversample: str) -> None:
    offline.done("plan", TENCH, "--source", "lists", "-n", str(n), "--oversample", oversample)
    thousandths = n * round(float(oversample) * 1000)
    assert offline.rows("SELECT n, budget FROM classes") == [(n, math.ceil(thousandths / 1000))]


def test_shuffle_is_repeatable_and_independent(offline: Scraper) -> None:
    def order(name: str, *words: str) -> list[str]:
        planned = Scraper(offline.folder, manifest=f"{name}.db")
        planned.done("plan", *words, "--source", "lists", "--manifest", str(planned.manifest))
        return [url for wnid, _, url, _ in planned.rows(CANDIDATES) if wnid == TENCH]

    plain, first = order("plain", TENCH), order("first", TENCH, "--shuffle", "7")
    assert first == order("again", CLOCK, TENCH, "--shuffle", "7") != plain
    assert first != order("other", TENCH, "--shuffle", "8")
    assert sorted(first) == sorted(plain)


def test_a_list_that_is_kept_in_spite_of_other_flags_is_told_of(offline: Scraper) -> None:
    offline.done("plan", TENCH, "--source", "lists")
    before = offline.rows("SELECT rank, url FROM candidates WHERE wnid = ?", TENCH)
    shuffled = offline.done("plan", TENCH, CLOCK, "--source", "lists", "--shuffle", "7").out
    assert "1 class keeps its list, made with other --hosts or --shuffle: give another --manifest" in shuffled
    assert offline.rows("SELECT rank, url FROM candidates WHERE wnid = ?", TENCH) == before
    both = offline.done("plan", TENCH, CLOCK, "--source", "lists", "--hosts", "staticflickr.com").out
    assert "2 classes keep their lists" in both
    assert "keep" not in offline.done("plan", TENCH, "--source", "lists").out


def test_classes_that_cannot_reach_their_target_are_named(offline: Scraper) -> None:
    out = offline.done("plan", TENCH, CLOCK, "--source", "lists", "-n", "31").out
    assert "2 classes cannot reach the target" in out
    assert f"{CLOCK} : 30 candidates for 31 images" in out or f"{CLOCK}: 30 candidates for 31 images" in out
    assert "cannot reach" not in offline.done("plan", TENCH, CLOCK, "--source", "lists", "-n", "30").out


def test_a_rerun_adds_classes_and_moves_targets_and_discards_nothing(copied: Scraper) -> None:
    tables = (
        "candidates WHERE wnid < 'n02'",
        "images",
        "attempts",
        "class_outcomes",
        "raises",
        "runs WHERE command = 'fetch'",
    )
    before = {table: copied.rows(f"SELECT * FROM {table}") for table in tables}  # noqa: S608 - our own names
    shutil.copy(copied.folder / "lists" / f"{CLOCK}.txt", copied.folder / "lists" / "n02123045.txt")
    copied.done("plan", TENCH, "tabby,n02123045", "-n", "12", "--source", "lists")
    assert {table: copied.rows(f"SELECT * FROM {table}") for table in tables} == before  # noqa: S608 - the same
    assert copied.rows("SELECT wnid, label, n FROM classes ORDER BY wnid") == [
        (TENCH, "tench", 12),
        ("n02123045", "tabby", 12),
        (CLOCK, "analog clock", 30),
    ]
    copied.done("fetch")
    assert copied.one("SELECT count(*) FROM images WHERE wnid = ?", TENCH) == 12
    kept = copied.rows("SELECT * FROM images")
    copied.done("plan", TENCH, "-n", "4", "--source", "lists")
    assert copied.one("SELECT n FROM classes WHERE wnid = ?", TENCH) == 4
    assert copied.rows("SELECT * FROM images") == kept


# --- failures --------------------------------------------------------------------------------------------------------

REASONS = {
    ListingFate.INVALID_URL: "invalid_wnid",
    ListingFate.NOT_READY: "not_ready",
    ListingFate.HTML_PAGE: "not_a_list",
    ListingFate.EMPTY: "empty",
    ListingFate.NOT_FOUND: "not_found",
    ListingFate.ERROR_ALWAYS: "server_error",
    ListingFate.SILENT: "timeout",
    ListingFate.ERROR_ONCE: "listed",
    ListingFate.LISTED: "listed",
}


def test_failures_are_failed_classes_and_only_they_are_asked_again(tmp_path: Path) -> None:
    assert set(REASONS) == set(ListingFate)
    wnids = {f"n0000000{number}": fate for number, fate in enumerate(REASONS)}
    world = World.of(1, [(wnid, fate.value) for wnid, fate in wnids.items()], flickr=12, listing=wnids)
    failing = [wnid for wnid, fate in wnids.items() if not fate.resolves]
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path, standin)
        result = scraper.done("plan", *wnids, "--timeout", "1", code=1)
        found = scraper.rows("SELECT wnid, resolve_outcome, candidates, listed > 0 FROM classes ORDER BY wnid")
        assert found == [
            (wnid, REASONS[fate], 12 if fate.resolves else 0, int(fate.resolves)) for wnid, fate in wnids.items()
        ]
        assert scraper.one("SELECT count(*) FROM candidates") == 24
        assert scraper.one("SELECT exit_code FROM runs") == 1
        assert "7 classes failed" in result.out
        for wnid in failing:
            assert f"{wnid} : {REASONS[wnids[wnid]]} (" in result.out.replace(f"{wnid}:", f"{wnid} :")
        statuses = dict(scraper.rows("SELECT resolve_outcome, http_status FROM classes"))
        assert (statuses["not_found"], statuses["server_error"], statuses["timeout"]) == (404, 503, None)
        # Every request for a list is on record.
        asked = {wnid: standin.count(API + wnid) for wnid in wnids}
        assert dict(scraper.rows("SELECT wnid, count(*) FROM listings GROUP BY wnid")) == asked
        assert asked["n00000000"] == 1  # answered for good: not asked thrice
        assert asked["n00000005"] > 1
        check_manifest(scraper)

        for wnid in failing:
            world.classes[wnid] = replace(world.classes[wnid], listing=ListingFate.LISTED)
        standin.reset_counts()
        result = scraper.done("plan", *wnids)
        assert {wnid for wnid in wnids if standin.count(API + wnid)} == set(failing)
        assert "9 classes of 9 resolved (2 of them before)" in result.out
        assert scraper.one("SELECT count(*) FROM candidates") == 9 * 12
        standin.reset_counts()
        scraper.done("plan", *wnids)
        assert standin.requests == []


def test_a_killed_plan_goes_on_where_it_stopped(tmp_path: Path) -> None:
    classes = [(f"n000000{number:02d}", "") for number in range(16)]
    world = World.of(6, classes, flickr=20)
    wnids = [wnid for wnid, _ in classes]
    with StandIn(world, latency=0.25) as standin:
        scraper = Scraper(tmp_path, standin)
        process = scraper.start("plan", *wnids, "--threads", "2")
        scraper.wait("SELECT count(*) FROM classes WHERE resolved_at IS NOT NULL", 4, process)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        resolved = {wnid for (wnid,) in scraper.rows("SELECT wnid FROM classes WHERE resolve_outcome = 'listed'")}
        assert 4 <= len(resolved) < 16
        check_manifest(scraper)
        standin.latency = 0.0
        standin.reset_counts()
        scraper.done("plan", *wnids)
        assert {wnid: standin.count(API + wnid) for wnid in wnids} == {
            wnid: int(wnid not in resolved) for wnid in wnids
        }
        assert scraper.one("SELECT count(*) FROM candidates") == 16 * 20
        assert scraper.rows("SELECT exit_code FROM runs ORDER BY id") == [(None,), (0,)]
        check_manifest(scraper)
