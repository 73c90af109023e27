"""The forms of lists that people have, in files and folders, packed and not: all say the same, or are refused."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from typing import TYPE_CHECKING, Final

import pytest

from tests.conftest import CLOCK, TENCH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.command import Scraper

GULL: Final = "n02041246"
ROWS: Final = [
    (TENCH, 3, "http://farm1.static.flickr.com/45/139488995_bd06578562.jpg"),
    (TENCH, 17, "http://www.example.com/a,b/tench.jpg"),
    (TENCH, 20, "https://farm4.staticflickr.com/3175/2737866473_7958dc8760_o.png"),
    (GULL, 1, "http://static.flickr.com/224/481278953_707ba30c0b.jpg"),
    (CLOCK, 5, "http://photos1.flickr.com/7086775_d164ac95db.jpg?v=0"),
    (CLOCK, 8, "http://farm3.static.flickr.com/2287/2044469143_47990ff6ac_m.jpg"),
]
WANTED: Final = [(wnid, url) for wnid, _, url in ROWS if wnid in (TENCH, CLOCK) and "flickr" in url]


def lines(form: Callable[[str, int, str], str], *, head: str = "") -> bytes:
    return (head + "".join(form(*row) + "\n" for row in ROWS)).encode()


def table(separator: str, *, head: bool, quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator="\r\n")  # type: ignore[arg-type]
    if head:
        writer.writerow(["id", "wnid", "name, of class", "url"])
    writer.writerows([at, wnid, 'a "fish"', url] for at, (wnid, _, url) in enumerate(ROWS))
    return out.getvalue().encode()


FORMS: Final[Mapping[str, bytes]] = {
    "index": lines(lambda wnid, number, url: f"{wnid}_{number}\t{url}"),
    "index by spaces": lines(lambda wnid, number, url: f"{wnid}_{number}  {url}"),
    "index with CRLF": lines(lambda wnid, number, url: f"{wnid}_{number}\t{url}\r"),
    "index with labels by tabs": lines(lambda wnid, number, url: f"{wnid}_{number}\t{url}\t2964:1\t2944:0.9"),
    "index with labels by spaces": lines(lambda wnid, number, url: f"{wnid}_{number}  {url} 2964:1  2944:1"),
    "index without numbers": lines(lambda wnid, _, url: f"{wnid}\t{url}"),
    "index without schemes": lines(lambda wnid, number, url: f"{wnid}_{number}\t{url.partition('//')[2]}"),
    "id,url": lines(lambda wnid, number, url: f'{wnid}_{number},"{url}"'),
    "url,wnid": lines(lambda wnid, _, url: f'"{url}",{wnid}'),
    "url wnid": lines(lambda wnid, _, url: f"{url} {wnid} some words"),
    "capitals": lines(lambda wnid, number, url: f"{wnid.upper()}_{number}\t{url}"),
    "CSV": table(",", head=True),
    "CSV without a head": table(",", head=False),
    "CSV, all quoted": table(",", head=True, quoting=csv.QUOTE_ALL),
    "CSV by semicolons": table(";", head=True),
    "TSV": table("\t", head=True),
    "by bars": table("|", head=False),
    "image names": lines(lambda wnid, number, url: f"train/{wnid}/{wnid}_{number}.JPEG\t{url}\t1024"),
    "JSON array": json.dumps([{"id": 7, "wnid": wnid, "width": None, "url": url} for wnid, _, url in ROWS]).encode(),
    "JSON, indented": json.dumps(
        [{"url": url, "url_type": "url_o", "synset": wnid} for wnid, _, url in ROWS], indent=2
    ).encode(),
    "JSON lines": b"".join(
        json.dumps({"image_id": f"{wnid}_{number}", "image_url": url}).encode() + b"\n" for wnid, number, url in ROWS
    ),
    "JSON map of paths": json.dumps({f"images/{wnid}/{number}_c.jpg": url for wnid, number, url in ROWS}).encode(),
    "JSON map of classes": json.dumps(
        {wnid: [url for other, _, url in ROWS if other == wnid] for wnid in (TENCH, GULL, CLOCK)}
    ).encode(),
    "JSON map of rows": json.dumps({f"{wnid}_{number}": {"url": url} for wnid, number, url in ROWS}).encode(),
    "JSON pairs": json.dumps([[f"{wnid}_{number}", url] for wnid, number, url in ROWS]).encode(),
    "DoltHub": json.dumps(
        {
            "query_execution_status": "Success",
            "repository_name": "image-net",
            "schema": [{"columnName": "image_id", "columnType": "varchar(20)"}],
            "rows": [{"image_id": f"{wnid}_{number}", "image_url": url} for wnid, number, url in ROWS],
        }
    ).encode(),
}


def in_tar(data: bytes, mode: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, body in (("./._list", b"\0\1"), ("list.txt", data)):
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return out.getvalue()


def in_zip(data: bytes, name: str = "list.txt") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/._list.txt", b"\0\1")
        archive.writestr(name, data)
    return out.getvalue()


PACKINGS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": in_zip,
    "tar": lambda data: in_tar(data, "w"),
    "tgz": lambda data: in_tar(data, "w:gz"),
    "tar.bz2": lambda data: in_tar(data, "w:bz2"),
    "tar.xz": lambda data: in_tar(data, "w:xz"),
    "txt.gz in a tgz": lambda data: in_tar(gzip.compress(data), "w:gz"),
    "two gz in one": lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:]),
}


def planned(scraper: Scraper, source: str, *more: str, code: int = 0) -> list[tuple[str, str]]:
    """The candidates of two classes from a source."""
    scraper.manifest.unlink(missing_ok=True)
    scraper.done("plan", TENCH, CLOCK, "--source", source, *more, code=code)
    return scraper.rows("SELECT wnid, url FROM candidates ORDER BY id")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_whole_list(scraper: Scraper, form: str) -> None:
    (scraper.folder / "list").write_bytes(FORMS[form])
    found = [(wnid, url.replace("https:", "http:")) for wnid, url in planned(scraper, "list")]
    assert found == [(wnid, url.replace("https:", "http:")) for wnid, url in WANTED]
    assert scraper.rows("SELECT listed, candidates FROM classes ORDER BY wnid") == [(3, 2), (2, 2)]
    assert scraper.one("SELECT classes FROM whole_lists") == 2
    assert scraper.rows("SELECT * FROM odd_lines WHERE kind <> 'left_off'") == []


@pytest.mark.parametrize("packing", PACKINGS)
def test_every_packing(scraper: Scraper, packing: str) -> None:
    (scraper.folder / "list.bin").write_bytes(PACKINGS[packing](FORMS["index"]))
    assert planned(scraper, "list.bin") == WANTED


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("form", ["index", "CSV", "JSON array"])
def test_every_encoding(scraper: Scraper, encoding: str, form: str) -> None:
    (scraper.folder / "list").write_bytes(FORMS[form].decode().encode(encoding))
    assert planned(scraper, "list") == WANTED


def test_lines_in_latin1_among_those_in_utf8(scraper: Scraper) -> None:
    for form in (f"{TENCH}_1\t%s\n", f"{TENCH},%s\n", f'{{"wnid": "{TENCH}", "url": "%s"}}\n'):
        urls = ["http://www.example.com/été.jpg", "http://www.example.com/è.jpg"]
        body = (form % urls[0]).encode() + (form % urls[1]).encode("latin-1")
        (scraper.folder / "list").write_bytes(body)
        found = planned(scraper, "list", "--hosts", "example.com", code=1)
        assert found == [(TENCH, url) for url in urls], form


# --- folders ---------------------------------------------------------------------------------------------------------

OF_A_CLASS: Final[Mapping[str, Callable[[str, int, str], str]]] = {
    "a URL a line": lambda _wnid, _number, url: url,
    "CRLF": lambda _wnid, _number, url: f"{url}\r",
    "a wnid and a number first": lambda wnid, number, url: f"{wnid}_{number}\t{url}",
    "a wnid and a number first, by spaces": lambda wnid, number, url: f"{wnid}_{number}  {url}",
    "more behind, by a tab": lambda _wnid, _number, url: f"{url}\ttench",
    "more behind, by a space": lambda _wnid, _number, url: f"{url} tench",
    "more behind, by a comma": lambda wnid, _number, url: f'"{url}",{wnid}',
    "a table": lambda _wnid, number, url: f'{number},"{url}",1024,768',
    "JSON lines": lambda _wnid, number, url: json.dumps({"id": number, "url": url}),
    "JSON texts": lambda _wnid, _number, url: json.dumps(url),
    "without a scheme": lambda _wnid, _number, url: url.partition("//")[2],
}
NAMES: Final = (
    "{}.txt",
    "{}_urls.txt",
    "synset_urls_{}.txt",
    "{}.lst",
    "{}.csv",
    "{}",
    "imagenet.synset.geturls.{}.txt",
    "imagenet.synset.geturls?wnid={}",
    "{}.txt.gz",
)


def of_a_class(form: str, wnid: str) -> bytes:
    return "".join(OF_A_CLASS[form](*row) + "\n" for row in ROWS if row[0] == wnid).encode()


@pytest.mark.parametrize("form", OF_A_CLASS)
def test_every_form_of_a_classs_list(scraper: Scraper, form: str) -> None:
    (scraper.folder / "lists").mkdir()
    for wnid in (TENCH, CLOCK):
        (scraper.folder / "lists" / f"{wnid}.txt").write_bytes(of_a_class(form, wnid))
    found = [(wnid, url.replace("https:", "http:")) for wnid, url in planned(scraper, "lists")]
    assert found == [(wnid, url.replace("https:", "http:")) for wnid, url in WANTED]
    assert scraper.rows("SELECT kind FROM odd_lines WHERE kind <> 'left_off'") == []


@pytest.mark.parametrize("name", NAMES)
def test_every_name_of_a_classs_list(scraper: Scraper, name: str) -> None:
    (scraper.folder / "lists").mkdir()
    for wnid in (TENCH, CLOCK):
        body = of_a_class("a URL a line", wnid)
        path = scraper.folder / "lists" / name.format(wnid)
        path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
    assert planned(scraper, "lists") == WANTED


def test_a_list_of_many_classes_beside_those_of_single_ones(scraper: Scraper) -> None:
    (scraper.folder / "lists").mkdir()
    (scraper.folder / "lists" / f"{TENCH}.txt").write_bytes(of_a_class("a URL a line", TENCH))
    (scraper.folder / "lists" / "all.csv").write_bytes(FORMS["CSV"])
    (scraper.folder / "lists" / "NOTES.txt").write_text("Of these lists we know nothing.\n", encoding="utf-8")
    (scraper.folder / "lists" / f"{CLOCK}_3.JPEG").write_bytes(b"\xff\xd8\xff")
    assert planned(scraper, "lists") == WANTED
    assert scraper.rows("SELECT wnid, source FROM classes ORDER BY wnid") == [
        (TENCH, "lists"),
        (CLOCK, "lists/all.csv"),
    ]


def test_lists_of_single_classes_in_an_archive(scraper: Scraper) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for wnid in (CLOCK, TENCH):
            archive.writestr(f"lists/{wnid}.txt", of_a_class("a URL a line", wnid))
        archive.writestr("lists/README", "Nothing of interest.\n")
    (scraper.folder / "lists.zip").write_bytes(out.getvalue())
    assert planned(scraper, "lists.zip") == WANTED


def test_a_file_that_bears_its_classs_name(scraper: Scraper) -> None:
    (scraper.folder / f"{TENCH}_urls.txt").write_bytes(of_a_class("a URL a line", TENCH))
    assert planned(scraper, f"{TENCH}_urls.txt", code=1) == [row for row in WANTED if row[0] == TENCH]


# --- columns ---------------------------------------------------------------------------------------------------------


def other(url: str) -> str:
    """Another URL of the same form."""
    return url.replace("://", "://x.")


def test_columns_that_cannot_be_known(scraper: Scraper) -> None:
    head = "page,thumbnail,picture,synset,parent\n"
    body = head + "".join(f'http://a.example/p,"{url}",{other(url)},{wnid},n00001740\n' for wnid, url in WANTED)
    (scraper.folder / "list.csv").write_text(body, encoding="utf-8")
    refused = scraper.done("plan", TENCH, "--source", "list.csv", code=2).err
    assert "several of its columns hold URLs (page, thumbnail, picture)" in refused
    assert "--columns url=NAME" in refused
    expected = [(wnid, other(url)) for wnid, url in WANTED]
    assert planned(scraper, "list.csv", "--columns", "url=picture,class=synset") == expected
    assert planned(scraper, "list.csv", "--columns", "url=3") == expected
    wrong = scraper.done("plan", TENCH, "--source", "list.csv", "--columns", "url=image", code=2).err
    assert "no column 'image'; its columns are page, thumbnail, picture, synset, parent" in wrong


def test_keys_of_json_that_cannot_be_known(scraper: Scraper) -> None:
    rows = [{"thumb": url, "full": other(url), "was": GULL, "is": wnid} for wnid, url in WANTED]
    (scraper.folder / "list.json").write_text(json.dumps(rows), encoding="utf-8")
    found = planned(scraper, "list.json", "--columns", "url=full,class=is")
    assert found == [(wnid, other(url)) for wnid, url in WANTED]


@pytest.mark.parametrize("columns", ["picture", "url", "url=", "url=a,url=b", "wnid=a"])
def test_columns_that_are_none(scraper: Scraper, columns: str) -> None:
    result = scraper.done("plan", TENCH, "--columns", columns, code=2)
    assert "--columns must be url=NAME,class=NAME" in result.err


def test_a_table_whose_class_column_holds_names(scraper: Scraper) -> None:
    (scraper.folder / "list.csv").write_text(
        "label,url\n" + "".join(f"tench,{url}\n" for _, url in WANTED), encoding="utf-8"
    )
    refused = scraper.done("plan", TENCH, "--source", "list.csv", code=2).err
    assert "its column 'label' holds names such as 'tench', where wnids such as n01440764 are needed" in refused
    (scraper.folder / "mixed.csv").write_text(
        "class,url\n" + "".join(f"{wnid},{url}\ntench,{url}?v=1\n" for wnid, url in WANTED), encoding="utf-8"
    )
    assert planned(scraper, "mixed.csv") == WANTED
    assert scraper.rows("SELECT wnid, kind, lines FROM odd_lines") == [(None, "class_name", len(WANTED))]


# --- what is odd on the way ------------------------------------------------------------------------------------------


def test_a_form_that_changes_in_the_middle_is_counted_and_shown(scraper: Scraper) -> None:
    changed = FORMS["index"] * 10 + b"".join(b"http://farm1.static.flickr.com/1/%d_ab.jpg\n" % n for n in range(500))
    (scraper.folder / "list").write_bytes(changed)
    scraper.done("plan", TENCH, CLOCK, "--source", "list")
    assert scraper.one("SELECT count(*) FROM candidates") == len(WANTED)
    assert scraper.rows("SELECT wnid, kind, lines, example FROM odd_lines") == [
        (None, "no_class", 500, "http://farm1.static.flickr.com/1/0_ab.jpg")
    ]


def test_an_index_that_goes_on_as_a_table_is_read_on(scraper: Scraper) -> None:
    for first, second in (("index", "id,url"), ("CSV", "TSV")):
        (scraper.folder / "list").write_bytes(FORMS[first] * 30 + FORMS[second])
        scraper.done("plan", TENCH, CLOCK, "--source", "list", "--manifest", str(scraper.manifest))
        assert scraper.rows("SELECT wnid, url FROM candidates ORDER BY id") == WANTED
        scraper.manifest.unlink()


def test_a_stray_quote_swallows_no_rows(scraper: Scraper) -> None:
    rows = [f'{wnid},{url},"a 12" ruler' for wnid, url in WANTED]
    body = "wnid,url,title\n" + "\n".join(rows) + f'\n{TENCH},{WANTED[0][1]}?v=9,"open\n' + "\n".join(rows) + "\n"
    (scraper.folder / "list.csv").write_text(body, encoding="utf-8")
    found = planned(scraper, "list.csv")
    assert sorted(found) == sorted([*WANTED, (TENCH, f"{WANTED[0][1]}?v=9")])


def test_quotes_may_hold_ends_of_lines(scraper: Scraper) -> None:
    body = "title,wnid,url\n" + "".join(f'"a title,\nof two lines",{wnid},"{url}"\n' for wnid, url in WANTED)
    (scraper.folder / "list.csv").write_text(body, encoding="utf-8")
    assert planned(scraper, "list.csv") == WANTED
    assert scraper.rows("SELECT * FROM odd_lines") == []


def test_json_that_breaks_off_keeps_what_came_before(scraper: Scraper) -> None:
    (scraper.folder / "list.json").write_bytes(FORMS["JSON array"][:-30])
    assert planned(scraper, "list.json") == WANTED[:-1]
    assert scraper.rows("SELECT kind FROM odd_lines") == [("broken",)]


def test_what_is_set_aside_is_told(scraper: Scraper) -> None:
    body = FORMS["index"] + f"{TENCH}_9\thttp://www.flickr.com/photos/x/1/\n{TENCH}_10\tnonsense\n".encode()
    (scraper.folder / "list").write_bytes(body + f"{CLOCK}_9\t{WANTED[-1][1]}?v=2 clock\nno class\n".encode())
    out = scraper.done("plan", TENCH, CLOCK, "--source", "list").out
    assert "list: 2 lists (lines of `wnid_number URL`)" in out
    assert "3 lines of list set aside and not asked for:" in out
    assert "  1 line: no URL, as in 'nonsense'" in out
    assert "  1 line: a URL on Flickr that is not a photo's, as in 'http://www.flickr.com/photos/x/1/'" in out
    assert "  1 line: no class named, as in 'no class'" in out
    assert f"  1 line: something behind the URL, which was left off, as in '{WANTED[-1][1]}?v=2 clock'" in out


def test_rows_of_tencents_list_are_of_the_classes_their_labels_mean(scraper: Scraper) -> None:
    entries = [
        ("0", "n00002452", "-1"),
        ("1", "n00015388", "0"),
        ("2", TENCH, "1"),
        ("3", CLOCK, "0"),
        ("4", GULL, "1"),
    ]
    head = "category_index\tcategory_id\tindex_of_parent_category\tcategory name\n"
    dictionary = head + "".join(f"{number}\t{wnid}\t{above}\tname, other name\n" for number, wnid, above in entries)
    rows = [
        f"{WANTED[0][1]}\t2:1\t1:1\t0:1\n",
        f"{WANTED[1][1]}\t2:0.9\t3:0.8\t1:0.9\n",
        f"{WANTED[2][1]}\t3:0.8\t4:1\n",
        f"{WANTED[3][1]}\t9:1\n",
    ]
    (scraper.folder / "train_urls.txt").write_text("".join(rows), encoding="utf-8")
    refused = scraper.done("plan", TENCH, "--source", "train_urls.txt", code=2).err
    assert "put Tencent's dictionary_and_semantic_hierarchy.txt beside it" in refused
    (scraper.folder / "dictionary_and_semantic_hierarchy.txt").write_text(dictionary, encoding="utf-8")
    assert planned(scraper, "train_urls.txt") == [
        (TENCH, WANTED[0][1]),
        (TENCH, WANTED[1][1]),
        (CLOCK, WANTED[1][1]),
        (CLOCK, WANTED[2][1]),
    ]


# --- what is no list -------------------------------------------------------------------------------------------------

NO_LISTS: Final[Mapping[str, tuple[bytes, str]]] = {
    "nothing": (b"", "it is empty"),
    "blanks": (b"\n \n", "it is empty"),
    "words": (b"n01440764 tench\nn01443537 goldfish\n", "its lines hold no URLs with classes"),
    "text": (b"Dear all,\nplease find our list attached.\n", "the first is 'Dear all,'"),
    "a page": (b"<!DOCTYPE html><html><body>Sign in</body></html>", "it is a web page"),
    "a picture": (b"\xff\xd8\xff\xe0" + bytes(range(200)), "it is a picture"),
    "a database": (b"SQLite format 3\x00" + b"\x01" * 200, "it is an SQLite database"),
    "Parquet": (b"PAR1" + b"\x15\x04" * 100, "it is a Parquet file"),
    "zstd": (b"\x28\xb5\x2f\xfd" + b"\x15\x04" * 100, "packed with zstd: unpack it"),
    "numbers": (bytes(range(256)) * 4, "it is no text"),
    "URLs without classes": (b"".join(b"%s\n" % url.encode() for _, url in WANTED), "says nowhere of which class"),
    "a table without classes": (
        b"url,width\nhttp://a.example/1.jpg,3\n",
        "none of its columns (url, width) names a class",
    ),
    "JSON without classes": (b'[{"url": "http://static.flickr.com/1/2_ab.jpg"}]', "has no URL with a wnid beside it"),
    "JSON without URLs": (b'{"0": ["n01440764", "tench"]}', "has no URL with a wnid beside it"),
    "a zip of nothing": (in_zip(b""), "it is empty"),
    "a zip of words": (in_zip(b"tench\ngoldfish\n", "words.txt"), "its lines hold no URLs with classes"),
    "a damaged zip": (in_zip(FORMS["index"])[:-20], "cannot be read"),
    "a damaged gz": (gzip.compress(FORMS["index"])[:40], "cannot be read"),
}


@pytest.mark.parametrize("name", NO_LISTS)
def test_a_file_that_is_no_list_is_refused_and_nothing_is_made(scraper: Scraper, name: str) -> None:
    body, says = NO_LISTS[name]
    (scraper.folder / "list.txt").write_bytes(body)
    before = scraper.snapshot()
    result = scraper.done("plan", TENCH, "--source", "list.txt", code=2)
    assert says in result.err
    assert result.err.count("\n") == 1
    assert result.out == ""
    assert scraper.snapshot() == before
