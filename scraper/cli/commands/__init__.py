"""What each command is: its words, its options, its help, and the call that it makes.

A command's flags are the fields of its options; nothing else can be given, and nothing that is given is not an option.
Options are imported for the command that was typed, and what a command does when it is run, so that `scraper --help`
and errors in flags cost no time.

Knows the options and functions of the packages below, and `streams`. Must not know how words are read. Gives
`COMMANDS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scraper.cli.commands.getting import CLASSES, DROP, FETCH, PLAN
from scraper.cli.commands.keeping import EXPORT, FORGET, VERIFY
from scraper.cli.commands.looking import REPORT, SURVEY, TRACE

if TYPE_CHECKING:
    from scraper.cli.commands.command import Command

COMMANDS: Final[dict[str, Command[Any]]] = {
    command.name: command for command in (CLASSES, PLAN, DROP, FETCH, REPORT, SURVEY, TRACE, EXPORT, VERIFY, FORGET)
}
"""Every command, in the order help lists them."""
