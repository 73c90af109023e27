"""What was probably meant, for people in a hurry: said in an error, never done."""

from __future__ import annotations

import difflib
import itertools
import shlex
from typing import TYPE_CHECKING

from scraper.cli.arguments import checked
from scraper.cli.commands import COMMANDS
from scraper.cli.commands.getting import PLAN
from scraper.cli.streams import class_words
from scraper.errors import InputError
from scraper.naming.finding import meanings
from scraper.naming.shipped import wordnet
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scraper.naming.wordnet import Synset


def no_command(words: Sequence[str]) -> InputError:
    """The error where the first word is no command."""
    name = words[0] if words else ""
    problem = f"unknown command {name!r}" if name else "no command"
    meant = _meant(words)
    hint = f"did you mean `{one_line(shlex.join(meant), 200)}`?" if meant else f"it is one of {', '.join(COMMANDS)}"
    return InputError(f"{problem}: {hint} (see `scraper --help`)")


def _meant(words: Sequence[str]) -> list[str]:
    name = words[0] if words else ""
    command = next((word for word in words[1:] if word in COMMANDS), None)
    if command is not None:
        rest = list(words)
        rest.remove(command)
        return ["scraper", command, *rest]
    close = difflib.get_close_matches(name.lower(), COMMANDS, n=1, cutoff=0.7)
    if close:
        return ["scraper", close[0], *words[1:]]
    if words and _is_plan(words):
        return ["scraper", PLAN.name, *words]
    # `golden retriever -n 5`: a name of several words that lacks its quotes.
    plain = list(itertools.takewhile(lambda word: not word.startswith("-"), words))
    named = [" ".join(plain), *words[len(plain) :]]
    return ["scraper", PLAN.name, *named] if len(plain) > 1 and _is_plan(named) else []


def _is_plan(words: Sequence[str]) -> bool:
    """Whether words would be classes and flags of plan."""
    try:
        plain = checked(words, PLAN.flags(), command=PLAN.name, takes_words=True)
    except InputError:
        return False
    given = [word for word in plain if not word.startswith("--")]
    read = class_words(given)
    return bool(given) and all(_classes(unread.text) for unread in read.unread)


def no_words(command: str, word: str) -> InputError:
    """The error where a command that takes no words was given one; for fetch, the class that it may mean."""
    shown = f"unexpected argument {word!r}"
    found = _classes(word) if command == "fetch" and word.strip("-_ ") else ()
    if not found:
        return InputError(f"{shown}; see `scraper {command} --help`")
    said = f"{shown}: fetch takes no classes, it fetches all that is planned"
    if len(found) == 1:
        return InputError(f"{said}; `scraper plan {found[0].wnid}` plans {found[0].name}")
    return InputError(f"{said}; `scraper classes {shlex.quote(one_line(word, 60))}` shows the {len(found)} it may mean")


def _classes(text: str) -> tuple[Synset, ...]:
    return meanings(wordnet(), text)
