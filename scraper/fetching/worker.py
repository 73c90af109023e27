"""One try for one candidate: ask, judge, write. Runs in many threads and knows nothing of the manifest."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scraper.flickr import live_url, request_url
from scraper.model import Attempt, Form, Outcome, Picture
from scraper.pictures.judge import judge

if TYPE_CHECKING:
    from scraper.files.store import Folder
    from scraper.model import Candidate
    from scraper.pictures.judge import Rules, Verdict
    from scraper.web.client import Client


@dataclass(frozen=True, slots=True)
class Worker:
    """What a try needs: a client, a folder to write to, the rules to judge by, and the largest body to keep."""

    client: Client
    folder: Folder
    rules: Rules
    max_bytes: int

    def attempt(self, candidate: Candidate) -> Attempt:
        """Try the candidate once.

        Raises:
            StoppedEarlyError: the picture could not be written.
        """
        started_at, began = time.time(), time.monotonic()
        reply = self.client.get(self._url(candidate), most=self.max_bytes)
        verdict = judge(reply, self.rules)
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
