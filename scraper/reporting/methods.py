"""A paragraph on methods, ready for a paper, and what to cite: how a report's rates came about."""

from __future__ import annotations

import hashlib
import textwrap
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.manifest.access.samples import planned_lists
from scraper.manifest.core import Manifest
from scraper.reporting.locked import lock_total
from scraper.reporting.sentences import estimate, percent
from scraper.texts import one_line
from scraper.version import PROJECT_URL, __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scraper.manifest.access.samples import PlannedList
    from scraper.reporting.estimates import EstimateRow
    from scraper.reporting.numbers import Report
    from scraper.reporting.surveys import SurveyRow

_WIDTH: Final = 100
_SOURCES_NAMED: Final = 5
_DEAD: Final = (
    "A URL is called dead if it was answered with HTTP status 404 or 410, or with the picture that Flickr shows in "
    "place of a deleted photo, known by the redirect that led to it, by its digest, or by the same bytes under three "
    "or more photo numbers. Answers that tell nothing of a photo (429, 5xx, time-outs, failures of connections, of "
    "names or of TLS, and what one network answered for all alike) were tried again later, and count as unknown, "
    "never as dead."
)
_ESTIMATOR: Final = (
    "Within a class the share of dead URLs was estimated by dead / (N - 1) with N the place, in the order of the list "
    "and among the URLs that were decided, of the n-th image: Haldane's estimate for sampling until n successes "
    "(Haldane, 1945). Where a class ended without its n-th image, it is the plain share of those decided."
)
_INTERVAL: Final = "The interval over classes is that of the jackknife, Student's t on the logit scale."
_BIBTEX: Final = """\
@article{{haldane1945,
  author  = {{Haldane, J. B. S.}},
  title   = {{On a method of estimating frequencies}},
  journal = {{Biometrika}},
  volume  = {{33}},
  number  = {{3}},
  pages   = {{222--225}},
  year    = {{1945}},
  doi     = {{10.1093/biomet/33.3.222}}
}}

@software{{scraper,
  author  = {{{{The scraper authors}}}},
  title   = {{scraper: n real photographs for each of some ImageNet classes}},
  version = {{{version}}},
  url     = {{{url}}}
}}
"""


def to_methods(found: Report) -> str:
    """The paragraph and the entries of BibTeX for a report, whose manifest tells where its lists are from.

    Raises:
        ManifestError: the manifest cannot be used.
    """
    with Manifest.open(Path(found.manifest)) as book:
        lists = list(planned_lists(book))
    sentences = [*_asked(found, lists), _DEAD, *_rates(found), *map(_survey, found.surveys)]
    sentences.append(f"All of it was done with scraper {__version__}, whose manifest records every request.")
    return textwrap.fill(" ".join(sentences), _WIDTH) + "\n\n" + _BIBTEX.format(version=__version__, url=PROJECT_URL)


def _asked(found: Report, lists: Sequence[PlannedList]) -> Iterable[str]:
    """What was listed and asked, when, and how it was sampled."""
    if not lists:
        yield "No list of URLs was obtained."
        return
    urls = sum(one.candidates for one in lists)
    days = _days(min(one.resolved_at for one in lists), max(one.resolved_at for one in lists))
    hosts = sorted({host for one in lists for host in one.hosts.replace(",", " ").split()})
    yield (
        f"The lists of {_counted(len(lists), 'ImageNet class', 'ImageNet classes')} (WordNet 3.0 noun synsets) were "
        f"obtained {days} from {_sources(lists)}; they hold {_counted(urls, 'URL')} on {_joined(hosts)}. The SHA-256 "
        f'over the lines "wnid SHA-256 of its list", by wnid, is {_digest(lists)}.'
    )
    if not found.totals.tried:
        yield "None of the URLs has been asked for."
        return
    wanted = sorted({one.n for one in lists})
    n = _counted(wanted[0], "image") if len(wanted) == 1 else f"{wanted[0]:,} to {_counted(wanted[-1], 'image')}"
    days = _days(found.requests_began_at or "", found.requests_ended_at or "")
    yield (
        f"Each class was asked {_order(lists)} until it had n = {n} or its URLs were used up; "
        f"{_counted(found.totals.tried, 'URL')} were asked for {days} in {_counted(found.totals.requests, 'request')}, "
        f"and {_counted(found.totals.saved, 'image')} came of them."
    )
    if found.lock:
        total = lock_total(found.lock)
        yield (
            f"The lists of {_counted(len(found.lock), 'class', 'classes')} begin with the "
            f"{_counted(total.locked, 'URL')} of a lock of an earlier dataset, which led to images then, and of these "
            f"pictures only the same bytes were kept: {total.same:,} were the same, {total.changed:,} had changed, "
            f"{total.lost:,} were lost. So rates of dead URLs are too low for the lists."
        )
    if found.unfinished:
        yield f"{_counted(found.unfinished, 'class is', 'classes are')} not finished, and counted with what there is."


def _order(lists: Sequence[PlannedList]) -> str:
    seeds = {one.shuffle for one in lists}
    if seeds == {None}:
        return "in the order of its list"
    if None in seeds:
        return "in the order of its list, or for some classes in a random order"
    named = _joined(sorted(f'"{one_line(seed)}"' for seed in seeds if seed is not None))
    return f"in a random order of its list (seed {named})"


def _sources(lists: Sequence[PlannedList]) -> str:
    counts = Counter(one.source or "an unknown source" for one in lists)
    named = [one_line(source) for source, _ in counts.most_common(_SOURCES_NAMED)]
    return _joined(named) if len(counts) <= _SOURCES_NAMED else f"{len(counts):,} sources, such as {named[0]}"


def _digest(lists: Iterable[PlannedList]) -> str:
    lines = "".join(f"{one.wnid} {one.sha256 or '-'}\n" for one in lists)
    return hashlib.sha256(lines.encode()).hexdigest()


def _rates(found: Report) -> Iterable[str]:
    dead, by_url = estimate(found, "dead"), estimate(found, "dead", "url")
    if dead is None or dead.rate is None or by_url is None:
        return
    yield _ESTIMATOR
    if dead.low is not None:
        yield _INTERVAL
    yield (
        f"So estimated, {_figure(dead)} {dead.population} are dead, each class counting alike, by "
        f"{_counted(dead.decided, 'decided URL')} of {_counted(dead.classes, 'class', 'classes')}; weighted by the "
        f"length of lists, {_figure(by_url)}."
    )
    if dead.unknown:
        ends = ""
        if dead.low_if_unknown_alive is not None:
            ends = (
                f"; were all of these alive, the interval would begin at {percent(dead.low_if_unknown_alive)}, were "
                f"all dead, it would end at {percent(dead.high_if_unknown_dead)}"
            )
        yield f"{_counted(dead.unknown, 'URL')} among these stayed unknown{ends}."
    if "n = 1" in dead.method:
        yield "With n = 1 only the first URL of each list counts."


def _figure(row: EstimateRow) -> str:
    sure = f"95 % interval {percent(row.low, row.high)}" if row.low is not None else "too few classes for an interval"
    return f"{percent(row.rate)} ({sure})"


def _survey(row: SurveyRow) -> str:
    days = _days(row.began_at, row.ended_at)
    what = f"a random sample of {row.asked:,}"
    if row.of == "listed":
        drawn = f"{what} of the {row.urls or 0:,} listed URLs, stratified by class,"
    else:
        drawn = f"{what} of the URLs that had been answered"
    if row.rate is None:
        return f"In a survey {drawn} was asked {days}; none was decided."
    sure = f"95 % interval {percent(row.low, row.high)}, Wilson" if row.low is not None else "too few for an interval"
    return f"In a survey {drawn} was asked {days}: of {row.decided:,} decided, {percent(row.rate)} were dead ({sure})."


def _days(began: str, ended: str) -> str:
    return f"on {began[:10]}" if began[:10] == ended[:10] else f"between {began[:10]} and {ended[:10]}"


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _joined(words: Sequence[str]) -> str:
    return "".join(words) if len(words) < 2 else ", ".join(words[:-1]) + f" and {words[-1]}"
