"""Kinds of options: how text from a command line, or a value from Python, becomes the value that was meant."""

from __future__ import annotations

import enum
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, Generic, TypeVar

Value = TypeVar("Value")
Member = TypeVar("Member", bound=enum.StrEnum)
Item = TypeVar("Item")
_LONGEST_NAME: Final = 255
"""Bytes of the longest name of a file or folder."""
_LONGEST_PATH: Final = 4000
"""Bytes of the longest path, with room for what is added to it; Linux takes 4,095."""
PathLike = TypeVar("PathLike", bound=PurePath)

_UNITS: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}
_LONGEST_NUMBER: Final = 18
_FEW: Final = 6
"""Members of a set that help can name on one line."""


class Kind(ABC, Generic[Value]):
    """How the values of an option are read and what they may be."""

    @property
    def metavar(self) -> str:
        """What help calls a value."""
        return "VALUE"

    @abstractmethod
    def take(self, given: object) -> Value:
        """The value that was meant by text or by a value of Python.

        Raises:
            ValueError: none; the message says what it must be, as in `must be a whole number, not 'x'`.
        """

    def text(self, value: Value) -> str:
        """The value as text, which `take` reads as the same value."""
        return str(value)


class Flag(Kind[bool]):
    """Yes or no."""

    metavar = ""

    def take(self, given: object) -> bool:
        """Read `True`, `yes`, `on`, `1` and their contraries."""
        if isinstance(given, bool):
            return given
        text = str(given).lower()
        if text in ("true", "yes", "1", "on"):
            return True
        if text in ("false", "no", "0", "off"):
            return False
        raise ValueError(f"is True or False, not {given!r}")


@dataclass(frozen=True, slots=True)
class Whole(Kind[int]):
    """A whole number from `low` to `high`."""

    low: int
    high: int
    metavar = "NUMBER"

    def take(self, given: object) -> int:
        """Read an int, or digits with a sign or none."""
        if isinstance(given, str) and re.fullmatch(r"[+-]?[0-9]{1,18}", given):
            given = int(given)
        if isinstance(given, bool) or not isinstance(given, int):
            raise ValueError(f"must be a whole number, not {given!r}")  # noqa: TRY004 - one kind of error for a reader
        if not self.low <= given <= self.high:
            raise ValueError(f"must be from {self.low} to {self.high}, not {given}")
        return given


@dataclass(frozen=True, slots=True)
class Number(Kind[float]):
    """A number from `low` to `high`; with `above`, above `low`. `unit` names what it counts."""

    low: float
    high: float
    unit: str = ""
    above: bool = False
    metavar = "NUMBER"

    def take(self, given: object) -> float:
        """Read an int or a float, or digits with a point or none."""
        if isinstance(given, str) and re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", given):
            given = float(given)
        if isinstance(given, bool) or not isinstance(given, (int, float)):
            raise ValueError(f"must be a number such as 1.5, not {given!r}")  # noqa: TRY004 - as above
        if not (math.isfinite(given) and self.low <= given <= self.high and not (self.above and given == self.low)):
            of = f"in {self.unit}, " if self.unit else ""
            bounds = f"above {self.low:g} and up to {self.high:g}" if self.above else f"{self.low:g} to {self.high:g}"
            raise ValueError(f"must be {of}{bounds}, not {given:g}")
        return float(given)

    def text(self, value: float) -> str:
        """As short as it is exact: 30, 1.33."""
        return repr(value).removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Size(Kind[int]):
    """A size in bytes from `low` to `high`: 20MB is 20,000,000 and 20MiB is 20 x 1,048,576."""

    low: int
    high: int
    metavar = "SIZE"

    def take(self, given: object) -> int:
        """Read an int, or digits with a unit or none.

        >>> Size(1, 2**31).take("20MB"), Size(1, 2**31).take("1.5 KiB")
        (20000000, 1536)
        """
        size = self._read(given) if isinstance(given, str) else given
        if isinstance(size, bool) or not isinstance(size, int):
            raise ValueError(f"must be a size such as 20MB or 512KiB, not {given!r}")  # noqa: TRY004 - as above
        if not self.low <= size <= self.high:
            raise ValueError(f"must be from {self.low:,} to {self.high:,} bytes, not {given}")
        return size

    @staticmethod
    def _read(text: str) -> int | None:
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmg]?i?)b?", text.strip(), re.IGNORECASE)
        if not match or match[2].lower() not in _UNITS or len(match[1]) > _LONGEST_NUMBER:
            return None
        return round(float(match[1]) * _UNITS[match[2].lower()])

    def text(self, value: int) -> str:
        """In the largest unit that says it exactly."""
        return next(
            (
                f"{value // size}{unit}"
                for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3))
                if not value % size
            ),
            str(value),
        )


_TIMES: Final = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Duration(Kind[float]):
    """A time in seconds up to `high`: 90, 90s, 15m, 12h, 2d."""

    high: float
    metavar = "TIME"

    def take(self, given: object) -> float:
        """Read a number of seconds, or digits with a unit.

        >>> Duration(10**6).take("12h"), Duration(10**6).take(90)
        (43200.0, 90.0)
        """
        seconds = self._read(given) if isinstance(given, str) else given
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise ValueError(f"must be a time such as 90s, 15m or 12h, not {given!r}")  # noqa: TRY004 - as above
        if not 0 <= seconds <= self.high:
            raise ValueError(f"must be from 0s to {self.text(self.high)}, not {given}")
        return float(seconds)

    @staticmethod
    def _read(text: str) -> float | None:
        match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*([a-z]*)", text.strip(), re.IGNORECASE)
        if not match or match[2].lower() not in _TIMES:
            return None
        return float(match[1]) * _TIMES[match[2].lower()]

    def text(self, value: float) -> str:
        """In the largest unit that says it exactly."""
        for unit in ("d", "h", "m"):
            if value and not value % _TIMES[unit]:
                return f"{value // _TIMES[unit]:.0f}{unit}"
        return f"{value:g}s"


@dataclass(frozen=True, slots=True)
class Text(Kind[str]):
    """Any text; `metavar` is what help calls it."""

    metavar: str = "TEXT"

    def take(self, given: object) -> str:
        """Take a str; an int, which Python callers give as a seed, is its digits."""
        if isinstance(given, bool) or not isinstance(given, (str, int)):
            raise ValueError(f"must be text, not {given!r}")  # noqa: TRY004 - as above
        return str(given)


@dataclass(frozen=True, slots=True)
class FilePath(Kind[PathLike]):
    """A path of the given type, which need not exist."""

    type: type[PathLike]
    metavar: str = "FILE"

    def take(self, given: object) -> PathLike:
        """Take a path or its text."""
        if isinstance(given, self.type):
            return given
        if not isinstance(given, (str, PurePath)) or not str(given) or "\0" in str(given):
            raise ValueError(f"must be a path, not {given!r}")
        # No file system takes longer ones, and each function of the library says so in its own way.
        lengths = [len(part.encode("utf-8", "surrogatepass")) for part in str(given).split("/")]
        if max(lengths) > _LONGEST_NAME or sum(lengths) + len(lengths) > _LONGEST_PATH:
            raise ValueError(f"must be a path of up to {_LONGEST_PATH} bytes, and each name in it of {_LONGEST_NAME}")
        return self.type(given)


@dataclass(frozen=True, slots=True)
class Choice(Kind[Member]):
    """One of a closed set."""

    among: type[Member]

    @property
    def metavar(self) -> str:
        """The set, as help shows it."""
        return "|".join(self.among) if len(self.among) <= _FEW else self.among.__name__.upper()

    def take(self, given: object) -> Member:
        """Take a member, or its text."""
        try:
            return self.among(str(given).strip().lower())
        except ValueError:
            raise ValueError(f"must be one of {', '.join(self.among)}, not {str(given)!r}") from None


@dataclass(frozen=True, slots=True)
class Choices(Kind[frozenset[Member]]):
    """Some of a closed set, by commas; `allowed` are those that make sense here, `why` says why others do not."""

    among: type[Member]
    allowed: frozenset[Member]
    why: str
    metavar: str = "NAMES"

    def take(self, given: object) -> frozenset[Member]:
        """Take members or their texts."""
        one = Choice(self.among)
        found = frozenset(one.take(name) for name in items(given))
        for name in sorted(found - self.allowed):
            raise ValueError(f"cannot be {name}, {self.why}")
        return found

    def text(self, value: frozenset[Member]) -> str:
        """By commas, in the order of the set."""
        return ",".join(name for name in self.among if name in value)


@dataclass(frozen=True, slots=True)
class Texts(Kind[tuple[str, ...]]):
    """Some texts, by commas; `metavar` is what help calls them."""

    metavar: str = "TEXTS"

    def take(self, given: object) -> tuple[str, ...]:
        """Take texts by commas, or a collection of them."""
        found = tuple(items(given))
        if isinstance(given, str) and not found:
            raise ValueError("names nothing")
        return found

    def text(self, value: tuple[str, ...]) -> str:
        """The texts by commas."""
        return ",".join(value)


class Domains(Kind[tuple[str, ...]]):
    """Names of domains, by commas."""

    metavar = "DOMAINS"

    def take(self, given: object) -> tuple[str, ...]:
        """Read domains; a dot at an end and capitals do not matter."""
        domains = tuple(domain.lower().strip(".") for domain in items(given))
        if not domains:
            raise ValueError("names no host")
        for domain in domains:
            if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", domain):
                raise ValueError(f"has {domain!r}, which is not a domain such as flickr.com")
        return domains

    def text(self, value: tuple[str, ...]) -> str:
        """The domains by commas."""
        return ",".join(value)


def several(given: str | Iterable[Item]) -> Iterable[str | Item]:
    """Items of which there may be one: a text alone is one of them, and not its letters."""
    return (given,) if isinstance(given, str) else given


def items(given: object) -> list[str]:
    """The items of a list that is given as text with commas, or as a collection.

    Raises:
        ValueError: it is neither.
    """
    if isinstance(given, str):
        return [item.strip() for item in given.split(",") if item.strip()]
    if isinstance(given, Iterable):
        return [str(item) for item in given]
    raise ValueError(f"must be a list, not {given!r}")
