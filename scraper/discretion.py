"""What a manifest may keep of its user: it is published beside papers, and shows neither home folders nor secrets."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from scraper.texts import redacted, redacted_words

if TYPE_CHECKING:
    from collections.abc import Iterable

PATH: Final = "PATH"
"""Stands for a path that leads out of the working folder."""
_HIDDEN: Final = "***"
_PARAMETER: Final = re.compile(r"(?<=[?&;#])([^=&;#\s]+)=([^&;#\s]*)")
_SECRET: Final = re.compile(
    r"key(?!word)|token|signature|(?<![a-z])sig(?![a-z])|secret|pass|pwd|auth(?!or\b)|cred|session|jwt|hmac",
    re.IGNORECASE,
)
"""In the name of a parameter whose value is nobody else's business: API keys, signed URLs, sessions."""
_RANDOM: Final = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9+/_=.~-]{24,}")
"""A value that nobody has typed."""
_LIST: Final = re.compile(
    r"[\w.-]*\.(?:txt|lst|csv|tsv|jsonl?|parquet|db|tar|t?gz|tgz|bz2|xz|zip)", re.IGNORECASE | re.ASCII
)
"""Names of files that tell where lists came from, and nothing of who has them."""


def without_secrets(text: str) -> str:
    """The text with no password and no value of a query that looks like a secret.

    >>> without_secrets("https://me:pw@api.example/list?wnid={wnid}&api_key=0815&sort=rank")
    'https://***@api.example/list?wnid={wnid}&api_key=***&sort=rank'
    """
    return _PARAMETER.sub(_parameter, redacted(text))


def _parameter(match: re.Match[str]) -> str:
    name, value = match.groups()
    secret = _SECRET.search(unquote(name)) or _RANDOM.fullmatch(unquote(value))
    return f"{name}={_HIDDEN}" if secret and value else match[0]


def discreet_path(path: str, folder: str) -> str:
    """A path as it looks from the working folder, or `PATH` where it leads out of it.

    Args:
        path: absolute, or relative to `folder`.
        folder: the working folder; empty where it is not known.

    >>> discreet_path("/home/me/work/images", "/home/me/work"), discreet_path("/home/me/images", "/home/me/work")
    ('images', 'PATH')
    >>> discreet_path("../lists/fall11_urls.tgz", ""), discreet_path("lists", "")
    ('PATH/fall11_urls.tgz', 'lists')
    """
    plain = posixpath.normpath(path)
    root = posixpath.normpath(folder) if folder else ""
    if root and (plain == root or plain.startswith(root.rstrip("/") + "/")):
        return posixpath.relpath(plain, root)
    if plain != ".." and not plain.startswith(("/", "~", "../")):
        return path
    name = posixpath.basename(plain)
    return f"{PATH}/{name}" if _LIST.fullmatch(name) else PATH


def discreet(text: str, folder: str) -> str:
    """A value that may be a URL, a path, or several of them by commas, as it may be kept; `folder` as above."""
    return ",".join(
        without_secrets(part) if "://" in part or "?" in part else discreet_path(part, folder) if "/" in part else part
        for part in text.split(",")
    )


def discreet_words(words: Iterable[str], folder: str) -> list[str]:
    """A command line as it may be kept; `folder` as above.

    >>> discreet_words(["plan", "--source=https://a.example/?key=0815", "--manifest", "/home/me/a.db"], "/home/me/work")
    ['plan', '--source=https://a.example/?key=***', '--manifest', 'PATH/a.db']
    """
    found = []
    for word in redacted_words(words):
        flag, equals, value = word.partition("=") if word.startswith("-") else ("", "", word)
        found.append(f"{flag}{equals}{discreet(value, folder)}" if value else word)
    return found
