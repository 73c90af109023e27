"""What a URL says by itself: whether Flickr serves it, which photo it is, what to ask for, what to call the file.

The shapes of Flickr's image URLs are documented at https://www.flickr.com/services/api/misc.urls.html; the older
hosts (`farmN.static.flickr.com`, `static.flickr.com`, `photosN.flickr.com`) are those of ImageNet's lists of 2011.
"""

from __future__ import annotations

import functools
import hashlib
import re
from typing import Final
from urllib.parse import unquote

from scraper.urls import PLAIN, host_of, on_domain

FLICKR_DOMAINS: Final = ("flickr.com", "staticflickr.com")
FLICKR_GROUP: Final = "flickr"
PLACEHOLDER_NAME: Final = re.compile(r"/photo_unavailable(?:_[a-z0-9]+)?\.(?:png|gif|jpe?g)$", re.IGNORECASE)
"""Names of the picture Flickr redirects to in place of a deleted photo; `_l`, `_m` and `_s` are its sizes."""

_PHOTO: Final = re.compile(
    r"/(?P<id>[0-9]{1,18})_[0-9a-f]+(?:_[a-z0-9]{1,2}(?:_d)?)?\.(?:jpe?g|gif|png)(?:[?#]|$)", re.IGNORECASE | re.ASCII
)

_OLD_HOST: Final = re.compile(r"(?:farm[0-9]+\.)?static\.?flickr\.com", re.IGNORECASE | re.ASCII)

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
_EXTENSION: Final = re.compile(r"\.[A-Za-z0-9]{1,4}$")
_LONGEST_NAME: Final = 120
"""Characters of a file name; far below the 255 bytes of common file systems, so that suffixes fit."""
_DEVICE_NAME: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
"""Names Windows keeps for devices, with any extension: a folder that holds one cannot be copied there."""
_DIGEST: Final = 10


@functools.lru_cache(maxsize=1024)
def host_group(url: str) -> str:
    """The group of hosts that shares one patience with a URL's: all of Flickr's are one, any other host is its own."""
    host = host_of(url) or ""
    return FLICKR_GROUP if on_domain(host, FLICKR_DOMAINS) else host


def photo_id(url: str) -> int | None:
    """The Flickr photo id in an image URL, None where the URL is not one of Flickr's image URLs.

    >>> photo_id("http://farm4.static.flickr.com/3175/2737866473_7958dc8760.jpg")
    2737866473
    >>> photo_id("http://www.flickr.com/photos/nosamk/1484821596/sizes/o/")
    """
    match = PLAIN.fullmatch(url)
    if not match or not on_domain(match["host"], FLICKR_DOMAINS):
        return None
    photo = _PHOTO.search(match["path"] or "")
    return int(photo["id"]) if photo else None


def request_url(url: str) -> str:
    """The URL to ask for: https for Flickr's hosts, which serve the same photo there; any other URL as it is.

    >>> request_url("http://farm1.static.flickr.com/1/187951525_24b65aca83.jpg")
    'https://farm1.static.flickr.com/1/187951525_24b65aca83.jpg'
    """
    match = PLAIN.fullmatch(url)
    plain = match and match["scheme"].lower() == "http" and match["port"] in (None, "80")
    if match and plain and on_domain(match["host"], FLICKR_DOMAINS):
        return f"https://{match['host']}{match['path'] or '/'}"
    return url


def live_url(url: str) -> str | None:
    """The same path on `live.staticflickr.com`, where Flickr moved the photos of its older hosts; None for others.

    >>> live_url("http://farm4.static.flickr.com/3175/2737866473_7958dc8760.jpg")
    'https://live.staticflickr.com/3175/2737866473_7958dc8760.jpg'
    """
    match = PLAIN.fullmatch(url)
    if match is None or photo_id(url) is None or _OLD_HOST.fullmatch(match["host"]) is None:
        return None
    return f"https://live.staticflickr.com{match['path']}"


def is_placeholder_url(url: str) -> bool:
    """Whether the URL is that of the picture Flickr shows in place of a deleted photo."""
    return PLACEHOLDER_NAME.search(re.split(r"[?#]", url, maxsplit=1)[0]) is not None


def file_name(url: str) -> str:
    """The name of the file that a URL's photo is kept under: its own last path segment where that is safe.

    A name that is odd in any way (unsafe characters, too long, hidden, reserved, empty) is cleaned and gets a
    digest of the URL, so that two URLs never share an odd name by being cleaned alike. Stable across runs.

    >>> file_name("http://farm4.static.flickr.com/3175/2737866473_7958dc8760.jpg?v=0")
    '2737866473_7958dc8760.jpg'
    >>> file_name("http://static.flickr.com/a/..%2f..%2fetc%2fpasswd")
    'etc_passwd-83cdc5b8f2'
    """
    path = re.split(r"[?#]", url, maxsplit=1)[0]
    raw = unquote(path.rsplit("/", 1)[-1], errors="replace") if path.count("/") > 2 else ""
    extension = _EXTENSION.search(raw)
    stem = _UNSAFE.sub("_", raw[: extension.start()] if extension else raw).lstrip(".-_").rstrip(".")
    name = (stem or "image") + (extension[0] if extension else "")
    if name == raw and len(name) <= _LONGEST_NAME and not is_device(name):
        return name
    return distinct_name(name, url)


def is_device(name: str) -> bool:
    """Whether Windows keeps a name for a device."""
    return _DEVICE_NAME.fullmatch(name) is not None


def distinct_name(name: str, url: str) -> str:
    """`name` with a digest of the URL before its extension: what a name that is taken or odd becomes."""
    digest = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > 5:
        stem, dot, extension = name, "", ""
    if is_device(stem):
        stem = "_" + stem
    return f"{stem[: _LONGEST_NAME - 20]}-{digest}{dot}{extension}"
