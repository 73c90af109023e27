"""Lists of URLs as they are found: not clean, sometimes not lists, and from a source that is not trusted."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import pytest

from scraper.flickr import FLICKR_DOMAINS, distinct_name
from scraper.model import ListingOutcome, Oddity, Wnid
from scraper.planning.listings import ListingBuilder, named, parse_answer
from scraper.planning.sources.interface import Reading
from scraper.records import Columns
from scraper.urls import LONGEST_URL, host_in

if TYPE_CHECKING:
    from scraper.records import Listing

ONE = "http://farm4.static.flickr.com/3175/2737866473_7958dc8760.jpg"
TWO = "http://farm1.static.flickr.com/45/139488995_bd06578562.jpg"
ELSEWHERE = "http://img.99118.com/Big2/1024768/20101211/1700013.jpg"


def parse(body: bytes | str, *, hosts: tuple[str, ...] = FLICKR_DOMAINS, shuffle: str | None = None) -> Listing:
    """An answer of the API with a status of 200."""
    data = body.encode() if isinstance(body, str) else body
    return parse_answer(data, hosts=hosts, shuffle=shuffle, status=200)


def urls(listing: Listing) -> list[str]:
    return [one.url for one in listing.candidates]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("tail", ["", "\n", "\r\n\r\n", "\n  \n\t\n"])
def test_line_ends_and_blank_lines_make_no_difference(end: str, tail: str) -> None:
    listing = parse(f"{ONE}{end}{ELSEWHERE}{end}{TWO}{tail}")
    assert listing.outcome is ListingOutcome.LISTED
    assert urls(listing) == [ONE, TWO]
    assert (listing.listed, listing.malformed, listing.duplicates) == (3, 0, 0)
    assert listing.http_status == 200


def test_the_digest_is_that_of_the_answer_as_it_came() -> None:
    body = f"{ONE}\r\n\r\n{ELSEWHERE}\r\nnonsense\r\n".encode()
    assert parse(body).sha256 == hashlib.sha256(body).hexdigest()


def test_a_candidate_has_its_photo_id_and_its_file_name() -> None:
    (one,) = parse(ONE + "?v=0").candidates
    assert (one.photo_id, one.filename) == (2737866473, "2737866473_7958dc8760.jpg")


def test_wanted_duplicates_are_counted_and_the_first_place_is_kept() -> None:
    listing = parse("\r\n".join([TWO, ONE, TWO, ELSEWHERE, ELSEWHERE, ONE, TWO + "?v=0"]))
    assert urls(listing) == [TWO, ONE, TWO + "?v=0"]
    assert (listing.listed, listing.duplicates) == (7, 2)


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (("flickr.com",), [ONE, TWO]),
        (("staticflickr.com",), []),
        (("farm1.static.flickr.com",), [TWO]),
        (("99118.com",), [ELSEWHERE]),
        (("99118.com", "flickr.com"), [ONE, ELSEWHERE, TWO]),
        (("118.com",), []),
        (("com",), [ONE, ELSEWHERE, TWO]),
    ],
)
def test_only_urls_on_the_wanted_hosts_become_candidates(hosts: tuple[str, ...], expected: list[str]) -> None:
    listing = parse(f"{ONE}\n{ELSEWHERE}\n{TWO}\n", hosts=hosts)
    assert listing.outcome is ListingOutcome.LISTED
    assert urls(listing) == expected
    assert listing.listed == 3


@pytest.mark.parametrize(
    "url",
    [
        "https://i1.wp.com/farm9.staticflickr.com/8177/7940913990_4fbbd50692.jpg",
        "http://flickr.com.example.org/1/2_a.jpg",
        "http://notflickr.com/1/2_a.jpg",
        "http://example.org/http://static.flickr.com/1/2_a.jpg",
        "http://example.org?x=.flickr.com/",
        "http://example.org#.flickr.com",
        "http://flickr.com@example.org/1/2_a.jpg",
        "http://example.org:80@127.0.0.1/flickr.com",
    ],
)
def test_naming_flickr_somewhere_is_not_being_there(url: str) -> None:
    listing = parse(url)
    assert listing.candidates == ()


def test_urls_with_spaces_and_letters_of_other_alphabets_are_kept() -> None:
    spaced = "http://www.example.com/1/my photo.jpg"
    accented = "http://www.example.com/1/été_写真.jpg"
    assert urls(parse(f"{spaced}\n{accented}\n", hosts=("example.com",))) == [spaced, accented]


def test_bytes_that_are_not_utf8_are_read_as_latin1() -> None:
    body = b"http://www.example.com/caf\xe9.jpg\n" + "http://www.example.com/café2.jpg\n".encode()
    assert urls(parse(body, hosts=("example.com",))) == [
        "http://www.example.com/caf\u00e9.jpg",
        "http://www.example.com/caf\u00e92.jpg",
    ]


MALFORMED = [
    "not a url",
    "ftp://static.flickr.com/1/2_a.jpg",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://",
    "http:///1/2_a.jpg",
    "http:/static.flickr.com/1/2_a.jpg",
    "http://[::1",
    "http://static.flickr.com:port/1/2_a.jpg",
    "http://static.flickr.com/1/a\x00.jpg",
    "http://static.flickr.com/1/a\x1b[31m.jpg",
    "http://static.flickr.com/" + "x" * LONGEST_URL,
    "http://static.flickr.com/é" + "x" * LONGEST_URL,
]


@pytest.mark.parametrize("line", MALFORMED, ids=range(len(MALFORMED)))
def test_a_malformed_line_is_counted_and_stops_nothing(line: str) -> None:
    listing = parse(f"{ONE}\n{line}\n{TWO}\n")
    assert urls(listing) == [ONE, TWO]
    assert (listing.listed, listing.malformed) == (2, 1)


def test_random_bytes_never_raise() -> None:
    rng = random.Random(5)
    pieces = [b"http://", b"https://", b"[", b"]", b"@", b":", b"\\", b"%", b".flickr.com", b"/", b"\xff", b"\n", b" "]
    for _ in range(3000):
        body = b"".join(rng.choice([*pieces, rng.randbytes(2)]) for _ in range(rng.randrange(1, 12)))
        listing = parse(body)
        assert (listing.outcome is ListingOutcome.LISTED) == (listing.listed > 0)


# --- answers that are not lists ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("Invalid url!", ListingOutcome.INVALID_WNID),
        ("  Invalid url!\r\n", ListingOutcome.INVALID_WNID),
        ("INVALID URL!", ListingOutcome.INVALID_WNID),
        ("The synset is not ready yet. Please stay tuned!", ListingOutcome.NOT_READY),
        ("\nThe synset is not ready yet. Please stay tuned!\n", ListingOutcome.NOT_READY),
        ("", ListingOutcome.EMPTY),
        ("\r\n", ListingOutcome.EMPTY),
        (" \t\n\n", ListingOutcome.EMPTY),
        ("<!DOCTYPE html><html><body>Sign in</body></html>", ListingOutcome.NOT_A_LIST),
        ("\r\n  <HTML><HEAD>", ListingOutcome.NOT_A_LIST),
        (f"<html>\n{ONE}\n{TWO}\n</html>", ListingOutcome.NOT_A_LIST),
        ("<?xml version='1.0'?><error/>", ListingOutcome.NOT_A_LIST),
        ('{"error": "gone"}', ListingOutcome.NOT_A_LIST),
        ("Service unavailable", ListingOutcome.NOT_A_LIST),
        ("\x00" * 100, ListingOutcome.NOT_A_LIST),
    ],
)
def test_a_failure_with_a_status_of_200_is_a_failed_class_and_not_an_empty_one(
    body: str, outcome: ListingOutcome
) -> None:
    listing = parse(body)
    assert listing.outcome is outcome
    assert listing.candidates == ()
    assert listing.http_status == 200
    assert listing.error


def test_the_error_of_a_huge_answer_is_short() -> None:
    assert len(parse("z" * 1_000_000).error or "") < 200
    assert len(parse("Invalid url! " + "z" * 1_000_000).error or "") < 200


def test_a_list_without_a_wanted_url_is_still_a_list() -> None:
    listing = parse(ELSEWHERE)
    assert (listing.outcome, listing.listed, listing.candidates) == (ListingOutcome.LISTED, 1, ())


# --- order ------------------------------------------------------------------------------------------------------------


def seed_of(seed: str | None, wnid: str) -> str | None:
    return Reading(FLICKR_DOMAINS, seed, Columns()).seed(Wnid(wnid))


MANY = [f"http://static.flickr.com/1/{number}_ab.jpg" for number in range(1, 101)]


def test_without_a_seed_the_order_is_that_of_the_list() -> None:
    assert urls(parse("\n".join(MANY))) == MANY


def test_a_shuffle_keeps_every_url_and_is_the_same_each_time() -> None:
    first, second = (urls(parse("\n".join(MANY), shuffle="7:n01440764")) for _ in range(2))
    assert first == second
    assert first != MANY
    assert sorted(first) == sorted(MANY)


def test_another_seed_and_another_class_give_another_order() -> None:
    seeds = [("7", "n01440764"), ("8", "n01440764"), ("7", "n01443537")]
    orders = {tuple(urls(parse("\n".join(MANY), shuffle=seed_of(seed, wnid)))) for seed, wnid in seeds}
    assert len(orders) == 3


def test_a_class_is_shuffled_alike_whatever_was_shuffled_before() -> None:
    seed = seed_of("7", "n01440764")
    alone = urls(parse("\n".join(MANY), shuffle=seed))
    for number in range(5):
        parse("\n".join(MANY[: number + 2]), shuffle=f"other {number}")
    random.Random(1).random()
    assert urls(parse("\n".join(MANY), shuffle=seed)) == alone


def test_no_seed_means_no_shuffle() -> None:
    assert seed_of(None, "n01440764") is None


def test_file_names_do_not_depend_on_lines_of_other_hosts() -> None:
    mixed = parse("\n".join([ELSEWHERE, *MANY, ELSEWHERE + "?2"]))
    assert mixed.candidates == parse("\n".join(MANY)).candidates


# --- file names -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "second"), [("A.jpg", "a.jpg"), ("a.jpg", "A.jpg"), ("a.jpg", "a.JPG")])
def test_names_that_differ_in_case_only_are_kept_apart(first: str, second: str) -> None:
    found = list(named([f"http://static.flickr.com/1/{first}", f"http://static.flickr.com/2/{second}"]))
    assert found[0].filename == first
    stem, _, extension = second.partition(".")
    assert found[1].filename.startswith(f"{stem}-")
    assert found[1].filename.endswith(f".{extension}")


def test_the_same_name_in_many_folders_is_kept_apart() -> None:
    found = list(named(f"http://static.flickr.com/{number}/2_a.jpg" for number in range(500)))
    assert found[0].filename == "2_a.jpg"
    assert len({one.filename.lower() for one in found}) == 500


def test_the_same_photo_with_queries_is_kept_apart() -> None:
    found = list(named([ONE, ONE + "?v=0", ONE + "?v=1", ONE + "#x"]))
    assert len({one.filename.lower() for one in found}) == 4


def test_a_builder_that_met_no_url_says_so() -> None:
    builder = ListingBuilder(FLICKR_DOMAINS)
    assert builder.empty
    builder.add_lines(b"nonsense\n")
    assert builder.empty
    builder.add_lines(ELSEWHERE.encode())
    assert not builder.empty


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://Static.Flickr.COM/1/2_a.jpg", "static.flickr.com"),
        ("HTTPS://live.staticflickr.com:443/1/2_a.jpg", "live.staticflickr.com"),
        ("http://static.flickr.com", "static.flickr.com"),
        ("http://static.flickr.com/my photo.jpg", "static.flickr.com"),
        ("http://127.0.0.1\\@static.flickr.com/", "127.0.0.1"),
        ("mailto:someone@flickr.com", None),
        ("", None),
    ],
)
def test_the_host_of_a_listed_url_is_the_one_that_would_be_asked(url: str, host: str | None) -> None:
    assert host_in(url) == host


def test_a_name_made_distinct_is_not_one_that_is_taken() -> None:
    third = "http://static.flickr.com/3/a.jpg"
    urls = [f"http://static.flickr.com/1/{distinct_name('a.jpg', third)}", "http://static.flickr.com/2/a.jpg", third]
    assert len({one.filename.lower() for one in named(urls)}) == 3


def test_a_bom_does_not_cost_the_first_url() -> None:
    found = parse_answer(b"\xef\xbb\xbfhttp://static.flickr.com/1/2_a.jpg\r\n", hosts=("flickr.com",), shuffle=None)
    assert (found.listed, found.malformed) == (1, 0)


# --- what is behind a URL, and what is no photo -----------------------------------------------------------------------

PHOTO = "http://farm1.static.flickr.com/2/3_ab.jpg"


@pytest.mark.parametrize(
    "line",
    [
        f"{PHOTO} tench",
        f"{PHOTO}\ttench",
        f"{PHOTO},n01440764",
        f"{PHOTO},",
        f"{PHOTO};6",
        f"{PHOTO}\\",
        f"{PHOTO}|tench",
        f'{PHOTO}"',
        f'"{PHOTO}",tench',
        f"'{PHOTO}';",
        f"<{PHOTO}>",
        f"{PHOTO}#fragment",
        f"{PHOTO}) and more",
        f"{PHOTO}\t2964:1\t2944:1",
        PHOTO.removeprefix("http://"),
        PHOTO.removeprefix("http:"),
        f"{PHOTO.removeprefix('http://')},x",
        f"n01440764_12\t{PHOTO}",
        f"n01440764,{PHOTO}",
        f"1 {PHOTO}",
    ],
)
def test_what_stands_around_a_photos_url_is_no_part_of_it(line: str) -> None:
    listing = parse_answer(f"{ONE}\n{TWO}\n{line}\n".encode(), hosts=FLICKR_DOMAINS, wnid="n01440764")
    assert urls(listing) == [ONE, TWO, PHOTO]
    assert listing.candidates[2].filename == "3_ab.jpg"


@pytest.mark.parametrize("query", ["", "?v=0", "?zz=1", "?a=1&b=2"])
@pytest.mark.parametrize("size", ["", "_m", "_o", "_o_d", "_4k"])
@pytest.mark.parametrize("ending", [".jpg", ".JPG", ".gif", ".png", ".jpeg"])
def test_the_known_shapes_of_a_photos_url_are_candidates(query: str, size: str, ending: str) -> None:
    for folder in ("farm1.static.flickr.com/2/", "photos1.flickr.com/", "c1.staticflickr.com/1/2/", "flickr.com/a/b/"):
        url = f"http://{folder}3_0ab{size}{ending}{query}"
        assert urls(parse(url)) == [url]


NO_PHOTOS = [
    "http://www.flickr.com/photos/someone/14811365336/",
    "http://www.flickr.com/photo_zoom.gne?id=1484821596&size=o",
    "http://www.flickr.com/images/buddyicon.jpg",
    "http://farm1.static.flickr.com/buddyicons/12418137@N07.jpg",
    "http://static.flickr.com/1/2_ab.jpg.html",
    "http://static.flickr.com/1/2_ab.jpg_",
    "http://static.flickr.com/1/2_ab.jpgtench",
    "http://static.flickr.com/1/my photo.jpg",
    "http://static.flickr.com/1/2_xyz.jpg",
    "http://static.flickr.com/1/2_a\tb.jpg",
    "http://me@static.flickr.com/1/2_ab.jpg",
]


@pytest.mark.parametrize("line", NO_PHOTOS)
def test_what_is_on_flickr_and_no_photo_is_set_aside_and_shown(line: str) -> None:
    listing = parse(f"{ONE}\n{line}\n{TWO}\n")
    assert urls(listing) == [ONE, TWO]
    assert (listing.listed, listing.malformed) == (3, 0)
    ((kind, lines, example),) = listing.odd
    assert (kind, lines, example) == (Oddity.NOT_A_PHOTO, 1, " ".join(line.split()))


@pytest.mark.parametrize(
    ("line", "url"),
    [
        ("http://www.example.com/1.jpg tench", "http://www.example.com/1.jpg"),
        ("http://www.example.com/1.jpg,n01440764", "http://www.example.com/1.jpg"),
        ("http://www.example.com/1.jpg;", "http://www.example.com/1.jpg"),
        ("http://www.example.com/1.JPG?a=b c", "http://www.example.com/1.JPG?a=b"),
        ("http://www.example.com/0/0,0,379,15218,200,401,cef9f19d.jpg", None),
        ("http://www.example.com/my photo.jpg", None),
        ("http://www.example.com/image.php?id=3&size=big", None),
        ("http://www.example.com/image.php?id=3,", "http://www.example.com/image.php?id=3"),
        ("http://www.example.com/image.php?id=3\ttench", "http://www.example.com/image.php?id=3"),
        ("www.example.com/1.jpg", "http://www.example.com/1.jpg"),
        ("http://www.example.com/", None),
    ],
)
def test_other_hosts_have_any_url_without_what_cannot_belong_to_it(line: str, url: str | None) -> None:
    assert urls(parse(line, hosts=("example.com",))) == [url or line]


def test_lines_that_name_another_class_are_set_aside() -> None:
    body = f"n01440764_1\t{ONE}\nn01443537_2\t{TWO}\nn01440764_3\t{PHOTO}\n".encode()
    listing = parse_answer(body, hosts=FLICKR_DOMAINS, wnid="n01440764")
    assert urls(listing) == [ONE, PHOTO]
    assert [(odd.kind, odd.lines) for odd in listing.odd] == [(Oddity.OTHER_CLASS, 1)]


def test_odd_lines_are_counted_by_kind_with_the_first_of_each() -> None:
    listing = parse(f"first nonsense\n{ONE} x\nmore nonsense\n{NO_PHOTOS[0]}\n{TWO} y\n{'z' * 9000}\n")
    assert [(odd.kind, odd.lines, odd.example[:20]) for odd in listing.odd] == [
        (Oddity.NO_URL, 2, "first nonsense"),
        (Oddity.NOT_A_PHOTO, 1, NO_PHOTOS[0][:20]),
        (Oddity.TOO_LONG, 1, "z" * 20),
        (Oddity.LEFT_OFF, 2, ONE[:20]),
    ]
    assert listing.malformed == 3


def test_an_example_is_short_and_fit_to_be_shown() -> None:
    (odd,) = parse(f"{ONE}\n\x1b[31m{'x' * 5000}\n").odd
    assert len(odd.example) <= 120
    assert odd.example.isprintable()


def test_breaks_of_html_end_lines() -> None:
    assert urls(parse(f"{ONE}<br>{TWO}<br/>{PHOTO}<BR />\n")) == [ONE, TWO, PHOTO]
