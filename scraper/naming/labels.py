"""Labels for people, which tell classes of one plan apart: `crane (wading bird)` beside `crane (lifting device)`."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from scraper.model import Labels
from scraper.naming.wordnet import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from scraper.model import Wnid
    from scraper.naming.wordnet import WordNet


def usual_label(table: WordNet, wnid: str, style: Labels) -> str | None:
    """The label of a class by itself, None for one that is not in the table."""
    if wnid not in table:
        return None
    clean = table.clean_name(wnid) if style is Labels.CLEAN else None
    return clean or table.synset(wnid).name


def labels(table: WordNet, wnids: Iterable[Wnid], style: Labels) -> dict[Wnid, str]:
    """Labels of classes of the table, no two of them alike; of those that would be, each says more.

    What it says is the name right above the class where that tells them apart, else another of its own names or one
    further above, else its id.
    """
    usual = {wnid: label for wnid in wnids if (label := usual_label(table, wnid, style)) is not None}
    groups: dict[str, list[Wnid]] = {}
    for wnid, label in usual.items():
        groups.setdefault(fold(label), []).append(wnid)
    for alike in groups.values():
        if len(alike) > 1:
            usual.update(_told_apart(table, alike, usual))
    return usual


def _told_apart(table: WordNet, alike: Sequence[Wnid], usual: dict[Wnid, str]) -> dict[Wnid, str]:
    hints = {wnid: list(_hints(table, wnid, usual[wnid])) for wnid in alike}
    # A hint may be true of two of them, as `bird` is of two birds: then it tells nothing.
    times = Counter(hint for each in hints.values() for hint in set(map(fold, each)))
    return {wnid: f"{usual[wnid]} ({next(hint for hint in hints[wnid] if times[fold(hint)] == 1)})" for wnid in alike}


def _hints(table: WordNet, wnid: Wnid, label: str) -> Iterator[str]:
    synset = table.synset(wnid)
    above = [table.synset(each).name for each in synset.above]
    further = [table.synset(each).name for each in table.over(wnid)[1:]]
    for hint in (*above, *synset.names, *further, wnid):
        if fold(hint) != fold(label):
            yield hint
