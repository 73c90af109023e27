"""What is odd about the lines of a list: counted by kind, with the first of each kind as an example."""

from __future__ import annotations

from typing import Final

from scraper.model import Oddity
from scraper.records import OddLines
from scraper.texts import one_line

_SHOWN: Final = 120
"""Characters of an example that are kept."""


class Oddities:
    """Counts odd lines by kind, and keeps the first of each."""

    def __init__(self) -> None:
        """With none counted."""
        self._counts: dict[Oddity, int] = {}
        self._examples: dict[Oddity, str] = {}

    def add(self, kind: Oddity, example: str, lines: int = 1) -> None:
        """Count lines of a kind, of which `example` is one."""
        if kind not in self._counts:
            self._examples[kind] = one_line(example, _SHOWN)
        self._counts[kind] = self._counts.get(kind, 0) + lines

    def lines(self) -> tuple[OddLines, ...]:
        """What was counted, in the order of the kinds."""
        return tuple(
            OddLines(kind, self._counts[kind], self._examples[kind]) for kind in Oddity if kind in self._counts
        )
