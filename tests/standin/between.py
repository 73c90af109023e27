"""What answers in the place of Flickr when a network, a proxy or a block stands between: the same to everybody."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tests.standin import photos
from tests.standin.replies import PORTAL, Reply

if TYPE_CHECKING:
    from tests.standin.http1 import Request

Between = Callable[["Request"], Reply | None]
"""The answer to a request for one of Flickr's hosts; None lets it through."""

LOGIN: Final = "https://portal.example.com/login"
_count = itertools.count(1000)


def _page(status: int, body: bytes, *more: tuple[str, str]) -> Reply:
    return Reply(status, body, (("Content-Type", "text/html; charset=utf-8"), *more))


def portal(_request: Request) -> Reply:
    """The same page for everybody."""
    return _page(200, PORTAL)


def changing_portal(request: Request) -> Reply:
    """A page that holds the address asked for and a number of its own, in its title too."""
    number = next(_count)
    title = f"Guest Wi-Fi login {number} for http://{request.address}".encode()
    return _page(200, PORTAL.replace(b"Guest Wi-Fi login", title).replace(b"terms", b"terms of %d" % number))


def untitled_portal(_request: Request) -> Reply:
    """A page without a title that differs each time."""
    return _page(200, b"<html><body><form><input value='%d'></form></body></html>" % next(_count))


def unindexed_portal(_request: Request) -> Reply:
    """A page that asks not to be indexed, which a picture might ask too."""
    return _page(200, PORTAL, ("X-Robots-Tag", "noindex"))


def to_login(request: Request) -> Reply:
    """A redirect to a page that asks to log in, which is there for everybody."""
    return Reply(302, b"", (("Location", f"{LOGIN}?from={request.address}"),))


def to_private_login(_request: Request) -> Reply:
    """A redirect into the network itself."""
    return Reply(302, b"", (("Location", "http://10.0.0.1/login"),))


def to_itself(request: Request) -> Reply:
    """A redirect to where one came from."""
    return Reply(302, b"", (("Location", f"https://{request.address}"),))


def picture(_request: Request) -> Reply:
    """One picture for everybody."""
    return Reply(200, photos.photo("blocked.jpg"), (("Content-Type", "image/jpeg"),))


def nothing(_request: Request) -> Reply:
    """An answer without a body."""
    return Reply(200, b"", (("Content-Type", "image/jpeg"),))


def refusing(status: int) -> Between:
    """A refusal for everybody, on a page that tells each its own number."""

    def answer(_request: Request) -> Reply:
        body = b"<html><head><title>Access denied</title></head><body>Reference #%x</body></html>" % next(_count)
        return _page(status, body)

    return answer
