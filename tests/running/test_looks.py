"""Which answers look alike."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from scraper.model import Outcome
from scraper.records import Hop, Reply
from scraper.running.looks import look_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from scraper.records import Look

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
        (lambda: page("Login"), lambda: page("Login", "number 17")),
        (lambda: page("Login for http://a/1.jpg"), lambda: page("LOGIN for http://b/2.jpg")),
        (lambda: page("Error 4711"), lambda: page("Error 12")),
        (lambda: page("Reference a81f"), lambda: page("Reference 77c9e1")),
        (lambda: page("", "<p>1</p>"), lambda: page("", "<P>2</P>")),
        (lambda: page("Access denied", "#1", 403), lambda: page("Forbidden", "#2", 403)),
        (lambda: raw(b"\xe9t\xe9"), lambda: raw("été".encode())),
        (lambda: look_of(Reply(URL, 404), Outcome.GONE), lambda: look_of(Reply(URL, 404, b"Sorry"), Outcome.GONE)),
        (lambda: led_to("https://portal.example/in?from=1"), lambda: led_to("https://portal.example/in#2")),
        (lambda: bytes_of(b"xyz", "a" * 64), lambda: bytes_of(b"xyz", "a" * 64)),
    ],
)
def test_copies_of_one_page_are_alike(first: Callable[[], Look | None], second: Callable[[], Look | None]) -> None:
    assert key(first()) == key(second())


def raw(title: bytes) -> Look | None:
    """The look of a page whose title is in some encoding."""
    return look_of(Reply(URL, 200, b"<TITLE>" + title + b"</TITLE>"), Outcome.NOT_IMAGE, "0" * 64)


def led_to(url: str) -> Look | None:
    """The look of what is no page, behind a redirect."""
    return look_of(Reply(url, 200, b"x", hops=(Hop(URL, 302, url),)), Outcome.NOT_IMAGE, "0" * 64)


def bytes_of(body: bytes, sha256: str | None) -> Look | None:
    return look_of(Reply(URL, 200, body, len(body)), Outcome.NOT_IMAGE, sha256)


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
        look_of(Reply(URL, 404, b""), Outcome.GONE),
        look_of(Reply(URL, 410, b""), Outcome.GONE),
        look_of(Reply(URL, 302), Outcome.PLACEHOLDER),
        look_of(Reply(URL, 302), Outcome.REDIRECT_ERROR),
        led_to("https://portal.example/in"),
        led_to("https://portal.example/out"),
        bytes_of(b"xyz", "c" * 64),
    ]
    for first, second in combinations(looks, 2):
        assert key(first) != key(second)


def test_a_picture_that_is_damaged_is_known_by_its_bytes_and_not_by_a_title_in_them() -> None:
    body = b"\x89PNG<title>Login</title>"
    look = look_of(Reply(URL, 200, body, len(body)), Outcome.TRUNCATED, "a" * 64)
    assert look is not None
    assert (look.key, look.words) == (f"bytes {'a' * 64}", "the same 24 bytes")


def test_what_is_like_no_other_has_no_key() -> None:
    assert key(look_of(Reply(URL, 200, oversize=True), Outcome.TOO_LARGE)) == ""
    assert key(bytes_of(b"x", None)) == ""
    assert key(look_of(Reply(URL, 200), Outcome.NOT_IMAGE)) == "empty"


PORTAL = "https://portal.example/in?from=x"


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (lambda: page("Guest Wi-Fi\n login"), "the page 'Guest Wi-Fi login'"),
        (lambda: page("A &amp; B"), "the page 'A & B'"),
        (lambda: raw(b"\xe9t\xe9"), "the page 'été'"),
        (lambda: page("\x1b[31mred"), "the page '\N{REPLACEMENT CHARACTER}[31mred'"),
        (lambda: page("x" * 300), f"the page '{'x' * 79}…'"),
        (lambda: page("", "<p>"), "a page without a title"),
        (lambda: page("Login", "", 200, PORTAL, Hop(URL, 302, PORTAL)), "the page 'Login' at portal.example"),
        (lambda: page("", "", 200, PORTAL, Hop(URL, 302, PORTAL)), "a redirect to portal.example/in"),
        (lambda: page("", "", 403), "403 Forbidden"),
        (lambda: page("Forbidden", "", 403), "403 Forbidden"),
        (lambda: page("Access denied", "", 403), "403 Forbidden, the page 'Access denied'"),
        (lambda: look_of(Reply(URL, 999), Outcome.BAD_STATUS), "999"),
        (lambda: look_of(Reply(URL, 200), Outcome.NOT_IMAGE), "an empty body"),
        (lambda: look_of(Reply(URL, 404), Outcome.GONE), "404 Not Found"),
        (lambda: look_of(Reply(URL, 302), Outcome.PLACEHOLDER), "the picture for deleted photos"),
        (lambda: look_of(Reply(URL, 302), Outcome.REDIRECT_ERROR), "a redirect that leads nowhere"),
        (lambda: led_to("https://a.example/go/http://b.example"), "a redirect to a.example/go/http://b.example"),
        (lambda: led_to(f"https://a.example/{'x' * 300}"), f"a redirect to a.example/{'x' * 69}…"),
        (lambda: bytes_of(b"x" * 1200, "a" * 64), "the same 1,200 bytes"),
        (lambda: bytes_of(b"x", None), "no picture"),
        (
            lambda: look_of(Reply("http://10.0.0.1/login?a=b", hops=(Hop(URL, 302, "x"),)), Outcome.BLOCKED),
            "a redirect to 10.0.0.1/login",
        ),
    ],
)
def test_a_look_is_told_in_words(look: Callable[[], Look | None], words: str) -> None:
    found = look()
    assert found is not None
    assert found.words == words


def test_a_title_far_into_a_page_is_not_looked_for() -> None:
    near, far = (b" " * size + b"<p><title>Login</title>" for size in (60 * 1024, 65 * 1024))
    assert [look and look.words for look in (bytes_of(near, "a" * 64), bytes_of(far, "a" * 64))] == [
        *("the page 'Login'", "the same 66,583 bytes")
    ]


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
