"""A fetch of pictures that ask for all there is: it judges each, keeps within its memory, and can be stopped."""

from __future__ import annotations

import io
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from PIL import Image

from tests.command import LONGEST, Scraper, check, finish, until
from tests.conftest import CLASSES, CLOCK, TENCH
from tests.pictures import bombs
from tests.standin import Fate, StandIn, World, photos

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.command import Process

MOST_MEMORY: Final = 500 * 1000
"""Kilobytes that a fetch with 32 threads may take, whatever comes."""
SOON: Final = 30.0
"""Seconds: far more than a stop may take, and far less than what it cuts short."""


def picture(form: str, width: int, height: int, **options: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "grey").save(out, form, **options)
    return out.getvalue()


HEAVY: Final[dict[str, tuple[int, str, Callable[[], bytes]]]] = {
    "a scan again and again": (6, "too_large", lambda: bombs.scans(9400, 9400, 12_000)),
    "a WEBP of 88 million pixels": (6, "too_large", lambda: bombs.webp(9400, 9400)),
    "a PNG of notes": (6, "saved", lambda: bombs.notes(64)),
    "a PNG of 49 million pixels": (6, "saved", lambda: bombs.png(7000, 7000)),
    "a WEBP of 12 million pixels": (6, "saved", lambda: picture("WEBP", 4000, 3000, method=0)),
    "a progressive JPEG of 60 million pixels": (
        4,
        "saved",
        lambda: picture("JPEG", 10_000, 6000, progressive=True, quality=20),
    ),
    "a photo with a film behind it": (8, "saved", lambda: photos.photo("1_a.jpg") + bytes(18_000_000)),
}
"""For each kind how many of it are served, what becomes of them, and one of them."""


def peak(process: Process) -> int:
    """The most memory that a process took until it ended, in kilobytes.

    What the system tells of it afterwards is no use: that counts what its parent took when it was started.
    """
    most = 0

    def ended() -> bool:
        nonlocal most
        with suppress(OSError, ValueError, IndexError):
            status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
            most = max(most, int(status.partition("VmHWM:")[2].split()[0]))
        return process.poll() is not None

    until(ended)
    return most


def test_whatever_comes_is_judged_within_the_memory_there_is(tmp_path: Path) -> None:
    world = World.of(9, CLASSES, flickr=50, other=0, mix={Fate.ALIVE: 1})
    heavy = [(kind, expected, body()) for kind, (_, expected, body) in HEAVY.items()]
    urls = iter([url for pair in zip(*map(world.flickr_urls, (TENCH, CLOCK)), strict=True) for url in pair])
    expected = {}
    for kind, outcome, body in heavy:
        for number in range(HEAVY[kind][0]):
            url = next(urls)
            world.put(url, body + f"{kind} {number}".encode())  # behind its end, so that each is another file
            expected[url] = outcome
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "40", "--oversample", "1.25")
        process = scraper.start_anew("fetch", "--threads", "32")
        memory = peak(process)
        assert finish(process).code == 0
    found = dict(scraper.rows("SELECT url, outcome FROM candidates WHERE outcome IS NOT NULL"))
    assert {url: found.get(url) for url in expected} == expected
    assert sum(outcome == "saved" for url, outcome in found.items() if url not in expected) >= 30
    errors = scraper.rows("SELECT DISTINCT error FROM attempts WHERE outcome = 'too_large' ORDER BY error")
    assert errors == [
        ("9400 x 9400 pixels in more scans than a photo has: too much work to decode",),
        ("9400 x 9400 pixels, which take 1348 MiB to decode",),
    ]
    check(scraper)

    assert 0 < memory < MOST_MEMORY


@pytest.mark.parametrize("signals", [(signal.SIGINT,), (signal.SIGTERM, signal.SIGTERM)])
def test_a_fetch_that_only_decodes_can_be_stopped(tmp_path: Path, signals: tuple[signal.Signals, ...]) -> None:
    world = World.of(9, CLASSES, flickr=50, other=0, mix={Fate.ALIVE: 1})
    body = picture("JPEG", 9000, 6500, progressive=True, quality=20)
    for number, url in enumerate(world.urls()):
        world.put(url, body + str(number).encode())
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", TENCH, CLOCK, "-n", "40")
        process = scraper.start("fetch", "--threads", "32")
        scraper.wait("SELECT count(*) FROM attempts", 1, process)
        began = time.monotonic()
        for number in signals:
            process.send_signal(number)
            time.sleep(0.1)
        _, err = process.communicate(timeout=LONGEST)
        assert time.monotonic() - began < SOON
    assert (process.returncode, "Traceback" in err) == (130, False), err
    assert scraper.rows("SELECT exit_code FROM runs ORDER BY id DESC LIMIT 1") == [(130,)]
    assert scraper.one("SELECT count(*) FROM candidates WHERE state = 'lost'") == 0
    check(scraper)
