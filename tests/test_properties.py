"""What holds for any input: Hypothesis looks for one for which it does not. The same inputs every time."""

from __future__ import annotations

import datetime as dt
import email.utils
import random
import re
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from scraper.fetching.deciding import Limits
from scraper.fetching.scheduler import Scheduler
from scraper.flickr import (
    FLICKR_DOMAINS,
    file_name,
    is_placeholder_url,
    live_url,
    photo_id,
    request_url,
)
from scraper.model import Form, Kind, Outcome, State, Wnid
from scraper.pictures.judge import opts_out
from scraper.planning.classlines import is_wnid, parse_class
from scraper.planning.classlists import read_classes, read_input
from scraper.planning.lines.encodings import decode
from scraper.planning.listings import parse_answer
from scraper.records import Attempt, Candidate, ClassRequest, ClassState
from scraper.running.retry import LONGEST_WAIT, Policy, decide
from scraper.urls import host_in, host_of, on_domain
from scraper.web.client import Client, parse_retry_after
from tests.fuzz import (
    Answering,
    check_answer,
    check_classes,
    check_index,
    check_name,
    check_picture,
    check_reply,
    check_verdicts,
    lists,
    mutated,
    network,
    pictures,
    responses,
    small_pictures,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CALM = settings(
    derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow], max_examples=100
)
FEWER = settings(CALM, max_examples=40)

ANY_TEXT = st.text(st.characters())  # lone surrogates too
WNIDS = st.from_regex(r"n[0-9]{8}", fullmatch=True)
OUTCOMES = st.sampled_from(list(Outcome))

# --- lists of classes ------------------------------------------------------------------------------------------------


def is_label(text: str) -> bool:
    """Whether the text can stand beside a wnid and be read back as it is."""
    stripped = text.strip().strip("\ufeff").strip().strip('"').strip()
    return (
        bool(text)
        and text == stripped == text.strip(",;|: \t")
        and not re.search(r"[nN][0-9]{8}", text)  # perhaps of another class
        and not any(part.strip().isdigit() for part in re.split(r"[,;|: \t]", text))  # perhaps a place in some order
    )


LABELS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    st.text("n01 ,\t\"'-#é", max_size=30),
    st.sampled_from(["great white shark", "tench, Tinca tinca", "n0144076"]),
).filter(is_label)


def quoted(text: str) -> str:
    """The text as it stands between the quotes of a CSV file."""
    return text.replace('"', '""')


FORMS: list[Callable[[str, str], str]] = [
    lambda wnid, label: f"{wnid},{label}",
    lambda wnid, label: f"{label},{wnid}",
    lambda wnid, label: f"{wnid}\t{label}",
    lambda wnid, label: f"{label}\t{wnid}",
    lambda wnid, label: f"{wnid} {label}",
    lambda wnid, label: f"{label} {wnid}",
    lambda wnid, label: f'{wnid},"{quoted(label)}"',
    lambda wnid, label: f'"{quoted(label)}",{wnid}',
    lambda wnid, label: f'"{wnid}";"{quoted(label)}"',
    lambda wnid, label: f'"{quoted(label)}"\t"{wnid}"',
    lambda wnid, label: f"  {label} ,  {wnid}\r\n",
]


@CALM
@given(ANY_TEXT)
def test_any_line_names_a_class_or_none(line: str) -> None:
    request = parse_class(line)
    if request is not None:
        assert is_wnid(request.wnid)
        assert request.wnid in line.lower()
        assert request.label is None or request.label.strip() == request.label != ""
        assert '"' in line or request.label is None or request.label in line


@CALM
@given(WNIDS, LABELS, st.sampled_from(FORMS))
def test_every_form_of_a_line_is_read_back(wnid: str, label: str, form: Callable[[str, str], str]) -> None:
    assert parse_class(form(wnid, label)) == ClassRequest(Wnid(wnid), label)


@CALM
@given(WNIDS, st.text(" \t\r\n\ufeff", max_size=3), st.text(" \t\r\n", max_size=3))
def test_a_wnid_alone_is_read_whatever_blanks_are_around_it(wnid: str, before: str, after: str) -> None:
    assert parse_class(before.replace("\ufeff ", " \ufeff") + wnid + after) in (ClassRequest(Wnid(wnid)), None)
    assert parse_class("\ufeff" + wnid + after) == ClassRequest(Wnid(wnid))


@CALM
@given(st.lists(st.one_of(ANY_TEXT, WNIDS, st.tuples(WNIDS, LABELS).map(",".join))))
def test_any_lines_are_classes_or_what_names_none(lines: list[str]) -> None:
    found = read_classes(lines)
    wnids = [request.wnid for request in found.classes]
    assert len(set(wnids)) == len(wnids)
    bare = [line.strip().strip("\ufeff").strip() for line in lines]
    told = [line for line in bare if line and not line.startswith("#")]
    assert 0 <= len(told) - (len(wnids) + found.repeated + len(found.unread)) <= 1  # a table's head
    assert all(1 <= unread.number <= len(lines) for unread in found.unread)


@CALM
@given(
    st.lists(WNIDS, unique=True),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le"]),
)
def test_a_list_is_read_back_whatever_ends_its_lines(wnids: list[str], end: str, encoding: str) -> None:
    found = read_input(end.join(wnids).encode(encoding))
    assert [request.wnid for request in found.classes] == wnids


@CALM
@given(st.binary())
def test_any_bytes_are_a_list_of_classes_or_one_error(data: bytes) -> None:
    check_classes(data)


# --- URLs ------------------------------------------------------------------------------------------------------------

SEGMENTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", ".", "..", "..%2f..", "%00", "con", "CON.jpg", "a.jpg", ".htaccess", "-rf", "x" * 300]),
    st.sampled_from(["1_a.jpg", "187951525_24b65aca83_m.jpg", "2_b_o_d.png", "1_A.JPG?x=1", "photo_unavailable_l.png"]),
)
URLS = st.builds(
    "{}://{}{}{}/{}{}".format,
    st.sampled_from(["http", "https", "HTTP", "hTTps", "ftp", "file", "data", ""]),
    st.sampled_from(["", "", "", "user:password@", "@"]),
    st.one_of(
        st.sampled_from(["flickr.com", "farm4.static.flickr.com", "static.flickr.com", "live.staticflickr.com"]),
        st.sampled_from(["FARM1.StaticFlickr.com", "notflickr.com", "flickr.com.", "a..b", "127.0.0.1", "[::1]", ""]),
        st.text(max_size=12),
    ),
    st.sampled_from(["", "", "", ":80", ":443", ":0", ":99999", ":٣", ":" + "9" * 5000]),
    st.lists(SEGMENTS, max_size=4).map("/".join),
    st.sampled_from(["", "", "?v=0", "#top", "?", "?a/b.gif#c"]),
)
TEXTS = st.one_of(ANY_TEXT, URLS, st.tuples(st.just("http://"), ANY_TEXT).map("".join))


@CALM
@given(TEXTS)
@example("http://flickr.com")
@example("http://static.flickr.com:080/1/1_a.jpg")
def test_any_text_is_a_url_or_none(text: str) -> None:
    host, plain = host_in(text), host_of(text)
    assert plain is None or plain == plain.lower()
    assert host is None or plain is None or host == plain
    photo = photo_id(text)
    assert photo is None or (0 <= photo < 10**18 and plain is not None and on_domain(plain, FLICKR_DOMAINS))
    assert isinstance(is_placeholder_url(text), bool)


@CALM
@given(TEXTS)
def test_what_is_asked_for_stays_what_it_is(text: str) -> None:
    asked = request_url(text)
    assert request_url(asked) == asked
    assert photo_id(asked) == photo_id(text)
    assert host_of(asked) == host_of(text)
    assert asked == text or asked.startswith("https://")
    other = live_url(text)
    if other is not None:
        assert photo_id(other) == photo_id(text) is not None
        assert host_of(other) == "live.staticflickr.com"
        assert request_url(other) == other
        assert live_url(other) is None


@CALM
@given(TEXTS)
def test_a_file_name_is_safe_and_always_the_same(text: str) -> None:
    name = file_name(text)
    check_name(name)
    assert file_name(text) == name


@CALM
@given(TEXTS, TEXTS)
def test_two_urls_share_a_file_name_only_where_it_is_in_both(one: str, other: str) -> None:
    name = file_name(one)
    assume(one != other)
    assert name != file_name(other) or (name in one and name in other) or ("%" in one and "%" in other)


# --- lists of URLs ---------------------------------------------------------------------------------------------------

LINES = st.one_of(st.binary(max_size=40), TEXTS.map(lambda text: text.encode("utf-8", "surrogatepass")))
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n"])


@CALM
@given(st.one_of(st.binary(), st.tuples(ENDS, st.lists(LINES)).map(lambda drawn: drawn[0].join(drawn[1]))))
def test_any_bytes_are_a_list_of_urls_or_a_failure(data: bytes) -> None:
    check_answer(data)


@CALM
@given(st.integers(0, 2**32), st.sampled_from(range(17)))
def test_any_damage_to_a_list_is_counted(seed: int, number: int) -> None:
    rng, whole = random.Random(seed), lists()
    data = mutated(rng, whole[number], rng.choice(whole))
    check_answer(data)
    check_classes(data)


@FEWER
@given(st.integers(0, 2**32), st.sampled_from(range(17)))
def test_any_damage_to_an_index_file_is_counted_or_one_error(seed: int, number: int) -> None:
    rng, whole = random.Random(seed), lists()
    check_index(mutated(rng, whole[number], rng.choice(whole)))


@CALM
@given(st.binary())
def test_any_bytes_have_a_text(data: bytes) -> None:
    assert isinstance(decode(data), str)


# --- headers ---------------------------------------------------------------------------------------------------------

DATES = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(9999, 1, 1)).map(  # noqa: DTZ001 - the zone is added below
    lambda date: email.utils.format_datetime(date.replace(tzinfo=dt.UTC), usegmt=True)
)


@CALM
@given(
    st.one_of(
        st.none(),
        ANY_TEXT,
        st.text("0123456789-+:., GMTJanThu", max_size=40),
        st.integers().map(str),
        DATES,
        st.tuples(DATES, st.integers(0, 28), st.text(max_size=3)).map(lambda d: d[0][: d[1]] + d[2] + d[0][d[1] :]),
    ),
    st.floats(0, 4e9),
)
@example("Thu, 01 Jan 1970 00:00:00 +9999", 0.0)
@example("Fri, 31 Dec 9999 23:59:59 -2359", 0.0)
@example("Mon, 01 Jan 0001 00:00:00 +2359", 0.0)
@example("9" * 5000, 0.0)
def test_any_retry_after_is_a_time_to_wait_or_none(value: str | None, now: float) -> None:
    seconds = parse_retry_after(value, now=now)
    assert seconds is None or 0.0 <= seconds <= 366 * 86400.0


@CALM
@given(st.integers(0, 366 * 86400))
def test_a_retry_after_in_seconds_is_read_back(seconds: int) -> None:
    assert parse_retry_after(f" {seconds} ") == seconds


DIRECTIVES = st.sampled_from(["noai", "NoImageAI", "noindex", "none", "all", "max-snippet: 5", "noarchive", ""])


@CALM
@given(st.lists(st.one_of(ANY_TEXT, st.lists(DIRECTIVES).map(", ".join))).map(tuple))
def test_any_robots_tag_asks_for_something_or_not(values: tuple[str, ...]) -> None:
    assert opts_out(values) == any(opts_out((value,)) for value in values)
    assert opts_out((*values, "noai"))


@CALM
@given(st.lists(DIRECTIVES, min_size=1), st.sampled_from(["googlebot", "otherbot", "Scraper", "*"]))
def test_a_robots_tag_binds_whom_it_addresses(directives: list[str], name: str) -> None:
    text = ", ".join(directives)
    ours = name in ("Scraper", "*")
    assert opts_out((f"{name}: {text}",)) == (ours and any(opts_out((one,)) for one in directives))


# --- pictures --------------------------------------------------------------------------------------------------------


@CALM
@given(
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x10\0\0\0WEBPVP8 ", b"<html>"]),
    st.binary(),
    st.sampled_from([b"", b"\xff\xd9", b"\0\0\0\0IEND\xaeB`\x82", b"\x3b"]),
)
def test_any_bytes_get_one_verdict(start: bytes, middle: bytes, end: bytes) -> None:
    check_picture(start + middle + end)


@cache
def whole() -> list[bytes]:
    """Real pictures."""
    return pictures()


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@settings(CALM, max_examples=300)
@given(seed=st.integers(0, 2**32), number=st.integers(0, 1000))
def test_any_damage_to_a_picture_gets_one_verdict(seed: int, number: int) -> None:
    rng = random.Random(seed)
    check_picture(mutated(rng, whole()[number % len(whole())], rng.choice(whole())))


def test_undamaged_pictures_are_kept() -> None:
    flaws = [number for number, data in enumerate(whole()) if check_verdicts(data) is None]
    # A scan that is repeated, two tiny ones, a page and nothing.
    assert flaws == list(range(len(whole()) - 5, len(whole())))
    for data in whole():
        check_picture(data)


# --- retries ---------------------------------------------------------------------------------------------------------

CANDIDATES = st.builds(
    Candidate,
    id=st.just(1),
    wnid=st.just(Wnid("n00000001")),
    rank=st.just(1),
    url=st.sampled_from(["http://farm1.static.flickr.com/1/1_a.jpg", "http://a.example/1_a.jpg"]),
    filename=st.just("1_a.jpg"),
    photo_id=st.none(),
    tries=st.integers(0, 5),
    not_before=st.just(0.0),
)


ATTEMPTS = st.builds(
    lambda candidate, fate, outcome, retry_after: Attempt(
        replace(candidate, fate=fate, form=Form.LIVE if fate else None), 0.0, 0.1, outcome, retry_after=retry_after
    ),
    CANDIDATES,
    st.sampled_from([None, Outcome.GONE, Outcome.PLACEHOLDER]),
    OUTCOMES,
    st.one_of(st.none(), st.floats(0, 366 * 86400.0)),
)
POLICIES = st.builds(Policy, tries=st.integers(1, 100), second_try=st.sampled_from([None, Form.LIVE]))


@settings(CALM, max_examples=300)
@given(ATTEMPTS, POLICIES, st.integers(1, 200), st.floats(0, 4e9))
def test_what_follows_a_try_is_decided(attempt: Attempt, policy: Policy, tries: int, now: float) -> None:
    candidate, outcome, retry_after = attempt.candidate, attempt.outcome, attempt.retry_after
    decision = decide(attempt, policy, tries=tries, now=now, rng=random.Random(1))
    assert (decision.state is State.SAVED) == (outcome is Outcome.SAVED)
    if decision.state is not State.WAITING:
        assert decision.not_before == 0.0
        assert decision.outcome.final == (decision.state is not State.UNKNOWN)
    elif decision.form is candidate.form:
        assert tries < policy.tries
        assert outcome.retryable
        assert max(now, now + (retry_after or 0.0)) <= decision.not_before
        assert decision.not_before <= now + max(LONGEST_WAIT, retry_after or 0.0) + 1e-6
    else:
        assert (candidate.form, decision.form, outcome.kind) == (None, policy.second_try, Kind.DEAD)
        assert decision.fate is outcome
        assert live_url(candidate.url) is not None


# --- the scheduler ---------------------------------------------------------------------------------------------------

HOSTS = ("static.flickr.com", "live.staticflickr.com", "a.example")


class Book:
    """What the manifest knows of a class."""

    def __init__(self, number: int, n: int, budget: int, listed: list[tuple[str, int | None, State]]) -> None:
        self.wnid = Wnid(f"n{number:08d}")
        self.n = n
        self.budget = min(budget, len(listed))
        self.candidates = {
            number * 1000 + rank: Candidate(
                number * 1000 + rank, self.wnid, rank, f"http://{host}/1/{rank}_a.jpg", f"{rank}_a.jpg", photo
            )
            for rank, (host, photo, _) in enumerate(listed, start=1)
        }
        self.states = {
            number * 1000 + rank: state if rank <= self.budget else State.WAITING
            for rank, (_, _, state) in enumerate(listed, start=1)
        }

    @property
    def saved(self) -> list[Candidate]:
        """The images."""
        return self.of(State.SAVED)

    def of(self, *states: State) -> list[Candidate]:
        """The candidates in these states."""
        return [one for number, one in self.candidates.items() if self.states[number] in states]

    def photos(self) -> list[int]:
        """The photos of the images."""
        return [one.photo_id for one in self.saved if one.photo_id is not None]

    def state(self) -> ClassState:
        """As the scheduler is told of it."""
        first = min((one.rank for one in self.of(State.WAITING, State.UNKNOWN)), default=len(self.candidates) + 1)
        return ClassState(self.wnid, self.n, self.budget, len(self.candidates), len(self.saved), first)


LISTED = st.tuples(
    st.sampled_from(HOSTS),
    st.one_of(st.none(), st.integers(1, 6)),
    st.sampled_from([State.WAITING] * 5 + [State.UNKNOWN, State.LOST]),
)
LIKELY = st.one_of(
    st.sampled_from([Outcome.SAVED, Outcome.SAVED, Outcome.GONE, Outcome.TIMEOUT, Outcome.THROTTLED]), OUTCOMES
)


class SchedulerMachine(RuleBasedStateMachine):
    """The scheduler under a coordinator that does things in any order, and is killed and started anew."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.books: dict[Wnid, Book] = {}
        self.flying: list[tuple[Candidate, float]] = []
        self.due: dict[int, float] = {}
        self.tries: Counter[tuple[int, Form | None]] = Counter()
        self.told: set[Wnid] = set()
        self.last_start = 0.0
        self.limits = Limits(1)
        self.scheduler = Scheduler([], self.limits, random.Random(1))

    @initialize(
        classes=st.lists(
            st.tuples(st.integers(1, 4), st.integers(1, 16), st.lists(LISTED, max_size=20)), min_size=1, max_size=4
        ),
        limits=st.builds(
            Limits,
            threads=st.sampled_from([1, 2, 8]),
            policy=st.builds(Policy, tries=st.integers(1, 3), second_try=st.sampled_from([None, Form.LIVE])),
            top_up=st.booleans(),
            rate=st.sampled_from([None, None, 2.0]),
        ),
    )
    def plan(self, classes: list[tuple[int, int, list[tuple[str, int | None, State]]]], limits: Limits) -> None:
        books = [Book(number, *drawn) for number, drawn in enumerate(classes, start=1)]
        self.books = {book.wnid: book for book in books}
        self.limits = limits
        self.resume()

    @rule()
    def resume(self) -> None:
        """The run ends here, whatever was under way, and another one begins."""
        self.flying.clear()
        self.tries.clear()
        self.told.clear()
        self.last_start = 0.0
        self.scheduler = Scheduler([book.state() for book in self.books.values()], self.limits, random.Random(1))
        for book in self.books.values():
            if len(book.saved) < book.n:
                self.tell(book)

    def tell(self, book: Book) -> None:
        """Tell the photos of a class, once."""
        if book.wnid not in self.told:
            self.scheduler.know_photos(book.wnid, book.photos())
            self.told.add(book.wnid)

    @rule(most=st.integers(1, 4))
    def supply(self, most: int) -> None:
        wants = self.scheduler.wants(most)
        self.take_notes()
        for want in wants:
            book = self.books[want.wnid]
            assert 1 <= want.first <= want.last == book.budget
            self.tell(book)
            waiting = [one for one in book.of(State.WAITING, State.UNKNOWN) if want.first <= one.rank <= want.last]
            self.scheduler.supply(want, waiting[: want.count])
            self.take_notes()

    def take_notes(self) -> None:
        """Record what the scheduler decided by itself."""
        for step in self.scheduler.take_raises():
            book = self.books[step.wnid]
            assert self.limits.top_up
            assert book.budget == step.before < step.after <= len(book.candidates)
            assert 0 < step.survival <= 1
            book.budget = step.after
        for one in self.scheduler.take_skipped():
            book = self.books[one.wnid]
            assert book.states[one.id] in (State.WAITING, State.UNKNOWN)
            assert one.id not in self.ids_flying
            book.states[one.id] = State.LOST

    @property
    def ids_flying(self) -> set[int]:
        """The candidates in flight."""
        return {one.id for one, _ in self.flying}

    @rule(most=st.integers(1, 20))
    def start(self, most: int) -> None:
        for _ in range(most):
            one = self.scheduler.next(self.now)
            if one is None:
                due = self.scheduler.next_due(self.now)
                assert due is None or due > self.now
                return
            book = self.books[one.wnid]
            assert one.id not in self.ids_flying
            assert book.states[one.id] in (State.WAITING, State.UNKNOWN)
            assert one.rank <= book.budget
            assert self.now >= self.due.get(one.id, 0.0)
            photos = {other.photo_id for other, _ in self.flying if other.wnid == one.wnid} | set(book.photos())
            assert one.photo_id is None or one.photo_id not in photos
            if self.limits.rate is not None:
                assert self.now >= self.last_start + 1 / self.limits.rate - 1e-6
            self.last_start = self.now
            self.flying.append((one, self.now))
            self.tries[one.id, one.form] += 1
            assert self.tries[one.id, one.form] <= self.limits.policy.tries

    @precondition(lambda self: self.flying)
    @rule(place=st.integers(0), outcome=LIKELY, retry_after=st.sampled_from([None, None, 0.0, 7.0, 119.0, 9999.0]))
    def done(self, place: int, outcome: Outcome, retry_after: float | None) -> None:
        one, started = self.flying.pop(place % len(self.flying))
        book = self.books[one.wnid]
        attempt = Attempt(one, started, self.now - started, outcome, retry_after=retry_after)
        decision = self.scheduler.done(attempt, self.now)
        book.states[one.id] = decision.state
        book.candidates[one.id] = replace(
            one,
            tries=one.tries + 1,
            not_before=decision.not_before if decision.state is State.WAITING else 0.0,
            form=decision.form,
            fate=decision.fate,
        )
        self.due[one.id] = decision.not_before
        assert decision.not_before == 0.0 or decision.not_before > self.now

    @rule(seconds=st.floats(0.001, 200.0))
    def advance(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def advance_to_what_is_due(self) -> None:
        self.now = self.scheduler.next_due(self.now) or self.now

    @precondition(lambda self: any(book.saved for book in self.books.values()))
    @rule(drawn=st.data())
    def take_back(self, drawn: st.DataObject) -> None:
        book = drawn.draw(st.sampled_from([book for book in self.books.values() if book.saved]))
        gone = drawn.draw(st.lists(st.sampled_from(book.saved), min_size=1, unique_by=lambda one: one.id))
        for one in gone:
            book.states[one.id] = State.LOST
        # The first rank that was never handed out stays what it was when the run began.
        self.scheduler.take_back(book.state(), [one.photo_id for one in gone])

    @invariant()
    def no_class_gets_more_than_it_needs(self) -> None:
        assert self.scheduler.in_flight == len(self.flying)
        flying = Counter(one.wnid for one, _ in self.flying)
        for book in self.books.values():
            assert len(book.saved) <= book.n
            assert flying[book.wnid] <= book.n - len(book.saved)
            assert len(set(book.photos())) == len(book.photos())
        assert not (self.scheduler.finished and self.flying)

    def teardown(self) -> None:
        """Run to the end: nothing starves."""
        rng = random.Random(len(self.due))
        outcomes = [Outcome.GONE, Outcome.PLACEHOLDER, Outcome.TIMEOUT, Outcome.THROTTLED]
        outcomes += [Outcome.SAVED] * rng.randrange(3)
        rounds = 0
        while not self.scheduler.finished:
            rounds += 1
            assert rounds < 5000
            self.supply(3)
            self.start(1000)
            due = self.scheduler.next_due(self.now)
            if self.flying and (due is None or rng.random() < 0.8):
                self.now += rng.random()
                self.done(rng.randrange(100), rng.choice(outcomes), None)
            elif due is not None:
                self.now = due
            self.take_notes()
            self.no_class_gets_more_than_it_needs()
        self.take_notes()
        assert not self.flying
        for book in self.books.values():
            if len(book.saved) >= book.n:
                continue
            assert book.budget == len(book.candidates) or not self.limits.top_up
            assert not [one for one in book.of(State.WAITING) if one.rank <= book.budget]


TestScheduler = SchedulerMachine.TestCase
TestScheduler.settings = settings(CALM, max_examples=250, stateful_step_count=40)

# --- answers from the net --------------------------------------------------------------------------------------------

STATUS_LINES = st.one_of(
    st.sampled_from([b"HTTP/1.1 200 OK", b"HTTP/1.0 200 OK", b"HTTP/1.1 404 Not Found", b"HTTP/1.1 302 Found"]),
    st.sampled_from([b"HTTP/1.1 206 Part", b"HTTP/1.1 103 Early", b"HTTP/1.1 204 No", b"HTTP/1.1 99 x", b"ICY 200 OK"]),
    st.binary(max_size=20),
)
HEADERS = st.one_of(
    st.builds(
        b"%s: %s".__mod__,
        st.tuples(
            st.sampled_from(
                [b"Content-Length", b"Transfer-Encoding", b"Location", b"Retry-After", b"X-Robots-Tag", b"Connection"]
            ),
            st.one_of(
                st.sampled_from([b"0", b"5", b"-1", b"chunked", b"gzip", b"close", b"noai", b"1, 5", b"9" * 5000]),
                st.text("/:.?#@[]%\\ab0", max_size=12).map(str.encode),
                st.just(b"//static.flickr.com/2"),
                st.binary(max_size=12),
            ),
        ),
    ),
    st.binary(max_size=20),
)
ANSWERS = st.one_of(
    st.binary(max_size=200),
    st.builds(
        lambda status, headers, body: b"\r\n".join([status, *headers, b"", body]),
        STATUS_LINES,
        st.lists(HEADERS, max_size=4),
        st.one_of(
            st.binary(max_size=40), st.sampled_from([b"5\r\nabcde\r\n0\r\n\r\n", b"-5\r\n", b"ffffffffffff\r\n"])
        ),
    ),
    st.builds(
        lambda seed, number: mutated(random.Random(seed), responses()[number], b"\r\n: ;0"),
        st.integers(0, 2**32),
        st.sampled_from(range(len(responses()))),
    ),
)


@pytest.fixture(scope="module")
def server() -> Iterator[Answering]:
    with Answering() as answering:
        yield answering


@pytest.fixture(scope="module")
def client(server: Answering) -> Iterator[Client]:
    with Client(network(server), threads=1) as client:
        yield client


@settings(CALM, max_examples=150)
@given(answer=ANSWERS, ending=st.sampled_from(["close", "close", "close", "reset"]))
def test_any_answer_comes_back_as_a_reply(server: Answering, client: Client, answer: bytes, ending: str) -> None:
    server.answer, server.ending = answer, ending
    check_reply(server, client)


@settings(CALM, max_examples=5)
@given(answer=ANSWERS)
def test_any_answer_that_does_not_end_comes_back_in_time(server: Answering, client: Client, answer: bytes) -> None:
    server.answer, server.ending = answer, "hold"
    check_reply(server, client)


@pytest.mark.timeout(10)
def test_a_list_made_to_collide_with_its_own_digests_ends() -> None:
    odd = "http://www.example.com/p/%20" + "x" * 100 + ".jpg"
    plain = "http://www.example.com/p/" + file_name(odd)
    listing = parse_answer(f"{plain}\n{odd}\n".encode(), hosts=("example.com",), shuffle=None)
    assert len({one.filename.lower() for one in listing.candidates}) == 2


def test_what_is_kept_of_damaged_jpegs_can_be_opened_by_pillow() -> None:
    data = small_pictures()[0]
    check_picture(data[:20] + b"\xff\x09" + data[20:])  # junk that looks like a marker, between JFIF and the tables


def test_leading_zeros_of_a_retry_after_are_no_digits_lost() -> None:
    assert parse_retry_after("0" * 12 + "120") == 120.0


@CALM
@given(TEXTS)
@example("HTTP://@")
def test_a_host_is_never_empty(text: str) -> None:
    assert host_in(text) != ""


@pytest.mark.parametrize("url", ["http://flic\u212ar.com/1/1_a.jpg", "http\u017f://flickr.com/1/1_a.jpg"])
def test_a_letter_that_only_folds_to_ascii_is_not_ascii(url: str) -> None:
    assert host_of(url) is None
