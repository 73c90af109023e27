"""Which answers look alike."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from scraper.model import Hop, Outcome, Reply
from scraper.running.looks import look_of

if TYPE_CHECKING:
    from scraper.model import Look

URL = "https://farm1.static.flickr.com/1/2_ab.jpg"


def page(title: str, rest: str = "", status: int = 200, url: str = URL, *hops: Hop) -> Look | None:
    body = f"<html><head><title>{title}</title></head><body>{rest}</body></html>".encode()
    outcome = Outcome.NOT_IMAGE if status == 200 else Outcome.FORBIDDEN
    return look_of(Reply(url, status, body, len(body), hops=hops), outcome, str(hash(body)))


def key(look: Look | None) -> str:
    assert look is not None
    return look.key


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (page("Login"), page("Login", "number 17")),
        (page("Login for http://a/1.jpg"), page("LOGIN for http://b/2.jpg")),
        (page("Error 4711"), page("Error 12")),
        (page("Reference a81f"), page("Reference 77c9e1")),
        (page("", "<p>1</p>"), page("", "<p>2</p>")),
        (page("Access denied", "#1", 403), page("Forbidden", "#2", 403)),
    ],
)
def test_copies_of_one_page_are_alike(first: Look | None, second: Look | None) -> None:
    assert key(first) == key(second)


def test_other_pages_are_not() -> None:
    looks = [
        page("Login"),
        page("A photo of mine"),
        page("", "<p>1</p>"),
        page("", "<p>1</p><p>2</p>"),
        page("Login", status=403),
        page("Login", status=401),
        look_of(Reply(URL, 200), Outcome.NOT_IMAGE),
        look_of(Reply(URL, 200, b"\x89PNG", 4), Outcome.TRUNCATED, "a" * 64),
        look_of(Reply(URL, 200, b"\x89PNG\r", 5), Outcome.TRUNCATED, "b" * 64),
        look_of(Reply(URL, 400, b""), Outcome.BAD_STATUS),
    ]
    for first, second in combinations(looks, 2):
        assert key(first) != key(second)


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (page("Guest Wi-Fi\n login"), "the page 'Guest Wi-Fi login'"),
        (page("A &amp; B"), "the page 'A & B'"),
        (page("\x1b[31mred"), "the page '\N{REPLACEMENT CHARACTER}[31mred'"),
        (
            page("Login", "", 200, "https://portal.example/in?from=x", Hop(URL, 302, "https://portal.example/in")),
            "the page 'Login' at portal.example",
        ),
        (page("", "", 403), "403 Forbidden"),
        (page("Forbidden", "", 403), "403 Forbidden"),
        (page("Access denied", "", 403), "403 Forbidden, the page 'Access denied'"),
        (look_of(Reply(URL, 999), Outcome.BAD_STATUS), "999"),
        (look_of(Reply(URL, 200), Outcome.NOT_IMAGE), "an empty body"),
        (look_of(Reply(URL, 404), Outcome.GONE), "404 Not Found"),
        (
            look_of(Reply("http://10.0.0.1/login?a=b", hops=(Hop(URL, 302, "x"),)), Outcome.BLOCKED),
            "a redirect to 10.0.0.1/login",
        ),
    ],
)
def test_a_look_is_told_in_words(look: Look | None, words: str) -> None:
    assert look is not None
    assert look.words == words


def test_what_a_host_says_of_its_own_accord() -> None:
    assert [
        look and look.usual
        for look in (
            look_of(Reply(URL, 404), Outcome.GONE),
            look_of(Reply(URL, 410), Outcome.GONE),
            look_of(Reply(URL, 302), Outcome.PLACEHOLDER),
            page("Login"),
            page("", "", 403),
        )
    ] == [True, True, True, False, False]


@pytest.mark.parametrize(
    "outcome",
    [Outcome.SAVED, Outcome.DUPLICATE, Outcome.TIMEOUT, Outcome.THROTTLED, Outcome.SERVER_ERROR, Outcome.BLOCKED],
)
def test_pictures_and_silence_have_no_look(outcome: Outcome) -> None:
    assert look_of(Reply(URL, 200, b"x"), outcome) is None


def test_a_picture_that_opts_out_has_no_look_and_a_page_that_does_has_one() -> None:
    assert look_of(Reply(URL, 200, b"\xff\xd8\xff\xe0JFIF"), Outcome.OPTED_OUT) is None
    assert look_of(Reply(URL, 200, b"<title>Login</title>"), Outcome.OPTED_OUT) is not None
