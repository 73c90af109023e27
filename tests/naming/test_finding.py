"""The ways in which a class can be said, and what is answered where it is not clear."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.naming.finding import LONGEST_NAME, ambiguous, headings, meanings, near, synsets_said, unknown, whole_list
from scraper.naming.presets import CLASS
from scraper.naming.shipped import wordnet
from scraper.naming.taking import refused_people, taken, told, unclear
from scraper.naming.wordnet import fold

TABLE = wordnet()
NAMES = sorted(TABLE.all_names)
CLASSES = set(TABLE.marked(CLASS))
BIRD, MACHINE = "n02012849", "n03126707"


def wnids(text: str) -> list[str]:
    return [synset.wnid for synset in meanings(TABLE, text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tench", ["n01440764"]),
        ("n01440764", ["n01440764"]),
        ("N01440764", ["n01440764"]),
        (" Golden_Retriever ", ["n02099601"]),
        ("golden   retriever", ["n02099601"]),
        ("GOLDEN-RETRIEVER", ["n02099601"]),
        ("hot dog", ["n07697537"]),
        ("hot\N{NO-BREAK SPACE}dog", ["n07697537"]),
        ("jack-o\N{RIGHT SINGLE QUOTATION MARK}-lantern", ["n03590841"]),
        ("jaguar", ["n02128925"]),
        ("husky", ["n02109961"]),
        ("giraffe", ["n02439033"]),
        ("monkey", ["n02484322"]),
        ("teddy bear", ["n04399382"]),
        ("St. Bernard", ["n02109525"]),  # only a clean name
        ("crane", [BIRD, MACHINE]),
        ("crane.n.05", [BIRD]),
        ("Crane.N.4", [MACHINE]),
        ("crane (wading bird)", [BIRD]),
        ("crane (bird)", [BIRD]),
        ("Crane (device)", [MACHINE]),
        (f"crane ({BIRD})", [BIRD]),
        ("maillot (tank suit)", ["n03710721"]),
        ("tench, Tinca tinca", ["n01440764"]),
        ("maillot, tank suit", ["n03710721"]),
        ("mouse", ["n02330245", "n03793489"]),
        ("bank", ["n04139859", "n09213434", "n09213565"]),
        ("cow", ["n01887787", "n02403454", "n09972587"]),
        ("sheep", ["n02411705", "n10588074"]),
        ("crane.n.01", []),  # Stephen Crane, of whom there is no class
        ("crane.n.99", []),
        ("crane (fish)", []),
        ("tench, goldfish", []),
        ("tench goldfish", []),
        ("tnech", []),
        ("n99999999", []),
        ("", []),
        ("()", []),
        (",", []),
        (".n.1", []),
        ("x" * (LONGEST_NAME + 1), []),
    ],
)
def test_ways_to_say_a_class(text: str, expected: list[str]) -> None:
    assert wnids(text) == expected


@given(st.sampled_from(NAMES), st.data())
def test_case_hyphens_underscores_and_spaces_do_not_matter(name: str, data: st.DataObject) -> None:
    gaps = data.draw(st.lists(st.sampled_from(["-", "_", " ", "  ", "\t", " _"]), min_size=12, max_size=12))
    upper = data.draw(st.lists(st.booleans(), min_size=80, max_size=80))
    words = name.split(" ")
    said = "".join(word + gap for word, gap in zip(words, gaps, strict=False))
    said = "".join(c.upper() if big else c for c, big in zip(said, upper * 3, strict=False))
    assert wnids(said) == wnids(name)


def test_a_name_with_several_meanings_is_never_guessed() -> None:
    of_name: dict[str, set[str]] = {}
    for wnid in CLASSES:
        for name in TABLE.synset(wnid).names:
            of_name.setdefault(fold(name), set()).add(wnid)
    several = [name for name, found in of_name.items() if len(found) > 1]
    assert len(several) > 2900
    for name in several:
        found = meanings(TABLE, name)
        assert {synset.wnid for synset in found} == of_name[name]
        lines = "\n".join(ambiguous(TABLE, name, found))
        for synset in found:
            assert synset.wnid in lines
            assert TABLE.gloss(synset.wnid) in lines
            assert all(TABLE.synset(above).name in lines for above in synset.above)


@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    found = meanings(TABLE, text)
    lines = ambiguous(TABLE, text, found) if found else unknown(TABLE, text, suggest=False)
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("tnech", "tench (n01440764)"),
        ("golden retreiver", "golden retriever (n02099601)"),
        ("girafe", "giraffe (n02439033)"),
        ("jaguars", "jaguar (n02128925)"),
        ("wolves", "wolf (n02114100)"),
        ("ponies", "pony ("),
        ("craness", "crane (2 meanings)"),
    ],
)
def test_unknown_names_get_near_ones(text: str, other: str) -> None:
    assert wnids(text) == []
    assert other in unknown(TABLE, text)[0]


@pytest.mark.parametrize(
    "text", ["tnech", "caf\udce9", "abbreviatoin", "aardvark e", "\N{LATIN SMALL LETTER E WITH ACUTE}gret", "qqq", "1"]
)
def test_near_names_are_those_that_difflib_finds_among_all(text: str) -> None:
    found = difflib.get_close_matches(text, NAMES, n=3, cutoff=0.7)
    assert [each.rpartition(" (")[0] for each in near(TABLE, text)] == [name for name in found if meanings(TABLE, name)]


def test_a_word_that_only_stands_above_classes_leads_to_them() -> None:
    assert [synset.is_class for synset in synsets_said(TABLE, "physical object")] == [False]
    assert "`scraper classes --under n00002684`" in unknown(TABLE, "physical object")[0]


def test_another_sense_of_a_known_word_is_told() -> None:
    lines = "\n".join(unknown(TABLE, "crane.n.01"))
    assert BIRD in lines
    assert MACHINE in lines


def test_an_id_that_is_no_class_is_told() -> None:
    assert "no class with this id" in unknown(TABLE, "n99999999")[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dog", ["n02084071"]),  # the andiron has nothing below it
        ("bird", ["n01503061"]),
        ("tench", ["n01440764"]),  # a leaf is itself
        ("cat", ["n02121620", "n02127808"]),
        ("entity", ["n00001740"]),
        ("nothing of the kind", []),
    ],
)
def test_what_a_branch_begins_with(text: str, expected: list[str]) -> None:
    assert [synset.wnid for synset in headings(TABLE, text)] == expected


def test_people_are_marked_where_a_name_means_them() -> None:
    lines = ambiguous(TABLE, "sheep", meanings(TABLE, "sheep"))
    assert [line for line in lines if "[people]" in line] == [lines[2]]


# --- many at once ----------------------------------------------------------------------------------------------------


def test_all_that_is_not_clear_is_told_at_once() -> None:
    said = [(1, "tench"), (2, "crane"), (3, "tnech"), (4, "Golden_Retriever")]
    found = taken(TABLE, said)
    problems = list(unclear(TABLE, said, found, place="line"))
    assert found == ["n01440764", None, None, "n02099601"]
    several, unknown_name = problems
    assert several[0].startswith("line 2: crane has 2 meanings")
    assert [line.split()[0] for line in several[1:]] == [BIRD, MACHINE]
    assert unknown_name[0].startswith("line 3: tnech: no class has this name; near: tench")
    assert told(problems, 2).startswith("2 of the classes cannot be taken, and nothing was changed:\n  line 2: crane")
    assert told([unknown_name], 1) == unknown_name[0]


def test_names_are_looked_for_among_the_classes_of_a_preset() -> None:
    among = frozenset(TABLE.preset("ilsvrc2012"))
    said = list(enumerate(("mouse", "hammerhead", "crane", "giraffe")))
    found = taken(TABLE, said, among)
    problems = list(unclear(TABLE, said, found, among))
    assert found == ["n03793489", "n01494475", None, None]
    assert "crane has 2 meanings" in problems[0][0]
    assert "giraffe is not in the preset, but elsewhere" in problems[1][0]
    assert problems[1][1].startswith("n02439033")


def labels_of_the_thousand(*, clean: bool) -> list[str]:
    every = TABLE.preset("ilsvrc2012")
    return [(TABLE.clean_name(wnid) or "") if clean else TABLE.synset(wnid).name for wnid in every]


@pytest.mark.parametrize("clean", [False, True])
def test_the_thousand_labels_alone_tell_the_classes_apart(clean: bool) -> None:
    said = list(enumerate(labels_of_the_thousand(clean=clean)))
    assert taken(TABLE, said) == TABLE.preset("ilsvrc2012")


def test_without_one_of_them_nothing_is_guessed() -> None:
    labels = labels_of_the_thousand(clean=False)
    assert labels.count("crane") == labels.count("maillot") == 2
    labels.remove("crane")
    said = list(enumerate(labels))
    found = taken(TABLE, said)
    assert found.count(None) > 100
    assert any("crane has 2 meanings" in problem[0] for problem in unclear(TABLE, said, found))


def test_other_names_beside_the_thousand_are_found_as_ever() -> None:
    said = list(enumerate((*labels_of_the_thousand(clean=False), "giraffe", "tench")))
    assert taken(TABLE, said) == [*TABLE.preset("ilsvrc2012"), "n02439033", "n01440764"]


def test_part_of_the_thousand_is_no_whole_list() -> None:
    assert whole_list(TABLE, ["tench", "goldfish", "goldfish"]) == {}


def test_people_are_refused_with_the_reason() -> None:
    wnids = ["n01440764", "n09835506", "n10148035", "n10565667", "n00007846", "n10787470"]
    (problem,) = refused_people(lambda: TABLE, wnids)
    assert problem[0].startswith("2 classes are of people and refused; --include-people takes them all the same")
    assert "Yang et al. 2020" in problem[0]
    assert problem[1:] == ("n00007846  person", f"n10787470  {TABLE.synset('n10787470').name}")
    (everyone,) = refused_people(lambda: TABLE, TABLE.preset("imagenet-21k"))
    assert sum(len(line.split()) for line in everyone[1:]) == 2836 - 3
    assert all(len(line) <= 76 for line in everyone[1:])


def test_places_with_numbers_among_those_of_people_are_not_refused() -> None:
    assert refused_people(lambda: TABLE, ["n09468604"]) == []  # valley
    assert not TABLE.synset("n09468604").of_people


def test_the_table_is_not_read_where_numbers_are_enough() -> None:
    def read() -> None:
        raise AssertionError

    assert refused_people(read, ["n01440764", "n02084071", "n12345678", "n09193705"]) == []  # type: ignore[arg-type]
