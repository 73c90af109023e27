"""What people get wrong: each a clear line, the right exit code, and nothing changed."""

from __future__ import annotations

import gzip
import re
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.conftest import CLOCK, TENCH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.command import Scraper


def refused(scraper: Scraper, code: int, commands: Mapping[str, str]) -> None:
    """Run commands, each of which must be refused with what it maps to, and must leave the folder as it is."""
    before = scraper.snapshot()
    results = scraper.all(*(tuple(words.split()) for words in commands))
    wrong = {
        words: result
        for (words, says), result in zip(commands.items(), results, strict=True)
        if (result.code, result.out, result.err.count("\n")) != (code, "", 1)
        or not re.match(f"scraper: error: .*({says})", result.err)
    }
    assert wrong == {}
    assert scraper.snapshot() == before


FLAGS = {
    # Flags that are not there: Fire alone would do all the work first.
    "fetch --thread 32": "unknown flag --thread .did you mean --threads",
    "fetch --Threads 3": "unknown flag --Threads",
    "fetch -x": "unknown flag -x",
    "report --n 3": "unknown flag --n",
    "fetch -n10": "unknown flag -n",
    "plan n01440764 --thread=3": "unknown flag --thread",
    # Values
    "plan n01440764 -n x": "-n must be a whole number, not 'x'",
    "plan n01440764 -n 0": "-n must be from 1 to 1000000, not 0",
    "plan n01440764 -n -3": "-n must be from 1 to 1000000, not -3",
    "plan n01440764 -n 1e3": "-n must be a whole number, not '1e3'",
    "plan n01440764 -n 1,33": "-n must be a whole number, not '1,33'",
    "plan n01440764 -n None": "-n must be a whole number, not 'None'",
    "plan n01440764 -n True": "-n must be a whole number, not 'True'",
    "plan n01440764 --source True": "--source True: no such file or folder",
    "fetch --threads False": "--threads must be a whole number, not 'False'",
    "plan n01440764 -n 2.0": "-n must be a whole number, not '2.0'",
    "plan n01440764 --oversample 0.5": "--oversample must be 1 to 1000, not 0.5",
    "plan n01440764 --oversample 1,33": "--oversample must be a number such as 1.5, not '1,33'",
    "plan n01440764 --oversample nan": "--oversample must be a number",
    "plan n01440764 --threads 0": "--threads must be from 1",
    "plan n01440764 --hosts ,": "--hosts names no host",
    "plan n01440764 --hosts http://flickr.com": "--hosts has .* which is not a domain",
    "fetch --threads 0": "--threads must be from 1",
    "fetch --threads None": "--threads must be a whole number, not 'None'",
    "fetch --threads [1]": "--threads must be a whole number",
    "fetch --retries 0": "--retries must be from 1",
    "fetch --timeout 0": "--timeout must be in seconds, above 0 and up to 3600, not 0",
    "fetch --timeout soon": "--timeout must be a number",
    "fetch --max-bytes lots": "--max-bytes must be a size such as 20MB",
    "fetch --rate 0": "--rate must be in requests a second, above 0",
    "fetch --top-up=maybe": "--top-up is True or False, not 'maybe'",
    "report --format yaml": "--format must be one of text, json, csv, html, methods, not 'yaml'",
    "report --output /proc/no/such/file": "cannot write to /proc/no/such/file",
    "report --output lists": "cannot write to lists",
    # Flags without their value, or twice
    "fetch --manifest": "--manifest needs a value",
    "fetch --manifest --threads 3": "--manifest needs a value",
    "fetch --manifest=": "--manifest needs a value",
    "fetch --threads": "--threads needs a value",
    "fetch --threads 3 --threads 4": "--threads is given twice",
    # Words that Fire would take for something else
    "fetch -- --interactive": "unexpected argument '--'",
    "fetch -": "unexpected argument '-'",
    "plan n01440764 -- --trace": "unexpected argument '--'",
    "fetch __class__": "unexpected argument '__class__'",
    "fetch run": "unexpected argument 'run'",
    "report json": "report takes a class; its form is said by --format json",
    # What was called otherwise once
    "fetch --verify header": "unknown flag --verify, which is --check now: --check decode.header",
    "fetch --verify=decode": "unknown flag --verify, which is --check now",
    "fetch --repair live": "unknown flag --repair, which is --second-try now: --second-try live",
    # Commands
    "fetsch": "unknown command 'fetsch'",
    "Plan n01440764": "unknown command 'Plan'",
    "--manifest x.db fetch": "unknown command '--manifest'",
    "__class__": "unknown command '__class__'",
    # Where to connect, and whom to trust
    "fetch --connect-to here": "--connect-to 'here' is not HOST1:PORT1:HOST2:PORT2",
    "fetch --connect-to a:b:c:d": "--connect-to 'a:b:c:d' is not HOST1:PORT1:HOST2:PORT2",
    "fetch --connect-to :80:127.0.0.1:99999": "a port is 1 to 65535",
    "plan n01440764 --connect-to ::::": "is not HOST1:PORT1:HOST2:PORT2",
    "plan n01440764 --connect-to ::nowhere.example/:80": "'nowhere.example/' is neither a host's name nor an address",
    "fetch --connect-to [::1:80:127.0.0.1:80": "is not HOST1:PORT1:HOST2:PORT2",
    "fetch --connect-to :80:[::g]:80": r"'\[::g\]' is neither a host's name nor an address",
    "fetch --proxy ftp://proxy.example": "--proxy must be the address of an HTTP proxy",
    "fetch --proxy socks5://127.0.0.1:1080": "--proxy names a SOCKS proxy, which cannot be used here",
    "fetch --proxy http://": "--proxy names no host",
    "fetch --proxy proxy.example:99999": "--proxy has a port that is none: a port is 1 to 65535",
    "fetch --proxy http://me:s3/cr3t@proxy.example": "--proxy has a / .* write these as %2F",
}
# These are found out later, with the manifest in hand, so one at a time.
INPUTS = {
    "fetch --ca-certs no.pem": "--ca-certs no.pem: no such file",
    "fetch --ca-certs lists": "--ca-certs lists: no such file",
    "fetch --ca-certs garbage.pem": "--ca-certs garbage.pem: no certificate in PEM format in it",
    "plan n02123045 --ca-certs garbage.pem": "--ca-certs garbage.pem: no certificate in PEM format in it",
    # Sources
    "plan n02123045 --source nowhere": "--source nowhere: no such file or folder",
    "plan n02123045 --source https://www.image-net.org/list": r"must have \{wnid\}",
    "plan n02123045 --source ftp://example.org/{wnid}": "only http and https",
    "plan n02123045 --source images": "no list in this folder",
    "plan n02123045 --source garbage.gz": "--source garbage.gz: cannot be read",
    "plan n02123045 --source half.gz": "cannot read the source half.gz: Compressed file ended",
    # Output folders
    "fetch --manifest fresh.db --out garbage.pem": "cannot write to the output folder garbage.pem",
    "fetch --manifest fresh.db --out garbage.pem/images": "cannot write to the output folder garbage.pem/images",
    "fetch --manifest fresh.db --out /proc/images": "cannot write to the output folder /proc/images",
}


@pytest.fixture(scope="module")
def planned(filled: Scraper, tmp_path_factory: pytest.TempPathFactory) -> Scraper:
    """A filled folder with some garbage in it; every test leaves it as it is, and sees to that."""
    folder = tmp_path_factory.mktemp("bad") / "input"
    shutil.copytree(filled.folder, folder)
    scraper = type(filled)(folder)
    scraper.done("plan", TENCH, "--source", "lists", "--manifest", "fresh.db")
    (folder / "garbage.pem").write_text("not a certificate\n", encoding="utf-8")
    (folder / "garbage.gz").write_bytes(b"\x1f\x8b" + b"garbage" * 100)
    lines = (b"n00001740_%d\thttp://static.flickr.com/1/%d_%x.jpg\n" % (i, i * i, i**5) for i in range(100_000))
    whole = gzip.compress(b"".join(lines))
    (folder / "half.gz").write_bytes(whole[: len(whole) // 2])
    return scraper


def test_flags_and_words(planned: Scraper) -> None:
    refused(planned, 2, FLAGS)


@pytest.mark.parametrize("words", INPUTS)
def test_inputs(planned: Scraper, words: str) -> None:
    refused(planned, 2, {words: INPUTS[words]})


def test_no_classes(planned: Scraper) -> None:
    before = planned.snapshot()
    for stdin in (b"", b"\n# nothing\r\n\n"):
        result = planned.done("plan", "--source", "lists", stdin=stdin, code=2)
        assert "no class was given" in result.err
        assert result.err.count("\n") == 1
    assert planned.snapshot() == before


def test_bad_classes_are_all_named_with_their_lines(planned: Scraper) -> None:
    stdin = b"tench,n01440764\nx02708093\n\nn123\nn01440764 n02708093\ntabbie\n\xff\xfe\n"
    before = planned.snapshot()
    result = planned.done("plan", "--source", "lists", stdin=stdin, code=2)
    assert planned.snapshot() == before
    found = re.findall(r"line (\d+): (.*)", result.err)
    assert [number for number, _ in found] == ["2", "4", "5", "6", "7"]
    said = [text.partition(": no class has this name")[0] for _, text in found[:4]]
    assert said == ["x02708093", "n123", "n01440764 n02708093", "tabbie"]
    assert result.err.startswith("scraper: error: 5 of the classes cannot be taken, and nothing was changed:")


def test_bad_classes_as_arguments(planned: Scraper) -> None:
    words = ("None", "__init__", "tnech", "n0144076", "[n01440764]", "n01440764,n02708093", "3")
    before = planned.snapshot()
    result = planned.done("plan", TENCH, *words, "--source", "lists", code=2)
    told = re.findall(r"^  (.*): no class has this name", result.err, re.MULTILINE)
    assert told == list(words)
    assert "near: tench (n01440764)" in result.err
    assert "line" not in result.err
    assert planned.snapshot() == before


def test_a_class_that_is_none_and_a_list_that_is_no_class(planned: Scraper) -> None:
    lists = "lists/mine.txt"
    (planned.folder / lists).write_text(f"{TENCH}\n", encoding="ascii")
    says = {
        "plan tnech": r"tnech: no class has this name; near: tench \(n01440764\)",
        f"plan {lists}": f"{lists} is a file, not a class: pipe it in, `scraper plan < {lists}`",
    }
    refused(planned, 2, says)
    (planned.folder / lists).unlink()


def test_nothing_is_made_by_a_command_that_is_refused(scraper: Scraper) -> None:
    for words in (("plan", "crane"), ("plan", TENCH, "-n", "0"), ("plan", TENCH, "--source", "nowhere")):
        assert scraper.run(*words).code == 2
    assert scraper.snapshot() == {}


def test_fetch_and_report_before_plan(scraper: Scraper) -> None:
    says = "there is no manifest at .*: run `scraper plan` first"
    refused(scraper, 3, dict.fromkeys(("fetch", "report", "fetch --manifest other/place.db"), says))


# --- manifests that cannot be used -----------------------------------------------------------------------------------


def sql(path: Path, *statements: str) -> None:
    """Change a database as another program might."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        for statement in statements:
            database.execute(statement)
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def a_text_file(path: Path) -> None:
    path.write_text("n01440764\n" * 100, encoding="utf-8")


def an_empty_file(path: Path) -> None:
    path.write_bytes(b"")


def another_database(path: Path) -> None:
    path.unlink()
    sql(path, "CREATE TABLE classes (wnid TEXT PRIMARY KEY)", "INSERT INTO classes VALUES ('n01440764')")


def a_trigger(path: Path) -> None:
    sql(path, "CREATE TRIGGER sly AFTER UPDATE ON candidate BEGIN UPDATE candidate SET url = 'http://evil/'; END")


def a_changed_view(path: Path) -> None:
    sql(path, "DROP VIEW shortfall", "CREATE VIEW shortfall AS SELECT * FROM classes")


def a_lost_table(path: Path) -> None:
    sql(path, "DROP TABLE statuses")


def newer(path: Path) -> None:
    sql(path, "PRAGMA user_version = 99")


def overwritten(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[4096 : len(body) - 4096] = b"\xa5" * (len(body) - 8192)
    path.write_bytes(body)


def overwritten_head(path: Path) -> None:
    path.write_bytes(b"\0" * 100 + path.read_bytes()[100:])


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 // 4096 * 4096])


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (a_text_file, "not a"),
        (another_database, "is not a scraper manifest"),
        (a_trigger, "has a trigger .sly."),
        (a_changed_view, "a table or view was changed"),
        (a_lost_table, "a table or view was changed"),
        (newer, "newer scraper"),
        (overwritten, ""),
        (overwritten_head, "not a"),
        (truncated, ""),
        (a_folder, ""),
    ],
)
def test_manifests_that_cannot_be_used(copied: Scraper, damage: Callable[[Path], None], says: str) -> None:
    damage(copied.manifest)
    says = f"manifests/scraper.db.*{says}|{says}.*manifests/scraper.db"
    refused(copied, 3, dict.fromkeys((f"plan {CLOCK} --source lists", "fetch", "report"), says))


def test_an_empty_file_is_no_manifest_yet_but_may_become_one(copied: Scraper) -> None:
    # It is what a plan leaves that was killed while it made its manifest.
    an_empty_file(copied.manifest)
    refused(copied, 3, dict.fromkeys(("fetch", "report"), "is not a scraper manifest"))
    copied.done("plan", CLOCK, "--source", "lists")


def test_places_where_no_manifest_can_be(planned: Scraper) -> None:
    places = ("lists/n01440764.txt/scraper.db", "/proc/scraper.db", "/proc/new/scraper.db")
    plan = f"plan {TENCH} --source lists --manifest"
    refused(planned, 3, {f"{plan} {place}": place.rpartition("/")[0] for place in places})


def test_a_fetch_away_from_its_images(copied: Scraper) -> None:
    shutil.move(copied.images, copied.folder / "elsewhere")
    (copied.folder / "images").mkdir()
    refused(copied, 2, {"fetch": "none of the [0-9]+ images of this manifest are in images: give the --out"})
