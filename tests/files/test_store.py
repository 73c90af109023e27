"""The output folder: names are given that nobody has, shared where the bytes are the same, and known again."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import stat
import subprocess
import sys
from itertools import islice
from typing import TYPE_CHECKING, Final

import pytest

from scraper.files.journal import Claim, Session
from scraper.files.leftovers import claims_in, forget, remove_ordinary, sessions, sessions_of, stands, take_back
from scraper.files.looking import Condition, condition, others_in, sizes_in
from scraper.files.names import PARTIAL, Place, names_for
from scraper.files.store import Folder, Kept, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ONE, OTHER = "a" * 16, "b" * 16
WNID: Final = "n01440764"
URL: Final = "http://farm1.static.flickr.com/1/1_ab.jpg"
FIRST, SECOND, THIRD = islice(names_for("1_ab.jpg", URL), 3)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "images" / WNID).mkdir(parents=True)
    return tmp_path / "images"


@pytest.fixture
def folder(out: Path) -> Iterator[Folder]:
    opened = Folder(out, owner=ONE)
    yield opened
    opened.close()


def wanted(folder: Folder, body: bytes) -> Wanted:
    return Wanted(folder.write(body), WNID, FIRST, URL, len(body), hashlib.sha256(body).hexdigest())


def keep(folder: Folder, *bodies: bytes) -> list[Kept]:
    """What pictures of one URL get, which are then on record."""
    kept = folder.keep([wanted(folder, body) for body in bodies], ["word"])
    folder.names_recorded()
    return kept


def killed(folder: Folder) -> None:
    """What a kill does: descriptors are closed, and nothing else happens."""
    for file in (folder._journal._file, *folder._folders.values(), folder._partial, folder._partials, folder._root):
        os.close(file)


def seen(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((out / WNID).iterdir()) if path.is_file()}


# --- names -----------------------------------------------------------------------------------------------------------


def test_a_name_that_other_bytes_have_is_passed_over(folder: Folder, out: Path) -> None:
    (out / WNID / FIRST).write_bytes(b"mine")
    assert [kept.place.name for kept in keep(folder, b"one", b"two")] == [SECOND, THIRD]
    assert seen(out) == {FIRST: b"mine", SECOND: b"one", THIRD: b"two"}


def test_the_same_bytes_are_shared_and_not_written_again(folder: Folder, out: Path) -> None:
    mine = out / WNID / FIRST
    mine.write_bytes(b"picture")
    mine.chmod(0o640)
    before = mine.stat()
    assert keep(folder, b"picture") == [Kept(Place(WNID, FIRST), None)]
    after = mine.stat()
    assert (after.st_ino, after.st_mtime_ns, after.st_mode) == (before.st_ino, before.st_mtime_ns, before.st_mode)
    assert seen(out) == {FIRST: b"picture"}
    assert list((out / PARTIAL / ONE).glob("*-*")) == []


def a_folder(path: Path) -> None:
    path.mkdir()


def a_fifo(path: Path) -> None:
    os.mkfifo(path)


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        before = os.open(".", os.O_RDONLY)
        os.chdir(path.parent)  # a socket's path has 108 bytes at most
        try:
            listening.bind(path.name)
        finally:
            os.fchdir(before)
            os.close(before)


def a_dangling_link(path: Path) -> None:
    path.symlink_to("nowhere")


def a_link_to_the_same_bytes(path: Path) -> None:
    (path.parent.parent / "elsewhere").write_bytes(b"picture")
    path.symlink_to("../elsewhere")


def a_link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


ODD: Final = (a_folder, a_fifo, a_socket, a_dangling_link, a_link_to_the_same_bytes, a_link_to_a_device)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.timeout(20)
def test_what_is_no_ordinary_file_is_passed_over(folder: Folder, out: Path, odd: Callable[[Path], None]) -> None:
    odd(out / WNID / FIRST)
    mode = (out / WNID / FIRST).lstat().st_mode
    (kept,) = keep(folder, b"picture")
    assert kept.place.name == SECOND
    assert (out / WNID / FIRST).lstat().st_mode == mode
    picture = hashlib.sha256(b"picture").hexdigest()
    assert condition(out, Place(WNID, FIRST), size=7, sha256=picture) is Condition.MISSING
    assert condition(out, Place(WNID, SECOND), size=7, sha256=picture) is Condition.SOUND
    assert sizes_in(out, WNID) == {SECOND: 7}
    assert others_in(out, WNID) == {SECOND: True} | ({} if stat.S_ISDIR(mode) else {FIRST: False})
    assert not folder.remove(Place(WNID, FIRST), None)
    assert remove_ordinary(out, WNID, [FIRST]) == []
    assert (out / WNID / FIRST).lstat().st_mode == mode


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"picture", Condition.SOUND),
        (b"picturE", Condition.OTHER),
        (b"", Condition.OTHER),
        (b"longer..", Condition.OTHER),
    ],
)
def test_an_image_is_compared_with_its_record(out: Path, body: bytes, found: Condition) -> None:
    (out / WNID / FIRST).write_bytes(body)
    sha256 = hashlib.sha256(b"picture").hexdigest()
    assert condition(out, Place(WNID, FIRST), size=7, sha256=sha256) is found
    assert condition(out, Place("n00000000", FIRST), size=7, sha256=sha256) is Condition.MISSING
    assert condition(out / "nowhere", Place(WNID, FIRST), size=7, sha256=sha256) is Condition.MISSING


WITHOUT_LINKS: Final = """
import hashlib, sys
from pathlib import Path
from scraper.files.store import Folder, Wanted

folder = Folder(Path(sys.argv[1]), owner="a" * 16)
bodies = [b"one", b"two", b"mine"]
wanted = [
    Wanted(folder.write(b), "n01440764", "1_ab.jpg", sys.argv[2], len(b), hashlib.sha256(b).hexdigest()) for b in bodies
]
print(*[kept.place.name for kept in folder.keep(wanted, ["word"])])
folder.names_recorded()
folder.close()
"""


@pytest.mark.parametrize("error", ["EPERM", "EOPNOTSUPP", "ENOSYS"])
def test_a_disk_without_hard_links_does_too(out: Path, error: str) -> None:
    """As exFAT or a network share; nothing is replaced there either."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    (out / WNID / FIRST).write_bytes(b"mine")
    command = [sys.executable, "-W", "error", "-c", WITHOUT_LINKS, str(out), URL]
    traced = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"inject=linkat:error={error}", *command]
    done = subprocess.run(traced, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode and "ptrace" in done.stderr.lower():
        pytest.skip("tracing is not permitted here")
    assert (done.stdout, done.stderr) == (f"{SECOND} {THIRD} {FIRST}\n", "")
    assert seen(out) == {FIRST: b"mine", SECOND: b"one", THIRD: b"two"}
    assert sorted(path.name for path in out.iterdir()) == [WNID]


# --- the journal -----------------------------------------------------------------------------------------------------


def test_names_stand_in_the_journal_until_they_are_on_record(folder: Folder, out: Path) -> None:
    (out / WNID / FIRST).write_bytes(b"mine")
    kept = folder.keep([wanted(folder, b"one"), wanted(folder, b"mine")], ["some word"])
    (session,) = sessions_of(out, ONE)
    assert (session.words, session.over) == (("some word",), False)
    assert [claim.place for claim in session.claims if stands(out, claim)] == [kept[0].place]
    folder.names_recorded()
    (session,) = sessions_of(out, ONE)
    assert (session.words, session.claims) == ((), ())


def test_a_name_that_may_lack_its_row_is_not_shared(folder: Folder, out: Path) -> None:
    """Its run may be cut short, and the next one takes it back."""
    folder.keep([wanted(folder, b"picture")], ["word"])
    other = Folder(out, owner=OTHER)
    assert [kept.place.name for kept in keep(other, b"picture")] == [SECOND]
    folder.names_recorded()
    assert keep(other, b"picture") == [Kept(Place(WNID, FIRST), None)]
    other.close()


def test_names_without_rows_are_taken_back_and_nothing_else(out: Path) -> None:
    (out / WNID / "1_ab.jpg.txt").write_bytes(b"mine")
    folder = Folder(out, owner=ONE)
    keep(folder, b"on record")
    folder.keep([wanted(folder, b"one"), wanted(folder, b"two")], ["word"])
    folder.write(b"half")
    killed(folder)
    (session,) = sessions_of(out, ONE)
    assert session.over
    assert len(session.files) == 2
    take_back(out, session.claims)
    forget(out, ONE, session)
    assert seen(out) == {FIRST: b"on record", "1_ab.jpg.txt": b"mine"}
    assert not (out / PARTIAL).exists()


def edited(path: Path) -> None:
    path.write_bytes(b"PICTURE")


def edited_and_dated_back(path: Path) -> None:
    before = path.stat()
    path.write_bytes(b"PICTURE")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replaced_by_the_same(path: Path) -> None:
    before = path.stat()
    (path.parent / "new").write_bytes(path.read_bytes())
    os.utime(path.parent / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
    (path.parent / "new").rename(path)


@pytest.mark.parametrize("change", [edited, edited_and_dated_back, replaced_by_the_same])
def test_a_name_is_not_taken_back_from_another_file(out: Path, change: Callable[[Path], None]) -> None:
    folder = Folder(out, owner=ONE)
    folder.keep([wanted(folder, b"picture")], ["word"])
    killed(folder)
    change(out / WNID / FIRST)
    body = (out / WNID / FIRST).read_bytes()
    (session,) = sessions_of(out, ONE)
    assert not any(stands(out, claim) for claim in session.claims)
    take_back(out, session.claims)
    assert (out / WNID / FIRST).read_bytes() == body


def test_a_journal_that_is_torn_or_forged_claims_what_can_be_read(folder: Folder, out: Path) -> None:
    (out / "victim").write_bytes(b"mine")
    folder.keep([wanted(folder, b"picture")], ["word"])
    ((session,),) = sessions(out).values()
    journal = out / PARTIAL / ONE / f"{session.name}.journal"
    victim = (out / "victim").stat()
    forged = f'["{WNID}/../victim", {victim.st_ino}, {victim.st_mtime_ns}, 4, "{hashlib.sha256(b"mine").hexdigest()}"]'
    lines = [
        "[]",
        "{",
        "\0\0\0",
        '["a", 1, 2, 3, 4]',
        forged,
        '[["x"], 1, 2, 3, 4]',
        "[" * 100_000,
        '["a/b", 1e999, 1, 1, ""]',
    ]
    journal.write_text(journal.read_text() + "\n".join(lines), encoding="utf-8")
    ((again,),) = sessions(out).values()
    assert again.claims == session.claims
    assert claims_in(out) == list(session.claims)


@pytest.mark.timeout(20)
def test_what_is_no_journal_claims_nothing(folder: Folder, out: Path) -> None:
    theirs = out / PARTIAL / OTHER
    theirs.mkdir()
    (theirs / f"{'0' * 12}.journal").symlink_to("/dev/zero")
    os.mkfifo(theirs / f"{'1' * 12}.journal")
    (theirs / f"{'2' * 12}.journal").mkdir()
    (theirs / "notes.journal").write_text("mine")
    (out / PARTIAL / "linked").symlink_to(theirs)
    (out / PARTIAL / "file").write_text("mine")
    (out / WNID / FIRST).write_bytes(b"picture")
    assert keep(folder, b"picture") == [Kept(Place(WNID, FIRST), None)]
    assert claims_in(out) == []
    assert sessions(out)[OTHER] == [
        Session(number * 12, (), (), (f"{number * 12}.journal",), over=False) for number in "012"
    ]  # what cannot be read is not known to be over


def test_a_claim_is_read_back() -> None:
    claim = Claim(Place(WNID, FIRST), 1, 2**63, 3, "f" * 64)
    assert Claim.read(claim.line()) == claim


def test_runs_of_copies_of_a_manifest_do_not_meet(out: Path) -> None:
    """They have one identity, and each its own session."""
    one, other = Folder(out, owner=ONE), Folder(out, owner=ONE)
    assert [session.over for session in sessions_of(out, ONE)] == [False, False]
    assert [kept.place.name for kept in keep(one, b"picture")] == [FIRST]
    one.close()
    assert [kept.place.name for kept in keep(other, b"other")] == [SECOND]
    other.close()
    assert seen(out) == {FIRST: b"picture", SECOND: b"other"}
    assert not (out / PARTIAL).exists()


def test_what_others_put_beside_unfinished_work_stays(out: Path) -> None:
    folder = Folder(out, owner=ONE)
    (out / PARTIAL / ONE / "notes.txt").write_text("mine")
    folder.write(b"half")
    killed(folder)
    (session,) = sessions_of(out, ONE)
    forget(out, ONE, session)
    Folder(out, owner=ONE).close()
    assert [path.name for path in (out / PARTIAL / ONE).iterdir()] == ["notes.txt"]


# --- marks -----------------------------------------------------------------------------------------------------------


def test_an_image_is_removed_as_it_was_written(folder: Folder, out: Path) -> None:
    (kept,) = keep(folder, b"picture")
    assert folder.remove(kept.place, kept.mark)
    assert seen(out) == {}
    assert folder.remove(kept.place, kept.mark)  # gone is gone
    assert folder.remove(Place("n00000000", FIRST), kept.mark)


def linked(path: Path) -> None:
    os.link(path, path.parent.parent / "backup")


def touched(path: Path) -> None:
    os.utime(path)


@pytest.mark.parametrize("change", [edited, edited_and_dated_back, replaced_by_the_same, linked, touched])
def test_an_image_that_anyone_had_to_do_with_is_not_removed(
    folder: Folder, out: Path, change: Callable[[Path], None]
) -> None:
    (kept,) = keep(folder, b"picture")
    change(out / WNID / FIRST)
    assert not folder.remove(kept.place, kept.mark)
    assert (out / WNID / FIRST).exists()


def test_an_image_that_two_manifests_share_is_removed_by_neither(folder: Folder, out: Path) -> None:
    other = Folder(out, owner=OTHER)
    (written,) = keep(folder, b"picture")
    (shared,) = keep(other, b"picture")
    assert written.mark is not None
    assert shared == Kept(written.place, None)
    assert not folder.remove(written.place, written.mark)
    assert not other.remove(shared.place, shared.mark)
    other.close()
    assert seen(out) == {FIRST: b"picture"}
