"""What people said, taken for classes of a plan or of all: each once, and every problem told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scraper.model import Wnid
from scraper.naming.shipped import wordnet
from scraper.naming.taking import planned, refused_people, taken, told, unclear

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TABLE = wordnet()
BIRD, MACHINE, TENCH, CLOCK = (Wnid(f"n{n}") for n in ("02012849", "03126707", "01440764", "02708093"))
PLAN: Mapping[Wnid, str | None] = {
    BIRD: "crane (wading bird)",
    TENCH: "tench",
    CLOCK: "My clock",
    Wnid("n09999999"): None,
}


def said(*words: str) -> list[tuple[int, str]]:
    return list(enumerate(words, start=1))


def meant(
    *words: str, labels: Mapping[Wnid, str | None] = PLAN, place: str = ""
) -> tuple[list[Wnid], list[tuple[str, ...]]]:
    return planned(lambda: TABLE, said(*words), labels, place=place)


# --- classes of a plan ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "wnid"),
    [
        ("n01440764", TENCH),
        ("tench", TENCH),
        ("TENCH ", TENCH),
        ("Tinca tinca", TENCH),
        ("my clock", CLOCK),  # the label of the plan
        ("analog clock", CLOCK),  # WordNet's
        ("crane", BIRD),  # of two cranes one is planned
        ("crane (wading bird)", BIRD),
        ("n09999999", Wnid("n09999999")),  # which WordNet has not
    ],
)
def test_a_class_of_a_plan_goes_by_its_id_its_label_and_its_names(word: str, wnid: Wnid) -> None:
    assert meant(word) == ([wnid], [])


def test_each_class_counts_once_in_the_order_in_which_it_was_said() -> None:
    assert meant("My clock", "tench", "n02708093", "Tinca tinca") == ([CLOCK, TENCH], [])


def test_the_table_is_read_for_names_only() -> None:
    def never() -> None:
        raise AssertionError

    assert planned(never, said("n01440764", "My clock"), PLAN) == ([TENCH, CLOCK], [])  # type: ignore[arg-type]


def test_a_label_that_several_classes_have_is_told_with_each() -> None:
    labels = {BIRD: "crane", MACHINE: "Crane", TENCH: "tench"}
    assert meant("crane", "tench", labels=labels) == (
        [TENCH],
        [
            (
                "crane is 2 classes of this plan; give the id of the one you mean:",
                "n02012849  crane",
                "n03126707  Crane",
            )
        ],
    )


def test_what_is_not_planned_is_told_as_what_it_may_be() -> None:
    labels = {TENCH: "tench"}
    _, problems = meant("goldfish", "crane", "n01443537", "tnech", "", labels=labels)
    assert [problem[0] for problem in problems] == [
        "goldfish is not planned here",
        "crane is not planned here, which may be:",
        "n01443537 is not planned here",
        "tnech: no class has this name; near: tench (n01440764), tec (n10009276), trench (n04478657)",
        problems[4][0],
    ]
    assert [problem[1:] for problem in problems[:2]] == [
        (problems[0][1],),
        (problems[1][1], problems[1][2]),
    ]
    assert problems[0][1].startswith("n01443537")
    assert [line.split()[0] for line in problems[1][1:]] == sorted([BIRD, MACHINE])


def test_a_long_name_is_cut_and_made_printable() -> None:
    labels = {BIRD: "x" * 200 + "\x1b", MACHINE: "x" * 200 + "\x1b"}
    _, [(head, *_)] = meant("x" * 200 + "\x1b", labels=labels)
    assert head.startswith("x" * 59 + "… is 2 classes")


@pytest.mark.parametrize(
    ("place", "number", "begins"), [("line", 7, "line 7: "), ("line", 0, ""), ("", 7, ""), ("", 0, "")]
)
def test_the_place_is_told_where_it_is_known(place: str, number: int, begins: str) -> None:
    _, [problem] = planned(lambda: TABLE, [(number, "goldfish")], {TENCH: "tench"}, place=place)
    assert problem[0] == f"{begins}goldfish is not planned here"


# --- of all classes ---------------------------------------------------------------------------------------------------


def test_names_are_taken_and_what_is_not_clear_is_told() -> None:
    words = said("tench", "crane", "tnech", "n01440764")
    wnids = taken(TABLE, words)
    assert wnids == [TENCH, None, None, TENCH]
    problems = list(unclear(TABLE, words, wnids, place="line"))
    assert [problem[0].partition(":")[0] for problem in problems] == ["line 2", "line 3"]
    assert [problem[0] for problem in unclear(TABLE, words, wnids)] == [
        problem[0].partition(": ")[2] for problem in problems
    ]
    assert {line.split()[0] for line in problems[0][1:]} == {BIRD, MACHINE}


def test_of_a_preset_only_its_classes_come_into_question() -> None:
    words = said("crane", "goldfish", "tench")
    wnids = taken(TABLE, words, {BIRD, TENCH})
    assert wnids == [BIRD, None, TENCH]
    [problem] = unclear(TABLE, words, wnids, {BIRD, TENCH})
    assert problem[0] == "goldfish is not in the preset, but elsewhere:"
    assert problem[1].startswith("n01443537")


def test_near_names_are_looked_for_ten_times_at_most() -> None:
    """They cost time, and nobody reads a hundred of them."""
    words = said(*["tnech"] * 40)
    near = ["near:" in problem[0] for problem in unclear(TABLE, words, [None] * 40)]
    assert near == sorted(near, reverse=True)
    assert 1 <= sum(near) < 40
    clear = said(*["crane"] * 40, "tnech")  # of several meanings nothing is looked for
    *_, last = unclear(TABLE, clear, [None] * 41)
    assert "near:" in last[0]


# --- told -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problems", "text"),
    [
        ([("a",)], "a"),
        ([("a", "b", "c")], "a\n  b\n  c"),
        (
            [("a", "b"), ("c",)],
            "2 of the classes cannot be taken, and nothing was changed:\n  a\n    b\n  c",
        ),
    ],
)
def test_problems_in_one_text(problems: Sequence[tuple[str, ...]], text: str) -> None:
    assert told(problems, len(problems)) == text


def test_many_problems_are_counted_with_commas() -> None:
    assert told([("a",)] * 1200, 1200).startswith("1,200 of the classes cannot be taken")


# --- people -----------------------------------------------------------------------------------------------------------


def people(number: int) -> list[Wnid]:
    """Some classes that are refused."""
    under = sorted(TABLE.under("n00007846"))[: 2 * number + 10]
    return [wnid for wnid in under if refused_people(lambda: TABLE, [wnid])][:number]


@pytest.mark.parametrize("number", [1, 2, 9])
def test_a_few_classes_of_people_are_told_by_name(number: int) -> None:
    refused = people(number)
    [(head, *lines)] = refused_people(lambda: TABLE, [TENCH, *refused])
    many = f"{number} classes are" if number > 1 else "1 class is"
    assert head.startswith(f"{many} of people and refused; --include-people takes them all the same, although ")
    assert head.endswith(":")
    assert lines == [f"{wnid}  {TABLE.synset(wnid).name}" for wnid in refused]


def test_many_classes_of_people_are_told_seven_a_line() -> None:
    refused = people(100)
    [(head, *lines)] = refused_people(lambda: TABLE, refused)
    assert head.startswith("100 classes are of people")
    assert lines == [" ".join(refused[at : at + 7]) for at in range(0, 100, 7)]


def test_where_no_class_can_be_of_people_the_table_is_not_read() -> None:
    def never() -> None:
        raise AssertionError

    assert refused_people(never, [TENCH, CLOCK]) == []  # type: ignore[arg-type]
