"""The options of every command, each checked where it is made; everything below trusts them.

The fields are the only place where an option stands: `scraper.options` makes flags, help and checks of them.
"""

from __future__ import annotations

import enum
import ipaddress
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scraper.errors import OptionError
from scraper.flickr import FLICKR_DOMAINS
from scraper.kinds import Choice, Choices, Duration, FilePath, Flag, Kind, Number, Size, Text, Texts, Whole, items
from scraper.model import DECIDED_KINDS, Check, Columns, Form, Frame, Labels, Outcome
from scraper.options import Options, group, option
from scraper.proxies import Proxy, parse_proxy
from scraper.version import PROJECT_URL, __version__

DEFAULT_MANIFEST: Final = Path("manifests/scraper.db")
DEFAULT_SOURCE: Final = "api"
DEFAULT_USER_AGENT: Final = f"scraper/{__version__} (+{PROJECT_URL}; photographs for research)"

LOCK_WAIT: Final = 30.0
"""Seconds to wait for another program that keeps the manifest locked, a backup or a browser for instance."""
USUAL_N: Final = 10
"""Images wanted for a class of which nobody has said how many."""
OVERSAMPLE: Final = 1.33
"""Candidates that may be tried at first, for each image wanted."""
MOST_THREADS: Final = 1024
USUAL_SURVIVAL: Final = 0.75
"""Share of the lists' Flickr URLs that still led to a photo, as users of such tools found around 2021."""
MOST_PER_CLASS: Final = 1_000_000
MOST_SAMPLED: Final = 10_000_000
LONGEST_TIMEOUT: Final = 3600.0

_THREADS: Final = Whole(1, MOST_THREADS)
_PATIENCE: Final = "how long to wait for a host that refuses everything, without one answer, before the run ends"
_BELIEVE: Final = "take answers for the photos' own even where very many are alike and none has a picture"


# --- kinds of our own ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ConnectTo:
    """One rule of `--connect-to`, as in curl: requests for host:port go to target_host:target_port instead.

    An empty `host` or a None `port` matches any; an empty target keeps what the URL says.
    """

    host: str
    port: int | None
    target_host: str
    target_port: int | None

    def matches(self, host: str, port: int) -> bool:
        """Whether the rule speaks of this host and port."""
        return self.host in ("", host.lower()) and self.port in (None, port)

    def __str__(self) -> str:
        hosts = (f"[{host}]" if ":" in host else host for host in (self.host, self.target_host))
        host, target = hosts
        return f"{host}:{self.port or ''}:{target}:{self.target_port or ''}"


_RULE: Final = re.compile(r"(\[[^\]]*\]|[^:\[\]]*):([0-9]*):(\[[^\]]*\]|[^:\[\]]*):([0-9]*)")
_LAST_PORT: Final = 65535
_HOST: Final = re.compile(r"(?!.{254})[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE | re.ASCII)


def _is_place(text: str) -> bool:
    """Whether a part of a rule is empty, a name, or an address, which stands in brackets if it is of IPv6."""
    if text.startswith("["):
        try:
            ipaddress.IPv6Address(text.strip("[]"))
        except ValueError:
            return False
        return True
    return not text or _HOST.fullmatch(text) is not None


class ConnectToRules(Kind[tuple[ConnectTo, ...]]):
    """Rules of `--connect-to` by commas; IPv6 addresses stand in brackets."""

    metavar = "RULES"

    def take(self, given: object) -> tuple[ConnectTo, ...]:
        """Read `HOST1:PORT1:HOST2:PORT2[,...]`, or take rules."""
        if isinstance(given, tuple) and all(isinstance(rule, ConnectTo) for rule in given):
            return given
        return tuple(self._rule(rule) for rule in items(given))

    @staticmethod
    def _rule(rule: str) -> ConnectTo:
        match = _RULE.fullmatch(rule)
        if match is None:
            raise ValueError(f"{rule!r} is not HOST1:PORT1:HOST2:PORT2 (any part may be empty)")
        host, port, target_host, target_port = match.groups()
        for number in (port, target_port):
            if number and not 0 < int(number[:9]) <= _LAST_PORT:
                raise ValueError(f"{rule!r}: a port is 1 to {_LAST_PORT}")
        for place in (host, target_host):
            if not _is_place(place):
                raise ValueError(f"{rule!r}: {place!r} is neither a host's name nor an address")
        return ConnectTo(
            host.strip("[]").lower(),
            int(port) if port else None,
            target_host.strip("[]"),
            int(target_port) if target_port else None,
        )

    def text(self, value: tuple[ConnectTo, ...]) -> str:
        """The rules by commas."""
        return ",".join(map(str, value))


def parse_connect_to(text: str) -> tuple[ConnectTo, ...]:
    """Read `HOST1:PORT1:HOST2:PORT2[,...]`.

    Raises:
        ValueError: a rule has another form.
    """
    return ConnectToRules().take(text)


class Domains(Kind[tuple[str, ...]]):
    """Names of domains, by commas."""

    metavar = "DOMAINS"

    def take(self, given: object) -> tuple[str, ...]:
        """Read domains; a dot at an end and capitals do not matter."""
        domains = tuple(domain.lower().strip(".") for domain in items(given))
        if not domains:
            raise ValueError("names no host")
        for domain in domains:
            if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", domain):
                raise ValueError(f"has {domain!r}, which is not a domain such as flickr.com")
        return domains

    def text(self, value: tuple[str, ...]) -> str:
        """The domains by commas."""
        return ",".join(value)


class UserAgent(Kind[str]):
    """What to call ourselves in a header."""

    metavar = "TEXT"

    def take(self, given: object) -> str:
        """Take one line of printable ASCII."""
        text = str(given)
        if not (text.isascii() and text.isprintable() and text.strip()):
            raise ValueError("must be one line of printable ASCII")
        return text


class ProxyAddress(Kind[Proxy]):
    """The address of a proxy."""

    metavar = "URL"

    def take(self, given: object) -> Proxy:
        """Read an address as curl does, or take a proxy."""
        return given if isinstance(given, Proxy) else parse_proxy(str(given))

    def text(self, value: Proxy) -> str:
        """Its address without user name and password, which are shown nowhere."""
        return str(value)


class ColumnNames(Kind[Columns]):
    """Which columns of a table matter."""

    metavar = "COLUMNS"

    def take(self, given: object) -> Columns:
        """Read `url=NAME,class=NAME`, either alone too."""
        if isinstance(given, Columns):
            return given
        told: dict[str, str] = {}
        for item in items(given):
            what, equals, name = (part.strip() for part in item.partition("="))
            if what not in ("url", "class") or not equals or not name or what in told:
                raise ValueError(f"must be url=NAME,class=NAME, not {str(given)!r}")
            told[what] = name
        return Columns(told.get("url"), told.get("class"))

    def text(self, value: Columns) -> str:
        """The names by commas."""
        told = (("url", value.url), ("class", value.wnid))
        return ",".join(f"{what}={name}" for what, name in told if name is not None)


# --- the options -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOptions(Options):
    """How requests are made."""

    timeout: float = option(
        30.0, Number(0, LONGEST_TIMEOUT, "seconds", above=True), "seconds a request may take in all, redirects too"
    )
    connect_to: tuple[ConnectTo, ...] = option(
        (), ConnectToRules(), "HOST1:PORT1:HOST2:PORT2[,...], as in curl: connect to the second instead of the first"
    )
    ca_certs: Path | None = option(None, FilePath(Path), "a PEM file of certificates to trust beside the system's")
    proxy: Proxy | None = option(
        None, ProxyAddress(), "address of a proxy, such as http://proxy.example:3128, in place of the environment's"
    )
    allow_private: bool = option(default=False, kind=Flag(), help="let requests go to loopback and private addresses")
    user_agent: str = option(DEFAULT_USER_AGENT, UserAgent(), "what to call ourselves, and how you can be reached")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceOptions(Options):
    """Where the record is."""

    manifest: Path = option(DEFAULT_MANIFEST, FilePath(Path), "the SQLite file that records everything")


class ClassesFormat(enum.StrEnum):
    """How classes are shown."""

    TEXT = "text"
    CSV = "csv"
    JSON = "json"
    WNIDS = "wnids"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassesOptions(Options):
    """Which classes are shown, and how."""

    under: tuple[str, ...] = option((), Texts("NAMES"), "only what is under these, themselves too, by commas")
    leaves: bool = option(default=False, kind=Flag(), help="only classes that have no other class below them")
    preset: str | None = option(
        None, Text("PRESET"), "only the classes of a known set: ilsvrc2012, imagenette, imagewoof, imagenet-21k, ..."
    )
    search: str | None = option(None, Text("WORDS"), "only those with all these words in their names and glosses")
    without: tuple[str, ...] = option(
        (), Texts("NAMES"), "leave these out with all that is under them, by commas", flag="except"
    )
    min_urls: int | None = option(
        None, Whole(1, MOST_PER_CLASS), "only those with so many URLs on --hosts in the lists of --source"
    )
    source: str | None = option(None, Text("SOURCE"), "lists on this machine to count URLs in, as plan takes them")
    hosts: tuple[str, ...] = option(FLICKR_DOMAINS, Domains(), "domains whose URLs count, by commas")
    tree: bool = option(default=False, kind=Flag(), help="show them as a tree")
    format: ClassesFormat | None = option(
        None,
        Choice(ClassesFormat),
        "text, csv, json, or the ids alone, a line each, which plan reads; without it, text on a terminal, else ids",
    )

    def _agree(self) -> None:
        if self.tree and self.format not in (None, ClassesFormat.TEXT):
            raise OptionError("tree", f"is text, and --format is {self.format}: give one of them")
        if self.min_urls is not None and self.source is None:
            raise OptionError("min_urls", "counts in lists on this machine: give --source FILE or FOLDER")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanOptions(Options):
    """What plan is asked to do."""

    n: int | None = option(
        None,
        Whole(1, MOST_PER_CLASS),
        f"images wanted for each class; without it, planned classes keep theirs and new ones get {USUAL_N}",
    )
    oversample: float = option(
        OVERSAMPLE, Number(1, 1000), "candidates that fetch may try at first, for each image wanted"
    )
    source: str | None = option(
        None,
        Text("SOURCE"),
        "where the lists are, by commas, tried in order for each class: a known list (api, fall11, ilsvrc), a URL with "
        f"{{wnid}} in it, a file or a folder of lists in any common form, packed or not; without it {DEFAULT_SOURCE}, "
        "or the lock of --lock alone",
    )
    columns: Columns = option(
        Columns(), ColumnNames(), "url=NAME,class=NAME: which columns of a table matter, by their heads or numbers"
    )
    hosts: tuple[str, ...] = option(FLICKR_DOMAINS, Domains(), "domains whose URLs become candidates, by commas")
    shuffle: str | None = option(
        None, Text("SEED"), "draw the order of candidates from this seed instead of keeping the list's"
    )
    yes: bool = option(default=False, kind=Flag(), help="download a known list however large it is, without asking")
    threads: int = option(8, _THREADS, "requests at once")
    preset: str | None = option(
        None, Text("PRESET"), "plan the classes of a known set, or look for names among them; see scraper classes"
    )
    labels: Labels = option(
        Labels.LIST, Choice(Labels), "labels of the classes: WordNet's names, clean ones of ILSVRC's, or the list's own"
    )
    include_people: bool = option(
        default=False, kind=Flag(), help="take classes under person too, which hold slurs and judgements of people"
    )
    survival: float | None = option(
        None,
        Number(0, 1, above=True),
        f"share of URLs that still give an image, for the forecast; without it, as measured, or {USUAL_SURVIVAL:g}",
    )
    dry_run: bool = option(
        default=False, kind=Flag(), help="show the whole forecast, of every class, and leave nothing behind"
    )
    lock: Path | None = option(
        None,
        FilePath(Path),
        "make the dataset of a lock again: its URLs, kept only where the bytes are those of the lock; with --source, "
        "the rest of the lists comes behind them",
    )
    suppress: Path | None = option(
        None,
        FilePath(Path),
        "leave out for good what this file names, in the lines that forget --list prints: nothing of it is asked for",
    )
    network: NetworkOptions = group(NetworkOptions, "connections")

    def _agree(self) -> None:
        if self.lock is None:
            return
        if self.n is not None:
            raise OptionError("n", "contradicts --lock, which says how many images each class has: give -n later")
        if self.preset is not None:
            raise OptionError("preset", "contradicts --lock, whose classes are planned: name some to take only these")
        if self.oversample != OVERSAMPLE:
            raise OptionError("oversample", "contradicts --lock, of which every URL may be tried at first")
        if self.source is None and (self.shuffle is not None or self.columns != Columns()):
            option = "columns" if self.shuffle is None else "shuffle"
            raise OptionError(option, "is for lists, and --lock has none but with --source")

    @property
    def target(self) -> int:
        """Images wanted of a class that is new."""
        return USUAL_N if self.n is None else self.n

    @property
    def budget(self) -> int:
        """How many candidates of a class fetch may try at first: ceil(n x oversample)."""
        # Rounded first: 10 x 1.1 is 11.000000000000002 in binary floating point, and nobody means 12 by it.
        return math.ceil(round(self.target * self.oversample, 6))


@dataclass(frozen=True, slots=True, kw_only=True)
class DropOptions(Options):
    """What drop is asked to do."""

    delete_images: bool = option(
        default=False, kind=Flag(), help="delete their images too, those whose files are as recorded"
    )
    out: Path = option(Path("images"), FilePath(Path, "FOLDER"), "folder of the images")


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOptions(Options):
    """What fetch is asked to do."""

    threads: int = option(32, _THREADS, "requests at once")
    out: Path = option(
        Path("images"), FilePath(Path, "FOLDER"), "folder of the images, one folder in it for each class"
    )
    top_up: bool = option(
        default=True,
        kind=Flag(),
        help="a class that has spent its first candidates and is short may use more of its list",
    )
    retries: int = option(3, Whole(1, 100), "tries of a candidate in one run, as long as nothing is known of its photo")
    max_bytes: int = option(20_000_000, Size(1, 2**31), "the largest picture to keep")
    rate: float | None = option(
        None, Number(0, 1e6, "requests a second", above=True), "requests a second at most; without it, no limit"
    )
    patience: float = option(3600.0, Duration(31 * 86400), _PATIENCE)
    check: Check = option(
        Check.DECODE,
        Choice(Check),
        "decode each picture to its end before it is kept, or look at its header and end only",
        was=("verify",),
    )
    retry: frozenset[Outcome] = option(
        frozenset(),
        Choices(
            Outcome,
            frozenset(o for o in Outcome if o not in (Outcome.SAVED, Outcome.WITHDRAWN)),
            "which is no failure to ask for again (withdrawn ones never are)",
        ),
        "outcomes to ask for once more in classes that are short, by commas: final ones such as forbidden,gone, or "
        "unknown ones of URLs that rest, such as throttled, since many runs have learnt nothing of them",
    )
    second_try: Form | None = option(
        None,
        Choice(Form),
        "where an older Flickr host says a photo is dead, try the same path on live.staticflickr.com",
        was=("repair",),
    )
    honour_opt_out: bool = option(
        default=True,
        kind=Flag(),
        help="keep pictures although their X-Robots-Tag asks not to use them so",
        flag="ignore_opt_out",
        inverted=True,
    )
    believe_answers: bool = option(default=False, kind=Flag(), help=_BELIEVE)
    lock_wait: float = option(
        LOCK_WAIT,
        Number(0, math.inf, "seconds"),
        "how long to wait where another program keeps the manifest locked",
        flag="",
    )
    network: NetworkOptions = group(NetworkOptions, "connections")


class ReportFormat(enum.StrEnum):
    """How a report is written."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"
    HTML = "html"
    METHODS = "methods"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions(Options):
    """How a report is shown."""

    format: ReportFormat = option(
        ReportFormat.TEXT,
        Choice(ReportFormat),
        "text, json, csv (the classes), html, or methods: a paragraph for a paper, with what to cite",
    )
    output: Path | None = option(None, FilePath(Path), "a file to write to instead of standard output")
    check: bool = option(default=False, kind=Flag(), help="exit with 1 if any class is short")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions(Options):
    """What verify is asked to do."""

    repair: bool = option(
        default=False,
        kind=Flag(),
        help="put images that are missing or damaged back to waiting, for fetch to get again; no file is removed",
    )
    missing_anyway: bool = option(
        default=False,
        kind=Flag(),
        help="with --repair: although most images are missing or damaged, as they are in the wrong folder",
    )
    remove_strays: bool = option(
        default=False,
        kind=Flag(),
        help="remove ordinary files in the classes' folders that the manifest does not know, whosoever they are",
    )
    out: Path = option(Path("images"), FilePath(Path, "FOLDER"), "folder of the images")


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyOptions(Options):
    """What survey is asked to do."""

    of: Frame = option(
        Frame.LISTED,
        Choice(Frame),
        "draw from all URLs of the lists, asked for before or not, or from those that were answered for good",
    )
    sample: int | None = option(
        None, Whole(1, MOST_SAMPLED), "URLs to ask at most, drawn at random: 1000 unless --until is given"
    )
    until: float | None = option(
        None, Number(0.001, 0.5), "go on until half the width of the 95 % interval is this, such as 0.02"
    )
    outcomes: frozenset[Outcome] = option(
        frozenset(),
        Choices(
            Outcome,
            frozenset(outcome for outcome in Outcome if outcome.kind in DECIDED_KINDS),
            "which is no answer about a photo",
        ),
        "with --of answered: only URLs last answered with these outcomes, by commas, such as saved,gone",
    )
    seed: str | None = option(None, Text("SEED"), "draw the same sample as another survey with this seed")
    threads: int = option(8, _THREADS, "requests at once")
    believe_answers: bool = option(default=False, kind=Flag(), help=_BELIEVE)
    patience: float = option(3600.0, Duration(31 * 86400), _PATIENCE)
    network: NetworkOptions = group(NetworkOptions, "connections")

    def _agree(self) -> None:
        if self.outcomes and self.of is Frame.LISTED:
            raise OptionError("outcomes", "is for URLs that were answered: give --of answered too")
