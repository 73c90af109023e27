"""What people and environments write for a proxy, and which requests go through it."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scraper.errors import InputError, OptionError
from scraper.web.options import NetworkOptions
from scraper.web.proxies import Proxies, Proxy, choose_proxies, parse_proxy

SECRET = "hunter2"  # noqa: S105 - of nobody
VARIABLES = ["https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
PROXY = Proxy("http", "proxy.example", 3128)

printable = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12)
places = st.sampled_from(
    [
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("proxy.example", "proxy.example"),
        ("PROXY", "PROXY"),
        ("a_b", "a_b"),
    ]
)


@given(
    scheme=st.sampled_from(["", "http://", "https://", "HTTP://", "Https://"]),
    login=st.none() | st.tuples(printable, st.none() | printable),
    place=places,
    port=st.none() | st.integers(1, 65535),
    tail=st.sampled_from(["", "/", " ", "/ ", "\n", "/?", "#"]),
)
def test_every_spelling_of_a_proxy_is_read(
    scheme: str, login: tuple[str, str | None] | None, place: tuple[str, str], port: int | None, tail: str
) -> None:
    written = ""
    sent = None
    if login is not None and (login[0] or login[1] is not None):
        user, password = login
        written = quote(user, safe="") + ("" if password is None else ":" + quote(password, safe="")) + "@"
        sent = f"{user}:{password or ''}".encode()
    read = parse_proxy(scheme + written + place[0] + (f":{port}" if port else "") + tail)
    assert read.scheme == (scheme.lower().removesuffix("://") or "http")
    assert (read.host, read.port) == (place[1], port or {"http": 80, "https": 443}[read.scheme])
    assert read.credentials == sent
    assert read.authorization == (None if sent is None else "Basic " + base64.b64encode(sent).decode())


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "names no host"),
        ("http://", "names no host"),
        ("http://:3128", "names no host"),
        ("http://me:x@", "names no host"),
        ("127.0.0.1:99999", "a port is 1 to 65535"),
        ("127.0.0.1:0", "a port is 1 to 65535"),
        ("127.0.0.1:port", "must be the address of a proxy"),
        ("::1", "an IPv6 address stands in brackets"),
        ("[::g]:1", "neither a name nor an address"),
        ("socks5://127.0.0.1:1080", "a SOCKS proxy, which cannot be used here"),
        ("SOCKS4a://127.0.0.1", "a SOCKS proxy, which cannot be used here"),
        ("ftp://proxy.example", "its scheme is neither http nor https"),
        ("http://a b:1", "a blank inside a password is written %20"),
        ("http://proxy example", "a blank inside a password is written %20"),
        ("http://me:a/b@proxy.example:1", "write these as %2F, %3F, %23 and %5C"),
        ("http://me:a#b@proxy.example:1", "write these as %2F, %3F, %23 and %5C"),
        ("http://me:a?b@proxy.example:1", "write these as %2F, %3F, %23 and %5C"),
        ("me:a\\b@proxy.example:1", "write these as %2F, %3F, %23 and %5C"),
        ("http://me:a%0Ab@proxy.example:1", "a control character in its user name or password"),
        ("http://wpad.example/proxy.pac", "a file that configures proxies"),
        ("http://" + "a" * 70 + ".example", "neither a name nor an address"),
        ("http://bad..example", "neither a name nor an address"),
    ],
)
def test_what_is_no_proxy_is_refused_with_what_to_do(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_proxy(text)
    with pytest.raises(OptionError, match=r"^proxy "):
        NetworkOptions(proxy=text)  # type: ignore[arg-type]  # text is converted


@given(
    st.lists(st.sampled_from([SECRET, "me", ":", "/", "@", "#", "?", "%", "://", "http", "[", "]", "3128", " ", "\\"]))
)
@example(["http", "://", "me", ":", SECRET, "/", "@", "3128"])
@example([SECRET])
def test_no_error_and_no_repr_repeats_what_may_be_a_password(pieces: list[str]) -> None:
    shown = []
    try:
        proxy = parse_proxy("".join(pieces))
    except ValueError as error:
        shown.append(str(error))
    else:
        if SECRET not in proxy.host:
            shown += [repr(proxy), str(proxy), proxy.url, repr(NetworkOptions(proxy=proxy))]
    assert not [text for text in shown if SECRET in text]


@given(st.dictionaries(st.sampled_from([*VARIABLES, "NO_PROXY", "no_proxy", "REQUEST_METHOD"]), st.text()))
@example({"HTTPS_PROXY": "127.0.0.1:99999"})
@example({"ALL_PROXY": "socks5://127.0.0.1:1080", "https_proxy": "127.0.0.1:3128"})
@example({"no_proxy": "[::", "HTTPS_PROXY": "proxy.example"})
def test_any_environment_gives_proxies_or_names_the_variable(environ: dict[str, str]) -> None:
    proxies = said = None
    try:
        proxies = choose_proxies(None, environ)
    except InputError as error:
        said = str(error)
    assert said is None or any(f"the variable {name} " in said for name in environ)
    if proxies is not None:
        proxies.proxy_for("http", "farm1.static.flickr.com", 80)
        proxies.proxy_for("https", "[::1]", 443)


@pytest.mark.parametrize(
    ("environ", "http", "https"),
    [
        ({}, None, None),
        ({"HTTPS_PROXY": "a:1"}, None, "a"),
        ({"HTTPS_PROXY": "a:1", "https_proxy": "b:1"}, None, "b"),
        ({"HTTPS_PROXY": "a:1", "https_proxy": ""}, None, "a"),
        ({"HTTP_PROXY": "a:1"}, "a", None),
        ({"HTTP_PROXY": "a:1", "REQUEST_METHOD": "GET"}, None, None),
        ({"http_proxy": "a:1", "REQUEST_METHOD": "GET"}, "a", None),
        ({"ALL_PROXY": "a:1"}, "a", "a"),
        ({"all_proxy": "a:1", "HTTPS_PROXY": "b:1"}, "a", "b"),
        ({"ALL_PROXY": "socks5://a:1", "HTTPS_PROXY": "b:1", "HTTP_PROXY": "c:1"}, "c", "b"),
        ({"HTTPS_PROXY": "  "}, None, None),
    ],
)
def test_which_variable_counts(environ: dict[str, str], http: str | None, https: str | None) -> None:
    found = choose_proxies(None, environ)
    assert [proxy and proxy.host for proxy in (found.http, found.https)] == [http, https]
    assert choose_proxies(PROXY, environ) == Proxies(PROXY, PROXY)


@pytest.mark.parametrize(
    ("no_proxy", "host", "port", "direct"),
    [
        ("*", "anything.example", 443, True),
        ("example.org", "example.org", 443, True),
        ("example.org", "www.example.org", 443, True),
        (".example.org", "www.example.org", 443, True),
        ("*.example.org", "www.example.org", 443, True),
        ("EXAMPLE.org", "www.Example.ORG.", 443, True),
        ("example.org", "notexample.org", 443, False),
        ("example.org:443", "example.org", 443, True),
        ("example.org:80", "example.org", 443, False),
        ("localhost, 10.0.0.0/8 127.0.0.1", "10.1.2.3", 443, True),
        ("localhost, 10.0.0.0/8", "11.1.2.3", 443, False),
        ("127.0.0.1", "127.0.0.1", 80, True),
        ("[::1]", "[::1]", 80, True),
        ("::1", "[::1]", 80, True),
        ("[::1]:80", "[::1]", 443, False),
        ("fe80::/10", "[fe80::1]", 443, True),
        ("10.0.0.0/8", "example.org", 443, False),
        ("", "example.org", 443, False),
        (",. ,", "example.org", 443, False),
    ],
)
def test_what_is_asked_without_a_proxy(no_proxy: str, host: str, port: int, *, direct: bool) -> None:
    proxies = choose_proxies(None, {"HTTPS_PROXY": "proxy.example:3128", "NO_PROXY": no_proxy})
    assert (proxies.proxy_for("https", host, port) is None) == direct


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("me:hunter2@proxy.example:3128", "http://***@proxy.example:3128"),
        ("https://hunter2@[::1]", "https://***@[::1]:443"),
    ],
)
def test_a_proxy_is_shown_without_who_uses_it(text: str, shown: str) -> None:
    assert str(parse_proxy(text)) == shown


def test_each_scheme_has_its_own_variable_and_lower_case_goes_first() -> None:
    environ = {
        "http_proxy": "one.example",
        "HTTP_PROXY": "two.example",
        "HTTPS_PROXY": "three.example",
        "ALL_PROXY": "four.example",
        "no_proxy": "plain.example",
        "NO_PROXY": "loud.example",
    }
    found = choose_proxies(None, environ)
    asked = [found.proxy_for(scheme, "a.example", 80) for scheme in ("http", "https")]
    assert [str(one) for one in asked] == ["http://one.example:80", "http://three.example:80"]
    assert [one and one.named for one in asked] == ["http_proxy", "HTTPS_PROXY"]
    assert found.proxy_for("http", "plain.example", 80) is None
    assert found.proxy_for("http", "loud.example", 80) is not None


def test_whoever_asks_a_cgi_program_sets_no_proxy_of_it() -> None:
    environ = {"REQUEST_METHOD": "GET", "HTTP_PROXY": "evil.example", "ALL_PROXY": "good.example"}
    assert str(choose_proxies(None, environ).http) == "http://good.example:80"


@pytest.mark.parametrize(
    ("entry", "host", "port", "direct"),
    [
        ("10.0.0.1/8", "10.2.3.4", 80, True),  # with the bits of a host
        ("[::1]", "::1", 80, True),
        ("[::1]:80", "[::1]", 80, True),
        ("[::1]:80", "[::1]", 81, False),
        ("::1", "[::1]", 80, True),
        ("fe80::/10", "[fe80::1]", 80, True),
        ("x.example", "x.example.", 80, True),
        ("x.example", "xx.example", 80, False),
        ("*.example", "a.example", 80, True),
        ("a.example:81", "a.example", 80, False),
        ("a.example:80", "a.example", 80, True),
    ],
)
def test_spellings_of_whom_to_ask_directly(entry: str, host: str, port: int, *, direct: bool) -> None:
    proxies = choose_proxies(None, {"ALL_PROXY": "proxy.example", "NO_PROXY": entry})
    assert (proxies.proxy_for("http", host, port) is None) is direct
