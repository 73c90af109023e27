"""The coordinator of an export: images are chosen, read, checked and converted over the cores, and written in order."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from scraper.config import DEFAULT_MANIFEST
from scraper.errors import InputError, InterruptedRunError
from scraper.exporting.card import write_card
from scraper.exporting.croissant import write_croissant
from scraper.exporting.destination import building
from scraper.exporting.forms.imagefolder import ImageFolderWriter
from scraper.exporting.forms.interface import Picture, Target, UnlinkableError
from scraper.exporting.forms.lock import HEADER, LockWriter
from scraper.exporting.forms.parquet import ParquetWriter
from scraper.exporting.forms.tables import LIST_COLUMNS, CsvWriter, JsonlWriter
from scraper.exporting.forms.webdataset import WebDatasetWriter
from scraper.exporting.options import ExportForm, ExportOptions, refuse_unused
from scraper.exporting.selecting import select
from scraper.files.reading import Folders
from scraper.manifest.core import Manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from concurrent.futures import Future

    from scraper.exporting.forms.interface import Writer
    from scraper.exporting.selecting import Item, Selection
    from scraper.manifest.access.exports import StoredImage
    from scraper.pictures.conversion import Conversion
    from scraper.running.crew import Stop

_AHEAD: Final = 4
"""Pieces of work for each core: enough to keep them busy, few enough to bound memory."""
_TOGETHER: Final = 16
"""Pictures that are one piece of work, since handing over each costs about as much as reading it."""
_TOGETHER_BYTES: Final = 2**21
"""Bytes of them from which no more are taken in."""
_SLACK: Final = 2.0
"""Seconds by which a file may be younger than its row, which is written after it: clocks of disks differ."""


@dataclass(frozen=True, slots=True)
class Form:
    """A form of dataset: how it is written, and whether it is a folder, reads the pictures' bytes, and has a card."""

    writer: Callable[[Target], Writer]
    is_folder: bool = True
    reads: bool = True
    first_line: str = ""


WRITERS: Final[dict[ExportForm, Form]] = {
    ExportForm.IMAGEFOLDER: Form(ImageFolderWriter),
    ExportForm.WEBDATASET: Form(WebDatasetWriter),
    ExportForm.PARQUET: Form(ParquetWriter),
    ExportForm.CSV: Form(CsvWriter, is_folder=False, reads=False, first_line=",".join(LIST_COLUMNS)),
    ExportForm.JSONL: Form(JsonlWriter, is_folder=False, reads=False),
    ExportForm.LOCK: Form(LockWriter, is_folder=False, reads=False, first_line=HEADER),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportProgress:
    """How far an export is: images written or left out, of all."""

    done: int
    images: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSummary:
    """What an export came to.

    Attributes:
        dest: where it is.
        form: what it is.
        selection: what was chosen.
        counts: images in it by split, and their bytes as written.
        left_out: paths of images that were chosen and are not in it, each with the reason.
        lacking: classes without an image in a split, by split.
    """

    dest: Path
    form: ExportForm
    selection: Selection
    counts: dict[str, tuple[int, int]]
    left_out: tuple[tuple[str, str], ...]
    lacking: dict[str, tuple[str, ...]]

    @property
    def images(self) -> int:
        """Images in it."""
        return sum(number for number, _ in self.counts.values())

    @property
    def bytes(self) -> int:
        """Of the images, as written."""
        return sum(size for _, size in self.counts.values())


def _known(form: str) -> ExportForm:
    try:
        return ExportForm(form)
    except ValueError:
        raise InputError(f"the form of an export is one of {', '.join(ExportForm)}, not {form!r}") from None


@dataclass(frozen=True, slots=True)
class _LeftOut:
    path: str
    why: str


_Found: TypeAlias = Picture | _LeftOut


def _ignore(_: object) -> None:
    pass


def export(
    form: ExportForm | str,
    dest: Path | str,
    options: ExportOptions | None = None,
    *,
    manifest: Path | str = DEFAULT_MANIFEST,
    progress: Callable[[ExportProgress], None] = _ignore,
    stop: Stop | None = None,
) -> ExportSummary:
    """Write the images of a manifest as a dataset; the manifest may be written to meanwhile.

    Args:
        form: imagefolder, webdataset, parquet, csv, jsonl or lock.
        dest: folder or file to make.
        options: how.
        manifest: path of the manifest.
        progress: called from time to time, in this thread.
        stop: lets another thread or a signal handler stop it.

    Raises:
        InputError: an option is wrong, there is nothing to export, or `dest` may not be replaced; nothing was changed.
        ManifestError: the manifest cannot be used.
        StoppedEarlyError: the disk is full; nothing is left behind.
        InterruptedRunError: `stop` was asked; nothing is left behind.
    """
    options, form, dest = ExportOptions.or_default(options), _known(form), Path(dest)
    shape = WRITERS[form]
    refuse_unused(form, options)
    with Manifest.open(Path(manifest)) as book, book.snapshot():
        selection = select(
            book, shares=options.split, seed=options.seed, conflicts=options.conflicts, folders=options.folders
        )
        if shape.reads and not options.out.is_dir():
            raise InputError(f"there is no folder {options.out}: give the --out that fetch wrote to")
        with building(
            dest, is_folder=shape.is_folder, first_line=shape.first_line, overwrite=options.overwrite
        ) as site:
            writer = shape.writer(Target(site.path, selection, options, options.out))
            prepare = _Preparation(form, options)
            written = _Written(writer, prepare)
            with contextlib.closing(writer), contextlib.closing(_prepared(selection.items, prepare)) as prepared:
                for piece in prepared:
                    written.take(piece)
                    progress(ExportProgress(done=written.done, images=len(selection.items)))
                    if stop is not None and stop.asked:
                        raise InterruptedRunError("interrupted; nothing was left behind")
                writer.finish()
            if shape.is_folder:
                write_card(site.path, form, selection, options, counts=written.counts)
                write_croissant(site.path, form, selection, options)
    return ExportSummary(
        dest=dest,
        form=form,
        selection=selection,
        counts=written.counts,
        left_out=tuple(written.left_out),
        lacking=selection.lacking(options.split),
    )


class _Written:
    """What was written so far."""

    def __init__(self, writer: Writer, prepare: _Preparation) -> None:
        self._writer = writer
        self._prepare = prepare
        self.done = 0
        self.counts: dict[str, tuple[int, int]] = {}
        self.left_out: list[tuple[str, str]] = []

    def take(self, piece: list[_Found]) -> None:
        for found in piece:
            self._take(found)
        self.done += len(piece)

    def _take(self, found: _Found) -> None:
        if isinstance(found, _LeftOut):
            self.left_out.append((found.path, found.why))
            return
        try:
            self._writer.add(found)
        except UnlinkableError:  # so others will be: from here on files are read, and checked
            self._prepare.links = False
            for read in self._prepare([found.item]):
                self._take(read)
            return
        number, size = self.counts.get(found.item.split, (0, 0))
        self.counts[found.item.split] = (number + 1, size + found.bytes)


def _prepared(items: Iterable[Item], prepare: _Preparation) -> Generator[list[_Found]]:
    """The pictures, in order and some at a time; those that are read or converted, in a thread for each core."""
    pieces = _together(items, 1 if prepare.converts else _TOGETHER)
    if prepare.links or not prepare.reads:  # there is next to nothing to do for each, least of all in threads
        yield from map(prepare, pieces)
        return
    threads = os.cpu_count() or 1
    waiting: deque[Future[list[_Found]]] = deque()
    executor = ThreadPoolExecutor(threads, thread_name_prefix="scraper-export")
    try:
        for piece in pieces:
            waiting.append(executor.submit(prepare, piece))
            if len(waiting) >= threads * _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)


def _together(items: Iterable[Item], most: int) -> Iterator[list[Item]]:
    """The items in order, up to `most` at a time, fewer where they are large."""
    some: list[Item] = []
    size = 0
    for item in items:
        some.append(item)
        size += item.image.bytes
        if len(some) >= most or size >= _TOGETHER_BYTES:
            yield some
            some, size = [], 0
    if some:
        yield some


class _Preparation:
    """Makes pictures of items: looks at their files, reads and checks them, converts them."""

    def __init__(self, form: ExportForm, options: ExportOptions) -> None:
        self._out = options.out
        self.reads = WRITERS[form].reads
        self.converts = options.converts
        self.links = form is ExportForm.IMAGEFOLDER and options.links and not options.converts
        self._conversion: Conversion | None = options.conversion()

    def __call__(self, items: Iterable[Item]) -> list[_Found]:
        if not self.reads:
            return list(map(_as_recorded, items))
        with Folders(self._out) as folders:
            return [self._one(item, folders) for item in items]

    def _one(self, item: Item, folders: Folders) -> _Found:
        image = item.image
        if self.links and _untouched(image, folders):
            return _as_recorded(item)
        body = folders.read(image.path, image.bytes)
        if body is None or len(body) != image.bytes:
            there = folders.stat(image.path)
            return _LeftOut(image.path, "is missing" if there is None else "is damaged: another size than recorded")
        if hashlib.sha256(body).hexdigest() != image.sha256:
            return _LeftOut(image.path, "is damaged: another SHA-256 than recorded")
        if self._conversion is None:
            return _as_recorded(item, body)
        return _converted(item, body, self._conversion)


def _as_recorded(item: Item, body: bytes = b"") -> Picture:
    """A picture as the manifest says it is; without a look at the file, unless `body` is of it."""
    image = item.image
    return Picture(item, body, image.format, image.sha256, image.bytes, image.width, image.height)


def _untouched(image: StoredImage, folders: Folders) -> bool:
    """Whether a file that is only linked has its size and was not written to since its row: then it is not read."""
    found = folders.stat(image.path)
    if found is None or found.st_size != image.bytes:
        return False
    return found.st_mtime <= dt.datetime.fromisoformat(image.saved_at).timestamp() + _SLACK


def _converted(item: Item, body: bytes, conversion: Conversion) -> _Found:
    from scraper.pictures.converting import ConversionError, convert  # noqa: PLC0415 - Pillow, where it is needed

    try:
        made = convert(body, item.image.format, conversion)
    except ConversionError as error:
        return _LeftOut(item.image.path, str(error))
    digest = hashlib.sha256(made.body).hexdigest()
    return Picture(item, made.body, made.format, digest, len(made.body), made.width, made.height)
