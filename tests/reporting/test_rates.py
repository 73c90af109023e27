"""The rates of a report: against worlds whose truth is known, formulas of our own, and inputs that say too little."""

from __future__ import annotations

import json
import math
import random
import sqlite3
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from scraper.manifest.access.counts import class_targets
from scraper.manifest.access.lists import save_listing, want
from scraper.manifest.access.recording import Batch, DecidedAttempt, record
from scraper.manifest.core import Manifest
from scraper.model import Kind, ListingOutcome, State, Wnid
from scraper.records import Attempt, Candidate, ClassRequest, Listed, Listing, Picture, Temporary
from scraper.reporting.numbers import report
from scraper.statistics.inverse import sample_of
from tests.command import Scraper
from tests.conftest import CLOCK, TENCH
from tests.manifest.version1 import downgrade
from tests.standin import ClassSpec, Fate, StandIn, World
from tests.statistics.simulation import Kinds, Plan, fetch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.statistics.simulation import Class

KEYS = {
    "of", "weighting", "rate", "low", "high", "low_if_unknown_alive", "high_if_unknown_dead", "classes", "decided",
    "unknown", "method",
}  # fmt: skip
DEAD = {"gone", "placeholder"}


def estimate(found: dict[str, Any], of: str = "dead", weighting: str = "class") -> dict[str, Any]:
    (row,) = [row for row in found["estimates"] if (row["of"], row["weighting"]) == (of, weighting)]
    return dict(row)


def wilson(hits: int, trials: int) -> tuple[float, float]:
    """The two rates p at which hits / trials is 1.96 standard errors away: (rate - p)² = z² p (1 - p) / trials."""
    z2, rate = 1.959963984540054**2, hits / trials
    a, b, c = 1 + z2 / trials, -(2 * rate + z2 / trials), rate * rate
    root = math.sqrt(b * b - 4 * a * c)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


# --- worlds ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def two_kinds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scraper, World]]:
    """Half of the classes have 15 % of their photos alive, half 65 %; eight images of each are fetched."""
    mixes = ({Fate.ALIVE: 0.15, Fate.GONE_404: 0.85}, {Fate.ALIVE: 0.65, Fate.GONE_404: 0.35})
    classes = [ClassSpec(f"n{n:08d}", f"class {n}", flickr=60, other=0, mix=mixes[n % 2]) for n in range(1, 41)]
    world = World(4, classes)
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path_factory.mktemp("kinds"), standin)
        scraper.done("plan", *world.classes, "-n", "8", "--threads", "16")
        scraper.done("fetch")
        yield scraper, world


def test_the_rate_is_that_of_the_lists_where_the_pooled_share_was_not(two_kinds: tuple[Scraper, World]) -> None:
    scraper, world = two_kinds
    shares = [sum(world.fate(url) is Fate.GONE_404 for url in world.flickr_urls(wnid)) / 60 for wnid in world.classes]
    truth = sum(shares) / len(shares)
    found = scraper.report()
    for weighting in ("class", "url"):
        row = estimate(found, weighting=weighting)
        assert set(row) >= KEYS
        assert row["low"] < truth < row["high"]
        assert abs(row["rate"] - truth) < 0.04
        assert (row["classes"], row["unknown"]) == (40, 0)
        assert (row["low"], row["high"]) == (row["low_if_unknown_alive"], row["high_if_unknown_dead"])
    rot = found["link_rot"]
    old_low, old_high = wilson(rot["dead"], rot["decided"])
    assert rot["dead"] / rot["decided"] - truth > 0.12
    assert not old_low < truth < old_high


def test_every_format_tells_the_same_rate(two_kinds: tuple[Scraper, World]) -> None:
    scraper, _ = two_kinds
    row = estimate(scraper.report())
    said = f"{row['rate']:.1%} of the URLs at the head of the lists are dead (95 % interval {row['low']:.1%} to "
    for form in ("text", "html"):
        out = scraper.done("report", "--format", form).out
        assert f"{said}{row['high']:.1%}), asked on " in out
        assert f"by {row['decided']:,} decided URLs of 40 classes, each class alike" in out
        assert "unknown alive" not in out
    classes = {row["wnid"]: row for row in scraper.report()["classes"]}
    header, *lines = scraper.done("report", "--format", "csv").out.splitlines()
    assert header.split(",")[-1] == "dead_rate"
    for line in lines:
        wnid, *_, rate = line.split(",")
        assert float(rate) == classes[wnid]["dead_rate"]


def test_each_class_has_haldanes_rate_or_the_exact_one(two_kinds: tuple[Scraper, World]) -> None:
    scraper, world = two_kinds
    stopped = 0
    for row in scraper.report()["classes"]:
        fates = [world.fate(url) for url in world.flickr_urls(row["wnid"])]
        alive = [place for place, fate in enumerate(fates, start=1) if fate is Fate.ALIVE]
        if len(alive) >= 8:
            assert row["dead_rate"] == pytest.approx((alive[7] - 8) / (alive[7] - 1), abs=1e-6)
            stopped += 1
        else:
            assert row["dead_rate"] == pytest.approx(1 - len(alive) / 60, abs=1e-6)
    assert 20 <= stopped < 40


def test_a_shuffled_plan_speaks_of_the_lists(two_kinds: tuple[Scraper, World], tmp_path: Path) -> None:
    scraper = Scraper(tmp_path, two_kinds[0].standin)
    scraper.done("plan", "n00000001", "n00000002", "-n", "4", "--shuffle", "s")
    scraper.done("fetch")
    found = scraper.report()
    assert estimate(found)["population"] == "of the URLs of the lists"
    assert "of the URLs of the lists are dead" in scraper.done("report").out
    scraper.done("plan", "n00000003", "-n", "4")
    assert estimate(scraper.report())["population"] == "of the URLs at the head of the lists"


def test_a_manifest_of_version_1_gives_the_new_rates(two_kinds: tuple[Scraper, World], tmp_path: Path) -> None:
    scraper, _ = two_kinds
    (tmp_path / "manifests").mkdir()
    with (
        closing(sqlite3.connect(scraper.manifest)) as old,
        closing(sqlite3.connect(tmp_path / "manifests/scraper.db")) as new,
    ):
        old.backup(new)
    downgrade(tmp_path / "manifests/scraper.db")
    found, new_found = Scraper(tmp_path).report(), scraper.report()
    for key in ("estimates", "hosts", "years", "classes", "unfinished"):
        assert found[key] == new_found[key]
    assert Scraper(tmp_path).one("PRAGMA user_version") == 1


# --- by host, year and outcome, by formulas of our own ---------------------------------------------------------------


def weighed(scraper: Scraper) -> dict[str, list[tuple[str, int | None, str, float]]]:
    """Of each class its decided URLs up to the n-th image, each with its weight by Haldane's estimate."""
    rows: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    sql = "SELECT wnid, url, photo_id, coalesce(fate, outcome), state, n FROM candidates JOIN classes USING (wnid) "
    for wnid, url, photo, outcome, state, n in scraper.rows(sql + "WHERE outcome IS NOT NULL ORDER BY candidates.id"):
        images = sum(row[3] for row in rows[wnid])
        if images < n and outcome in (
            "saved",
            "duplicate",
            "gone",
            "placeholder",
            "forbidden",
            "opted_out",
            "not_image",
        ):
            rows[wnid].append((url, photo, outcome, state == "saved", n))
    found = {}
    for wnid, urls in rows.items():
        trials, images, n = len(urls), sum(url[3] for url in urls), urls[0][4]
        of_other = 1 / (trials - 1) if images == n else 1 / trials
        of_image = (images - 1) / images * of_other if images == n else 1 / trials
        found[wnid] = [(url, photo, outcome, of_image if image else of_other) for url, photo, outcome, image, _ in urls]
    return found


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraper]:
    """A world with everything in it, second tries on another host too."""
    mix = {Fate.ALIVE: 5.0, Fate.GONE_404: 2.0, Fate.PLACEHOLDER_REDIRECT: 1.0, Fate.FORBIDDEN: 1.0, Fate.HTML: 1.0}
    mix |= {Fate.MOVED: 1.0, Fate.SAME_BYTES: 0.5, Fate.ERROR_ALWAYS: 0.3, Fate.ERROR_ONCE: 0.5}
    world = World.of(8, [(f"n{n:08d}", f"class {n}") for n in range(1, 31)], flickr=24, other=0, mix=mix)
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path_factory.mktemp("mixed"), standin)
        scraper.done("plan", *world.classes, "-n", "8", "--threads", "16")
        scraper.done("fetch", "--second-try", "live")
        yield scraper


def test_rates_by_host_are_ratios_of_weights(mixed: Scraper) -> None:
    urls = weighed(mixed)
    hosts = {row["host"]: row for row in mixed.report()["hosts"]}
    assert len(hosts) > 5
    rated = 0
    for host, row in hosts.items():
        mine = {wnid: [url for url in of_class if url[0].split("/")[2] == host] for wnid, of_class in urls.items()}
        every = {wnid: sum(url[3] for url in of_class) for wnid, of_class in mine.items() if of_class}
        dead = sum(url[3] for of_class in mine.values() for url in of_class if url[2] in DEAD)
        effective = sum(every.values()) ** 2 / sum(weight**2 for weight in every.values())
        if effective < 5:
            assert (row["dead_rate"], row["dead_rate_low"], row["dead_rate_high"]) == (None, None, None)
        else:
            assert row["dead_rate"] == pytest.approx(dead / sum(every.values()), abs=1e-5)
            assert row["dead_rate_low"] <= row["dead_rate"] <= row["dead_rate_high"]
            rated += 1
    assert rated > 3
    if rated < len(hosts):
        assert "too few classes" in mixed.done("report").out


def test_rates_by_outcome_add_up(mixed: Scraper) -> None:
    urls, found = weighed(mixed), mixed.report()
    outcomes = {row["of"]: row["rate"] for row in found["estimates"] if row["of"] not in ("dead", "rot")}
    assert sum(outcomes.values()) == pytest.approx(1, abs=1e-5)
    for outcome, rate in outcomes.items():
        weights = [sum(url[3] for url in of_class if url[2] == outcome) for of_class in urls.values()]
        assert rate == pytest.approx(sum(weights) / len(weights), abs=1e-5)
    assert outcomes["gone"] + outcomes["placeholder"] == pytest.approx(estimate(found)["rate"], abs=2e-3)


def test_rates_by_year_rest_on_photo_numbers_between_the_anchors(mixed: Scraper) -> None:
    urls, years = weighed(mixed), mixed.report()["years"]
    assert years
    for row in years:
        assert 2007 <= row["year"] <= 2011
        assert row["classes"] <= len(urls)
    between = [url for of_class in urls.values() for url in of_class if url[1] and 383861611 <= url[1] <= 5535462501]
    assert sum(row["urls"] for row in years) == len(between)
    assert "interpolated" in mixed.done("report").out


# --- what a manifest keeps -------------------------------------------------------------------------------------------


def recorded(path: Path, plan: Plan, classes: list[Class]) -> dict[Wnid, Class]:
    """A manifest of a simulated fetch, each URL asked for once."""
    found = {Wnid(f"n{number:08d}"): one for number, one in enumerate(classes, start=1)}
    with Manifest.create(path) as book:
        want(book, [ClassRequest(wnid) for wnid in found], n=plan.n, budget=plan.n)
        run = book.start_run("fetch", [], "0", 0.0)
        for wnid, one in found.items():
            urls = tuple(
                Listed(url_of(wnid, rank), None, f"{rank}_a.jpg", True) for rank in range(1, len(one.truth) + 1)
            )
            listing = Listing(ListingOutcome.LISTED, urls, listed=len(urls))
            save_listing(book, run, wnid, listing, source="lists", hosts="flickr.com", shuffle=None, now=0.0)
            record(book, run, Batch(list(decided(wnid, one))), 1.0)
        book.end_run(run, 0, 2.0)
        assert len(list(class_targets(book))) == len(classes)
    return found


def url_of(wnid: Wnid, rank: int) -> str:
    return f"http://static.flickr.com/{int(wnid[1:])}/{rank}_a.jpg"


def decided(wnid: Wnid, one: Class) -> Iterator[DecidedAttempt]:
    for rank, decision in one.decisions.items():
        number = int(wnid[1:]) * 10_000_000 + rank
        candidate = Candidate(number, wnid, rank, url_of(wnid, rank), f"{rank}_a.jpg")
        picture = (
            Picture(Temporary("", 1, 1), f"{number:064x}", 1, "JPEG", 1, 1) if decision.state is State.SAVED else None
        )
        attempt = Attempt(candidate, 0.0, 0.1, decision.outcome, picture=picture)
        yield DecidedAttempt(attempt, decision, f"{wnid}/{rank}_a.jpg" if picture else None)


@pytest.mark.parametrize(
    "plan",
    [
        Plan(kinds=Kinds(failing=0.5, silent=0.1), rho=0.2),
        Plan(kinds=Kinds(failing=0.3, unusable=0.2, live=0.4), second_try=True, dead=(0.5,)),
        Plan(dead=(0.7,), lengths=(5, 20), top_up=False),
        Plan(n=1, kinds=Kinds(failing=0.5), lengths=(10,)),
    ],
)
def test_the_manifest_says_of_a_class_what_was_seen_up_to_its_nth_image(plan: Plan, tmp_path: Path) -> None:
    """Whether from the counts that it keeps or, where retries came out of order, from the rows."""
    classes = fetch(plan, plan.lists(random.Random(3), 150), random.Random(3))
    found = recorded(tmp_path / "m.db", plan, classes)
    told = report(tmp_path / "m.db")
    out_of_order = 0
    for row in told.classes:
        one = found[Wnid(row.wnid)]
        sample = sample_of(one.seen(frozenset({Kind.DEAD})), n=plan.n, listed=len(one.truth))
        out_of_order += sample.stopped and len(one.decisions) > sample.decided + sample.unknown
        assert row.dead_rate == pytest.approx(sample.share, abs=1e-6)
    if plan.kinds.failing:
        assert out_of_order > 5
    assert report(tmp_path / "m.db").estimates == told.estimates


def test_a_smaller_n_counts_to_the_smaller_place(two_kinds: tuple[Scraper, World], tmp_path: Path) -> None:
    scraper = Scraper(tmp_path, two_kinds[0].standin)
    scraper.done("plan", "n00000001", "n00000003", "-n", "8")
    scraper.done("fetch")
    scraper.done("plan", "n00000001", "n00000003", "-n", "3")
    world = two_kinds[1]
    for row in scraper.report()["classes"]:
        alive = [n for n, url in enumerate(world.flickr_urls(row["wnid"]), start=1) if world.fate(url) is Fate.ALIVE]
        assert row["dead_rate"] == pytest.approx((alive[2] - 3) / (alive[2] - 1), abs=1e-6)


# --- too little to say -----------------------------------------------------------------------------------------------


def test_one_class_has_a_rate_and_no_interval(two_kinds: tuple[Scraper, World], tmp_path: Path) -> None:
    scraper = Scraper(tmp_path, two_kinds[0].standin)
    scraper.done("plan", "n00000001", "-n", "8")
    scraper.done("fetch")
    row = estimate(scraper.report())
    assert 0 < row["rate"] < 1
    assert [row[key] for key in ("low", "high", "low_if_unknown_alive", "high_if_unknown_dead")] == [None] * 4
    assert (row["classes"], "one class has no interval" in row["method"]) == (1, True)
    out = scraper.done("report").out
    assert f"{row['rate']:.1%} of the URLs at the head of the lists are dead" in out
    assert "too few classes for an interval" in out
    assert "95 % interval 0" not in out


def test_an_n_of_one_says_what_it_can(two_kinds: tuple[Scraper, World], tmp_path: Path) -> None:
    scraper, world = Scraper(tmp_path, two_kinds[0].standin), two_kinds[1]
    scraper.done("plan", *list(world.classes)[:12], "-n", "1")
    scraper.done("fetch")
    row = estimate(scraper.report())
    first = [world.fate(world.flickr_urls(wnid)[0]) is Fate.GONE_404 for wnid in list(world.classes)[:12]]
    assert row["rate"] == pytest.approx(sum(first) / 12, abs=1e-6)
    assert "n = 1" in row["method"]
    assert "only the first URL of each list counts" in scraper.done("report").out


def test_only_unknowns_are_no_rate(tmp_path: Path) -> None:
    World.of(13, [(TENCH, "tench"), (CLOCK, "clock")], flickr=5).write_folder(tmp_path / "lists")
    scraper = Scraper(tmp_path)
    scraper.done("plan", TENCH, CLOCK, "-n", "3", "--source", "lists")
    for form in ("text", "html", "csv"):
        assert "dead (" not in scraper.done("report", "--format", form).out
    assert [row["rate"] for row in scraper.report()["estimates"]] == [None] * 4
    scraper.run("fetch", "--retries", "1", "--connect-to", "::127.0.0.1:1")
    found = scraper.report()
    row = estimate(found)
    assert [row[key] for key in ("rate", "low", "high", "low_if_unknown_alive", "high_if_unknown_dead")] == [None] * 5
    assert (row["decided"], row["method"]) == (0, "no URL was decided")
    assert row["unknown"] > 0
    assert "no URL is decided: " in scraper.done("report").out
    assert all(host["dead_rate"] is None for host in found["hosts"])


def test_all_dead_is_not_certain(tmp_path: Path) -> None:
    world = World.of(13, [(f"n{n:08d}", "dead") for n in range(1, 13)], flickr=8, other=0, mix={Fate.GONE_404: 1})
    with StandIn(world) as standin:
        scraper = Scraper(tmp_path, standin)
        scraper.done("plan", *world.classes, "-n", "3")
        scraper.run("fetch")
        row = estimate(scraper.report())
    assert (row["rate"], row["high"]) == (1.0, 1.0)
    assert 0.7 < row["low"] < 0.8  # 12 classes, and each may be dead as a whole


def test_unknown_urls_widen_the_bounds_and_a_killed_run_more(mixed: Scraper, tmp_path: Path) -> None:
    row = estimate(mixed.report())
    assert row["unknown"] > 0
    assert row["low_if_unknown_alive"] < row["low"]
    assert row["high_if_unknown_dead"] > row["high"]
    assert f"were all {row['unknown']} that are unknown alive, or all dead: " in mixed.done("report").out
    (tmp_path / "manifests").mkdir()
    killed = Scraper(tmp_path)
    with closing(sqlite3.connect(mixed.manifest)) as old, closing(sqlite3.connect(killed.manifest)) as new:
        old.backup(new)
        new.execute("UPDATE classes SET n = 20, budget = 24")
        new.commit()
        before = estimate(killed.report())
        new.execute("UPDATE runs SET ended_at = NULL, exit_code = NULL WHERE command = 'fetch'")
        new.commit()
    after = estimate(killed.report())
    assert after["rate"] == before["rate"]
    assert after["unknown"] > before["unknown"]
    assert after["low_if_unknown_alive"] < before["low_if_unknown_alive"]
    assert killed.report()["unfinished"] > 0
    assert "not finished: these are rates of what there is so far" in killed.done("report").out


def test_json_is_strict(mixed: Scraper) -> None:
    """No NaN, no infinity."""
    out = mixed.done("report", "--format", "json").out

    def refuse(word: str) -> None:
        raise AssertionError(word)

    json.loads(out, parse_constant=refuse)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE class_outcomes SET candidates = 0 WHERE outcome <> 'saved'",
        "UPDATE class_outcomes SET candidates = 99 WHERE outcome = 'saved'",
        "UPDATE class_outcomes SET candidates = 0",
        "UPDATE class_outcomes SET repaired = 50",
        "UPDATE candidate SET state = 2, outcome = 'gone' WHERE state = 1",
        "DELETE FROM image",
        "UPDATE classes SET candidates = 0",
        "UPDATE classes SET n = 1",
        "UPDATE runs SET ended_at = NULL",
        "UPDATE surveys SET urls = 0",
        "DELETE FROM surveys",
        "UPDATE rechecks SET outcome = 'timeout'",
        "UPDATE rechecks SET candidate_id = 10000001",
    ],
)
def test_counts_that_are_off_end_in_no_exception(mixed: Scraper, tmp_path: Path, change: str) -> None:
    """Verify tells of them; a report is then wrong, but whole."""
    (tmp_path / "manifests").mkdir()
    scraper = Scraper(tmp_path)
    with closing(sqlite3.connect(mixed.manifest)) as old, closing(sqlite3.connect(scraper.manifest)) as new:
        old.backup(new)
        new.execute("INSERT INTO surveys VALUES (1, 'listed', 900, NULL, 9, NULL)")
        new.execute(
            "INSERT INTO rechecks SELECT NULL, id, 1, '2026-01-31T12:00:00.000Z', 0.1, outcome, 'gone', 404, NULL, "
            "NULL FROM candidate WHERE outcome IN ('saved', 'gone') LIMIT 9"
        )
        new.execute(change)
        new.commit()
    for form in ("text", "json", "html", "methods"):
        result = scraper.run("report", "--format", form)
        if result.code == 3:  # what contradicts itself within a row is refused at once
            assert "is not as scraper made it: class_outcomes.repaired" in result.err
            return
        assert result.code == 0
        assert result.out
    for row in scraper.report()["estimates"]:
        figures = [row[key] for key in ("rate", "low", "high") if row[key] is not None]
        assert all(0 <= figure <= 1 for figure in figures)
