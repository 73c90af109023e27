"""TLS between memory buffers, so that one asyncio protocol serves plain and TLS connections alike.

asyncio's own TLS hides a connection until its handshake is done (so a shutdown cannot reach it), says goodbye
politely even where a test wants it cut, and is slower for large answers.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import trustme

if TYPE_CHECKING:
    from pathlib import Path

HOSTS: Final = (
    "www.image-net.org", "image-net.org", "static.flickr.com", "*.static.flickr.com", "*.flickr.com",
    "*.staticflickr.com", "s.yimg.com", "l.yimg.com", "*.example.com", "*.example.net", "localhost", "127.0.0.1",
    "nvidia.box.com",
)  # fmt: skip
CHUNK: Final = 1 << 18  # bytes


def make_context(ca_file: Path) -> ssl.SSLContext:
    """A server's context for every host the stand-in plays; the authority to trust is written to `ca_file`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*HOSTS).configure_cert(context)
    return context


class Tls:
    """The server's side of one TLS connection; bytes for the network gather until `outgoing` takes them."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._ready = False

    def receive(self, data: bytes) -> bytes:
        """Take bytes from the network and give the plain ones in them; ssl.SSLError if they make no sense."""
        self._in.write(data)
        plain = bytearray()
        with suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            if not self._ready:
                self._tls.do_handshake()
                self._ready = True
            while piece := self._tls.read(CHUNK):
                plain += piece
        return bytes(plain)

    def send(self, plain: bytes) -> None:
        """Encrypt bytes for the network."""
        self._tls.write(plain)

    def say_goodbye(self) -> None:
        """Add the alert that ends the connection in good order."""
        with suppress(ssl.SSLError):  # before the handshake, or with the client's own goodbye still to come
            self._tls.unwrap()

    def outgoing(self) -> bytes:
        """What is to go to the network now."""
        return self._out.read()
