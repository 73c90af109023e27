"""The store's door: whoever asks, and whatever for, no name but a plain one reaches the file system."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scraper.errors import UnsafeNameError
from scraper.files.looking import others_in, sizes_in
from scraper.files.names import Place, checked, names_for
from scraper.files.reading import Folders
from scraper.files.store import Folder, Wanted
from scraper.flickr import distinct_name, file_name
from tests.fuzz import check_name
from tests.test_properties import ANY_TEXT, CALM, FEWER, TEXTS, WNIDS

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.one_of(
    ANY_TEXT,
    st.text("./\\\0nulcon a-_~:1", max_size=12),
    st.sampled_from(
        ["", ".", "..", "../x", "a/b", "/etc/passwd", "a\0b", "a\nb", "nul.jpg", "COM1", ".partial", "-rf"]
    ),
    st.sampled_from(
        ["a" * 300, "a.", "a ", "é.jpg", "a:b", "a\\b", "\u202egpj.exe", "\ud800", "\u212a.jpg", "a.jpg\n"]
    ),
)


def accepted(name: str) -> bool:
    try:
        return checked(name) == name
    except UnsafeNameError as error:
        return not str(error).isprintable()  # the line is for a terminal


@CALM
@given(NAMES)
@example("nul")
@example("a" * 150)
def test_what_passes_is_plain(name: str) -> None:
    plain = re.fullmatch("[A-Za-z0-9._-]{1,150}", name) and name[0] not in ".-" and not name.endswith(".")
    device = re.match(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)", name)
    assert accepted(name) == bool(plain and not device)


@CALM
@given(TEXTS)
def test_every_name_that_a_url_gives_passes_and_so_do_those_that_follow(url: str) -> None:
    first = file_name(url)
    names = list(islice(names_for(first, url), 5))
    assert names[0] == first
    assert names == list(islice(names_for(first, url), 5))
    assert len({name.lower() for name in names}) == 5
    for name in (*names, distinct_name(first, url)):
        assert accepted(name)
        check_name(name)


@CALM
@given(st.one_of(NAMES, st.tuples(WNIDS, NAMES).map("/".join)))
@example("../../evil.jpg")
@example("n01440764/../../victim.txt")
@example("n01440764/..")
@example("/etc/passwd")
@example("n01440764//a.jpg")
def test_a_path_is_a_folder_and_a_name_or_nothing(path: str) -> None:
    try:
        place = Place.of(path)
    except UnsafeNameError:
        return
    assert str(place) == path == f"{place.folder}/{place.name}"
    assert accepted(place.folder)
    assert accepted(place.name)


@FEWER
@given(owner=NAMES, folder=NAMES, name=NAMES)
def test_no_name_leads_out_of_the_folder(
    tmp_path_factory: pytest.TempPathFactory, owner: str, folder: str, name: str
) -> None:
    """Whoever asks the store itself: everything it makes is where it belongs, or nothing is made."""
    home = tmp_path_factory.mktemp("home")
    (home / "victim.txt").write_text("mine")
    out = home / "images"
    refused = pytest.raises(UnsafeNameError)
    if not accepted(owner):
        with refused:
            Folder(out, owner=owner)
        assert not out.exists()
        owner = "a" * 16
    store = Folder(out, owner=owner)
    wanted = Wanted(store.write(b"picture"), folder, name, "http://a.example/", 7, "0" * 64)
    if accepted(folder) and accepted(name):
        store.keep([wanted], ["word"])
        store.names_recorded()
        assert (out / folder / name).read_bytes() == b"picture"
    else:
        with refused:
            store.keep([wanted], ["word"])
    store.close()
    assert (home / "victim.txt").read_text() == "mine"
    assert sorted(path.name for path in home.iterdir()) == ["images", "victim.txt"]
    assert {path.parent.parent for path in out.rglob("*") if path.is_file()} <= {out}


@pytest.mark.parametrize("folder", ["..", ".", "", "../images", "/", "a\0b", "n" * 300])
def test_no_folder_is_looked_at_but_those_below(tmp_path: Path, folder: str) -> None:
    (tmp_path / "images").mkdir()
    with pytest.raises(UnsafeNameError):
        sizes_in(tmp_path / "images", folder)
    with pytest.raises(UnsafeNameError):
        others_in(tmp_path / "images", folder)
    with pytest.raises(UnsafeNameError):
        Folders(tmp_path / "images").stat(f"{folder}/a.jpg")
