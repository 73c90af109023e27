"""What trace shows: for people by paragraphs, for programs as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scraper.auditing.tracing import Trace


def traces_as_text(traces: Sequence[Trace]) -> str:
    """Every candidate as a paragraph."""
    return "\n\n".join("\n".join(_paragraph(trace)) for trace in traces) + "\n"


def _paragraph(trace: Trace) -> Iterator[str]:
    known, origin, image = trace.known, trace.origin, trace.image
    label = f" {one_line(origin.label)}" if origin and origin.label else ""
    yield f"{known.wnid}{label}, rank {known.rank}: {known.outcome or known.state}"
    yield f"  URL      {one_line(known.url, 2000)}"
    if trace.page is not None:
        yield f"  page     {trace.page}"
    if origin and origin.source:
        digest = f", SHA-256 {origin.listing_sha256}" if origin.listing_sha256 else ""
        yield f"  list     {one_line(origin.source)}, read {origin.resolved_at}{digest}"
    if trace.locked is not None:
        yield f"  lock     only bytes with the SHA-256 {trace.locked} are kept"
    if image is not None:
        yield f"  image    {image.path}, {image.format} of {image.width} x {image.height}, {image.bytes:,} bytes"
        yield f"  SHA-256  {image.sha256}, saved {image.saved_at}"
    for request in trace.requests:
        status = "no answer" if request.status is None else str(request.status)
        line = f"  asked    {request.started_at} in run {request.run_id}: {status}, {request.outcome}"
        led = request.final_url if request.final_url not in (None, known.url) else None
        yield line + (f", from {one_line(led, 2000)}" if led else "")
    for change in trace.changes:
        after = change.outcome_after or "waiting"
        yield f"  changed  {change.revised_at} in run {change.run_id}: {after}, {one_line(change.reason)}"


def traces_as_json(traces: Sequence[Trace]) -> str:
    """Every candidate as an object of one list."""
    return json.dumps([_object(trace) for trace in traces], indent=2) + "\n"


def _object(trace: Trace) -> dict[str, Any]:
    known = trace.known
    return {
        "wnid": known.wnid,
        "rank": known.rank,
        **{name: value for name, value in known._asdict().items() if name != "candidate_id"},
        "page": trace.page,
        "locked_sha256": trace.locked,
        "class": trace.origin._asdict() if trace.origin else None,
        "image": trace.image._asdict() if trace.image else None,
        "requests": [request._asdict() for request in trace.requests],
        "changes": [change._asdict() for change in trace.changes],
    }
