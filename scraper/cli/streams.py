"""The standard streams: classes in, results out, complaints to the side.

What reads lists of classes is imported where it is needed, since every command needs the rest.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from scraper.errors import InputError, StoppedEarlyError
from scraper.texts import encodable, printable, redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scraper.planning.classlists import ClassList

_LARGEST_INPUT: Final = 256 * 2**20
_LOOKED_AT: Final = 64 * 2**10
"""Bytes by which a file is told from text: pictures, databases and archives have a zero byte early."""
_KEPT: Final = "\n\t"
_KEPT_STYLED: Final = "\n\t\x1b"


def open_closed() -> None:
    """Give output somewhere to go where whoever started us closed it."""
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:
            setattr(sys, stream, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for as long as we run


def give_up(stream: TextIO) -> None:
    """Let what is left of a stream go nowhere, since nobody takes it: the interpreter writes it at its end."""
    with contextlib.suppress(OSError, ValueError):  # a stream that is no file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def class_words(words: Sequence[str]) -> ClassList:
    """The classes that arguments name.

    Raises:
        InputError: one is the name of a file, which people try where a list should be piped in.
    """
    from scraper.planning.classlists import read_classes

    found = read_classes(words, place="argument")
    for unread in found.unread:
        with contextlib.suppress(OSError, ValueError):
            if Path(unread.text).is_file():
                raise InputError(f"{unread.text} is a file, not a class: pipe it in, `scraper plan < {unread.text}`")
    return found


def standard_input(usage: str) -> ClassList:
    """The classes on standard input.

    Raises:
        InputError: it is a terminal, closed, or no list.
    """
    from scraper.planning.classlists import read_input

    if sys.stdin is None or sys.stdin.isatty():
        raise InputError(
            f"no class was given: name wnids, or pipe a list in, as in `scraper plan -n 10 < ids.txt`\n{usage}"
        )
    given = sys.stdin.buffer.read(_LARGEST_INPUT + 1)
    if len(given) > _LARGEST_INPUT:
        raise InputError("standard input is no list of classes: it is longer than 256 MiB")
    return read_input(given)


def asker() -> Callable[[str], bool] | None:
    """What asks the person at the terminal; None where there is none, though a list may be piped in."""
    if not sys.stderr.isatty():
        return None

    def ask(question: str) -> bool:
        try:
            with Path("/dev/tty").open("r+b", buffering=0) as terminal:
                terminal.write(f"{question}. Go on? [y/N] ".encode())
                return terminal.readline().strip().lower() in (b"y", b"yes")
        except OSError:
            return False

    return ask


def check_output(output: Path | None, manifest: Path) -> None:
    """Refuse to write a report over the manifest, what SQLite keeps beside it, or anything that is no text.

    Raises:
        InputError: it is one of these; nothing was changed.
    """
    if output is None:
        return
    ours = [manifest.with_name(manifest.name + end) for end in ("", "-wal", "-shm", "-journal", ".lock")]
    with contextlib.suppress(OSError):
        same = output.exists() and any(one.exists() and output.samefile(one) for one in ours)
        if same or output.resolve() in [one.resolve() for one in ours]:
            raise InputError(f"--output {output} is the manifest, or belongs to it: give another FILE")
    with contextlib.suppress(OSError):  # where it cannot be read, it may still be written
        if output.is_file():
            with output.open("rb") as file:
                if b"\0" in file.read(_LOOKED_AT):
                    raise InputError(f"--output {output} is there already and no report: give another FILE")


def print_text(
    text: str, output: Path | None = None, *, done: bool = False, styled: bool = False, errors: str = "backslashreplace"
) -> None:
    """Write a result to standard output, or to a file: only what can be printed, whoever wrote it first.

    Args:
        text: the result.
        output: the file; None for standard output.
        styled: whether it holds escape sequences of ours, and none of anybody else's.
        errors: how characters are written that the encoding of standard output does not have, see `codecs`.
        done: whether work was done that stands, whatever becomes of its result.

    Raises:
        InputError: it cannot be written, and nothing was changed.
        StoppedEarlyError: it cannot be written, and what was done is kept.
    """
    text = printable(text, _KEPT_STYLED if styled else _KEPT)
    try:
        if output is not None:
            output.write_text(text, encoding="utf-8")
        else:
            sys.stdout.write(encodable(text, sys.stdout.encoding or "utf-8", errors))
            sys.stdout.flush()
    except BrokenPipeError:
        give_up(sys.stdout)  # whoever read it has seen enough, and the command ends as it would have
    except OSError as error:
        if output is None:
            give_up(sys.stdout)
        failure = StoppedEarlyError if done else InputError
        raise failure(f"cannot write to {output or 'standard output'}: {error.strerror}") from error


def complain(line: str, kind: str = "") -> None:
    """Say on standard error what is wrong, and of what `kind`; a password in what was typed is not repeated."""
    tell(redacted(line), f"scraper: {kind}")


def tell(line: str, before: str = "") -> None:
    """Say something on standard error; that it cannot be said is no reason to end."""
    encoding = sys.stderr.encoding or "utf-8"
    try:
        # Not joined: there may be a million lines.
        sys.stderr.writelines((before, encodable(printable(line), encoding), "\n"))
        sys.stderr.flush()
    except OSError:
        give_up(sys.stderr)
