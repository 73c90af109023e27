"""What `scraper classes` shows: classes in words, as a table, as a tree, or as the ids that plan reads."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from scraper.cli.streams import standard_input
from scraper.errors import InputError
from scraper.model import Labels, Wnid
from scraper.naming.choosing import Choice, choose, tree, within
from scraper.naming.finding import marks, meanings
from scraper.naming.labels import labels
from scraper.naming.options import ClassesFormat
from scraper.naming.people import ALLOWED
from scraper.naming.shipped import wordnet
from scraper.planning.classlines import parse_class
from scraper.texts import counted, one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scraper.naming.choosing import Branch
    from scraper.naming.options import ClassesOptions
    from scraper.naming.wordnet import Synset, WordNet

_FEW: Final = 12
"""Classes up to which each is told in full."""
_WIDTH: Final = 100
"""Columns where the output is not a terminal."""
_INDENT: Final = " " * 11


def named(words: Sequence[str], options: ClassesOptions, usage: str) -> tuple[str, ...]:
    """The names that were given: as arguments, or on standard input where nothing else says which classes are meant.

    Raises:
        InputError: nothing was given at all.
    """
    if words or not _choice((), options).empty:
        return tuple(request.wnid if (request := parse_class(word)) else word for word in words)
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError(f"say which classes: by name, or with --under, --preset or --search\n{usage}")
    given = standard_input(usage)
    names = (*(request.wnid for request in given.classes), *(unread.text for unread in given.unread))
    if not names:
        raise InputError(f"say which classes: by name, or with --under, --preset or --search\n{usage}")
    return names


def _counted(wnids: Sequence[Wnid], options: ClassesOptions) -> dict[Wnid, int]:
    from scraper.planning.forecasting.counting import count_urls

    return count_urls(wnids, options)


def _choice(names: tuple[str, ...], options: ClassesOptions) -> Choice:
    return Choice(
        names=names,
        under=options.under,
        preset=options.preset,
        search=options.search,
        leaves=options.leaves,
        without=options.without,
    )


def show(names: tuple[str, ...], options: ClassesOptions) -> tuple[str, list[str]]:
    """The chosen classes as text, empty where there are none, and what is to be said beside it.

    Raises:
        InputError: a name is not clear or not known.
    """
    table = wordnet()
    choice = _choice(names, options)
    chosen = choose(table, choice)
    urls = _counted([synset.wnid for synset in chosen], options) if options.source and chosen else None
    if urls is not None:
        chosen = tuple(synset for synset in chosen if urls.get(synset.wnid, 0) >= (options.min_urls or 0))
    if not chosen:
        return "", ["no class of ImageNet is all of that"]
    form = ClassesFormat.TEXT if options.tree else options.format or _usual()
    if options.tree:
        text = "".join(_tree(tree(table, {synset.wnid for synset in chosen}, within(table, choice))))
    else:
        text = _FORMATS[form](table, chosen, urls)
    several = [] if form == ClassesFormat.TEXT else list(_several(table, names, chosen))
    return text, [*several, *_people(chosen)]


def _usual() -> ClassesFormat:
    return ClassesFormat.TEXT if sys.stdout.isatty() else ClassesFormat.WNIDS


def _several(table: WordNet, names: Sequence[str], chosen: Sequence[Synset]) -> Iterator[str]:
    there = {synset.wnid for synset in chosen}
    for name in names:
        found = meanings(table, name, there)
        if len(found) > 1:
            yield f"{one_line(name, _WIDTH)} has {len(found)} meanings, and all are listed"


def _people(chosen: Sequence[Synset]) -> Iterator[str]:
    people = sum(synset.of_people and synset.wnid not in ALLOWED for synset in chosen)
    if people:
        are = "are classes" if people > 1 else "is a class"
        yield (
            f"{people:,} of {len(chosen):,} {are} of people, which plan refuses without --include-people; "
            "--except person leaves them out"
        )


# --- forms -----------------------------------------------------------------------------------------------------------


Urls = Mapping[Wnid, int] | None
"""How many URLs the lists have for each class; None where they were not looked at."""


def _wnids(_: WordNet, chosen: Sequence[Synset], __: Urls) -> str:
    return "".join(f"{synset.wnid}\n" for synset in chosen)


def _text(table: WordNet, chosen: Sequence[Synset], urls: Urls) -> str:
    width = shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else _WIDTH
    if len(chosen) > _FEW:
        lines = (f"{synset.wnid}  {', '.join(synset.names)}{marks(synset)}{_said(urls, synset)}" for synset in chosen)
        return "".join(textwrap.shorten(line, width, placeholder=" …").replace(" ", "  ", 1) + "\n" for line in lines)
    return "".join(line + "\n" for synset in chosen for line in _in_full(table, synset, width, urls))


def _said(urls: Urls, synset: Synset) -> str:
    return "" if urls is None else f"  {counted(urls.get(synset.wnid, 0), 'URL')}"


def _in_full(table: WordNet, synset: Synset, width: int, urls: Urls) -> Iterator[str]:
    yield f"{synset.wnid}  {', '.join(synset.names)}{marks(synset)}{_said(urls, synset)}"
    yield from textwrap.wrap(table.gloss(synset.wnid), width, initial_indent=_INDENT, subsequent_indent=_INDENT)
    above = " and ".join(table.synset(wnid).name for wnid in synset.above)
    below = len([wnid for wnid in table.under(synset.wnid) if table.synset(wnid).is_class]) - 1
    kinds = [f"a kind of {above}"] if above else []
    kinds += [f"{below:,} {'class' if below == 1 else 'classes'} below"] if below else []
    presets = [name for name in synset.presets if name != "imagenet-21k"]
    kinds += [f"in {', '.join(presets)}"] if presets else []
    yield from textwrap.wrap("; ".join(kinds), width, initial_indent=_INDENT, subsequent_indent=_INDENT)


def _rows(table: WordNet, chosen: Sequence[Synset], urls: Urls) -> Iterator[dict[str, Any]]:
    named = labels(table, [synset.wnid for synset in chosen], Labels.WORDNET)
    below_of = table.above_any(synset.wnid for synset in map(table.synset, table.wnids) if synset.is_class)
    for synset in chosen:
        yield {
            "wnid": synset.wnid,
            "label": named[synset.wnid],
            "names": synset.names,
            "above": synset.above,
            "gloss": table.gloss(synset.wnid),
            "leaf": synset.wnid not in below_of,
            "people": synset.of_people,
            "presets": synset.presets,
            **({} if urls is None else {"urls": urls.get(synset.wnid, 0)}),
        }


def _json(table: WordNet, chosen: Sequence[Synset], urls: Urls) -> str:
    return json.dumps(list(_rows(table, chosen, urls)), indent=2, ensure_ascii=False) + "\n"


def _csv(table: WordNet, chosen: Sequence[Synset], urls: Urls) -> str:
    out = io.StringIO()
    rows = list(_rows(table, chosen, urls))
    writer = csv.DictWriter(out, rows[0], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({key: "|".join(cell) if isinstance(cell, tuple) else cell for key, cell in row.items()})
    return out.getvalue()


_FORMATS: Final[dict[ClassesFormat, Callable[[WordNet, Sequence[Synset], Urls], str]]] = {
    ClassesFormat.TEXT: _text,
    ClassesFormat.CSV: _csv,
    ClassesFormat.JSON: _json,
    ClassesFormat.WNIDS: _wnids,
}


def _tree(branches: Sequence[Branch], indent: str = "", *, top: bool = True) -> Iterator[str]:
    for branch in branches:
        last = branch is branches[-1]
        guide, deeper = ("", "") if top else ("└── ", "    ") if last else ("├── ", "│   ")
        yield f"{indent}{guide}{_node(branch)}\n"
        yield from _tree(branch.below, indent + deeper, top=False)


def _node(branch: Branch) -> str:
    synset = branch.synset
    name = f"{synset.name}  {synset.wnid}{marks(synset)}" if branch.chosen else synset.name
    return f"{name}  ({branch.classes:,})" if branch.below else name
