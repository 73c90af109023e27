"""What URL a line of a list holds: where it ends, and whether a photo can be behind it.

Lists have been through spreadsheets, `awk` and READMEs. What stands behind a URL must not be asked for as part of it:
the host would answer 404, and a living photo would count as dead. So of a Flickr URL only its known shapes are taken
(https://www.flickr.com/services/api/misc.urls.html and the older hosts of `scraper.flickr`), up to where they end; of
other hosts any URL, up to what cannot belong to it.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from scraper.flickr import FLICKR_DOMAINS
from scraper.model import Oddity
from scraper.urls import LONGEST_URL, has_scheme, host_in, on_domain

QUERY: Final = r"\?[A-Za-z0-9_.=&%+*~!$()@:/-]"
"""Of queries, for regular expressions that repeat its end: no comma and no semicolon, which end a field."""

_NO_SCHEME: Final = re.compile(r"(?://)?(?=(?:[a-z0-9-]+\.)+[a-z]{2,}(?::[0-9]{1,5})?/)", re.IGNORECASE | re.ASCII)
_FLICKR_IMAGE: Final = re.compile(
    r"https?://[a-z0-9.-]+(?::[0-9]{1,5})?/(?:[^\s/?#,;\"'<>|\\]{1,50}/){0,9}"
    r"[0-9]{1,18}_[0-9a-f]{1,60}(?:_[a-z0-9]{1,2}(?:_d)?)?\.(?:jpe?g|gif|png)"
    rf"(?:{QUERY}*)?(?=$|[\s,;\"'<>|\\)\]}}#&])",
    re.IGNORECASE | re.ASCII,
)
_ENDS_AS_IMAGE: Final = re.compile(
    r"\.(?:jpe?g|gif|png|bmp|webp|tiff?)(?:\?[^\s,;\"'<>|\\]*)?(?=[\s,;\"'<>|\\])", re.IGNORECASE | re.ASCII
)
_CLOSING: Final = {'"': '"', "'": "'", "<": ">"}
_LEAVINGS: Final = " \t,;\\\"'<>|"


class ListedUrl(NamedTuple):
    """A URL in a list, whether its host is wanted, and what stands behind it on its line."""

    url: str
    wanted: bool
    rest: str = ""


def find_url(line: str, hosts: tuple[str, ...]) -> ListedUrl | Oddity:
    """The URL that a line of a list begins with, or what is odd about the line.

    Args:
        line: without blanks around it.
        hosts: domains whose URLs are wanted. Those of others are only counted, and not looked at closely.

    >>> find_url("http://static.flickr.com/1/2_ab.jpg tench", FLICKR_DOMAINS)
    ListedUrl(url='http://static.flickr.com/1/2_ab.jpg', wanted=True, rest=' tench')
    >>> find_url("http://www.flickr.com/photos/someone/2/", FLICKR_DOMAINS)
    <Oddity.NOT_A_PHOTO: 'not_a_photo'>
    """
    if len(line) > LONGEST_URL:
        return Oddity.TOO_LONG
    text, rest = _unwrapped(line)
    host = host_in(text)
    if host is None:
        return Oddity.NO_URL
    if not on_domain(host, hosts):
        return ListedUrl(text, wanted=False)
    if not on_domain(host, FLICKR_DOMAINS):
        url = _trimmed(text)
        return ListedUrl(url, wanted=True, rest=text[len(url) :] + rest)
    image = _FLICKR_IMAGE.match(text)
    if image is None:
        return Oddity.NOT_A_PHOTO
    return ListedUrl(image[0], wanted=True, rest=text[image.end() :] + rest)


def _unwrapped(line: str) -> tuple[str, str]:
    """The line with a scheme and without the quotes it stands in, up to what no URL has; and what is behind that."""
    text = line
    if line[:1] in _CLOSING:
        text, _, _ = line[1:].partition(_CLOSING[line[0]])
    text, _, _ = text.partition("\t")
    text = text.strip()
    rest = line[line.find(text) + len(text) :]
    if not has_scheme(text):
        bare = _NO_SCHEME.match(text)
        if bare:
            text = "http://" + text[bare.end() :]
    return text, rest


def _trimmed(text: str) -> str:
    """A URL of any host without what cannot belong to it. A space inside one without an image's name may."""
    image = _ENDS_AS_IMAGE.search(text)
    return text[: image.end()] if image else text.rstrip(_LEAVINGS)
