"""Asking for one URL of a survey: its first bytes, and what they look like."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from scraper.flickr import request_url
from scraper.manifest.access.surveys import SurveyAnswer
from scraper.pictures.judge import glance
from scraper.running.looks import look_of

if TYPE_CHECKING:
    from scraper.manifest.access.surveys import Selected
    from scraper.pacing.room import Room
    from scraper.pictures.judge import Rules
    from scraper.records import Look, Reply
    from scraper.running.queueing import Task
    from scraper.web.client import Client

FIRST_BYTES: Final = 16 * 1024
"""Bytes asked for: enough to know a picture, and the whole of the pictures that stand for deleted photos."""


@dataclass(frozen=True, slots=True)
class Answer:
    """How a try for a URL ended: what would be on record of it, and what it looks like."""

    task: Task[Selected]
    row: SurveyAnswer
    retry_after: float | None
    look: Look | None
    digest: str


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks for one URL, in a thread."""

    client: Client
    rules: Rules
    room: Room

    def one(self, task: Task[Selected]) -> Answer:
        """Ask for it once."""
        candidate = task.item
        asked_at, began = time.time(), time.monotonic()
        reply = self.client.get(request_url(candidate.url), max_bytes=FIRST_BYTES, ranged=True)
        verdict = glance(reply, self.rules, self.room)
        row = SurveyAnswer(
            candidate_id=candidate.candidate_id,
            asked_at=asked_at,
            seconds=round(time.monotonic() - began, 6),
            before=candidate.outcome,
            outcome=verdict.outcome,
            status=reply.status,
            final_url=reply.url,
            error=verdict.error,
        )
        digest = hashlib.sha256(reply.body).hexdigest()
        look = look_of(_whole(reply), verdict.outcome, digest)
        return Answer(task, row, reply.retry_after, look, digest)


def _whole(reply: Reply) -> Reply:
    """What would have come if no part had been asked for, as far as it tells: of an empty body there is no part."""
    match reply.status:
        case 206:
            return replace(reply, status=200)
        case 416:
            return replace(reply, status=200, body=b"")
        case _:
            return reply
