"""The end of a command in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import humanize

from scraper.texts import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scraper.auditing.forgetting import ForgetSummary
    from scraper.auditing.surveying import SurveySummary
    from scraper.auditing.verifying import VerifySummary
    from scraper.exporting.dataset import ExportSummary
    from scraper.fetching.standing import FetchSummary
    from scraper.model import Outcome
    from scraper.planning.wanted.dropping import DropSummary
    from scraper.reporting.locked import LockFate

_SHOWN: Final = 12
"""Classes that a summary names before it only counts them."""


def describe_export(summary: ExportSummary) -> str:
    """The end of an export in words."""
    selection = summary.selection
    splits = ", ".join(f"{number:,} in {split}" for split, (number, _) in summary.counts.items())
    size = humanize.naturalsize(summary.bytes)
    classes = count(len(selection.classes), "class", "classes")
    images = f"{count(summary.images, 'image')} ({size})"
    lines = [f"{images} of {classes} exported to {summary.dest} as {summary.form}: {splits or 'none'}"]
    for split, wnids in summary.lacking.items():
        lines.append(f"{count(len(wnids), 'class', 'classes')} without an image in {split}:")
        lines += some(f"  {wnid}" for wnid in wnids)
    if selection.empty:
        lines.append(f"{count(len(selection.empty), 'class', 'classes')} without an image left out:")
        lines += some(f"  {wnid}" for wnid in selection.empty)
    if selection.surplus:
        lines.append(f"{count(selection.surplus, 'image')} beyond the n of a class left out")
    if selection.conflicts:
        dropped = f", {count(selection.dropped, 'image')} of them left out" if selection.dropped else ""
        lines.append(f"{count(len(selection.conflicts), 'photo')} in several classes{dropped}:")
        lines += some(f"  {' '.join(conflict.paths)}" for conflict in selection.conflicts)
    if summary.left_out:
        lines.append(f"{count(len(summary.left_out), 'image')} left out:")
        lines += some(f"  {path} {why}" for path, why in summary.left_out)
    return "\n".join(lines) + "\n"


def describe_forget(summary: ForgetSummary) -> str:
    """The end of a forget in words."""
    done = f"{count(len(summary.removed), 'image')} removed, {count(summary.candidates, 'candidate')} withdrawn"
    lines = [f"{done}; nothing of these is asked for or kept again:"]
    lines += some(f"  {one.kind} {one.value}" for one in summary.withdrawn)
    if summary.stayed:
        lines.append(f"{count(len(summary.stayed), 'file')} with other bytes than recorded, or missing, let be:")
        lines += some(f"  {path}" for path in summary.stayed)
    return "\n".join(lines) + "\n"


def describe_survey(summary: SurveySummary) -> str:
    """The end of a survey in words: what share is dead, and what became of what was known."""
    found, listed = summary.found, summary.frame == "listed"
    frame = f"of {summary.urls:,} {'listed' if listed else 'answered'}"
    lines = [f"{count(summary.asked, 'URL')} {frame} asked; survey {summary.run_id} in {summary.manifest}"]
    if found.rate is None:
        lines.append(f"no URL is decided: {count(found.unknown, 'URL')} told nothing")
    else:
        sure = "too few for an interval" if found.low is None else f"95 % interval {found.low:.1%} to {found.high:.1%}"
        whose = "of the lists" if listed else "that were answered"
        lines.append(f"{found.rate:.1%} of the URLs {whose} are dead ({sure}; {found.decided:,} decided)")
    if found.unknown and found.low_if_unknown_alive is not None:
        lines.append(
            f"were all {found.unknown:,} that are unknown alive, or all dead: "
            f"from {found.low_if_unknown_alive:.1%}, or up to {found.high_if_unknown_dead:.1%}"
        )
    if summary.until is not None and found.low is not None and found.high is not None:
        half = (found.high - found.low) / 2
        if half > summary.until:
            lines.append(f"half of the interval is {half:.3f}, wider than --until {summary.until:g}: raise --sample")
    for (before, now), number in sorted(summary.changes.items(), key=lambda item: (item[0][0] or "", -item[1])):
        lines.append(f"  {_answer(before)}, now {_answer(now)}: {number:,}")
    return "\n".join(lines) + "\n"


def _answer(outcome: Outcome | None) -> str:
    return "not asked before" if outcome is None else "a picture" if outcome == "saved" else outcome


def describe_verify(summary: VerifySummary) -> str:
    """The end of a verification in words."""
    said = "read: all as recorded" if summary.sound else "on record"
    lines = [f"{count(summary.images, 'image')} {said}"]
    for paths, meaning in (
        (summary.missing, "missing"),
        (summary.damaged, "with other bytes than recorded: damaged, or changed by someone"),
        (summary.strays, "in the classes' folders or for unfinished work that this manifest does not know"),
        (summary.unfinished, "of a run that was cut short, which the next fetch removes"),
    ):
        if paths:
            lines.append(f"{len(paths):,} {meaning}:")
            lines += some(f"  {path}" for path in paths)
    lines += [printable(line, keep="") for line in summary.inconsistent]
    if summary.repaired:
        lines.append("repaired: `scraper fetch` gets again what is missing; files with other bytes stay as they are")
    elif summary.missing or summary.damaged or summary.inconsistent:
        lines.append("`scraper verify --repair` mends this, and `scraper fetch` then gets again what is missing")
    if summary.removed:
        lines.append(f"{count(len(summary.removed), 'file')} unknown to the manifest removed")
    elif summary.strays:
        lines.append(
            "what it does not know stays, since it may be yours or another manifest's; if none of it is, "
            f"`scraper verify --remove-strays` deletes all {len(summary.strays):,}"
        )
    return "\n".join(lines) + "\n"


def describe_drop(summary: DropSummary) -> str:
    """What was dropped, in words."""
    lines = [f"{count(len(summary.classes), 'class', 'classes')} dropped from {summary.manifest}"]
    if summary.before:
        lines[0] += f" ({summary.before:,} of them before)"
    if summary.deleted:
        lines.append(f"{count(summary.deleted, 'image')} ({humanize.naturalsize(summary.bytes)}) deleted")
    if summary.stayed:
        files = count(len(summary.stayed), "file is not this manifest's", "files are not this manifest's")
        lines.append(f"{files} as recorded, and stayed:")
        lines += some(f"  {path}" for path in summary.stayed)
        lines.append(
            "an export may have linked them, someone may have changed them, or another manifest may count on them: "
            "delete them yourself if nobody wants them"
        )
    return "\n".join(lines) + "\n"


def describe_fetch(summary: FetchSummary, lock: LockFate | None = None) -> str:
    """The end of a fetch in words, and what became of the images of a lock."""
    if summary.unresolved and not summary.listed:
        classes = count(summary.unresolved, "class", "classes")
        return f"nothing to fetch: none of {classes} has a list; run the same `scraper plan` again, which says why\n"
    size = humanize.naturalsize(summary.bytes)
    took = humanize.precisedelta(round(summary.seconds), minimum_unit="seconds")
    lines = [
        (
            f"{count(summary.saved_now, 'image')} ({size}) saved in {summary.out} with "
            f"{count(summary.requests, 'request')} in {took}; {summary.saved:,} of {summary.wanted:,} wanted are there"
        )
    ]
    if summary.found:
        lines.append(
            f"{count(summary.found, 'image')} of these were on disk already: files with the same bytes are shared"
        )
    if summary.renamed:
        names = count(summary.renamed, "image has", "images have")
        lines.append(f"{names} another name than usual, since other files had that; those stay as they are")
    if lock is not None:
        lines.append(_of_lock(lock))
    if summary.short:
        lines.append(f"{count(summary.short, 'class', 'classes')} short of the target: `scraper report` says why")
    if summary.unresolved:
        lines.append(
            f"{count(summary.unresolved, 'class', 'classes')} without a list: run the same `scraper plan` again"
        )
    return "\n".join(lines) + "\n"


def _of_lock(lock: LockFate) -> str:
    all_of = lock.total
    fates = ((all_of.same, "the same"), (all_of.changed, "changed"), (all_of.lost, "lost"), (all_of.unknown, "unknown"))
    told = ", ".join(f"{number:,} {fate}" for number, fate in fates if number)
    line = f"of the {count(all_of.locked, 'image')} of the lock: {told}"
    if all_of.replaced:
        return f"{line}; {count(all_of.replaced, 'other image')} of their lists in their place (--top-up)"
    if all_of.changed + all_of.lost == 0:
        return line
    if lock.lists:
        return f"{line}; nothing in their place, which --top-up would get from their lists"
    return f"{line}; nothing in their place, for which `scraper plan --lock LOCK --source LISTS` adds their lists"


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with what it counts, in the singular or plural."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def some(lines: Iterator[str]) -> list[str]:
    """The first of some lines, and how many more there are."""
    every = list(lines)
    more = [f"  and {len(every) - _SHOWN:,} more"] if len(every) > _SHOWN else []
    return [printable(line, keep="") for line in every[:_SHOWN]] + more
