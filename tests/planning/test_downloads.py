"""Known lists that are one file: downloaded once, gone on with after a break, refused where they are wrong."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from scraper.flickr import FLICKR_DOMAINS
from scraper.model import Wnid
from scraper.planning.sources.interface import Means, Reading
from scraper.planning.sources.known import KNOWN, KnownList
from scraper.planning.sources.whole import KnownFile
from scraper.records import Columns
from scraper.running.crew import Stop
from scraper.web.client import Client
from scraper.web.options import NetworkOptions, parse_connect_to
from tests.command import LONGEST, Scraper
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.standin import StandIn, World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.standin import Request, Wire

FIRST, SECOND = "nvidia.box.com", "www.deepdetect.com"
ARCHIVE: Final = "web.archive.org"
PIECE: Final = 20 * 1024
HEAD: Final = "HTTP/1.1 {} X\r\nContent-Length: {}\r\n{}\r\n"


@dataclass
class Host:
    """A host of one file. Each request is answered as `answers` says, by the last of them from then on.

    `whole`, `cut N` (closed after so many bytes), `slow` (pieces with pauses), `stall N` (silent after so many bytes),
    `drip` (a byte now and then), a status, `429 S` (with a Retry-After), or a page.
    """

    body: bytes
    answers: list[str] = field(default_factory=lambda: ["whole"])
    version: str = '"one"'
    seen: list[dict[str, str]] = field(default_factory=list)

    async def __call__(self, request: Request, wire: Wire) -> None:
        self.seen.append(dict(request.headers))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        word, _, number = answer.partition(" ")
        if word == "page":
            page = b"<html><body>Sign in to go on</body></html>"
            wire.write(HEAD.format(200, len(page), "").encode() + page)
        elif word.isdigit():
            more = f"Retry-After: {number}\r\n" if number else ""
            wire.write(HEAD.format(word, 0, more).encode())
        else:
            await self._give(request, wire, word, int(number or 0))

    async def _give(self, request: Request, wire: Wire, word: str, number: int) -> None:
        start = 0
        wanted = request.headers.get("range", "")
        if wanted and request.headers.get("if-range", self.version) == self.version:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        rest = self.body[start:]
        more = f"ETag: {self.version}\r\n"
        if start:
            more += f"Content-Range: bytes {start}-{len(self.body) - 1}/{len(self.body)}\r\n"
        wire.write(HEAD.format(206 if start else 200, len(rest), more).encode())
        if word == "cut":
            wire.write(rest[:number])
            wire.close()
        elif word == "stall":
            wire.write(rest[:number])
            await wire.wait_closed()
        elif word in ("slow", "drip"):
            size, pause = (PIECE, 0.4) if word == "slow" else (1, 0.1)
            for at in range(0, len(rest), size):
                if wire.closed:
                    return
                wire.write(rest[at : at + size])
                await wire.sleep(pause)
        else:
            wire.write(rest)

    @property
    def ranges(self) -> list[str | None]:
        """The ranges that were asked for."""
        return [headers.get("range") for headers in self.seen]


@pytest.fixture(scope="module")
def world() -> World:
    return World.of(31, CLASSES, flickr=30, other=3000)


@pytest.fixture(scope="module")
def body(world: World, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("lists") / "urls.txt"
    world.write_index(path)
    return gzip.compress(path.read_bytes(), compresslevel=1)


@pytest.fixture(scope="module")
def standin(world: World) -> Iterator[StandIn]:
    with StandIn(world) as running:
        yield running


@pytest.fixture
def online(tmp_path: Path, standin: StandIn) -> Scraper:
    scraper = Scraper(tmp_path / "home", standin)
    scraper.folder.mkdir()
    scraper.variables["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    return scraper


@pytest.fixture
def first(standin: StandIn, body: bytes) -> Host:
    host = Host(body)
    standin.script(FIRST, "*", host)
    return host


@pytest.fixture
def second(standin: StandIn, body: bytes) -> Host:
    host = Host(body, ["404"])
    standin.script(SECOND, "*", host)
    return host


def kept(scraper: Scraper) -> Path:
    return scraper.folder.parent / "cache" / "scraper" / "lists" / KNOWN["ilsvrc"].file


PLAN: Final = ("plan", TENCH, CLOCK, "--source", "ilsvrc", "--timeout", "1")


def test_a_list_is_downloaded_once(online: Scraper, first: Host, second: Host, body: bytes, world: World) -> None:
    online.done(*PLAN)
    assert kept(online).read_bytes() == body
    assert online.one("SELECT count(*) FROM candidates") == 60
    assert online.rows("SELECT DISTINCT source, listing_form FROM classes") == [("ilsvrc", "index")]
    address = KNOWN["ilsvrc"].addresses[0]
    expected = [("ilsvrc", address, "index", len(body), hashlib.sha256(body).hexdigest(), 2)]
    assert online.rows("SELECT source, url, form, bytes, sha256, classes FROM whole_lists") == expected
    assert str(kept(online).parent) not in str(online.rows("SELECT * FROM runs, whole_lists, classes"))
    online.done(*PLAN, "--manifest", "another.db")
    assert first.ranges == [None]
    assert second.seen == []
    assert sorted(path.name for path in kept(online).parent.iterdir()) == [
        KNOWN["ilsvrc"].file,
        f"{KNOWN['ilsvrc'].file}.json",
    ]
    assert set(world.flickr_urls(TENCH)) <= {url for (url,) in online.rows("SELECT url FROM candidates")}


def test_a_broken_download_goes_on_where_it_broke(online: Scraper, first: Host, second: Host, body: bytes) -> None:
    first.answers = ["cut 50000", "cut 30000", "whole"]
    online.done(*PLAN)
    assert kept(online).read_bytes() == body
    assert first.ranges == [None, "bytes=50000-", "bytes=80000-"]
    assert [headers.get("if-range") for headers in first.seen] == [None, '"one"', '"one"']
    assert second.seen == []


def test_a_later_run_goes_on_with_what_an_earlier_one_got(online: Scraper, first: Host, second: Host) -> None:
    first.answers = ["cut 50000", "404"]
    refused = online.done(*PLAN, code=4)
    assert "the list of ILSVRC 2012 gives no lists: HTTP status 404" in refused.err
    assert len(second.seen) == 1
    first.answers = ["whole"]
    online.done(*PLAN)
    assert first.ranges == [None, "bytes=50000-", "bytes=50000-"]
    assert kept(online).read_bytes() == first.body


def test_another_version_of_the_file_begins_anew(online: Scraper, first: Host, second: Host, body: bytes) -> None:
    first.answers = ["cut 50000", "404"]
    online.done(*PLAN, code=4)
    assert second.seen
    first.answers, first.version = ["whole"], '"two"'
    first.body = gzip.compress(gzip.decompress(body), compresslevel=9)
    online.done(*PLAN)
    assert kept(online).read_bytes() == first.body


def test_a_host_that_asks_to_wait_is_waited_for(online: Scraper, first: Host, second: Host) -> None:
    first.answers = ["429 1", "cut 50000", "429 1", "503 1", "whole"]
    online.done(*PLAN)
    assert first.ranges == [None, None, "bytes=50000-", "bytes=50000-", "bytes=50000-"]
    assert second.seen == []


@pytest.mark.parametrize("answer", ["404", "403", "page", "500 9999999", "301", "200"])
def test_the_next_address_is_tried_where_one_does_not_give_it(
    online: Scraper, first: Host, second: Host, body: bytes, answer: str
) -> None:
    first.answers, second.answers = [answer], ["whole"]
    online.done(*PLAN)
    assert kept(online).read_bytes() == body
    assert online.one("SELECT url FROM whole_lists") == KNOWN["ilsvrc"].addresses[1]


@pytest.mark.parametrize("answers", [["404", "404"], ["page", "404"], ["page", "page"], ["cut 50000", "404"]])
def test_where_no_address_gives_it_ways_are_shown(
    online: Scraper, first: Host, second: Host, answers: list[str]
) -> None:
    first.answers, second.answers = [answers[0], "404"], [answers[1], "404"]
    result = online.done(*PLAN, code=4, stdin=b"")
    assert "the list of ILSVRC 2012 gives no lists: " in result.err
    assert "  scraper plan --source fall11 n01440764 n02708093 --timeout 1" in result.err
    assert "--source ilsvrc" not in result.err
    assert not kept(online).exists()
    assert online.rows("SELECT wnid, resolve_outcome FROM classes") == [(TENCH, None), (CLOCK, None)]
    assert online.one("SELECT exit_code FROM runs") == 4


def test_a_stream_may_take_longer_than_the_time_for_a_request(online: Scraper, first: Host, body: bytes) -> None:
    assert len(body) > 3 * PIECE
    first.answers = ["slow"]
    online.done(*PLAN)
    assert first.ranges == [None]
    assert kept(online).read_bytes() == body


@pytest.mark.parametrize("answer", ["stall 50000", "drip"])
def test_a_stream_that_stops_is_asked_for_again(online: Scraper, first: Host, body: bytes, answer: str) -> None:
    first.answers = [answer, "whole"]
    online.done(*PLAN)
    assert len(first.seen) == 2
    assert kept(online).read_bytes() == body


def test_a_download_can_be_interrupted_and_gone_on_with(online: Scraper, first: Host, body: bytes) -> None:
    first.answers = ["stall 50000", "whole"]
    process = online.start(*PLAN[:-1], "60")
    part = kept(online).with_name(kept(online).name + ".part")
    while not part.exists() or part.stat().st_size < 50000:
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=LONGEST)
    assert process.returncode == 130, err
    assert not online.rows("SELECT * FROM candidates")
    online.done(*PLAN)
    assert first.ranges == [None, "bytes=50000-"]
    assert kept(online).read_bytes() == body


def test_two_runs_do_not_download_at_once(online: Scraper, first: Host) -> None:
    first.answers = ["stall 50000", "whole"]
    process = online.start(*PLAN[:-1], "60")
    part = kept(online).with_name(kept(online).name + ".part")
    while not part.exists() or part.stat().st_size < 50000:
        assert process.poll() is None, process.communicate()
    result = online.done(*PLAN, "--manifest", "another.db", code=4)
    assert "another run is downloading" in result.err
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LONGEST)


def test_a_file_beside_the_manifest_is_used(online: Scraper, first: Host, body: bytes) -> None:
    online.manifest.parent.mkdir()
    (online.manifest.parent / KNOWN["ilsvrc"].file).write_bytes(body)
    online.done(*PLAN)
    assert first.seen == []
    assert online.one("SELECT url FROM whole_lists") is None


def test_without_a_cache_the_manifests_folder_serves(online: Scraper, first: Host, body: bytes) -> None:
    online.variables.update(XDG_CACHE_HOME="not/absolute", HOME="")
    online.done(*PLAN)
    assert len(first.seen) == 1
    assert (online.manifest.parent / KNOWN["ilsvrc"].file).read_bytes() == body


def test_a_file_of_unknown_size_is_not_downloaded_without_end(online: Scraper, standin: StandIn, second: Host) -> None:
    async def huge(_request: Request, wire: Wire) -> None:
        wire.write(HEAD.format(200, 200_000_000, "").encode() + bytes(1000))
        await wire.wait_closed()

    standin.script(FIRST, "*", huge)
    result = online.done(*PLAN, code=4)
    assert "it has 200,000,000 bytes, and without --yes no more than 100,000,000 are downloaded" in result.err
    assert second.seen


# --- large ones ------------------------------------------------------------------------------------------------------


def test_a_large_download_is_refused_in_a_pipe_and_nothing_is_made(online: Scraper, standin: StandIn) -> None:
    host = Host(b"")
    standin.script(ARCHIVE, "*", host)
    before = online.snapshot()
    for source in ("fall11", "api,fall11"):
        result = online.done("plan", TENCH, "--source", source, code=2)
        assert "--yes is needed here: fall11 has to be downloaded once: 350 MB from web.archive.org to " in result.err
    assert online.snapshot() == before
    assert host.seen == []


def test_a_file_of_another_size_than_the_known_one_is_not_downloaded(online: Scraper, standin: StandIn) -> None:
    host = Host(b"x" * 200_000)
    standin.script(ARCHIVE, "*", host)
    result = online.done("plan", TENCH, "--source", "fall11", "--yes", code=4)
    assert "the file there has 200,000 bytes, and the known list 350,302,759" in result.err
    assert [seen["host"] for seen in host.seen] == [ARCHIVE]


@pytest.mark.parametrize(("answer", "code", "asked"), [("n", 2, 0), ("", 2, 0), ("y", 4, 1)])
def test_a_person_at_a_terminal_is_asked(online: Scraper, standin: StandIn, answer: str, code: int, asked: int) -> None:
    host = Host(b"", ["404"])
    standin.script(ARCHIVE, "*", host)
    command = online.command("plan", TENCH, "--source", "fall11")
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(online.folder)
        os.execve(sys.executable, command, dict(online.environment()))  # noqa: S606 - a terminal of its own is the point
    said = b""
    while b"Go on? [y/N]" not in said:
        said += os.read(terminal, 1000)
    os.write(terminal, answer.encode() + b"\n")
    while piece := _read(terminal):
        said += piece
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == code, said
    assert b"350 MB from web.archive.org" in said
    assert len(host.seen) == asked


def _read(terminal: int) -> bytes:
    """What a terminal still has; at its end Linux reports an error."""
    with suppress(OSError):
        return os.read(terminal, 1000)
    return b""


def test_classes_may_be_piped_in_while_a_person_is_asked(online: Scraper, standin: StandIn) -> None:
    host = Host(b"", ["404"])
    standin.script(ARCHIVE, "*", host)
    (online.folder / "ids.txt").write_text(f"{TENCH}\n", encoding="ascii")
    words = " ".join(f"'{word}'" for word in online.command("plan", "--source", "fall11"))
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(online.folder)
        shell = ["sh", "-c", f"{words} < ids.txt"]
        os.execve("/bin/sh", shell, dict(online.environment()))  # noqa: S606 - as above
    said = b""
    while b"Go on? [y/N]" not in said:
        said += os.read(terminal, 1000)
    os.write(terminal, b"y\n")
    while piece := _read(terminal):
        said += piece
    os.close(terminal)
    os.waitpid(child, 0)
    assert len(host.seen) == 1
    assert b"< ids.txt" in said


# --- digests ---------------------------------------------------------------------------------------------------------


def known(body: bytes, *hosts: str) -> KnownList:
    return KnownList(
        "test",
        "a list",
        tuple(f"http://{host}/list.gz" for host in hosts),
        covers="",
        form="index",
        attested="",
        file="list.gz",
        bytes=len(body),
        digest=("sha1", hashlib.sha1(body, usedforsecurity=False).hexdigest()),
    )


def read(list_: KnownList, folder: Path, standin: StandIn) -> tuple[dict[Wnid, int], list[str]]:
    """The candidates of each class of a known list, and what a person was told."""
    told: list[str] = []
    options = NetworkOptions(
        connect_to=parse_connect_to(standin.connect_to), ca_certs=standin.ca_file, timeout=5, allow_private=True
    )

    def connect() -> Client:
        return Client(options, threads=1)

    def ask(question: str) -> bool:
        raise AssertionError(question)

    means = Means(
        Reading(FLICKR_DOMAINS, None, Columns()),
        notice=told.append,
        scratch=folder,
        threads=1,
        connect=connect,
        agreed=False,
        ask=ask,
        stop=Stop(),
    )
    with connect() as client:
        source = KnownFile(list_, means, client, [folder])
        found = [settled for answers in source.lists([Wnid(TENCH), Wnid(CLOCK)]) for settled in answers.settled]
    return {wnid: len(listing.candidates) for wnid, listing in found}, told


BOTH: Final = {Wnid(TENCH): 30, Wnid(CLOCK): 30}


def test_what_has_the_known_digest_is_taken(standin: StandIn, tmp_path: Path, body: bytes) -> None:
    standin.script("a.example", "*", Host(body))
    assert read(known(body, "a.example"), tmp_path, standin)[0] == BOTH
    assert (tmp_path / "list.gz").read_bytes() == body


def test_what_has_another_digest_is_not(standin: StandIn, tmp_path: Path, body: bytes) -> None:
    wrong = body[:-100] + bytes(100)
    standin.script("a.example", "*", Host(wrong))
    found, told = read(known(body, "a.example"), tmp_path, standin)
    assert found == {}
    assert any("what came is not the file that is known" in line for line in told)
    assert not (tmp_path / "list.gz").exists()
    standin.script("b.example", "*", Host(body))
    assert read(known(body, "a.example", "b.example"), tmp_path, standin)[0] == BOTH


def test_a_part_of_another_file_is_found_out_and_gone(standin: StandIn, tmp_path: Path, body: bytes) -> None:
    host = Host(body)
    standin.script("a.example", "*", host)
    (tmp_path / "list.gz.part").write_bytes(b"x" * 50_000)
    assert read(known(body, "a.example"), tmp_path, standin)[0] == BOTH
    assert host.ranges == ["bytes=50000-", None]


@pytest.mark.parametrize("damage", [lambda body: body[:-1], lambda body: body[:-1] + b"x", lambda _: b""])
def test_a_kept_file_that_was_damaged_is_downloaded_again(
    standin: StandIn, tmp_path: Path, body: bytes, damage: Callable[[bytes], bytes]
) -> None:
    host = Host(body)
    standin.script("a.example", "*", host)
    read(known(body, "a.example"), tmp_path, standin)
    (tmp_path / "list.gz").write_bytes(damage(body))
    assert read(known(body, "a.example"), tmp_path, standin)[0] == BOTH
    assert len(host.seen) == 2


def test_a_note_that_cannot_be_read_costs_nothing(standin: StandIn, tmp_path: Path, body: bytes) -> None:
    host = Host(body)
    standin.script("a.example", "*", host)
    for note in (b"", b"{", b"[]", b'{"bytes": "many"}', json.dumps({"url": 1, "validator": []}).encode()):
        (tmp_path / "list.gz").write_bytes(body)
        for name in ("list.gz.json", "list.gz.part.json"):
            (tmp_path / name).write_bytes(note)
        assert read(known(body, "a.example"), tmp_path, standin)[0] == BOTH
    assert host.seen == []


def test_every_known_list_says_what_is_known_of_it() -> None:
    for name, one in KNOWN.items():
        assert (one.name, bool(one.addresses), bool(one.covers), bool(one.attested)) == (name, True, True, True)
        assert all(address.startswith(("http://", "https://")) for address in one.addresses)
        assert one.whole == ("{wnid}" not in one.addresses[0])
        assert one.digest is None or len(one.digest[1]) == hashlib.new(one.digest[0]).digest_size * 2


def test_the_docs_tell_what_is_known_of_every_known_list() -> None:
    told = (Path(__file__).resolve().parents[2] / "docs" / "lists.md").read_text(encoding="utf-8")
    for one in KNOWN.values():
        numbers = [f"{number:,}" for number in (one.bytes, one.lines) if number is not None]
        for word in (one.name, *one.addresses, one.covers, one.attested, one.file, *(one.digest or ())[1:], *numbers):
            assert word in told, word
        assert one.note in told.replace("\n", " ").replace("  ", " ")


def test_nobody_is_asked_by_a_command_that_only_helps(online: Scraper) -> None:
    assert subprocess.run(online.command("plan", "--help"), capture_output=True, check=True, timeout=LONGEST).stdout
