"""DNS rebinding against a real name server: names that lead to a public address now and to this machine a moment later.

What needs the name server runs in a network of its own, without a way out, that the kernel lends to any user where it
is permitted. There, this machine answers at a public address too: as the far end of the connections that are right.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.command import LONGEST, Scraper, check, finish
from tests.conftest import TENCH

if TYPE_CHECKING:
    from collections.abc import Iterator

REPO: Final = Path(__file__).resolve().parents[2]
PUBLIC, LOOPBACK = "93.184.216.34", "127.0.0.1"
DOMAIN: Final = "rebind.example"
HOSTS: Final = [f"h{number}.{DOMAIN}" for number in range(12)]
NAMESPACES: Final = ("unshare", "--user", "--map-root-user", "--net", "--mount")
SETUP: Final = f"""set -e
ip link set lo up
ip address add {PUBLIC}/32 dev lo
mount --bind resolv.conf /etc/resolv.conf
if [ -e /etc/nsswitch.conf ]; then mount --bind nsswitch.conf /etc/nsswitch.conf; fi
exec "$@"
"""


@dataclass
class Seen:
    """What the servers in the namespace were asked."""

    questions: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    connections: Counter[str] = field(default_factory=Counter)


def first_answer(host: str) -> str:
    """Half of the names lead to a public address when they are first asked for, the other half to this machine."""
    return (PUBLIC, LOOPBACK)[int(host.partition(".")[0][1:]) % 2]


def answer(query: bytes, seen: Seen) -> bytes:
    """The answer to a DNS question: one address by turns, to be kept for no time at all; none over IPv6."""
    labels, at = [], 12
    while length := query[at]:
        labels.append(query[at + 1 : at + 1 + length].decode())
        at += 1 + length
    name, record = ".".join(labels).lower(), b""
    if int.from_bytes(query[at + 1 : at + 3]) == 1:  # of type A
        turns = (first_answer(name), PUBLIC if first_answer(name) == LOOPBACK else LOOPBACK)
        address = turns[seen.questions[name] % 2]
        seen.questions[name] += 1
        seen.answers[address] += 1
        record = struct.pack("!HHHIH4s", 0xC00C, 1, 1, 0, 4, socket.inet_aton(address))
    return query[:2] + struct.pack("!5H", 0x8180, 1, bool(record), 0, 0) + query[12 : at + 5] + record


@contextlib.contextmanager
def name_server(seen: Seen) -> Iterator[None]:
    """The name server of /etc/resolv.conf."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((LOOPBACK, 53))

        def serve() -> None:
            while len((received := server.recvfrom(4096))[0]) > 1:
                server.sendto(answer(received[0], seen), received[1])

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        server.sendto(b"", (LOOPBACK, 53))
        thread.join()


@contextlib.contextmanager
def web_server(address: str, port: int, seen: Seen) -> Iterator[None]:
    """A server that counts its connections; a host's photos have moved to the next host, or are gone."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = int(str(self.headers["Host"]).partition(".")[0][1:])
            moved = self.path.startswith("/moving/")
            self.send_response(302 if moved else 404)
            if moved:
                self.send_header("Location", f"http://m{number}.{DOMAIN}/moved/1.jpg")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    class Server(ThreadingHTTPServer):
        def get_request(self) -> Any:
            seen.connections[address] += 1
            return super().get_request()

    with Server((address, port), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield
        server.shutdown()
        thread.join()


def inside(folder: Path) -> None:
    """Fetch twice, in the namespace, and print what was seen there."""
    seen = Seen()
    with contextlib.ExitStack() as stack:
        stack.enter_context(name_server(seen))
        for address in (PUBLIC, LOOPBACK):
            for port in (80, 443):
                stack.enter_context(web_server(address, port, seen))
        scraper = Scraper(folder)
        ends = [finish(scraper.start("fetch", "--retries", "1", "--retry", "gone,blocked")) for _ in range(2)]
    print(json.dumps({"ends": [(end.code, end.err) for end in ends], "seen": vars(seen)}))


@pytest.fixture
def scraper(tmp_path: Path) -> Scraper:
    """A plan whose candidates are on hosts that only a lying name server knows."""
    urls = [f"http://{host}/{folder}/{number}.jpg" for host in HOSTS for number, folder in ((1, "gone"), (2, "moving"))]
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / f"{TENCH}.txt").write_text("\n".join(urls))
    scraper = Scraper(tmp_path)
    scraper.done("plan", TENCH, "-n", str(len(urls)), "--source", "lists", "--hosts", DOMAIN)
    return scraper


def in_namespace(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command where the network is ours."""
    words = [*NAMESPACES, "sh", "-c", SETUP, "sh", *command]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=LONGEST, check=False)


def test_a_name_that_changes_its_answer_gains_nothing(scraper: Scraper) -> None:
    folder = scraper.folder
    (folder / "resolv.conf").write_text(f"nameserver {LOOPBACK}\n")
    (folder / "nsswitch.conf").write_text("hosts: files dns\n")
    if missing := [tool for tool in ("unshare", "ip", "mount") if shutil.which(tool) is None]:
        pytest.skip(f"needs {', '.join(missing)}")
    tried = in_namespace(folder, "true")
    if tried.returncode:
        pytest.skip(f"a network of our own is not permitted here: {tried.stderr.strip()}")
    done = in_namespace(
        folder, "env", f"PYTHONPATH={REPO}", sys.executable, "-m", "tests.web.test_rebinding", str(folder)
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [code for code, _ in found["ends"]] == [0, 0], found
    # The name server was believed and did lie; what it said of this machine led nowhere.
    assert found["seen"]["questions"].keys() >= set(HOSTS)
    assert found["seen"]["answers"].keys() == {PUBLIC, LOOPBACK}
    assert found["seen"]["connections"].keys() == {PUBLIC}
    outcomes = dict(scraper.rows("SELECT outcome, count(*) FROM attempts GROUP BY outcome"))
    assert outcomes.keys() == {"blocked", "gone"}, outcomes
    assert scraper.one("SELECT count(*) FROM attempts WHERE outcome = 'blocked' AND hops IS NOT NULL") > 0
    check(scraper)


if __name__ == "__main__":
    inside(Path(sys.argv[1]))
