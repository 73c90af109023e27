"""Reading the table that ships with the package."""

from __future__ import annotations

import bz2
import functools
import lzma
from pathlib import Path
from typing import Final

from scraper.errors import InputError
from scraper.naming.wordnet import WordNet

FOLDER: Final = Path(__file__).parent / "data"
NAMES: Final = "names.xz"
GLOSSES: Final = "glosses.bz2"
"""Packed as packs it smallest: the one repeats long pieces, the other is prose."""


def wordnet(folder: Path = FOLDER) -> WordNet:
    """The table, read once.

    Raises:
        InputError: it is missing or damaged; so is what needs the glosses, later.
    """
    return _read(folder)


@functools.cache
def _read(folder: Path) -> WordNet:
    try:
        return WordNet(_text(folder / NAMES), functools.partial(_text, folder / GLOSSES))
    except ValueError as error:
        raise _damaged(folder / NAMES, error) from error


def _text(path: Path) -> str:
    unpack = bz2.decompress if path.suffix == ".bz2" else lzma.decompress
    try:
        return unpack(path.read_bytes()).decode()
    except (OSError, EOFError, ValueError, lzma.LZMAError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(f"the table of classes in {path} is missing or damaged ({error}): install scraper again")
