"""One try for one candidate: ask, judge, write. Runs in many threads and knows nothing of the manifest."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from scraper.flickr import live_url, request_url
from scraper.model import Form, Outcome
from scraper.pacing.room import Lease
from scraper.pictures.judge import judge
from scraper.records import Attempt, Picture
from scraper.running.looks import look_of

if TYPE_CHECKING:
    from scraper.files.store import Folder
    from scraper.pacing.room import Room
    from scraper.pictures.judge import Rules, Verdict
    from scraper.records import Candidate
    from scraper.web.client import Client

MOST_IN_BODIES: Final = 64 * 2**20
"""Bytes that large bodies of all threads may take at once; small ones are not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """What a try needs.

    Attributes:
        client: to ask with.
        folder: to write to.
        rules: to judge by.
        max_bytes: of the largest body that is kept.
        bodies: room for the bytes of large bodies, `MOST_IN_BODIES` in all.
        decoding: room to decode in, see `examine`.
    """

    client: Client
    folder: Folder
    rules: Rules
    max_bytes: int
    bodies: Room
    decoding: Room

    def attempt(self, candidate: Candidate) -> Attempt:
        """Try the candidate once.

        Raises:
            StoppedEarlyError: the picture could not be decoded for want of memory, or not be written.
            InterruptedRunError: it waited for room when the run was stopped.
        """
        with Lease(self.bodies) as lease:
            return self._attempt(candidate, lease)

    def _attempt(self, candidate: Candidate, lease: Lease) -> Attempt:
        started_at, began = time.time(), time.monotonic()
        reply = self.client.get(self._url(candidate), max_bytes=self.max_bytes, lease=lease)
        verdict = _unlocked(judge(reply, self.rules, self.decoding), candidate.expected)
        return Attempt(
            candidate=candidate,
            started_at=started_at,
            seconds=time.monotonic() - began,
            outcome=verdict.outcome,
            status=reply.status,
            final_url=reply.url,
            bytes=reply.received,
            content_type=reply.content_type,
            retry_after=reply.retry_after,
            error=verdict.error,
            hops=reply.hops,
            sha256=verdict.sha256,
            picture=self._write(reply.body, verdict),
            look=look_of(reply, verdict.outcome, verdict.sha256),
        )

    @staticmethod
    def _url(candidate: Candidate) -> str:
        live = live_url(candidate.url) if candidate.form is Form.LIVE else None
        return live or request_url(candidate.url)

    def _write(self, body: bytes, verdict: Verdict) -> Picture | None:
        if verdict.outcome is not Outcome.SAVED or verdict.picture is None or verdict.sha256 is None:
            return None
        found = verdict.picture
        temporary = self.folder.write(body)
        return Picture(temporary, verdict.sha256, len(body), found.format, found.width, found.height, self.rules.check)


def _unlocked(verdict: Verdict, expected: str | None) -> Verdict:
    """The verdict where a lock names the bytes: any other picture is not the one that is wanted."""
    if expected is None or verdict.outcome is not Outcome.SAVED or verdict.sha256 == expected:
        return verdict
    return replace(verdict, outcome=Outcome.CHANGED, error="another picture than that of the lock")
