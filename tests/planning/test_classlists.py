"""Lists of classes: every form the contract allows is read, every other line is named with its number."""

from __future__ import annotations

import re

import pytest

from scraper.errors import InputError
from scraper.planning.classlists import decode_lines, is_wnid, parse_class, read_classes


def read(data: bytes) -> list[tuple[str, str | None]]:
    """The (wnid, label) pairs of an input's bytes."""
    return [(one.wnid, one.label) for one in read_classes(decode_lines(data), origin="a list").classes]


def complaint(data: bytes) -> str:
    """The message that refuses an input's bytes."""
    with pytest.raises(InputError) as caught:
        read_classes(decode_lines(data), origin="a list")
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
        "N01440764",
        "n01440764;tench",
        "n01440764tench",
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
    found = read_classes(["n01440764", "n01443537", "n01440764,tench", "# n01440764", "n01440764"], origin="a list")
    assert [one.wnid for one in found.classes] == ["n01440764", "n01443537"]
    assert found.repeated == 2


def test_the_first_label_given_for_a_class_is_kept() -> None:
    found = read_classes(["n01440764", "n01440764,tench", "n01440764,other"], origin="a list")
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
