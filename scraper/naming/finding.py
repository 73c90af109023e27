"""What a name means: the ways in which a class can be said, and what to answer where one is not clear. Never guesses.

A class is said by its wnid; by a name; by a name and where it belongs, `crane (bird)`; by several of its names,
`crane, Grus grus`; or by the number of a sense as WordNet and NLTK count them, `crane.n.05`.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from scraper.naming.wordnet import fold
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from scraper.model import Wnid
    from scraper.naming.wordnet import Synset, WordNet

LONGEST_NAME: Final = 200
"""Characters; the longest of the table has 72."""
_SHOWN: Final = 60
_NEAR: Final = 3
_LIKENESS: Final = 0.7
MOST_SUGGESTIONS: Final = 10
"""Names for which near ones are looked for, since each takes some 30 ms."""

_WNID: Final = re.compile(r"[nN][0-9]{8}")
_SENSE: Final = re.compile(r"(.+)\.n\.([0-9]{1,3})", re.IGNORECASE)
_HINTED: Final = re.compile(r"(.+\S) *\(([^()]+)\)")
_TELLING: Final = re.compile(r"[(.]|^\s*[nN][0-9]{8}\s*$")
"""What the answer to an unknown name may be about."""
_PLURALS: Final = (("ies", "y"), ("ves", "f"), ("men", "man"), ("es", ""), ("s", ""))


def synsets_said(table: WordNet, text: str) -> tuple[Synset, ...]:
    """Every synset that a text may mean, classes or not, in the order of their ids."""
    text = text.strip()
    if len(text) > LONGEST_NAME:
        return ()
    if _WNID.fullmatch(text):
        return (table.synset(text.lower()),) if text.lower() in table else ()
    found = table.named(text)
    if found or text.isalnum():  # there may be a million of them, most of them plain words
        return found
    sense = _SENSE.fullmatch(text) if "." in text else None
    if sense:
        synset = table.sense(sense[1], int(sense[2]))
        return (synset,) if synset else ()
    return (_hinted(table, text) if "(" in text else ()) or (_by_all_names(table, text) if "," in text else ())


def _hinted(table: WordNet, text: str) -> tuple[Synset, ...]:
    """`crane (bird)`: the cranes that have something called bird above them; or one with another of its own names."""
    parts = _HINTED.fullmatch(text)
    if not parts:
        return ()
    hints = {synset.wnid for synset in synsets_said(table, parts[2])}
    return tuple(synset for synset in table.named(parts[1]) if not hints.isdisjoint(table.over(synset.wnid)))


def _by_all_names(table: WordNet, text: str) -> tuple[Synset, ...]:
    """`crane, Grus grus`: what has every one of the names."""
    first, *others = text.split(",")
    folded = {fold(other) for other in others if other.strip()}
    return tuple(s for s in table.named(first) if folded and folded <= set(map(fold, s.names)))


def meanings(table: WordNet, text: str, among: Collection[str] | None = None) -> tuple[Synset, ...]:
    """The classes of ImageNet that a text may mean: none, one, or several of which someone must choose.

    Args:
        table: WordNet's.
        text: what was said.
        among: the wnids that come into question; None for all classes.
    """
    said = (synset for synset in synsets_said(table, text) if synset.is_class)
    return tuple(synset for synset in said if among is None or synset.wnid in among)


def headings(table: WordNet, text: str) -> tuple[Synset, ...]:
    """The synsets that a text may mean where what is under them is wanted: of several, those with classes below."""
    said = synsets_said(table, text)
    above = tuple(synset for synset in said if table.has_classes_below(synset.wnid))
    return above or tuple(synset for synset in said if synset.is_class)


def whole_list(table: WordNet, names: Iterable[str]) -> dict[str, tuple[Wnid, ...]]:
    """The classes by their labels, where all labels of ILSVRC's 1,000 classes are among the names; else nothing.

    Nothing is guessed then, though a label may mean other classes too: the list is known, and `crane` is in it twice.

    Args:
        table: WordNet's.
        names: as they were given, folded.
    """
    wnids = table.preset("ilsvrc2012")
    by_label: list[dict[str, list[Wnid]]] = [{}, {}]
    for wnid in wnids:
        for known, label in zip(by_label, (table.synset(wnid).name, table.clean_name(wnid) or ""), strict=True):
            known.setdefault(fold(label), []).append(wnid)
    given = Counter(name for name in names if any(name in known for known in by_label))
    for known in by_label:
        if all(given[label] >= len(found) for label, found in known.items()):
            return {label: tuple(found) for label, found in known.items()}
    return {}


# --- what to answer --------------------------------------------------------------------------------------------------


def describe(table: WordNet, synset: Synset) -> str:
    """One meaning on one line: id, name, what it is a kind of, gloss, marks."""
    above = " and ".join(table.synset(wnid).name for wnid in synset.above)
    kind = f", a kind of {above}" if above else ""
    return f"{synset.wnid}  {synset.name}{kind}: {table.gloss(synset.wnid)}{marks(synset)}"


def marks(synset: Synset) -> str:
    """What else is to be known of a class, in brackets: that it is of people, or one of the 1,000 of ILSVRC."""
    words = ["people"] if synset.of_people else []
    words += ["ilsvrc2012"] if "ilsvrc2012" in synset.presets else []
    return f"  [{', '.join(words)}]" if words else ""


def ambiguous(table: WordNet, text: str, found: Sequence[Synset]) -> list[str]:
    """What to answer where a name has several meanings: all of them, each with the id by which it can be said."""
    head = f"{one_line(text, _SHOWN)} has {len(found)} meanings; give the id of the one you mean:"
    return [head, *(describe(table, synset) for synset in found)]


def unknown(table: WordNet, text: str, *, suggest: bool = True) -> list[str]:
    """What to answer where no class has a name: what it stands above, other senses, or names that are near."""
    shown = one_line(text, _SHOWN)
    if not suggest and not _TELLING.search(text) and not table.named(text):
        return [f"{shown}: no class has this name"]  # the usual case among a million
    above = headings(table, text)
    if above:
        return [f"{shown} is no class itself; `scraper classes --under {above[0].wnid}` shows those below it"]
    if _WNID.fullmatch(text.strip()):
        return [f"{shown}: ImageNet has no class with this id"]
    sense = _SENSE.fullmatch(text.strip())
    if sense and (others := meanings(table, sense[1])):
        head = f"{shown}: ImageNet has no class with this sense, but for others:"
        return [head, *(describe(table, synset) for synset in others)]
    hinted = _HINTED.fullmatch(text.strip())
    if hinted and (others := meanings(table, hinted[1])):
        return [
            f"{shown}: no class of this name belongs there, but:",
            *(f"  {describe(table, each)}" for each in others),
        ]
    names = list(near(table, text)) if suggest else []
    return [f"{shown}: no class has this name" + (f"; near: {', '.join(names)}" if names else "")]


def near(table: WordNet, text: str) -> Iterator[str]:
    """Names of classes that are near to one that is unknown, each with its id where it has but one meaning."""
    key = fold(text[:LONGEST_NAME])
    for name in dict.fromkeys((*_singulars(key), *_alike(table, key))):
        found = meanings(table, name)
        if found:
            yield f"{name} ({found[0].wnid if len(found) == 1 else f'{len(found)} meanings'})"


def _singulars(key: str) -> Iterable[str]:
    for ending, instead in _PLURALS:
        if key.endswith(ending):
            yield key.removesuffix(ending) + instead


def _alike(table: WordNet, key: str) -> list[str]:
    """The names that are most like one, as difflib counts: twice the letters that both have, of all their letters."""
    # difflib, which is there anyway where rapidfuzz would be 12 MB, gets those only that have letters enough in common.
    letters = {*key.encode(errors="ignore"), *b"\n"}  # half a character is in no name
    names = table.all_names
    common = "\n".join(names).encode().translate(None, bytes(set(range(128)) - letters)).split(b"\n")
    likely = [
        name
        for name, both in zip(names, common, strict=True)
        if 2.0 * min(len(both), len(key)) / (len(name) + len(key)) >= _LIKENESS
    ]
    return difflib.get_close_matches(key, likely, n=_NEAR, cutoff=_LIKENESS)
