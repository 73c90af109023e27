"""A dataset made again from its lock, in a world that has changed since: the same bytes, or none."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.command import LONGEST, Scraper, check, check_files, check_manifest
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import Fate, StandIn, World, between, photos

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

N = 12
FETCH = ("fetch", "--retries", "1", "--believe-answers")
"""Every answer counts at once: half of these photos are gone, which looks like a block to who does not know."""
LATER = {
    Fate.ALIVE: 6.0,
    Fate.GONE_404: 2.0,
    Fate.PLACEHOLDER_REDIRECT: 1.0,
    Fate.PLACEHOLDER_DIRECT: 2.0,
    Fate.FORBIDDEN: 0.5,
    Fate.ERROR_ALWAYS: 2.0,
}


def world(*, later: bool = False) -> World:
    """The same lists, years apart."""
    return World.of(29, CLASSES, flickr=40, other=4, mix=LATER if later else {Fate.ALIVE: 1})


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Scraper:
    """A folder in which a dataset was made, with its lock and the lists it was made from."""
    folder = tmp_path_factory.mktemp("first")
    before = world()
    before.write_folder(folder / "lists")
    with StandIn(before) as standin:
        scraper = Scraper(folder, standin)
        names = "\n".join(f"{wnid},{label}" for wnid, label in CLASSES).encode()
        # Not all of the head of the lists, so that ranks in the lock are not those in a list of it.
        scraper.done("plan", "-n", str(N), "--source", "lists", "--oversample", "2", stdin=names)
        scraper.done("fetch")
        photo = scraper.one("SELECT photo_id FROM candidates WHERE rank = 2 AND wnid = ?", TENCH)
        scraper.done("forget", str(photo))
        scraper.done("fetch")
        scraper.done("export", "lock", "first.lock")
    return scraper


class Later:
    """The world years later: some photos gone, some answered by other pictures, known from outside by URL."""

    def __init__(self, locked: list[str]) -> None:
        self.world = world(later=True)
        alive = [url for url in locked if self.world.fate(url) is Fate.ALIVE]
        self.changed = set(alive[::4])
        for number, url in enumerate(sorted(self.changed)):
            self.world.put(url, photos.photo(f"bought-{number}.jpg"))

    def outcome(self, url: str) -> str:
        """What must become of a URL of the lock."""
        return "changed" if url in self.changed else self.world.expected(url).outcome


@pytest.fixture
def later(first: Scraper) -> Later:
    return Later([url for (url,) in first.rows("SELECT url FROM images ORDER BY candidate_id")])


@pytest.fixture
def again(first: Scraper, later: Later, tmp_path: Path) -> Iterator[Scraper]:
    """Another machine, with the lock and the lists, in the later world."""
    shutil.copy(first.folder / "first.lock", tmp_path)
    shutil.copytree(first.folder / "lists", tmp_path / "lists")
    with StandIn(later.world) as standin:
        yield Scraper(tmp_path, standin)


def locked(first: Scraper) -> dict[str, str]:
    """The digests of the lock, by URL."""
    return dict(first.rows("SELECT url, sha256 FROM images"))


def test_only_the_same_bytes_are_kept(first: Scraper, later: Later, again: Scraper) -> None:
    assert again.standin is not None
    planned = again.done("plan", "--lock", "first.lock")
    assert f"first.lock: 2 lists (the digests of {2 * N} images)" in planned.out
    assert again.standin.requests == [], "a lock alone asks nobody"
    assert again.rows("SELECT wnid, label, n, budget, candidates, source, listing_form FROM classes ORDER BY wnid") == [
        (wnid, label, N, N, N, "first.lock", "lock") for wnid, label in CLASSES
    ]
    again.done(*FETCH)
    expected = {url: later.outcome(url) for url in locked(first)}
    assert dict(again.rows("SELECT url, outcome FROM candidates")) == expected
    assert set(expected.values()) >= {"saved", "changed", "gone", "placeholder", "server_error"}
    saved = dict(again.rows("SELECT url, sha256 FROM images"))
    assert saved == {url: digest for url, digest in locked(first).items() if expected[url] == "saved"}
    check(again)  # no file of what has changed
    # What is final is not asked for again, changed pictures neither.
    again.standin.reset_counts()
    again.done(*FETCH)
    asked = {url for url in expected if again.standin.count(url) + again.standin.count(url.replace("http:", "https:"))}
    assert asked == {url for url, outcome in expected.items() if outcome == "server_error"}


def test_a_report_tells_what_became_of_the_lock(first: Scraper, later: Later, again: Scraper) -> None:
    again.done("plan", "--lock", "first.lock")
    fetched = again.done(*FETCH)
    rows = {row["wnid"]: row for row in again.report()["lock"]}
    for wnid, _ in CLASSES:
        fates = [later.outcome(url) for (url,) in first.rows("SELECT url FROM images WHERE wnid = ?", wnid)]
        same, changed, unknown = (fates.count(what) for what in ("saved", "changed", "server_error"))
        assert rows[wnid] == {
            "wnid": wnid,
            "locked": N,
            "same": same,
            "changed": changed,
            "lost": N - same - changed - unknown,
            "unknown": unknown,
            "replaced": 0,
        }
    total = sum(row["same"] for row in rows.values())
    assert f"of the {2 * N} images of the lock: {total} the same" in fetched.out
    assert "nothing in their place, for which `scraper plan --lock LOCK --source LISTS`" in fetched.out
    for form in ("text", "html"):
        said = again.done("report", "--format", form).out
        assert "Images of the lock" in said
        assert "begin with URLs that led to images once" in said
    said = " ".join(again.done("report", "--format", "methods").out.split())
    assert f"begin with the {2 * N} URLs of a lock of an earlier dataset" in said
    url = min(later.changed)
    traced = json.loads(again.done("trace", url, "--format", "json").out)
    assert [one["locked_sha256"] for one in traced if one["url"] == url] == [locked(first)[url]]
    assert f"only bytes with the SHA-256 {locked(first)[url]} are kept" in again.done("trace", url).out


def test_the_rest_of_the_lists_takes_the_place_of_what_is_lost(first: Scraper, later: Later, again: Scraper) -> None:
    planned = again.done("plan", "--lock", "first.lock", "--source", "lists")
    assert "2 classes have the rest of their lists behind the URLs of the lock" in planned.out
    urls = {wnid: list(dict.fromkeys(later.world.flickr_urls(wnid))) for wnid, _ in CLASSES}
    for wnid, _ in CLASSES:
        ranked = [url for (url,) in again.rows("SELECT url FROM candidates WHERE wnid = ? ORDER BY rank", wnid)]
        head = [url for (url,) in first.rows("SELECT url FROM images WHERE wnid = ? ORDER BY candidate_id", wnid)]
        assert ranked[:N] == head
        assert ranked[N:] == [url for url in urls[wnid] if url not in head]
    again.done(*FETCH, "--top-up=False")
    assert set(again.rows("SELECT max(rank) FROM candidates WHERE tries > 0 GROUP BY wnid")) == {(N,)}
    fetched = again.done(*FETCH)
    assert again.rows("SELECT count(*) FROM images GROUP BY wnid") == [(N,), (N,)]
    total = again.report()["lock"]
    replaced = sum(row["replaced"] for row in total)
    assert replaced == 2 * N - sum(row["same"] for row in total) > 0
    assert f"{replaced} other images of their lists in their place (--top-up)" in fetched.out
    check(again)
    # The lock of what there is now: the same lines for what is the same, with the ranks it had.
    again.done("export", "lock", "second.lock")
    lines = (again.folder / "second.lock").read_text(encoding="utf-8").splitlines()
    ranks = [tuple(line.split("\t")[:2]) for line in lines if not line.startswith("#")]
    assert len(set(ranks)) == len(ranks) == 2 * N
    same = {line for line in (first.folder / "first.lock").read_text(encoding="utf-8").splitlines() if line in lines}
    assert len([line for line in same if not line.startswith("#")]) == sum(row["same"] for row in total)
    again.done("plan", "--lock", "second.lock", "--manifest", "third.db")


def test_the_rest_can_come_later(again: Scraper) -> None:
    again.done("plan", "--lock", "first.lock")
    again.done(*FETCH)
    before = again.rows("SELECT * FROM candidates ORDER BY id")
    assert "2 classes of 2 resolved (2 of them before)" in again.done("plan", "--lock", "first.lock").out
    assert again.rows("SELECT * FROM candidates ORDER BY id") == before
    again.done("plan", "--lock", "first.lock", "--source", "lists")
    assert again.rows("SELECT * FROM candidates WHERE rank <= ? ORDER BY id", N) == before
    again.done(*FETCH)
    assert again.rows("SELECT count(*) FROM images GROUP BY wnid") == [(N,), (N,)]
    check(again)


@pytest.mark.parametrize("source", [(), ("--source", "lists"), ("--source", "index.txt")])
def test_where_all_is_the_same_the_lock_is_too(first: Scraper, tmp_path: Path, source: tuple[str, ...]) -> None:
    shutil.copy(first.folder / "first.lock", tmp_path)
    shutil.copytree(first.folder / "lists", tmp_path / "lists")
    now = world()
    now.write_index(tmp_path / "index.txt")
    with StandIn(now) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", "--lock", "first.lock", *source)
        fetched = scraper.done("fetch")
        assert f"of the {2 * N} images of the lock: {2 * N} the same\n" in fetched.out
        scraper.done("export", "lock", "again.lock")
        assert (tmp_path / "again.lock").read_bytes() == (first.folder / "first.lock").read_bytes()
        for form in ("csv", "jsonl"):
            scraper.done("export", form, f"again.{form}")
            first.done("export", form, f"again.{form}", "--overwrite")
            assert (tmp_path / f"again.{form}").read_bytes() == (first.folder / f"again.{form}").read_bytes()
        check(scraper)


def test_lists_that_cannot_be_had_leave_the_lock(again: Scraper) -> None:
    assert again.standin is not None
    (again.folder / "lists" / f"{CLOCK}.txt").unlink()
    planned = again.done("plan", "--lock", "first.lock", "--source", "lists", code=1)
    assert "1 class has no more than its lock; run the same plan again to retry:" in planned.out
    assert f"{CLOCK}: lists: it has no list of it" in planned.out
    counts = dict(again.rows("SELECT wnid, candidates FROM classes"))
    assert counts[CLOCK] == N
    assert counts[TENCH] > N
    again.done("plan", "--lock", "first.lock", "--source", "api")
    assert again.one("SELECT candidates FROM classes WHERE wnid = ?", CLOCK) > N
    check(again)


def test_some_classes_of_a_lock(again: Scraper) -> None:
    again.done("plan", "--lock", "first.lock", "tench")
    assert again.rows("SELECT wnid, label, n FROM classes") == [(TENCH, "tench", N)]
    again.done("plan", "--lock", "first.lock", CLOCK)
    assert again.one("SELECT count(*) FROM candidates") == 2 * N
    check(again)


def test_a_dry_run_of_a_lock_leaves_nothing(again: Scraper) -> None:
    before = again.snapshot()
    for source in ((), ("--source", "lists")):
        said = again.done("plan", "--lock", "first.lock", "--dry-run", *source)
        assert "a dry run: nothing was recorded" in said.out
        assert again.snapshot() == before
    again.done("plan", "--lock", "first.lock")
    counted = again.one("SELECT count(*) FROM candidates")
    assert "2 classes have the rest" in again.done("plan", "--lock", "first.lock", "--dry-run", "--source", "lists").out
    assert again.one("SELECT count(*) FROM candidates") == counted


def test_classes_that_are_there_from_elsewhere_are_refused(first: Scraper, again: Scraper) -> None:
    again.done("plan", "tench", "-n", "3", "--source", "lists")
    before = again.snapshot()
    for more in ((), ("--source", "lists"), ("--dry-run",)):
        said = again.done("plan", "--lock", "first.lock", *more, code=2)
        assert f"1 class of the lock is in the manifest manifests/scraper.db from elsewhere: {TENCH}" in said.err
        assert again.snapshot() == before
    # Another lock of the same class neither.
    text = (first.folder / "first.lock").read_text(encoding="utf-8")
    digest = first.one("SELECT sha256 FROM images WHERE wnid = ? LIMIT 1", CLOCK)
    (again.folder / "other.lock").write_text(text.replace(digest, "0" * 64), encoding="utf-8")
    again.done("plan", "--lock", "first.lock", CLOCK)
    before = again.snapshot()
    said = again.done("plan", "--lock", "other.lock", CLOCK, code=2)
    assert f"from elsewhere: {CLOCK}" in said.err
    assert again.snapshot() == before


def test_what_contradicts_a_lock_is_refused(again: Scraper) -> None:
    before = again.snapshot()
    says = {
        ("-n", "3"): "-n contradicts --lock",
        ("--preset", "imagenette"): "--preset contradicts --lock",
        ("--oversample", "2"): "--oversample contradicts --lock",
        ("--shuffle", "1"): "--shuffle is for lists",
        ("--columns", "url=u"): "--columns is for lists",
        ("goldfish",): "the lock first.lock has no image of n01443537",
        ("nothing-of-the-kind",): "nothing-of-the-kind",
    }
    for words, message in says.items():
        assert message in again.done("plan", "--lock", "first.lock", *words, code=2).err, words
    for path, message in {"none.lock": "no such file", "lists": "not an ordinary file"}.items():
        assert f"--lock {path}: {message}" in again.done("plan", "--lock", path, code=2).err
    assert again.snapshot() == before


def test_bad_locks_change_nothing_and_every_bad_line_is_named(again: Scraper) -> None:
    lines = (again.folder / "first.lock").read_bytes().splitlines(keepends=True)
    bad = {
        "newer": ([lines[0].replace(b" 1", b" 7"), *lines[1:]], ["is of format 7, made by a newer scraper"]),
        "twice": ([*lines, lines[5], lines[6]], [f"line {len(lines) + more}: a rank or" for more in (1, 2)]),
        "edited": ([*lines[:5], lines[5].replace(b"\thttp", b"\tftp"), *lines[6:]], ["line 6: neither a class nor"]),
        "climbing": ([*lines[:1], b"# class ../../etc\tx\t-\n", *lines[1:]], ["line 2: no class"]),
        "elsewhere": ([*lines, lines[-1].replace(b"flickr.com", b"example.org")], ["on none of --hosts"]),
        "no UTF-8": ([*lines, b"\xff\xfe\n"], ["not UTF-8"]),
        "cut": ([*lines[:-1], lines[-1][:-20]], [f"line {len(lines)}: neither a class nor"]),
        "without images": ([*lines[:2], b"# class n01443537\tgoldfish\t-\n", *lines[2:]], ["line 3: a class without"]),
        "empty": ([], ["is no lock"]),
        "a picture": ([photos.photo("x.jpg")], ["is no lock"]),
        "endless": ([b"# scraper lock 1\n", b"x" * 10_000_000], ["line 2: too long"]),
    }  # fmt: skip
    for name, (content, says) in bad.items():
        (again.folder / "bad.lock").write_bytes(b"".join(content))
        before = again.snapshot()
        said = again.done("plan", "--lock", "bad.lock", code=2)
        assert [message for message in says if message not in said.err] == [], (name, said.err[:500])
        assert again.snapshot() == before
    # Line ends of Windows and a byte order mark do no harm.
    fine = b"\xef\xbb\xbf" + b"".join(lines).replace(b"\n", b"\r\n")
    (again.folder / "fine.lock").write_bytes(fine)
    again.done("plan", "--lock", "fine.lock")


@pytest.mark.parametrize("answer", [between.picture, between.portal])
def test_a_network_that_answers_for_the_host_spends_no_image_of_a_lock(
    first: Scraper, later: Later, again: Scraper, answer: between.Between
) -> None:
    again.done("plan", "--lock", "first.lock")
    assert again.standin is not None
    again.standin.between = answer
    again.done("fetch", code=4)
    spent = "SELECT count(*) FROM candidates WHERE state = 'lost'"
    assert again.one(spent) == 0
    again.standin.between = None
    again.done(*FETCH)
    for url in locked(first):
        outcome = again.one("SELECT outcome FROM candidates WHERE url = ?", url)
        assert outcome == later.outcome(url)
    check(again)


@pytest.mark.parametrize("number", range(6))
def test_kills_leave_all_or_nothing_of_a_lock_and_no_file_without_its_row(
    first: Scraper, later: Later, again: Scraper, number: int
) -> None:
    rng = random.Random(number)
    for words in (("plan", "--lock", "first.lock", "--source", "api"), (*FETCH, "--threads", "2")):
        for _ in range(2):
            process = again.start(*words)
            time.sleep(rng.uniform(0.25, 1.1))
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=LONGEST)
            if again.manifest.exists() and again.rows("SELECT name FROM sqlite_master WHERE name = 'candidates'"):
                check_manifest(again)
                check_files(again, strays=True)
                whole = (
                    "SELECT wnid FROM classes WHERE resolve_outcome = 'listed' EXCEPT SELECT wnid FROM locked_classes"
                )
                assert again.rows(whole) == []
                assert again.one("SELECT count(*) FROM locked") % (2 * N) == 0
        again.done(*words)
    check(again)
    for url, outcome in again.rows("SELECT url, outcome FROM candidates WHERE id IN (SELECT candidate_id FROM locked)"):
        assert outcome == later.outcome(url)
    assert json.dumps(sorted(locked(first))) == json.dumps(
        sorted(url for (url,) in again.rows("SELECT url FROM candidates WHERE rank <= ?", N))
    )
