"""What hostile servers and lists may cost: bounded memory, descriptors, time and room, and no wrong word."""

from __future__ import annotations

import hashlib
import io
import threading
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from scraper.model import Outcome
from scraper.pictures.judge import Rules, judge
from scraper.web.client import Client
from scraper.web.options import NetworkOptions, parse_connect_to
from tests.command import LONGEST, Scraper, check
from tests.planning.test_hostile_lists import BASE, HOST, LEAN, TENCH, listed, measured, stamped
from tests.standin import Fate, StandIn, World
from tests.web.test_hostile_servers import (
    CHUNKED,
    MEMORY,
    MOST,
    PHOTO,
    WHOLE,
    drips,
    head,
    keeps,
    probe,
    resets,
    says,
    silent,
)

LISTED_PHOTO = "http://static.flickr.com/1/1_ab.jpg"

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standin import Handler, Request, Wire


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    with StandIn(World.of(3, [(TENCH, "tench")], flickr=20, other=0, mix={Fate.ALIVE: 1})) as running:
        running.script("good.example.com", "*", keeps(head(WHOLE), PHOTO))
        running.script(HOST, "*", stamped)
        yield running


def get(standin: StandIn, host: str, script: Handler, scheme: str = "http") -> Outcome | None:
    """GET in a thread that may hang; None where it did."""
    standin.script(host, "*", script)
    options = NetworkOptions(timeout=1, connect_to=parse_connect_to(standin.connect_to), ca_certs=standin.ca_file)
    found: list[Outcome] = []
    with Client(options, threads=1) as client:

        def ask() -> None:
            found.append(judge(client.get(f"{scheme}://{host}/", max_bytes=MOST), Rules()).outcome)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(6)
    return found[0] if found else None


def test_a_chunk_of_minus_one_bytes_is_not_read_without_bound(standin: StandIn) -> None:
    async def script(_: Request, wire: Wire) -> None:
        wire.write(head(CHUNKED) + b"-1\r\n")
        for _number in range(6000):  # at most 400 MB
            if wire.closed:
                return
            wire.write(b"x" * 65536)
            await wire.flush()
        await wire.wait_closed()

    standin.script("minus.example.com", "*", script)
    found = probe(standin, ["http://minus.example.com/"], threads=1, timeout=8)
    assert found.outcomes == [Outcome.PROTOCOL_ERROR]
    assert found.kilobytes < MEMORY


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Ty", head(CHUNKED)[:-2]])
def test_a_cut_in_the_head_is_not_the_answer(standin: StandIn, start: bytes, scheme: str) -> None:
    assert get(standin, f"cut{len(start)}.example.com", says(start), scheme) is Outcome.CONNECTION_ERROR


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (b"429 Slow", Outcome.THROTTLED),
        (b"404 Not Found", Outcome.GONE),
        (b"403 No", Outcome.FORBIDDEN),
        (b"302 Found", Outcome.SAVED),
    ],
)
@pytest.mark.parametrize("kind", ["cut", "reset", "garbage", "silent", "drip"])
def test_a_broken_body_that_nobody_wants(standin: StandIn, status: bytes, outcome: Outcome, kind: str) -> None:
    start = head(b"Content-Length: 5000", b"Location: http://good.example.com/", status=status)
    garbage = head(CHUNKED, b"Location: http://good.example.com/", status=status) + b"zz\r\n"
    scripts = {
        "cut": says(start, b"x"),
        "reset": resets(start),
        "garbage": says(garbage),
        "silent": silent(start),
        "drip": drips(start, b"x"),
    }
    assert get(standin, f"b-{kind}-{status[:3].decode()}.example.com", scripts[kind]) is outcome


def test_a_link_in_place_of_the_temporary_folder_is_refused(standin: StandIn, tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (home / "images").mkdir(parents=True)
    (home / "images" / ".partial").symlink_to(elsewhere)
    scraper = Scraper(home, standin)
    scraper.done("plan", TENCH, "-n", "3")
    result = scraper.run("fetch")
    assert result.code in (2, 4)
    assert len(result.err.strip().splitlines()) == 1
    assert list(elsewhere.iterdir()) == []


def test_many_hosts_do_not_use_up_the_descriptors(standin: StandIn) -> None:
    for number in range(300):
        standin.script(f"h{number}.example.com", "*", keeps(head(WHOLE), PHOTO))
    urls = [f"http://h{number}.example.com/" for number in range(300)]
    assert set(probe(standin, urls, threads=8, files=200, timeout=10).outcomes) == {Outcome.SAVED}


@pytest.mark.parametrize(
    "answer", [b"\x1b]0;owned\x07\x1b[2J\r\n", head(b"Content-Length: 24") + b"Invalid url!\x1b[2J\x1b[31mred"]
)
def test_what_a_server_says_is_made_printable(standin: StandIn, tmp_path: Path, answer: bytes) -> None:
    standin.script("lists.example.com", "*", says(answer))
    scraper = Scraper(tmp_path, standin)
    result = scraper.run("plan", TENCH, "--source", "http://lists.example.com/{wnid}")
    assert "\x1b" not in result.out + result.err, result


@pytest.mark.parametrize("piece", [b"x", b"x,", b"x ", b"\xff"])
def test_a_line_of_50_megabytes_on_standard_input(scraper: Scraper, piece: bytes) -> None:
    code, kilobytes, seconds, said = measured(scraper, "plan", stdin=piece * (50_000_000 // len(piece)))
    assert code == 2
    assert len(said) < 1000
    assert kilobytes < MEMORY * 2.5
    assert seconds < 10


def test_pixel_bombs_by_all_threads_at_once(standin: StandIn) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (9400, 9400)).save(out, "PNG", compress_level=6)
    body = out.getvalue()
    assert len(body) < MOST
    standin.script("bomb.example.com", "*", keeps(head(b"Content-Length: %d" % len(body)), body))
    found = probe(standin, ["http://bomb.example.com/"] * 8, threads=8, timeout=20)
    assert found.kilobytes < 700_000


def test_repair_of_a_folder_that_lost_every_image(standin: StandIn, tmp_path: Path) -> None:
    scraper = Scraper(tmp_path, standin)
    scraper.done("plan", TENCH, "-n", "3")
    scraper.done("fetch")
    for path in scraper.images.rglob("*.*"):
        if path.is_file():
            path.unlink()
    before = scraper.snapshot()
    assert "--repair --missing-anyway" in scraper.done("verify", "--repair", code=2).err
    assert scraper.snapshot() == before
    scraper.done("verify", "--repair", "--missing-anyway")
    scraper.done("fetch")
    check(scraper)


def test_an_attempt_takes_little_room_in_the_manifest(standin: StandIn, tmp_path: Path) -> None:
    for number in range(12):
        location = b"Location: https://long%d.static.flickr.com/" % (number + 1) + b"x" * 60_000
        kind = b"Content-Type: image/" + b"y" * 60_000
        standin.script(
            f"long{number}.static.flickr.com", "*", keeps(head(location, kind, b"Content-Length: 0", status=b"302 F"))
        )
    listed(tmp_path, ["https://long0.static.flickr.com/1/1_ab.jpg"])
    scraper = Scraper(tmp_path, standin)
    scraper.done("plan", TENCH, "--source", "lists")
    scraper.done("fetch", code=4)  # nothing was learnt of the only photo
    room = scraper.one(
        "SELECT max(coalesce(length(hops), 0) + coalesce(length(final_url), 0) + coalesce(length(content_type), 0)) "
        "FROM attempts"
    )
    assert room < 100_000


def test_brackets_around_no_address(standin: StandIn) -> None:
    options = NetworkOptions(timeout=1, connect_to=parse_connect_to(standin.connect_to))
    with Client(options, threads=1) as client:
        assert client.get("http://[::ffff:999.0.0.1]/", max_bytes=MOST).failure is Outcome.BAD_URL


def test_a_list_that_foresees_our_digest_of_a_long_name(scraper: Scraper) -> None:
    long = "x" * 105 + ".jpg"
    third = BASE + "b/" + long
    foreseen = f"{'x' * 100}-{hashlib.sha256(third.encode()).hexdigest()[:10]}.jpg"
    listed(scraper.folder, [BASE + foreseen, BASE + "a/" + long, third])
    process = scraper.start("plan", TENCH, "--source", "lists")
    try:
        assert process.wait(LONGEST) == 0
    finally:
        process.kill()
        process.communicate()


def test_the_memory_of_a_chunk_of_minus_one_bytes(standin: StandIn) -> None:
    async def script(_: Request, wire: Wire) -> None:
        wire.write(head(CHUNKED) + b"-1\r\n")
        while not wire.closed:
            wire.write(b"x" * 1_000_000)
            await wire.flush()

    standin.script("minus2.example.com", "*", script)
    assert probe(standin, ["http://minus2.example.com/"], threads=1, timeout=3).kilobytes < MEMORY


def test_a_list_of_half_a_million_garbage_lines_costs_counts(scraper: Scraper) -> None:
    (scraper.folder / "lists").mkdir()
    with (scraper.folder / "lists" / f"{TENCH}.txt").open("wb") as file:
        file.write(f"{LISTED_PHOTO}\n".encode())
        for number in range(500):
            file.write(b"".join(b"garbage %d\n" % number for _ in range(1000)))
    code, kilobytes, _, _ = measured(scraper, "plan", TENCH, "--source", "lists")
    assert code == 0
    assert scraper.rows("SELECT listed, candidates, malformed FROM classes") == [(1, 1, 500_000)]
    assert kilobytes < LEAN


@pytest.mark.parametrize("start", [b"", f"{TENCH}_1\t".encode(), f"{TENCH}_1\t{LISTED_PHOTO}".encode()])
def test_an_index_line_of_50_megabytes(scraper: Scraper, start: bytes) -> None:
    with (scraper.folder / "index.txt").open("wb") as file:
        file.write(f"{TENCH}_1\t{LISTED_PHOTO}\n".encode() + start + b"x" * 50_000_000)
    code, kilobytes, _, _ = measured(scraper, "plan", TENCH, "--source", "index.txt")
    assert code == 0
    assert scraper.one("SELECT candidates FROM classes") == 1
    assert kilobytes < LEAN
