"""Passwords do not reach the record."""

from __future__ import annotations

import pytest

from scraper.texts import one_line, redacted, redacted_words


@pytest.mark.parametrize(
    ("word", "recorded"),
    [
        ("--proxy=http://me:secret@proxy.example:3128", "--proxy=http://***@proxy.example:3128"),
        ("--proxy=http://me:p@ss@proxy:1", "--proxy=http://***@proxy:1"),
        ("--proxy=http://me:p/s#s@proxy:1", "--proxy=http://***@proxy:1"),
        ("--proxy=http://me:p://s@proxy:1", "--proxy=http://***@proxy:1"),
        ("--proxy=me:p://s@proxy:1", "--proxy=***@proxy:1"),
        ("--proxy=me:secret@proxy.example", "--proxy=***@proxy.example"),
        ("http://me:secret@proxy.example:3128", "http://***@proxy.example:3128"),
        ("http://me:sec/ret@proxy.example:3128", "http://***@proxy.example:3128"),
        ("https://token@host.example/{wnid}", "https://***@host.example/{wnid}"),
        ("--proxy=http://proxy.example:3128", "--proxy=http://proxy.example:3128"),
        ("https://host.example/a@b/{wnid}", "https://host.example/a@b/{wnid}"),
        ("https://host.example:8080/a@b/{wnid}", "https://host.example:8080/a@b/{wnid}"),
        ("someone@example.org", "someone@example.org"),
        ("n01440764", "n01440764"),
    ],
)
def test_passwords_do_not_reach_the_record(word: str, recorded: str) -> None:
    assert redacted_words(["plan", word, "x"]) == ["plan", recorded, "x"]


def test_a_proxy_named_in_a_word_of_its_own_does_not_either() -> None:
    words = ["fetch", "--proxy", "me:s3/cr3t@proxy.example:3128", "me:this@is.shown"]
    assert redacted_words(words) == ["fetch", "--proxy", "***@proxy.example:3128", "me:this@is.shown"]


def test_a_sentence_keeps_all_but_the_password() -> None:
    said = "no connection to http://me:hunter2@proxy.example:3128/ (see https://www.flickr.com/photos/12@N00/3)"
    assert redacted(said) == (
        "no connection to http://***@proxy.example:3128/ (see https://www.flickr.com/photos/12@N00/3)"
    )


@pytest.mark.parametrize(
    ("text", "most", "line"),
    [
        ("abcde", 5, "abcde"),
        ("abcdef", 5, "abcd…"),
        (" a \n b\tc ", 9, "a b c"),
        ("a\x1bb", 9, "a\N{REPLACEMENT CHARACTER}b"),
        (" " * 19 + "a", 5, "a"),
        (" " * 20 + "a", 5, ""),  # no more is looked at
    ],
)
def test_a_text_on_one_line(text: str, most: int, line: str) -> None:
    assert one_line(text, most) == line


def test_a_line_is_of_three_hundred_characters_where_nothing_is_said() -> None:
    assert one_line("x" * 300) == "x" * 300
    assert one_line("x" * 301) == "x" * 299 + "…"


def test_a_proxys_scheme_is_kept_whatever_its_case() -> None:
    assert redacted_words(["--proxy=HTTP://me:a=b@proxy:1"]) == ["--proxy=HTTP://***@proxy:1"]
