"""The end of a plan in words: what came from where, what was odd, what failed alike, and what helps."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.cli.telling.forecasts import describe_forecast, each_class
from scraper.cli.telling.summaries import count, some
from scraper.model import ListingOutcome, Oddity
from scraper.planning.sources.known import KNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scraper.planning.sources.known import KnownList
    from scraper.planning.summaries import PlannedClass, PlanSummary, SourceSummary

_NAMED: Final = 3
"""Classes of many that failed alike that are named."""

_MEANINGS: Final = {
    Oddity.NO_URL: "no URL",
    Oddity.NOT_A_PHOTO: "a URL on Flickr that is not a photo's",
    Oddity.NO_CLASS: "no class named",
    Oddity.CLASS_NAME: "a name where a wnid such as n01440764 should stand",
    Oddity.OTHER_CLASS: "another class than that of its file",
    Oddity.BROKEN: "not as the form of the list wants it",
    Oddity.TOO_LONG: "longer than any URL",
    Oddity.LEFT_OFF: "something behind the URL, which was left off",
}


def describe_plan(summary: PlanSummary, *, piped: bool) -> str:
    """The end of a plan in words: what was resolved, what failed and why, what is to be expected."""
    lines = _plan_lines(summary, f"recorded in {summary.manifest}")
    if summary.failed and not summary.resolved and any(_online(source.name) for source in summary.sources):
        lines += ways(summary, piped=piped)
    return "\n".join(lines) + "\n"


def describe_rehearsal(summary: PlanSummary) -> str:
    """A dry run in words: what plan would say, and the forecast of every class."""
    lines = [*_plan_lines(summary, "found"), "a dry run: nothing was recorded"]
    if summary.outlook is not None:
        lines += ["", *each_class(summary.outlook)]
    return "\n".join(lines) + "\n"


def _plan_lines(summary: PlanSummary, where: str) -> list[str]:
    total, failed, too_few = len(summary.classes), summary.failed, summary.too_few
    already = total - len(failed) - summary.resolved
    lines = [
        f"{count(total - len(failed), 'class', 'classes')} of {total:,} resolved"
        + (f" ({already:,} of them before)" if already else "")
        + f", {count(summary.candidates, 'candidate')} {where}"
    ]
    if summary.repeated:
        lines.append(f"{count(summary.repeated, 'time')} a class was given that had been given before")
    lines += _by_source(summary.sources)
    if failed:
        missing = all(each.outcome == ListingOutcome.NOT_IN_SOURCE for each in failed)
        helps = "another --source may have a list, see docs/lists.md" if missing else "run the same plan again to retry"
        lines.append(f"{count(len(failed), 'class', 'classes')} failed; {helps}:")
        lines += some(_failures(failed))
    lines += _behind_and_left_out(summary)
    if summary.otherwise:
        classes = count(len(summary.otherwise), "class keeps its list", "classes keep their lists")
        lines.append(f"{classes}, made with other --hosts or --shuffle: give another --manifest to plan anew")
    if too_few:
        lines.append(f"{count(len(too_few), 'class', 'classes')} cannot reach the target, for want of listed URLs:")
        lines += some(f"  {_name(p)}: {count(p.candidates, 'candidate')} for {count(p.n, 'image')}" for p in too_few)
    if summary.may_fall_short:
        classes = count(len(summary.may_fall_short), "class", "classes")
        lines.append(f"{classes} will rather fall short, for want of photos that are still there:")
        lines += some(
            f"  {_name(p)}: {count(p.candidates, 'candidate')} for {count(p.n, 'image')}, which is {reach:.0%} likely"
            for p, reach in summary.may_fall_short
        )
    for (before, after), moved in sorted(summary.moved.items()):
        lines.append(f"n: {before:,} to {after:,} for {count(moved, 'class', 'classes')}")
    if summary.outlook is not None:
        lines += describe_forecast(summary.outlook)
    return lines


def _behind_and_left_out(summary: PlanSummary) -> Iterator[str]:
    if summary.left_out:
        named = count(summary.left_out, "photo, URL or digest", "photos, URLs and digests")
        yield f"{named} left out for good, since someone asked"
    if summary.withdrawn:
        yield f"{count(summary.withdrawn, 'candidate is', 'candidates are')} withdrawn, and never asked for"
    if summary.filled:
        classes = count(summary.filled, "class has the rest of its list", "classes have the rest of their lists")
        yield f"{classes} behind the URLs of the lock, for what is lost"
    if summary.unfilled:
        classes = count(
            len(summary.unfilled), "class has no more than its lock", "classes have no more than their lock"
        )
        yield f"{classes}; run the same plan again to retry:"
        yield from some(f"  {wnid}: {why}" for wnid, why in summary.unfilled.items())


def _online(source: str) -> bool:
    return source in KNOWN or "://" in source


def ways(summary: PlanSummary, *, piped: bool) -> list[str]:
    """The known lists that were not tried, each with the command that tries it now; `piped` is how classes came."""
    tried = {source.name for source in summary.sources}
    untried = [known for known in KNOWN.values() if known.whole and known.name not in tried]
    if not untried:
        return ["a list of your own, a file or a folder in any common form, helps: --source LIST (see docs/lists.md)"]
    commands = {known: next_command(sys.argv[1:], known.name, piped=piped) for known in untried}
    return [
        "a list from elsewhere helps; run one of these next (nobody here has tried whether the addresses answer):",
        *(f"  {command}   # {known.covers}{_size(known)}" for known, command in commands.items()),
        "or the same with a list of your own, a file or a folder in any common form; docs/lists.md tells more",
    ]


def _size(known: KnownList) -> str:
    return f", {known.bytes / 1e6:,.0f} MB" if known.bytes is not None else ""


def next_command(words: Sequence[str], source: str, *, piped: bool) -> str:
    """The same command with another source, as a shell takes it."""
    kept = [word for word in words if not word.startswith("--source=")]
    if "--source" in kept:
        at = kept.index("--source")
        del kept[at : at + 2]
    command = shlex.join(["scraper", *kept[:1], "--source", source, *kept[1:]])
    return f"{command} < {_standard_input()}" if piped else command


def _standard_input() -> str:
    """The file that classes came from, where the system tells; a word for it where it does not."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        path = Path(f"/proc/self/fd/{sys.stdin.fileno()}").readlink()
        if path.is_file():
            return shlex.quote(os.path.relpath(path))
    return "YOUR-CLASSES"


def _by_source(sources: Sequence[SourceSummary]) -> Iterator[str]:
    """What came from where, if from several places, and what was odd about the lines."""
    for source in sources:
        told = source.told or ", ".join(f"{lists:,} of form {form}" for form, lists in source.forms.items())
        if len(sources) > 1 or source.told or set(source.forms) - {"urls"}:
            yield f"{source.name}: {count(source.listed, 'list')}{f' ({told})' if told else ''}"
        aside = [odd for odd in source.odd if odd.kind is not Oddity.LEFT_OFF]
        if aside:
            lines = sum(odd.lines for odd in aside)
            yield f"{count(lines, 'line')} of {source.name} set aside and not asked for:"
        for odd in [*aside, *(odd for odd in source.odd if odd.kind is Oddity.LEFT_OFF)]:
            yield f"  {count(odd.lines, 'line')}: {_MEANINGS[odd.kind]}, as in {odd.example!r}"


def _failures(failed: Sequence[PlannedClass]) -> Iterator[str]:
    """Why classes failed: one line each, or one for many that failed alike."""
    alike: defaultdict[tuple[str, str | None], list[PlannedClass]] = defaultdict(list)
    for planned in failed:
        alike[planned.outcome, planned.error].append(planned)
    for (outcome, error), classes in alike.items():
        why = f"{outcome} ({error})" if outcome else "not asked for"
        if len(classes) <= _NAMED:
            yield from (f"  {_name(planned)}: {why}" for planned in classes)
        else:
            names = ", ".join(map(_name, classes[:_NAMED]))
            yield f"  {names} and {len(classes) - _NAMED:,} more: {why}"


def _name(planned: PlannedClass) -> str:
    return f"{planned.wnid} {planned.label}" if planned.label else planned.wnid
