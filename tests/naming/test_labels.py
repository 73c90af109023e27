"""Labels tell the classes of one plan apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraper.model import Labels, Wnid
from scraper.naming.finding import meanings
from scraper.naming.labels import labels, usual_label
from scraper.naming.presets import CLASS, PRESETS
from scraper.naming.shipped import wordnet
from scraper.naming.wordnet import fold

TABLE = wordnet()
BIRD, MACHINE = Wnid("n02012849"), Wnid("n03126707")


def test_two_cranes() -> None:
    assert labels(TABLE, [BIRD, MACHINE], Labels.WORDNET) == {
        BIRD: "crane (wading bird)",
        MACHINE: "crane (lifting device)",
    }


def test_one_crane() -> None:
    assert labels(TABLE, [BIRD], Labels.WORDNET) == {BIRD: "crane"}


def test_clean_names() -> None:
    assert labels(TABLE, [BIRD, MACHINE], Labels.CLEAN) == {BIRD: "crane bird", MACHINE: "construction crane"}
    assert usual_label(TABLE, "n02439033", Labels.CLEAN) == "giraffe"  # not one of the thousand


def test_classes_that_the_table_has_not_get_none() -> None:
    assert labels(TABLE, [Wnid("n99999999"), BIRD], Labels.WORDNET) == {BIRD: "crane"}


@pytest.mark.parametrize("style", [Labels.WORDNET, Labels.CLEAN])
@pytest.mark.parametrize("preset", PRESETS)
def test_no_two_labels_of_a_preset_are_alike(preset: str, style: Labels) -> None:
    found = labels(TABLE, TABLE.preset(preset), style)
    assert len({fold(label) for label in found.values()}) == PRESETS[preset].classes


def test_most_labels_say_it_in_words() -> None:
    found = labels(TABLE, TABLE.preset("imagenet-21k"), Labels.WORDNET)
    assert sum(f"({wnid})" in label for wnid, label in found.items()) < 300
    assert not any("(n" in label and label[-2].isdigit() for label in labels_of("ilsvrc2012"))


def labels_of(preset: str) -> list[str]:
    return list(labels(TABLE, TABLE.preset(preset), Labels.WORDNET).values())


@given(st.lists(st.sampled_from(TABLE.marked(CLASS)), unique=True, max_size=40))
def test_a_label_can_be_said(wnids: list[Wnid]) -> None:
    for wnid, label in labels(TABLE, wnids, Labels.WORDNET).items():
        assert wnid in [synset.wnid for synset in meanings(TABLE, label, set(wnids))]
