"""The words of one command to its call, and the call itself.

Fire runs a command before it finds an unknown flag, turns values into Python literals, takes the word after a boolean
flag for its value and reaches into objects by name. So the words are checked first, Fire sees a function that only
writes the call down, and the command runs after it.
"""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

import fire

from scraper.cli.arguments import for_python
from scraper.cli.commands.command import Call
from scraper.config import PlaceOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scraper.cli.commands.command import Command


def call_of(command: Command[Any], plain: Sequence[str]) -> Call[Any]:
    """The call that words mean, which `arguments.checked` has made plain.

    Raises:
        OptionError: the value of a flag is wrong.
    """
    calls: list[Call[Any]] = []
    fire.Fire({command.name: _recorder(command, calls)}, command=[command.name, *plain], name="scraper")
    return calls[0]


def _recorder(command: Command[Any], calls: list[Call[Any]]) -> Callable[..., None]:
    """What Fire sees of a command: its words and flags as a function, which only writes the call down."""

    def record(*words: str, **given: str) -> None:
        calls.append(_call(command, words, {name.rstrip("_"): value for name, value in given.items()}))

    parameters = [Parameter("words", Parameter.VAR_POSITIONAL)] if command.words else []
    parameters += [Parameter(for_python(name), Parameter.KEYWORD_ONLY, default=None) for name in command.flags()]
    record.__signature__ = Signature(parameters)  # type: ignore[attr-defined]  # what inspect, and so Fire, reads
    recorder: Callable[..., None] = fire.decorators.SetParseFn(str)(record)
    return recorder


def _call(command: Command[Any], words: tuple[str, ...], given: dict[str, str]) -> Call[Any]:
    return Call(words, command.options().read(given), PlaceOptions.read(given).manifest)
