"""Lists of classes: every form the contract allows is read, every other line is named with its number."""

from __future__ import annotations

import re

import pytest

from scraper.errors import InputError
from scraper.planning.classlines import is_wnid, parse_class
from scraper.planning.classlists import Unread, read_classes, read_input, refuse_unread
from tests.conftest import TENCH


def read(data: bytes) -> list[tuple[str, str | None]]:
    """The (wnid, label) pairs of an input's bytes."""
    found = read_input(data)
    assert found.unread == ()
    return [(one.wnid, one.label) for one in found.classes]


def complaint(data: bytes) -> str:
    """The message that refuses an input's bytes."""
    with pytest.raises(InputError) as caught:
        refuse_unread(read_input(data), "a list")
    return str(caught.value)


@pytest.mark.parametrize("text", ["n00000000", "n01440764", "n99999999"])
def test_n_and_eight_digits_is_a_wnid(text: str) -> None:
    assert is_wnid(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "n",
        "n0144076",
        "n014407640",
        "N01440764",
        "v01440764",
        "01440764",
        "n01440764\n",
        " n01440764",
        "n\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
    ],
)
def test_anything_else_is_no_wnid(text: str) -> None:
    assert not is_wnid(text)


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("n01440764", None),
        ("tench,n01440764", "tench"),
        ("n01440764,tench", "tench"),
        ("n01440764 tench", "tench"),
        ("n01440764\ttench", "tench"),
        ("tench\tn01440764", "tench"),
        ("  n01440764  ", None),
        ("n01440764 , tench ", "tench"),
        ("tench, n01440764", "tench"),
        ("n01440764 \t tench", "tench"),
        ("n01440764  great white shark", "great white shark"),
        ("great white shark,n01440764", "great white shark"),
        ("n01440764,tench, Tinca tinca", "tench, Tinca tinca"),
        ("tench, Tinca tinca,n01440764", "tench, Tinca tinca"),
        ("n01440764 tench, Tinca tinca", "tench, Tinca tinca"),
        ("n01440764\ttench, Tinca tinca", "tench, Tinca tinca"),
        ('"tench, Tinca tinca",n01440764', "tench, Tinca tinca"),
        ('n01440764,"tench, Tinca tinca"', "tench, Tinca tinca"),
        ("n01440764,jack-o'-lantern", "jack-o'-lantern"),
        ("n01440764,", None),
        (",n01440764", None),
        ("n01440764,Dalmatiner ñandú", "Dalmatiner ñandú"),
        # spreadsheets
        ("n01440764;tench", "tench"),
        ("tench;n01440764", "tench"),
        ("n01440764|tench", "tench"),
        ("n01440764: tench", "tench"),
        ('"n01440764","tench"', "tench"),
        ('"n01440764";"tench, Tinca tinca"', "tench, Tinca tinca"),
        ('"tench";"n01440764"', "tench"),
        ('"the ""tench""",n01440764', 'the "tench"'),
        ("0,n01440764,tench", "tench"),
        ("0;n01440764;tench", "tench"),
        ("0 n01440764 tench", "tench"),
        ("n01440764,tench,1296,800", "tench"),
        ("0,n01440764", None),
        ("n01440764,0", None),
        # ImageNet's own lists
        ("n01440764 1 tench", "tench"),
        ("n01440764 449 kit_fox", "kit_fox"),
        ("n01440764_10026,n01440764 115 49 448 294", None),
        # files and folders
        ("N01440764", None),
        ("n01440764_10026", None),
        ("n01440764_10026.JPEG", None),
        ("n01440764_10026.JPEG 0", None),
        ("n01440764/n01440764_10026.JPEG", None),
        ("train/n01440764/n01440764_10026.JPEG 0", None),
        ("./n01440764/", None),
        ("/data/ImageNet/train/n01440764/my photo.jpg", None),
        (r"C:\data\train\n01440764", None),
        ("n01440764-tench", "tench"),
        ("n01440764-great_white_shark/", "great_white_shark"),
        ("n01440764.tar", None),
        ("n01440764.txt", None),
        ("lists/n01440764.txt.gz", None),
    ],
)
def test_a_line_gives_its_wnid_and_its_label(line: str, label: str | None) -> None:
    request = parse_class(line)
    assert request is not None
    assert (request.wnid, request.label) == ("n01440764", label)


@pytest.mark.parametrize(
    "line",
    [
        "tench",
        "n0144076",
        "n014407640",
        "x01440764",
        "n01440764tench",
        "n01440764_10026_3.JPEG",
        "n01440764/n01443537_10026.JPEG",
        "n01440764;n01443537",
        "n01440764 n01443537",
        "n01440764,n01443537",
        "n01440764\tn01443537",
        "n01440764 tench n01443537",
        "n01440764,tench,n01443537",
        "tench,n01440764,goldfish",
        "__class__",
        "--help",
    ],
)
def test_a_line_that_names_no_class_or_two_is_refused(line: str) -> None:
    assert parse_class(line) is None


@pytest.mark.parametrize(
    "data",
    [
        b"n01440764,tench\nn01443537,goldfish\n",
        b"n01440764,tench\r\nn01443537,goldfish\r\n",
        b"n01440764,tench\rn01443537,goldfish\r",
        b"n01440764,tench\nn01443537,goldfish",
        b"\xef\xbb\xbfn01440764,tench\r\nn01443537,goldfish\r\n",
        b"\n\n  \nn01440764,tench\n\t\nn01443537,goldfish\n\n",
        b"# my classes\nn01440764,tench\n   # n00000001\nn01443537,goldfish\n#",
        b"\xef\xbb\xbf# my classes\nn01440764,tench\nn01443537,goldfish\n",
    ],
    ids=["lf", "crlf", "cr", "no end", "bom", "blank lines", "comments", "bom and comment"],
)
def test_ends_blanks_comments_and_a_bom_make_no_difference(data: bytes) -> None:
    assert read(data) == [("n01440764", "tench"), ("n01443537", "goldfish")]


def test_labels_keep_their_letters_in_utf8_and_in_latin1() -> None:
    assert read("n01440764,Schleie für Élise".encode()) == [("n01440764", "Schleie für Élise")]
    assert read("n01440764,Schleie für Élise".encode("latin-1")) == [("n01440764", "Schleie für Élise")]


def test_an_empty_input_has_no_classes() -> None:
    assert read(b"") == []
    assert read(b"\xef\xbb\xbf\r\n# nothing\r\n") == []


def test_classes_keep_the_order_they_were_first_met_in() -> None:
    found = read(b"n00000009\nn00000001\nn00000005\nn00000009\n")
    assert [wnid for wnid, _ in found] == ["n00000009", "n00000001", "n00000005"]


def test_repeated_classes_are_folded_and_counted() -> None:
    found = read_classes(["n01440764", "n01443537", "n01440764,tench", "# n01440764", "n01440764"])
    assert [one.wnid for one in found.classes] == ["n01440764", "n01443537"]
    assert found.repeated == 2


def test_the_first_label_given_for_a_class_is_kept() -> None:
    found = read_classes(["n01440764", "n01440764,tench", "n01440764,other"])
    assert [(one.wnid, one.label) for one in found.classes] == [("n01440764", "tench")]


def test_every_bad_line_is_listed_with_the_number_it_has_in_the_input() -> None:
    message = complaint(b"# head\r\n\r\nn01440764\r\nfish\r\nn01443537\r\n0123\r\nn01440764 n01443537\r\n")
    assert re.findall(r"line (\d+): (.*)", message) == [("4", "fish"), ("6", "0123"), ("7", "n01440764 n01443537")]
    assert message.startswith("3 of the lines in a list")


def test_many_bad_lines_are_all_listed() -> None:
    message = complaint(b"".join(b"bad %d\n" % number for number in range(1, 201)))
    assert re.findall(r"line (\d+): bad (\d+)", message) == [(str(n), str(n)) for n in range(1, 201)]


def test_a_bad_line_is_shown_short_and_without_control_characters() -> None:
    message = complaint(b"\x1b[31mred\x07\x00" + b"x" * 10_000 + b"\n")
    assert "red" in message
    assert all(character.isprintable() or character == "\n" for character in message)
    assert len(message) < 500


def test_a_binary_input_is_refused_and_not_a_crash() -> None:
    assert "line 1:" in complaint(bytes(range(1, 10)) + bytes(range(128, 256)))


def test_line_separators_of_unicode_do_not_shift_the_numbers() -> None:
    assert "line 2: fish" in complaint("n01440764,a\u2028b\x0b\x85c\nfish\n".encode())


# --- tables, JSON, other encodings ------------------------------------------------------------------------------------

TWO = [("n01440764", "tench"), ("n01443537", "goldfish")]


@pytest.mark.parametrize(
    "text",
    [
        "wnid;label\nn01440764;tench\nn01443537;goldfish\n",
        "label;wnid\ntench;n01440764\ngoldfish;n01443537\n",
        '"wnid","label"\n"n01440764","tench"\n"n01443537","goldfish"\n',
        "Index\tSynset ID\tName\n0\tn01440764\ttench\n1\tn01443537\tgoldfish\n",
        "synid,class_name,urls,flickr_urls\nn01440764,tench,1296,800\nn01443537,goldfish,1309,712\n",
        "name,description,wnid\ntench,a fish,n01440764\ngoldfish,a small fish,n01443537\n",
        "id,wnid,label\n1,n01440764,tench\n2,n01443537,goldfish\n",
        "0,n01440764,tench\n1,n01443537,goldfish\n",
        "n01440764 1 tench\nn01443537 2 goldfish\n",
        '{"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]}',
        '{"n01440764": "tench", "n01443537": "goldfish"}',
        '{"tench": "n01440764", "goldfish": "n01443537"}',
        '{"n01440764": ["tench"], "n01443537": ["goldfish"]}',
        '[["n01440764", "tench"], ["n01443537", "goldfish"]]',
        '[{"wnid": "n01440764", "label": "tench"}, {"wnid": "n01443537", "label": "goldfish"}]',
        '{"wnid": "n01440764", "label": "tench"}\n{"wnid": "n01443537", "label": "goldfish"}\n',
        '{"classes": [{"id": "n01440764", "name": "tench", "n": 3}, {"id": "n01443537", "name": "goldfish", "n": 4}]}',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_table_is_read_whatever_wrote_it(text: str, encoding: str, end: str) -> None:
    assert read(text.replace("\n", end).encode(encoding)) == TWO


@pytest.mark.parametrize(
    "text",
    ['["n01440764", "n01443537"]', '{"n01440764": 0, "n01443537": 1}', '{"classes": ["n01440764", "n01443537"]}'],
)
def test_json_without_labels(text: str) -> None:
    assert read(text.encode()) == [("n01440764", None), ("n01443537", None)]


def test_lines_of_another_encoding_do_not_spoil_the_others() -> None:
    mixed = "n01440764,Élise\n".encode() + "n01443537,Élise\n".encode("latin-1")
    assert read(mixed) == [("n01440764", "Élise"), ("n01443537", "Élise")]


def test_what_names_no_class_by_its_wnid_is_given_out_with_its_place() -> None:
    found = read_input(b"wnid;label\n# fish\nn01440764;tench\ngoldfish;goldfish\ngreat white shark;\n")
    assert [one.wnid for one in found.classes] == ["n01440764"]
    assert found.unread == (Unread(4, "goldfish"), Unread(5, "great white shark"))
    found = read_classes(["n01440764", "great white shark"], place="argument")
    assert (found.unread, found.place) == ((Unread(2, "great white shark"),), "argument")
    found = read_input(b'["n01440764", "goldfish"]')
    assert (found.unread, found.place) == ((Unread(2, "goldfish"),), "entry")


def test_an_argument_is_not_called_a_line() -> None:
    with pytest.raises(InputError, match=r"^tench names no class") as caught:
        refuse_unread(read_classes(["tench"], place="argument"), "the arguments")
    assert "line" not in str(caught.value)
    with pytest.raises(InputError, match=r"argument 1: tench\n  argument 3: x$"):
        refuse_unread(read_classes(["tench", "n01440764", "x"], place="argument"), "the arguments")


@pytest.mark.parametrize(
    "data", [b"{", b"[" * 100_000, b'{"a": ' * 10_000, b"[1, 2]", b'{"wnid": null}', b"[[[[[[[[[]]]]]]]]]"]
)
def test_json_that_is_no_list_of_classes_is_refused_or_empty(data: bytes) -> None:
    found = read_input(data)
    assert found.classes == ()


@pytest.mark.parametrize(
    ("line", "label"),
    [
        ("n01440764", None),
        ('"n01440764"', None),
        ("n01440764 a big fish", "a big fish"),
        ("a big fish n01440764", "a big fish"),
        ('"a big fish" n01440764', "a big fish"),
        ('n01440764 " a big fish "', "a big fish"),
        ('n01440764 "', '"'),
        ("12 n01440764", None),
        ("n01440764 12", None),
        ("12 n01440764 a fish", "a fish"),
        ("n01440764 3 a fish", "3 a fish"),
        ("3,n01440764,a fish,7", "a fish"),
        ("a fish,n01440764,7", "a fish"),
        ("a,fish,n01440764", "a,fish"),
        ("n01440764_tench.tar", "tench"),
        ("n01440764 n01440764", None),
    ],
)
def test_a_class_and_its_label_in_a_line(line: str, label: str | None) -> None:
    found = read_classes([line])
    assert [(one.wnid, one.label) for one in found.classes] == [(TENCH, label)]
    assert found.unread == ()


@pytest.mark.parametrize("line", ["a fish n01440764 big", "n01440764 n01443537", "fish,n01440764,big", "12", '"'])
def test_lines_that_could_be_meant_otherwise_name_no_class(line: str) -> None:
    assert [one.text for one in read_classes([line]).unread] == [line]


def test_what_is_refused_is_told_with_its_place() -> None:
    what = "(a wnid is n and eight digits, as in n01440764; a label may stand before or after it)"
    long = "x" * 200
    for place, origin, words, said in (
        ("argument", "the arguments", ["12"], f"12 names no class {what}"),
        ("line", "a", ["12", TENCH, long], f"2 of the lines in a name no class {what}:\n  line 1: 12\n  line 3: x"),
        ("entry", "b", ["12"], f"1 of the entries in b name no class {what}:\n  entry 1: 12"),
    ):
        with pytest.raises(InputError) as error:
            refuse_unread(read_classes(words, place=place), origin)
        assert str(error.value).startswith(said)
        assert len(max(str(error.value).split("\n"), key=len)) < 160
    refuse_unread(read_classes([TENCH]), "nothing")
