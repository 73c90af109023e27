"""The errors a caller can meet, each with the exit code the command line gives it.

    ScraperError                    anything below
    ├── InputError            (2)   the arguments or an input are wrong; nothing was changed
    │   └── OptionError              an option is; which one, and why
    ├── ManifestError         (3)   the manifest cannot be used
    │   ├── ManifestMissingError      there is none yet
    │   ├── ManifestForeignError      not one of ours, newer than this version, or damaged
    │   ├── ManifestBusyError         another run holds it
    │   └── UnsafeNameError           it names a file that would be outside the output folder, or none at all
    ├── StoppedEarlyError     (4)   the run had to stop; what was done is kept and it can be resumed
    └── InterruptedRunError (130)   someone asked the run to stop; the same holds

An HTTP failure is not an error here: it is an `Outcome`, a value that is recorded.

Messages are written for whoever typed a command. Callers in Python get the same sentence in their own terms:

>>> error = InputError("there is no folder im: give the --out that fetch wrote to, or `scraper verify --repair` first")
>>> str(error)
'there is no folder im: give the out that fetch wrote to, or `verify(VerifyOptions(repair=True))` first'
"""

from __future__ import annotations

import re
from typing import Final

_COMMAND: Final = re.compile(
    r"`scraper (plan|drop|fetch|report|survey|export|verify)((?: --[a-z-]+(?: [^\s`-][^\s`]*)?)*)`"
)
_GIVEN: Final = re.compile(r" --([a-z-]+)(?: ([^\s`-][^\s`]*))?")
_FLAG: Final = re.compile(r"(?<![^\s`(])(?:--(?=[a-z]{2})|-(?=n\b))([a-z]+(?:-[a-z]+)*)(?![^\s`,;:.)])")


def in_python(text: str) -> str:
    """A message with commands as calls, and flags by the names of their fields.

    >>> in_python("`scraper fetch --retry gone` asks again; a smaller -n, or no --max-bytes, may do")
    "`fetch(FetchOptions(retry='gone'))` asks again; a smaller n, or no max_bytes, may do"
    """
    return _FLAG.sub(lambda flag: flag[1].replace("-", "_"), _COMMAND.sub(_call, text))


def _call(command: re.Match[str]) -> str:
    fields = (f"{name.replace('-', '_')}={value or True!r}" for name, value in _GIVEN.findall(command[2]))
    options = ", ".join(fields)
    return f"`{command[1]}({command[1].title()}Options({options}))`" if options else f"`{command[1]}()`"


class ScraperError(Exception):
    """Base of all errors meant for people: the message is one line that says what is wrong and what to do."""

    exit_code = 1

    def __str__(self) -> str:
        """The message for a caller in Python."""
        return in_python(self.as_typed)

    @property
    def as_typed(self) -> str:
        """The message for someone at the command line, with flags as they are typed."""
        return super().__str__()


class InputError(ScraperError):
    """The command line or an input is wrong; nothing was changed."""

    exit_code = 2


class OptionError(InputError):
    """An option is wrong: `option` is its name in Python, `problem` what it must be and is not."""

    def __init__(self, option: str, problem: str) -> None:
        super().__init__(f"{option} {problem}")
        self.option = option
        self.problem = problem


class ManifestError(ScraperError):
    """The manifest cannot be used."""

    exit_code = 3


class ManifestMissingError(ManifestError):
    """There is no manifest at this path yet."""


class ManifestForeignError(ManifestError):
    """The file is not a manifest of ours, is of a newer version, or is damaged."""


class ManifestBusyError(ManifestError):
    """Another run is writing to this manifest."""


class UnsafeNameError(ManifestError):
    """A name that can be none of our files: it would lead out of the output folder, or no file system has it."""


class StoppedEarlyError(ScraperError):
    """The run had to stop early: disk full, refused by the host, no network. It can be resumed."""

    exit_code = 4


class InterruptedRunError(ScraperError):
    """Someone asked the run to stop. It can be resumed."""

    exit_code = 130
