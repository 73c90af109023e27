"""Text from elsewhere, made fit to be shown: lists and servers may hold what steers a terminal."""

from __future__ import annotations

from typing import Final

_MARK: Final = "\N{REPLACEMENT CHARACTER}"


def one_line(text: str, most: int = 300) -> str:
    r"""The text on one line of at most `most` characters, with a mark in place of each that cannot be printed.

    >>> one_line("bad\x1b[2J\nend").encode("ascii", "namereplace")
    b'bad\\N{REPLACEMENT CHARACTER}[2J end'
    """
    folded = " ".join(text[: 4 * most].split())
    shown = folded if folded.isprintable() else "".join(c if c.isprintable() else _MARK for c in folded)
    return shown if len(shown) <= most else shown[: most - 1] + "…"
