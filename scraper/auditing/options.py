"""What verify, survey, trace and forget are asked to do."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scraper.config import BELIEVE, PATIENCE, THREADS
from scraper.errors import OptionError
from scraper.kinds import Choice, Choices, Duration, FilePath, Flag, Number, Text, Whole
from scraper.model import DECIDED_KINDS, Frame, Outcome
from scraper.options import Options, group, option
from scraper.web.options import NetworkOptions

MOST_SAMPLED: Final = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyOptions(Options):
    """What verify is asked to do."""

    repair: bool = option(
        default=False,
        kind=Flag(),
        help="put images that are missing or damaged back to waiting, for fetch to get again; no file is removed",
    )
    missing_anyway: bool = option(
        default=False,
        kind=Flag(),
        help="with --repair: although most images are missing or damaged, as they are in the wrong folder",
    )
    remove_strays: bool = option(
        default=False,
        kind=Flag(),
        help="remove ordinary files in the classes' folders that the manifest does not know, whosoever they are",
    )
    out: Path = option(Path("images"), FilePath(Path, "FOLDER"), "folder of the images")


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyOptions(Options):
    """What survey is asked to do."""

    of: Frame = option(
        Frame.LISTED,
        Choice(Frame),
        "draw from all URLs of the lists, asked for before or not, or from those that were answered for good",
    )
    sample: int | None = option(
        None, Whole(1, MOST_SAMPLED), "URLs to ask at most, drawn at random: 1000 unless --until is given"
    )
    until: float | None = option(
        None, Number(0.001, 0.5), "go on until half the width of the 95 % interval is this, such as 0.02"
    )
    outcomes: frozenset[Outcome] = option(
        frozenset(),
        Choices(
            Outcome,
            frozenset(outcome for outcome in Outcome if outcome.kind in DECIDED_KINDS),
            "which is no answer about a photo",
        ),
        "with --of answered: only URLs last answered with these outcomes, by commas, such as saved,gone",
    )
    seed: str | None = option(None, Text("SEED"), "draw the same sample as another survey with this seed")
    threads: int = option(8, THREADS, "requests at once")
    believe_answers: bool = option(default=False, kind=Flag(), help=BELIEVE)
    patience: float = option(3600.0, Duration(31 * 86400), PATIENCE)
    network: NetworkOptions = group(NetworkOptions, "connections")

    def _agree(self) -> None:
        if self.outcomes and self.of is Frame.LISTED:
            raise OptionError("outcomes", "is for URLs that were answered: give --of answered too")


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
