"""Plans by name, from presets, with labels that tell apart, and what a changed plan says."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from scraper import PlanOptions, plan
from scraper.errors import InputError
from scraper.model import Labels, Wnid
from scraper.naming.shipped import wordnet
from scraper.planning.wanted.asking import Asked, labelled, moved
from scraper.records import ClassRequest

if TYPE_CHECKING:
    from tests.command import Scraper

BIRD, MACHINE, TENCH = Wnid("n02012849"), Wnid("n03126707"), Wnid("n01440764")
IMAGENETTE = wordnet().preset("imagenette")


@pytest.fixture
def offline(scraper: Scraper) -> Scraper:
    """A folder with a list of ten URLs for each of some classes."""
    folder = scraper.folder / "lists"
    folder.mkdir()
    for wnid in (BIRD, MACHINE, "n02099601", "n02330245", "n10148035", "n09605289", *IMAGENETTE):
        urls = (f"http://farm1.static.flickr.com/1/{wnid[1:]}{number}_abcdef.jpg" for number in range(10))
        (folder / f"{wnid}.txt").write_text("".join(f"{url}\n" for url in urls), encoding="ascii")
    return scraper


def labels_of(scraper: Scraper) -> dict[str, str | None]:
    return dict(scraper.rows("SELECT wnid, label FROM classes"))


def test_names_in_every_form(offline: Scraper) -> None:
    stdin = b"tench\nGolden_Retriever\n crane (bird)\ncrane.n.04\nn02330245\nhog,n02102040\n"
    offline.done("plan", "--source", "lists", stdin=stdin)
    assert labels_of(offline) == {
        TENCH: "tench",
        "n02099601": "golden retriever",
        BIRD: "crane (wading bird)",
        MACHINE: "crane (lifting device)",
        "n02330245": None,
        "n02102040": "hog",
    }


def test_names_as_arguments(offline: Scraper) -> None:
    offline.done("plan", "tench", "golden  RETRIEVER", "crane (bird)", "--source", "lists")
    assert labels_of(offline) == {TENCH: "tench", "n02099601": "golden retriever", BIRD: "crane"}


def test_a_name_and_its_id_are_one_class(offline: Scraper) -> None:
    result = offline.done("plan", TENCH, "tench", "Tench", "Tinca tinca", "--source", "lists")
    assert "1 class of 1 resolved" in result.out
    assert "3 times a class was given that had been given before" in result.out


def test_classes_pipes_into_plan(offline: Scraper) -> None:
    ids = offline.done("classes", "--preset", "imagenette", "--under", "device.n.01,dog").out
    offline.done("plan", "--source", "lists", stdin=ids.encode())
    assert set(labels_of(offline)) == set(ids.split()) == {"n02102040", "n03000684", "n03394916", "n03425413"}
    table = offline.done("classes", "crane", "--format", "csv").out
    offline.done("plan", "--source", "lists", stdin=table.encode())
    assert labels_of(offline)[BIRD] == "crane (wading bird)"


def test_a_preset(offline: Scraper) -> None:
    assert "10 classes of 10 resolved" in offline.done("plan", "--preset", "imagenette", "--source", "lists").out
    assert labels_of(offline) == {wnid: wordnet().synset(wnid).name for wnid in IMAGENETTE}


def test_a_preset_reads_no_standard_input(offline: Scraper) -> None:
    offline.done("plan", "--preset", "imagenette", "--source", "lists", stdin=b"no such thing\n")


def test_an_id_that_is_not_in_the_preset_is_refused(offline: Scraper) -> None:
    result = offline.done("plan", TENCH, BIRD, "tnech", "--preset", "imagenette", "--source", "lists", code=2)
    assert "2 of the classes cannot be taken" in result.err
    assert f"{BIRD} is not in the preset" in result.err
    assert TENCH not in result.err.replace("near: tench (n01440764)", "")


def test_names_are_looked_for_in_the_preset(offline: Scraper) -> None:
    offline.done("plan", "crane (bird)", "--preset", "ilsvrc2012", "--source", "lists")
    result = offline.done("plan", "mouse", "goldfish", "--preset", "imagenette", "--source", "lists", code=2)
    assert "mouse is not in the preset, but elsewhere:" in result.err
    assert set(labels_of(offline)) == {BIRD}


def test_the_thousand_labels_are_the_thousand_classes(scraper: Scraper) -> None:
    (scraper.folder / "lists").mkdir()
    (scraper.folder / "lists" / f"{TENCH}.txt").write_text("http://farm1.static.flickr.com/1/1_a.jpg\n")
    labels = "".join(f"{wordnet().synset(wnid).name}\n" for wnid in wordnet().preset("ilsvrc2012"))
    assert labels.count("crane\n") == 2
    scraper.done("plan", "--source", "lists", stdin=labels.encode(), code=1)
    found = labels_of(scraper)
    assert sorted(found) == wordnet().preset("ilsvrc2012")
    assert len(set(found.values())) == 1000
    assert (found[BIRD], found[MACHINE]) == ("crane (wading bird)", "crane (lifting device)")


REFUSED = {
    "crane": ["crane has 2 meanings", BIRD, MACHINE, "wading bird", "lifting device", "large long-necked"],
    "tnech": ["near: tench (n01440764)"],
    "entity": ["entity is no class itself; `scraper classes --under n00001740`"],
    "sheep": ["sheep has 2 meanings", "n02411705", "[people]"],
    "n00007846": ["1 class is of people and refused; --include-people", "Yang et al. 2020"],
    "groom": ["groom has 2 meanings"],
    "n09605289": ["of people and refused"],
}


@pytest.mark.parametrize("word", REFUSED)
def test_what_is_refused_changes_nothing(offline: Scraper, word: str) -> None:
    offline.done("plan", "tench", "--source", "lists")
    before = offline.snapshot()
    result = offline.done("plan", word, "golden retriever", "--source", "lists", code=2)
    assert result.out == ""
    assert "line" not in result.err.replace("feline", "")
    for part in REFUSED[word]:
        assert part in result.err
    assert offline.snapshot() == before


def test_all_problems_at_once_with_their_lines(offline: Scraper) -> None:
    stdin = b"tench\n\ncrane\ntnech\nn09605289\nn00007846\n"
    result = offline.done("plan", "--source", "lists", stdin=stdin, code=2)
    assert result.err.startswith("scraper: error: 3 of the classes cannot be taken, and nothing was changed:\n")
    assert [line for line, _ in re.findall(r"^  line (\d): (.*)", result.err, re.MULTILINE)] == ["3", "4"]
    assert "    n09605289  adult\n    n00007846  person\n" in result.err
    assert not offline.manifest.exists()


def test_people_of_ilsvrc_and_those_that_are_wanted(offline: Scraper) -> None:
    offline.done("plan", "n10148035", "--source", "lists")
    offline.done("plan", "n09605289", "--include-people", "--source", "lists")
    assert set(labels_of(offline)) == {"n10148035", "n09605289"}
    result = offline.done("plan", "--preset", "imagenet-21k", "--source", "lists", code=2)
    assert "2,833 classes are of people and refused" in result.err


def test_the_same_from_python(offline: Scraper) -> None:
    options = PlanOptions(source=str(offline.folder / "lists"), n=3)
    summary = plan(["tench", "crane (bird)"], options, manifest=offline.manifest)
    assert [(each.wnid, each.label, each.n) for each in summary.classes] == [(TENCH, "tench", 3), (BIRD, "crane", 3)]
    with pytest.raises(InputError, match="item 1: crane has 2 meanings"):
        plan(["crane", "nonesuch"], options, manifest=offline.manifest)


# --- labels ----------------------------------------------------------------------------------------------------------


def test_labels_are_wordnets_clean_or_the_lists_own(offline: Scraper) -> None:
    stdin = b"my fish,n01440764\nn02012849\n"
    offline.done("plan", "--source", "lists", stdin=stdin)
    assert labels_of(offline) == {TENCH: "my fish", BIRD: None}
    offline.done("plan", "--source", "lists", "--labels", "clean", stdin=stdin)
    assert labels_of(offline) == {TENCH: "tench", BIRD: "crane bird"}
    offline.done("plan", "--source", "lists", "--labels", "wordnet", stdin=stdin)
    assert labels_of(offline) == {TENCH: "tench", BIRD: "crane"}
    assert (offline.done("plan", TENCH, "--labels", "mine", code=2).err).count("one of wordnet, clean, list") == 1


def test_a_class_that_comes_later_makes_an_earlier_one_say_more(offline: Scraper) -> None:
    offline.done("plan", "crane (bird)", "--source", "lists")
    assert labels_of(offline) == {BIRD: "crane"}
    offline.done("plan", "crane (device)", "--source", "lists")
    assert labels_of(offline) == {BIRD: "crane (wading bird)", MACHINE: "crane (lifting device)"}
    offline.done("plan", "crane (bird)", "--source", "lists")
    assert labels_of(offline) == {BIRD: "crane (wading bird)", MACHINE: "crane (lifting device)"}


def test_a_label_that_a_list_gave_stays() -> None:
    asked = Asked({BIRD: ClassRequest(BIRD)}, frozenset({BIRD}))
    assert labelled(asked, Labels.LIST, {BIRD: "Kranich", MACHINE: "Kran"}) == ([ClassRequest(BIRD)], {})
    requests, others = labelled(asked, Labels.WORDNET, {BIRD: "Kranich", MACHINE: "crane"})
    assert requests == [ClassRequest(BIRD, "crane (wading bird)")]
    assert others == {MACHINE: "crane (lifting device)"}


# --- a plan that is changed ------------------------------------------------------------------------------------------


def targets(scraper: Scraper) -> dict[str, tuple[int, int]]:
    return {wnid: (n, budget) for wnid, n, budget in scraper.rows("SELECT wnid, n, budget FROM classes")}


def test_classes_keep_their_n_unless_another_is_given(offline: Scraper) -> None:
    offline.done("plan", "tench", "golden retriever", "-n", "2", "--source", "lists")
    result = offline.done("plan", "tench", "crane (bird)", "--source", "lists")
    assert "n:" not in result.out
    assert targets(offline) == {TENCH: (2, 3), "n02099601": (2, 3), BIRD: (10, 14)}
    result = offline.done("plan", "tench", "golden retriever", "crane (bird)", "-n", "4", "--source", "lists")
    assert "n: 2 to 4 for 2 classes\n" in result.out
    assert "n: 10 to 4 for 1 class\n" in result.out
    assert {n for n, _ in targets(offline).values()} == {4}


def test_moves_are_counted() -> None:
    before = {TENCH: 2, BIRD: 2, MACHINE: 10}
    assert moved(before, [(TENCH, 10), (BIRD, 10), (MACHINE, 10), (Wnid("n00000001"), 10)]) == {(2, 10): 2}
    assert moved({}, [(TENCH, 10)]) == {}


# --- the forecast ----------------------------------------------------------------------------------------------------


def test_a_plan_ends_with_its_forecast_in_two_lines(offline: Scraper) -> None:
    lines = offline.done("plan", "tench", "crane (bird)", "-n", "5", "--source", "lists").out.splitlines()
    assert lines[-2] == "forecast: 10 of 10 images (995.3 kB) with 13 requests; no class left short"
    assert lines[-1] == "  at 75.0% survival, an assumption (--survival); the first fetch measures it"
    assert max(map(len, lines)) <= 80
    survival, decided, wanted = offline.rows("SELECT survival, decided, wanted FROM forecasts")[0]
    assert (survival, decided, wanted) == (0.75, 0, 10)


def test_survival_can_be_assumed_otherwise(offline: Scraper) -> None:
    out = offline.done("plan", "tench", "-n", "8", "--survival", "0.5", "--source", "lists").out
    assert "1 class will rather fall short, for want of photos that are still there:" in out
    assert "tench: 10 candidates for 8 images, which is 5% likely" in out
    assert "at 50.0% survival, an assumption" in out
    for wrong in ("0", "1.5", "half"):
        assert "--survival must be" in offline.done("plan", "tench", "--survival", wrong, code=2).err


def test_images_that_are_no_longer_wanted_have_no_part_in_the_forecast(copied: Scraper) -> None:
    before = copied.report()["forecast"]
    out = copied.done("plan", TENCH, "-n", "2", "--source", "lists").out
    after = copied.report()["forecast"]
    assert "n: 10 to 2 for 1 class\n" in out
    assert after["wanted"] == before["wanted"] - 8
    saved, size = copied.rows("SELECT count(*), sum(bytes) FROM images")[0]
    assert after["bytes"] == pytest.approx(after["images"] * size / saved, rel=1e-4)


def test_the_time_is_told_where_the_pace_is_known(copied: Scraper) -> None:
    words = ("plan", TENCH, "-n", "20", "--dry-run", "--source", "lists")
    assert "requests a second" not in copied.done(*words).out  # of a fetch of a few seconds
    with closing(sqlite3.connect(copied.manifest)) as database, database:
        database.executemany(
            "INSERT INTO attempt (candidate_id, run_id, try, started_at, seconds, outcome, bytes) "
            "SELECT candidate_id, run_id, try + ?, started_at, seconds, outcome, bytes FROM attempt WHERE try < 10",
            [(number,) for number in range(10, 90, 10)],
        )
        database.execute(
            "UPDATE attempt SET started_at = strftime('%Y-%m-%dT%H:%M:%S.000Z', '2026-01-31', (120 * id) || ' seconds')"
        )
    assert copied.one("SELECT count(*) FROM attempts") > 100
    (told,) = (line for line in copied.done(*words).out.splitlines() if "requests a second" in line)
    assert re.search(r"; (an hour|\d+ (minutes|hours)) at 0\.00833 requests a second, as the last fetch asked$", told)


def test_a_dry_run_tells_all_and_leaves_nothing(offline: Scraper) -> None:
    before = offline.snapshot()
    out = offline.done("plan", "tench", "crane (bird)", "-n", "9", "--dry-run", "--source", "lists").out
    assert offline.snapshot() == before
    assert "2 classes of 2 resolved, 20 candidates found\n" in out
    assert "a dry run: nothing was recorded\n" in out
    assert re.search(r"^n01440764 tench +9 +10 +7\.4 +9\.9  24\.4%$", out, re.MULTILINE)


def test_a_dry_run_beside_a_manifest_counts_what_is_there(offline: Scraper) -> None:
    offline.done("plan", "tench", "-n", "3", "--source", "lists")
    before = offline.snapshot()
    out = offline.done("plan", "tench", "crane (device)", "-n", "6", "--dry-run", "--source", "lists").out
    assert offline.snapshot() == before
    assert "2 classes of 2 resolved (1 of them before)" in out
    assert "n: 3 to 6 for 1 class\n" in out
    assert "crane" in out
