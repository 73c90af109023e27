"""The stand-in does what it says: real requests over real sockets, TLS included."""

from __future__ import annotations

import gc
import hashlib
import io
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import urllib3
from PIL import Image

from tests.standin import DEFAULT_MIX, ClassSpec, Fate, ListingFate, StandIn, Throttle, World, photos
from tests.standin.browser import Browser
from tests.standin.fates import EXPECTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.standin import Request, Wire

CLASSES = [("n01440764", "tench"), ("n02708093", "analog clock")]
API = "https://www.image-net.org/api/imagenet.synset.geturls?wnid="
EVEN = dict.fromkeys(Fate, 1.0)


@pytest.fixture(scope="module")
def world() -> World:
    """Every fate about equally often."""
    return World.of(7, CLASSES, flickr=230, mix=EVEN)


@pytest.fixture
def standin(world: World) -> Iterator[StandIn]:
    with StandIn(world) as running:
        yield running


@pytest.fixture
def browser(standin: StandIn) -> Iterator[Browser]:
    with closing(Browser(standin)) as client:
        yield client


def loads(data: bytes) -> bool:
    """Whether Pillow can decode the whole picture."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except (OSError, SyntaxError):
        return False
    return True


def open_things() -> tuple[int, int]:
    """How many threads run and how many files and sockets are open."""
    return threading.active_count(), sum(1 for _ in Path("/proc/self/fd").iterdir())


def secure(url: str) -> str:
    return url.replace("http://", "https://")


def test_same_seed_same_world_another_seed_another(world: World) -> None:
    again = World.of(7, reversed(CLASSES), flickr=230, mix=EVEN)
    other = World.of(8, CLASSES, flickr=230, mix=EVEN)
    for wnid, _ in CLASSES:
        assert world.listing(wnid) == again.listing(wnid) != other.listing(wnid)
        assert [world.fate(url) for url in world.flickr_urls(wnid)] == [
            again.fate(url) for url in again.flickr_urls(wnid)
        ]


def test_lists_look_like_imagenets(world: World, tmp_path: Path) -> None:
    listing = world.listing("n02708093")
    assert listing.endswith(b"\r\n\n")
    lines = listing.rstrip().split(b"\r\n")
    urls = world.flickr_urls("n02708093")
    assert len(urls) == len(set(urls)) == 230
    assert {url.encode() for url in urls} <= set(lines)
    assert len(set(lines)) < len(lines)  # repeats
    world.write_index(tmp_path / "index.txt")
    world.write_folder(tmp_path / "folder")
    assert (tmp_path / "folder" / "n02708093.txt").read_bytes() == listing
    rows = [row.split(b"\t", 1) for row in (tmp_path / "index.txt").read_bytes().splitlines()]
    assert [url for name, url in rows if name.startswith(b"n02708093_")] == lines


def test_the_default_mix_is_near_reality() -> None:
    world = World.of(1, CLASSES, flickr=2000)
    urls = world.urls()
    alive = sum(world.expected(url).outcome == "saved" for url in urls)
    assert 0.70 < alive / len(urls) < 0.80
    assert sum(DEFAULT_MIX.values()) == pytest.approx(1.0)
    assert set(EXPECTED) == set(DEFAULT_MIX) == set(Fate)


@pytest.mark.parametrize("fate", [fate for fate in Fate if fate.value.startswith(("alive", "slow", "moved"))])
def test_living_photos_answer_their_own_bytes(browser: Browser, world: World, fate: Fate) -> None:
    for url in world.urls(fate)[:3]:
        status, body = browser.final(secure(url))
        assert (status, body) == (200, world.photo_bytes(url))
        assert loads(body)


STATUSES = {
    Fate.GONE_404: 404, Fate.GONE_410: 410, Fate.FORBIDDEN: 403, Fate.OPTED_OUT: 200, Fate.REDIRECT_LOOP: 302,
    Fate.THROTTLED_ALWAYS: 429, Fate.ERROR_ALWAYS: 500, Fate.HTML: 200, Fate.EMPTY: 200,
}  # fmt: skip


@pytest.mark.parametrize(("fate", "status"), STATUSES.items())
def test_plain_fates_answer_their_status(browser: Browser, world: World, fate: Fate, status: int) -> None:
    for url in world.urls(fate)[:3]:
        assert browser.final(secure(url))[0] == browser.final(url)[0] == status == world.expected(url).status


def test_details_of_the_answers(browser: Browser, world: World) -> None:
    first = {fate: world.urls(fate)[0] for fate in Fate}
    assert browser.get(first[Fate.OPTED_OUT]).headers["X-Robots-Tag"] == "noai"
    assert browser.get(first[Fate.THROTTLED_ALWAYS]).headers["Retry-After"] == "1"
    assert browser.get(first[Fate.HTML]).headers["Content-Type"].startswith("text/html")
    assert browser.get(first[Fate.EMPTY]).data == b""
    assert "photo_unavailable.png" in browser.get(first[Fate.PLACEHOLDER_REDIRECT]).headers["Location"]
    for fate in (Fate.PLACEHOLDER_REDIRECT, Fate.PLACEHOLDER_DIRECT):
        assert browser.final(first[fate]) == (200, photos.placeholder())
    assert browser.get("http://www.example.com/x.jpg").status == 404
    assert browser.get(first[Fate.ALIVE], "POST").status == 405


def test_damaged_photos_are_damaged(browser: Browser, world: World) -> None:
    for url in world.urls(Fate.TRUNCATED, Fate.CORRUPT):
        answer = browser.get(url)
        assert answer.status == 200
        assert int(answer.headers["Content-Length"]) == len(answer.data)
        assert not loads(answer.data), url
    for url in world.urls(Fate.TINY):
        with Image.open(io.BytesIO(browser.get(url).data)) as image:
            assert max(image.size) <= 20


@pytest.mark.parametrize(("fate", "status"), [(Fate.THROTTLED_ONCE, 429), (Fate.ERROR_ONCE, 503)])
def test_passing_trouble_passes(browser: Browser, world: World, fate: Fate, status: int) -> None:
    url = world.urls(fate)[0]
    assert browser.get(url).status == status
    assert browser.get(secure(url)).data == world.photo_bytes(url)  # http and https are one


def test_cuts_and_resets(browser: Browser, world: World) -> None:
    once, always, reset = (world.urls(fate)[0] for fate in (Fate.CUT_ONCE, Fate.CUT_ALWAYS, Fate.RESET_ALWAYS))
    for form in (secure, str):
        for url in (always, always):
            with pytest.raises(urllib3.exceptions.ProtocolError, match="IncompleteRead"):
                browser.get(form(url))
    with pytest.raises(urllib3.exceptions.ProtocolError, match="ConnectionResetError"):
        browser.get(reset.replace("https://", "http://"))
    with pytest.raises(urllib3.exceptions.ProtocolError, match=r"RemoteDisconnected|ConnectionReset"):
        browser.get(secure(reset))  # Python 3.11's ssl shows a reset under TLS as an end of file
    with pytest.raises(urllib3.exceptions.ProtocolError):
        browser.get(once)
    assert browser.get(once).data == world.photo_bytes(once)


def test_twins_have_the_bytes_of_another_photo_of_their_class(world: World) -> None:
    for wnid, _ in CLASSES:
        alive = {world.photo_bytes(url) for url in world.flickr_urls(wnid) if world.fate(url) is Fate.ALIVE}
        twins = [url for url in world.flickr_urls(wnid) if world.fate(url) is Fate.SAME_BYTES]
        assert twins
        assert all(world.photo_bytes(url) in alive for url in twins)


def test_three_hundred_photos_are_all_different_and_whole() -> None:
    world = World.of(3, CLASSES, flickr=150, mix={Fate.ALIVE: 1})
    bodies = [world.photo_bytes(url) for url in world.urls()]
    assert len({hashlib.sha256(body).digest() for body in bodies}) == 300
    assert all(loads(body) for body in bodies)


@pytest.mark.parametrize("fate", ListingFate)
def test_listing_fates(fate: ListingFate) -> None:
    expected: Mapping[ListingFate, tuple[int, bytes]] = {
        ListingFate.INVALID_URL: (200, b"Invalid url!"),
        ListingFate.NOT_READY: (200, b"The synset is not ready yet. Please stay tuned!"),
        ListingFate.EMPTY: (200, b""),
    }
    world = World(1, [ClassSpec("n01440764", "tench", listing=fate)])
    with StandIn(world) as standin, closing(Browser(standin)) as browser:
        if fate is ListingFate.SILENT:
            with socket.create_connection(("127.0.0.1", standin.http_port), timeout=0.2) as client:
                target = API.removeprefix("https://www.image-net.org").encode() + b"n01440764"
                client.sendall(b"GET %s HTTP/1.1\r\nHost: www.image-net.org\r\n\r\n" % target)
                with pytest.raises(TimeoutError):
                    client.recv(1)
            return
        answers = [browser.get(API + "n01440764") for _ in range(2)]
        assert any(a.status == 200 and a.data == world.listing("n01440764") for a in answers) == fate.resolves
        if fate in expected:
            assert (answers[0].status, answers[0].data) == expected[fate]
        assert browser.get(API + "n99999999").data == b"Invalid url!"


def test_connections_are_kept_and_everything_is_counted(standin: StandIn, browser: Browser, world: World) -> None:
    url = secure(world.urls(Fate.GONE_404)[0])
    for _ in range(20):
        browser.get(url, **{"User-Agent": "test"})
    assert (standin.connections, standin.count(url), standin.count(url.replace("https", "http"))) == (1, 20, 20)
    seen = standin.requests[-1]
    assert (seen.scheme, seen.method, seen.user_agent, seen.host) == ("https", "GET", "test", urlsplit(url).hostname)
    assert seen.started_at <= time.monotonic()
    standin.reset_counts()
    assert (standin.connections, standin.count(url), standin.requests) == (0, 0, [])


def test_head_and_ranges(browser: Browser, world: World) -> None:
    url = world.urls(Fate.ALIVE)[0]
    whole = world.photo_bytes(url)
    head = browser.get(url, "HEAD")
    assert (head.data, int(head.headers["Content-Length"])) == (b"", len(whole))
    part = browser.get(url, Range="bytes=100-199")
    assert (part.status, part.data) == (206, whole[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole)}"
    assert browser.get(url, Range="bytes=-7").data == whole[-7:]
    assert browser.get(url, Range=f"bytes={len(whole)}-").status == 416


def test_throttle_and_block(world: World) -> None:
    url = world.urls(Fate.ALIVE)[0]
    throttle = Throttle(limit=3, per=60, retry_after=9)
    with StandIn(world, throttle=throttle) as standin, closing(Browser(standin)) as browser:
        assert [browser.get(url).status for _ in range(5)] == [200, 200, 200, 429, 429]
        assert browser.get(url).headers["Retry-After"] == "9"
        assert browser.get(API + "n01440764").status == 200
    with StandIn(world) as standin, closing(Browser(standin)) as browser:
        standin.blocked = True
        assert browser.get(url).status == 429
        standin.blocked = False
        assert browser.get(url).status == 200


def test_latency_is_per_request_and_requests_overlap(world: World) -> None:
    url = world.urls(Fate.ALIVE)[0]
    with (
        StandIn(world, latency=0.3) as standin,
        closing(Browser(standin)) as first,
        closing(Browser(standin)) as other,
    ):
        began = time.monotonic()
        threads = [threading.Thread(target=client.get, args=(url,)) for client in (first, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert time.monotonic() - began >= 0.3  # each waited; that they overlapped is their peak
        assert standin.peak == standin.peaks["flickr"] == 2


def test_scripts_have_the_connection_to_themselves(standin: StandIn, browser: Browser) -> None:
    async def endless(_request: Request, wire: Wire) -> None:
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not wire.closed:
            wire.write(b".")
            await wire.sleep(0.01)

    async def short(request: Request, wire: Wire) -> None:
        wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + request.method.encode())
        await wire.flush()

    async def reset(_request: Request, wire: Wire) -> None:
        wire.abort()
        await wire.wait_closed()

    for path, handler in (("/endless", endless), ("/short", short), ("/reset", reset)):
        standin.script("x.static.flickr.com", path, handler)
    assert browser.get("https://x.static.flickr.com/short").data == b"GET"
    assert browser.get("https://x.static.flickr.com/short").data == b"GET"
    assert standin.connections == 1
    with pytest.raises(urllib3.exceptions.ProtocolError, match="ConnectionResetError"):
        browser.get("http://x.static.flickr.com/reset")
    client = socket.create_connection(("127.0.0.1", standin.http_port), timeout=5)
    with client:
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: x.static.flickr.com\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200")
    with socket.create_connection(("127.0.0.1", standin.http_port)) as garbage:
        garbage.sendall(b"nonsense\r\n\r\n")
        assert garbage.recv(100).startswith(b"HTTP/1.1 400")


def test_nothing_is_left_behind(world: World) -> None:
    before = open_things()

    async def silence(_request: Request, wire: Wire) -> None:
        await wire.wait_closed()

    with StandIn(world) as standin:
        folder = standin.ca_file.parent
        standin.script("static.flickr.com", "*", silence)
        scripted = socket.create_connection(("127.0.0.1", standin.http_port))
        scripted.sendall(b"GET / HTTP/1.1\r\nHost: static.flickr.com\r\n\r\n")
        idle = socket.create_connection(("127.0.0.1", standin.https_port))  # no handshake
        while not standin.requests or standin.connections < 2:
            time.sleep(0.01)
    for client in (scripted, idle):
        client.close()
    gc.collect()
    assert not folder.exists()
    assert open_things() == before


def test_a_script_that_fails_is_reported(world: World) -> None:
    async def faulty(_request: Request, _wire: Wire) -> None:
        raise ValueError("a mistake in a test")

    def use() -> None:
        with StandIn(world) as standin:
            standin.script("static.flickr.com", "*", faulty)
            with socket.create_connection(("127.0.0.1", standin.http_port), timeout=5) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: static.flickr.com\r\n\r\n")
                with suppress(ConnectionResetError):
                    client.recv(1)

    with pytest.raises(RuntimeError, match="the stand-in failed"):
        use()


def test_command_line(tmp_path: Path) -> None:
    (tmp_path / "classes.csv").write_text("tench,n01440764\n", encoding="utf-8")
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "tests.standin", "--classes", str(tmp_path / "classes.csv")]
    with subprocess.Popen([*command, "--ready", str(ready), "--seconds", "60"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert b"--connect-to :80:127.0.0.1:" in process.stdout.readline()
        facts = json.loads(ready.read_text(encoding="utf-8"))
        assert facts["pid"] == process.pid
        assert f":443:127.0.0.1:{facts['https_port']}" in facts["connect_to"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
