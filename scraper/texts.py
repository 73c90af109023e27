"""Text made fit to be shown and kept: that of lists and servers may steer a terminal, that of users hold a password."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from unicodedata import category

if TYPE_CHECKING:
    from collections.abc import Iterable

_MARK: Final = "\N{REPLACEMENT CHARACTER}"
_PLAIN: Final = {ord(_MARK): "?", ord("\N{HORIZONTAL ELLIPSIS}"): "..."}
_CREDENTIALS: Final = re.compile(r"(?<=://)(?:[^/\s]*|[^/\s:@]*:(?![0-9]{1,5}[/?#])\S*)@")
"""What stands before the host of a URL; a password may hold a slash, which ought to be written otherwise."""
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the beginning of one."""
_PROXY_FLAG: Final = "--proxy"


def one_line(text: str, width: int = 300) -> str:
    r"""The text on one line of at most `width` characters, with a mark in place of each that cannot be printed.

    >>> one_line("bad\x1b[2J\nend").encode("ascii", "namereplace")
    b'bad\\N{REPLACEMENT CHARACTER}[2J end'
    """
    folded = " ".join(text[: 4 * width].split())
    shown = folded if folded.isprintable() else "".join(c if c.isprintable() else _MARK for c in folded)
    return shown if len(shown) <= width else shown[: width - 1] + "…"


def printable(text: str, keep: str = "\n\t") -> str:
    r"""The text with a mark in place of each character that cannot be printed, but for those of `keep`.

    That is what steers a terminal (C0 and C1 controls, escape sequences by their first character), what turns the
    direction of text or hides in it (U+202E and its kin), line and paragraph separators, and halves of characters.
    Spaces of other widths become plain ones.

    >>> ascii(printable("bad\x1b]0;title\x07, \u202egpj.exe\u2028\xa0end\n"))
    "'bad\\ufffd]0;title\\ufffd, \\ufffdgpj.exe\\ufffd end\\n'"
    """
    if text.isprintable() or text.translate(dict.fromkeys(map(ord, keep))).isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else " " if category(c) == "Zs" else _MARK for c in text)


def encodable(text: str, encoding: str, errors: str = "backslashreplace") -> str:
    r"""The text as a stream of this encoding can hold it, with plain signs in place of our own that it cannot.

    >>> encodable("caf\xe9 \ufffd\u2026", "ascii")
    'caf\\xe9 ?...'
    """
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(_PLAIN).encode(encoding, errors).decode(encoding)
    return text


def defused(cell: str) -> str:
    """A cell of a table that no spreadsheet takes for a formula: with a quote before it where it would be one.

    After https://owasp.org/www-community/attacks/CSV_Injection.

    >>> defused("=1+2"), defused("tench"), defused("-1")
    ("'=1+2", 'tench', "'-1")
    """
    return f"'{cell}" if cell.startswith(FORMULAS) else cell


def counted(number: float, one: str, many: str | None = None) -> str:
    """A number of things, in the singular where it is one.

    >>> counted(1, "class", "classes"), counted(1200, "image")
    ('1 class', '1,200 images')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def redacted(text: str) -> str:
    """The text without the user names and passwords of URLs in it.

    >>> redacted("cannot use http://me:s3/cr3t@proxy.example:3128, nor ftp://you@host")
    'cannot use http://***@proxy.example:3128, nor ftp://***@host'
    """
    return _CREDENTIALS.sub("***@", text)


def redacted_words(words: Iterable[str]) -> list[str]:
    """A command line without passwords, for the record: a proxy may be named without a scheme.

    >>> redacted_words(["fetch", "--proxy=me:secret@proxy.example:3128", "--proxy", "me:secret@proxy.example"])
    ['fetch', '--proxy=***@proxy.example:3128', '--proxy', '***@proxy.example']
    """
    found: list[str] = []
    for word in words:
        flag, equals, value = word.partition("=")
        if flag == _PROXY_FLAG and equals:
            found.append(f"{flag}={_bare(value)}")
        else:
            found.append(_bare(word) if found and found[-1] == _PROXY_FLAG else redacted(word))
    return found


def _bare(proxy: str) -> str:
    if "@" not in proxy:
        return proxy
    scheme = re.match(r"(?:[a-z0-9+.-]+://)?", proxy, re.IGNORECASE)
    return f"{scheme[0] if scheme else ''}***@{proxy.rpartition('@')[2]}"
