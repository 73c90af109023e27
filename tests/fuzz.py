"""Coverage-guided fuzzing: `python -m tests.fuzz --target judge|lists|response --seconds 60 [--corpus DIR]`.

Atheris guides the mutations where it can be imported; without it they are blind. What is held against the code is
`CHECKS`, which the property tests use too. An input that breaks one is saved to a file, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import hashlib
import io
import json
import lzma
import os
import random
import re
import resource
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import traceback
import warnings
import zipfile
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from PIL import Image

from scraper.errors import InputError
from scraper.flickr import FLICKR_DOMAINS
from scraper.manifest.access.withdrawing import Withdrawal
from scraper.model import LISTING_OUTCOMES, Check, Kind, ListingOutcome, Outcome, Wnid
from scraper.pictures.judge import Rules, glance, judge, opts_out
from scraper.planning.classlines import is_wnid
from scraper.planning.classlists import read_input
from scraper.planning.listings import parse_answer
from scraper.planning.locked.opening import open_lock
from scraper.planning.sources.file import WholeFile
from scraper.planning.sources.interface import Means, Reading, SourceFailedError, StartOverError
from scraper.planning.wanted.suppressing import read_suppressed
from scraper.records import Columns, Reply
from scraper.running.crew import Stop
from scraper.urls import LONGEST_URL
from scraper.web.client import Client
from scraper.web.options import NetworkOptions, parse_connect_to
from tests.pictures import bombs
from tests.pictures.encoder import Picture, encode
from tests.standin import photos

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scraper.pictures.examining import PictureInfo
    from scraper.records import Listing, OddLines

TIMEOUT: Final = 1.0
"""Seconds that a request to the answering server may take."""
HANGING: Final = 20.0
"""Seconds after which it hangs, however busy the machine is."""
MEMORY: Final = 2048
"""Megabytes; a picture of the most pixels that are decoded takes 360."""
LONGEST: Final = 65536
"""Bytes of an input."""
_LINES: Final = re.compile(rb"\r\n|\n|\r")
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_ABOUT_BODIES: Final = (Kind.IMAGE, Kind.DEAD, Kind.UNUSABLE)

# --- what must hold --------------------------------------------------------------------------------------------------


def check_name(name: str) -> None:
    """A file name is safe on every system we know of."""
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,119}", name), name
    assert not name.endswith("."), name
    assert not _DEVICE.fullmatch(name), name


def check_picture(data: bytes) -> None:
    """Any body gets one verdict, and what is kept can be opened."""
    kept = check_verdicts(data)
    if kept is not None:
        with Image.open(io.BytesIO(data), formats=(kept.format,)) as image:
            assert image.size == (kept.width, kept.height)


def check_verdicts(data: bytes) -> PictureInfo | None:
    """Any body gets one verdict; returns what is kept."""
    reply = Reply("https://live.staticflickr.com/1/1_a.jpg", 200, data, len(data))
    verdicts = {check: judge(reply, Rules(check)) for check in Check}
    for verdict in verdicts.values():
        assert isinstance(verdict.outcome, Outcome)
        assert verdict.outcome.kind in _ABOUT_BODIES
        assert (verdict.outcome is Outcome.SAVED) == (verdict.picture is not None) == (verdict.error is None)
        assert verdict.sha256 == hashlib.sha256(data).hexdigest()
    assert isinstance(glance(reply, Rules()).outcome, Outcome)
    kept = verdicts[Check.DECODE].picture
    assert kept is None or verdicts[Check.HEADER].picture == kept
    return kept


def check_answer(data: bytes) -> None:
    """Any list gets one outcome, its counts add up, and its names are safe and differ."""
    for shuffle in (None, "seed"):
        listing = parse_answer(data, hosts=FLICKR_DOMAINS, shuffle=shuffle)
        assert listing.outcome in LISTING_OUTCOMES
        if listing.outcome is not ListingOutcome.LISTED:
            assert not listing.candidates
            assert listing.error
            continue
        whole = data.removeprefix(b"\xef\xbb\xbf")
        assert listing.sha256 == hashlib.sha256(whole).hexdigest()
        if listing.form == "urls" and b"\0" not in whole and b"<" not in whole:
            assert listing.listed + listing.malformed == sum(bool(line.strip()) for line in _LINES.split(whole))
        assert listing.listed >= len(listing.candidates) + listing.duplicates
        assert len({one.url for one in listing.candidates}) == len(listing.candidates)
        assert len({one.filename.lower() for one in listing.candidates}) == len(listing.candidates)
        for one in listing.candidates:
            assert len(one.url) <= LONGEST_URL
            check_name(one.filename)


def check_index(data: bytes) -> None:
    """Any whole list is read to its end or refused in one line; grouped or not, it says the same."""
    wanted = [Wnid("n01440764"), Wnid("n02708093"), Wnid("n00004475")]
    path = _scratch() / "index"
    path.write_bytes(data)
    means = Means(
        Reading(FLICKR_DOMAINS, None, Columns()),
        notice=lambda _: None,
        scratch=path.parent,
        threads=1,
        connect=_nowhere,
        agreed=False,
        ask=lambda _: False,
        stop=Stop(),
    )
    source = WholeFile(path, means)
    refusal = ""
    try:
        source.check()
        together = read_whole(source, wanted)
    except SourceFailedError as error:
        refusal = str(error)
    except StartOverError:
        together = None
    if refusal:
        assert refusal.isprintable()
        return
    apart = read_whole(source, wanted, scattered=True)
    assert together is None or together == apart
    assert set(apart[0]) <= set(wanted)


def read_whole(
    source: WholeFile, wanted: list[Wnid], *, scattered: bool = False
) -> tuple[dict[Wnid, Listing], tuple[OddLines, ...]]:
    """The lists of classes in a file, and what was odd of no class; `scattered` holds no class to stand together."""
    source.grouped = source.grouped and not scattered
    found: dict[Wnid, Listing] = {}
    odd: tuple[OddLines, ...] = ()
    for answers in source.lists(wanted):
        found.update(answers.settled)
        odd = answers.read.odd if answers.read is not None else odd
    return found, odd


def _nowhere() -> Client:
    raise AssertionError("a file needs no connection")


def check_classes(data: bytes) -> None:
    """Any input is a list of classes and of what names none."""
    found = read_input(data)
    assert all(is_wnid(request.wnid) for request in found.classes)
    assert len({request.wnid for request in found.classes}) == len(found.classes)


def check_lock(data: bytes) -> None:
    """Any file is a lock whose every URL a list could have given, or is refused, with every wrong line told."""
    path = _scratch() / "lock"
    path.write_bytes(data)
    refusal, classes = "", {}
    try:
        classes = open_lock(path, FLICKR_DOMAINS).classes
    except InputError as error:
        refusal = str(error)
    assert refusal.replace("\n", "").isprintable()
    assert len(refusal) < 200 + 160 * (data.count(b"\n") + 1)
    for cls in classes.values():
        urls = [image.url for image in cls.images]
        assert urls
        assert is_wnid(cls.wnid)
        listed = parse_answer("\n".join(urls).encode(), hosts=FLICKR_DOMAINS)
        assert [found.url for found in listed.candidates] == urls
        assert len({image.sha256 for image in cls.images}) == len(urls)


def check_left_out(data: bytes) -> None:
    """Any file says what is left out, or is refused, with every wrong line told."""
    path = _scratch() / "left-out"
    path.write_bytes(data)
    refusal, found = "", tuple[Withdrawal, ...]()
    try:
        found = read_suppressed(path)
    except InputError as error:
        refusal = str(error)
    assert refusal.replace("\n", "").isprintable()
    assert len(set(found)) == len(found)


def check_lists(data: bytes) -> None:
    """All the readers of lists."""
    check_lock(data)
    check_left_out(data)
    check_answer(data)
    check_index(data)
    check_classes(data)


@cache
def _scratch() -> Path:
    return Path(_FOLDER.name)


_FOLDER: Final = tempfile.TemporaryDirectory(prefix="scraper-fuzz-")


class Answering:
    """A server on loopback that gives the bytes it was told to, whatever was asked, and closes or goes silent."""

    def __init__(self) -> None:
        self.answer = b""
        self.ending = "close"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._held: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.let_go()

    def let_go(self) -> None:
        """Close the connections that were held open."""
        while self._held:
            self._held.pop().close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with suppress(OSError):
                self._talk(connection)
            if self.ending == "hold":
                self._held.append(connection)
            else:
                connection.close()

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(TIMEOUT)
        connection.recv(65536)
        connection.sendall(self.answer)
        if self.ending == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def check_reply(server: Answering, client: Client) -> Reply:
    """Any answer comes back as a reply in time, and gets one verdict."""
    began = time.monotonic()
    reply = client.get("http://static.flickr.com/1/1_a.jpg", max_bytes=LONGEST)
    server.let_go()
    assert time.monotonic() - began < HANGING
    assert len(reply.body) <= LONGEST
    assert reply.retry_after is None or 0.0 <= reply.retry_after <= 366 * 86400.0
    assert (reply.failure is None) == (reply.error is None)
    assert reply.failure is not None or reply.status is not None
    assert isinstance(opts_out(reply.robots), bool)
    verdict = judge(reply, Rules())
    assert isinstance(verdict.outcome, Outcome)
    assert isinstance(glance(reply, Rules()).outcome, Outcome)
    return reply


def network(server: Answering) -> NetworkOptions:
    """Every host leads to the server."""
    rules = parse_connect_to(f"::127.0.0.1:{server.port}")
    return NetworkOptions(timeout=TIMEOUT, connect_to=rules, allow_private=True)


def _response_check() -> Callable[[bytes], None]:
    server = Answering()
    client = Client(network(server), threads=1)

    def check(data: bytes) -> None:
        server.answer = data
        check_reply(server, client)

    return check


CHECKS: Final[dict[str, Callable[[], Callable[[bytes], None]]]] = {
    "judge": lambda: check_picture,
    "lists": lambda: check_lists,
    "response": _response_check,
}

# --- seeds -----------------------------------------------------------------------------------------------------------


def small_pictures() -> list[bytes]:
    """A photograph at 64 x 48 pixels in every format that is kept, in the variants that cameras and editors make."""
    with Image.open(photos.FOLDER / "coffee.jpg") as photo:
        image = photo.convert("RGB").resize((64, 48))
    found: list[bytes] = []
    variants: list[tuple[Image.Image, str, dict[str, Any]]] = [
        (image, "JPEG", {"quality": 60}),
        (image, "JPEG", {"quality": 60, "progressive": True, "comment": b"a comment"}),
        (image.convert("L"), "JPEG", {"restart_marker_rows": 1}),
        (image.convert("CMYK"), "JPEG", {"quality": 60}),
        (image, "PNG", {}),
        (image.convert("RGBA"), "PNG", {}),
        (image.quantize(16), "PNG", {"transparency": 3, "dpi": (72, 72)}),
        (image.convert("I;16"), "PNG", {}),
        (image, "PNG", {"save_all": True, "append_images": [image.rotate(90)]}),
        (image.quantize(16), "GIF", {}),
        (image.quantize(16), "GIF", {"save_all": True, "append_images": [image.rotate(9).quantize(16)], "loop": 0}),
        (image, "WEBP", {"quality": 50}),
        (image.convert("RGBA"), "WEBP", {"lossless": True}),
        (image, "WEBP", {"save_all": True, "append_images": [image.rotate(90)], "exif": b"Exif\0\0MM\0*"}),
    ]
    for variant, form, options in variants:
        out = io.BytesIO()
        variant.save(out, form, **options)
        found.append(out.getvalue())
    return [*found, *odd_pictures()]


def odd_pictures() -> list[bytes]:
    """JPEGs that only a second look takes, and a bomb of each kind."""
    odd = Picture(width=64, height=48, factors=((4, 2), (1, 1), (1, 1)))
    mixed = replace(odd, factors=((2, 2), (2, 1), (1, 2)))
    jpegs = [odd, mixed, replace(odd, interleaved=False), replace(mixed, progressive=True, restart=2)]
    return [*map(encode, jpegs), bombs.notes(2), bombs.chunks(300), bombs.gif_comment(300)]


def pictures() -> list[bytes]:
    """The photographs of the tests, some of the stand-in's bank, and small ones."""
    folder = [path.read_bytes() for path in sorted(photos.FOLDER.glob("*.jpg"))]
    bank = [one.stamped("a seed") for kind in ("jpg", "png", "gif") for one in photos.bank(kind)[:4]]
    odd = [photos.placeholder(), bombs.scans(64, 48, 30), photos.tiny("gif"), photos.tiny("jpg"), photos.HTML, b""]
    return [*small_pictures(), *folder, *bank, *odd]


def lists() -> list[bytes]:
    """Lists as they were served, and index files plain and packed."""
    urls = [
        b"http://farm4.static.flickr.com/3175/2737866473_7958dc8760.jpg",
        b"https://live.staticflickr.com/1/187951525_24b65aca83_m.jpg?v=0",
        b"http://a.example:8080/..%2f..%2fetc/con.jpg",
        b"http://static.flickr.com/1/\xe9t\xc3\xa9 1.jpg",
        b"no url",
        b"",
    ]
    answer = b"\r\n".join(urls)
    names = (b"n00004475", b"n01440764", b"n02708093")
    index = b"".join(b"%s_%d\t%s\n" % (name, rank, url) for name in names for rank, url in enumerate(urls))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("fall11_urls.txt")
        member.size = len(index)
        archive.addfile(member, io.BytesIO(index))
    classes = b'\xef\xbb\xbf# classes\nn01440764\ntench,n01440764\nn02708093\tanalog clock\nn00004475 "an, organism"\n'
    failures = [b"Invalid url!", b"The synset is not ready yet. Please stay tuned!", photos.HTML]
    tar = gzip.decompress(packed.getvalue())
    packings = [gzip.compress(index), packed.getvalue(), tar, bz2.compress(index), lzma.compress(index), zipped(index)]
    return [answer, index, *packings, *other_forms(names, urls), classes, *failures, *locks()]


def locks() -> list[bytes]:
    """A lock of two classes, and lines of what is left out."""
    url = "http://farm4.static.flickr.com/3175/{}_7958dc8760.jpg"
    lines = ["# scraper lock 1", "# class n01440764\ttench\t" + "a" * 64, "# class n02708093\tanalog clock\t-"]
    for wnid, photo in (("n01440764", 11), ("n01440764", 12), ("n02708093", 13)):
        lines.append(f"{wnid}\t{photo}\t{url.format(photo)}\t{photo}\t{photo:064x}\t1000\t500x375")
    left_out = f"# asked\nphoto 2737866473\nsha256 {'b' * 64}\nurl {url.format(14)}\n"
    return ["\n".join([*lines, ""]).encode(), left_out.encode()]


def zipped(data: bytes) -> bytes:
    """A zip with one file, beside what macOS puts there."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._list.txt", b"\0" * 9)
        archive.writestr("list.txt", data)
    return packed.getvalue()


def other_forms(names: Sequence[bytes], urls: Sequence[bytes]) -> list[bytes]:
    """The same whole list as tables and as JSON, and in UTF-16."""
    rows = [(name.decode(), url.decode("latin-1")) for name in names for url in urls]
    table = "wnid,url,title\n" + "".join(f'{name},"{url}","a ""photo"",\nof it"\n' for name, url in rows)
    array = json.dumps([{"wnid": name, "url": url, "width": None} for name, url in rows])
    paths = json.dumps({f"images/{name}/{rank}.jpg": url for rank, (name, url) in enumerate(rows)})
    by_class = json.dumps({name.decode(): [url.decode("latin-1") for url in urls] for name in names})
    index = "".join(f"{name}_1\t{url}\r\n" for name, url in rows)
    return [*(text.encode() for text in (table, array, paths, by_class)), index.encode("utf-16")]


def responses() -> list[bytes]:
    """Answers good and bad."""
    body = small_pictures()[0]
    ok = b"HTTP/1.1 200 OK\r\n"
    return [
        ok + b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(body) + body,
        ok + b"Transfer-Encoding: chunked\r\nX-Robots-Tag: noai, noimageai\r\n\r\n5;a=b\r\nabcde\r\n0\r\nX: y\r\n\r\n",
        ok + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(body),
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/9\r\n\r\nabcde",
        b"HTTP/1.1 302 Found\r\nLocation: ../x y?\xe9#z\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 301\r\nLocation: http://[::1]:0/photo_unavailable.png\r\nConnection: keep-alive\r\n\r\n",
        b"HTTP/1.1 429 Too Many\r\nRetry-After: Thu, 01 Jan 2099 00:01:00 -0000\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 503 x\r\nRetry-After: 0000000000000120\r\n folded: y\r\nno colon\r\n\r\n",
        b"HTTP/2.0 999 \xff\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n",
    ]


SEEDS: Final[dict[str, Callable[[], list[bytes]]]] = {"judge": pictures, "lists": lists, "response": responses}

# --- mutations without a guide ---------------------------------------------------------------------------------------


def mutated(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """The data with a few bytes changed, cut, repeated or taken from another input."""
    new = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        place = rng.randrange(len(new) + 1)
        length = min(rng.choice((1, 1, 2, 4, 64, 1024)), len(new) - place)
        match rng.randrange(6):
            case 0 if place < len(new):
                new[place] ^= 1 << rng.randrange(8)
            case 1 if place < len(new):
                new[place] = rng.choice((0, 1, 0x7F, 0x80, 0xC4, 0xDA, 0xFE, 0xFF))
            case 2:
                del new[place : place + length]
            case 3:
                new[place:place] = new[place : place + length]
            case 4:
                start = rng.randrange(len(other) + 1)
                new[place : place + length] = other[start : start + 64]
            case _:
                new[place : place + length] = rng.randbytes(length)
    return bytes(new[:LONGEST])


def _blind(check: Callable[[bytes], None], seeds: list[bytes], seconds: float, prefix: str) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY * 2**20, MEMORY * 2**20))
    rng = random.Random(time.time_ns())
    ends, count = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        data = seeds[count] if count < len(seeds) else mutated(rng, rng.choice(seeds), rng.choice(seeds))
        count += 1
        try:
            check(data)
        except Exception:  # noqa: BLE001 - any at all is a find
            traceback.print_exc()
            Path(f"{prefix}crash-{hashlib.sha1(data).hexdigest()}").write_bytes(data)  # noqa: S324 - a name
            return 1
    print(f"{count} inputs in {seconds:g} s")
    return 0


# --- the process that may die, and the one that tells ----------------------------------------------------------------

_CHILD: Final = """
import contextlib, sys
guided = contextlib.nullcontext()
try:
    import atheris
except ImportError as error:
    atheris = None
    print(f"atheris cannot be imported ({error}): the mutations are blind", flush=True)
else:
    guided = atheris.instrument_imports(include=["scraper", "PIL", "http.client", "urllib3"])
with guided:
    from tests import fuzz
sys.exit(fuzz.work(atheris, *sys.argv[1:]))
"""


def work(atheris: Any, target: str, seconds: str, *places: str) -> int:
    """Fuzz in this process, until it breaks or the time is over."""
    warnings.filterwarnings("ignore", module="PIL")  # as the command does
    corpus, seeds, prefix = places
    check = CHECKS[target]()
    if atheris is None:
        inputs = [path.read_bytes() for folder in (corpus, seeds) for path in sorted(Path(folder).iterdir())]
        return _blind(check, inputs, float(seconds), prefix)
    options = [
        f"-max_total_time={seconds}",
        f"-rss_limit_mb={MEMORY}",
        f"-max_len={LONGEST}",
        f"-timeout={HANGING:g}",
        f"-artifact_prefix={prefix}",
        "-print_final_stats=1",
    ]
    atheris.Setup([target, *options, corpus, seeds], check)
    atheris.Fuzz()
    return 0


def _write(folder: Path, inputs: Iterable[bytes]) -> None:
    for data in inputs:
        (folder / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def main() -> int:
    """Run a fuzzer in a process of its own, and say what it found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz a part of scraper.")
    parser.add_argument("--target", choices=sorted(CHECKS), required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", type=Path, help="a folder of inputs to begin with, to which new ones are added")
    parser.add_argument("--replay", type=Path, help="check the input in this file, and nothing else")
    given = parser.parse_args()
    if given.replay is not None:
        CHECKS[given.target]()(given.replay.read_bytes())
        return 0
    prefix = f"fuzz-{given.target}-"
    before = set(Path.cwd().glob(f"{prefix}*"))
    with tempfile.TemporaryDirectory(prefix="scraper-fuzz-") as scratch:
        seeds, corpus = Path(scratch, "seeds"), given.corpus or Path(scratch, "corpus")
        seeds.mkdir()
        corpus.mkdir(parents=True, exist_ok=True)
        _write(seeds, SEEDS[given.target]())
        words = [given.target, str(given.seconds), str(corpus), str(seeds), prefix]
        try:
            # Reading the seeds, and the last input, take a while beyond the time.
            limit = given.seconds + 3 * HANGING
            command, surroundings = [sys.executable, "-c", _CHILD, *words], {**os.environ, "TMPDIR": scratch}
            code = subprocess.run(command, check=False, timeout=limit, env=surroundings).returncode
        except subprocess.TimeoutExpired:
            print(f"{given.target}: did not end within {limit:g} s")
            code = 1
    found = sorted(set(Path.cwd().glob(f"{prefix}*")) - before)
    for path in found:
        print(
            f"{given.target}: a failing input is in {path.name}: python -m tests.fuzz --target {given.target} "
            f"--replay {path.name}"
        )
    if not found and code == 0:
        print(f"{given.target}: nothing found in {given.seconds} s")
    return 1 if found or code else 0


if __name__ == "__main__":
    sys.exit(main())
