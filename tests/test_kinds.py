"""Text from a command line, and values from Python, as the values that were meant."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scraper.kinds import Choice, Choices, Domains, FilePath, Flag, Number, Size, Text, Texts, Whole
from scraper.model import Check, Outcome
from scraper.web.options import ConnectToRules

if TYPE_CHECKING:
    from scraper.kinds import Kind

WHOLE = Whole(-5, 100)
NUMBER = Number(-100, 100)
SIZE = Size(1, 2**31)


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("10", 10), ("+5", 5), ("-3", -3), ("007", 7)])
def test_whole_numbers(text: str, value: int) -> None:
    assert WHOLE.take(text) == value


@pytest.mark.parametrize(
    "text",
    ["", " ", "ten", "1.0", "1e3", "1,000", "1_000", "0x10", "None", "True", "[1]", "١٢", "1\n", "--1", "9" * 30],
)
def test_what_is_no_whole_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a whole number"):
        WHOLE.take(text)


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1.0), ("1.33", 1.33), (".5", 0.5), ("2.", 2.0), ("-1.5", -1.5), ("+1", 1.0)]
)
def test_numbers(text: str, value: float) -> None:
    assert NUMBER.take(text) == value


@pytest.mark.parametrize(
    "text", ["", ".", "1,33", "1e3", "nan", "inf", "-inf", "1_0", "1.2.3", "0x1", "True", "1 ", "\u0661"]
)
def test_what_is_no_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a number"):
        NUMBER.take(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("500000", 500_000),
        ("20MB", 20_000_000),
        ("20mb", 20_000_000),
        ("20 MB", 20_000_000),
        ("20M", 20_000_000),
        ("1k", 1_000),
        ("1KB", 1_000),
        ("1KiB", 1_024),
        ("20MiB", 20_971_520),
        ("1.5 KiB", 1_536),
        ("2GB", 2_000_000_000),
        ("1GiB", 1_073_741_824),
        ("0.5kB", 500),
        ("7B", 7),
        (" 7 B ", 7),
    ],
)
def test_sizes(text: str, value: int) -> None:
    assert SIZE.take(text) == value


@pytest.mark.parametrize(
    "text", ["", "MB", "-1", "1TB", "1iB", "1e6", "1,5MB", "20 M B", "20MBB", "x20MB", "1.MB", ".5MB", "inf", "None"]
)
def test_what_is_no_size_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a size"):
        SIZE.take(text)


def test_a_size_beyond_all_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a size"):
        SIZE.take("9" * 400)


def test_a_size_with_a_fraction_is_not_rounded_down() -> None:
    assert SIZE.take("1.001KB") == 1001


@pytest.mark.parametrize("given", [True, None, 1.0, [1]])
def test_what_is_no_whole_number_in_python_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match=r"^must be a whole number, not"):
        WHOLE.take(given)


@pytest.mark.parametrize("given", [-6, 101, "101"])
def test_bounds_hold_whoever_gives_a_number(given: object) -> None:
    with pytest.raises(ValueError, match=r"^must be from -5 to 100, not"):
        WHOLE.take(given)


@pytest.mark.parametrize("given", [math.nan, math.inf, -math.inf, 101, -100.5])
def test_numbers_are_finite_and_within_their_bounds(given: float) -> None:
    with pytest.raises(ValueError, match=r"^must be -100 to 100, not"):
        NUMBER.take(given)


def test_a_bound_may_be_excluded() -> None:
    rate = Number(0, 10, "requests a second", above=True)
    assert rate.take("0.1") == 0.1
    with pytest.raises(ValueError, match=r"^must be in requests a second, above 0 and up to 10, not 0$"):
        rate.take(0)


RETRY = Choices(Outcome, frozenset({Outcome.GONE, Outcome.FORBIDDEN}), "which is no failure")
KINDS: list[tuple[Kind[Any], str, object]] = [
    (WHOLE, "7", 7),
    (NUMBER, "1.50", 1.5),
    (NUMBER, "30", 30.0),
    (SIZE, "20MB", 20_000_000),
    (SIZE, "1025", 1025),
    (Text(), "x", "x"),
    (Flag(), "yes", True),
    (FilePath(Path), "a/b", Path("a/b")),
    (Choice(Check), " Header ", Check.HEADER),
    (RETRY, "gone, forbidden,gone", frozenset({Outcome.GONE, Outcome.FORBIDDEN})),
    (Domains(), "Flickr.com.,example.org", ("flickr.com", "example.org")),
    (ConnectToRules(), ":443:[::1]:8443,a.example:80::", ConnectToRules().take(":443:[::1]:8443,a.example:80::")),
]


@pytest.mark.parametrize(("kind", "text", "value"), KINDS)
def test_a_value_is_written_as_text_that_is_read_as_that_value(kind: Kind[Any], text: str, value: object) -> None:
    assert kind.take(text) == value
    assert kind.take(value) == value
    assert kind.take(kind.text(value)) == value


def test_a_choice_that_makes_no_sense_is_refused_with_the_reason() -> None:
    with pytest.raises(ValueError, match=r"^cannot be saved, which is no failure$"):
        RETRY.take("gone,saved")
    with pytest.raises(ValueError, match=r"^must be one of saved, .*, not 'dead'$"):
        RETRY.take(["dead"])


@pytest.mark.parametrize(
    ("given", "value"),
    [
        *((text, True) for text in ("true", "yes", "1", "on", "Yes")),
        *((text, False) for text in ("false", "no", "0", "off", "OFF")),
        (True, True),
        (False, False),
    ],
)
def test_every_word_of_a_flag(given: object, value: bool) -> None:
    assert Flag().take(given) is value


@pytest.mark.parametrize("given", ["maybe", "", "2", 2, None])
def test_what_is_no_flag_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match=f"^is True or False, not {given!r}$"):
        Flag().take(given)


@pytest.mark.parametrize(("kind", "low", "high"), [(WHOLE, -5, 100), (NUMBER, -100, 100), (SIZE, 1, 2**31)])
def test_the_bounds_are_within_them(kind: Kind[Any], low: int, high: int) -> None:
    assert (kind.take(low), kind.take(high)) == (low, high)
    for beyond in (low - 1, high + 1):
        with pytest.raises(ValueError, match=r"^must be "):
            kind.take(beyond)


def test_what_is_beyond_the_bounds_of_a_size_is_told_in_bytes() -> None:
    with pytest.raises(ValueError, match=r"^must be from 1 to 2,147,483,648 bytes, not 3GB$"):
        SIZE.take("3GB")


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (SIZE, 20_000_000, "20MB"),
        (SIZE, 2_000_000_000, "2GB"),
        (SIZE, 1500, "1500"),
        (SIZE, 15_000, "15kB"),
        (SIZE, 1_500_000, "1500kB"),
        (NUMBER, 30.0, "30"),
        (NUMBER, 1.33, "1.33"),
        (NUMBER, 0.05, "0.05"),
        (Texts(), ("a", "b c"), "a,b c"),
    ],
)
def test_values_as_text_that_is_read_as_the_same(kind: Kind[Any], value: object, text: str) -> None:
    assert kind.text(value) == text
    assert kind.take(text) == value


def test_texts_by_commas_or_as_a_collection() -> None:
    assert Texts().take("a, b ,,c") == Texts().take(["a", "b", "c"]) == ("a", "b", "c")
    assert Texts().take([]) == ()
    for nothing in ("", " , "):
        with pytest.raises(ValueError, match=r"^names nothing$"):
            Texts().take(nothing)
    with pytest.raises(ValueError, match=r"^must be a list, not 7$"):
        Texts().take(7)


@pytest.mark.parametrize("path", ["x" * 255, "a/" + "é" * 127, "/".join(["y" * 99] * 40), "a//b"])
def test_paths_that_some_file_may_have(path: str) -> None:
    assert FilePath(Path).take(path) == Path(path)


@pytest.mark.parametrize("path", ["x" * 256, "a/" + "é" * 128, "/".join(["y" * 99] * 41)])
def test_paths_that_no_file_has(path: str) -> None:
    with pytest.raises(ValueError, match=r"^must be a path of up to 4000 bytes, and each name in it of 255$"):
        FilePath(Path).take(path)


@pytest.mark.parametrize("given", ["", "a\0b", 7, None, b"a"])
def test_what_is_no_path_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match=r"^must be a path, not "):
        FilePath(Path).take(given)


@pytest.mark.parametrize("given", [True, 1.5, None])
def test_what_is_no_text_is_refused(given: object) -> None:
    with pytest.raises(ValueError, match=f"^must be text, not {given!r}$"):
        Text().take(given)
