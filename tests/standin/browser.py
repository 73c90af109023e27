"""A client for the stand-in's own tests, apart from the one under test."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import urllib3

if TYPE_CHECKING:
    from tests.standin.server import StandIn


class Browser:
    """The simplest client that reaches the stand-in under the names it plays; follows no redirects."""

    def __init__(self, standin: StandIn) -> None:
        self._standin = standin
        self._pools: dict[tuple[str, str], urllib3.HTTPConnectionPool] = {}

    def get(self, url: str, method: str = "GET", **headers: str) -> urllib3.BaseHTTPResponse:
        """One request, its body read; raises what urllib3 raises."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        pool = self._pools.setdefault((parts.scheme, host), self._pool(parts.scheme, host))
        return pool.request(method, target, headers={"Host": host, **headers}, retries=False, timeout=60)

    def final(self, url: str) -> tuple[int, bytes]:
        """Status and body after at most five redirects."""
        for _ in range(5):
            answer = self.get(url)
            if answer.status not in {301, 302}:
                break
            url = urljoin(url, answer.headers["Location"])
        return answer.status, answer.data

    def close(self) -> None:
        """Close every connection."""
        for pool in self._pools.values():
            pool.close()

    def _pool(self, scheme: str, host: str) -> urllib3.HTTPConnectionPool:
        if scheme == "http":
            return urllib3.HTTPConnectionPool("127.0.0.1", self._standin.http_port)
        return urllib3.HTTPSConnectionPool(
            "127.0.0.1",
            self._standin.https_port,
            ca_certs=str(self._standin.ca_file),
            server_hostname=host,
            assert_hostname=host,
        )
