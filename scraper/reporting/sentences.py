"""What a report says of rates, in words: the same in the terminal and on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from scraper.reporting.estimates import EstimateRow
    from scraper.reporting.hosts import HostRow
    from scraper.reporting.numbers import Report, YearRow

_ROUNDING: Final = 0.0005
"""What moves a rate by no more is not worth a line: rates are shown to a tenth of a percent."""
TOO_FEW: Final = "too few classes"


def estimate(report: Report, of: str, weighting: str = "class") -> EstimateRow | None:
    """One of the report's estimates."""
    return next((row for row in report.estimates if (row.of, row.weighting) == (of, weighting)), None)


def percent(low: float | None, high: float | None = None) -> str:
    """A rate, or an interval; empty where there is none."""
    if low is None:
        return ""
    return f"{low:.1%}" if high is None else f"{low:.1%} to {high:.1%}"


def rate_cells(row: HostRow | YearRow) -> tuple[str, str]:
    """The rate of a host or a year and its interval, or why there is none."""
    if row.dead_rate is None:
        return "", TOO_FEW
    return percent(row.dead_rate), percent(row.dead_rate_low, row.dead_rate_high)


def rate_lines(report: Report) -> list[str]:
    """What share of the lists' URLs is dead, how sure that is, and what it does not tell."""
    found = estimate(report, "dead")
    if found is None or not (found.decided or found.unknown):
        return []
    if found.rate is None:
        return [f"no URL is decided: {_counted(found.unknown, 'that was', 'that were')} asked for told nothing"]
    sure = f"95 % interval {percent(found.low, found.high)}" if found.low is not None else f"{TOO_FEW} for an interval"
    classes = _counted(found.classes, "class", "classes, each class alike")
    lines = [
        f"{found.rate:.1%} {found.population} are dead ({sure}), {_when(report)}",
        f"by {_counted(found.decided, 'decided URL', 'decided URLs')} of {classes}",
    ]
    lines += [line for line in (_by_url(report, found), _bounds(found), _unfinished(report)) if line]
    if "n = 1" in found.method:
        lines.append("n is 1: only the first URL of each list counts")
    return lines


def _by_url(report: Report, found: EstimateRow) -> str:
    other = estimate(report, "dead", "url")
    if other is None or other.rate is None or other.low is None or found.rate is None:
        return ""
    if abs(other.rate - found.rate) < _ROUNDING:
        return ""
    return f"each URL alike, by the length of lists: {other.rate:.1%} ({percent(other.low, other.high)})"


def _bounds(found: EstimateRow) -> str:
    low, high = found.low_if_unknown_alive, found.high_if_unknown_dead
    if low is None or high is None or found.low is None or found.high is None:
        return ""
    if found.low - low < _ROUNDING and high - found.high < _ROUNDING:
        return ""
    return f"were all {found.unknown:,} that are unknown alive, or all dead: from {low:.1%}, or up to {high:.1%}"


def _unfinished(report: Report) -> str:
    if not report.unfinished:
        return ""
    are = "class is" if report.unfinished == 1 else "classes are"
    return f"{report.unfinished:,} {are} not finished: these are rates of what there is so far"


def _when(report: Report) -> str:
    began, ended = (report.requests_began_at or "")[:10], (report.requests_ended_at or "")[:10]
    return f"asked on {began}" if began == ended else f"asked from {began} to {ended}"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
