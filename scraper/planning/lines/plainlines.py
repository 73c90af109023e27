"""The lines that nearly every list is made of, found many at a time by one regular expression.

An index file has 14 million lines. Taking each apart by the rules (`listedurls.find_url`, `flickr.photo_id`,
`flickr.file_name`) takes minutes; all but some in a thousand have one of two plain forms, for which the rules have only
one possible answer:

- a URL of another host, of characters that need no thought, which is counted and no more;
- a Flickr image under its usual name, whose photo id and file name can be read off, with nothing behind it.

What is plain here must be judged alike by the rules, for any bytes; whatever is in doubt is not plain.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final, TypeAlias

from scraper.flickr import FLICKR_DOMAINS
from scraper.planning.lines.listedurls import QUERY
from scraper.urls import on_domain

PlainLine: TypeAlias = tuple[str, str, str, str]
"""A wanted Flickr image: its URL, file name and photo id. Or three times nothing, and a line for the rules to judge."""

# The bounds keep what is plain below the longest URL and the longest file name that the rules let pass.
_HOST: Final = r"[a-z0-9.-]{1,255}+"
_FOLDERS: Final = r"(?:[a-z0-9_-]{1,50}+/){0,9}+"
_NAME: Final = r"([0-9]{1,18}+)_[0-9a-f]{1,60}+(?:_[a-z0-9]{1,2}+(?:_d)?+)?+\.(?:jpg|jpeg|gif|png)"
_END: Final = r"\r?\n"


@cache
def _pattern(hosts: tuple[str, ...]) -> re.Pattern[str]:
    """Each match is what `PlainLine` has; plain URLs of other hosts are passed over on the way."""
    ours = {host for host in hosts if on_domain(host, FLICKR_DOMAINS)}
    ours.update(domain for domain in FLICKR_DOMAINS if on_domain(domain, hosts))
    # Looked at from its end, a host is read once. One that ends in a dot, or in a wanted name that is not a domain of
    # its own (`notflickr.com`), is left to the rules.
    not_wanted = "".join(f"(?<!{re.escape(host)})" for host in (".", *hosts))
    wanted = "|".join(f"(?<=[./]{re.escape(host)})" for host in sorted(ours)) or "(?!)"
    elsewhere = rf"https?+://{_HOST}{not_wanted}(?::[0-9]{{1,5}}+)?+(?:/[!-~]{{0,4000}}+)?+{_END}"
    image = rf"(https?+://{_HOST}(?:{wanted})/{_FOLDERS}({_NAME})(?:{QUERY}{{0,1000}}+)?+){_END}"
    # Not `*+` around the group: Python before 3.11.5 matches too little then. What follows matches whatever there is.
    return re.compile(rf"(?:{elsewhere})*(?:{image}|([^\n]*+(?:\n|$)))")


def read_plain(text: str, hosts: tuple[str, ...]) -> tuple[list[PlainLine], int]:
    """The lines of a text that are wanted Flickr images or not plain, in order, and how many lines were passed over.

    Args:
        text: whole lines, bytes read as Latin-1, each with its end except perhaps the last.
        hosts: domains whose URLs are wanted.
    """
    found: list[PlainLine] = _pattern(hosts).findall(text)
    while found and not any(found[-1]):  # the end of the text matches too, twice where the last lines were passed over
        found.pop()
    lines = text.count("\n") + (text[-1:] not in ("", "\n"))
    return found, lines - len(found)
