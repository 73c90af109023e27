"""The command line: a Fire shell around the Python API. Parses, validates, runs, and turns errors into exit codes."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import os
import signal
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final

import fire

from scraper.cli.arguments import check as check_words
from scraper.cli.arguments import fetch_options, help_text, plan_options, recheck_options, redacted
from scraper.config import DEFAULT_MANIFEST, DEFAULT_SOURCE, DEFAULT_USER_AGENT
from scraper.errors import InputError, InterruptedRunError, ScraperError, StoppedEarlyError
from scraper.planning.classlists import decode_lines
from scraper.running.crew import Stop
from scraper.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

_MANIFEST: Final = str(DEFAULT_MANIFEST)
_LARGEST_INPUT: Final = 256 * 2**20
_FORMATS: Final = ("text", "json", "csv", "html")

USAGE: Final = """\
usage: scraper COMMAND [FLAGS]

n real photographs for each of some ImageNet classes, through one SQLite manifest.

commands:
  plan     look up the image URLs of classes and record them as candidates
  fetch    fetch candidates until each class has its n images
  report   show what each class lacks and why, and how many URLs are broken
  verify   re-read every saved image and compare it with the manifest
  recheck  ask again for a sample of URLs, to follow link rot over time

  scraper COMMAND --help tells the flags of a command; scraper --version the version.

example:
  scraper plan -n 10 n01440764 n02123045
  scraper fetch
  scraper report
"""


def plan(
    *wnids: str,
    n: str = "10",
    oversample: str = "1.33",
    source: str = DEFAULT_SOURCE,
    hosts: str = "flickr.com,staticflickr.com",
    shuffle: str | None = None,
    threads: str = "8",
    manifest: str = _MANIFEST,
    timeout: str = "30",
    connect_to: str | None = None,
    ca_certs: str | None = None,
    proxy: str | None = None,
    allow_private: bool = False,
    user_agent: str = DEFAULT_USER_AGENT,
) -> int:
    """Look up the image URLs of classes and record those on the wanted hosts as candidates.

    Classes are given as arguments, or one a line on standard input: a WordNet id such as n01440764, with a label
    before or after it if you like. Run again, plan goes on where it stopped and tries the failed classes again; with
    more classes it adds them, with another -n it moves the target.

    Args:
        wnids: the classes.
        n: images wanted for each class.
        oversample: candidates that fetch may try at first, for each image wanted.
        source: where the lists are: a URL with {wnid} in it, a file in the format of fall11_urls.txt (plain, .gz or
            .tgz), or a folder of WNID.txt lists.
        hosts: domains whose URLs become candidates, by commas.
        shuffle: draw the order of candidates from this seed instead of keeping the list's.
        threads: requests at once.
        manifest: the SQLite file that records everything.
        timeout: seconds a request may take in all.
        connect_to: HOST1:PORT1:HOST2:PORT2[,...], as in curl: connect to the second where the first is asked for; an
            empty HOST1 or PORT1 means any.
        ca_certs: a PEM file of certificates to trust beside the system's.
        proxy: URL of a proxy, in place of those in the environment.
        allow_private: let requests go to loopback and private addresses.
        user_agent: what to call ourselves.
    """
    options = plan_options(locals())
    ui, planning = importlib.import_module("scraper.cli.ui"), importlib.import_module("scraper.planning.resolving")
    lines = list(wnids) or _standard_input()
    with ui.plan_progress() as progress, _stopping() as stop:
        summary = planning.plan(
            lines, options, manifest=manifest, progress=progress, stop=stop, argv=redacted(sys.argv[1:])
        )
    _print(ui.describe_plan(summary), done=True)
    return 1 if summary.failed else 0


def fetch(
    *,
    threads: str = "32",
    out: str = "images",
    top_up: bool = True,
    retries: str = "3",
    timeout: str = "30",
    max_bytes: str = "20MB",
    rate: str | None = None,
    verify: str = "decode",
    retry: str | None = None,
    repair: str | None = None,
    ignore_opt_out: bool = False,
    manifest: str = _MANIFEST,
    connect_to: str | None = None,
    ca_certs: str | None = None,
    proxy: str | None = None,
    allow_private: bool = False,
    user_agent: str = DEFAULT_USER_AGENT,
) -> int:
    """Fetch candidates until each class has its n images, or its list is used up.

    Every request and its outcome is recorded in the manifest. Ctrl-C stops within seconds and keeps all that was
    done; run again, fetch goes on where it stopped and never asks twice for what was answered for good.

    Args:
        threads: requests at once.
        out: folder of the images, which gets one folder for each class.
        top_up: a class that has spent its first candidates and is short may use more of its list.
        retries: tries of a candidate in one run, as long as nothing is known of its photo.
        timeout: seconds a request may take in all, redirects and body included.
        max_bytes: the largest picture to keep.
        rate: requests a second at most (default: no limit).
        verify: decode each picture to its end before it is kept, or look at its header and end only: decode or header.
        retry: final outcomes to ask for once more in classes that are short, by commas, such as forbidden,gone.
        repair: live tries the same path on live.staticflickr.com where an older Flickr host says a photo is dead.
        ignore_opt_out: keep pictures although their X-Robots-Tag asks not to use them so.
        manifest: the SQLite file that plan made.
        connect_to: HOST1:PORT1:HOST2:PORT2[,...], as in curl: connect to the second where the first is asked for; an
            empty HOST1 or PORT1 means any.
        ca_certs: a PEM file of certificates to trust beside the system's.
        proxy: URL of a proxy, in place of those in the environment.
        allow_private: let requests go to loopback and private addresses.
        user_agent: what to call ourselves.
    """
    options = fetch_options(locals())
    ui, fetching = importlib.import_module("scraper.cli.ui"), importlib.import_module("scraper.fetching.draining")
    with ui.fetch_progress() as (progress, notice), _stopping() as stop:
        summary = fetching.fetch(
            options, manifest=manifest, progress=progress, notice=notice, stop=stop, argv=redacted(sys.argv[1:])
        )
    _print(ui.describe_fetch(summary), done=True)
    return 0


def report(
    *,
    format: str = "text",
    output: str | None = None,
    check: bool = False,
    manifest: str = _MANIFEST,
) -> int:
    """Show what each class lacks and why, and how many URLs are broken: by outcome, HTTP status and host.

    Args:
        format: text, json, csv (the classes) or html.
        output: a file to write to instead of standard output.
        check: exit with 1 if any class is short.
        manifest: the SQLite file that plan made; a run may be writing to it.
    """
    if format not in _FORMATS:
        raise InputError(f"--format must be one of {', '.join(_FORMATS)}, not {format!r}")
    numbers = importlib.import_module("scraper.reporting.numbers")
    found = numbers.report(manifest)
    if format == "text":
        terminal = output is None and sys.stdout.isatty()
        text = importlib.import_module("scraper.reporting.text").to_text(found, terminal=terminal)
    else:
        text = getattr(importlib.import_module("scraper.reporting.formats"), f"to_{format}")(found)
    _print(text, output)
    return 1 if check and found.totals.shortfall else 0


def verify(*, repair: bool = False, out: str = "images", manifest: str = _MANIFEST) -> int:
    """Re-read every saved image and compare its size and SHA-256 with the manifest.

    Exits with 1 if an image is missing or damaged, if there are files that the manifest does not speak of, or if the
    manifest contradicts itself.

    Args:
        repair: put what is missing or damaged back to waiting, for fetch to get again, and remove what is left over.
        out: folder of the images.
        manifest: the SQLite file that plan made.
    """
    ui, verifying = importlib.import_module("scraper.cli.ui"), importlib.import_module("scraper.auditing.verifying")
    with ui.verify_progress() as progress, _stopping() as stop:
        summary = verifying.verify(
            out=out, repair=repair, manifest=manifest, progress=progress, stop=stop, argv=redacted(sys.argv[1:])
        )
    _print(ui.describe_verify(summary))
    return 0 if summary.sound or summary.repaired else 1


def recheck(
    *,
    sample: str = "1000",
    outcomes: str | None = None,
    seed: str | None = None,
    threads: str = "8",
    manifest: str = _MANIFEST,
    timeout: str = "30",
    connect_to: str | None = None,
    ca_certs: str | None = None,
    proxy: str | None = None,
    allow_private: bool = False,
    user_agent: str = DEFAULT_USER_AGENT,
) -> int:
    """Ask again for a sample of the URLs that were answered for good, to follow link rot over time.

    Only the first bytes are asked for, no image is stored and nothing that is known changes: the answers are kept as
    a wave of their own, in the table `rechecks` and the view `waves`.

    Args:
        sample: URLs to ask again at most, drawn at random.
        outcomes: only those last answered with these outcomes, by commas, such as saved,gone (default: all answers).
        seed: draw the same sample as another recheck with this seed.
        threads: requests at once.
        manifest: the SQLite file that plan made.
        timeout: seconds a request may take in all.
        connect_to: HOST1:PORT1:HOST2:PORT2[,...], as in curl: connect to the second where the first is asked for; an
            empty HOST1 or PORT1 means any.
        ca_certs: a PEM file of certificates to trust beside the system's.
        proxy: URL of a proxy, in place of those in the environment.
        allow_private: let requests go to loopback and private addresses.
        user_agent: what to call ourselves.
    """
    options = recheck_options(locals())
    ui, rechecking = importlib.import_module("scraper.cli.ui"), importlib.import_module("scraper.auditing.rechecking")
    with ui.recheck_progress() as progress, _stopping() as stop:
        summary = rechecking.recheck(
            options, manifest=manifest, progress=progress, stop=stop, argv=redacted(sys.argv[1:])
        )
    _print(ui.describe_recheck(summary), done=True)
    return 0


COMMANDS: Final[dict[str, Callable[..., int]]] = {
    command.__name__: command for command in (plan, fetch, report, verify, recheck)
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed by whoever started us
            setattr(sys, stream, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for as long as we run
    # sqlite-utils imports NumPy where there is one, whose BLAS starts a thread for each core that spins for a while.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Pillow warns of odd metadata in pictures, which is neither an error nor news to whoever fetches thousands.
    warnings.filterwarnings("ignore", module="PIL")
    try:
        return _run(words)
    except InterruptedRunError as error:
        _complain(str(error))
        return error.exit_code
    except ScraperError as error:
        _complain(f"error: {error}")
        return error.exit_code
    except KeyboardInterrupt:
        _complain("interrupted")
        return InterruptedRunError.exit_code
    except BrokenPipeError:
        # Whoever read our output has seen enough; give the interpreter's last flush somewhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0


def _run(words: list[str]) -> int:
    name = words[0] if words else ""
    if name in ("-h", "--help", "help"):
        _print(USAGE)
        return 0
    if name in ("--version", "version"):
        _print(f"scraper {__version__}\n")
        return 0
    if name not in COMMANDS:
        problem = f"unknown command {name!r}" if name else "no command"
        raise InputError(f"{problem}: it is one of {', '.join(COMMANDS)} (see `scraper --help`)")
    if {"-h", "--help"} & set(words):
        _print(help_text(COMMANDS[name]))
        return 0
    calls: list[Callable[[], int]] = []
    plain = [name, *check_words(words[1:], COMMANDS[name])]
    fire.Fire({name: _recorder(COMMANDS[name], calls)}, command=plain, name="scraper")
    return calls[0]()


def _recorder(command: Callable[..., int], calls: list[Callable[[], int]]) -> Callable[..., None]:
    """What Fire sees in place of a command: the same signature, but the call is only written down, as text."""

    @functools.wraps(command)
    def record(*args: str, **flags: str) -> None:
        switches = {key for key, p in inspect.signature(command).parameters.items() if isinstance(p.default, bool)}
        typed = {key: value == "True" if key in switches else value for key, value in flags.items()}
        calls.append(functools.partial(command, *args, **typed))

    recorder: Callable[..., None] = fire.decorators.SetParseFn(str)(record)
    return recorder


@contextlib.contextmanager
def _stopping() -> Iterator[Stop]:
    """Let Ctrl-C and SIGTERM stop the run kindly, and a second one at once."""
    stop = Stop()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.ask()

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _standard_input() -> list[str]:
    if sys.stdin is None or sys.stdin.isatty():
        raise InputError(
            "no class was given: name wnids, or pipe a list in, as in `scraper plan -n 10 < ids.txt`\n"
            + help_text(plan).splitlines()[0]
        )
    given = sys.stdin.buffer.read(_LARGEST_INPUT + 1)
    if len(given) > _LARGEST_INPUT:
        raise InputError("standard input is no list of classes: it is longer than 256 MiB")
    return decode_lines(given)


def _print(text: str, output: str | None = None, *, done: bool = False) -> None:
    try:
        if output is not None:
            Path(output).write_text(text, encoding="utf-8")
        else:
            sys.stdout.write(text)
            sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        failure = StoppedEarlyError if done else InputError  # the one says that nothing was changed, the other not
        raise failure(f"cannot write to {output or 'standard output'}: {error.strerror}") from error


def _complain(line: str) -> None:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"scraper: {line}\n")
        sys.stderr.flush()
