"""The command line before Fire sees it, and the values after."""

from __future__ import annotations

import pytest

from scraper.cli.arguments import check, number, redacted, size, whole
from scraper.errors import InputError


def gather(
    *wnids: str,
    n: str = "10",
    threads: str = "8",
    max_bytes: str = "20MB",
    shuffle: str | None = None,
    top_up: bool = True,
    allow_private: bool = False,
) -> int:
    """A command with words, values and booleans."""
    del wnids, n, threads, max_bytes, shuffle, top_up, allow_private
    return 0


def wordless(*, threads: str = "8", notes: bool = False) -> int:
    """A command without words and without -n."""
    del threads, notes
    return 0


def refusal(*argv: str) -> str:
    """The message for a command line that is refused."""
    with pytest.raises(InputError) as caught:
        check(argv, gather)
    assert caught.value.exit_code == 2
    return str(caught.value)


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
    assert check(argv, gather) == words


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
        check([word], wordless)


def test_a_flag_of_another_command_is_unknown() -> None:
    for flag in ("-n10", "-n=10", "--top-up"):
        with pytest.raises(InputError, match="unknown flag"):
            check([flag], wordless)


def test_a_flag_that_begins_with_no_is_itself() -> None:
    assert check(["--notes"], wordless) == ["--notes=True"]
    assert check(["--no-notes"], wordless) == ["--notes=False"]


def test_what_is_checked_is_not_changed() -> None:
    argv = ["n01440764", "-n", "5"]
    check(argv, gather)
    assert argv == ["n01440764", "-n", "5"]


# --- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("10", 10), ("+5", 5), ("-3", -3), ("007", 7)])
def test_whole_numbers(text: str, value: int) -> None:
    assert whole("-n", text) == value


@pytest.mark.parametrize(
    "text",
    ["", " ", "ten", "1.0", "1e3", "1,000", "1_000", "0x10", "None", "True", "[1]", "١٢", "1\n", "--1", "9" * 30],
)
def test_what_is_no_whole_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match=r"^-n must be a whole number"):
        whole("-n", text)


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1.0), ("1.33", 1.33), (".5", 0.5), ("2.", 2.0), ("-1.5", -1.5), ("+1", 1.0)]
)
def test_numbers(text: str, value: float) -> None:
    assert number("--oversample", text) == value


@pytest.mark.parametrize(
    "text", ["", ".", "1,33", "1e3", "nan", "inf", "-inf", "1_0", "1.2.3", "0x1", "True", "1 ", "\u0661"]
)
def test_what_is_no_number_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match=r"^--oversample must be a number"):
        number("--oversample", text)


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
    assert size("--max-bytes", text) == value


@pytest.mark.parametrize(
    "text", ["", "MB", "-1", "1TB", "1iB", "1e6", "1,5MB", "20 M B", "20MBB", "x20MB", "1.MB", ".5MB", "inf", "None"]
)
def test_what_is_no_size_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match=r"^--max-bytes must be a size"):
        size("--max-bytes", text)


# --- the record -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "recorded"),
    [
        ("--proxy=http://me:secret@proxy.example:3128", "--proxy=http://***@proxy.example:3128"),
        ("http://me:secret@proxy.example:3128", "http://***@proxy.example:3128"),
        ("https://token@host.example/{wnid}", "https://***@host.example/{wnid}"),
        ("--proxy=http://proxy.example:3128", "--proxy=http://proxy.example:3128"),
        ("https://host.example/a@b/{wnid}", "https://host.example/a@b/{wnid}"),
        ("someone@example.org", "someone@example.org"),
        ("n01440764", "n01440764"),
    ],
)
def test_passwords_do_not_reach_the_record(word: str, recorded: str) -> None:
    assert redacted(["plan", word, "x"]) == ["plan", recorded, "x"]


def test_a_password_with_an_at_sign_does_not_reach_the_record() -> None:
    assert redacted(["--proxy=http://me:p@ss@proxy:1"]) == ["--proxy=http://***@proxy:1"]


def test_a_size_beyond_all_numbers_is_refused() -> None:
    with pytest.raises(InputError):
        size("--max-bytes", "9" * 400)


@pytest.mark.parametrize("flag", ["---threads", "----threads"])
def test_too_many_dashes_are_unknown(flag: str) -> None:
    with pytest.raises(InputError):
        check([flag, "3"], gather)


def test_a_size_with_a_fraction_is_not_rounded_down() -> None:
    assert size("--max-bytes", "1.001KB") == 1001
