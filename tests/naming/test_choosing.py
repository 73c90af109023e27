"""Which classes are chosen, and how they look as a tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scraper.errors import InputError
from scraper.naming.choosing import Choice, choose, tree, within
from scraper.naming.presets import CLASS, PRESETS
from scraper.naming.shipped import wordnet

if TYPE_CHECKING:
    from scraper.naming.choosing import Branch

TABLE = wordnet()
DOG = "n02084071"


def chosen(**given: object) -> list[str]:
    return [synset.wnid for synset in choose(TABLE, Choice(**given))]  # type: ignore[arg-type]


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset(preset: str) -> None:
    assert chosen(preset=preset) == TABLE.preset(preset)


def test_all_meanings_of_a_name_in_the_order_of_the_names() -> None:
    assert chosen(names=("tench", "crane", "Tench")) == ["n01440764", "n02012849", "n03126707"]


def test_under() -> None:
    dogs = chosen(under=("dog",))
    assert dogs == sorted(TABLE.under(DOG) & set(TABLE.marked(CLASS)))
    assert {DOG, "n02099601"} <= set(dogs)
    assert chosen(under=("tench",)) == ["n01440764"]
    assert chosen(under=("dog", "tench")) == sorted([*dogs, "n01440764"])


def test_leaves() -> None:
    leaves = chosen(under=("dog",), leaves=True)
    assert "n02099601" in leaves
    assert "n02087122" not in leaves  # hunting dog
    for wnid in leaves:
        assert not (TABLE.under(wnid) - {wnid}) & set(TABLE.marked(CLASS))


def test_leaves_of_a_preset_are_those_without_another_of_the_preset_below() -> None:
    assert chosen(preset="ilsvrc2012", leaves=True) == TABLE.preset("ilsvrc2012")
    assert set(chosen(preset="imagenet-21k-p", leaves=True)) - set(chosen(preset="imagenet-21k", leaves=True))


def test_a_branch_is_cut_out() -> None:
    assert chosen(preset="imagenette", without=("artifact",)) == ["n01440764", "n02102040"]
    people = chosen(preset="imagenet-21k", without=("person",))
    assert len(people) == 21841 - 2836


def test_everything_given_narrows() -> None:
    assert chosen(names=("crane",), under=("bird",)) == ["n02012849"]
    assert chosen(preset="imagenette", under=("dog",)) == ["n02102040"]
    assert chosen(names=("mouse",), preset="ilsvrc2012") == ["n03793489"]


def test_words_in_names_and_glosses() -> None:
    found = chosen(search="guide BLIND")
    assert "n02109150" in found  # the Seeing Eye dog
    for wnid in found:
        text = f"{' '.join(TABLE.synset(wnid).names)} {TABLE.gloss(wnid)}".lower()
        assert "guide" in text
        assert "blind" in text
    assert chosen(search="zzzz") == []
    assert chosen(search="c++ (") == []


def test_nothing_said_is_no_choice() -> None:
    assert Choice().empty
    assert Choice(leaves=True, without=("dog",), search="  ").empty
    assert not Choice(names=("dog",)).empty


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(InputError) as told:
        chosen(names=("tnech", "n99999999"), under=("cat",), without=("zzzzz",))
    text = told.value.as_typed
    for part in ("--under cat has 2 meanings", "n02121620", "n02127808", "--except zzzzz", "tnech", "n99999999"):
        assert part in text


def test_a_preset_that_is_none_is_told_with_the_rest() -> None:
    with pytest.raises(InputError) as told:
        chosen(names=("tnech",), under=("zzzzz",), preset="imagenete")
    for part in ("did you mean imagenette?", "--under zzzzz", "tnech"):
        assert part in told.value.as_typed


def test_a_class_elsewhere_is_told() -> None:
    with pytest.raises(InputError, match=r"(?s)giraffe is not among the classes asked for.*n02439033"):
        chosen(names=("giraffe",), preset="imagenette")


def names(branch: Branch) -> list[str]:
    return [branch.synset.name, *(name for each in branch.below for name in names(each))]


def all_chosen(branch: Branch) -> list[str]:
    mine = [branch.synset.wnid] if branch.chosen else []
    return mine + [wnid for each in branch.below for wnid in all_chosen(each)]


@pytest.mark.parametrize(
    "choice",
    [
        Choice(under=("vehicle",)),
        Choice(under=("dog",), leaves=True),
        Choice(preset="imagenette"),
        Choice(preset="ilsvrc2012"),
        Choice(names=("tench",)),
        Choice(preset="imagenet-21k"),
    ],
)
def test_a_tree_has_every_chosen_class_once(choice: Choice) -> None:
    wnids = {synset.wnid for synset in choose(TABLE, choice)}
    roots = tree(TABLE, wnids, within(TABLE, choice))
    assert sorted(wnid for root in roots for wnid in all_chosen(root)) == sorted(wnids)
    assert sum(root.classes for root in roots) == len(wnids)


def test_a_tree_leaves_out_what_leads_to_one_thing_only() -> None:
    (root,) = tree(TABLE, set(TABLE.preset("imagenette")))
    assert names(root)[:4] == ["whole", "vertebrate", "tench", "English springer"]


def test_a_tree_of_a_branch_begins_there() -> None:
    choice = Choice(under=("dog",), leaves=True)
    (root,) = tree(TABLE, {synset.wnid for synset in choose(TABLE, choice)}, within(TABLE, choice))
    assert root.synset.wnid == DOG
    assert not root.chosen
