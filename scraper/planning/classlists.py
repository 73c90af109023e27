"""Reading lists of classes: one class a line, in the forms people keep them in."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from scraper.errors import InputError
from scraper.model import ClassRequest, Wnid
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

_WNID = re.compile(r"n[0-9]{8}")
_BOM = "\ufeff"
LONGEST_LINE = 1000
"""Characters; no label is nearly as long, and splitting endless lines costs memory."""
_SHOWN = 60
"""Characters of a bad line that an error message repeats."""


@dataclass(frozen=True, slots=True)
class ClassList:
    """The classes of an input, each once and in the order first met, and how many lines only repeated one."""

    classes: tuple[ClassRequest, ...]
    repeated: int = 0


def is_wnid(text: str) -> bool:
    """Whether `text` is a WordNet noun id: `n` and eight digits.

    >>> is_wnid("n01440764"), is_wnid("N01440764"), is_wnid("n0144076")
    (True, False, False)
    """
    return _WNID.fullmatch(text) is not None


def parse_class(line: str) -> ClassRequest | None:
    """Read one line: a wnid alone, or with a label before or after it, split by a comma, a tab or a space.

    Returns None where the line names no class, or more than one.

    >>> parse_class("great white shark,n01484850")
    ClassRequest(wnid='n01484850', label='great white shark')
    >>> parse_class("n01440764 tench")
    ClassRequest(wnid='n01440764', label='tench')
    >>> parse_class("tench")
    """
    text = line.strip().strip(_BOM).strip()
    if is_wnid(text):
        return ClassRequest(Wnid(text))
    for separator in (",", "\t"):
        parts = text.split(separator)
        for wnid, rest in ((parts[0], parts[1:]), (parts[-1], parts[:-1])):
            if len(parts) > 1 and is_wnid(wnid.strip()):
                return _labelled(wnid.strip(), separator.join(rest))
    first, _, rest_after = text.partition(" ")
    rest_before, _, last = text.rpartition(" ")
    if is_wnid(first):
        return _labelled(first, rest_after)
    return _labelled(last, rest_before) if is_wnid(last) else None


def _labelled(wnid: str, label: str) -> ClassRequest | None:
    label = label.strip().strip('"').strip()
    if any(is_wnid(word) for word in re.split(r"[\s,]+", label)):
        return None  # two classes on one line: which of them is the label is anyone's guess
    return ClassRequest(Wnid(wnid), label or None)


def read_classes(lines: Iterable[str], *, origin: str) -> ClassList:
    """Read a list of classes; blank lines and `#` comments are passed over, repeated classes folded.

    Args:
        lines: the lines, with or without their ends.
        origin: what the lines are, for the message: `standard input`, `arguments`.

    Raises:
        InputError: some lines name no class; the message lists every one with its number.
    """
    classes: dict[Wnid, ClassRequest] = {}
    repeated = 0
    bad: list[str] = []
    for number, line in enumerate(lines, start=1):
        text = line.strip().strip(_BOM).strip()
        if not text or text.startswith("#"):
            continue
        request = parse_class(text) if len(text) <= LONGEST_LINE else None
        if request is None:
            bad.append(f"  line {number}: {one_line(text, _SHOWN)}")
        elif request.wnid in classes:
            repeated += 1
            if classes[request.wnid].label is None:
                classes[request.wnid] = request
        else:
            classes[request.wnid] = request
    if bad:
        raise InputError(
            f"{len(bad)} of the lines in {origin} name no class (a wnid is n and eight digits, "
            "as in n01440764; a label may stand before or after it):\n" + "\n".join(bad)
        )
    return ClassList(tuple(classes.values()), repeated)


def decode_lines(data: bytes) -> list[str]:
    """Split the bytes of an input into lines: UTF-8 (a BOM is dropped), Latin-1 where it is not; LF, CRLF or CR."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    return re.split(r"\r\n|\n|\r", text)
