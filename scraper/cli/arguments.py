"""The words of a command line before Fire sees them: flags known, given once, each with its value.

Every word is brought into one plain form, `--name=value`, which Fire cannot read in two ways.
"""

from __future__ import annotations

import difflib
import keyword
import re
from typing import TYPE_CHECKING

from scraper.errors import InputError
from scraper.kinds import Flag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scraper.options import FlagSpec


class UnexpectedWordError(InputError):
    """A word too many."""

    def __init__(self, word: str, message: str) -> None:
        super().__init__(message)
        self.word = word


def checked(argv: Sequence[str], flags: Mapping[str, FlagSpec], *, command: str, takes_words: bool) -> list[str]:
    """The words of one command, positional ones first, then `--name=value` each.

    Args:
        argv: what stands behind the command.
        flags: those that it has, `-` written `_`.
        command: its name, for messages.
        takes_words: whether it takes words that are no flags.

    Raises:
        InputError: an unknown flag, a flag given twice or without its value, or a word too many.
    """
    words: list[str] = []
    values: dict[str, str] = {}
    rest = iter(argv)
    for word in rest:
        if word in ("-", "--") or not word.startswith("-"):
            if not takes_words or word in ("-", "--"):
                raise UnexpectedWordError(word, f"unexpected argument {word!r}; see `scraper {command} --help`")
            words.append(word)
            continue
        name, value = _flag(word, rest, flags, command)
        if name in values:
            raise InputError(f"{shown(name)} is given twice")
        values[name] = value
    return words + [f"--{for_python(name)}={value}" for name, value in values.items()]


def for_python(name: str) -> str:
    """A flag's name as that of a Python parameter, which no keyword can be.

    >>> for_python("except"), for_python("n")
    ('except_', 'n')
    """
    return f"{name}_" if keyword.iskeyword(name) else name


def _flag(word: str, rest: Iterator[str], flags: Mapping[str, FlagSpec], command: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if re.fullmatch(r"-n[0-9].*", word) and "n" in flags:
        name, equals, value = "-n", "=", word[2:]
    key = name.lstrip("-").replace("-", "_")
    if not equals and (negated := _negated(key, flags)):
        return negated, "False"
    if key not in flags or name.startswith("--") == (len(key) == 1) or name.startswith("---"):
        raise InputError(f"unknown flag {name}{_instead(key, flags)}; see `scraper {command} --help`")
    if flags[key].switch:
        return key, str(_switch(name, value)) if equals else "True"
    if not equals:
        value = next(rest, "")
        if value.startswith("-") and not re.fullmatch(r"-[0-9.].*", value):
            value = ""
    if not value:
        raise InputError(f"{name} needs a value, as in {shown(key)} {flags[key].option.kind.metavar}")
    return key, value


def _negated(key: str, flags: Mapping[str, FlagSpec]) -> str | None:
    """The switch that `--no-…` turns off."""
    name = key.removeprefix("no_") if key.startswith("no_") else key.removeprefix("no")
    return name if key not in flags and name in flags and flags[name].switch else None


def _switch(name: str, value: str) -> bool:
    try:
        return Flag().take(value)
    except ValueError as error:
        raise InputError(f"{name} {error}") from None


def shown(name: str) -> str:
    """A flag as it is typed.

    >>> shown("n"), shown("max_bytes")
    ('-n', '--max-bytes')
    """
    return f"-{name}" if len(name) == 1 else f"--{name.replace('_', '-')}"


def _instead(key: str, flags: Mapping[str, FlagSpec]) -> str:
    """The flag that is called so now, or was meant."""
    for name, spec in flags.items():
        if key in spec.option.was:
            return f", which is {shown(name)} now: {shown(name)} {spec.option.kind.metavar}"
    close = difflib.get_close_matches(key.lower(), list(flags), n=1)
    return f" (did you mean {shown(close[0])}?)" if close else ""
