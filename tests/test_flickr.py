"""What a URL says by itself: photo ids, hosts, the https form, placeholder names, safe file names."""

from __future__ import annotations

import doctest
import re

import pytest

import scraper.flickr
from scraper.flickr import (
    FLICKR_DOMAINS,
    distinct_name,
    file_name,
    host_group,
    is_placeholder_url,
    live_url,
    photo_id,
    request_url,
)
from scraper.urls import host_of, on_domain

SIZES = ["", *(f"_{size}" for size in ("s", "q", "t", "m", "n", "z", "c", "b", "h", "k", "3k", "4k", "5k", "6k", "o"))]
HOSTS = [
    "farm1.static.flickr.com/21",
    "farm66.static.flickr.com/65535",
    "static.flickr.com/113",
    "photos11.flickr.com",
    "farm9.staticflickr.com/8262",
    "live.staticflickr.com/65535",
    "c1.staticflickr.com/1/130",
    "c8.staticflickr.com/9/8726",
]
PAGES = [
    "http://www.flickr.com/photo_zoom.gne?id=1484821596&size=o",
    "http://www.flickr.com/photo_zoom.gne?id=851195&amp;size=m",
    "http://www.flickr.com/photos/someone/1484821596/sizes/o/",
    "http://www.flickr.com/photos/12418137@N07/14811365336/",
    "http://www.flickr.com/images/buddyicon.jpg",
    "https://www.flickr.com/photos/someone/16089302239",
    "https://www.flickr.com/photos/someone/",
    "https://www.flickr.com/people/someone/",
    "https://m.flickr.com/photos/someone/16089302239",
    "https://flickr.com/photos/someone/16089302239",
    "https://www.flickr.com/photos/someone/albums/72157633471741607",
    "https://www.flickr.com/photo.gne?id=2737866473",
    "https://www.flickr.com/",
    "https://www.flickr.com",
]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("place", HOSTS)
def test_every_host_form_gives_the_photo_id(scheme: str, place: str) -> None:
    assert photo_id(f"{scheme}://{place}/2737866473_7958dc8760.jpg") == 2737866473


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("extension", ["jpg", "gif", "png", "JPG", "jpeg"])
def test_every_size_and_extension_gives_the_photo_id(size: str, extension: str) -> None:
    assert photo_id(f"http://farm4.static.flickr.com/3175/851195_7958dc8760{size}.{extension}") == 851195


@pytest.mark.parametrize("tail", ["_o_d.jpg", "_b_d.jpg", ".jpg?v=0", "_z.jpg?zz=1", ".jpg#top", "_o.gif?a=b&c=d"])
def test_download_forms_and_queries_give_the_photo_id(tail: str) -> None:
    assert photo_id(f"https://live.staticflickr.com/7463/16089302239_de18cd8017{tail}") == 16089302239


@pytest.mark.parametrize("url", PAGES)
def test_pages_of_flickr_are_not_images(url: str) -> None:
    assert photo_id(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://i1.wp.com/farm9.staticflickr.com/8177/7940913990_4fbbd50692.jpg",
        "http://flickr.com.example.org/1/187951525_24b65aca83.jpg",
        "http://notflickr.com/1/187951525_24b65aca83.jpg",
        "http://example.org/?u=http://static.flickr.com/1/187951525_24b65aca83.jpg",
        "https://s.yimg.com/pw/images/en-us/photo_unavailable.png",
        "ftp://static.flickr.com/1/187951525_24b65aca83.jpg",
        "not a url",
        "",
        "http://static.flickr.com/1/x187951525_24b65aca83.jpg",
        "http://static.flickr.com/1/187951525.jpg",
        "http://static.flickr.com/1/187951525_24b65aca83.jpg.html",
        "http://static.flickr.com/1/187951525_24b65aca83.txt",
        "http://static.flickr.com/1/9999999999999999999999_24b65aca83.jpg",
    ],
)
def test_other_hosts_and_other_names_give_no_photo_id(url: str) -> None:
    assert photo_id(url) is None


@pytest.mark.parametrize(
    ("host", "there"),
    [
        ("flickr.com", True),
        ("www.flickr.com", True),
        ("farm1.static.flickr.com", True),
        ("FARM1.Static.Flickr.COM", True),
        ("static.flickr.com.", True),
        ("staticflickr.com", True),
        ("live.staticflickr.com", True),
        ("notflickr.com", False),
        ("xstaticflickr.com", False),
        ("flickr.com.evil.example", False),
        ("flickr.community", False),
        ("flickr.co", False),
        ("flickr.com.wp.com", False),
        ("www-flickr.com", False),
        ("flickrcom", False),
        ("com", False),
        ("", False),
        (".", False),
    ],
)
def test_only_the_domain_itself_and_names_below_it_are_on_it(host: str, there: bool) -> None:
    assert on_domain(host, FLICKR_DOMAINS) is there


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://Static.Flickr.com/1/a.jpg", "static.flickr.com"),
        ("https://example.org:8080/a", "example.org"),
        ("http://example.org", "example.org"),
        ("HTTP://EXAMPLE.ORG/", "example.org"),
        ("http://127.0.0.1\\@example.org/", None),
        ("http://user@example.org/", None),
        ("ftp://example.org/", None),
        ("//example.org/", None),
        ("", None),
    ],
)
def test_the_host_of_a_plain_url(url: str, host: str | None) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("host", "group"),
    [
        ("farm1.static.flickr.com", "flickr"),
        ("photos11.flickr.com", "flickr"),
        ("live.staticflickr.com", "flickr"),
        ("LIVE.staticflickr.com", "flickr"),
        ("www.image-net.org", "www.image-net.org"),
        ("Example.ORG", "example.org"),
        ("notflickr.com", "notflickr.com"),
    ],
)
def test_all_hosts_of_flickr_are_one_group_and_any_other_its_own(host: str, group: str) -> None:
    assert host_group(f"http://{host}/1/1_ab.jpg") == group


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://static.flickr.com/1/2_a.jpg", "https://static.flickr.com/1/2_a.jpg"),
        ("HTTP://static.flickr.com/1/2_a.jpg", "https://static.flickr.com/1/2_a.jpg"),
        ("http://farm9.staticflickr.com/1/2_a_z.jpg?zz=1", "https://farm9.staticflickr.com/1/2_a_z.jpg?zz=1"),
        ("http://static.flickr.com:80/1/2_a.jpg", "https://static.flickr.com/1/2_a.jpg"),
        ("http://static.flickr.com", "https://static.flickr.com/"),
        ("http://static.flickr.com/http://x.jpg", "https://static.flickr.com/http://x.jpg"),
    ],
)
def test_plain_http_of_flickr_is_asked_by_https(url: str, asked: str) -> None:
    assert request_url(url) == asked


@pytest.mark.parametrize(
    "url",
    [
        "https://live.staticflickr.com/1/2_a.jpg",
        "https://live.staticflickr.com:443/1/2_a.jpg?v=0",
        "HTTPS://live.staticflickr.com/1/2_a.jpg",
        "https://static.flickr.com/redirect?to=http://static.flickr.com/",
        "http://static.flickr.com:8080/1/2_a.jpg",
        "http://static.flickr.com:443/1/2_a.jpg",
        "http://example.org/1/2_a.jpg",
        "http://notflickr.com/1/2_a.jpg",
        "http://flickr.com.evil.example/1/2_a.jpg",
        "http://127.0.0.1\\@static.flickr.com/",
        "ftp://static.flickr.com/1/2_a.jpg",
        "",
    ],
)
def test_every_other_url_is_asked_as_it_is(url: str) -> None:
    assert request_url(url) == url


def test_upgrading_twice_changes_nothing_more() -> None:
    once = request_url("http://static.flickr.com/1/2_a.jpg")
    assert request_url(once) == once
    assert once.startswith("https://")
    assert "httpss" not in once


@pytest.mark.parametrize(
    "url",
    [
        "https://s.yimg.com/pw/images/en-us/photo_unavailable.png",
        "http://l.yimg.com/g/images/photo_unavailable.gif",
        "https://s.yimg.com/pw/images/photo_unavailable_l.png",
        "https://s.yimg.com/pw/images/photo_unavailable_m.png",
        "https://s.yimg.com/pw/images/photo_unavailable_s.gif",
        "https://s.yimg.com/pw/images/photo_unavailable.png?v=3",
        "https://combo.staticflickr.com/pw/images/en-us/photo_unavailable.png#v3",
        "https://S.YIMG.COM/PHOTO_UNAVAILABLE.PNG",
        "/pw/images/photo_unavailable.jpg",
    ],
)
def test_names_of_the_picture_for_deleted_photos_are_known(url: str) -> None:
    assert is_placeholder_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://live.staticflickr.com/7463/16089302239_de18cd8017.jpg",
        "https://example.org/my_photo_unavailable.png",
        "https://example.org/photo_unavailable.html",
        "https://example.org/photo_unavailable",
        "https://example.org/photo_unavailable.png.txt",
        "https://example.org/photo_unavailable/1_a.jpg",
        "",
    ],
)
def test_other_names_are_not_the_placeholder(url: str) -> None:
    assert not is_placeholder_url(url)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://farm4.static.flickr.com/3175/2737866473_7958dc8760.jpg", "2737866473_7958dc8760.jpg"),
        ("https://live.staticflickr.com/7463/16089302239_de18cd8017_b_d.jpg", "16089302239_de18cd8017_b_d.jpg"),
        ("http://static.flickr.com/1/2_a_z.jpg?zz=1", "2_a_z.jpg"),
        ("http://static.flickr.com/1/2_a.gif#x/y.jpg", "2_a.gif"),
        ("http://photos11.flickr.com/16182853_f094b5fe5e_o.jpg", "16182853_f094b5fe5e_o.jpg"),
        ("http://example.org/Some-Photo.v2.JPEG", "Some-Photo.v2.JPEG"),
        ("http://example.org/%41bc.jpg", "Abc.jpg"),
    ],
)
def test_a_plain_name_is_kept_as_it_is(url: str, name: str) -> None:
    assert file_name(url) == name


BASE = "http://static.flickr.com/1/"
ODD = [
    BASE,
    "http://static.flickr.com",
    "http://static.flickr.com/",
    "",
    BASE + ".",
    BASE + "..",
    BASE + "...",
    BASE + "../../etc/passwd/..",
    BASE + "..%2f..%2fetc%2fpasswd",
    BASE + "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    BASE + "..%5c..%5cboot.ini",
    BASE + "..\\..\\boot.ini",
    BASE + "%252e%252e%252fx.jpg",
    BASE + "%2fetc%2fpasswd",
    BASE + "a%00.jpg",
    BASE + "a\x00.jpg",
    BASE + "a%0a%0d.jpg",
    BASE + "a\x1b[31m.jpg",
    BASE + "a\x7f.jpg",
    BASE + "a b.jpg",
    BASE + "a%20b.jpg",
    BASE + "a:b.jpg",
    BASE + "a*b.jpg",
    BASE + "a|b.jpg",
    BASE + 'a"b.jpg',
    BASE + "a<b>.jpg",
    BASE + "~root",
    BASE + "$HOME.jpg",
    BASE + "`id`.jpg",
    BASE + ";rm -rf .jpg",
    BASE + "-rf.jpg",
    BASE + "--help",
    BASE + ".htaccess",
    BASE + ".partial",
    BASE + "_.jpg",
    BASE + "%",
    BASE + "%zz.jpg",
    BASE + "%ff%fe.jpg",
    BASE + "\u0444\u043e\u0442\u043e.jpg",
    BASE + "%D1%84%D0%BE%D1%82%D0%BE.jpg",
    BASE + "caf\u00e9.jpg",
    BASE + "\u202egpj.exe",
    BASE + "\ud800.jpg",
    BASE + "a.jpg.",
    BASE + "a.jpg...",
    BASE + "a.jpg%20",
    BASE + "x" * 10_000,
    BASE + "x" * 10_000 + ".jpg",
    BASE + "x." + "j" * 10_000,
    BASE + "%2e" * 3_000,
    BASE + "." * 10_000 + "a",
    BASE + "con",
    BASE + "CON.jpg",
    BASE + "prn.png",
    BASE + "aux.tar.gz",
    BASE + "NUL",
    BASE + "Com1.jpg",
    BASE + "lpt9.gif",
    BASE + "con.",
    BASE + "-con.jpg",
    BASE + "nul.verylongextension",
]
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


@pytest.mark.parametrize("url", ODD, ids=range(len(ODD)))
def test_an_odd_name_becomes_a_safe_one(url: str) -> None:
    name = file_name(url)
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,150}", name)
    assert name[0] not in ".-"
    assert not name.endswith(".")
    assert ".." not in name
    assert name.partition(".")[0].lower() not in DEVICES


@pytest.mark.parametrize("url", ODD, ids=range(len(ODD)))
def test_a_name_made_distinct_is_as_safe_and_still_another(url: str) -> None:
    first = file_name(url)
    second = distinct_name(first, url + "?other")
    assert second.lower() != first.lower()
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,149}", second)
    assert second.partition(".")[0].lower() not in DEVICES


def test_no_two_odd_urls_share_a_name_whatever_the_case() -> None:
    names = [file_name(url).lower() for url in ODD]
    assert len(set(names)) == len(ODD)


def test_names_cleaned_alike_stay_apart_across_hosts_and_queries() -> None:
    urls = [f"http://{host}/1/a b.jpg{query}" for host in ("a.example", "b.example") for query in ("", "?v=0", "?v=1")]
    assert len({file_name(url) for url in urls}) == 6


def test_names_are_the_same_in_every_run() -> None:
    # The digest is the start of `printf %s URL | sha256sum`, as a shell gives it.
    assert file_name("http://static.flickr.com/a/..%2f..%2fetc%2fpasswd") == "etc_passwd-83cdc5b8f2"
    assert distinct_name("a.jpg", "http://static.flickr.com/a/..%2f..%2fetc%2fpasswd") == "a-83cdc5b8f2.jpg"


@pytest.mark.parametrize(
    ("tail", "start", "end"),
    [("a b.jpg", "a_b-", ".jpg"), ("CON.jpg", "_CON-", ".jpg"), ("-rf.png", "rf-", ".png"), ("", "image-", "")],
)
def test_a_cleaned_name_stays_readable(tail: str, start: str, end: str) -> None:
    name = file_name(BASE + tail)
    assert name.startswith(start)
    assert re.fullmatch(r"[0-9a-f]{10}", name.removeprefix(start).removesuffix(end))


@pytest.mark.parametrize("tail", ["\u0444\u043e\u0442\u043e.jpg", "%D1%84.jpg", ".jpg"])
def test_a_name_without_plain_letters_keeps_its_extension(tail: str) -> None:
    assert file_name("http://static.flickr.com/1/" + tail).endswith(".jpg")


def test_the_examples_are_true() -> None:
    assert doctest.testmod(scraper.flickr).failed == 0


@pytest.mark.parametrize(
    ("url", "live"),
    [
        ("http://farm4.static.flickr.com/3175/27_79.jpg", "https://live.staticflickr.com/3175/27_79.jpg"),
        ("http://static.flickr.com/3175/27_79.jpg?v=0", "https://live.staticflickr.com/3175/27_79.jpg?v=0"),
        ("http://farm4.staticflickr.com/3175/27_79.jpg", "https://live.staticflickr.com/3175/27_79.jpg"),
        ("https://live.staticflickr.com/3175/27_79.jpg", None),
        ("http://photos1.flickr.com/27_79.jpg", None),
        ("http://static.flickr.com/3175/page.html", None),
        ("http://example.org/3175/27_79.jpg", None),
        ("no url", None),
    ],
)
def test_where_flickr_moved_photos_of_its_older_hosts(url: str, live: str | None) -> None:
    assert live_url(url) == live


def test_a_domain_is_told_to_its_last_letter() -> None:
    assert not on_domain("flickr.comx", ("flickr.com",))
    assert on_domain("flickr.comx", ("flickr.comx",))
    assert on_domain("x", ("x",))


def test_a_name_of_the_most_characters_is_kept_and_a_longer_one_is_not() -> None:
    kept, longer = "a" * 116 + ".jpg", "a" * 117 + ".jpg"
    assert file_name(BASE + kept) == kept
    assert file_name(BASE + longer) == distinct_name(longer, BASE + longer)
    assert file_name(BASE + "X_x.X") == "X_x.X"
