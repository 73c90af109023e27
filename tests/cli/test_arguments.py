"""The command line before Fire sees it, and the values after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from scraper.cli.arguments import checked
from scraper.errors import InputError
from scraper.kinds import Flag, Size, Text, Whole
from scraper.options import Options, option

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather(Options):
    """The options of a command that takes words too."""

    n: int = option(10, Whole(1, 100), "how many")
    threads: int = option(8, Whole(1, 100), "at once", was=("workers",))
    max_bytes: int = option(20_000_000, Size(1, 2**31), "how large")
    shuffle: str | None = option(None, Text("SEED"), "in which order")
    top_up: bool = option(default=True, kind=Flag(), help="more")
    allow_private: bool = option(default=False, kind=Flag(), help="everywhere")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wordless(Options):
    """The options of a command that takes no words and has no -n."""

    threads: int = option(8, Whole(1, 100), "at once")
    notes: bool = option(default=False, kind=Flag(), help="notes")


def check(argv: Sequence[str], options: type[Options]) -> list[str]:
    """The words of a command with these options."""
    return checked(argv, dict(options.flags()), command="gather", takes_words=options is Gather)


def refusal(*argv: str) -> str:
    """The message for a command line that is refused."""
    with pytest.raises(InputError) as caught:
        check(argv, Gather)
    assert caught.value.exit_code == 2
    return caught.value.as_typed


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ([], []),
        (["n01440764", "n02123045"], ["n01440764", "n02123045"]),
        (["-n", "10"], ["--n=10"]),
        (["-n10"], ["--n=10"]),
        (["-n=10"], ["--n=10"]),
        (["--threads", "3"], ["--threads=3"]),
        (["--threads=3"], ["--threads=3"]),
        (["--max-bytes", "1MB"], ["--max_bytes=1MB"]),
        (["--max_bytes=1MB"], ["--max_bytes=1MB"]),
        (["--shuffle=a=b"], ["--shuffle=a=b"]),
        (["--shuffle", "a=b"], ["--shuffle=a=b"]),
        (["--shuffle", "None"], ["--shuffle=None"]),
        (["--shuffle=-x"], ["--shuffle=-x"]),
        (["--shuffle", "-1.5"], ["--shuffle=-1.5"]),
        (["n01440764", "-n", "5", "n02123045"], ["n01440764", "n02123045", "--n=5"]),
        (["__class__"], ["__class__"]),
        (["--top-up"], ["--top_up=True"]),
        (["--top-up=True"], ["--top_up=True"]),
        (["--top-up=False"], ["--top_up=False"]),
        (["--top_up=false"], ["--top_up=False"]),
        (["--top-up=0"], ["--top_up=False"]),
        (["--top-up=no"], ["--top_up=False"]),
        (["--no-top-up"], ["--top_up=False"]),
        (["--no_top_up"], ["--top_up=False"]),
        (["--notop-up"], ["--top_up=False"]),
        (["--no-allow-private"], ["--allow_private=False"]),
        (["--allow-private", "n01440764"], ["n01440764", "--allow_private=True"]),
        (["--allow-private", "False"], ["False", "--allow_private=True"]),
    ],
    ids=" ".join,
)
def test_words_and_flags_take_one_plain_form(argv: list[str], words: list[str]) -> None:
    assert check(argv, Gather) == words


@pytest.mark.parametrize(
    ("flag", "meant"),
    [
        ("--thread", "--threads"),
        ("--thread=32", "--threads"),
        ("--Threads", "--threads"),
        ("--treads", "--threads"),
        ("-threads", "--threads"),
        ("--maxbytes", "--max-bytes"),
        ("--max-byte", "--max-bytes"),
        ("--topup", "--top-up"),
        ("--alow-private", "--allow-private"),
    ],
)
def test_an_unknown_flag_is_refused_with_what_may_have_been_meant(flag: str, meant: str) -> None:
    message = refusal(flag, "3")
    assert f"unknown flag {flag.partition('=')[0]} (did you mean {meant}?)" in message
    assert "scraper gather --help" in message


@pytest.mark.parametrize(
    "flag", ["--zzzzzz", "-x", "-x3", "--no-threads", "--__class__", "--wnids", "--=3", "---", "--no-", "-0"]
)
def test_other_unknown_flags_are_refused(flag: str) -> None:
    assert "unknown flag" in refusal(flag)


def test_an_unknown_flag_is_refused_wherever_it_stands() -> None:
    for argv in (["--nope", "n01440764", "-n", "3"], ["n01440764", "-n", "3", "--nope"], ["n01440764", "--nope=1"]):
        assert "unknown flag --nope" in refusal(*argv)


@pytest.mark.parametrize(
    "argv",
    [
        ["--threads"],
        ["n01440764", "--threads"],
        ["--threads="],
        ["--threads", ""],
        ["--threads", "--shuffle", "x"],
        ["--threads", "-n", "3"],
        ["--threads", "--"],
        ["--threads", "-"],
    ],
    ids=" ".join,
)
def test_a_flag_without_its_value_is_refused(argv: list[str]) -> None:
    assert "--threads needs a value" in refusal(*argv)


@pytest.mark.parametrize("argv", [["-n"], ["-n="], ["-n", "--threads", "3"]], ids=" ".join)
def test_n_without_its_value_is_refused(argv: list[str]) -> None:
    assert "-n needs a value" in refusal(*argv)


@pytest.mark.parametrize(
    ("argv", "name"),
    [
        (["-n", "1", "-n", "2"], "-n"),
        (["-n1", "-n=1"], "-n"),
        (["--threads=1", "--threads", "1"], "--threads"),
        (["--max-bytes", "1", "--max_bytes", "2"], "--max-bytes"),
        (["--top-up", "--no-top-up"], "--top-up"),
        (["--top-up", "--top-up"], "--top-up"),
    ],
)
def test_a_flag_given_twice_is_refused(argv: list[str], name: str) -> None:
    assert f"{name} is given twice" in refusal(*argv)


@pytest.mark.parametrize("argv", [["-"], ["--"], ["n01440764", "--", "--interactive"], ["n01440764", "-", "x"]])
def test_the_separators_of_fire_are_refused(argv: list[str]) -> None:
    assert "unexpected argument" in refusal(*argv)


@pytest.mark.parametrize("value", ["maybe", "2", "", "Tru", "[1]", "None"])
def test_a_boolean_is_true_or_false(value: str) -> None:
    assert "--top-up is True or False" in refusal(f"--top-up={value}")


@pytest.mark.parametrize("word", ["n01440764", "x", "-", "--", ""])
def test_a_command_without_words_takes_none(word: str) -> None:
    with pytest.raises(InputError, match="unexpected argument"):
        check([word], Wordless)


def test_a_flag_of_another_command_is_unknown() -> None:
    for flag in ("-n10", "-n=10", "--top-up"):
        with pytest.raises(InputError, match="unknown flag"):
            check([flag], Wordless)


def test_a_flag_that_begins_with_no_is_itself() -> None:
    assert check(["--notes"], Wordless) == ["--notes=True"]
    assert check(["--no-notes"], Wordless) == ["--notes=False"]


def test_what_is_checked_is_not_changed() -> None:
    argv = ["n01440764", "-n", "5"]
    check(argv, Gather)
    assert argv == ["n01440764", "-n", "5"]


@pytest.mark.parametrize("flag", ["---threads", "----threads"])
def test_too_many_dashes_are_unknown(flag: str) -> None:
    with pytest.raises(InputError):
        check([flag, "3"], Gather)


def test_a_flag_that_was_called_otherwise_is_refused_with_its_name_now() -> None:
    assert "unknown flag --workers, which is --threads now: --threads NUMBER" in refusal("--workers", "3")
