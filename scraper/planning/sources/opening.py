"""`--source` to sources: which kinds it names, whether they can work, and in what order they are asked."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scraper.errors import InputError
from scraper.planning.sources.api import Api
from scraper.planning.sources.caching import cache_folder
from scraper.planning.sources.file import WholeFile
from scraper.planning.sources.folder import Folder, scan
from scraper.planning.sources.interface import SourceFailedError
from scraper.planning.sources.known import KNOWN
from scraper.planning.sources.whole import UNASKED, KnownFile
from scraper.urls import host_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scraper.planning.sources.interface import Means, Source

_WNID: Final = "{wnid}"
_TOLD: Final = 3
"""Files that are no lists, of those beside some, that are told of."""


def open_sources(text: str, means: Means) -> list[Source]:
    """The sources that `--source` names, in order.

    Raises:
        InputError: one cannot work: a URL without `{wnid}` or of another scheme; a path that is missing, unreadable or
            no list; a folder without a single list.
    """
    sources = [source for name in split_names(text) for source in _opened(name, means)]
    if not sources:
        raise InputError("--source names no source")
    return sources


def split_names(text: str) -> list[str]:
    """The names in `--source`, each once. A comma in a URL before its `{wnid}`, or in a path that exists, is its own.

    >>> split_names("api,lists/,https://a.example/?q=SELECT a,b WHERE c='{wnid}'")
    ['api', 'lists/', "https://a.example/?q=SELECT a,b WHERE c='{wnid}'"]
    """
    names: list[str] = []
    parts = text.split(",")
    while parts:
        taken = _taken(parts)
        name = ",".join(parts[:taken]).strip()
        parts = parts[taken:]
        if name and name not in names:
            names.append(name)
    return names


def _taken(parts: list[str]) -> int:
    """How many of the parts make the first name."""
    for count in range(1, len(parts) + 1):
        joined = ",".join(parts[:count]).strip()
        if (_is_url(joined) and _WNID in joined) or (not _is_url(joined) and _exists(joined)):
            return count
    return 1


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long, or no name at all: so it is said once it is opened
        return False


def _is_url(name: str) -> bool:
    return re.match(r"[a-z][a-z0-9+.-]*://", name, re.IGNORECASE) is not None


def _opened(name: str, means: Means) -> Iterator[Source]:
    if name in KNOWN:
        yield _known(name, means)
    elif _is_url(name):
        _check_url(name)
        yield Api(name, means)
    elif _exists(name) and Path(name).is_dir():
        yield from _in_folder(Path(name), means)
    else:
        if not _exists(name):
            short = f" or the name of a known list ({', '.join(KNOWN)})"
            raise InputError(f"--source {name}: no such file or folder{short}; a URL begins with https://")
        if not Path(name).is_file():
            raise InputError(f"--source {name}: not an ordinary file; write what comes through a pipe to a file first")
        file = WholeFile(Path(name), means)
        file.check()
        yield file


def _known(name: str, means: Means) -> Source:
    known = KNOWN[name]
    if not known.whole:
        return Api(known.addresses[0], means)
    folders = [means.scratch, cache_folder(os.environ, means.scratch)]
    source = KnownFile(known, means, means.connect(), folders)
    large = known.bytes if known.bytes is not None and known.bytes > UNASKED else 0
    if large and not means.agreed and source.find() is None:
        host = host_in(known.addresses[0])
        question = f"{name} has to be downloaded once: {large / 1e6:,.0f} MB from {host} to {folders[-1]}"
        if not means.ask(question):
            raise InputError(f"{question}; nothing was downloaded, and nothing was changed")
    return source


def _check_url(name: str) -> None:
    if not name.lower().startswith(("http://", "https://")):
        raise InputError(f"--source {name}: only http and https URLs can be asked")
    if "@" in name.split("://", 1)[1].split("/", 1)[0]:
        raise InputError("--source: a user name or password in the URL would be kept in the manifest; leave it out")
    if _WNID not in name:
        raise InputError(f"--source {name}: a URL must have {_WNID} where the class id goes")


def _in_folder(path: Path, means: Means) -> Iterator[Source]:
    """The lists of classes in a folder, and the files beside them that hold many."""
    try:
        by_class, others = scan(path)
    except OSError as error:
        raise InputError(f"--source {path}: cannot be read: {error.strerror}") from error
    files = [WholeFile(other, means) for other in others]
    good: list[WholeFile] = []
    problems: list[str] = []
    for file in files:
        try:
            file.check()
        except SourceFailedError as error:
            problems.append(error.as_typed)
        else:
            good.append(file)
    if not by_class and not good:
        told = f"; {problems[0]}" if problems else ""
        raise InputError(f"--source {path}: no list in this folder, such as n01440764.txt or fall11_urls.txt{told}")
    for problem in problems[:_TOLD]:
        means.notice(f"passed over: {problem}")
    if by_class:
        yield Folder(path, by_class, means.reading)
    yield from good
