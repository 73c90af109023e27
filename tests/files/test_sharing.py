"""Any runs of any manifests on one folder, cut short anywhere, lose no recorded image and no file of anybody else.

The machine draws runs of two manifests, kills between any two steps of a batch, copies that are restored, manifests
that are deleted and planned again, hosts whose photos change, and people who put, edit, touch and replace files.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from scraper.fetching.options import FetchOptions
from scraper.fetching.placing import Placer, revisions_of
from scraper.fetching.resuming import look_at
from scraper.files.store import Folder, Wanted, _claim
from scraper.manifest.access.candidates import class_states, waiting
from scraper.manifest.access.lists import save_listing, want
from scraper.manifest.access.recording import Batch, DecidedAttempt, record, renew_word, word
from scraper.manifest.access.withdrawing import images_of
from scraper.manifest.core import Manifest
from scraper.manifest.schema import RANKS
from scraper.model import ListingOutcome, Outcome, State, Wnid
from scraper.records import Attempt, ClassRequest, Decision, Listed, Listing, Picture, Revision
from scraper.running.removing import remove_images
from scraper.running.unfinished import clear_up
from tests.test_properties import CALM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scraper.manifest.access.candidates import Twin
    from scraper.records import Candidate

WNIDS: Final = (Wnid("n00000001"), Wnid("n00000002"))
PHOTOS: Final = 3
"""Of each class."""
NAMES: Final = ("one", "other")
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - no disk has to sync what only lasts for seconds
MOMENTS: Final = ("written", "claimed", "named", "recorded", "settled")
"""After which of its steps a batch may be cut short."""
SAVED: Final = Decision(State.SAVED, Outcome.SAVED)

places = st.integers(0, 10**6)
PICKS: Final = st.lists(places, min_size=1, max_size=6)  # so many that runs often meet


def url_of(wnid: str, rank: int) -> str:
    return f"http://farm1.static.flickr.com/1/{int(wnid[1:])}{rank:03d}_ab.jpg"


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@dataclass
class Running:
    """A run under way."""

    folder: Folder
    placer: Placer
    id: int


@dataclass
class Owner:
    """A manifest, and the run that it has under way."""

    path: Path
    book: Manifest
    running: Running | None = None
    copies: list[Path] = field(default_factory=list)
    straight: bool = True
    """Whether it is the only one that ever was: neither restored nor deleted."""


class SharedFolder(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.home = Path(tempfile.mkdtemp(prefix="sharing-", dir=MEMORY if MEMORY.is_dir() else None))
        self.out = self.home / "images"
        for wnid in WNIDS:
            (self.out / wnid).mkdir(parents=True)
        self.hosts = {url_of(wnid, rank): f"{wnid} {rank}".encode() for wnid in WNIDS for rank in range(1, PHOTOS + 1)}
        self.foreign: dict[Path, bytes] = {}  # what people made of files, or made
        self.taken_back: set[tuple[str, str]] = set()  # and not there again
        self.left: set[str] = set()  # taken back, and may stay
        self.retired: list[Path] = []  # manifests that may be put back one day
        self.number = 0
        self.owners = {name: Owner(path, self.planned(path)) for name in NAMES for path in (self.home / f"{name}.db",)}

    def planned(self, path: Path) -> Manifest:
        book = Manifest.create(path)
        run_id = book.start_run("plan", [], "test", time.time())
        want(book, [ClassRequest(wnid) for wnid in WNIDS], n=PHOTOS, budget=PHOTOS)
        for wnid in WNIDS:
            ranks = range(1, PHOTOS + 1)
            urls = [(url_of(wnid, rank), int(wnid[1:]) * 1000 + rank) for rank in ranks]
            listed = tuple(Listed(url, photo, url.rpartition("/")[2], usual=True) for url, photo in urls)
            save_listing(
                book,
                run_id,
                wnid,
                Listing(ListingOutcome.LISTED, listed),
                source="a test",
                hosts="flickr.com",
                shuffle=None,
                now=time.time(),
            )
        return book

    def teardown(self) -> None:
        for owner in self.owners.values():
            if owner.running is not None:
                self.killed(owner)
            owner.book.close()
        shutil.rmtree(self.home)

    # --- runs --------------------------------------------------------------------------------------------------------

    @rule(name=st.sampled_from(NAMES))
    def begin(self, name: str) -> None:
        self.begin_run(self.owners[name])

    def begin_run(self, owner: Owner) -> None:
        if owner.running is not None:
            return
        before = self.files()
        clear_up(owner.book, self.out)
        gone = before.keys() - self.files().keys()
        assert not {str(path) for path in gone} & self.recorded(owner, *self.others(owner))
        renew_word(owner.book)
        folder = Folder(self.out, owner=owner.book.owner)
        run_id = owner.book.start_run("fetch", [], "test", time.time())
        owner.running = Running(folder, Placer(owner.book, folder), run_id)
        for state in class_states(owner.book):
            revisions = look_at(owner.book, state, FetchOptions(out=self.out)).revisions
            record(owner.book, run_id, Batch(revisions=revisions), time.time())
        if owner.straight:
            self.no_orphans(owner)

    @rule(name=st.sampled_from(NAMES), picks=PICKS, moment=st.sampled_from(MOMENTS))
    def batch(self, name: str, picks: list[int], moment: str) -> None:
        self.run_batch(self.owners[name], picks, moment)

    @rule(name=st.sampled_from(NAMES), picks=PICKS)
    def whole_batch(self, name: str, picks: list[int]) -> None:
        self.run_batch(self.owners[name], picks, "settled")

    @rule(name=st.sampled_from(NAMES), picks=PICKS, moment=st.sampled_from(MOMENTS))
    def batch_and_begin(self, name: str, picks: list[int], moment: str) -> None:
        """Cut short, with another run's batch in between, and begun again."""
        owner, other = (self.owners[one] for one in (name, *(set(NAMES) - {name})))
        self.run_batch(owner, picks, moment)
        self.run_batch(other, picks, "settled")
        if owner.running is None:
            self.begin_run(owner)

    @rule(name=st.sampled_from(NAMES), picks=PICKS, moment=st.sampled_from(MOMENTS))
    def batch_and_restore(self, name: str, picks: list[int], moment: str) -> None:
        """A copy of before the run takes the manifest's place."""
        owner = self.owners[name]
        owner.copies.append(self.copied(owner))
        self.run_batch(owner, picks, moment)
        self.put_back(owner, owner.copies[-1])
        self.begin_run(owner)

    @rule(name=st.sampled_from(NAMES), pick=places, body=st.sampled_from([b"same", b"other"]))
    def placeholder_shows(self, name: str, pick: int, body: bytes) -> None:
        """To the one manifest; the other shares the first image of it."""
        owner, other = (self.owners[one] for one in (name, *(set(NAMES) - {name})))
        self.photos_change(list(range(len(self.hosts))), body)
        self.run_batch(owner, [pick], "settled")
        self.run_batch(other, [pick], "settled")
        self.run_batch(owner, [pick + 1, pick + 2, pick + 3], "settled")

    def run_batch(self, owner: Owner, picks: list[int], moment: str) -> None:
        self.begin_run(owner)
        assert owner.running is not None
        chosen = self.chosen(owner, picks)
        decided, taken_back = self.settle(owner.running, [self.attempt(owner.running, one) for one in chosen])
        if moment == "written":
            self.killed(owner)
        elif moment == "claimed":
            self.claim_and_name_some(owner, decided, picks[0])
            self.killed(owner)
        else:
            self.finish(owner, decided, taken_back, moment)

    def chosen(self, owner: Owner, picks: list[int]) -> list[Candidate]:
        found = [one for wnid in WNIDS for one in waiting(owner.book, wnid, 1, RANKS - 1, 100, now=0.0)]
        return list({one.id: one for one in (found[pick % len(found)] for pick in picks if found)}.values())

    def attempt(self, running: Running, one: Candidate) -> Attempt:
        body = self.hosts[one.url]
        picture = Picture(running.folder.write(body), digest(body), len(body), "JPEG", 1, 1)
        return Attempt(one, time.time(), 0.0, Outcome.SAVED, status=200, sha256=digest(body), picture=picture)

    @staticmethod
    def settle(running: Running, attempts: list[Attempt]) -> tuple[list[DecidedAttempt], list[Twin]]:
        """What a batch comes to, by the rules of fetch."""
        decided: list[DecidedAttempt] = []
        taken_back: list[Twin] = []
        for attempt in attempts:
            placed = running.placer.place(attempt)
            outcome = placed.attempt.outcome
            decision = SAVED if outcome is Outcome.SAVED else Decision(State.LOST, outcome)
            decided.append(DecidedAttempt(placed.attempt, decision))
            taken_back += placed.taken_back
        return decided, taken_back

    def claim_and_name_some(self, owner: Owner, decided: list[DecidedAttempt], number: int) -> None:
        """As `Folder.keep` does, up to the middle of it."""
        assert owner.running is not None
        folder = owner.running.folder
        pictures = [(s.attempt.candidate, s.attempt.picture) for s in decided if s.attempt.picture is not None]
        if not pictures:
            return
        wanted = [Wanted(p.temporary, c.wnid, c.filename, c.url, p.bytes, p.sha256) for c, p in pictures]
        claims = [_claim(one, one.filename) for one in wanted]
        folder._journal.write([word(owner.book)], claims)
        for one, claim in list(zip(wanted, claims, strict=True))[: number % (len(wanted) + 1)]:
            folder._give(one.temporary, claim)

    def finish(self, owner: Owner, decided: list[DecidedAttempt], taken_back: list[Twin], moment: str) -> None:
        assert owner.running is not None
        placer, run_id = owner.running.placer, owner.running.id
        batch = Batch(decided, revisions_of(taken_back), placeholders=placer.take_found())
        named = placer.name(decided, batch.word)
        if moment == "named":
            self.killed(owner)
            return
        paths = {twin.path for twin in taken_back if twin.path} | {
            one.path
            for one in named
            for twin in taken_back
            if twin.candidate_id == one.attempt.candidate.id and one.path
        }
        record(owner.book, run_id, replace(batch, decided=named), time.time())
        self.taken_back -= set(self.rows(owner.path))
        self.left |= paths
        if moment == "recorded":
            self.killed(owner)
            return
        before = self.files()
        stay = placer.recorded()
        gone = self.gone_since(before)
        assert gone <= paths
        assert not gone & set(stay)
        assert not gone & self.recorded(*(other for other in self.others(owner) if not self.akin(owner, other)))

    def killed(self, owner: Owner) -> None:
        """What a kill does: descriptors are closed, and nothing else happens."""
        assert owner.running is not None
        folder = owner.running.folder
        for file in (folder._journal._file, *folder._folders.values(), folder._partial, folder._partials, folder._root):
            os.close(file)
        owner.running = None

    @rule(name=st.sampled_from(NAMES), kill=st.booleans())
    def end(self, name: str, kill: bool) -> None:
        owner = self.owners[name]
        if owner.running is not None and kill:
            self.killed(owner)
        elif owner.running is not None:
            owner.running.folder.close()
            owner.running = None

    @rule(name=st.sampled_from(NAMES), wnid=st.sampled_from(WNIDS))
    def images_are_dropped(self, name: str, wnid: Wnid) -> None:
        """With their rows, as `drop --delete-images` does; those that the other manifest counts on stay."""
        owner = self.owners[name]
        if owner.running is not None:
            owner.running.folder.close()
            owner.running = None
        images = [one for one in images_of(owner.book, wnid) if Path(one.path) not in self.foreign]
        ours = [one for one in images if not one.adopted]
        run_id = owner.book.start_run("drop", [], "test", time.time())
        revisions = [Revision(one.candidate_id, State.WAITING, None, "dropped") for one in images]
        marks = {one.path: one.mark for one in ours if one.mark is not None}
        before = self.files()
        stay = remove_images(
            owner.book, run_id, self.out, [(one.path, one.bytes, one.sha256) for one in ours], revisions, marks=marks
        )
        gone = self.gone_since(before)
        assert not gone & self.recorded(*(other for other in self.others(owner) if not self.akin(owner, other)))
        assert not gone & set(stay)
        self.left |= {one.path for one in images} - gone

    # --- manifests ---------------------------------------------------------------------------------------------------

    @rule(name=st.sampled_from(NAMES))
    def copy(self, name: str) -> None:
        self.owners[name].copies.append(self.copied(self.owners[name]))

    def copied(self, owner: Owner) -> Path:
        """A copy of a manifest that no run writes to: SECURITY.md tells what one of the last half second may cost."""
        if owner.running is not None:
            owner.running.folder.close()
            owner.running = None
        self.number += 1
        target = self.home / f"copy{self.number}.db"
        with closing(sqlite3.connect(owner.path)) as book, closing(sqlite3.connect(target)) as copy:
            book.backup(copy)
        return target

    def retire(self, owner: Owner) -> None:
        if owner.running is not None:
            self.killed(owner)
        owner.book.close()
        self.number += 1
        self.retired.append(self.home / f"retired{self.number}.db")
        owner.path.rename(self.retired[-1])
        owner.straight = False

    @precondition(lambda self: any(owner.copies for owner in self.owners.values()))
    @rule(name=st.sampled_from(NAMES), place=places)
    def restore(self, name: str, place: int) -> None:
        owner = self.owners[name]
        if owner.copies:
            self.put_back(owner, owner.copies[place % len(owner.copies)])

    def put_back(self, owner: Owner, copy: Path) -> None:
        self.retire(owner)
        shutil.copy(copy, owner.path)
        owner.book = Manifest.open(owner.path, write=True)

    @rule(name=st.sampled_from(NAMES))
    def plan_again(self, name: str) -> None:
        owner = self.owners[name]
        self.retire(owner)
        owner.book = self.planned(owner.path)

    # --- the world ---------------------------------------------------------------------------------------------------

    @rule(some=PICKS, body=st.sampled_from([b"same", b"same", b"other"]))
    def photos_change(self, some: list[int], body: bytes) -> None:
        """What a host shows for several is a placeholder."""
        for place in some:
            self.hosts[list(self.hosts)[place % len(self.hosts)]] = body

    @rule(place=places, body=st.sampled_from([b"mine", b"same", None]))
    def somebody_puts_a_file(self, place: int, body: bytes | None) -> None:
        """Where an image would be, perhaps with its very bytes."""
        url = list(self.hosts)[place % len(self.hosts)]
        path = self.out / WNIDS[place % len(self.hosts) // PHOTOS] / url.rpartition("/")[2]
        if not path.exists():
            self.foreign[path.relative_to(self.out)] = body or self.hosts[url]
            path.write_bytes(body or self.hosts[url])

    @precondition(lambda self: self.files())
    @rule(place=places, how=st.sampled_from(["edit", "replace", "touch", "link", "same"]))
    def somebody_has_to_do_with_a_file(self, place: int, how: str) -> None:
        path = sorted(self.files())[place % len(self.files())]
        file = self.out / path
        body = file.read_bytes()
        if how == "edit":
            file.write_bytes(b"edited " + body)
        elif how == "touch":
            os.utime(file)
        elif how == "link":
            (self.home / f"link{self.number}").unlink(missing_ok=True)
            os.link(file, self.home / f"link{self.number}")
        else:
            (self.home / "new").write_bytes(body if how == "same" else b"replaced")
            (self.home / "new").rename(file)
        if how != "link":
            self.foreign[path] = file.read_bytes()

    # --- what holds --------------------------------------------------------------------------------------------------

    def files(self) -> dict[Path, bytes]:
        return {path.relative_to(self.out): path.read_bytes() for path in sorted(self.out.glob("n*/*"))}

    def everyone(self) -> Iterator[Path]:
        yield from (owner.path for owner in self.owners.values())
        yield from self.retired

    def others(self, owner: Owner) -> list[Path]:
        return [path for path in self.everyone() if path != owner.path]

    @staticmethod
    def rows(path: Path) -> list[tuple[str, str]]:
        with closing(sqlite3.connect(path)) as book:
            return book.execute("SELECT path, sha256 FROM images").fetchall()

    def recorded(self, *whose: Owner | Path) -> set[str]:
        """Paths of images that manifests have; one that is no longer in use may have rows of files long gone."""
        paths = [one.path if isinstance(one, Owner) else one for one in whose]
        gone = dict.fromkeys(self.retired, self.taken_back)
        return {row[0] for one in paths for row in self.rows(one) if row not in gone.get(one, ())}

    def gone_since(self, before: dict[Path, bytes]) -> set[str]:
        """Paths of files that were taken back."""
        gone = {path: before[path] for path in before.keys() - self.files().keys()}
        self.taken_back |= {(str(path), digest(body)) for path, body in gone.items()}
        return {str(path) for path in gone}

    @staticmethod
    def identity(path: Path) -> str:
        with closing(sqlite3.connect(path)) as book:
            return str(book.execute("SELECT identity FROM manifest").fetchone()[0])

    def akin(self, owner: Owner, other: Path) -> bool:
        """Whether one is a copy of the other."""
        return self.identity(other) == owner.book.owner

    def no_orphans(self, owner: Owner) -> None:
        """Whatever is there has a row, or is somebody's."""
        known = self.recorded(*self.everyone()) | {str(path) for path in self.foreign} | self.left
        for path in self.files().keys() - {Path(one) for one in known}:
            assert self.claimed_by_others(owner, path), path

    def claimed_by_others(self, owner: Owner, path: Path) -> bool:
        journals = self.out.glob(".partial/*/*.journal")
        return any(f'"{path}"' in one.read_text() for one in journals if one.parent.name != owner.book.owner)

    @invariant()
    def nothing_is_lost(self) -> None:
        files = self.files()
        for path, body in self.foreign.items():
            assert files[path] == body, path
        for one in self.everyone():
            rows = self.rows(one)
            assert len({path for path, _ in rows}) == len(rows)
            for name, sha256 in rows:
                if Path(name) not in self.foreign and (name, sha256) not in self.taken_back:
                    assert digest(files[Path(name)]) == sha256, name


TestSharedFolder = SharedFolder.TestCase
TestSharedFolder.settings = settings(CALM, max_examples=60, stateful_step_count=30)
