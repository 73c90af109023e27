"""Readers of lists by themselves, without a command around them: what they give, line by line."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from scraper.flickr import FLICKR_DOMAINS
from scraper.model import Oddity
from scraper.planning.forms import index, json_values, table, tencent, urls
from scraper.planning.forms.detecting import NotAListError, detect, what_else
from scraper.planning.forms.interface import Category, Gatherer, Hints, wnid_in
from scraper.planning.lines import jsonstream
from scraper.planning.lines.encodings import decode, decode_lines, utf16
from scraper.planning.lines.oddities import Oddities
from scraper.planning.lines.streams import LONGEST_LINE, SAMPLE, Stream, blocks, first_lines, lines
from scraper.planning.listings import ListingBuilder
from scraper.records import Columns
from tests.conftest import CLOCK, TENCH
from tests.planning.test_forms import FORMS, GULL, OF_A_CLASS, ROWS, WANTED, of_a_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scraper.planning.forms.interface import Form

HOSTS = FLICKR_DOMAINS


def read(data: bytes, hints: Hints | None = None) -> tuple[Form, dict[bytes | None, list[str]], Oddities]:
    """What a list holds: its form, the candidates of each class, and what was odd."""
    stream, odd = Stream(io.BytesIO(data)), Oddities()
    form = detect(stream, hints or Hints())
    builders: dict[bytes | None, ListingBuilder] = {}
    for name, piece in form.pieces(stream, odd):
        if piece:
            builders.setdefault(name, ListingBuilder(HOSTS)).add_lines(form.urls(piece))
    built = {name: builder.build(form=form.name, shuffle=None) for name, builder in builders.items()}
    return form, {name: [one.url for one in listing.candidates] for name, listing in built.items()}, odd


def by_class(rows: Sequence[tuple[str, str]]) -> dict[bytes | None, list[str]]:
    found: dict[bytes | None, list[str]] = {}
    for wnid, url in rows:
        found.setdefault(wnid.encode(), []).append(url)
    return found


def http(found: dict[bytes | None, list[str]]) -> dict[bytes | None, list[str]]:
    return {name: [url.replace("https:", "http:") for url in of] for name, of in found.items() if of}


EXPECTED = http(by_class([(wnid, url) for wnid, _, url in ROWS if "flickr" in url]))
NAMES = {"index": "index", "CSV": "table", "JSON": "json", "DoltHub": "json"}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_gives_its_classes_and_urls(name: str) -> None:
    _, found, odd = read(FORMS[name])
    assert http(found) == EXPECTED
    assert odd.lines() == ()


@pytest.mark.parametrize("name", FORMS)
def test_a_long_list_says_what_a_short_one_says(name: str) -> None:
    """Beyond what is looked at beforehand, and over the ends of blocks."""
    if "JSON" in name or name == "DoltHub":
        pytest.skip("a JSON text is not made longer by repeating it")
    head, _, rows = FORMS[name].partition(b"\n") if "head" not in name and "SV" in name else (b"", b"", FORMS[name])
    _, found, odd = read(head + b"\n" * bool(head) + rows * 4000)
    assert http(found) == EXPECTED
    assert odd.lines() == ()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["index", "CSV", "JSON array", "JSON lines"])
def test_every_encoding_says_the_same(encoding: str, name: str) -> None:
    _, found, _ = read(FORMS[name].decode().encode(encoding))
    assert http(found) == EXPECTED


@pytest.mark.parametrize("name", OF_A_CLASS)
def test_lists_of_one_class_need_not_say_which(name: str) -> None:
    for wnid in (TENCH, CLOCK):
        _, found, odd = read(of_a_class(name, wnid), Hints(of_one_class=True))
        ours = [url for of in http(found).values() for url in of]
        assert ours == [url.replace("https:", "http:") for other, url in WANTED if other == wnid]
        assert odd.lines() == ()


# --- tables -----------------------------------------------------------------------------------------------------------

FLICKR = [url for _, url in WANTED]
MANY = "url,thumb,wnid\n" + "".join(f"{url},http://t.example/{n}.jpg,{wnid}\n" for n, (wnid, url) in enumerate(WANTED))


def test_a_head_that_is_known_settles_which_column_holds_the_urls() -> None:
    form, found, _ = read(MANY.encode())
    assert form.name == "table"
    assert found == by_class(WANTED)


def test_columns_may_be_given_by_name_whatever_its_case_or_by_number() -> None:
    text = MANY.replace("url,thumb,wnid", "Picture,Thumb,Synset").encode()
    for columns in (
        Columns(url="Picture", wnid="Synset"),
        Columns(url="picture", wnid="synset"),
        Columns(url="1", wnid="3"),
        Columns(url="Picture"),
    ):
        assert read(text, Hints(columns))[1] == by_class(WANTED), columns


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        (Columns(url="image"), "no column 'image'; its columns are url, thumb, wnid"),
        (Columns(url="9"), "no column '9'; its columns are url, thumb, wnid"),
        (Columns(url="0"), "no column '0'; its columns are url, thumb, wnid"),
        (Columns(wnid="synset"), "no column 'synset'; its columns are url, thumb, wnid"),
    ],
)
def test_columns_that_are_not_there(columns: Columns, said: str) -> None:
    with pytest.raises(NotAListError, match=said):
        read(MANY.encode(), Hints(columns))


def test_several_columns_of_urls_are_told_by_name() -> None:
    text = "page,thumb,picture,wnid\n" + "".join(f"http://a.example/p,{url},{url},{wnid}\n" for wnid, url in WANTED)
    with pytest.raises(NotAListError, match=r"several of its columns hold URLs \(page, thumb, picture\)"):
        read(text.encode())
    assert read(text.encode(), Hints(Columns(url="picture")))[1] == by_class(WANTED)


def test_a_column_of_names_is_told() -> None:
    text = "label,url\n" + "".join(f"tench,{url}\n" for _, url in WANTED)
    said = "its column 'label' holds names such as 'tench', where wnids such as n01440764 are needed"
    with pytest.raises(NotAListError, match=said):
        read(text.encode())


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_quotes_and_separators_inside_of_cells(separator: str, quoting: int) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator="\n")  # type: ignore[arg-type]
    writer.writerow(["title", "wnid", "url"])
    writer.writerows([f'a "fish"{separator} and\nmore', wnid, url] for wnid, url in WANTED * 3)
    _, found, odd = read(out.getvalue().encode())
    assert found == by_class(WANTED)
    assert odd.lines() == ()


def test_rows_that_name_no_class_or_no_url_are_counted() -> None:
    rows = [f"{wnid},{url}" for wnid, url in WANTED * 3]
    text = "wnid,url\n" + "\n".join([*rows, f"tench,{FLICKR[0]}", f"{TENCH}", f"{TENCH},", f",{FLICKR[1]}"]) + "\n"
    _, found, odd = read(text.encode())
    assert found == by_class(WANTED)
    assert {one.kind for one in odd.lines()} <= {Oddity.CLASS_NAME, Oddity.NO_CLASS, Oddity.NO_URL, Oddity.BROKEN}
    assert sum(one.lines for one in odd.lines()) >= 2


# --- JSON -------------------------------------------------------------------------------------------------------------


def test_json_keys_may_be_given() -> None:
    rows = [{"thumb": "http://t.example/a.jpg", "full": url, "was": "n00000001", "is": wnid} for wnid, url in WANTED]
    data = json.dumps(rows).encode()
    assert read(data, Hints(Columns(url="full", wnid="is")))[1] == by_class(WANTED)


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_json_that_breaks_off_is_counted(cut: int) -> None:
    _, found, odd = read(FORMS["JSON array"][:-cut])
    assert [one.kind for one in odd.lines()] == [Oddity.BROKEN]
    assert sum(map(len, found.values())) >= 2


def test_json_in_pieces_of_any_length() -> None:
    rows = [
        {"wnid": wnid, "url": url, "notes": ["x" * 7000, {"a": [None, True, -1.5e3, '\\u00e9"']}]}
        for wnid, url in WANTED
    ]
    for data in (json.dumps(rows), "\n".join(map(json.dumps, rows)), json.dumps(rows, indent=3)):
        assert read(data.encode())[1] == by_class(WANTED)


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ({"wnid": TENCH, "url": FLICKR[0]}, (TENCH, FLICKR[0])),
        ({"URL": FLICKR[0], "Synset": TENCH.upper()}, (TENCH, FLICKR[0])),
        # Of several URLs the one whose key says so, of several texts the likelier key.
        (
            {"page": "http://a.example/", "link": "http://b.example/", "flickr_url": FLICKR[0], "wnid": TENCH},
            (TENCH, FLICKR[0]),
        ),
        ({"first": "http://a.example/x.jpg", "second": FLICKR[0], "wnid": TENCH}, (TENCH, "http://a.example/x.jpg")),
        ({"id": CLOCK, "wnid": TENCH, "url": FLICKR[0]}, (TENCH, FLICKR[0])),
        ({"other": CLOCK, "file": f"{TENCH}_1.JPEG", "url": FLICKR[0]}, (TENCH, FLICKR[0])),
        ({"wnid": "tench", "other": TENCH, "url": FLICKR[0]}, (TENCH, FLICKR[0])),
        ({"class": "tench", "url": FLICKR[0]}, Oddity.CLASS_NAME),
        ({"class": "12", "url": FLICKR[0]}, (None, FLICKR[0])),
        ({"caption": "a fish", "url": FLICKR[0]}, (None, FLICKR[0])),
        ({"wnid": TENCH}, Oddity.NO_URL),
        ({"wnid": TENCH, "url": None}, Oddity.NO_URL),
        ({"wnid": TENCH, "url": " //a.example/b c.jpg\n"}, (TENCH, "//a.example/b c.jpg")),
        ([TENCH, FLICKR[0]], (TENCH, FLICKR[0])),
        ([1, None], Oddity.NO_URL),
        (FLICKR[0], (None, FLICKR[0])),
        ("words", Oddity.NO_URL),
    ],
)
def test_what_a_value_of_json_says(value: object, taken: tuple[str | None, str] | Oddity) -> None:
    [found] = json_values.JsonValues(Columns()).take("", value)
    assert (found if isinstance(found, Oddity) else (found[0] and found[0].decode(), found[1].decode())) == taken


@pytest.mark.parametrize("key", ["schema", "info", "licenses", "categories", "annotations"])
def test_what_stands_around_rows_of_json_says_nothing(key: str) -> None:
    assert list(json_values.JsonValues(Columns()).take(key, [{"url": FLICKR[0], "wnid": TENCH}])) == []
    assert list(json_values.JsonValues(Columns()).take("status", "ok")) == []
    assert list(json_values.JsonValues(Columns()).take("count", 7)) == []


def test_a_key_may_name_the_class() -> None:
    take = json_values.JsonValues(Columns()).take
    assert list(take(f"images/{TENCH}/1.jpg", FLICKR[0])) == [(TENCH.encode(), FLICKR[0].encode())]
    assert list(take(TENCH, FLICKR[:2])) == [(TENCH.encode(), url.encode()) for url in FLICKR[:2]]
    assert list(take(TENCH, {"url": FLICKR[0]})) == [(TENCH.encode(), FLICKR[0].encode())]
    assert list(take("", {TENCH: FLICKR[0]})) == [(TENCH.encode(), FLICKR[0].encode())]
    assert list(take(TENCH, "words")) == [Oddity.NO_URL]


def test_keys_that_were_named_are_the_ones() -> None:
    take = json_values.JsonValues(Columns(url="full", wnid="number")).take
    row = {"url": "http://a.example/b.jpg", "full": FLICKR[0], "wnid": CLOCK, "number": TENCH}
    assert list(take("", row)) == [(TENCH.encode(), FLICKR[0].encode())]
    assert list(take("", row | {"number": 12})) == [(None, FLICKR[0].encode())]
    assert list(take("", row | {"number": None})) == [(None, FLICKR[0].encode())]
    assert list(take("", row | {"full": 3})) == [Oddity.NO_URL]


def test_bytes_of_urls_stay_as_they_were() -> None:
    data = b'[{"wnid": "n01440764", "url": "http://a.example/\xe9t\xc3\xa9.jpg"}]'
    [(name, piece)] = json_values.JsonValues(Columns()).pieces(io.BytesIO(data), Oddities())
    assert (name, piece) == (TENCH.encode(), b"http://a.example/\xe9t\xc3\xa9.jpg\n")


def test_json_that_cannot_be_read_is_explained() -> None:
    rows = json.dumps([{"label": "tench", "url": url} for url in FLICKR]).encode()
    said = "its rows name classes by other names than wnids, as in .*tench.*; say with --columns class=KEY"
    with pytest.raises(NotAListError, match=said):
        read(rows)
    said = "it is JSON, but has no URL with a wnid beside it: say with --columns url=KEY,class=KEY where they are"
    with pytest.raises(NotAListError, match=said):
        read(json.dumps([{"caption": "x", "url": url} for url in FLICKR]).encode())


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("[1, 2]", [("", 1), ("", 2)]),
        ("[]", []),
        ("{}", []),
        (' \ufeff{"a": 1, "b": {"c": 2}} ', [("", {"a": 1, "b": {"c": 2}})]),
        ('{"a": [1, 2], "b": 3}', [("a", 1), ("a", 2), ("b", 3)]),
        ('{"a": []}', []),
        ("[[1], [2]]", [("", [1]), ("", [2])]),
        ('{"a": 1}\n{"a": 2}', [("", {"a": 1}), ("", {"a": 2})]),
        ('{"a": 1},\n{"a": 2},', [("", {"a": 1}), ("", {"a": 2})]),
        ('"a"\n"b"', [("", "a"), ("", "b")]),
        ("12", [("", 12)]),
    ],
)
@pytest.mark.parametrize("step", [1, 3, 1000])
def test_values_of_json_texts(text: str, values: list[tuple[str, object]], step: int) -> None:
    """However few bytes come at once."""

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(step, size or 0))

    assert list(jsonstream.Values(Slow(text.encode()))) == values


def test_an_object_of_many_fields_is_a_map() -> None:
    for fields, whole in ((64, True), (65, False), (200, False)):
        row = {f"k{number}": number for number in range(fields)}
        assert list(jsonstream.Values(io.BytesIO(json.dumps(row).encode()))) == (
            [("", row)] if whole else list(row.items())
        )


@pytest.mark.parametrize("text", ["[1, 2", "[1 2]", '{"a" 1}', '{"a": 1', "{1: 2}", "[1,", "{", "nonsense", "[" * 9000])
def test_text_that_is_no_json_is_told(text: str) -> None:
    with pytest.raises(jsonstream.BrokenJsonError):
        list(jsonstream.Values(io.BytesIO(text.encode())))


@pytest.mark.parametrize("text", ["[1, 2", '{"a": 1', "[1,", "{", '["ab'])
def test_the_beginning_of_a_text_may_end_anywhere(text: str) -> None:
    list(jsonstream.Values(io.BytesIO(text.encode()), partial=True))


# --- Tencent ----------------------------------------------------------------------------------------------------------

DICTIONARY = f"id\n0\t{TENCH}\t1\tn\tx\n1\t{CLOCK}\t-1\tn\tx\n2\t{GULL}\t1\tn\tx\n".encode()


def test_a_dictionary_is_read_and_gives_the_classes_of_numbers() -> None:
    known = tencent.read_dictionary(Stream(io.BytesIO(DICTIONARY)))
    assert known == {"0": Category(TENCH, "1"), "1": Category(CLOCK, "-1"), "2": Category(GULL, "1")}
    assert tencent.read_dictionary(Stream(io.BytesIO(b"words\nmore\n"))) == {}


def test_lines_with_numbered_labels_are_of_their_lowest_classes() -> None:
    """A class above another one of a line is there only because of that one; numbers that nobody knows say nothing."""
    known = tencent.read_dictionary(Stream(io.BytesIO(DICTIONARY)))
    first, second, third, fourth = FLICKR
    text = f"{first} 0:1 1:0.9\n{second}  1:1\n\n{third}\t0:1 2:1 0:1 99:1\n{fourth} 99:1\n{fourth}\nwords\n"
    form, found, odd = read(text.encode(), Hints(dictionary=known))
    assert form.name == "tencent"
    assert found == {TENCH.encode(): [first, third], CLOCK.encode(): [second], GULL.encode(): [third]}
    assert [(one.kind, one.lines, one.example) for one in odd.lines()] == [
        (Oddity.NO_CLASS, 1, f"{fourth} 99:1"),
        (Oddity.BROKEN, 2, fourth),
    ]


def test_numbered_labels_need_their_dictionary() -> None:
    text = "".join(f"{url} 0:1\n" for url in FLICKR).encode()
    with pytest.raises(NotAListError, match=r"put Tencent's dictionary_and_semantic_hierarchy\.txt beside it"):
        read(text)
    known = tencent.read_dictionary(Stream(io.BytesIO(DICTIONARY)))
    assert tencent.recognise(Stream(io.BytesIO(text)), Hints(Columns(url="1"), dictionary=known)) is None
    assert tencent.recognise(Stream(io.BytesIO(text)), Hints(of_one_class=True, dictionary=known)) is None


def test_half_of_the_first_lines_must_have_numbered_labels() -> None:
    known = tencent.read_dictionary(Stream(io.BytesIO(DICTIONARY)))
    for odd, share in ((0, 1.0), (4, 0.5), (5, None)):
        text = "".join(f"{url} 0:1\n" for url in FLICKR) + "words\n" * odd
        found = tencent.recognise(Stream(io.BytesIO(text.encode())), Hints(dictionary=known))
        assert (found and found[1]) == share


def test_a_long_list_is_read_with_time_to_breathe() -> None:
    known = tencent.read_dictionary(Stream(io.BytesIO(DICTIONARY)))
    text = f"{FLICKR[0]} 0:1\n".encode() * 10_001
    stream = Stream(io.BytesIO(text))
    form = detect(stream, Hints(dictionary=known))
    pieces = list(form.pieces(stream, Oddities()))
    assert sum(piece == (None, b"") for piece in pieces) == 2
    assert sum(piece.count(b"\n") for _, piece in pieces) == 10_001


# --- what is no list --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"SQLite format 3\x00", "it is an SQLite database"),
        (b"\xff\xd8\xff\xe0", "it is a picture"),
        (b"\x89PNG\r\n", "it is a picture"),
        (b"GIF89a", "it is a picture"),
        (b"%PDF-1.4", "it is a PDF"),
        (b"PAR1", "it is a Parquet file"),
        (b"7z\xbc\xaf", "it is a 7z archive: unpack it"),
        (b"Rar!", "it is a RAR archive: unpack it"),
        (b"\x28\xb5\x2f\xfd", "it is packed with zstd: unpack it"),
        (b"\x1f\x9d", "it is packed with compress: unpack it"),
        (b"\x80\x04", "it is a Python pickle"),
        (b"\x93NUMPY", "it is a NumPy array"),
        (b"\xd0\xcf\x11\xe0", "it is a spreadsheet or document: save it as CSV"),
        (b"  <!DOCTYPE html>", "it is a web page"),
        (b"<HTML>", "it is a web page"),
        (b"<?xml version='1.0'?>", "it is a web page"),
        (b"", "it is empty"),
        (b" \n\n", "it is empty"),
        (b"ab\0\1cd", "it is no text"),
        (b"words\nmore", "its lines hold no URLs with classes; the first is 'words'"),
    ],
)
def test_what_is_no_list_is_told(data: bytes, said: str) -> None:
    assert what_else(Stream(io.BytesIO(data))) == said
    with pytest.raises(NotAListError, match=said.replace("(", r"\(")):
        detect(Stream(io.BytesIO(data)), Hints())


def test_urls_without_classes_are_told() -> None:
    data = "\n".join(FLICKR).encode()
    with pytest.raises(NotAListError, match="it lists URLs, but says nowhere of which class: call it after its class"):
        detect(Stream(io.BytesIO(data)), Hints())
    assert isinstance(detect(Stream(io.BytesIO(data)), Hints(of_one_class=True)), urls.Urls)


def test_a_tenth_of_the_first_lines_must_have_a_form() -> None:
    for good, is_one in ((10, True), (9, False)):
        data = FORMS["index"].splitlines()[:1] * good + [b"words"] * (100 - good)
        stream = Stream(io.BytesIO(b"\n".join(data)))
        if is_one:
            assert detect(stream, Hints()).name == "index"
        else:
            with pytest.raises(NotAListError):
                detect(stream, Hints())


@pytest.mark.parametrize("form", [index, json_values, tencent, table])
def test_words_have_no_form(form: object) -> None:
    assert form.recognise(Stream(io.BytesIO(b"words\nand more\n")), Hints()) is None  # type: ignore[attr-defined]


# --- lines and bytes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wnid"),
    [
        ("n01440764", b"n01440764"),
        ("N01440764_12", b"n01440764"),
        ("a/n01440764/b", b"n01440764"),
        ("n01440764.JPEG", b"n01440764"),
        ("n014407641", None),
        ("xn01440764", None),
        ("n0144076", None),
        ("tench", None),
    ],
)
def test_a_wnid_in_a_text(text: str, wnid: bytes | None) -> None:
    assert wnid_in(text) == wnid


def test_lines_of_one_class_are_gathered_two_thousand_at_most() -> None:
    gatherer = Gatherer()
    given = [piece for number in range(4500) for piece in gatherer.add(b"a", b"%d" % number)]
    given += gatherer.add(b"b", b"x")
    given += gatherer.rest()
    assert [name for name, _ in given] == [b"a", b"a", b"a", b"b"]
    assert [piece.count(b"\n") for _, piece in given] == [2000, 2000, 500, 1]
    assert b"".join(piece for _, piece in given) == b"".join(b"%d\n" % n for n in range(4500)) + b"x\n"
    assert list(gatherer.rest()) == []


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
        (b"n\0000\0", "utf-16-le"),
        (b"\0n\0000", "utf-16-be"),
        (b"n\0", None),
        (b"n0", None),
        (b"\0\0\0\0", None),
        (b"n\0" * 31 + b"n0", None),
        (b"n\0" * 32 + b"n0", "utf-16-le"),  # behind what is looked at
        (b"", None),
    ],
)
def test_a_kind_of_utf16_is_known_by_its_start(start: bytes, kind: str | None) -> None:
    assert utf16(start) == kind


def test_lines_of_any_ends_and_encodings() -> None:
    assert decode_lines(b"\xef\xbb\xbfa\r\nb\nc\rd") == ["a", "b", "c", "d"]
    assert decode_lines("a\r\nb\nc\rd".encode("utf-16")) == ["a", "b", "c", "d"]
    assert decode_lines(b"caf\xe9\ncaf\xc3\xa9") == ["café", "café"]
    assert decode(b"\xc3\xa9") == decode(b"\xe9") == "é"


def test_a_stream_is_looked_at_before_it_is_read() -> None:
    data = b"line\n" * 40_000
    stream = Stream(io.BytesIO(data))
    assert len(stream.sample) == SAMPLE
    assert not stream.whole
    assert first_lines(stream, 3) == [b"line"] * 3
    assert b"".join(iter(lambda: stream.read(999), b"")) == data
    small = Stream(io.BytesIO(b"\xef\xbb\xbfa\rb\r\rlast"))
    assert small.whole
    assert first_lines(small, 9) == [b"a", b"b", b"last"]
    assert small.read_all(4) == b"a\nb\n"
    assert small.read_all(99) == b"\nlast"
    assert small.read_all(99) == b""


def test_the_last_of_the_first_lines_of_a_long_list_may_not_be_whole_and_is_left_out() -> None:
    data = b"x" * (SAMPLE - 10) + b"\n" + b"y" * 50
    assert first_lines(Stream(io.BytesIO(data)), 9) == [b"x" * LONGEST_LINE]


def test_blocks_are_of_whole_lines_and_an_endless_one_is_cut() -> None:
    data = b"first\n" + b"z" * 3_000_000 + b"\nlast"
    found = list(lines(io.BytesIO(data)))
    assert [line[:5] for line in found] == [b"first", b"zzzzz", b"last"]
    assert len(found[1]) == LONGEST_LINE
    assert all(block.endswith(b"\n") for block in list(blocks(io.BytesIO(data)))[:-1])
    assert list(lines(io.BytesIO(b"a\r\n\nb"))) == [b"a", b"", b"b"]
    assert list(blocks(io.BytesIO(b""))) == []


def test_oddities_are_counted_by_kind_with_the_first_of_each() -> None:
    odd = Oddities()
    odd.add(Oddity.NO_CLASS, "one\x1b\n two " + "x" * 200)
    odd.add(Oddity.BROKEN, "b", 3)
    odd.add(Oddity.NO_CLASS, "other", 4)
    found = {one.kind: (one.lines, one.example) for one in odd.lines()}
    assert found[Oddity.BROKEN] == (3, "b")
    number, example = found[Oddity.NO_CLASS]
    assert number == 5
    assert example.startswith("one\N{REPLACEMENT CHARACTER} two xxx")
    assert len(example) == 120
    assert [one.kind for one in odd.lines()] == [kind for kind in Oddity if kind in found]
    assert Oddities().lines() == ()
