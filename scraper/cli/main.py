"""The way in: words to a command, and errors to exit codes."""

from __future__ import annotations

import os
import sys
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NoReturn

from scraper.cli.arguments import UnexpectedWordError, checked, shown
from scraper.cli.commands import COMMANDS
from scraper.cli.help import USAGE, help_text
from scraper.cli.signals import for_a_moment, interruptible, leave
from scraper.cli.starting import collecting_later
from scraper.cli.streams import complain, give_up, open_closed, print_text
from scraper.errors import InputError, InterruptedRunError, OptionError, ScraperError
from scraper.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scraper.cli.commands.command import Command


_HELP: Final = ("-h", "--help", "help")
_FORMER: Final = {"recheck": "is part of survey now: `scraper survey --of answered` does what it did"}
"""Commands that went by another name, with what to type instead."""


def run() -> NoReturn:
    """Run the command line, and end the process."""
    leave(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    open_closed()
    # sqlite-utils imports NumPy where there is one, whose BLAS starts a thread for each core that spins for a while.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Pillow warns of odd metadata in pictures, which is neither an error nor news to whoever fetches thousands.
    warnings.filterwarnings("ignore", module="PIL")
    try:
        return _run(words)
    except InterruptedRunError as error:
        for_a_moment(partial(complain, error.as_typed))
        return error.exit_code
    except ScraperError as error:
        complain(error.as_typed, "error: ")
        return error.exit_code
    except KeyboardInterrupt:
        for_a_moment(partial(complain, "interrupted"))
        return InterruptedRunError.exit_code
    except BrokenPipeError:
        give_up(sys.stdout)  # whoever read it has seen enough
        return 0


def _run(words: list[str]) -> int:
    name = words[0] if words else ""
    if name in _HELP:
        known = next((COMMANDS[word] for word in words[1:] if word in COMMANDS), None)
        if known is None and words[1:] and not words[1].startswith("-"):
            raise InputError(f"no help on {words[1]!r}: the commands are {', '.join(COMMANDS)}")
        print_text(help_text(known) if known else USAGE)
        return 0
    if name in ("-V", "--version", "version"):
        print_text(f"scraper {__version__}\n")
        return 0
    if name.partition("=")[0] == "--completion":
        from scraper.cli.completion import script

        print_text(script(name.partition("=")[2] or "".join(words[1:2])))
        return 0
    if name in _FORMER:
        raise InputError(f"{name} {_FORMER[name]}")
    if name not in COMMANDS:
        from scraper.cli.hints import no_command

        raise no_command(words)
    command = COMMANDS[name]
    if {"-h", "--help"} & set(words):
        print_text(help_text(command))
        return 0
    return _call_command(command, words[1:])


def _call_command(command: Command[Any], words: Sequence[str]) -> int:
    try:
        plain = checked(words, command.flags(), command=command.name, takes_words=bool(command.words))
    except UnexpectedWordError as error:
        from scraper.cli.hints import no_words

        raise no_words(command.name, error.word) from None
    with collecting_later():
        from scraper.cli.calling import call_of

    try:
        call = call_of(command, plain)
        with interruptible():
            return command.run(call)
    except OptionError as error:
        flags = {spec.field: flag for flag, spec in command.flags().items()}
        raise InputError(f"{shown(flags[error.option])} {error.problem}") from None
