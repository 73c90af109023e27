"""What a command is, and one call of it."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from scraper.config import PlaceOptions
from scraper.options import Options
from scraper.texts import redacted_words

if TYPE_CHECKING:
    from pathlib import Path

    from scraper.options import FlagSpec

Given = TypeVar("Given", bound=Options)


@dataclass(frozen=True, slots=True)
class Call(Generic[Given]):
    """One call of a command: the words and options it was given, and where the manifest is."""

    words: tuple[str, ...]
    options: Given
    manifest: Path


class Command(ABC, Generic[Given]):
    """One command.

    Attributes:
        name: as it is typed.
        phase: under which the list of commands shows it.
        summary: one line for the list of commands.
        description: what help says, by paragraphs.
        words: what its words are called; empty where it takes none.
    """

    name: ClassVar[str]
    phase: ClassVar[str]
    summary: ClassVar[str]
    description: ClassVar[str]
    words: ClassVar[str] = ""

    @abstractmethod
    def options(self) -> type[Given]:
        """The dataclass of its options, imported when it is asked for."""

    @abstractmethod
    def run(self, call: Call[Given]) -> int:
        """Do it; returns the exit code."""

    def flags(self) -> dict[str, FlagSpec]:
        """Its flags, `-` written `_`, in the order help shows them."""
        every = [*self.options().flags(), *PlaceOptions.flags()]
        return dict(sorted(every, key=lambda flag: bool(flag[1].group)))

    @property
    def usage(self) -> str:
        """How it is typed, on one line."""
        return f"usage: scraper {self.name}{' ' * bool(self.words)}{self.words} [FLAGS]"


def argv() -> list[str]:
    """The command line, for the record."""
    return redacted_words(sys.argv[1:])
