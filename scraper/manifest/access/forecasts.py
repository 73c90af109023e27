"""For plan and report: what classes were expected to come to."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, Final

from scraper.manifest.values import columns

if TYPE_CHECKING:
    from scraper.manifest.core import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastEntry:
    """A forecast as the manifest keeps it: of all classes together, in the end, with what was there already.

    Attributes:
        made_at: when, in UTC.
        survival: share of URLs that give an image, by which it was made.
        correlation: of two photos of the same class.
        decided: URLs from which survival was measured; 0 where it was an assumption.
        classes: classes in the manifest.
        wanted: images wanted.
        images: images expected.
        requests: requests expected.
        bytes: expected size of the images.
        short: classes expected to be short.
    """

    made_at: str
    survival: float
    correlation: float
    decided: int
    classes: int
    wanted: int
    images: float
    requests: float
    bytes: float
    short: float


_NAMES: Final = tuple(f"forecasts.{name}" for name in ForecastEntry.__slots__)
_INSERT: Final = (
    f"INSERT INTO forecasts (run_id, {', '.join(ForecastEntry.__slots__)}) "  # noqa: S608 - names of ours
    f"VALUES ({', '.join('?' * (len(_NAMES) + 1))})"
)


def save_forecast(book: Manifest, run_id: int, made: ForecastEntry) -> None:
    """Record a forecast."""
    with book.transaction() as connection:
        connection.execute(_INSERT, (run_id, *astuple(made)))


def last_forecast(book: Manifest) -> ForecastEntry | None:
    """The last forecast, None where none was made."""
    sql = f"{columns(*_NAMES)} FROM forecasts ORDER BY id DESC LIMIT 1"
    return next(book.select(_read, sql), None)


def _read(*values: object) -> ForecastEntry:
    return ForecastEntry(**dict(zip(ForecastEntry.__slots__, values, strict=True)))  # type: ignore[arg-type]
