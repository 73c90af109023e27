"""Strings that steer terminals, spreadsheets, browsers or readers, in the style of the Big List of Naughty Strings.

https://github.com/minimaxir/big-list-of-naughty-strings
"""

from __future__ import annotations

import unicodedata
from typing import Final

STRINGS: Final = (
    # Escape sequences: colours, the window's title, the clipboard, what a terminal answers, moving about, deleting.
    "\x1b[31mred\x1b[0m",
    "\x1b]0;a title\x07",
    "\x1b]52;c;cm0gLXJmIH4=\x07",
    "\x1b[6n\x1b[c",
    "\x1b[2J\x1b[H gone",
    "\x1bP+q544e\x1b\\",
    "\x1b]8;;https://evil.example/\x1b\\tench\x1b]8;;\x1b\\",
    "\x9b31m c1 \x9d0;title\x9c",
    "over\rwritten",
    "back\x08\x08\x08\x08space",
    "bell\x07 null\x00 vertical\x0b form\x0c delete\x7f shift\x0e\x0f",
    "\x1c\x1d\x1e\x1f\x85",
    "".join(map(chr, (*range(1, 32), *range(127, 160)))),
    # Direction, and what hides.
    "\u202egpj.hcnet",
    "\u2066\u2067\u2068\u2069\u200e\u200f\u061c",
    "zero\u200bwidth\u2060joiner\ufeff",
    "tags \U000e0041\U000e0042",
    "soft\u00adhyphen",
    # Lines that are none, and lines that look like ours.
    "one\u2028two\u2029three",
    "a\nscraper: error: a line of somebody else's",
    "a\r\n0 images",
    "tab\tand\ttab",
    # Formulas.
    "=cmd|' /C calc'!A0",
    "+1+2",
    "-2+3",
    "@SUM(1,2)",
    "\t=1",
    "\r=1",
    '=HYPERLINK("https://evil.example","click")',
    "%0A=1",
    # Markup and quoting.
    "<script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    "&lt;&amp;&#x3c;",
    "[bold red]tench[/bold red] [link=https://evil.example]x[/link] :smile:",
    "a,b;c\"d\"\t'e'",
    "{0} {label} %s %(x)s %n $HOME `id` $(id) \\",
    "..\\..\\evil ../../evil /etc/passwd",
    # Characters of all kinds that are what they seem.
    "Ünïcödé “quotes” … é\u0301",
    "田中さんにあげて下さい",
    "הָיְתָה test الصفحات",
    "👩‍👩‍👧‍👦 🇺🇸 \U0001f4a9",
    "Z̮̞̠͙͔ͅḀ̗̞͈̻̗Ḷ͙͎̯̹̞͓G̻O̭̗̮",
    "\ufdd0 \uffff \ue000 \U0010ffff",
    "\xa0\u2003\u3000 spaces",
    "ﬀ ① ₂ Ⅷ",
    "",
    " ",
    "x" * 5000,
    "NaN null None undefined true 1e308 0x0",
)


def unprintable(text: str, allowed: str = "\n\t") -> set[str]:
    """Characters of some text that no output may hold, judged by their Unicode categories."""
    bad = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return {c for c in text if unicodedata.category(c) in bad and c not in allowed}
