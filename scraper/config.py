"""Options, each validated once, where it is made; everything below trusts them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.errors import InputError
from scraper.flickr import FLICKR_DOMAINS
from scraper.model import DECIDED_KINDS, Check, Form, Outcome
from scraper.version import PROJECT_URL, __version__

if TYPE_CHECKING:
    from scraper.model import Form

DEFAULT_MANIFEST: Final = Path("manifests/scraper.db")
DEFAULT_SOURCE: Final = "https://www.image-net.org/api/imagenet.synset.geturls?wnid={wnid}"
DEFAULT_USER_AGENT: Final = f"scraper/{__version__} (+{PROJECT_URL}; photographs for research)"

LOCK_WAIT: Final = 30.0
"""Seconds to wait for another program that keeps the manifest locked, a backup or a browser for instance."""
MOST_THREADS: Final = 1024
MOST_PER_CLASS: Final = 1_000_000


def _require(condition: object, message: str) -> None:
    if not condition:
        raise InputError(message)


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


def parse_connect_to(text: str) -> tuple[ConnectTo, ...]:
    """Read `HOST1:PORT1:HOST2:PORT2[,...]`; IPv6 addresses stand in brackets.

    Raises:
        InputError: a rule has another form.
    """
    return tuple(_parse_rule(rule.strip()) for rule in text.split(",") if rule.strip())


_RULE: Final = re.compile(r"(\[[^\]]*\]|[^:\[\]]*):([0-9]*):(\[[^\]]*\]|[^:\[\]]*):([0-9]*)")


def _parse_rule(rule: str) -> ConnectTo:
    match = _RULE.fullmatch(rule)
    _require(match, f"--connect-to {rule!r} is not HOST1:PORT1:HOST2:PORT2 (any part may be empty)")
    host, port, target_host, target_port = match.groups() if match else ("", "", "", "")
    for number in (port, target_port):
        _require(not number or 0 < int(number) < 65536, f"--connect-to {rule!r}: a port is 1 to 65535")
    return ConnectTo(
        host.strip("[]").lower(),
        int(port) if port else None,
        target_host.strip("[]"),
        int(target_port) if target_port else None,
    )


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """How requests are made.

    Attributes:
        timeout: seconds a request may take in all: name, connection, TLS, redirects and body.
        connect_to: where to connect in place of the URL's host, first matching rule first.
        ca_certs: a PEM file of certificates to trust beside the system's.
        proxy: URL of a proxy; None to take it from the environment.
        allow_private: whether loopback, private and other special addresses may be reached.
        user_agent: says who asks; hosts throttle what does not.
    """

    timeout: float = 30.0
    connect_to: tuple[ConnectTo, ...] = ()
    ca_certs: Path | None = None
    proxy: str | None = None
    allow_private: bool = False
    user_agent: str = DEFAULT_USER_AGENT

    def __post_init__(self) -> None:
        _require(
            math.isfinite(self.timeout) and 0 < self.timeout <= 3600,
            "--timeout is in seconds, above 0 and up to 3600",
        )
        _require(
            self.user_agent.isascii() and self.user_agent.isprintable() and self.user_agent.strip(),
            "--user-agent must be one line of printable ASCII",
        )
        if self.ca_certs is not None:
            _require(self.ca_certs.is_file(), f"--ca-certs {self.ca_certs}: no such file")
        if self.proxy is not None:
            _require(
                re.fullmatch(r"https?://[^/\s]+/?", self.proxy, re.IGNORECASE),
                "--proxy must be a URL such as http://proxy.example:3128",
            )


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What plan is asked to do.

    Attributes:
        n: images wanted for each class.
        oversample: how many candidates fetch may try at first for each image wanted, at least 1.
        source: a URL with `{wnid}` in it, an index file, or a folder of lists.
        hosts: domains whose URLs become candidates.
        shuffle: seed of the order of candidates; None keeps the list's order.
        threads: requests at once.
    """

    n: int = 10
    oversample: float = 1.33
    source: str = DEFAULT_SOURCE
    hosts: tuple[str, ...] = FLICKR_DOMAINS
    shuffle: str | None = None
    threads: int = 8
    network: NetworkOptions = field(default_factory=NetworkOptions)

    def __post_init__(self) -> None:
        _require(1 <= self.n <= MOST_PER_CLASS, f"-n must be a whole number from 1 to {MOST_PER_CLASS}")
        _require(
            math.isfinite(self.oversample) and 1 <= self.oversample <= 1000,
            "--oversample must be from 1 to 1000",
        )
        _require(1 <= self.threads <= MOST_THREADS, f"--threads must be from 1 to {MOST_THREADS}")
        _require(self.hosts, "--hosts names no host")
        for host in self.hosts:
            _require(
                re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", host),
                f"--hosts: {host!r} is not a domain such as flickr.com",
            )

    @property
    def budget(self) -> int:
        """How many candidates of a class fetch may try at first: ceil(n x oversample)."""
        # Rounded first: 10 x 1.1 is 11.000000000000002 in binary floating point, and nobody means 12 by it.
        return math.ceil(round(self.n * self.oversample, 6))


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """What fetch is asked to do.

    Attributes:
        out: folder of the images, one folder in it for each class.
        threads: requests at once.
        top_up: whether a class that spent its budget and is short may use more of its list.
        retries: tries a candidate gets in one run before it rests as unknown.
        max_bytes: largest body that is kept, in bytes.
        rate: requests a second at most, None for no limit.
        check: how thoroughly a picture is checked before it is kept.
        retry: final outcomes whose candidates are asked for once more, in classes that are short.
        repair: another form in which dead URLs are tried, None for none.
        honour_opt_out: whether pictures with an X-Robots-Tag against such use are left alone.
        lock_wait: seconds to wait for another program that keeps the manifest locked.
    """

    out: Path = Path("images")
    threads: int = 32
    top_up: bool = True
    retries: int = 3
    max_bytes: int = 20_000_000
    rate: float | None = None
    check: Check = Check.DECODE
    retry: frozenset[Outcome] = frozenset()
    repair: Form | None = None
    honour_opt_out: bool = True
    lock_wait: float = LOCK_WAIT
    network: NetworkOptions = field(default_factory=NetworkOptions)

    def __post_init__(self) -> None:
        _require(1 <= self.threads <= MOST_THREADS, f"--threads must be from 1 to {MOST_THREADS}")
        _require(1 <= self.retries <= 100, "--retries must be from 1 to 100")
        _require(1 <= self.max_bytes <= 2**31, "--max-bytes must be from 1 byte to 2 GiB")
        _require(
            self.rate is None or (math.isfinite(self.rate) and 0 < self.rate <= 1e6),
            "--rate is in requests a second, above 0",
        )
        _require(math.isfinite(self.lock_wait) and self.lock_wait >= 0, "lock_wait is in seconds, 0 or more")
        for outcome in self.retry:
            _require(
                outcome.final and outcome is not Outcome.SAVED,
                f"--retry: {outcome} is not a final failure (unknown ones are tried again by themselves)",
            )
            _require(outcome is not Outcome.WITHDRAWN, "--retry: what was withdrawn is never asked for again")


@dataclass(frozen=True, slots=True)
class RecheckOptions:
    """What recheck is asked to do.

    Attributes:
        sample: candidates to ask again at most, drawn at random.
        outcomes: the outcomes they were answered with; empty for all that count in rates.
        seed: of the draw; None for another one each time.
        threads: requests at once.
    """

    sample: int = 1000
    outcomes: frozenset[Outcome] = frozenset()
    seed: str | None = None
    threads: int = 8
    network: NetworkOptions = field(default_factory=NetworkOptions)

    def __post_init__(self) -> None:
        _require(1 <= self.sample <= 10_000_000, "--sample must be from 1 to 10000000")
        _require(1 <= self.threads <= MOST_THREADS, f"--threads must be from 1 to {MOST_THREADS}")
        for outcome in self.outcomes:
            _require(outcome.kind in DECIDED_KINDS, f"--outcomes: {outcome} is no answer about a photo")
