"""What trace and forget are asked to do."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path

from scraper.kinds import Choice, FilePath, Flag
from scraper.options import Options, option


class TraceFormat(enum.StrEnum):
    """How a trace is written."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceOptions(Options):
    """How a trace is shown."""

    format: TraceFormat = option(TraceFormat.TEXT, Choice(TraceFormat), "text, or json with all that is known")


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetOptions(Options):
    """What forget is asked to do."""

    list: bool = option(
        default=False,
        kind=Flag(),
        help="print what is left out, as lines that `plan --suppress` of another manifest takes",
    )
    out: Path = option(Path("images"), FilePath(Path, "FOLDER"), "folder of the images, which fetch wrote to")
