"""Where the lists come from: an API, an index file in the format of `fall11_urls.txt`, or a folder of lists."""

from __future__ import annotations

import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from scraper.errors import InputError
from scraper.model import Listing, ListingOutcome, Outcome, outcome_of_status
from scraper.planning.indexfile import open_index, rests, stretches
from scraper.planning.listings import ListingBuilder, parse_answer

if TYPE_CHECKING:
    import io
    from collections.abc import Iterable, Iterator

    from scraper.config import PlanOptions
    from scraper.model import Reply, Wnid
    from scraper.web.client import Client

LARGEST_LIST: Final = 64 * 2**20
"""Bytes of one class's list; the longest of ImageNet is about 200 kB."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What asking for one class's list came to; `retry_after` in seconds where the server named a time."""

    listing: Listing
    url: str
    retry_after: float | None = None

    @property
    def retryable(self) -> bool:
        """Whether asking again soon may help."""
        outcome = self.listing.outcome
        return outcome.retryable if isinstance(outcome, Outcome) else outcome is ListingOutcome.NOT_READY


class Source(Protocol):
    """A source that is asked class by class, from many threads."""

    def ask(self, wnid: Wnid) -> Answer:
        """Ask for the list of one class."""
        ...


@dataclass(frozen=True, slots=True)
class ApiSource:
    """A URL template with `{wnid}` in it, ImageNet's API for instance."""

    client: Client
    template: str
    hosts: tuple[str, ...]
    shuffle: str | None

    def ask(self, wnid: Wnid) -> Answer:
        """Ask the API for the list of one class."""
        url = self.template.replace("{wnid}", wnid)
        reply = self.client.get(url, most=LARGEST_LIST)
        listing = self._failed(reply) or parse_answer(
            reply.body, hosts=self.hosts, shuffle=shuffle_seed(self.shuffle, wnid), status=reply.status
        )
        return Answer(listing, url, reply.retry_after)

    @staticmethod
    def _failed(reply: Reply) -> Listing | None:
        if reply.failure is not None:
            return Listing(reply.failure, http_status=reply.status, error=reply.error)
        if reply.oversize:
            return Listing(Outcome.TOO_LARGE, http_status=reply.status, error="more than 64 MiB")
        if reply.status == 200:
            return None
        outcome = outcome_of_status(reply.status)
        how = ListingOutcome.NOT_FOUND if outcome is Outcome.GONE else outcome
        return Listing(how, http_status=reply.status, error=f"HTTP status {reply.status}")


@dataclass(frozen=True, slots=True)
class FolderSource:
    """A folder of `<wnid>.txt` lists, as the API gives them."""

    path: Path
    hosts: tuple[str, ...]
    shuffle: str | None

    def ask(self, wnid: Wnid) -> Answer:
        """Read the list of one class."""
        path = self.path / f"{wnid}.txt"
        try:
            with path.open("rb") as file:
                body = file.read(LARGEST_LIST + 1) if path.is_file() else b""
        except FileNotFoundError:
            return Answer(Listing(ListingOutcome.NOT_IN_SOURCE, error=f"{path.name} is not in the folder"), str(path))
        except OSError as error:
            return Answer(Listing(ListingOutcome.UNREADABLE, error=f"{path.name}: {error.strerror}"), str(path))
        if len(body) > LARGEST_LIST:
            return Answer(Listing(Outcome.TOO_LARGE, error=f"{path.name} is larger than 64 MiB"), str(path))
        listing = parse_answer(body, hosts=self.hosts, shuffle=shuffle_seed(self.shuffle, wnid))
        return Answer(listing, str(path))


class NotGroupedError(Exception):
    """The lines of a class do not stand together in the index file."""


class IndexSource:
    """A file in the format of `fall11_urls.txt`: `n00004475_6590<TAB>http://…`; plain, gzip, or tar (gzip or not)."""

    def __init__(self, path: Path, hosts: tuple[str, ...], shuffle: str | None) -> None:
        """For the file at `path`, which is read when `read` is."""
        self.path = path
        self._hosts = hosts
        self._shuffle = shuffle
        self.malformed = 0

    def read(self, wanted: Iterable[Wnid], *, grouped: bool) -> Iterator[tuple[Wnid, Listing]]:
        """The listings of the wanted classes, in one pass; classes the file lacks are not among them.

        `malformed` then counts the lines that name no class.

        Args:
            wanted: the classes.
            grouped: the lines of each class stand together, as in the real file, so that one class at a time is
                held in memory. Without, all are.

        Raises:
            InputError: the file cannot be read, or is damaged.
            NotGroupedError: `grouped` was said of a file that is not; what was read must be thrown away.
        """
        self.malformed = 0
        try:
            with open_index(self.path) as file:
                yield from self._classes(file, {wnid.encode(): wnid for wnid in wanted}, grouped=grouped)
        except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
            raise InputError(f"cannot read the source {self.path}: {error}") from error

    def _classes(
        self, file: io.BufferedReader, wanted: dict[bytes, Wnid], *, grouped: bool
    ) -> Iterator[tuple[Wnid, Listing]]:
        open_builders: dict[bytes, ListingBuilder] = {}
        closed: set[bytes] = set()
        for name, lines in stretches(file):
            if name is None:
                self.malformed += bool(lines.strip())
                continue
            if name not in open_builders:
                if grouped:
                    yield from self._close(open_builders, wanted)
                    closed.update(open_builders)
                    open_builders.clear()
                if name not in wanted:
                    continue
                if name in closed:
                    raise NotGroupedError
                open_builders[name] = ListingBuilder(self._hosts)
            open_builders[name].add_lines(rests(lines))
        yield from self._close(open_builders, wanted)

    def _close(
        self, builders: dict[bytes, ListingBuilder], wanted: dict[bytes, Wnid]
    ) -> Iterator[tuple[Wnid, Listing]]:
        for name, builder in builders.items():
            yield wanted[name], builder.build(shuffle=shuffle_seed(self._shuffle, wanted[name]))


def shuffle_seed(seed: str | None, wnid: Wnid) -> str | None:
    """The seed of one class's order, so that it does not depend on which other classes are planned."""
    return None if seed is None else f"{seed}:{wnid}"


def open_source(options: PlanOptions, client: Client | None) -> Source | IndexSource:
    """The source that the options name.

    Raises:
        InputError: it is neither a URL template nor a file or folder that can be read.
    """
    text = options.source
    if is_url(text):
        if client is None:
            raise ValueError("a URL source needs a client")
        return ApiSource(client, text, options.hosts, options.shuffle)
    path = Path(text)
    if path.is_dir():
        return FolderSource(path, options.hosts, options.shuffle)
    return IndexSource(path, options.hosts, options.shuffle)


def is_url(source: str) -> bool:
    """Whether a source is asked over HTTP."""
    return "://" in source


def check_source(source: str) -> None:
    """Refuse a source that cannot work, before anything is changed.

    Raises:
        InputError: a URL without `{wnid}` or of another scheme; a path that is missing or unreadable; a folder
            without a single list.
    """
    if is_url(source):
        if not source.lower().startswith(("http://", "https://")):
            raise InputError(f"--source {source}: only http and https URLs can be asked")
        if "@" in source.split("://", 1)[1].split("/", 1)[0]:
            raise InputError("--source: a user name or password in the URL would be kept in the manifest; leave it out")
        if "{wnid}" not in source:
            raise InputError(f"--source {source}: a URL must have {{wnid}} where the class id goes")
        return
    path = Path(source)
    if not path.exists():
        raise InputError(f"--source {source}: no such file or folder (a URL begins with https://)")
    try:
        if path.is_dir():
            if next(path.glob("n????????.txt"), None) is None:
                raise InputError(f"--source {source}: no <wnid>.txt list in this folder")
        else:
            with open_index(path) as file:
                file.read(1)
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise InputError(f"--source {source}: cannot be read: {error}") from error
