"""One line of a list of classes, in the forms people write them: which class it names, and by what label."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Final

from scraper.model import Wnid
from scraper.records import ClassRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

_WNID: Final = re.compile(r"n[0-9]{8}")
_NAME: Final = re.compile(
    r"(?P<wnid>[nN][0-9]{8})(?:_[0-9]+)?(?:[-_](?P<label>[^\W\d_][\w' -]*))?(?:\.[A-Za-z]{2,5}){0,2}", re.ASCII
)
"""A wnid alone, or as the name of a file or folder has it: `n01440764_10026.JPEG`, `n02085620-Chihuahua`."""
_NUMBERED: Final = re.compile(r"[0-9]+ (\S+)", re.ASCII)
"""What follows the wnid in `map_clsloc.txt`."""
_BOM: Final = "\ufeff"
SEPARATORS: Final = "\t;,|:"


def is_wnid(text: str) -> bool:
    """Whether `text` is a WordNet noun id: `n` and eight digits.

    >>> is_wnid("n01440764"), is_wnid("N01440764"), is_wnid("n0144076")
    (True, False, False)
    """
    return _WNID.fullmatch(text) is not None


def parse_class(line: str) -> ClassRequest | None:
    """Read one line: a wnid alone or as a path has it, or with a label before or after it.

    Returns None where the line names no class, or more than one.

    >>> parse_class("great white shark,n01484850")
    ClassRequest(wnid='n01484850', label='great white shark')
    >>> parse_class("n01440764 tench")
    ClassRequest(wnid='n01440764', label='tench')
    >>> parse_class("train/n01440764/n01440764_10026.JPEG")
    ClassRequest(wnid='n01440764', label=None)
    >>> parse_class("tench")
    """
    text = bare(line)
    alone = named(text)
    if alone is not None:
        return alone
    for separator in SEPARATORS:
        if separator in text:
            found = of_fields(split(text, separator), separator)
            if found is not None:
                return found
    return _of_words(text)


def bare(line: str) -> str:
    """A line without the blanks and byte order marks around it."""
    return line.strip().strip(_BOM).strip()


def named(text: str) -> ClassRequest | None:
    """The class that a wnid, or the name of a file or folder, stands for; None where a path names two."""
    parts = [part for part in re.split(r"[/\\]", unquoted(text)) if part not in ("", ".")]
    found = [match for part in parts[-2:] if (match := _NAME.fullmatch(part))]
    if len({match["wnid"].lower() for match in found}) != 1:
        return None
    return ClassRequest(Wnid(found[-1]["wnid"].lower()), found[-1]["label"])


def unquoted(text: str) -> str:
    """The text without the blanks around it and the pair of quotes that it may stand in."""
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] == '"' else text


def split(text: str, separator: str) -> list[str]:
    """The fields of a line: quoted as in CSV where that holds to the line's end, or as they stand."""
    if '"' in text:
        try:
            return next(csv.reader([text], delimiter=separator, strict=True))
        except (csv.Error, StopIteration):
            pass
    return text.split(separator)


def of_fields(fields: Sequence[str], separator: str) -> ClassRequest | None:
    """The class of a row: one field names it, what is beside it is its label; numbers at the row's ends say nothing."""
    requests = [named(field) for field in fields]
    found = [request for request in requests if request is not None]
    if len({request.wnid for request in found}) != 1:
        return None
    at = requests.index(found[0])
    before = _without_numbers(fields[:at])
    rest = zip(fields[at + 1 :], requests[at + 1 :], strict=True)
    after = _without_numbers([field for field, request in rest if request is None])
    if before and after:
        return None  # a class between two names: which of them is its own is anyone's guess
    return labelled(found[0], separator.join(before or after))


def _without_numbers(fields: Sequence[str]) -> Sequence[str]:
    """The fields without the numbers at either end: the class's place in some order, or counts."""
    start, end = 0, len(fields)
    while start < end and _number_or_nothing(fields[start]):
        start += 1
    while start < end and _number_or_nothing(fields[end - 1]):
        end -= 1
    return fields[start:end]


def _number_or_nothing(field: str) -> bool:
    text = field.strip()
    return not text or (text.isascii() and text.isdigit())


def _of_words(text: str) -> ClassRequest | None:
    """The class of a line whose first or last word names it, or the one after a number."""
    first, _, after = text.partition(" ")
    request = named(first)
    if request is not None:
        numbered = _NUMBERED.fullmatch(after)
        return labelled(request, numbered[1] if numbered else "" if _number_or_nothing(after) else after)
    before, _, last = text.rpartition(" ")
    request = named(last)
    if request is not None:
        return labelled(request, "" if _number_or_nothing(before) else before)
    return _of_words(after.strip()) if _number_or_nothing(first) and after else None


def labelled(request: ClassRequest, label: str) -> ClassRequest | None:
    """The class with this label, or its own where that is empty; None where the label names another class."""
    label = unquoted(label)
    words = [word for word in re.split(r"[\s,]+", label) if is_wnid(word)]
    if any(word != request.wnid for word in words):
        return None  # two classes on one line: which of them is the label is anyone's guess
    return ClassRequest(request.wnid, request.label if words else label or request.label)
