"""Completion of commands, flags and their values in shells, made from the options themselves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scraper.cli.arguments import shown
from scraper.cli.commands import COMMANDS
from scraper.errors import InputError
from scraper.kinds import Choice, Choices, FilePath
from scraper.naming.presets import PRESETS
from scraper.texts import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scraper.options import FlagSpec


def script(shell: str) -> str:
    """What a shell must read to complete our command line.

    Raises:
        InputError: there is no completion for it.
    """
    if shell not in _SCRIPTS:
        raise InputError(f"--completion must be one of {', '.join(_SCRIPTS)}, not {one_line(shell, 60)!r}")
    return _SCRIPTS[shell]()


def _flags(command: str) -> Iterator[tuple[str, FlagSpec]]:
    """The flags of a command as they are typed, switches also turned round."""
    for name, spec in COMMANDS[command].flags().items():
        yield shown(name), spec
        if spec.switch and spec.on:
            yield shown(f"no_{name}"), spec


def _values(name: str, spec: FlagSpec) -> list[str]:
    kind = spec.option.kind
    if isinstance(kind, (Choice, Choices)):
        return [str(member) for member in kind.among]
    return list(PRESETS) if name == "--preset" else []


def _bash() -> str:
    flags = "".join(f"    {c}) words='{' '.join(name for name, _ in _flags(c))} --help' ;;\n" for c in COMMANDS)
    values = "".join(
        f"    {command}:{name}) words='{' '.join(found)}' ;;\n"
        for command in COMMANDS
        for name, spec in _flags(command)
        if (found := _values(name, spec))
    )
    files = "|".join(sorted({f"*:{name}" for c in COMMANDS for name, s in _flags(c) if _of_files(s)}))
    return f"""\
# eval "$(scraper --completion bash)"
_scraper() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" command="${{COMP_WORDS[1]}}" words=''
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '{" ".join(COMMANDS)} --help --version --completion' -- "$word"))
    return
  fi
  case "$command:$before" in
{values}    {files}) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  if [ -n "$words" ]; then
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    return
  fi
  case "$command" in
{flags}  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -F _scraper scraper
"""


def _of_files(spec: FlagSpec) -> bool:
    return isinstance(spec.option.kind, FilePath)


def _zsh() -> str:
    commands = " ".join(_quoted(f"{name}:{command.summary}") for name, command in COMMANDS.items())
    cases = "".join(
        f"    {command}) _arguments {' '.join(_zsh_flag(name, spec) for name, spec in _flags(command))} ;;\n"
        for command in COMMANDS
    )
    return f"""\
# eval "$(scraper --completion zsh)"   (after compinit)
_scraper() {{
  local -a commands=({commands})
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$command" in
{cases}  esac
}}
compdef _scraper scraper
"""


def _zsh_flag(name: str, spec: FlagSpec) -> str:
    about = re.sub(r"[\[\]:]", r"\\\g<0>", spec.option.help)
    if spec.switch:
        return _quoted(f"{name}[{about}]")
    found = _values(name, spec)
    action = f"({' '.join(found)})" if found else "_files" if _of_files(spec) else " "
    return _quoted(f"{name}[{about}]:value:{action}")


def _fish() -> str:
    lines = ["# scraper --completion fish | source", "complete -c scraper -f"]
    for name, command in COMMANDS.items():
        lines.append(f"complete -c scraper -n __fish_use_subcommand -a {name} -d {_quoted(command.summary)}")
        lines += [_fish_flag(name, flag, spec) for flag, spec in _flags(name)]
    return "\n".join(lines) + "\n"


def _fish_flag(command: str, name: str, spec: FlagSpec) -> str:
    kind = f"-s {name[1:]}" if len(name) == len("-n") else f"-l {name[2:]}"
    found = _values(name, spec)
    value = "" if spec.switch else f" -x -a '{' '.join(found)}'" if found else " -r -F" if _of_files(spec) else " -x"
    seen = f"-n '__fish_seen_subcommand_from {command}'"
    return f"complete -c scraper {seen} {kind}{value} -d {_quoted(spec.option.help)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}") + "'"


_SCRIPTS: Final[dict[str, Callable[[], str]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
