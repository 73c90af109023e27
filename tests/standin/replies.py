"""The world's answer to one request. Knows no sockets; the time is an argument."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final, assert_never
from urllib.parse import parse_qs, urlsplit

from tests.standin import photos
from tests.standin.fates import Fate, ListingFate
from tests.standin.http1 import span
from tests.standin.ledger import group_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.standin.http1 import Request
    from tests.standin.world import Photo, World

SLOWNESS: Final = 0.3  # seconds that a SLOW photo takes longer
API_PATH: Final = "/api/imagenet.synset.geturls"
PLACEHOLDER_URL: Final = "https://s.yimg.com/pw/images/en-us/photo_unavailable.png"
NOT_READY: Final = b"The synset is not ready yet. Please stay tuned!"
PORTAL: Final = (
    b"<!DOCTYPE html>\n<html><head><title>Guest Wi-Fi login</title></head>"
    b"<body><form>Please accept the terms.</form></body></html>\n"
)
TYPES: Final = {"png": "image/png", "gif": "image/gif"}


class Ending(Enum):
    """How an answer ends."""

    WHOLE = "whole"
    CUT = "cut"  # closed in the middle of the body
    RESET = "reset"  # a TCP reset instead of an answer
    SILENT = "silent"  # nothing is ever sent


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `delay` is in seconds, on top of the server's latency."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    ending: Ending = Ending.WHOLE
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class Throttle:
    """All Flickr hosts together give at most `limit` photos in any `per` seconds, and 429 beyond that.

    `retry_after` is the header's value (seconds, or whatever a test wants), None for no header.
    """

    limit: int
    per: float = 1.0
    retry_after: str | int | None = None


def _text(status: int, body: bytes, kind: str = "text/html; charset=utf-8") -> Reply:
    return Reply(status, body, (("Content-Type", kind),))


def _image(body: bytes, name: str = "", *more: tuple[str, str]) -> Reply:
    kind = TYPES.get(name.rpartition(".")[2].lower(), "image/jpeg")
    return Reply(200, body, (("Content-Type", kind), *more))


def _redirect(status: int, location: str) -> Reply:
    return Reply(status, b"", (("Location", location),))


def _refusal(retry_after: str | int | None) -> Reply:
    reply = _text(429, b"Too Many Requests\n", "text/plain")
    more = () if retry_after is None else (("Retry-After", str(retry_after)),)
    return replace(reply, headers=(*reply.headers, *more))


NOT_FOUND: Final = _text(404, b"<h1>404 Not Found</h1>\n")
UNAVAILABLE: Final = _text(503, b"<h1>503 Service Unavailable</h1>\n")


class Replies:
    """Answers requests; remembers how often each address was asked, for the fates that change with time."""

    def __init__(self, world: World, throttle: Throttle | None) -> None:
        self._world = world
        self._throttle = throttle
        self._tries: Counter[str] = Counter()
        self._recent: deque[float] = deque()  # when the photos of the last `per` seconds were given
        self.blocked = False
        self.between: Callable[[Request], Reply | None] | None = None

    def to(self, request: Request, now: float) -> Reply:
        """The answer to a request that came at `now`, in seconds of a monotonic clock."""
        if request.method not in {"GET", "HEAD"}:
            return _text(405, b"Method Not Allowed\n")
        group = group_of(request.host)
        if group == "flickr":
            between = self.between(request) if self.between is not None else None
            reply = between or self._refused(now) or self._flickr(request)
        elif group == "imagenet":
            reply = self._imagenet(request)
        elif request.host.endswith(".yimg.com") and "/photo_unavailable" in request.path:
            reply = _image(self._world.placeholder, ".png")
        elif request.host == "portal.example.com":
            reply = _text(200, PORTAL)
        else:
            reply = NOT_FOUND
        return _ranged(reply, request)

    def _refused(self, now: float) -> Reply | None:
        """A 429 if Flickr is blocked or asked too fast; a refused request does not count against the limit."""
        rule = self._throttle
        if self.blocked:
            return _refusal(rule.retry_after if rule else None)
        if rule is None:
            return None
        while self._recent and self._recent[0] <= now - rule.per:
            self._recent.popleft()
        if len(self._recent) >= rule.limit:
            return _refusal(rule.retry_after)
        self._recent.append(now)
        return None

    def _flickr(self, request: Request) -> Reply:
        photo = self._world.find(request.address)
        if photo is None:
            moved = self._world.find_moved(request.address)
            return NOT_FOUND if moved is None else _image(photos.photo(moved.name), moved.name)
        self._tries[request.address] += 1
        return _fated(photo, self._tries[request.address], self._world)

    def _imagenet(self, request: Request) -> Reply:
        parts = urlsplit(request.path)
        if parts.path != API_PATH:
            return NOT_FOUND
        wnid = parse_qs(parts.query).get("wnid", [""])[0]
        spec = self._world.classes.get(wnid)
        self._tries[request.address] += 1
        fate = ListingFate.INVALID_URL if spec is None else spec.listing
        return _listed(fate, wnid, self._tries[request.address], self._world)


def _listed(fate: ListingFate, wnid: str, tries: int, world: World) -> Reply:  # noqa: PLR0911 - one per fate
    """ImageNet's answer for a class that is asked for the `tries`-th time."""
    match fate:
        case ListingFate.LISTED:
            return _text(200, world.listing(wnid), "text/plain")
        case ListingFate.INVALID_URL:
            return _text(200, b"Invalid url!")
        case ListingFate.NOT_READY:
            return _text(200, NOT_READY)
        case ListingFate.HTML_PAGE:
            return _text(200, photos.HTML.replace(b"Flickr", b"ImageNet"))
        case ListingFate.EMPTY:
            return _text(200, b"", "text/plain")
        case ListingFate.NOT_FOUND:
            return NOT_FOUND
        case ListingFate.ERROR_ONCE:
            return UNAVAILABLE if tries == 1 else _text(200, world.listing(wnid), "text/plain")
        case ListingFate.ERROR_ALWAYS:
            return UNAVAILABLE
        case ListingFate.SILENT:
            return Reply(200, ending=Ending.SILENT)
        case _:
            assert_never(fate)


PASSING: Final = frozenset({Fate.THROTTLED_ONCE, Fate.ERROR_ONCE, Fate.CUT_ONCE})  # then alive
SAME_FOR_ALL: Final = {
    Fate.GONE_404: NOT_FOUND,
    Fate.GONE_410: _text(410, b"<h1>410 Gone</h1>\n"),
    Fate.FORBIDDEN: _text(403, b"<h1>403 Forbidden</h1>\n"),
    Fate.PLACEHOLDER_REDIRECT: _redirect(302, PLACEHOLDER_URL),
    Fate.HTML: _text(200, photos.HTML),
    Fate.EMPTY: _image(b""),
    Fate.THROTTLED_ONCE: _refusal(1),
    Fate.THROTTLED_ALWAYS: _refusal(1),
    Fate.ERROR_ONCE: UNAVAILABLE,
    Fate.ERROR_ALWAYS: _text(500, b"<h1>500 Internal Server Error</h1>\n"),
}
ENDINGS: Final = {
    Fate.CUT_ONCE: Ending.CUT,
    Fate.CUT_ALWAYS: Ending.CUT,
    Fate.RESET_ALWAYS: Ending.RESET,
}


def _fated(photo: Photo, tries: int, world: World) -> Reply:
    """Flickr's answer for a photo that is asked for the `tries`-th time."""
    fate = photo.fate
    if fate in PASSING and tries > (world.throttle_times if fate is Fate.THROTTLED_ONCE else 1):
        fate = Fate.ALIVE
    if fate in SAME_FOR_ALL:
        return SAME_FOR_ALL[fate]
    if fate is Fate.PLACEHOLDER_DIRECT:
        return _image(world.placeholder, ".png")
    if fate is Fate.MOVED:
        return _redirect(301, photo.moved_to)
    if fate is Fate.REDIRECT_LOOP:
        return _redirect(302, photo.url.replace("http://", "https://"))
    return _with_photo(photo, fate, world.bytes_of(photo.name))


def _with_photo(photo: Photo, fate: Fate, body: bytes) -> Reply:
    """An answer that holds the photo's bytes, or what is left of them."""
    if fate is Fate.TINY:
        kind = "gif" if photo.name[-5] in "01234567" else "jpg"  # the secret's last digit: as good as chance
        return _image(photos.tiny(kind), f".{kind}")
    if fate is Fate.TRUNCATED:
        body = photos.truncated(body)
    elif fate is Fate.CORRUPT:
        body = photos.corrupt(body)
    more = (("X-Robots-Tag", "noai"),) if fate is Fate.OPTED_OUT else ()
    delay = SLOWNESS if fate is Fate.SLOW else 0.0
    return replace(_image(body, photo.name, *more), ending=ENDINGS.get(fate, Ending.WHOLE), delay=delay)


def _ranged(reply: Reply, request: Request) -> Reply:
    """The part that was asked for, if one was and the whole answer is to be had."""
    wanted = request.headers.get("range")
    if wanted is None or reply.status != 200 or reply.ending is not Ending.WHOLE:
        return reply
    size = len(reply.body)
    part = span(wanted, size)
    if part is None:
        return replace(reply, status=416, body=b"", headers=(("Content-Range", f"bytes */{size}"),))
    if part == (0, size):
        return reply
    start, end = part
    more = ("Content-Range", f"bytes {start}-{end - 1}/{size}")
    return replace(reply, status=206, body=reply.body[start:end], headers=(*reply.headers, more))
