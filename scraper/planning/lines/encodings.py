"""What bytes people's lists are written in: UTF-8, with Latin-1 lines among it, or the UTF-16 of Windows' tools."""

from __future__ import annotations

import codecs
import re
from typing import Final

BOM: Final = codecs.BOM_UTF8
_ENDS: Final = re.compile(rb"\r\n|\n|\r")
_SEEN: Final = 64
"""Bytes that are looked at where no byte order mark tells."""


def utf16(start: bytes) -> str | None:
    r"""The kind of UTF-16 that bytes beginning like this are in, None where they are in none.

    >>> utf16(b"\xff\xfen\x000\x00"), utf16(b"\x00n\x000\x001\x004"), utf16(b"n01440764")
    ('utf-16-le', 'utf-16-be', None)
    """
    if start.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if start.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    seen = start[:_SEEN]
    if len(seen) >= 4 and 0 not in seen[::2] and not any(seen[1::2]):  # as ASCII is in it
        return "utf-16-le"
    return "utf-16-be" if len(seen) >= 4 and not any(seen[::2]) and 0 not in seen[1::2] else None


def decode(line: bytes) -> str:
    """The text of a line: UTF-8, or Latin-1 where it is not."""
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def decode_lines(data: bytes) -> list[str]:
    """Split the bytes of an input into lines: LF, CRLF or CR; a BOM is dropped."""
    encoding = utf16(data)
    if encoding is not None:
        text = data.decode(encoding, errors="replace").removeprefix("\ufeff")
        return re.split(r"\r\n|\n|\r", text)
    return [decode(line) for line in _ENDS.split(data.removeprefix(BOM))]
