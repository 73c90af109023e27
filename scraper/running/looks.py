"""What an answer without a picture looks like, so that it can be told whether many photos were answered alike."""

from __future__ import annotations

import hashlib
import html
import http
import re
from typing import TYPE_CHECKING, Final

from scraper.model import Outcome
from scraper.pictures.formats import format_of
from scraper.records import Look
from scraper.texts import one_line
from scraper.urls import host_of

if TYPE_CHECKING:
    from scraper.records import Reply

_READ: Final = 64 * 1024
"""Bytes of a page that are looked at."""
_LONGEST_TITLE: Final = 80
_TITLE: Final = re.compile(rb"<title[^>]*>(.{0,2000}?)</title", re.IGNORECASE | re.DOTALL)
_TAG: Final = re.compile(rb"<\s*([a-z][a-z0-9]*)", re.IGNORECASE)
_CHANGING: Final = re.compile(r"https?://\S+|[0-9a-f]*[0-9][0-9a-f]*", re.IGNORECASE)
"""What differs between two copies of one page: addresses, numbers, identifiers."""
_ANSWERED: Final = frozenset(
    {
        Outcome.FORBIDDEN,
        Outcome.BAD_STATUS,
        Outcome.OPTED_OUT,
        Outcome.NOT_IMAGE,
        Outcome.TRUNCATED,
        Outcome.CORRUPT,
        Outcome.TOO_SMALL,
        Outcome.TOO_LARGE,
    }
)
_SAID_BY_OUTCOME: Final = {
    Outcome.PLACEHOLDER: Look("placeholder", "the picture for deleted photos", usual=True),
    Outcome.REDIRECT_ERROR: Look("redirect", "a redirect that leads nowhere"),
}


def look_of(reply: Reply, outcome: Outcome, sha256: str | None = None) -> Look | None:
    """The look of an answer; None of a picture, and where nobody answered or asked us to come back.

    Args:
        reply: the answer.
        outcome: what was made of it.
        sha256: hex digest of its body, where it is known.
    """
    if outcome is Outcome.GONE:
        return Look(f"status {reply.status}", _status(reply.status), usual=True)
    if outcome is Outcome.BLOCKED and reply.hops:
        return _led_to(reply)
    if outcome not in _ANSWERED or (outcome is Outcome.OPTED_OUT and format_of(reply.body)):
        return _SAID_BY_OUTCOME.get(outcome)
    if reply.status != http.HTTPStatus.OK:
        return _refusal(reply)
    return _page(reply, sha256) if outcome in (Outcome.NOT_IMAGE, Outcome.OPTED_OUT) else _bytes(reply, sha256)


def _status(status: int | None) -> str:
    try:
        return f"{status} {http.HTTPStatus(status or 0).phrase}"
    except ValueError:
        return str(status)


def _refusal(reply: Reply) -> Look:
    """A refusal: pages that tell of it carry a number of their own each, so that the status alone counts."""
    title = _title(reply.body)
    page = f", the page '{title}'" if title and title not in _status(reply.status) else ""
    return Look(f"status {reply.status}", _status(reply.status) + page)


def _page(reply: Reply, sha256: str | None) -> Look:
    title = _title(reply.body)
    host = f" at {host_of(reply.url)}" if reply.hops else ""
    if title:
        return Look(f"title {_CHANGING.sub('#', title.lower())}", f"the page '{title}'{host}")
    if reply.hops:
        return _led_to(reply)
    tags = b" ".join(_TAG.findall(reply.body[:_READ].lower()))
    if tags:
        return Look(f"tags {hashlib.sha256(tags).hexdigest()}", "a page without a title")
    return _bytes(reply, sha256)


def _bytes(reply: Reply, sha256: str | None) -> Look:
    if not reply.body and not reply.oversize:
        return Look("empty", "an empty body")
    if sha256 is None:
        return Look("", "no picture")
    return Look(f"bytes {sha256}", f"the same {reply.received:,} bytes")


def _led_to(reply: Reply) -> Look:
    place = one_line(re.split(r"[?#]", reply.url, maxsplit=1)[0].partition("://")[2], _LONGEST_TITLE)
    return Look(f"place {place}", f"a redirect to {place}")


def _title(body: bytes) -> str:
    found = _TITLE.search(body[:_READ])
    if found is None:
        return ""
    try:
        text = found[1].decode()
    except UnicodeDecodeError:
        text = found[1].decode("latin-1")
    return one_line(html.unescape(text), _LONGEST_TITLE)
