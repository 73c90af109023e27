"""What `--help` shows, and the table of all options, both made from the options themselves."""

from __future__ import annotations

import textwrap
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from scraper.cli.arguments import shown
from scraper.cli.commands import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scraper.cli.commands.command import Command
    from scraper.options import FlagSpec

_WIDTH: Final = 79
_COLUMN: Final = 24
_PHASES: Final = ("choose", "plan", "fetch", "look", "keep")


def _command_list() -> Iterator[str]:
    """The commands, by phase."""
    for phase in _PHASES:
        yield f"to {phase}:"
        for command in COMMANDS.values():
            if command.phase == phase:
                yield f"  {command.name:9}{command.summary}"


USAGE: Final = f"""\
usage: scraper COMMAND [FLAGS]

n real photographs for each of some ImageNet classes, through one SQLite
manifest.

{chr(10).join(_command_list())}

  scraper COMMAND --help tells the flags of a command; scraper --version the
  version; scraper --completion bash (or zsh, fish) completes them in a shell.

example:
  scraper plan -n 10 tench "golden retriever"
  scraper fetch
  scraper report
"""


def help_text(command: Command[Any]) -> str:
    """The help of one command, made from its description and its options."""
    lines = [command.usage]
    for paragraph in command.description.split("\n\n"):
        lines += ["", *textwrap.wrap(paragraph, _WIDTH)]
    for group, flags in groupby(command.flags().items(), key=lambda item: item[1].group):
        lines += ["", f"{group or 'flags'}:"] if f"{group or 'flags'}:" not in lines else []
        for name, spec in flags:
            lines += _flag_help(name, spec)
    return "\n".join(lines) + "\n"


def _flag_help(name: str, spec: FlagSpec) -> list[str]:
    indent = " " * _COLUMN
    head = f"  {head_of(name, spec)}"
    body = textwrap.wrap(
        " ".join(f"{spec.option.help}{_default(spec)}".split()),
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
    if len(head) < _COLUMN - 1:
        return [head.ljust(_COLUMN) + body[0].lstrip(), *body[1:]]
    return [head, *body]


def head_of(name: str, spec: FlagSpec) -> str:
    """A flag with its value, or with its contrary where it is on by itself."""
    if spec.switch:
        return f"{shown(name)} / {shown('no_' + name)}" if spec.on else shown(name)
    return f"{shown(name)} {spec.option.kind.metavar}"


def _default(spec: FlagSpec) -> str:
    default = default_of(spec)
    return f" (default: {default})" if default else ""


def default_of(spec: FlagSpec) -> str:
    """The default as text, empty where there is none."""
    if spec.switch:
        return "yes" if spec.on else "no"
    return "" if spec.default in (None, (), frozenset()) else spec.option.kind.text(spec.default)


def table() -> str:
    """Every flag of every command, as a page in Markdown."""
    lines = [
        "# Options",
        "",
        "Every flag of every command. Flags work with `-` or `_`; a switch that is on is turned off by `--no-…`.",
    ]
    for command in COMMANDS.values():
        lines += ["", f"## `scraper {command.name}`", "", command.description.split("\n\n")[0]]
        lines += ["", "| flag | default | meaning |", "|---|---|---|"]
        lines += [_row(name, spec) for name, spec in command.flags().items()]
    return "\n".join(lines) + "\n"


def _row(name: str, spec: FlagSpec) -> str:
    head, default = head_of(name, spec).replace("|", "\\|"), default_of(spec).replace("|", "\\|")
    return f"| `{head}` | {f'`{default}`' if default else ''} | {spec.option.help} |"


if __name__ == "__main__":
    print(table(), end="")  # noqa: T201 - its whole purpose
