"""Importing what a command does, without what nobody needs of it, which would be half of a short command's time.

Only for the command line, whose process is our own: a program that calls us may want sqlite-utils to know its NumPy.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_SPARED: Final = ("numpy", "pandas")
"""What sqlite-utils loads wherever it is installed, to know its types. What we give to it has none of them."""


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """A block that imports what a command with a manifest does."""
    with collecting_later():
        with _without(_SPARED):
            import scraper.manifest.core  # noqa: F401 - the one that imports sqlite-utils
        yield


@contextlib.contextmanager
def collecting_later() -> Iterator[None]:
    """A block that only imports: hardly anything becomes garbage there, so none is looked for."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.freeze()  # modules are here to stay: later collections need not look at them either
            gc.enable()


@contextlib.contextmanager
def _without(names: tuple[str, ...]) -> Iterator[None]:
    """A block in which modules cannot be imported, unless they are there already."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # as the language says: importing it fails then
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
