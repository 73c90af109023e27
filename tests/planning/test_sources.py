"""Several sources in order, and sources that give nothing: what comes from where, when asking ends, what is said."""

from __future__ import annotations

import gzip
import json
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.model import ListingOutcome, Outcome
from scraper.planning.sources.doubts import ENOUGH, ENOUGH_SILENT, PATIENCE, Doubts, in_words
from scraper.planning.sources.grouping import Groups
from scraper.planning.sources.known import API_URL
from scraper.planning.sources.opening import split_names
from scraper.records import Listing
from tests.command import Scraper
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import ListingFate, StandIn, World
from tests.test_properties import CALM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standin import Request, Wire

IMAGENET: Final = "www.image-net.org"
TABBY, SHARK = "n02123045", "n01484850"
MANY: Final = [f"n{number:08d}" for number in range(100, 400)]
PHOTO: Final = "http://static.flickr.com/1/%s_ab.jpg"


@pytest.fixture
def world() -> World:
    return World.of(
        41,
        [*CLASSES, (TABBY, "tabby"), (SHARK, "great white shark")],
        flickr=12,
        other=6,
        listing={TABBY: ListingFate.NOT_FOUND, SHARK: ListingFate.EMPTY},
    )


@pytest.fixture
def standin(world: World) -> Iterator[StandIn]:
    with StandIn(world) as running:
        yield running


@pytest.fixture
def online(tmp_path: Path, standin: StandIn) -> Scraper:
    (tmp_path / "home").mkdir()
    return Scraper(tmp_path / "home", standin)


# --- several sources -------------------------------------------------------------------------------------------------

ALL: Final = (TENCH, SHARK, TABBY, CLOCK)
SOURCES: Final = "SELECT wnid, source FROM classes ORDER BY wnid"


def only(world: World, folder: Path, *wnids: str) -> None:
    """A folder with the lists of some classes."""
    world.write_folder(folder)
    for path in folder.iterdir():
        if path.stem not in wnids:
            path.unlink()


def test_each_class_comes_from_the_first_source_that_has_it(online: Scraper, world: World, standin: StandIn) -> None:
    only(world, online.folder / "lists", TABBY)
    world.write_index(online.folder / "urls.txt")
    result = online.done("plan", *ALL, "--source", "api,lists,urls.txt")
    assert online.rows(SOURCES) == [(TENCH, API_URL), (SHARK, "urls.txt"), (TABBY, "lists"), (CLOCK, API_URL)]
    assert online.rows("SELECT DISTINCT candidates, resolve_outcome, resolve_error FROM classes") == [
        (12, "listed", None)
    ]
    assert "4 classes of 4 resolved" in result.out
    assert f"{API_URL}: 2 lists" in result.out
    assert "lists: 1 list" in result.out
    assert "urls.txt: 1 list (lines of `wnid_number URL`)" in result.out
    # What was asked for stands in the manifest, failures too.
    assert online.rows("SELECT wnid, outcome FROM listings WHERE url LIKE 'lists/%'") == [(TABBY, "listed")]
    assert dict(online.rows("SELECT wnid, outcome FROM listings WHERE url LIKE 'http%'")) == {
        TENCH: "listed",
        SHARK: "empty",
        TABBY: "not_found",
        CLOCK: "listed",
    }
    assert online.rows("SELECT source, form, classes FROM whole_lists") == [("urls.txt", "index", 1)]
    standin.reset_counts()
    online.done("plan", *ALL, "--source", "api,lists,urls.txt")
    assert standin.requests == []


def test_a_source_is_asked_only_for_what_those_before_it_lack(online: Scraper, world: World, standin: StandIn) -> None:
    only(world, online.folder / "lists", TENCH, TABBY, SHARK)
    online.done("plan", *ALL, "--source", "lists,api")
    assert [request.path.rpartition("=")[2] for request in standin.requests] == [CLOCK]
    online.done("plan", TENCH, "--source", "lists,api", "--manifest", "another.db")
    assert len(standin.requests) == 1


def test_a_class_that_no_source_has_says_what_each_said(online: Scraper, world: World) -> None:
    only(world, online.folder / "lists", TENCH)
    world.write_index(online.folder / "urls.txt")
    (online.folder / "urls.txt").write_text(f"{CLOCK}_1\t{PHOTO % 1}\n", encoding="utf-8")
    result = online.done("plan", *ALL, "--source", "api,lists,urls.txt", code=1)
    assert online.rows("SELECT wnid, source, resolve_outcome, resolve_error FROM classes WHERE candidates = 0") == [
        (
            wnid,
            "urls.txt",
            "not_in_source",
            f"ImageNet's API: {why}; lists: it has no list of it; urls.txt: it has no list of it",
        )
        for wnid, why in ((SHARK, "an empty answer"), (TABBY, "HTTP status 404"))
    ]
    assert "2 classes failed" in result.out


def test_files_that_are_not_grouped_may_stand_among_others(online: Scraper, world: World) -> None:
    only(world, online.folder / "lists", TENCH)
    world.write_index(online.folder / "urls.txt")
    lines = (online.folder / "urls.txt").read_bytes().splitlines(keepends=True)
    mixed = [line for turn in range(5) for line in lines[turn::5]]
    (online.folder / "mixed.txt").write_bytes(b"".join(mixed))
    online.done("plan", *ALL, "--source", "lists,mixed.txt")
    assert online.rows("SELECT DISTINCT candidates FROM classes") == [(12,)]
    assert [source for _, source in online.rows(SOURCES)] == ["lists", "mixed.txt", "mixed.txt", "mixed.txt"]


def test_a_file_that_is_damaged_further_down_gives_nothing_and_the_next_is_asked(online: Scraper, world: World) -> None:
    only(world, online.folder / "lists", TENCH)
    rows = "".join(f"{wnid}_{n}\t{PHOTO % (n * 7919)}\n" for wnid in (SHARK, CLOCK, TABBY) for n in range(20_000))
    whole = gzip.compress(rows.encode())
    (online.folder / "half.gz").write_bytes(whole[: len(whole) * 2 // 3])
    world.write_index(online.folder / "urls.txt")
    result = online.done("plan", *ALL, "--source", "lists,half.gz,urls.txt")
    assert "cannot read the source half.gz: Compressed file ended" in result.err
    assert [source for _, source in online.rows(SOURCES)] == ["lists", "urls.txt", "urls.txt", "urls.txt"]
    assert online.one("SELECT count(*) FROM candidates") == 48
    assert online.rows("SELECT source FROM whole_lists") == [("urls.txt",)]


def test_a_later_source_that_cannot_work_is_refused_at_once(online: Scraper, standin: StandIn) -> None:
    before = online.snapshot()
    for source, says in (
        ("api,nowhere", "nowhere: no such file or folder"),
        ("api,ftp://a/{wnid}", "only http and https"),
    ):
        assert says in online.done("plan", TENCH, "--source", source, code=2).err
    assert "names no source" in online.done("plan", TENCH, "--source", ", ,", code=2).err
    assert standin.requests == []
    assert online.snapshot() == before


def test_a_pipe_is_no_source(online: Scraper) -> None:
    os.mkfifo(online.folder / "pipe")
    assert "not an ordinary file" in online.done("plan", TENCH, "--source", "pipe", code=2).err


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("api", ["api"]),
        ("api,fall11", ["api", "fall11"]),
        (" api , fall11 ,", ["api", "fall11"]),
        ("api,api", ["api"]),
        ("https://a.example/{wnid},api", ["https://a.example/{wnid}", "api"]),
        (
            "https://a.example/?q=SELECT a,b,c WHERE w='{wnid}',api",
            ["https://a.example/?q=SELECT a,b,c WHERE w='{wnid}'", "api"],
        ),
        ("https://a.example/list,api", ["https://a.example/list", "api"]),
        ("", []),
    ],
)
def test_names_of_sources(text: str, names: list[str]) -> None:
    assert split_names(text) == names


def test_a_path_may_have_a_comma(online: Scraper, world: World) -> None:
    only(world, online.folder / "my, lists", TENCH)
    online.done("plan", TENCH, "--source", "my, lists,api")
    assert online.rows(SOURCES) == [(TENCH, "my, lists")]


# --- a source that gives nothing -------------------------------------------------------------------------------------


@dataclass
class Dead:
    """An API that answers every class alike, after the first `alive` classes."""

    head: str
    body: bytes = b""
    alive: int = 0
    asked: list[str] = field(default_factory=list)

    async def __call__(self, request: Request, wire: Wire) -> None:
        if request.path.startswith("/login"):
            page = b"<html><body>Sign in</body></html>"
            wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page))
            return
        self.asked.append(request.path.rpartition("=")[2])
        if len(self.asked) <= self.alive:
            body = (PHOTO % self.asked[-1][1:]).encode()
            wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        else:
            wire.write(f"HTTP/1.1 {self.head}\r\nContent-Length: {len(self.body)}\r\n\r\n".encode() + self.body)


WAYS: Final = {
    "404": (Dead("404 Not Found"), "HTTP status 404, Not Found"),
    "a page": (Dead("200 OK", b"<!DOCTYPE html><html>Moved</html>"), "a page, not a list of URLs"),
    "empty": (Dead("200 OK"), "an empty answer"),
    "Invalid url!": (Dead("200 OK", b"Invalid url!"), "Invalid url!"),
    "a login": (
        Dead(f"302 Found\r\nLocation: https://{IMAGENET}/login"),
        f"a page, not a list of URLs, from {IMAGENET}, where it was sent to",
    ),
    "403": (Dead("403 Forbidden", b"no"), "HTTP status 403, Forbidden"),
    "JSON": (Dead("200 OK", b'{"error": "gone"}'), 'no URL in it: {"error": "gone"}'),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_dead_api_is_found_out_and_what_helps_is_said_once(online: Scraper, standin: StandIn, way: str) -> None:
    dead, says = WAYS[way]
    dead.asked.clear()
    standin.script(IMAGENET, "*", dead)
    ids = "".join(f"{wnid}\n" for wnid in MANY)
    result = online.done("plan", "-n", "3", code=4, stdin=ids.encode())
    assert ENOUGH <= len(dead.asked) <= ENOUGH + 2 * 8 + 8
    assert result.err.count(says) == 1
    first, *others = result.err.removeprefix("scraper: error: ").splitlines()
    asked = len(set(dead.asked))
    told = re.fullmatch(
        rf"ImageNet's API gives no lists: {re.escape(says)}, for each of the last classes asked; "
        r"([0-9]+) more were not asked for",
        first,
    )
    assert told is not None, first
    assert len(MANY) - asked <= int(told[1]) <= len(MANY) - ENOUGH
    assert others[0].startswith("a list from elsewhere helps; run one of these next")
    commands = [line.partition("#")[0].strip() for line in others if line.startswith("  scraper plan")]
    assert [re.sub(r" --(connect-to|ca-certs)=\S+", "", command) for command in commands] == [
        "scraper plan --source fall11 -n 3 < YOUR-CLASSES",
        "scraper plan --source ilsvrc -n 3 < YOUR-CLASSES",
    ]
    assert "Connection(" not in result.err
    assert online.one("SELECT exit_code FROM runs") == 4
    assert online.one("SELECT count(*) FROM classes WHERE resolve_outcome IS NULL") >= len(MANY) - asked


def test_an_api_that_wants_to_be_asked_much_later_is_not_waited_for_and_the_time_is_told(
    online: Scraper, standin: StandIn
) -> None:
    standin.script(IMAGENET, "*", dead := Dead("429 Too Many Requests\r\nRetry-After: 7200"))
    dead.asked.clear()
    result = online.done("plan", "-n", "3", code=4, stdin="\n".join(MANY).encode())
    assert re.search(r"HTTP status 429, Too Many Requests \(to be asked again at [0-9]{2}:[0-9]{2}", result.err)
    assert len(dead.asked) <= 8


def test_a_port_that_refuses_is_told_in_plain_words(tmp_path: Path) -> None:
    scraper = Scraper(tmp_path)
    words = ("--allow-private", "--connect-to", ":443:127.0.0.1:1", "--threads", "32")
    result = scraper.done("plan", *MANY, *words, code=4)
    assert "ImageNet's API gives no lists: no connection to www.image-net.org: Connection refused" in result.err
    assert "Connection(" not in result.err
    assert "Errno" not in str(scraper.rows("SELECT error FROM listings"))


@pytest.mark.parametrize("way", ["404", "Invalid url!"])
def test_few_classes_are_all_asked_and_what_helps_is_said_all_the_same(
    online: Scraper, standin: StandIn, way: str
) -> None:
    dead, _ = WAYS[way]
    dead.asked.clear()
    standin.script(IMAGENET, "*", dead)
    result = online.done("plan", *MANY[:5], code=1)
    assert sorted(dead.asked) == MANY[:5]
    assert result.out.count("n00000100, n00000101, n00000102 and 2 more: ") == 1
    assert "scraper plan --source fall11 n00000100 n00000101" in result.out


def test_an_api_that_dies_on_the_way_keeps_what_it_gave(online: Scraper, standin: StandIn) -> None:
    dead = Dead("404 Not Found", alive=40)
    standin.script(IMAGENET, "*", dead)
    online.done("plan", *MANY, code=4)
    assert online.one("SELECT count(*) FROM classes WHERE resolve_outcome = 'listed'") == 40
    assert len(dead.asked) < 100
    (online.folder / "rest.txt").write_text(
        "".join(f"{wnid}_1\t{PHOTO % wnid[1:]}\n" for wnid in MANY), encoding="ascii"
    )
    online.done("plan", *MANY, "--source", "rest.txt")
    assert online.rows("SELECT source, count(*) FROM classes GROUP BY 1 ORDER BY 2") == [
        (API_URL, 40),
        ("rest.txt", 260),
    ]


def test_another_source_takes_over_from_a_dead_api(online: Scraper, standin: StandIn) -> None:
    dead = Dead("404 Not Found")
    standin.script(IMAGENET, "*", dead)
    (online.folder / "lists").mkdir()
    for wnid in MANY:
        (online.folder / "lists" / f"{wnid}.txt").write_text(PHOTO % wnid[1:], encoding="ascii")
    result = online.done("plan", *MANY, "--source", "api,lists")
    assert len(dead.asked) < 60
    assert "ImageNet's API gives no lists: HTTP status 404, Not Found; going on with lists" in result.err
    assert online.rows("SELECT DISTINCT source, resolve_outcome FROM classes") == [("lists", "listed")]


def test_classes_that_fail_in_different_ways_are_no_dead_api(tmp_path: Path) -> None:
    fates = [ListingFate.NOT_FOUND, ListingFate.EMPTY, ListingFate.INVALID_URL, ListingFate.HTML_PAGE]
    failing = {wnid: fates[at % 4] for at, wnid in enumerate(MANY[:60])}
    world = World.of(5, [(wnid, "") for wnid in MANY[:61]], flickr=3, other=0, listing=failing)
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", *MANY[:61], "--threads", "1", code=1)
        assert scraper.one("SELECT count(*) FROM classes WHERE resolve_outcome IS NULL") == 0


def test_a_fetch_without_a_list_makes_no_folder(online: Scraper, standin: StandIn) -> None:
    standin.script(IMAGENET, "*", WAYS["404"][0])
    online.done("plan", *MANY[:3], code=1)
    before = {path for path in online.snapshot() if "scraper.db" not in path}
    result = online.done("fetch", code=1)
    assert "nothing to fetch: none of 3 classes has a list" in result.out
    assert {path for path in online.snapshot() if "scraper.db" not in path} == before
    assert not online.images.exists()
    assert online.rows("SELECT command, exit_code FROM runs") == [("plan", 1), ("fetch", 1)]


# --- doubts ----------------------------------------------------------------------------------------------------------

NOT_FOUND: Final = Listing(ListingOutcome.NOT_FOUND, http_status=404)
REFUSED: Final = Listing(Outcome.CONNECTION_ERROR, error="Connection refused")
LISTED: Final = Listing(ListingOutcome.LISTED)


def test_answers_alike_speak_of_the_source_after_enough_of_them() -> None:
    doubts = Doubts()
    for number in range(ENOUGH):
        assert not doubts.gone(0.0)
        doubts.take(NOT_FOUND, settled=True, started_at=float(number))
    assert doubts.gone(0.0)


def test_no_answer_speaks_of_the_source_after_some_time_only() -> None:
    doubts = Doubts()
    for _ in range(10 * ENOUGH):
        doubts.take(REFUSED, settled=False, started_at=100.0)
    assert not doubts.gone(100.0 + PATIENCE - 0.1)
    assert doubts.gone(100.0 + PATIENCE)
    few = Doubts()
    for _ in range(ENOUGH_SILENT - 1):
        few.take(REFUSED, settled=True, started_at=0.0)
    assert not few.gone(1e9)


@CALM
@given(st.lists(st.sampled_from([NOT_FOUND, REFUSED, LISTED, Listing(ListingOutcome.EMPTY)]), max_size=100))
def test_a_list_or_another_failure_in_between_clears_all_doubt(ends: list[Listing]) -> None:
    doubts = Doubts()
    for listing in ends:
        doubts.take(listing, settled=True, started_at=0.0)
    alike = 0
    for listing in reversed(ends):
        if listing is not ends[-1] or listing is LISTED:
            break
        alike += 1
    silent = bool(ends) and ends[-1] is REFUSED
    assert doubts.gone(1e9) == (alike >= (ENOUGH_SILENT if silent else ENOUGH))


@pytest.mark.parametrize(
    ("listing", "words"),
    [
        (NOT_FOUND, "HTTP status 404, Not Found"),
        (Listing(Outcome.BAD_STATUS, http_status=799), "HTTP status 799"),
        (REFUSED, "Connection refused"),
        (Listing(ListingOutcome.NOT_READY), "not ready"),
    ],
)
def test_failures_in_plain_words(listing: Listing, words: str) -> None:
    assert in_words(listing) == words


# --- answers in pages ------------------------------------------------------------------------------------------------


@dataclass
class Dolt:
    """DoltHub's SQL API as it is documented: so many rows at most, and `RowLimit` where there were more."""

    rows: int
    most: int = 200
    asked: list[str] = field(default_factory=list)

    async def __call__(self, request: Request, wire: Wire) -> None:
        sql = parse_qs(urlsplit(request.path).query)["q"][0]
        self.asked.append(sql)
        found = re.search(r" LIMIT (\d+) OFFSET (\d+)$", sql)
        limit, offset = (int(found[1]), int(found[2])) if found else (10**9, 0)
        given = range(offset, min(self.rows, offset + min(limit, self.most)))
        cut = len(given) < min(limit, self.rows - offset)
        rows = [{"image_id": f"{TENCH}_{at}", "image_url": PHOTO % (at + 1)} for at in given]
        answer = {
            "query_execution_status": "RowLimit" if cut else "Success",
            "schema": [{"columnName": "x"}],
            "rows": rows,
        }
        body = json.dumps(answer).encode()
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


SQL: Final = "SELECT image_id, image_url FROM images_synsets WHERE synset_id = '{wnid}'"


@pytest.mark.parametrize("rows", [1, 199, 200, 201, 400, 950])
@pytest.mark.parametrize("more", ["", " LIMIT 200 OFFSET {offset}"])
def test_answers_that_were_cut_are_paged_on(online: Scraper, standin: StandIn, rows: int, more: str) -> None:
    dolt = Dolt(rows)
    standin.script("www.example.com", "*", dolt)
    source = f"http://www.example.com/api/v1alpha1/dolthub/image-net/main?q={SQL}{more}".replace(" ", "%20")
    online.done("plan", TENCH, "--source", source)
    assert [url for (url,) in online.rows("SELECT url FROM candidates ORDER BY id")] == [
        PHOTO % (at + 1) for at in range(rows)
    ]
    assert len(dolt.asked) <= rows // 200 + 2
    assert online.rows("SELECT kind FROM odd_lines") == []
    assert unquote(source) == unquote(online.one("SELECT source FROM classes"))


def test_an_answer_that_was_cut_and_cannot_be_paged_on_is_no_list(online: Scraper, standin: StandIn) -> None:
    standin.script("www.example.com", "*", Dolt(500))
    source = f"http://www.example.com/?q={SQL} limit 300".replace(" ", "%20")
    result = online.done("plan", TENCH, "--source", source, code=1)
    assert "the answer was cut after 200 rows: put {offset} into the URL where pages begin" in result.out


@pytest.mark.parametrize(
    "body",
    [
        json.dumps([PHOTO % number for number in range(1, 13)]),
        "<br>".join(PHOTO % number for number in range(1, 13)),
        "\r\n".join(f"{TENCH}_{number} {PHOTO % number}" for number in range(1, 13)),
        "url\n" + "\n".join(PHOTO % number for number in range(1, 13)),
    ],
)
def test_an_api_may_answer_in_other_forms(online: Scraper, standin: StandIn, body: str) -> None:
    standin.script("www.example.com", "*", Dead("200 OK", body.encode()))
    online.done("plan", TENCH, "--source", "http://www.example.com/{wnid}")
    assert online.one("SELECT count(*) FROM candidates") == 12


# --- bringing lines together -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [10, 300_000])
def test_lines_are_brought_together_in_order_whether_or_not_they_fit_in_memory(tmp_path: Path, size: int) -> None:
    names = [b"n%08d" % number for number in range(30)]
    with Groups(tmp_path) as groups:
        for turn in range(10):
            for name in names:
                groups.add(name, b"%d %s\n" % (turn, b"x" * size))
        found = {name: b"".join(parts) for name, parts in groups}
    assert found == {name: b"".join(b"%d %s\n" % (turn, b"x" * size) for turn in range(10)) for name in names}
    assert list(tmp_path.iterdir()) == []


def test_a_class_that_a_file_does_not_have_is_no_reason_to_read_it_again(tmp_path: Path) -> None:
    scraper = Scraper(tmp_path)
    (tmp_path / "index.txt").write_text(f"{TENCH}_1\thttp://farm1.static.flickr.com/1/1_ab.jpg\n")
    err = scraper.done("plan", TENCH, "n01443537", "--source", "index.txt", code=1)
    assert "1 class failed; another --source may have a list" in err.out + err.err
    assert "run the same plan again" not in err.out + err.err
