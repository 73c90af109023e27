"""A file, or an archive of files, with the lists of many classes, read from its beginning to its end."""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Final

from scraper.manifest.access.lists import WholeList
from scraper.model import Oddity
from scraper.planning.forms.detecting import NotAListError, detect
from scraper.planning.forms.interface import Hints
from scraper.planning.forms.tencent import DICTIONARY, read_dictionary
from scraper.planning.lines.encodings import decode
from scraper.planning.lines.oddities import Oddities
from scraper.planning.lines.unpacking import damaged, members
from scraper.planning.listings import ListingBuilder
from scraper.planning.sources.folder import class_of
from scraper.planning.sources.grouping import Groups
from scraper.planning.sources.interface import Answers, SourceFailedError, StartOverError
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from scraper.model import Wnid
    from scraper.planning.forms.interface import Category, Form
    from scraper.planning.lines.unpacking import Member
    from scraper.planning.sources.interface import Means
    from scraper.records import Listing

    Part: TypeAlias = tuple[bytes, bytes, Form]
    """Lines of one class, without lines for time to breathe, and the form that knows where their URLs are."""

_PIECE: Final = 2**20
_LOOKED_AT: Final = 20
"""Members of an archive that are looked at for one that is a list."""


def _drain(inside: Iterable[Member]) -> None:
    """Read members to their ends."""
    for member in inside:
        while member.stream.read(_PIECE):
            pass


class WholeFile:
    """One file of lists, or an archive of some."""

    whole = True
    local = True

    def __init__(
        self, path: Path, means: Means, *, name: str | None = None, url: str | None = None, sha256: str | None = None
    ) -> None:
        """For the file at `path`; `name`, `url` and `sha256` are for the record, of one that was downloaded."""
        self.name = name or str(path)
        self._path = path
        self._means = means
        self._url = url
        self._sha256 = sha256
        self.grouped = True
        """Whether the lines of each class are taken to stand together, as they do until it is seen that they do not."""
        self._odd = Oddities()
        self._forms: dict[str, str] = {}

    def check(self) -> None:
        """See that it is a list of some form, by its first lines.

        Raises:
            SourceFailedError: it cannot be read, or is no list.
        """
        problem = self.problem()
        if problem:
            raise SourceFailedError(f"--source {self.name}{problem}")

    def problem(self, *, to_its_end: bool = False) -> str:
        """What is wrong with it, to be said behind its name, by its first lines; with `to_its_end`, by all of them."""
        problem = "it is empty"
        try:
            dictionary = self._dictionary()
            with contextlib.closing(members(self._path)) as inside:
                for seen, member in enumerate(itertools.islice(inside, _LOOKED_AT)):
                    try:
                        self._form(member, dictionary)
                    except NotAListError as error:
                        problem = str(error) if not seen else problem
                        continue
                    if to_its_end:
                        _drain(itertools.chain([member], inside))
                    return ""
        except damaged() as error:
            return f": cannot be read: {one_line(str(error))}"
        return f" is no list of image URLs: {problem}"

    def lists(self, wanted: Sequence[Wnid]) -> Generator[Answers, None, None]:
        """Read the file, class by class where the lines of each stand together, as in ImageNet's own list."""
        names = {wnid.encode(): wnid for wnid in wanted}
        self._odd = Oddities()
        self._forms = {}
        count = 0
        try:
            for name, listing in self._together(names) if self.grouped else self._anyhow(names):
                count += listing is not None
                yield Answers(settled=[(names[name], listing)] if listing is not None else [])
        except damaged() as error:
            raise SourceFailedError(f"cannot read the source {self.name}: {one_line(str(error))}") from error
        except StartOverError:
            self.grouped = False
            raise
        size = self._path.stat().st_size
        form = " ".join(self._forms) or "none"
        read = WholeList(self.name, self._url, form, size, self._sha256, count, self._odd.lines())
        yield Answers(read=read, told="; ".join(self._forms.values()))

    def _together(self, names: dict[bytes, Wnid]) -> Iterator[tuple[bytes, Listing | None]]:
        """Read in one pass, with the lines of one class in memory at a time."""
        last, of_form = b"", ""
        builder: ListingBuilder | None = None
        closed: set[bytes] = set()
        for name, lines, form in self._parts():
            if not lines:
                yield b"", None
                continue
            if name != last:
                if builder is not None:
                    yield last, self._built(builder, names[last], of_form)
                    closed.add(last)
                if name in closed:
                    raise StartOverError
                builder = ListingBuilder(self._means.reading.hosts) if name in names else None
                last, of_form = name, form.name
            if builder is not None:
                builder.add_lines(form.urls(lines))
        if builder is not None:
            yield last, self._built(builder, names[last], of_form)

    def _anyhow(self, names: dict[bytes, Wnid]) -> Iterator[tuple[bytes, Listing | None]]:
        """Bring the lines of each class together first."""
        with Groups(self._means.scratch) as groups:
            of_form: dict[bytes, str] = {}
            for name, lines, form in self._parts():
                if not lines:
                    yield b"", None
                elif name in names:
                    groups.add(name, form.urls(lines))
                    of_form[name] = form.name
            for name, parts in groups:
                builder = ListingBuilder(self._means.reading.hosts)
                for lines in parts:
                    builder.add_lines(lines)
                yield name, self._built(builder, names[name], of_form[name])

    def _built(self, builder: ListingBuilder, wnid: Wnid, form: str) -> Listing:
        return builder.build(form=form, shuffle=self._means.reading.seed(wnid))

    # --- what is in the file -----------------------------------------------------------------------------------------

    def _parts(self) -> Iterator[Part]:
        """The lines of all members that are lists."""
        dictionary = self._dictionary()
        with contextlib.closing(members(self._path)) as inside:
            for member in inside:
                try:
                    form = self._form(member, dictionary)
                except NotAListError as error:
                    self._means.notice(f"{self.name}: {one_line(member.name, 80)} was passed over: {error}")
                    continue
                packed = f" ({member.packing})" if member.packing else ""
                self._forms[form.name] = f"{form.told}{packed}"
                yield from self._of(member, form)

    def _of(self, member: Member, form: Form) -> Iterator[Part]:
        own = class_of(member.name)
        known = own.encode() if own is not None else None
        for said, lines in form.pieces(member.stream, self._odd):
            name = said or known
            if not lines:
                yield b"", b"", form
            elif name is None:
                self._set_aside(Oddity.NO_CLASS, lines)
            elif known is not None and name != known:
                self._set_aside(Oddity.OTHER_CLASS, lines)
            else:
                yield name, lines, form

    def _set_aside(self, kind: Oddity, lines: bytes) -> None:
        told = [line for line in lines.split(b"\n") if line.strip()]
        if told:
            self._odd.add(kind, decode(told[0]), len(told))

    def _form(self, member: Member, dictionary: dict[str, Category]) -> Form:
        hints = Hints(
            self._means.reading.columns, of_one_class=class_of(member.name) is not None, dictionary=dictionary
        )
        return detect(member.stream, hints)

    def _dictionary(self) -> dict[str, Category]:
        """Tencent's dictionary, where it stands beside the file."""
        path = self._path.with_name(DICTIONARY)
        if not path.is_file() or path == self._path:
            return {}
        try:
            with contextlib.closing(members(path)) as inside:
                return read_dictionary(next(inside).stream)
        except damaged():
            return {}
