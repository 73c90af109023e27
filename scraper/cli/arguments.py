"""The command line before and after Fire: what was typed is checked against the signatures, then turned into options.

Fire runs a command before it finds an unknown flag, turns values into Python literals, takes the word after a boolean
flag for its value and reaches into objects by name. So every word is checked here first and handed to Fire in one
plain form, `--name=value`, which it cannot read in two ways.
"""

from __future__ import annotations

import difflib
import enum
import inspect
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fire import docstrings

from scraper.config import FetchOptions, NetworkOptions, PlanOptions, RecheckOptions, parse_connect_to
from scraper.errors import InputError
from scraper.model import Check, Form, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

_TRUE: Final = frozenset({"true", "yes", "1", "on"})
_FALSE: Final = frozenset({"false", "no", "0", "off"})
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s]*@")


def check(argv: Sequence[str], command: Callable[..., int]) -> list[str]:
    """The words of one command, `--name=value` each, positional ones first.

    Raises:
        InputError: an unknown flag, a flag given twice or without its value, or a word too many.
    """
    parameters = inspect.signature(command).parameters
    takes_words = any(p.kind is p.VAR_POSITIONAL for p in parameters.values())
    flags = {name: p.default for name, p in parameters.items() if p.kind is p.KEYWORD_ONLY}
    words: list[str] = []
    values: dict[str, str] = {}
    rest = iter(argv)
    for word in rest:
        if word in ("-", "--") or not word.startswith("-"):
            if not takes_words or word in ("-", "--"):
                raise InputError(f"unexpected argument {word!r}; see `scraper {command.__name__} --help`")
            words.append(word)
            continue
        name, value = _flag(word, rest, flags, command.__name__)
        if name in values:
            raise InputError(f"{_shown(name)} is given twice")
        values[name] = value
    return words + [f"--{name}={value}" for name, value in values.items()]


def _flag(word: str, rest: Iterator[str], flags: Mapping[str, object], command: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if re.fullmatch(r"-n[0-9].*", word) and "n" in flags:
        name, equals, value = "-n", "=", word[2:]
    key = name.lstrip("-").replace("-", "_")
    short = not name.startswith("--")
    negated = key.removeprefix("no_") if key.startswith("no_") else key.removeprefix("no")
    if key not in flags and isinstance(flags.get(negated), bool) and not equals:
        return negated, "False"
    if key not in flags or short != (len(key) == 1) or name.startswith("---"):
        raise InputError(f"unknown flag {name}{_suggestion(key, flags)}; see `scraper {command} --help`")
    if isinstance(flags[key], bool):
        return key, str(_boolean(name, value)) if equals else "True"
    if not equals:
        value = next(rest, "")
        if not value or (value.startswith("-") and not re.fullmatch(r"-[0-9.].*", value)):
            raise InputError(f"{name} needs a value, as in {_shown(key)} VALUE")
    if not value:
        raise InputError(f"{name} needs a value, as in {_shown(key)} VALUE")
    return key, value


def _shown(name: str) -> str:
    return f"-{name}" if len(name) == 1 else f"--{name.replace('_', '-')}"


def _suggestion(key: str, flags: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(key.lower(), list(flags), n=1)
    return f" (did you mean {_shown(close[0])}?)" if close else ""


def _boolean(name: str, value: str) -> bool:
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise InputError(f"{name} is True or False, not {value!r}")


def redacted(argv: Sequence[str]) -> list[str]:
    """The command line without passwords, for the record.

    >>> redacted(["--proxy=http://me:secret@proxy.example:3128"])
    ['--proxy=http://***@proxy.example:3128']
    """
    return [_CREDENTIALS.sub("***@", word) for word in argv]


# --- from text to values ---------------------------------------------------------------------------------------------

_UNITS: Final = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "ki": 2**10, "mi": 2**20, "gi": 2**30}


def whole(name: str, text: str) -> int:
    """A whole number from a flag's text.

    Raises:
        InputError: it is none.
    """
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise InputError(f"{name} must be a whole number, not {text!r}")
    return int(text)


def number(name: str, text: str) -> float:
    """A number from a flag's text.

    Raises:
        InputError: it is none.
    """
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", text):
        raise InputError(f"{name} must be a number such as 1.5, not {text!r}")
    return float(text)


def size(name: str, text: str) -> int:
    """A size in bytes from a flag's text: 20MB is 20,000,000 and 20MiB is 20 x 1,048,576.

    Raises:
        InputError: it is none.

    >>> size("--max-bytes", "20MB"), size("--max-bytes", "1.5 KiB")
    (20000000, 1536)
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([kmg]?i?)b?", text.strip(), re.IGNORECASE)
    if not match or match[2].lower() not in _UNITS:
        raise InputError(f"{name} must be a size such as 20MB or 512KiB, not {text!r}")
    if len(match[1]) > 18:
        raise InputError(f"{name}: {text[:18]}… is no size of a file")
    return round(float(match[1]) * _UNITS[match[2].lower()])


_Choice = TypeVar("_Choice", bound=enum.StrEnum)


def choice(name: str, text: str, among: type[_Choice]) -> _Choice:
    """One of a closed set from a flag's text.

    Raises:
        InputError: it is none of them.
    """
    try:
        return among(text.strip().lower())
    except ValueError:
        raise InputError(f"{name} must be one of {', '.join(among)}, not {text!r}") from None


def _names(text: str | None) -> list[str]:
    return [name for name in (text or "").split(",") if name.strip()]


def network_options(given: Mapping[str, Any]) -> NetworkOptions:
    """The options of requests from the flags.

    Raises:
        InputError: one is wrong.
    """
    return NetworkOptions(
        timeout=number("--timeout", given["timeout"]),
        connect_to=parse_connect_to(given["connect_to"]) if given["connect_to"] else (),
        ca_certs=Path(given["ca_certs"]) if given["ca_certs"] else None,
        proxy=given["proxy"],
        allow_private=given["allow_private"],
        user_agent=given["user_agent"],
    )


def plan_options(given: Mapping[str, Any]) -> PlanOptions:
    """The options of plan from its flags.

    Raises:
        InputError: one is wrong.
    """
    return PlanOptions(
        n=whole("-n", given["n"]),
        oversample=number("--oversample", given["oversample"]),
        source=given["source"],
        hosts=tuple(host.strip().lower().strip(".") for host in given["hosts"].split(",") if host.strip()),
        shuffle=given["shuffle"],
        threads=whole("--threads", given["threads"]),
        network=network_options(given),
    )


def fetch_options(given: Mapping[str, Any]) -> FetchOptions:
    """The options of fetch from its flags.

    Raises:
        InputError: one is wrong.
    """
    return FetchOptions(
        out=Path(given["out"]),
        threads=whole("--threads", given["threads"]),
        top_up=given["top_up"],
        retries=whole("--retries", given["retries"]),
        max_bytes=size("--max-bytes", given["max_bytes"]),
        rate=number("--rate", given["rate"]) if given["rate"] else None,
        check=choice("--verify", given["verify"], Check),
        retry=frozenset(choice("--retry", name, Outcome) for name in _names(given["retry"])),
        repair=choice("--repair", given["repair"], Form) if given["repair"] else None,
        honour_opt_out=not given["ignore_opt_out"],
        network=network_options(given),
    )


def recheck_options(given: Mapping[str, Any]) -> RecheckOptions:
    """The options of recheck from its flags.

    Raises:
        InputError: one is wrong.
    """
    return RecheckOptions(
        sample=whole("--sample", given["sample"]),
        outcomes=frozenset(choice("--outcomes", name, Outcome) for name in _names(given["outcomes"])),
        seed=given["seed"],
        threads=whole("--threads", given["threads"]),
        network=network_options(given),
    )


# --- help ------------------------------------------------------------------------------------------------------------


def help_text(command: Callable[..., int]) -> str:
    """The help of one command, made from its signature and docstring."""
    parsed = docstrings.parse(inspect.getdoc(command) or "")
    meanings = {argument.name.lstrip("*"): argument.description for argument in parsed.args or ()}
    parameters = inspect.signature(command).parameters.values()
    words = "".join(f" [{p.name.upper().removesuffix('S')} ...]" for p in parameters if p.kind is p.VAR_POSITIONAL)
    lines = [f"usage: scraper {command.__name__}{words} [FLAGS]"]
    for paragraph in (parsed.summary, parsed.description):
        lines += ["", *textwrap.wrap(paragraph or "", 78)] if paragraph else []
    lines += ["", "flags:"]
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY:
            lines += _flag_help(parameter, meanings.get(parameter.name, ""))
    return "\n".join(lines) + "\n"


def _flag_help(parameter: inspect.Parameter, meaning: str | None) -> list[str]:
    default = parameter.default
    name = _shown(parameter.name)
    if isinstance(default, bool):
        head = f"  {name}" if not default else f"  {name} / {name.replace('--', '--no-', 1)}"
        tail = f" (default: {'yes' if default else 'no'})"
    else:
        head = f"  {name} {parameter.name.upper()}"
        tail = f" (default: {default})" if default is not None else ""
    meaning = (meaning or "").strip()
    text = " ".join(f"{meaning.removesuffix('.') if tail else meaning}{tail}".split())
    indent = " " * 24
    body = textwrap.wrap(
        text, 78, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False
    )
    if len(head) < 23 and body:
        return [head.ljust(24) + body[0].lstrip(), *body[1:]]
    return [head, *body]
