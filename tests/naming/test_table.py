"""The table that ships: what is in it, that it fits its sources, and what a damaged one says."""

from __future__ import annotations

import base64
import bz2
import hashlib
import io
import json
import lzma
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scraper.errors import InputError
from scraper.naming.finding import meanings
from scraper.naming.people import ALLOWED, PERSON, may_be_person
from scraper.naming.presets import CLASS, PEOPLE, PRESETS, preset
from scraper.naming.shipped import FOLDER, GLOSSES, NAMES, wordnet
from scraper.naming.wordnet import WordNet, fold
from tools import wordnet as making

if TYPE_CHECKING:
    from collections.abc import Callable

TABLE = wordnet()
SOURCES = (Path(__file__).resolve().parents[2] / "manifests" / "SOURCES.md").read_text(encoding="utf-8")

# A WordNet of our own, in the form of the real one: hexadecimal counts, pointers of other kinds, examples, a licence.
DATA = """\
  1 This stands for the licence, which is indented.
00000001 03 n 01 thing 0 001 ~ 00000002 n 0000 | whatever there is
00000002 05 n 02 dog 0 Canis_familiaris 0 003 @ 00000001 n 0000 #m 00000009 n 0000 ~ 00000003 n 0000 | a beast that \
barks; "the dog barked all night"
00000003 05 n 01 sea-dog 2 002 @ 00000002 n 0000 @i 00000001 n 0000 | one; two
00000004 18 n 01 person 0 001 @ 00000001 n 0000 | someone
00000009 05 n 01 pack 0 000 | not above anything
"""
INDEX = """\
  1 This stands for the licence, which is indented.
dog n 2 3 @ #m ~ 2 1 00000007 00000002
canis_familiaris n 1 1 @ 1 0 00000002
person n 1 1 @ 1 0 00000004
sea-dog n 1 1 @ 1 0 00000003
thing n 1 1 ~ 1 0 00000001
"""


def small() -> tuple[str, str]:
    nouns, senses = making.read_nouns(DATA.splitlines()), making.read_senses(INDEX.splitlines())
    presets = {"imagenet-21k": {"n00000002", "n00000003"}, "ilsvrc2012": {"n00000003"}}
    return making.write_names(nouns, senses, presets, ["old salt"])


def test_the_table_is_as_large_as_told() -> None:
    assert len(TABLE.wnids) == 23_547
    assert len(TABLE.marked(CLASS)) == 21_842
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 700_000


@pytest.mark.parametrize("name", PRESETS)
def test_presets_have_as_many_classes_as_told(name: str) -> None:
    wnids = TABLE.preset(name)
    assert len(wnids) == len(set(wnids)) == PRESETS[name].classes
    assert wnids == sorted(wnids)
    assert set(wnids) <= set(TABLE.marked(CLASS))
    row = next(line for line in SOURCES.splitlines() if line.startswith(f"| `{name}` |"))
    assert f"| {PRESETS[name].classes:,} |" in row
    assert re.search(r"Apache-2.0|MIT", row)


def test_the_thousand_are_those_of_the_list_in_this_repository() -> None:
    path = Path(__file__).resolve().parents[2] / "manifests" / "ilsvrc2012.csv"
    rows = [line.rpartition(",")[::2] for line in path.read_text(encoding="utf-8").splitlines()]
    assert [wnid for _, wnid in rows] == TABLE.preset("ilsvrc2012")
    assert [label for label, _ in rows] == [TABLE.synset(wnid).name for _, wnid in rows]


@pytest.mark.parametrize("name", [NAMES, GLOSSES])
def test_the_files_are_those_of_which_the_sources_are_told(name: str) -> None:
    assert f"`{hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()}`" in SOURCES


def test_notices_go_along() -> None:
    notice = (FOLDER / "NOTICE.txt").read_text(encoding="utf-8")
    assert "WordNet 3.0 Copyright 2006 by Princeton University.  All rights reserved." in notice
    assert "Copyright (c) 2025 Illia Volkov, Nikita Kisel" in notice
    assert "Apache License" in (FOLDER / "LICENSE-timm.txt").read_text(encoding="utf-8")


def test_everything_stands_under_entity() -> None:
    assert TABLE.under("n00001740") == set(TABLE.wnids)
    assert [wnid for wnid in TABLE.wnids if not TABLE.synset(wnid).above] == ["n00001740"]


def test_above_and_below_are_the_same_told_twice() -> None:
    some = TABLE.wnids[::97]
    above = {wnid: TABLE.over(wnid) for wnid in some}
    for each in set().union(*above.values()):
        below = TABLE.under(each)
        assert {wnid for wnid in some if each in above[wnid]} == {wnid for wnid in some if wnid in below}
    assert TABLE.over("n02012849")[0] == "n02012849"


def test_people_are_marked() -> None:
    people = set(TABLE.marked(PEOPLE))
    assert people == TABLE.under(PERSON)
    assert len(people & set(TABLE.preset("imagenet-21k"))) == 2836
    assert people & set(TABLE.preset("ilsvrc2012")) == ALLOWED
    assert all(may_be_person(wnid) for wnid in people)
    assert not may_be_person("n01440764")


def test_every_sense_is_found_by_its_number() -> None:
    for wnid in TABLE.wnids[::41]:
        for name in TABLE.synset(wnid).names:
            assert any(TABLE.sense(name, number) == TABLE.synset(wnid) for number in range(1, 80)), (wnid, name)


def test_names_lead_back_to_their_synsets() -> None:
    names: dict[str, set[str]] = {}
    for wnid in TABLE.wnids:
        for name in TABLE.synset(wnid).names:
            names.setdefault(fold(name), set()).add(wnid)
    assert set(names) == set(TABLE.all_names)
    for name, wnids in names.items():
        assert [synset.wnid for synset in TABLE.named(name)] == sorted(wnids)


def test_a_table_is_made_of_the_files_as_wordnet_has_them() -> None:
    names, glosses = small()
    made = WordNet(names, lambda: glosses)
    assert made.wnids == ["n00000001", "n00000002", "n00000003"]  # nobody wants the person, nor the pack
    dog, sea_dog = made.synset("n00000002"), made.synset("n00000003")
    assert dog.names == ("dog", "Canis familiaris")
    assert dog.above == ("n00000001",)
    assert sea_dog.above == ("n00000002", "n00000001")
    assert made.sense("DOG", 2) == dog
    assert made.sense("dog", 1) is None
    assert made.gloss("n00000002") == "a beast that barks"
    assert made.gloss("n00000003") == "one; two"
    assert made.named("sea dog") == (sea_dog,)
    assert made.clean_name("n00000003") == "old salt"
    assert made.named("old salt") == (sea_dog,)
    assert not made.synset("n00000001").is_class


def test_the_same_input_makes_the_same_table() -> None:
    assert small() == small()


def test_people_are_marked_in_what_is_made() -> None:
    nouns, senses = (
        making.read_nouns(DATA.replace("00000004 18", "00007846 18").splitlines()),
        {
            **making.read_senses(INDEX.splitlines()),
            ("person", "n00007846"): 1,
        },
    )
    text, _ = making.write_names(nouns, senses, {"imagenet-21k": {"n00007846"}, "ilsvrc2012": set()}, [])
    assert "\n\n0\n257\n\n" in text


def test_long_glosses_are_cut_between_words() -> None:
    text = "a creature; with " + "very " * 40 + "many legs"
    for several, longest in ((False, 42), (True, 90)):
        gloss = making.short(text, of_several=several)
        assert longest - 10 < len(gloss) <= longest
        assert gloss.endswith("very…")
    assert making.short("a creature that flies; one with " + "very " * 40 + "long ears") == "a creature that flies"


def test_more_is_told_of_classes_that_share_a_name() -> None:
    very = "very " * 7
    told = {"a": f"a {very}ancient creature", "b": f"an {very}ancient one", "c": "a " * 60 + "c", "d": "a " * 60 + "d"}
    names = {"a": ("one",), "b": ("two",), "c": ("Big one", "big-two"), "d": ("big one",)}
    nouns = {wnid: making.Noun(names[wnid], (), gloss) for wnid, gloss in told.items()}
    shown = dict(zip(nouns, making.glosses(nouns, nouns, nouns), strict=True))
    assert shown == {**told, "a": f"a {very}".strip() + "…", "b": f"an {very}".strip() + "…"}
    several = {wnid: making.Noun(("one",), (), noun.gloss) for wnid, noun in nouns.items() if wnid in "ab"}
    assert making.glosses(several, several, several) == [told["a"], told["b"]]


def test_meanings_of_a_name_are_told_apart_by_what_is_shown() -> None:
    alike = []
    for name in TABLE.all_names:
        shown = [(synset.name, synset.above, TABLE.gloss(synset.wnid)) for synset in meanings(TABLE, name)]
        alike += [name] if len(set(shown)) < len(shown) else []
    assert alike == ["gutta percha tree"]  # which WordNet has twice, word for word


def test_what_is_shipped_stays_below_a_megabyte() -> None:
    root, packed = FOLDER.parents[2], io.BytesIO()
    files = [path for path in (root / "scraper").rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    files += [root / name for name in ("README.md", "LICENSE", "setup.cfg")]  # as a wheel has them, by and large
    digests = [base64.urlsafe_b64encode(hashlib.sha256(path.read_bytes()).digest()).decode() for path in files]
    lines = [f"{path.relative_to(root)},sha256={digest},9999" for path, digest in zip(files, digests, strict=True)]
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as wheel:
        for path in files:
            wheel.write(path, path.relative_to(root))
        wheel.writestr("RECORD", "\n".join(lines))
    assert sum((FOLDER / name).stat().st_size for name in (NAMES, GLOSSES)) < 700_000
    assert len(packed.getvalue()) < 1_000_000 - 1_300  # what pip's is larger


def test_a_name_that_the_form_cannot_hold_is_refused() -> None:
    nouns = making.read_nouns(DATA.replace("Canis_familiaris", "a|b").splitlines())
    senses = {**making.read_senses(INDEX.splitlines()), ("a|b", "n00000002"): 1}
    with pytest.raises(ValueError, match="cannot hold"):
        making.write_names(nouns, senses, {"imagenet-21k": {"n00000002"}, "ilsvrc2012": set()}, [])


def _unpacked(body: bytes) -> bytes:
    return bz2.decompress(body) if body.startswith(b"BZh") else lzma.decompress(body)


def _packed(like: bytes, text: bytes) -> bytes:
    return bz2.compress(text) if like.startswith(b"BZh") else lzma.compress(text)


def _cut(body: bytes) -> bytes:
    return body[:-100]


def _flip(body: bytes) -> bytes:
    return body[:5000] + bytes([body[5000] ^ 1]) + body[5001:]


def _other(body: bytes) -> bytes:
    return _packed(body, b"another text")


def _mixed(body: bytes) -> bytes:
    return _packed(body, _unpacked(body) + b"\nn00000000")


def _not_utf8(body: bytes) -> bytes:
    return _packed(body, b"\xff")


@pytest.mark.parametrize("name", [NAMES, GLOSSES])
@pytest.mark.parametrize("damage", [_cut, _flip, _other, _mixed, _not_utf8, None])
def test_a_damaged_table_says_to_install_again(
    tmp_path: Path, name: str, damage: Callable[[bytes], bytes] | None
) -> None:
    for each in (NAMES, GLOSSES):
        body = (FOLDER / each).read_bytes()
        if each != name or damage is not None:
            (tmp_path / each).write_bytes(damage(body) if each == name and damage else body)
    with pytest.raises(InputError, match="install scraper again"):
        wordnet(tmp_path).gloss("n01440764")


def test_an_unknown_preset_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(InputError, match=r"did you mean imagenette\?.*ilsvrc2012, .*imagenet-21k-p"):
        preset("imagenete")
    assert preset(" ImageNet_21K ").name == "imagenet-21k"


def test_the_texts_are_plain() -> None:
    texts = [_unpacked((FOLDER / name).read_bytes()).decode() for name in (NAMES, GLOSSES)]
    assert all(json.loads(json.dumps(text)) == text and text.replace("\n", "").isprintable() for text in texts)
