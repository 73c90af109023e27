"""Lists made to do harm: names that lead elsewhere, folders that are links, and more rubbish than memory holds."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
import sysconfig
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pytest

from tests.command import LONGEST, Scraper, check
from tests.standin import Fate, StandIn, World, photos

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.standin import Request, Wire

TENCH: Final = "n01440764"
HOST: Final = "odd.example.com"
BASE: Final = f"http://{HOST}/"
HOSTS: Final = ("--hosts", "example.com")
PHOTO: Final = "http://static.flickr.com/1/2_ab.jpg"
MEMORY: Final = 220_000 if sysconfig.get_config_var("Py_GIL_DISABLED") else 150_000
"""Kilobytes that a command may come to use, the interpreter and its libraries included."""
LEAN: Final = MEMORY - 62_000
"""What such a process takes that keeps none of half a million lines: those alone would take some 40 MB more."""
RESERVED: Final = {"con", "prn", "aux", "nul"} | {f"{word}{n}" for word in ("com", "lpt") for n in range(10)}

NAMES: Final = (
    # ways up and out
    "..",
    "../../../../../../etc/passwd",
    "a/../../b.jpg",
    "%2e%2e",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%2f..%2f..%2fetc%2fpasswd.jpg",
    "%2fetc%2fpasswd",
    "..%5c..%5cwindows.jpg",
    "..\\..\\windows.jpg",
    "c:\\windows\\x.jpg",
    "%252e%252e%252f.jpg",
    "....//....//x.jpg",
    ".",
    "./",
    "",
    "/",
    "//",
    # bytes that are no names
    "nul%00.jpg",
    "%00",
    "%0a%0d.jpg",
    "%1b%5b2J.jpg",
    "%7f.jpg",
    "%ff%fe.jpg",
    "\u202egpj.exe",
    "caf\u00e9.jpg",
    "cafe\u0301.jpg",
    "\U0001f41f.jpg",
    "a b  c.jpg",
    "  ",
    "%20.jpg",
    "quo'te\"d.jpg",
    "$(touch pwned).jpg",
    "`touch pwned`;.jpg",
    "a|b&c>d<e.jpg",
    "*?.jpg",
    "~root.jpg",
    # dashes and dots at either end
    "-rf.jpg",
    "--help",
    "-",
    ".hidden.jpg",
    "..hidden.jpg",
    ".partial",
    "dots....",
    "dot.",
    "space%20",
    # as good as the same
    "photo.jpg",
    "PHOTO.JPG",
    "Photo.jpg",
    "photo.jpg?v=0",
    "photo.jpg?v=1",
    "photo.jpg#x",
    "other/photo.jpg",
    "other/PHOTO.jpg",
    "%70hoto.jpg",
    # names Windows keeps
    *(
        f"{name}{end}"
        for name in ("con", "CON", "prn", "aux", "nul", "com1", "LPT9")
        for end in ("", ".jpg", ".tar.gz")
    ),
    "con .jpg",
    "com%C2%B9.jpg",
    # length
    "x" * 119,
    "x" * 120,
    "x" * 121,
    "X" * 121,
    "x" * 255 + ".jpg",
    "x" * 5000 + ".jpg",
    "x." + "y" * 300,
    "\u00e9" * 200 + ".jpg",
    "%41" * 500,
    # queries and fragments
    "?../../etc/passwd",
    "#../../etc/passwd",
    "photo.php?name=../../x.jpg",
)
REFUSED: Final = ("x" * 10_000 + ".jpg", "bell\x07.jpg", "nul\0.jpg", "del\x7f.jpg", "esc\x1b[2J.jpg")
"""Not even candidates: too long, or with control characters as they are."""


SERVED: Final[dict[str, str]] = {}
"""What each path of the odd host gave: its digest."""


async def stamped(request: Request, wire: Wire) -> None:
    """A photo of its own for each path."""
    body = photos.photo(hashlib.sha256(request.path.encode()).hexdigest()[:20])
    SERVED[request.path] = hashlib.sha256(body).hexdigest()
    wire.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@pytest.fixture(scope="module")
def standin() -> Iterator[StandIn]:
    world = World.of(3, [(TENCH, "tench")], flickr=5, other=0, mix={Fate.ALIVE: 1})
    with StandIn(world) as running:
        running.script(HOST, "*", stamped)
        yield running


def listed(folder: Path, urls: Iterable[str]) -> None:
    """Write a folder of one list."""
    (folder / "lists").mkdir()
    (folder / "lists" / f"{TENCH}.txt").write_text("\n".join(urls) + "\n", encoding="utf-8", newline="")


@pytest.mark.parametrize("shuffle", [(), ("--shuffle", "1")])
def test_odd_names_stay_in_their_folder(standin: StandIn, tmp_path: Path, shuffle: tuple[str, ...]) -> None:
    home = tmp_path / "deep" / "deeper" / "home"
    home.mkdir(parents=True)
    listed(home, [BASE + name for name in (*NAMES, *REFUSED)])
    scraper = Scraper(home, standin)
    scraper.done("plan", TENCH, "-n", "1000", "--source", "lists", *HOSTS, *shuffle)
    before = {path for path in tmp_path.rglob("*") if home not in path.parents}
    scraper.done("fetch")
    check(scraper)
    urls = [url for (url,) in scraper.rows("SELECT url FROM candidates")]
    # Only an end of spaces is cut from a line, as they are no part of a URL.
    assert set(urls) == {(BASE + name).rstrip() for name in NAMES}
    assert scraper.one("SELECT count(*) FROM candidates WHERE outcome NOT IN ('saved', 'duplicate')") == 0
    assert scraper.one("SELECT count(*) FROM images") > len(NAMES) * 0.8
    assert {path for path in tmp_path.rglob("*") if home not in path.parents} == before
    assert {path.name for path in home.iterdir()} == {"lists", "manifests", "images"}
    assert [path.name for path in (home / "images").iterdir()] == [TENCH]
    names = [path.name for path in (home / "images" / TENCH).iterdir()]
    assert len({name.lower() for name in names}) == len(names)
    for name in names:
        assert name.isascii()
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"), name
        assert not name.startswith((".", "-")), name
        assert not name.endswith("."), name
        assert len(name) <= 120, name
        assert name.split(".")[0].lower() not in RESERVED, name
    rows = scraper.rows("SELECT final_url, images.sha256 FROM attempts JOIN images USING (candidate_id)")
    assert [url for url, sha256 in rows if SERVED[url.removeprefix(BASE[:-1])] != sha256] == []


def test_names_are_the_same_in_every_run(standin: StandIn, tmp_path: Path) -> None:
    found = []
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        listed(tmp_path / run, [BASE + name for name in NAMES])
        scraper = Scraper(tmp_path / run, standin)
        scraper.done("plan", TENCH, "-n", "1000", "--source", "lists", *HOSTS)
        scraper.done("fetch", "--threads", "1" if run == "one" else "32")
        duplicates = {url for (url,) in scraper.rows("SELECT url FROM candidates WHERE outcome = 'duplicate'")}
        found.append((dict(scraper.rows("SELECT url, path FROM images")), duplicates))
    (first, _), (second, _) = found
    common = first.keys() & second.keys()
    assert len(common) > len(NAMES) * 0.8
    assert {url: first[url] for url in common} == {url: second[url] for url in common}


def test_hosts_that_only_look_like_flickr_are_no_candidates(tmp_path: Path) -> None:
    wanted = [
        "http://flickr.com/1_a.jpg",
        "http://FARM1.static.FLICKR.com/2_b.jpg",
        "http://x.flickr.com:80/3_c.jpg",
        "http://x.flickr.com/4_d.jpg",
    ]
    others = [
        "http://notflickr.com/a.jpg",
        "http://flickr.com.evil.com/a.jpg",
        "http://evil.com/flickr.com/a.jpg",
        "http://evil.com?flickr.com",
        "http://evil.com#.flickr.com/",
        "http://evil.com\\.flickr.com/a.jpg",
        "http://flickr.com@evil.com/a.jpg",
        "http://flickr.com:80@evil.com/a.jpg",
        "http://evil.com\\@flickr.com.evil.com/a.jpg",
        "http://[::1]/flickr.com.jpg",
        "ftp://x.flickr.com/a.jpg",
        "file:///x.flickr.com/a.jpg",
        "//x.flickr.com/a.jpg",
        "/x.flickr.com/1_a.jpg",
        "javascript://x.flickr.com/%0aalert(1)",
        "http://xflickr.com/",
        "http://fl\u0131ckr.com/a.jpg",
        "http:// x.flickr.com/a.jpg",
    ]
    listed(tmp_path, [*wanted[:3], wanted[3].removeprefix("http:"), *others])
    scraper = Scraper(tmp_path)
    scraper.done("plan", TENCH, "--source", "lists", code=0)
    assert {url for (url,) in scraper.rows("SELECT url FROM candidates")} == set(wanted)


def test_a_list_that_foresees_our_digests(standin: StandIn, tmp_path: Path) -> None:
    second = BASE + "b/photo.jpg"
    foreseen = f"photo-{hashlib.sha256(second.encode()).hexdigest()[:10]}.jpg"
    listed(tmp_path, [BASE + foreseen, BASE + "a/photo.jpg", second])
    scraper = Scraper(tmp_path, standin)
    scraper.done("plan", TENCH, "--source", "lists", *HOSTS)
    scraper.done("fetch", "--threads", "1")
    assert scraper.one("SELECT count(DISTINCT lower(path)) FROM images") == 3
    check(scraper)


# --- links in the output folder --------------------------------------------------------------------------------------


def test_a_link_in_place_of_a_class_folder_is_refused(standin: StandIn, tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_text("mine", encoding="utf-8")
    scraper = Scraper(home, standin)
    scraper.done("plan", TENCH, "-n", "3")
    (home / "images").mkdir()
    (home / "images" / TENCH).symlink_to(elsewhere)
    result = scraper.run("fetch")
    assert result.code in (2, 4)
    assert len(result.err.strip().splitlines()) == 1, result.err
    assert [path.name for path in elsewhere.iterdir()] == ["mine.txt"]
    assert scraper.one("SELECT count(*) FROM images") == 0
    (home / "images" / TENCH).unlink()
    scraper.done("fetch")
    check(scraper)
    assert scraper.one("SELECT count(*) FROM images") == 3


def test_a_link_in_place_of_the_owners_temporary_folder_is_refused(standin: StandIn, tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_text("mine", encoding="utf-8")
    scraper = Scraper(home, standin)
    scraper.done("plan", TENCH, "-n", "3")
    partial = home / "images" / ".partial"
    partial.mkdir(parents=True)
    process = scraper.start("fetch")  # to learn the owner's name
    owner = ""
    while process.poll() is None:
        with suppress(FileNotFoundError):
            owner = next((path.name for path in partial.iterdir()), owner)
    process.communicate()
    assert owner
    partial.mkdir(exist_ok=True)
    (partial / owner).symlink_to(elsewhere)
    scraper.done("plan", TENCH, "-n", "5")
    result = scraper.run("fetch")
    assert result.code in (2, 4)
    assert len(result.err.strip().splitlines()) == 1, result.err
    assert [path.name for path in elsewhere.iterdir()] == ["mine.txt"]


def test_a_link_in_place_of_an_image_is_neither_followed_nor_replaced(standin: StandIn, tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere.txt"
    home.mkdir()
    elsewhere.write_text("mine", encoding="utf-8")
    listed(home, [BASE + "photo.jpg", BASE + "other.jpg"])
    scraper = Scraper(home, standin)
    scraper.done("plan", TENCH, "--source", "lists", *HOSTS)
    (home / "images" / TENCH).mkdir(parents=True)
    (home / "images" / TENCH / "photo.jpg").symlink_to(elsewhere)
    scraper.done("fetch")
    check(scraper, others={f"{TENCH}/photo.jpg"})
    # and one that comes later counts as damage, whatever it points to
    (other,) = (home / "images" / TENCH).glob("other.jpg")
    other.unlink()
    other.symlink_to(elsewhere)
    scraper.done("verify", code=1)
    scraper.done("verify", "--repair")
    scraper.done("fetch")
    check(scraper, others={f"{TENCH}/photo.jpg", f"{TENCH}/other.jpg"})
    assert elsewhere.read_text(encoding="utf-8") == "mine"
    assert other.is_symlink()
    assert scraper.done("verify", "--remove-strays", code=1).out.count("photo.jpg") == 1  # a link is not removed
    assert (home / "images" / TENCH / "photo.jpg").is_symlink()


def test_verify_removes_nothing_behind_a_link(standin: StandIn, tmp_path: Path) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_text("mine", encoding="utf-8")
    listed(home, [BASE + "photo.jpg", "http://nobody.example.com/gone.jpg"])
    scraper = Scraper(home, standin)
    scraper.done("plan", TENCH, "--source", "lists", *HOSTS)
    scraper.done("fetch")
    (home / "images" / TENCH).rename(home / "images" / "moved")
    (home / "images" / TENCH).symlink_to(elsewhere)
    scraper.done("verify", code=1)
    for words in (("--repair",), ("--repair", "--missing-anyway"), ("--remove-strays",)):
        result = scraper.run("verify", *words)
        assert result.code in (0, 2), result
    assert [path.name for path in elsewhere.iterdir()] == ["mine.txt"]


# --- more than memory holds ------------------------------------------------------------------------------------------

MEASURED: Final = """
import json, re, sys, time
from pathlib import Path
from scraper.cli.main import main
code = main(json.loads(sys.argv[1]))
# Not ru_maxrss, which begins with what the process that started this one used.
kilobytes = re.search(r"VmHWM:\\s*([0-9]+)", Path("/proc/self/status").read_text())[1]
print("USED", kilobytes, time.process_time(), flush=True)
sys.exit(code)
"""


def measured(scraper: Scraper, *words: str, stdin: bytes = b"") -> tuple[int, int, float, str]:
    """Exit code, kilobytes at most, seconds of the processor and messages of a command."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, json.dumps(words)],
        cwd=scraper.folder,
        env=scraper.environment(),
        input=stdin,
        capture_output=True,
        timeout=LONGEST,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr[-2000:]
    kilobytes, seconds = done.stdout.rpartition(b"USED ")[2].split()
    return done.returncode, int(kilobytes), float(seconds), done.stderr.decode()


RUBBISH: Final = (
    "",
    "# nothing",
    "not a url at all",
    "http://",
    "http://[::1",
    "http://\x00",
    "n01440764_1",
    "\u00ff\u00fe",
)
HEAD: Final = b"".join(b"n00000000_%d\thttp://a.example/%d.jpg\n" % (n, n) for n in range(100))
"""By which a list is known to be one."""


def test_an_index_of_half_a_million_malformed_lines_costs_counts(scraper: Scraper) -> None:
    block = "".join(f"{line} {number}\r\n" for number in range(1000) for line in RUBBISH).encode()
    good = f"{TENCH}_1\t{PHOTO}\n".encode()
    with gzip.open(scraper.folder / "index.gz", "wb", compresslevel=1) as file:
        file.write(HEAD)
        for _ in range(63):
            file.write(block)
        file.write(good)
    code, kilobytes, _, _ = measured(scraper, "plan", TENCH, "--source", "index.gz")
    assert code == 0
    assert kilobytes < LEAN
    assert scraper.one("SELECT candidates FROM classes") == 1


def test_a_class_of_half_a_million_malformed_lines_costs_counts(scraper: Scraper) -> None:
    with (scraper.folder / "index.txt").open("wb") as file:
        file.write(HEAD)
        for number in range(500):
            file.write(b"".join(b"%s_%d\tgarbage %d\n" % (TENCH.encode(), n, number) for n in range(1000)))
        file.write(f"{TENCH}_1\t{PHOTO}\n".encode())
    code, kilobytes, _, _ = measured(scraper, "plan", TENCH, "--source", "index.txt")
    assert code == 0
    assert kilobytes < LEAN
    assert scraper.rows("SELECT listed, candidates, malformed FROM classes") == [(1, 1, 500_000)]


def test_an_index_whose_classes_alternate_costs_no_more(scraper: Scraper) -> None:
    with (scraper.folder / "index.txt").open("wb") as file:
        file.write(HEAD)
        for number in range(200):
            file.write(b"".join(b"n%08d_%d\tgarbage\n" % (n, number) for n in range(1000)))
        file.write(f"{TENCH}_1\t{PHOTO}\n".encode())
    wnids = [f"n{n:08d}" for n in range(1000)]
    code, kilobytes, _, _ = measured(scraper, "plan", TENCH, *wnids, "--source", "index.txt")
    assert code in (0, 1)
    assert kilobytes < LEAN


def test_a_quarter_of_a_million_bad_lines_on_standard_input_are_all_listed(scraper: Scraper) -> None:
    times = []
    for count in (25_000, 250_000):
        stdin = b"".join(b"no class %d at all\n" % number for number in range(count))
        code, kilobytes, seconds, said = measured(scraper, "plan", stdin=stdin)
        assert code == 2
        assert kilobytes < 3 * MEMORY
        lines = said.splitlines()
        assert len(lines) == count + 1
        assert f"line {count}:" in lines[-1]
        assert max(map(len, lines)) < 200
        times.append(seconds)
    assert not scraper.manifest.exists()
    assert times[1] < 40 * times[0]  # ten times the lines; a quadratic reader takes a hundred times as long


def test_a_list_line_of_50_megabytes(scraper: Scraper) -> None:
    (scraper.folder / "lists").mkdir()
    (scraper.folder / "lists" / f"{TENCH}.txt").write_bytes(f"{PHOTO}\n".encode() + b"x" * 50_000_000)
    code, kilobytes, _, _ = measured(scraper, "plan", TENCH, "--source", "lists")
    assert code == 0
    assert kilobytes < MEMORY * 2
