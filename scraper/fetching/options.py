"""What fetch is asked to do."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from scraper.config import BELIEVE, LOCK_WAIT, PATIENCE, THREADS
from scraper.kinds import Choice, Choices, Duration, FilePath, Flag, Number, Size, Whole
from scraper.model import Check, Form, Outcome
from scraper.options import Options, group, option
from scraper.web.options import NetworkOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchOptions(Options):
    """What fetch is asked to do."""

    threads: int = option(32, THREADS, "requests at once")
    out: Path = option(
        Path("images"), FilePath(Path, "FOLDER"), "folder of the images, one folder in it for each class"
    )
    top_up: bool = option(
        default=True,
        kind=Flag(),
        help="a class that has spent its first candidates and is short may use more of its list",
    )
    retries: int = option(3, Whole(1, 100), "tries of a candidate in one run, as long as nothing is known of its photo")
    max_bytes: int = option(20_000_000, Size(1, 2**31), "the largest picture to keep")
    rate: float | None = option(
        None, Number(0, 1e6, "requests a second", above=True), "requests a second at most; without it, no limit"
    )
    patience: float = option(3600.0, Duration(31 * 86400), PATIENCE)
    check: Check = option(
        Check.DECODE,
        Choice(Check),
        "decode each picture to its end before it is kept, or look at its header and end only",
        was=("verify",),
    )
    retry: frozenset[Outcome] = option(
        frozenset(),
        Choices(
            Outcome,
            frozenset(o for o in Outcome if o not in (Outcome.SAVED, Outcome.WITHDRAWN)),
            "which is no failure to ask for again (withdrawn ones never are)",
        ),
        "outcomes to ask for once more in classes that are short, by commas: final ones such as forbidden,gone, or "
        "unknown ones of URLs that rest, such as throttled, since many runs have learnt nothing of them",
    )
    second_try: Form | None = option(
        None,
        Choice(Form),
        "where an older Flickr host says a photo is dead, try the same path on live.staticflickr.com",
        was=("repair",),
    )
    honour_opt_out: bool = option(
        default=True,
        kind=Flag(),
        help="keep pictures although their X-Robots-Tag asks not to use them so",
        flag="ignore_opt_out",
        inverted=True,
    )
    believe_answers: bool = option(default=False, kind=Flag(), help=BELIEVE)
    lock_wait: float = option(
        LOCK_WAIT,
        Number(0, math.inf, "seconds"),
        "how long to wait where another program keeps the manifest locked",
        flag="",
    )
    network: NetworkOptions = group(NetworkOptions, "connections")
