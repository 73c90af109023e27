"""From the facts of a reply to an outcome: the one place where that is decided."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from scraper.flickr import is_placeholder_url
from scraper.model import Check, Kind, Outcome, outcome_of_status
from scraper.pictures.examining import Flaw, examine
from scraper.pictures.formats import format_of

if TYPE_CHECKING:
    from scraper.pacing.room import Room
    from scraper.pictures.examining import PictureInfo
    from scraper.records import Reply

PLACEHOLDER_SHA256: Final = frozenset({"6f38049c08670c05cf14fc02d1fbcc84d80fc91f8178c86c7cecb588cc1b6f88"})
"""Digests of Flickr's "photo no longer available" pictures: 2,051 bytes of grey PNG, 500 x 374."""

_OPT_OUT: Final = frozenset({"noai", "noimageai", "noindex", "noimageindex", "none"})
_VALUED: Final = ("max-snippet", "max-image-preview", "max-video-preview", "unavailable_after")
"""Directives that have a value behind a colon, which is then no crawler's name before one."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a reply is judged by.

    Attributes:
        check: how thoroughly pictures are checked.
        placeholders: SHA-256 digests of pictures that stand for a deleted photo.
        honour_opt_out: whether an X-Robots-Tag against such use is obeyed.
    """

    check: Check = Check.DECODE
    placeholders: frozenset[str] = PLACEHOLDER_SHA256
    honour_opt_out: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome, one line on why where it is not `saved`, and the picture and its digest where there is one."""

    outcome: Outcome
    error: str | None = None
    picture: PictureInfo | None = None
    sha256: str | None = None


def judge(reply: Reply, rules: Rules, room: Room | None = None) -> Verdict:
    """Decide what a reply means for the photo that was asked for; `room` is that of `examine`."""
    if reply.failure is not None:
        return Verdict(reply.failure, reply.error)
    if is_placeholder_url(reply.url) or any(is_placeholder_url(hop.location) for hop in reply.hops):
        return Verdict(Outcome.PLACEHOLDER, "redirected to the picture for deleted photos")
    if reply.status != 200:
        return Verdict(outcome_of_status(reply.status))
    if rules.honour_opt_out and opts_out(reply.robots):
        return Verdict(Outcome.OPTED_OUT, f"X-Robots-Tag: {', '.join(reply.robots)}"[:200])
    if reply.oversize:
        return Verdict(Outcome.TOO_LARGE, "more bytes than --max-bytes")
    return _judge_body(reply.body, rules, room)


def _judge_body(body: bytes, rules: Rules, room: Room | None) -> Verdict:
    sha256 = hashlib.sha256(body).hexdigest()
    if sha256 in rules.placeholders:
        return Verdict(Outcome.PLACEHOLDER, "the picture for deleted photos", sha256=sha256)
    found = examine(body, decode=rules.check is Check.DECODE, room=room)
    if isinstance(found, Flaw):
        return Verdict(found.outcome, found.error, sha256=sha256)
    return Verdict(Outcome.SAVED, picture=found, sha256=sha256)


def glance(reply: Reply, rules: Rules, room: Room | None = None) -> Verdict:
    """Decide from the first bytes of an answer whether the photo is still there; `saved` then means that it is.

    `room` is that of `examine`.
    """
    if reply.status == 416:
        return Verdict(Outcome.NOT_IMAGE, "empty body")  # there is not even a first byte
    start = replace(reply, status=200, oversize=False) if reply.status == 206 or reply.oversize else reply
    verdict = judge(start, rules, room)
    if start is not reply and verdict.outcome.kind is Kind.UNUSABLE and format_of(reply.body):
        return Verdict(Outcome.SAVED)  # cut by us, and a picture as far as it goes
    return verdict


def opts_out(values: tuple[str, ...]) -> bool:
    """Whether X-Robots-Tag asks that the picture not be indexed or used for machine learning.

    A value may be addressed to one crawler (`otherbot: noindex`); such a one is not meant for us
    (https://developers.google.com/search/docs/crawling-indexing/robots-meta-tag).

    >>> opts_out(("noai, noimageai",)), opts_out(("googlebot: noindex",)), opts_out(("max-snippet: 5, noai",))
    (True, False, True)
    """
    for value in values:
        name, colon, rest = value.partition(":")
        addressee = name.strip().lower()
        addressed = colon and "," not in name and addressee not in _VALUED
        if addressed and addressee not in ("scraper", "*"):
            continue
        directives = rest if addressed else value
        if any(directive.strip().lower() in _OPT_OUT for directive in directives.split(",")):
            return True
    return False
