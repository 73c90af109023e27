"""One class of a manifest: how it stands, and what became of every URL of its list."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.config import DEFAULT_MANIFEST
from scraper.errors import InputError
from scraper.manifest.access.candidates import images, listed_urls
from scraper.manifest.core import Manifest
from scraper.model import Wnid
from scraper.naming.shipped import wordnet
from scraper.naming.taking import planned, told
from scraper.reporting.numbers import report
from scraper.reporting.options import ReportFormat
from scraper.reporting.sentences import percent
from scraper.texts import counted, defused, one_line, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scraper.reporting.numbers import ClassRow

_LONGEST: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlRow:
    """One URL of a list.

    Attributes:
        rank: its place, from 1.
        state: `waiting`, `saved`, `lost` or `unknown`.
        outcome: how it ended, None where it was not asked for.
        tries: requests that were made for it.
        path: of its image, from the output folder.
    """

    rank: int
    url: str
    state: str
    outcome: str | None
    tries: int
    path: str | None


@dataclass(frozen=True, slots=True)
class ClassReport:
    """How one class stands, and its list."""

    row: ClassRow
    urls: tuple[UrlRow, ...]


def class_report(said: str, manifest: Path | str = DEFAULT_MANIFEST) -> ClassReport:
    """Read one class of a manifest; a run may be writing to it.

    Args:
        said: its id, its label in the plan, or a name.
        manifest: path of the manifest.

    Raises:
        InputError: no class of the plan is meant, or several.
        ManifestError: the manifest cannot be used.
    """
    rows = {row.wnid: row for row in report(manifest).classes}
    wnids, problems = planned(wordnet, [(0, said)], {Wnid(row.wnid): row.label for row in rows.values()}, place="")
    if problems:
        raise InputError(told(problems, len(problems)))
    (wnid,) = wnids
    with Manifest.open(Path(manifest)) as book, book.snapshot():
        paths = {image.candidate_id: image.path for image in images(book, wnid)}
        urls = tuple(
            UrlRow(
                rank=each.rank,
                url=each.url,
                state=each.state,
                outcome=each.outcome,
                tries=each.tries,
                path=paths.get(each.candidate_id),
            )
            for each in listed_urls(book, wnid)
        )
    return ClassReport(rows[wnid], urls)


def _text(found: ClassReport) -> str:
    return "".join(f"{line}\n" for line in (*_head(found.row), "", *_lines(found.urls)))


def _head(row: ClassRow) -> Iterator[str]:
    short = f"{row.shortfall:,} short: {row.reason}" if row.shortfall else "0 short"
    name = one_line(f"{row.wnid} {row.label or ''}".strip())
    yield f"{name}: {min(row.saved, row.n):,} of {counted(row.n, 'image')}; {short}"
    yield f"{row.tried:,} of {counted(row.candidates, 'candidate')} tried, {row.unknown:,} of them still unknown"
    if row.dead_rate is not None:
        of = counted(row.decided, "URL that was answered for", "URLs that were answered for")
        yield f"estimated share of dead URLs, by {of}: {percent(row.dead_rate)} (one class has no interval)"


def _lines(urls: tuple[UrlRow, ...]) -> Iterator[str]:
    yield f"{'rank':>5}  {'outcome':16}  tries  image or URL"
    last = max((url.rank for url in urls if url.outcome is not None or url.tries), default=0)
    for url in urls[:last]:
        where = url.path or one_line(url.url, _LONGEST)
        yield f"{url.rank:>5}  {url.outcome or url.state:16}  {url.tries:>5}  {where}"
    if last < len(urls):
        yield f"{counted(len(urls) - last, 'more is', 'more are')} waiting"


def _json(found: ClassReport) -> str:
    return json.dumps({**asdict(found.row), "urls": [asdict(url) for url in found.urls]}, indent=2) + "\n"


def _csv(found: ClassReport) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, UrlRow.__slots__, lineterminator="\n")
    writer.writeheader()
    for url in found.urls:
        cells = asdict(url).items()
        writer.writerow(
            {key: defused(printable(cell, keep="")) if isinstance(cell, str) else cell for key, cell in cells}
        )
    return out.getvalue()


CLASS_FORMATS: Final[dict[ReportFormat, Callable[[ClassReport], str]]] = {
    ReportFormat.TEXT: _text,
    ReportFormat.JSON: _json,
    ReportFormat.CSV: _csv,
}
"""How one class can be shown."""
