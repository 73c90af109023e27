"""URLs as text, beside what the standard library and urllib3 read of them."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from urllib3.util import parse_url

from scraper.planning.forms.interface import BEGINS
from scraper.urls import BEGINNING, LONGEST_URL, has_scheme, host_in, host_of, on_domain, taken_apart

SCHEMES = st.sampled_from(["http://", "https://", "HTTP://", "hTTps://"])
NAMES = st.sampled_from(
    ["farm3.static.flickr.com", "live.staticflickr.com", "WWW.Example.ORG", "192.0.2.1", "a_b.example", "x"]
)
PATHS = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30).map(lambda rest: "/" + rest)
URLS = st.builds(
    lambda scheme, name, port, path: f"{scheme}{name}{port}{path}", SCHEMES, NAMES, st.sampled_from(["", ":80"]), PATHS
)
TEXTS = st.one_of(URLS, st.text(max_size=40), st.builds(lambda url, rest: url + rest, URLS, st.text(max_size=10)))


@given(URLS)
@example("http://static.flickr.com")
@example("https://image-net.org/api/imagenet.synset.geturls?wnid={wnid}")
def test_the_host_is_the_one_that_others_read(url: str) -> None:
    assert host_in(url) == urlsplit(url).hostname == (parse_url(url).host or "").lower()
    assert host_of(url) in (host_in(url), None)


@given(TEXTS)
def test_what_is_no_url_has_no_host(text: str) -> None:
    host = host_in(text)
    assert host is None or (has_scheme(text) and host)
    if host is None and has_scheme(text) and re.fullmatch(r"[^\x00-\x1f\x7f]+", text):
        with pytest.raises((ValueError, AssertionError)):
            assert taken_apart(text).host


@given(st.text(st.characters(max_codepoint=126), max_size=40))
@example('"http://static.flickr.com/1/2_a.jpg"')
@example("//static.flickr.com:80/1/2_a.jpg")
@example("static.flickr.com/1/2_a.jpg")
def test_a_url_begins_in_bytes_as_in_text(text: str) -> None:
    in_text = re.compile(BEGINNING, re.IGNORECASE | re.ASCII).match(text)
    assert (BEGINS.match(text.encode()) is None) == (in_text is None)


def test_bounds() -> None:
    begun = "http://static.flickr.com/"
    assert host_in(begun + "a" * (LONGEST_URL - len(begun))) == "static.flickr.com"
    assert host_in(begun + "a" * (LONGEST_URL - len(begun) + 1)) is None
    assert host_in("http://static.flickr.com/a\tb") is None


def test_domains_are_whole_names() -> None:
    assert on_domain("A.Flickr.com.", ("flickr.com",))
    assert not on_domain("notflickr.com", ("flickr.com",))
