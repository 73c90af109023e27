"""Which classes a plan is asked for: those read by their ids, those said by name, those of a preset; and their labels.

WordNet's table is read only where something is not said by its id, or may be of people.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from scraper.errors import InputError
from scraper.model import Labels
from scraper.naming.choosing import scope
from scraper.naming.labels import labels, usual_label
from scraper.naming.shipped import wordnet
from scraper.naming.taking import refused_people, taken, told, unclear
from scraper.naming.wordnet import fold
from scraper.records import ClassRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scraper.model import Wnid
    from scraper.naming.wordnet import WordNet
    from scraper.planning.classlists import ClassList
    from scraper.planning.wanted.options import PlanOptions


@dataclass(frozen=True, slots=True)
class Asked:
    """The classes that a plan is for: `by_name` are those that were not said by their id, and so have no label yet."""

    requests: dict[Wnid, ClassRequest]
    by_name: frozenset[Wnid] = frozenset()
    repeated: int = 0


def asked_for(read: ClassList, options: PlanOptions) -> Asked:
    """The classes of an input and of the options, each once.

    Raises:
        InputError: something is not clear, of people, or there is no class at all; the message has every problem.
    """
    among = scope(wordnet(), options.preset) if options.preset else None
    found = taken(wordnet(), read.unread, among) if read.unread else []
    requests = {request.wnid: request for request in read.classes}
    names = [wnid for wnid in found if wnid is not None]
    if among is not None and not read.unread and not requests:
        names = sorted(among)
    repeated = len(names) - len({*names} - requests.keys())
    by_name = frozenset(names) - requests.keys()
    requests.update({wnid: ClassRequest(wnid) for wnid in names if wnid in by_name})
    outside = [] if among is None else [(f"{wnid} is not in the preset",) for wnid in requests if wnid not in among]
    people = [] if options.include_people else refused_people(wordnet, requests)
    if outside or people or None in found:
        place = "" if read.place == "argument" else read.place
        problems = unclear(wordnet(), read.unread, found, among, place=place)
        raise InputError(told(chain(problems, outside, people), found.count(None) + len(outside) + len(people)))
    if not requests and options.suppress is None:
        raise InputError("no class was given: name some such as tench or n01440764, or pipe a list of them in")
    return Asked(requests, by_name, read.repeated + repeated)


def labelled(
    asked: Asked, style: Labels, known: Mapping[Wnid, str | None]
) -> tuple[list[ClassRequest], dict[Wnid, str]]:
    """The classes with their labels, and the labels of others in the plan that must say more from now on.

    Args:
        asked: the classes.
        style: whose labels they get; with the list's own, those said by name get WordNet's.
        known: the labels of all classes that are planned already.
    """
    mine = asked.by_name if style is Labels.LIST else frozenset(asked.requests)
    if not mine:
        return list(asked.requests.values()), {}
    table = wordnet()
    words = Labels.WORDNET if style is Labels.LIST else style
    theirs = {wnid for wnid, label in known.items() if _is_ours(table, wnid, label, words)}
    if style is Labels.LIST:  # a label that some list gave is not taken away
        mine = frozenset(wnid for wnid in mine if known.get(wnid) is None or wnid in theirs)
    made = labels(table, sorted({*mine, *theirs}), words)
    requests = [replace(each, label=made.get(each.wnid, each.label)) for each in asked.requests.values()]
    return requests, {wnid: made[wnid] for wnid in theirs - asked.requests.keys() if made[wnid] != known[wnid]}


def _is_ours(table: WordNet, wnid: Wnid, label: str | None, style: Labels) -> bool:
    usual = usual_label(table, wnid, style)
    return bool(label and usual and (fold(label) == fold(usual) or label.startswith(f"{usual} (")))


def moved(before: Mapping[Wnid, int], after: Iterable[tuple[Wnid, int]]) -> dict[tuple[int, int], int]:
    """How many classes went from one target to another."""
    moves: dict[tuple[int, int], int] = {}
    for wnid, n in after:
        if before.get(wnid, n) != n:
            moves[before[wnid], n] = moves.get((before[wnid], n), 0) + 1
    return moves
