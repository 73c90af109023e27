"""What a plan can be expected to give, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import humanize

from scraper.cli.telling.summaries import count
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scraper.manifest.access.forecasts import ForecastEntry
    from scraper.planning.forecasting.forecast import Forecast
    from scraper.planning.forecasting.outlook import Outlook

_EXACT: Final = 12
"""Numbers below are told with a digit behind the point."""


def describe_forecast(outlook: Outlook) -> list[str]:
    """A forecast in two lines: what is to be expected, and by what survival and pace."""
    told = outlook.entry(0.0)
    short = "no class" if told.short < 0.05 else f"{_about(told.short)} of {count(told.classes, 'class', 'classes')}"
    return [
        (
            f"forecast: {_about(told.images)} of {count(told.wanted, 'image')} ({humanize.naturalsize(told.bytes)}) "
            f"with {_about(told.requests)} request{'' if _about(told.requests) == '1' else 's'}; {short} left short"
        ),
        f"  at {told.survival:.1%} survival, {_basis(told)}{_time(outlook.forecast)}",
    ]


def _about(number: float) -> str:
    return f"{number:.1f}" if number < _EXACT and abs(number - round(number)) >= 0.05 else f"{number:,.0f}"


def _time(told: Forecast) -> str:
    """How long it takes, where the pace is known and there is something to ask for."""
    if told.rate is None or not told.seconds:
        return ""
    return f"; {humanize.naturaldelta(told.seconds)} at {told.rate:.3g} requests a second, as the last fetch asked"


def _basis(told: ForecastEntry) -> str:
    if not told.decided:
        return "an assumption (--survival); the first fetch measures it"
    varies = ", varying between classes" if told.correlation else ""
    return f"as measured on {count(told.decided, 'decided URL')}{varies}"


def each_class(outlook: Outlook) -> Iterator[str]:
    """The forecast of every class as lines of a table, the least likely first."""
    yield f"{'class':40}{'n':>9}{'URLs':>9}{'images':>9}{'requests':>10}  reached"
    each = zip(outlook.targets, outlook.forecast.classes, strict=True)
    for target, told in sorted(each, key=lambda pair: (pair[1].reach, pair[0].wnid)):
        name = one_line(f"{target.wnid} {target.label or ''}".strip(), 39)
        numbers = f"{target.n:>9,}{target.candidates:>9,}{told.images:>9,.1f}{told.requests:>10,.1f}"
        yield f"{name:40}{numbers}  {told.reach:.1%}"
